/**
 * Which runs are shown. What the user chose lasts longer than the runs are there: after a reload they are found one
 * after the other, and a run that was not found yet must not be forgotten. Pure.
 */
import type { ChartRun } from '../../src/protocol/charts.ts';
import type { RunId } from '../../src/protocol/engine.ts';

/** Runs chosen by the user, found or not; null while nobody chose, which shows the first runs there are. */
export type Choice = ReadonlySet<RunId> | null;

/** More lines than colours would be guesswork; the legend offers the other runs. */
const mostShown = 6;

/** The runs that are shown now. */
export function shownRuns(choice: Choice, runs: readonly ChartRun[]): ReadonlySet<RunId> {
  const found = choice === null ? runs.slice(0, mostShown) : runs.filter(({ id }) => choice.has(id));
  return new Set(found.map(({ id }) => id));
}

/** The choice after a box was ticked or cleared; the runs that were shown without one are then chosen. */
export function ticked(choice: Choice, runs: readonly ChartRun[], change: { run: RunId; shown: boolean }): Choice {
  const next = new Set(choice ?? shownRuns(null, runs));
  if (change.shown) next.add(change.run);
  else next.delete(change.run);
  return next;
}

/** The choice that an earlier life of the page saved; anything else that is saved is none. */
export function savedChoice(saved: unknown): Choice {
  if (typeof saved !== 'object' || saved === null || !('chosen' in saved) || !Array.isArray(saved.chosen)) return null;
  return new Set(saved.chosen.filter((id): id is RunId => typeof id === 'string'));
}
