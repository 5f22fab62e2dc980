// Steps as dense places: the steps of a column in ascending order, and the place of each rollout's step among them.
// Columns of a run come in step order, so a repeated step costs no look-up; any other order gives the same result.
// Left out: groups (groups.ts).
import { at, type NumberColumn } from './groups.ts';

/** `steps[place[i]]` is the step of rollout i. */
export interface StepPlaces {
  /** Ascending, each once. */
  readonly steps: Float64Array;
  readonly place: Uint32Array;
}

/** Finds the steps of a column, O(n) where it is ascending. */
export function stepPlaces(step: NumberColumn): StepPlaces {
  const seen = new Set<number>();
  let last = Number.NaN;
  for (let i = 0; i < step.length; i += 1) {
    const value = at(step, i);
    if (value !== last) seen.add(value);
    last = value;
  }
  const steps = Float64Array.from(seen).sort();
  const order = new Map(Array.from(steps, (value, index) => [value, index]));
  const place = new Uint32Array(step.length);
  let lastPlace = 0;
  last = Number.NaN;
  for (let i = 0; i < step.length; i += 1) {
    const value = at(step, i);
    if (value !== last) lastPlace = order.get(value) ?? 0;
    place[i] = lastPlace;
    last = value;
  }
  return { steps, place };
}
