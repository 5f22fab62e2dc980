/**
 * The legend: a checkbox a run with the line and mark it is drawn with. While nothing but counts change (a run is being
 * read, twice a second) its elements stay, so that the keyboard keeps its place.
 */
import { countText } from '../../src/base/numberText.ts';
import type { ChartRun } from '../../src/protocol/charts.ts';
import type { RunId } from '../../src/protocol/engine.ts';
import { runColours } from '../../src/protocol/runColours.ts';
import { checkbox } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import { themeColour } from '../ui/theme.ts';
import { dashes, markPath } from './lineNodes.ts';

/** The legend on the page. */
export interface Legend {
  readonly node: HTMLElement;
  update(runs: readonly ChartRun[], shown: ReadonlySet<RunId>): void;
}

/** CSS colour of a run. */
export function runColour(index: number): string {
  return themeColour(runColours[index % runColours.length] ?? 'foreground');
}

/** Makes an empty legend. */
export function makeLegend(onChange: (run: RunId, checked: boolean) => void): Legend {
  const node = element('div', { class: 'legend', role: 'group', 'aria-label': 'Runs' });
  let drawn = '';
  let entries: readonly HTMLElement[] = [];

  const entry = (run: ChartRun, checked: boolean): HTMLElement =>
    element('span', { class: 'entry' }, [
      swatch(run.colour),
      checkbox({
        label: run.name,
        checked,
        onChange: (now) => {
          onChange(run.id, now);
        },
      }),
    ]);

  return {
    node,
    update: (runs, shown) => {
      const look = JSON.stringify(runs.map(({ id, name, colour }) => [id, name, colour, shown.has(id)]));
      if (look !== drawn) {
        const focused = entries.findIndex((one) => one.contains(document.activeElement));
        entries = runs.map((run) => entry(run, shown.has(run.id)));
        node.replaceChildren(...entries);
        entries[focused]?.querySelector<HTMLElement>('vscode-checkbox')?.focus();
        drawn = look;
      }
      runs.forEach((run, index) => {
        entries[index]?.setAttribute('title', `${run.producer}, ${countText(run.rollouts)} rollouts`);
      });
    },
  };
}

function swatch(style: number): SVGSVGElement {
  const svg = svgElement('svg', { class: 'swatch', viewBox: '0 0 32 12', 'aria-hidden': 'true' });
  svg.style.setProperty('--run', runColour(style));
  const dash = dashes[style % dashes.length] ?? '';
  svg.append(
    svgElement('path', { class: 'line', d: 'M0,6H32', 'stroke-dasharray': dash }),
    svgElement('path', { class: 'point', d: markPath(style, 30), transform: 'translate(16,6)' }),
  );
  return svg;
}

function svgElement<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>>,
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
