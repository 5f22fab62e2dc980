/**
 * What each rollout of a run pushes, at weights of one: both channels are linear in their weight, so a slider only scales
 * these columns. Pure; kept as long as the samples and the mode are the same. Formulas: src/analysis/contributions.ts.
 * Leaves out drawing.
 */
import { contributionsOf, type ContributionMode } from '../../src/analysis/contributions.ts';
import type { SampleColumns } from '../../src/protocol/samples.ts';
import { hasColumns, type RunSamples } from './samples.ts';

/** Columns that contributions are computed of. */
export const contributionColumnNames = ['step', 'accAdvantage', 'toolAdvantage', 'length', 'masked'] as const;

/** Steps as ranges of rows: step `step[k]` owns the rows `first[k]` to `first[k + 1]`, end exclusive. */
export interface StepRanges {
  readonly step: Int32Array;
  readonly first: Uint32Array;
}

/** Contributions at w_acc = w_tool = 1, an entry a rollout, and their aggregates, an entry a step. */
export interface UnitContributions {
  readonly mode: ContributionMode;
  /** NaN where the advantage is not known. */
  readonly acc: Float32Array;
  readonly tool: Float32Array;
  readonly ranges: StepRanges;
  /** Mean of |·| over the rollouts where it is known; NaN for none. */
  readonly accMean: Float64Array;
  readonly toolMean: Float64Array;
  /** Rollouts with A_tool ≠ 0. */
  readonly signals: Uint32Array;
  /** N/N_sig; NaN where nothing has a signal. Times w_tool it is the effective w_tool. */
  readonly effective: Float64Array;
  /** Those that are neither 0 nor unknown, ascending within each step: densities are counted of them. */
  readonly accSorted: SortedSteps;
  readonly toolSorted: SortedSteps;
  /** The size that 99.8 % of the contributions that are not zero stay below; 0 for none. */
  readonly accExtent: number;
  readonly toolExtent: number;
}

/** Values by step: step k owns `values[first[k]]` to `values[first[k + 1]]`, end exclusive, ascending. */
export interface SortedSteps {
  readonly values: Float32Array;
  readonly first: Uint32Array;
}

/** Ranges of equal steps; rows are in the order of steps. */
export function stepRanges(step: Int32Array): StepRanges {
  const steps: number[] = [];
  const first: number[] = [];
  step.forEach((value, row) => {
    if (row > 0 && step[row - 1] === value) return;
    steps.push(value);
    first.push(row);
  });
  return { step: Int32Array.from(steps), first: Uint32Array.from([...first, step.length]) };
}

/** Contributions of all rollouts at weights of one. */
export function unitContributions(
  columns: Pick<SampleColumns, (typeof contributionColumnNames)[number]>,
  mode: ContributionMode,
): UnitContributions {
  const { step, accAdvantage, toolAdvantage, length, masked } = columns;
  const ranges = stepRanges(step);
  const steps = ranges.step.length;
  const [acc, tool] = [new Float32Array(step.length), new Float32Array(step.length)];
  const [accMean, toolMean] = [new Float64Array(steps), new Float64Array(steps)];
  const [signals, effective] = [new Uint32Array(steps), new Float64Array(steps)];
  for (let k = 0; k < steps; k += 1) {
    const [from, to] = [ranges.first[k] ?? 0, ranges.first[k + 1] ?? 0];
    const input = {
      accAdvantage: accAdvantage.subarray(from, to),
      toolAdvantage: toolAdvantage.subarray(from, to),
      length: length.subarray(from, to),
      masked: masked.subarray(from, to),
    };
    const found = contributionsOf(input, { mode, accWeight: 1, toolWeight: 1 });
    acc.set(found.acc, from);
    tool.set(found.tool, from);
    accMean[k] = meanSize(found.acc);
    toolMean[k] = meanSize(found.tool);
    signals[k] = input.toolAdvantage.reduce((sum, value) => sum + (value === 0 || Number.isNaN(value) ? 0 : 1), 0);
    effective[k] = found.effectiveToolWeight ?? NaN;
  }
  return {
    mode,
    acc,
    tool,
    ranges,
    accMean,
    toolMean,
    signals,
    effective,
    accSorted: sortedSteps(acc, ranges),
    toolSorted: sortedSteps(tool, ranges),
    accExtent: extentOf(acc),
    toolExtent: extentOf(tool),
  };
}

