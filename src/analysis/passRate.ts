// Where each channel lives: mean |contribution| of both channels by the group's pass rate, k of G right, k = 0…G. The
// accuracy channel is silent at 0 and G, the efficiency channel below 2. Groups of another size than the usual G (merged or
// cut) have no place on the axis and are counted apart.
// Left out: contributions (preparedContributions.ts), drawing.
import { bootstrapRatio, resamplesFor, type BootstrapOptions, type Interval } from './bootstrap.ts';
import { at, indexGroups, mode, type NumberColumn } from './groups.ts';
import { RIGHT, UNKNOWN } from './rewards.ts';

/** All rollouts (or those of the selected steps), one entry a rollout. */
export interface PassRateInput {
  /** dense ordinal of the group */
  readonly group: Uint32Array;
  /** 1 right, 0 wrong, 2 unknown */
  readonly correct: NumberColumn;
  /** contributions of both channels; NaN = none */
  readonly acc: NumberColumn;
  readonly tool: NumberColumn;
}

/** Groups with one number of right rollouts. */
export interface PassRateBin {
  /** k, right rollouts of the group */
  readonly right: number;
  readonly groups: number;
  /** mean of |contribution| over their rollouts */
  readonly acc: Interval;
  readonly tool: Interval;
}

/** Both channels by pass rate. */
export interface PassRates {
  /** G, the usual size; 0 without groups */
  readonly size: number;
  /** G + 1 entries, k = 0…G */
  readonly bins: readonly PassRateBin[];
  /** groups of another size, and groups with a rollout of unknown correctness */
  readonly otherGroups: number;
}

/** Sorts groups by how many of them are right; intervals are 95 % bootstraps over groups. O(n) plus the draws. */
export function passRates(input: PassRateInput, bootstrap: BootstrapOptions): PassRates {
  const members = indexGroups(input.group);
  const groupCount = members.first.length - 1;
  const sizes = Uint32Array.from({ length: groupCount }, (_, g) => at(members.first, g + 1) - at(members.first, g));
  const size = mode(sizes) ?? 0;
  const bins = Array.from({ length: groupCount === 0 ? 0 : size + 1 }, () => ({
    acc: Array.of<number>(),
    tool: Array.of<number>(),
    accCount: Array.of<number>(),
    toolCount: Array.of<number>(),
  }));
  let otherGroups = 0;
  for (let g = 0; g < groupCount; g += 1) {
    const sums = sumsOf(input, members.rollouts, { from: at(members.first, g), end: at(members.first, g + 1) });
    const bin = at(sizes, g) === size && sums.unknown === 0 ? bins[sums.right] : undefined;
    if (bin === undefined) {
      otherGroups += 1;
      continue;
    }
    bin.acc.push(sums.acc);
    bin.tool.push(sums.tool);
    bin.accCount.push(sums.accCount);
    bin.toolCount.push(sums.toolCount);
  }
  const shared = { ...bootstrap, resamples: resamplesFor(groupCount, bootstrap.resamples) };
  return {
    size,
    bins: bins.map((bin, right) => ({
      right,
      groups: bin.acc.length,
      acc: bootstrapRatio(bin.acc, bin.accCount, shared),
      tool: bootstrapRatio(bin.tool, bin.toolCount, shared),
    })),
    otherGroups,
  };
}

function sumsOf(
  input: PassRateInput,
  rollouts: Uint32Array,
  { from, end }: { readonly from: number; readonly end: number },
) {
  const sums = { right: 0, unknown: 0, acc: 0, accCount: 0, tool: 0, toolCount: 0 };
  for (let slot = from; slot < end; slot += 1) {
    const i = at(rollouts, slot);
    const correct = at(input.correct, i);
    if (correct === RIGHT) sums.right += 1;
    if (correct === UNKNOWN) sums.unknown += 1;
    const acc = Math.abs(at(input.acc, i));
    const tool = Math.abs(at(input.tool, i));
    if (!Number.isNaN(acc)) {
      sums.acc += acc;
      sums.accCount += 1;
    }
    if (!Number.isNaN(tool)) {
      sums.tool += tool;
      sums.toolCount += 1;
    }
  }
  return sums;
}
