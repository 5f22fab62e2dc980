// The advantages of HDPO, columns in and columns out: one accuracy channel over the group, one efficiency channel over
// the right rollouts of the group (docs: hdpo.md section 2). All sums in float64.
// Source: Metis, arXiv 2604.08545, and its advantage estimator (Accio-Lab/Metis @ 84fd45e); the reference sums in float32
// and may leave residues where members are equal, here an equal group gives exactly 0.
// Left out: contributions and effective weights (contributions.ts), per-step rows (steps.ts), words (protocol/arithmetic.ts).
import { at, indexGroups, type GroupIndex, type NumberColumn } from './groups.ts';
import { toolReward } from './rewards.ts';

/** ε of the denominator std + ε, unitless (reference code). */
export const EPSILON = 1e-6;

/** Members count as equal when max − min is at most this (hdpo.md section 2: never std = 0). */
export const EQUAL_RANGE = 1e-6;

// The middle of (1/2, 1/3, 1/6) is its mean: a deviation below this share of the range is rounding, not signal.
const RESIDUE = 1e-12;

/** What the advantages are computed from: one entry a rollout in every column, `count` rollouts. */
export interface AdvantageInput {
  readonly count: number;
  /** dense group ordinal within the batch: every ordinal < count */
  readonly group: Uint32Array;
  /** r_acc; NaN (or ±Infinity) = no usable reward logged */
  readonly accReward: Float64Array;
  /** 1 right, 0 wrong, 2 unknown */
  readonly correct: Uint8Array;
  /** T, calls sent */
  readonly calls: Uint32Array;
  /** 1 = no_loss_on_traj: counts in mean and std, contributes 0 (contributions.ts); absent = none */
  readonly masked?: Uint8Array;
}

/** 'std' divides by std + ε; 'mean-only' ("no std normalisation", Dr. GRPO) drops the division in both channels. */
export type Normalisation = 'std' | 'mean-only';

/** Options of computeAdvantages. */
export interface AdvantageOptions {
  readonly normalise: Normalisation;
}

/** Numbers of each group, one entry a group. NaN where a number does not exist. */
export interface GroupColumns {
  readonly count: number;
  /** all rollouts of the group, with or without a reward */
  readonly size: Uint32Array;
  /** G: rollouts with a reward, over which mean and std run */
  readonly rewarded: Uint32Array;
  /** rewarded rollouts whose correctness is known */
  readonly judged: Uint32Array;
  /** mean of r_acc as used: 0 in a group of one; NaN if none has a reward */
  readonly accMean: Float64Array;
  /** sample std (n−1) of r_acc as used: 1 in a group of one; NaN if none has a reward */
  readonly accStd: Float64Array;
  /** |Q| */
  readonly qualifying: Uint32Array;
  /** mean of r_tool over Q; NaN if Q is empty */
  readonly toolMean: Float64Array;
  /** sample std (n−1) of r_tool over Q; NaN if |Q| < 2 */
  readonly toolStd: Float64Array;
  /** 1 = two or more rewarded rollouts with max − min of r_acc ≤ 1e-6: A_acc is exactly 0 (a dead group) */
  readonly equalAccReward: Uint8Array;
  /** 1 = |Q| ≥ 2 and T equal within Q: A_tool is exactly 0 */
  readonly equalCalls: Uint8Array;
  /** 1 = |Q| ≥ 2 and T differs within Q: the group carries an efficiency signal */
  readonly efficiencySignal: Uint8Array;
  /** who is in which group */
  readonly members: GroupIndex;
}

/**
 * Advantages and what they were computed from, one entry a rollout. A rollout without a usable reward is outside all
 * statistics: NaN in r_tool, A_acc and A_tool, never in Q. One of unknown correctness has A_acc, but NaN in r_tool and A_tool.
 */