function sortedSteps(values: Float32Array, ranges: StepRanges): SortedSteps {
  const sorted = new Float32Array(values.length);
  const first = new Uint32Array(ranges.first.length);
  let count = 0;
  for (let k = 0; k < ranges.step.length; k += 1) {
    first[k] = count;
    for (let row = ranges.first[k] ?? 0; row < (ranges.first[k + 1] ?? 0); row += 1) {
      const value = values[row] ?? NaN;
      if (value === 0 || Number.isNaN(value)) continue;
      sorted[count] = value;
      count += 1;
    }
    sorted.subarray(first[k] ?? 0, count).sort();
  }
  first[ranges.step.length] = count;
  return { values: sorted.subarray(0, count), first };
}

/**
 * Adds up how many values of a step lie in each of `rows` equal rows from `most` down to `−most`, after a weight; what
 * lies beyond counts in the outermost row. By searches in sorted values: 400,000 rollouts cost no more than the pixels.
 */
export function countRows(
  { values, first }: SortedSteps,
  k: number,
  into: { readonly counts: Uint32Array; readonly offset: number; readonly rows: number; readonly scale: number },
): void {
  const { counts, offset, rows, scale } = into;
  const [from, end] = [first[k] ?? 0, first[k + 1] ?? 0];
  if (!(scale > 0)) return;
  let upper = end;
  for (let row = 0; row < rows && upper > from; row += 1) {
    // The lower edge of the row; the last row takes all that is left.
    const edge = row === rows - 1 ? -Infinity : (1 - (2 * (row + 1)) / rows) / scale;
    let [low, high] = [from, upper];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((values[middle] ?? 0) < edge) low = middle + 1;
      else high = middle;
    }
    counts[offset + row] = (counts[offset + row] ?? 0) + upper - low;
    upper = low;
  }
}

const known = new WeakMap<object, Map<ContributionMode, UnitContributions>>();

/** The same, computed once for loaded samples and mode; null until their columns are there. */
export function contributionsOfSamples(samples: RunSamples | null, mode: ContributionMode): UnitContributions | null {
  if (!samples || !hasColumns(samples.columns, contributionColumnNames)) return null;
  // The column is the same object as long as nothing changed.
  const { accAdvantage } = samples.columns;
  const byMode = known.get(accAdvantage) ?? new Map<ContributionMode, UnitContributions>();
  const made = byMode.get(mode) ?? unitContributions(samples.columns, mode);
  byMode.set(mode, made);
  known.set(accAdvantage, byMode);
  return made;
}

/** What one rollout pushes in both channels together; a channel that is not known adds nothing, both unknown is NaN. */
export function pushOf({ acc, tool }: UnitContributions, weights: { acc: number; tool: number }, row: number): number {
  const [a, t] = [(acc[row] ?? NaN) * weights.acc, (tool[row] ?? NaN) * weights.tool];
  return Number.isNaN(a) ? t : Number.isNaN(t) ? a : a + t;
}

function meanSize(values: Float64Array): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += Math.abs(value);
    count += 1;
  }
  return count === 0 ? NaN : sum / count;
}

/** 99.8 % quantile of the sizes that are not zero; of at most 20,000 of them, evenly taken. */
function extentOf(values: Float32Array): number {
  const stride = Math.max(1, Math.floor(values.length / 20_000));
  const sizes: number[] = [];
  for (let row = 0; row < values.length; row += stride) {
    const size = Math.abs(values[row] ?? NaN);
    if (size > 0 && Number.isFinite(size)) sizes.push(size);
  }
  const sorted = Float64Array.from(sizes).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.998))] ?? 0;
}
