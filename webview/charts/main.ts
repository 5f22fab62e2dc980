/**
 * The charts page: which runs are shown, the shared cursor, and the figures of all.ts one below the other.
 * Holds only per-step curves (a few KB a run); everything else stays in the engine. Restored from its saved run ids.
 */
import { formatCount } from '../../src/protocol/formatNumber.ts';
import type { ChartRun, ChartsEvents, ChartsHostApi } from '../../src/protocol/charts.ts';
import type { RunCurves, RunId } from '../../src/protocol/engine.ts';
import { openConnection } from '../../src/protocol/rpc.ts';
import { runColours } from '../../src/protocol/runColours.ts';
import { checkbox, progress, registerControls } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import { connectHost } from '../ui/host.ts';
import { onThemeChange, themeColour } from '../ui/theme.ts';
import { charts } from './all.ts';
import type { Series, StepChart } from './chart.ts';
import './charts.css';
import type { Cursor } from './cursor.ts';
import { makeFigure } from './figure.ts';
import { dashes, markPath } from './lineChart.ts';
import { summarise } from './summary.ts';

registerControls();
const host = connectHost();
const connection = openConnection(host.port);
const api = connection.client<ChartsHostApi>();

let runs: readonly ChartRun[] = [];
let chosen = new Set<RunId>();
const curves = new Map<RunId, RunCurves>();

const summary = element('p', { class: 'summary', role: 'status', 'aria-live': 'polite' });
const legend = element('div', { class: 'legend', role: 'group', 'aria-label': 'Runs' });
const readout = element('p', { class: 'readout', 'aria-hidden': 'true' });
const figures = charts.map((chart) => ({
  chart,
  figure: makeFigure(chart, {
    onCursor: setCursor,
    onOpen: (cursor) => void api.revealStep(cursor).catch(showError),
    onExport: (name, text) => void api.save({ name, text }).catch(showError),
  }),
}));
const page = element(
  'main',
  {},
  figures.map(({ figure }) => figure.node),
);
document.body.append(
  element('header', { class: 'top' }, [element('h1', {}, ['Charts']), legend, readout]),
  summary,
  page,
);

function showError(error: unknown): void {
  summary.textContent = error instanceof Error ? error.message : String(error);
}

function setCursor(cursor: Cursor | null): void {
  for (const { figure } of figures) figure.setCursor(cursor);
  readout.textContent = cursor ? describe(cursor) : '';
}

function describe(cursor: Cursor): string {
  const run = runs.find(({ id }) => id === cursor.run);
  const curve = curves.get(cursor.run);
  const index = curve?.step.indexOf(cursor.step) ?? -1;
  if (!run || !curve || index < 0) return '';
  const values = charts.map(
    (chart) => `${chart.title.toLowerCase()} ${chart.format(chart.values(curve)[index] ?? NaN)}`,
  );
  return `${run.name} · step ${cursor.step} · ${formatCount(curve.rollouts[index] ?? 0)} rollouts · ${values.join(' · ')}`;
}

function seriesOf(chart: StepChart): Series[] {
  return runs.flatMap((run) => {
    const curve = curves.get(run.id);
    if (!chosen.has(run.id) || !curve || curve.step.length === 0) return [];
    const colour = themeColour(runColours[run.colour % runColours.length] ?? 'foreground');
    return [{ run: run.id, name: run.name, colour, style: run.colour, step: curve.step, value: chart.values(curve) }];
  });
}

function drawCharts(): void {
  const shown = seriesOf(charts[0] ?? missingChart());
  const first = Math.min(...shown.map(({ step }) => step[0] ?? Infinity));
  const last = Math.max(...shown.map(({ step }) => step.at(-1) ?? -Infinity));
  page.hidden = shown.length === 0;
  if (shown.length > 0) for (const { chart, figure } of figures) figure.draw(seriesOf(chart), [first, last]);
  drawSummary(shown.length);
}

function missingChart(): never {
  throw new Error('the list of charts is empty');
}