export interface Advantages {
  /** r_tool */
  readonly toolReward: Float64Array;
  /** A_acc */
  readonly accAdvantage: Float64Array;
  /** A_tool; exactly 0 outside Q */
  readonly toolAdvantage: Float64Array;
  /** 1 = in Q (r_tool > 0) */
  readonly qualifies: Uint8Array;
  /** `groups.size` of the rollout's group */
  readonly groupSize: Uint32Array;
  /** |Q| of the rollout's group */
  readonly groupQualifying: Uint32Array;
  readonly groups: GroupColumns;
}

interface Spread {
  readonly mean: number;
  /** sample standard deviation; NaN below two values */
  readonly std: number;
  readonly range: number;
}

/** Positions in the batch that share something: the first `count` entries of `positions`, a buffer used again and again. */
interface Selection {
  readonly positions: Uint32Array;
  count: number;
}

/** Mean, sample std and range of the selected values; shifted and corrected two-pass, so a large offset loses no digits. */
function spreadOf(values: NumberColumn, { positions, count }: Selection): Spread {
  const origin = at(values, at(positions, 0));
  let sum = 0;
  let low = origin;
  let high = origin;
  for (let k = 0; k < count; k += 1) {
    const value = at(values, at(positions, k));
    sum += value - origin;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const shift = sum / count;
  let squares = 0;
  let residue = 0;
  for (let k = 0; k < count; k += 1) {
    const deviation = at(values, at(positions, k)) - origin - shift;
    squares += deviation * deviation;
    residue += deviation;
  }
  const variance = Math.max(0, squares - (residue * residue) / count) / (count - 1);
  return { mean: origin + shift, std: count < 2 ? Number.NaN : Math.sqrt(variance), range: high - low };
}

/** Writes (value − mean)/(std + ε), or value − mean, for the selected rollouts; 0 where the deviation is only rounding. */
function writeNormalised(
  values: NumberColumn,
  selection: Selection,
  how: Spread & AdvantageOptions,
  out: Float64Array,
): void {
  const divisor = how.normalise === 'std' ? how.std + EPSILON : 1;
  for (let k = 0; k < selection.count; k += 1) {
    const i = at(selection.positions, k);
    const deviation = at(values, i) - how.mean;
    out[i] = Math.abs(deviation) <= RESIDUE * how.range ? 0 : deviation / divisor;
  }
}

function writeZero(selection: Selection, out: Float64Array): void {
  for (let k = 0; k < selection.count; k += 1) out[at(selection.positions, k)] = 0;
}

function checkLengths({ count, group, accReward, correct, calls, masked }: AdvantageInput): void {
  for (const column of [group, accReward, correct, calls, ...(masked === undefined ? [] : [masked])]) {
    if (column.length !== count) throw new RangeError(`a column has ${column.length} entries for ${count} rollouts`);
  }
}

function emptyGroups(members: GroupIndex): GroupColumns {
  const count = members.first.length - 1;
  return {
    count,
    size: new Uint32Array(count),
    rewarded: new Uint32Array(count),
    judged: new Uint32Array(count),
    accMean: new Float64Array(count).fill(Number.NaN),
    accStd: new Float64Array(count).fill(Number.NaN),
    qualifying: new Uint32Array(count),
    toolMean: new Float64Array(count).fill(Number.NaN),
    toolStd: new Float64Array(count).fill(Number.NaN),
    equalAccReward: new Uint8Array(count),
    equalCalls: new Uint8Array(count),
    efficiencySignal: new Uint8Array(count),
    members,
  };
}

/**
 * Both advantages of every rollout of a batch (any number of groups), O(n), deterministic.
 * A_acc = (r_acc − mean)/(std + ε) over the group, mean 0 and std 1 in a group of one; A_tool the same over
 * Q = {r_tool > 0}, 0 outside Q and where |Q| = 1; equal r_acc in the group, or equal T in Q, gives exactly 0.
 * Throws RangeError for columns of another length and for group ordinals that are not dense. Source: hdpo.md section 2.
 */
export function computeAdvantages(input: AdvantageInput, options: AdvantageOptions): Advantages {
  checkLengths(input);
  const { count } = input;
  const members = indexGroups(input.group);
  const result: Advantages = {
    toolReward: new Float64Array(count).fill(Number.NaN),
    accAdvantage: new Float64Array(count).fill(Number.NaN),
    toolAdvantage: new Float64Array(count).fill(Number.NaN),
    qualifies: new Uint8Array(count),
    groupSize: new Uint32Array(count),
    groupQualifying: new Uint32Array(count),
    groups: emptyGroups(members),
  };
  const rewarded: Selection = { positions: new Uint32Array(count), count: 0 };
  const qualifying: Selection = { positions: new Uint32Array(count), count: 0 };
  for (let g = 0; g < result.groups.count; g += 1) {
    select(g, input, result, rewarded, qualifying);
    fillAccuracy(g, rewarded, input, options, result);
    fillEfficiency(g, qualifying, input, options, result);
  }
  return result;
}

/** Decides who of group g is in the statistics and who in Q, and writes the columns that need no statistics. */
function select(g: number, input: AdvantageInput, out: Advantages, rewarded: Selection, qualifying: Selection): void {
  const { groups } = out;
  const first = at(groups.members.first, g);
  const end = at(groups.members.first, g + 1);
  rewarded.count = 0;
  qualifying.count = 0;
  let judged = 0;
  for (let slot = first; slot < end; slot += 1) {
    const i = at(groups.members.rollouts, slot);
    out.groupSize[i] = end - first;
    if (!Number.isFinite(at(input.accReward, i))) continue;
    rewarded.positions[rewarded.count] = i;
    rewarded.count += 1;
    const reward = toolReward(at(input.correct, i), at(input.calls, i));
    out.toolReward[i] = reward;
    if (Number.isNaN(reward)) continue;
    judged += 1;
    out.toolAdvantage[i] = 0;
    if (reward === 0) continue;
    out.qualifies[i] = 1;
    qualifying.positions[qualifying.count] = i;
    qualifying.count += 1;
  }
  for (let slot = first; slot < end; slot += 1) {
    out.groupQualifying[at(groups.members.rollouts, slot)] = qualifying.count;
  }
  groups.size[g] = end - first;
  groups.rewarded[g] = rewarded.count;
  groups.judged[g] = judged;
  groups.qualifying[g] = qualifying.count;
}

function fillAccuracy(
  g: number,
  rewarded: Selection,
  input: AdvantageInput,
  options: AdvantageOptions,
  { groups, accAdvantage }: Advantages,
): void {
  if (rewarded.count === 0) return;
  const spread = rewarded.count === 1 ? { mean: 0, std: 1, range: 0 } : spreadOf(input.accReward, rewarded);
  groups.accMean[g] = spread.mean;
  groups.accStd[g] = spread.std;
  if (rewarded.count > 1 && spread.range <= EQUAL_RANGE) {
    groups.equalAccReward[g] = 1;
    writeZero(rewarded, accAdvantage);
    return;
  }
  writeNormalised(input.accReward, rewarded, { ...spread, ...options }, accAdvantage);
}

function fillEfficiency(
  g: number,
  qualifying: Selection,
  input: AdvantageInput,
  options: AdvantageOptions,
  { groups, toolReward: rewards, toolAdvantage }: Advantages,
): void {
  if (qualifying.count === 0) return;
  const spread = spreadOf(rewards, qualifying);
  groups.toolMean[g] = spread.mean;
  if (qualifying.count === 1) return;
  groups.toolStd[g] = spread.std;
  // On T, not on r_tool: 1/1001 and 1/1002 are closer than 1e-6, but T differs.
  if (spreadOf(input.calls, qualifying).range <= EQUAL_RANGE) {
    groups.equalCalls[g] = 1;
    return;
  }
  groups.efficiencySignal[g] = 1;
  writeNormalised(rewards, qualifying, { ...spread, ...options }, toolAdvantage);
}
