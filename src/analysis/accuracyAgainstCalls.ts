// Accuracy against calls per rollout, one point a step: the path of a run from "right but with many calls" to "right with
// few". Both coordinates have a band over groups.
// Left out: drawing, smoothing.
import type { BootstrapOptions } from './bootstrap.ts';
import { at, type NumberColumn } from './groups.ts';
import { RIGHT, UNKNOWN } from './rewards.ts';
import { bandsByStep, type StepBands, type StepsAndGroups } from './stepBands.ts';

/** All rollouts of a run, one entry a rollout. */
export interface AccuracyPathInput extends StepsAndGroups {
  /** 1 right, 0 wrong, 2 unknown */
  readonly correct: NumberColumn;
  /** T */
  readonly calls: NumberColumn;
}

/** The path of a run; both have the same steps. */
export interface AccuracyPath {
  /** right / rollouts whose correctness is known */
  readonly accuracy: StepBands;
  /** mean of T */
  readonly calls: StepBands;
}

/** The two coordinates of every step. */
export function accuracyAgainstCalls(input: AccuracyPathInput, bootstrap: BootstrapOptions | null): AccuracyPath {
  const { correct, calls } = input;
  const right = (i: number): number => (at(correct, i) === UNKNOWN ? Number.NaN : Number(at(correct, i) === RIGHT));
  return {
    accuracy: bandsByStep(input, { numerator: right }, bootstrap),
    calls: bandsByStep(input, { numerator: (i) => at(calls, i) }, bootstrap),
  };
}