function drawSummary(shown: number): void {
  if (runs.length === 0) {
    summary.textContent =
      'No run is open. Use “Rollout Lens: Open Run…” or “Open the Sample Run” in the command palette.';
    return;
  }
  if (chosen.size === 0) {
    summary.textContent = 'Choose a run above.';
    return;
  }
  const sentences = runs.flatMap((run) => {
    const curve = curves.get(run.id);
    if (!chosen.has(run.id)) return [];
    const noSteps = run.hasSteps ? '' : ' Its log names no training steps, so it is shown as one.';
    return curve ? [`${summarise(run.name, curve)}${noSteps}`] : [];
  });
  summary.replaceChildren(sentences.join(' '));
  const indexing = runs.filter((run) => chosen.has(run.id) && run.indexing);
  if (indexing.length > 0 || shown < chosen.size) summary.append(' ', progress('reading…'));
}

function drawLegend(): void {
  legend.replaceChildren(
    ...runs.map((run) => {
      const box = checkbox({
        label: run.name,
        checked: chosen.has(run.id),
        onChange: (checked) => {
          if (checked) chosen.add(run.id);
          else chosen.delete(run.id);
          host.save({ chosen: [...chosen] });
          void load([...chosen].filter((id) => !curves.has(id)));
          drawCharts();
        },
      });
      return element('span', { class: 'entry', title: `${run.producer}, ${formatCount(run.rollouts)} rollouts` }, [
        swatch(run.colour),
        box,
      ]);
    }),
  );
}

function swatch(style: number): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'swatch');
  svg.setAttribute('viewBox', '0 0 32 12');
  svg.setAttribute('aria-hidden', 'true');
  svg.style.setProperty('--run', themeColour(runColours[style % runColours.length] ?? 'foreground'));
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  line.setAttribute('class', 'line');
  line.setAttribute('d', 'M0,6H32');
  line.setAttribute('stroke-dasharray', dashes[style % dashes.length] ?? '');
  const mark = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  mark.setAttribute('class', 'point');
  mark.setAttribute('d', markPath(style, 30));
  mark.setAttribute('transform', 'translate(16,6)');
  svg.append(line, mark);
  return svg;
}

/** Fetches curves; a failed run leaves the others as they are. */
async function load(ids: readonly RunId[]): Promise<void> {
  await Promise.all(
    ids.map(async (run) => {
      try {
        curves.set(run, await api.curves({ run }));
      } catch (error) {
        showError(error);
      }
    }),
  );
  drawCharts();
}

function setRuns(next: readonly ChartRun[]): void {
  const before = JSON.stringify(runs);
  runs = next;
  chosen = new Set([...chosen].filter((id) => runs.some((run) => run.id === id)));
  if (JSON.stringify(runs) === before) return;
  drawLegend();
  drawSummary(chosen.size);
}

connection.on<ChartsEvents>({
  runsChanged: (params) => {
    setRuns(params.runs);
  },
  curvesChanged: ({ run }) => {
    if (chosen.has(run)) void load([run]);
  },
});

/** Ids kept by an earlier life of the page; anything else that is saved is ignored. */
function savedChoice(saved: unknown): RunId[] | null {
  if (typeof saved !== 'object' || saved === null || !('chosen' in saved) || !Array.isArray(saved.chosen)) return null;
  return saved.chosen.filter((id): id is RunId => typeof id === 'string');
}

async function start(): Promise<void> {
  summary.replaceChildren(progress('reading…'));
  const answer = await api.runs({});
  const known = (savedChoice(host.saved) ?? []).filter((id) => answer.runs.some((run) => run.id === id));
  chosen = new Set(known.length > 0 ? known : answer.chosen);
  host.save({ chosen: [...chosen] });
  setRuns(answer.runs);
  drawLegend();
  await load([...chosen]);
}

let width = 0;
new ResizeObserver(() => {
  if (page.clientWidth === width || page.clientWidth === 0) return;
  width = page.clientWidth;
  drawCharts();
}).observe(page);
onThemeChange(drawCharts);
start().catch(showError);
