/**
 * The sentences at the top of the page, one a run, which a screen reader hears first; later changes at most every few
 * seconds. Says what to do where there is nothing to show. Leaves out the sentences themselves (summary.ts).
 */
import type { ChartRun } from '../../src/protocol/charts.ts';
import type { RunCurves, RunId } from '../../src/protocol/engine.ts';
import { progress } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import { summarise } from './summary.ts';

/** What the sentences are about. */
export interface SummaryInput {
  readonly runs: readonly ChartRun[];
  readonly shown: ReadonlySet<RunId>;
  /** More runs may come. */
  readonly searching: boolean;
  readonly curves: ReadonlyMap<RunId, RunCurves>;
}

/** The sentences on the page. */
export interface PageSummary {
  /** What is seen, and what is announced. */
  readonly nodes: readonly HTMLElement[];
  update(input: SummaryInput): void;
}

/** A screen reader hears of live changes at most this often. */
const announceMs = 5_000;
const reading = 'reading…';

/** Makes an empty one. */
export function makePageSummary(): PageSummary {
  const summary = element('p', { class: 'summary' });
  const announcer = element('p', { class: 'announcer', role: 'status' });
  let latest = '';
  let announced = '';
  let announcing: ReturnType<typeof setTimeout> | null = null;
  /** The first text at once, later ones when the last is some seconds old. */
  const announceSoon = (): void => {
    if (latest === announced || announcing !== null) return;
    announcer.textContent = announced = latest;
    announcing = setTimeout(() => {
      announcing = null;
      announceSoon();
    }, announceMs);
  };
  return {
    nodes: [summary, announcer],
    update: (input) => {
      const [text, busy] = summaryText(input);
      if (summary.textContent !== `${text}${busy ? ` ${reading}` : ''}`) {
        summary.replaceChildren(text, ...(busy ? [' ', progress(reading)] : []));
      }
      latest = text;
      announceSoon();
    },
  };
}

function summaryText({ runs, shown, searching, curves }: SummaryInput): readonly [text: string, busy: boolean] {
  if (runs.length === 0) {
    if (searching) return ['', true];
    return ['No run is open. Use “Rollout Lens: Open Run…” or “Open the Sample Run” in the command palette.', false];
  }
  const shownNow = runs.filter((run) => shown.has(run.id));
  const waiting = searching || shownNow.some((run) => run.indexing || !curves.has(run.id));
  if (shownNow.length === 0) return searching ? ['', true] : ['Choose a run above.', false];
  const sentences = shownNow.flatMap((run) => {
    const curve = curves.get(run.id);
    const noSteps = run.hasSteps ? '' : ' Its log names no training steps, so it is shown as one.';
    const noRewards =
      run.hasRewards || run.indexing
        ? ''
        : ' This log has no rewards: nothing in it says which rollouts are right, and there are no advantages.';
    return curve ? [`${summarise(run.name, curve)}${noSteps}${noRewards}`] : [];
  });
  // A number and its unit stay on one line.
  return [sentences.join('\n').replaceAll(' %', '\u00a0%'), waiting];
}
