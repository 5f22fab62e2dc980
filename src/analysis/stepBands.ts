// A rate by step with its band: Σ numerator / Σ denominator over the rollouts of a step, and the 95 % bootstrap interval over
// the step's groups. What is counted is the caller's.
// Left out: the drawing of groups (bootstrap.ts).
import { bootstrapRatio, randomBits, resamplesFor, type BootstrapOptions } from './bootstrap.ts';
import { at, type NumberColumn } from './groups.ts';
import { stepPlaces } from './stepPlaces.ts';

/** Where each rollout belongs. */
export interface StepsAndGroups {
  readonly step: NumberColumn;
  /** dense ordinal of the group; a group never spans two steps */
  readonly group: Uint32Array;
}

/** What is counted of rollout i; NaN = not counted. */
export interface Rate {
  readonly numerator: (i: number) => number;
  /** default 1 */
  readonly denominator?: (i: number) => number;
}

/** A rate by step: parallel arrays, ascending by step; NaN where nothing counts (in the band: fewer than two groups). */
export interface StepBands {
  readonly step: Float64Array;
  /** Σ denominator: rollouts, where the rate is per rollout */
  readonly count: Float64Array;
  /** groups that count */
  readonly groups: Uint32Array;
  readonly value: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** The rate of every step, with a band unless `bootstrap` is null (then NaN). O(n) plus the draws. */
export function bandsByStep(
  { step, group }: StepsAndGroups,
  { numerator, denominator }: Rate,
  bootstrap: BootstrapOptions | null,
): StepBands {
  const { steps, place } = stepPlaces(step);
  const groupCount = group.reduce((most, ordinal) => Math.max(most, ordinal + 1), 0);
  const above = new Float64Array(groupCount);
  const below = new Float64Array(groupCount);
  const placeOfGroup = new Uint32Array(groupCount);
  for (let i = 0; i < group.length; i += 1) {
    const g = at(group, i);
    placeOfGroup[g] = at(place, i);
    const value = numerator(i);
    const weight = denominator === undefined ? 1 : denominator(i);
    if (Number.isNaN(value) || Number.isNaN(weight)) continue;
    above[g] = at(above, g) + value;
    below[g] = at(below, g) + weight;
  }
  const bands: StepBands = {
    step: steps,
    count: new Float64Array(steps.length),
    groups: new Uint32Array(steps.length),
    value: new Float64Array(steps.length).fill(Number.NaN),
    low: new Float64Array(steps.length).fill(Number.NaN),
    high: new Float64Array(steps.length).fill(Number.NaN),
  };
  const byStep = Array.from(steps, () => ({ above: Array.of<number>(), below: Array.of<number>() }));
  for (let g = 0; g < groupCount; g += 1) {
    if (!(at(below, g) > 0)) continue;
    const sums = byStep[at(placeOfGroup, g)];
    sums?.above.push(at(above, g));
    sums?.below.push(at(below, g));
  }
  // All steps share the draws: at 50,000 groups a curve takes 0.1 s.
  const resamples = resamplesFor(groupCount, bootstrap?.resamples);
  byStep.forEach((sums, s) => {
    const count = sums.below.reduce((all, value) => all + value, 0);
    bands.count[s] = count;
    bands.groups[s] = sums.below.length;
    if (count === 0) return;
    bands.value[s] = sums.above.reduce((all, value) => all + value, 0) / count;
    if (bootstrap === null) return;
    // A seed of its own for each step: a step's band must not change when another step comes in.
    const seed = randomBits(bootstrap.seed, at(steps, s));
    const { low, high } = bootstrapRatio(sums.above, sums.below, { resamples, seed });
    bands.low[s] = low;
    bands.high[s] = high;
  });
  return bands;
}
