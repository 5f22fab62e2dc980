/**
 * Which rollouts are looked at, in which order, and the words for it. Pure. The order is a radix sort of typed arrays:
 * 400,000 rollouts while a slider moves. Leaves out the list itself (sampleList.ts).
 */
import type { ContributionMode } from '../../src/analysis/contributions.ts';
import { countText, numberText, signedText } from '../../src/base/numberText.ts';
import { pushOf, type UnitContributions } from './contributionColumns.ts';
import type { PlanePart, Region, Selection, Weights } from './panelChart.ts';
import { inPart, type PlanePlaces } from './planeColumns.ts';

/** Everything of the run. */
export const wholeRun: Selection = { steps: null, region: null, part: null, group: null, rollout: null };

/** What selecting needs of the run. */
export interface SelectedFrom {
  /** In the mode of the selected region, where there is one: `modeOf`. */
  readonly contributions: UnitContributions;
  readonly weights: Weights;
  /** Dense ordinals; needed only where a group is selected. */
  readonly group: Uint32Array | null;
  /** Places in the plane; needed only where a part of it is selected. */
  readonly plane: PlanePlaces | null;
}

/** The mode in which a selection is to be looked up: that of its region, in whose units its limits are. */
export function modeOf({ region }: Selection, mode: ContributionMode): ContributionMode {
  return region?.mode ?? mode;
}

/** Rows that the selection holds, ascending. A push of exactly 0 is in no region: it pushes nothing. */
export function selectedRows(selection: Selection, from: SelectedFrom): Uint32Array {
  const { contributions, weights, group, plane } = from;
  const [begin, end] = rowsOfSteps(contributions, selection.steps);
  const rows = new Uint32Array(end - begin);
  const { region, part } = selection;
  const values = region === null ? null : contributions[region.channel];
  const weight = region === null ? 1 : weights[region.channel];
  let count = 0;
  for (let row = begin; row < end; row += 1) {
    if (selection.group !== null && group?.[row] !== selection.group) continue;
    if (region && values) {
      const value = (values[row] ?? NaN) * weight;
      if (!(value >= region.low && value <= region.high) || value === 0) continue;
    }
    if (part && plane && !inPart(part, plane, row)) continue;
    rows[count] = row;
    count += 1;
  }
  return rows.subarray(0, count);
}

/** First row and end of the steps; all of them for null. */
export function rowsOfSteps(
  { ranges }: UnitContributions,
  steps: Selection['steps'],
): readonly [begin: number, end: number] {
  const last = ranges.first.at(-1) ?? 0;
  if (steps === null) return [0, last];
  const from = ranges.step.findIndex((step) => step >= steps[0]);
  const to = ranges.step.findLastIndex((step) => step <= steps[1]);
  return from < 0 || to < from ? [0, 0] : [ranges.first[from] ?? 0, ranges.first[to + 1] ?? last];
}

/** Keys a list of samples can be sorted by. */
export const sampleSorts = ['push', 'step', 'calls', 'reward', 'accAdvantage', 'toolAdvantage', 'redundant'] as const;

/** One of them; `push` by size. */
export type SampleSort = (typeof sampleSorts)[number];

/** The rows in the order of a key, equal ones by row; NaN always last. Two passes of 16 bits. */
export function sortedRows(rows: Uint32Array, keyOf: (row: number) => number, order: 'up' | 'down'): Uint32Array {
  const keys = new Float32Array(rows.length);
  rows.forEach((row, index) => {
    // −0 and 0 are one key.
    keys[index] = keyOf(row) + 0;
  });
  const bits = new Uint32Array(keys.buffer);
  for (let index = 0; index < bits.length; index += 1) {
    const value = bits[index] ?? 0;
    // Order of floats as order of whole numbers.
    const ascending = (value & 0x8000_0000) !== 0 ? ~value >>> 0 : (value | 0x8000_0000) >>> 0;
    bits[index] = Number.isNaN(keys[index] ?? NaN)
      ? 0xffff_ffff
      : order === 'up'
        ? ascending
        : (0xffff_fffe - ascending) >>> 0;
  }
  const order16 = (from: Uint32Array, shift: number): Uint32Array => {
    const firsts = new Uint32Array(65_537);
    for (const value of bits) {
      const bucket = ((value >>> shift) & 0xffff) + 1;
      firsts[bucket] = (firsts[bucket] ?? 0) + 1;
    }
    for (let bucket = 1; bucket < firsts.length; bucket += 1) {
      firsts[bucket] = (firsts[bucket] ?? 0) + (firsts[bucket - 1] ?? 0);
    }
    const to = new Uint32Array(from.length);
    for (const index of from) {
      const bucket = ((bits[index] ?? 0) >>> shift) & 0xffff;
      const slot = firsts[bucket] ?? 0;
      to[slot] = index;
      firsts[bucket] = slot + 1;
    }
    return to;
  };
  const identity = Uint32Array.from(rows, (_, index) => index);
  return order16(order16(identity, 0), 16).map((index) => rows[index] ?? 0);
}

/** The rows by size of their push, largest first. */
export function byPush(rows: Uint32Array, contributions: UnitContributions, weights: Weights): Uint32Array {
  return sortedRows(rows, (row) => Math.abs(pushOf(contributions, weights, row)), 'down');
}

/** "accuracy push +0.80 to +1.07"; open ends as "from" and "up to". */
export function regionText({ channel, low, high }: Omit<Region, 'mode'>): string {
  const name = channel === 'acc' ? 'accuracy push' : 'efficiency push';
  if (high === Number.MAX_VALUE) return `${name} from ${signedText(low)}`;
  if (low === -Number.MAX_VALUE) return `${name} up to ${signedText(high)}`;
  return `${name} ${signedText(low)} to ${signedText(high)}`;
}

/** "right, A_acc +0.80 to +1.07, A_tool −0.70 to 0". */
export function partText({ of, x, y }: PlanePart): string {
  const range = ([low, high]: readonly [number, number]): string =>
    low === -Number.MAX_VALUE
      ? high === Number.MAX_VALUE
        ? 'any'
        : `up to ${signedText(high)}`
      : high === Number.MAX_VALUE
        ? `from ${signedText(low)}`
        : low === high
          ? signedText(low)
          : `${signedText(low)} to ${signedText(high)}`;
  return `${of}, A_acc ${range(x)}, ${of === 'right' ? 'A_tool' : 'T − mean T'} ${range(y)}`;
}

/** "step 17" or "steps 15 to 20". */
export function stepsText([first, last]: readonly [number, number]): string {
  return first === last ? `step ${first}` : `steps ${first} to ${last}`;
}

/** "1,536 rollouts". */
export function rolloutsText(count: number): string {
  return `${countText(count)} ${count === 1 ? 'rollout' : 'rollouts'}`;
}

/** A weight as its control shows it. */
export function weightText(weight: number): string {
  return numberText(weight);
}
