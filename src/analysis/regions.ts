// Where a rollout lies in A_acc × A_tool: by correctness and sign of A_tool, counted by step. Colour and region go by
// correctness, never by the sign of A_acc: a right answer in a bad format can have A_acc < 0.
// Wrong rollouts have A_tool = 0 by design, so they are spread by T − mean T of their group.
// Left out: drawing (webview/charts), advantages (hdpo.ts).
import { at, type NumberColumn } from './groups.ts';
import { RIGHT, WRONG } from './rewards.ts';
import { stepPlaces } from './stepPlaces.ts';

/** Codes of `region`: right and A_tool > 0, < 0, = 0 (or none); wrong; correctness not known. */
export const REGION = { rightLean: 0, rightWasteful: 1, rightNoSignal: 2, wrong: 3, unknown: 4 } as const;

/** Name of a region. */
export type Region = keyof typeof REGION;

/** All rollouts of a run, one entry a rollout. */
export interface RegionInput {
  readonly step: NumberColumn;
  /** dense ordinal of the group */
  readonly group: Uint32Array;
  /** 1 right, 0 wrong, 2 unknown */
  readonly correct: NumberColumn;
  /** T */
  readonly calls: NumberColumn;
  /** A_tool; NaN = none */
  readonly toolAdvantage: NumberColumn;
}

/** Regions of all rollouts, and how many each step has of each. */
export interface Regions {
  readonly region: Uint8Array;
  /** T − mean T of the rollout's group, in calls */
  readonly spread: Float32Array;
  /** Ascending by step; the counts are parallel. */
  readonly step: Float64Array;
  readonly counts: Readonly<Record<Region, Uint32Array>>;
}

/** Sorts every rollout into its region, O(n). Throws RangeError for columns of different lengths. */
export function regionsOf({ step, group, correct, calls, toolAdvantage }: RegionInput): Regions {
  const count = group.length;
  for (const column of [step, correct, calls, toolAdvantage]) {
    if (column.length !== count) throw new RangeError('columns differ in length');
  }
  const { steps, place } = stepPlaces(step);
  const meanCalls = meanByGroup(group, calls);
  const region = new Uint8Array(count);
  const spread = new Float32Array(count);
  const codes = Object.keys(REGION).length;
  const tally = new Uint32Array(steps.length * codes);
  for (let i = 0; i < count; i += 1) {
    const code = regionOf(at(correct, i), at(toolAdvantage, i));
    region[i] = code;
    spread[i] = at(calls, i) - at(meanCalls, at(group, i));
    const slot = at(place, i) * codes + code;
    tally[slot] = at(tally, slot) + 1;
  }
  const of = (name: Region): Uint32Array =>
    steps.reduce((column, _, s) => {
      column[s] = at(tally, s * codes + REGION[name]);
      return column;
    }, new Uint32Array(steps.length));
  const counts = {
    rightLean: of('rightLean'),
    rightWasteful: of('rightWasteful'),
    rightNoSignal: of('rightNoSignal'),
    wrong: of('wrong'),
    unknown: of('unknown'),
  };
  return { region, spread, step: steps, counts };
}

function regionOf(correct: number, toolAdvantage: number): number {
  if (correct === WRONG) return REGION.wrong;
  if (correct !== RIGHT) return REGION.unknown;
  if (toolAdvantage > 0) return REGION.rightLean;
  return toolAdvantage < 0 ? REGION.rightWasteful : REGION.rightNoSignal;
}

function meanByGroup(group: Uint32Array, values: NumberColumn): Float64Array {
  const groups = group.reduce((most, ordinal) => Math.max(most, ordinal + 1), 0);
  const sum = new Float64Array(groups);
  const size = new Uint32Array(groups);
  for (let i = 0; i < group.length; i += 1) {
    const g = at(group, i);
    sum[g] = at(sum, g) + at(values, i);
    size[g] = at(size, g) + 1;
  }
  return sum.map((total, g) => total / at(size, g));
}
