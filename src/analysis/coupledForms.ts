// One form of the coupled reward r = r_acc + α·x over all groups, taken apart so that α can change: deviations of r_acc
// and of x from their group's means, and the sums that give the variance of r for any α.
// Left out: what the advantages are compared with (coupled.ts).
import type { CoupledForm, CoupledInput } from './coupled.ts';
import { at, type GroupIndex } from './groups.ts';
import { EPSILON, EQUAL_RANGE } from './hdpo.ts';
import { toolReward } from './rewards.ts';

/** Deviations by rollout (NaN where r is not known) and sums by group over the rollouts whose r is known. */
export interface PreparedForm {
  /** r_acc − mean of the group; r_acc itself in a group of one (mean 0, std 1). */
  readonly reward: Float64Array;
  /** The same of x. */
  readonly extra: Float64Array;
  /** Rollouts with a known r. */
  readonly known: Uint32Array;
  /** Σ (r_acc − mean)², Σ (x − mean)² and Σ of the product. */
  readonly rewardSquares: Float64Array;
  readonly extraSquares: Float64Array;
  readonly products: Float64Array;
  /** max − min of r_acc and of x. */
  readonly rewardRange: Float64Array;
  readonly extraRange: Float64Array;
}

/** x of a form: what is added to r_acc, times α. */
export function extraOf(form: CoupledForm, correct: number, calls: number): number {
  switch (form) {
    case 'unconditional':
      return 1 / (calls + 1);
    case 'linear':
      return -calls;
    case 'gated':
      return toolReward(correct, calls);
  }
}

/** Prepares a form, O(n). */
export function prepareForm(input: CoupledInput, { first, rollouts }: GroupIndex, form: CoupledForm): PreparedForm {
  const count = input.group.length;
  const groups = first.length - 1;
  const prepared: PreparedForm = {
    reward: new Float64Array(count).fill(Number.NaN),
    extra: new Float64Array(count).fill(Number.NaN),
    known: new Uint32Array(groups),
    rewardSquares: new Float64Array(groups),
    extraSquares: new Float64Array(groups),
    products: new Float64Array(groups),
    rewardRange: new Float64Array(groups),
    extraRange: new Float64Array(groups),
  };
  for (let g = 0; g < groups; g += 1) {
    prepareGroup(g, { rollouts, first: at(first, g), end: at(first, g + 1) }, { input, form, prepared });
  }
  return prepared;
}

interface Target {
  readonly input: CoupledInput;
  readonly form: CoupledForm;
  readonly prepared: PreparedForm;
}

interface Slots {
  readonly rollouts: Uint32Array;
  readonly first: number;
  readonly end: number;
}

function prepareGroup(g: number, { rollouts, first, end }: Slots, { input, form, prepared }: Target): void {
  const { reward, extra } = prepared;
  const rewards = { sum: 0, low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
  const extras = { sum: 0, low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
  let known = 0;
  for (let slot = first; slot < end; slot += 1) {
    const i = at(rollouts, slot);
    const one = at(input.accReward, i);
    const other = extraOf(form, at(input.correct, i), at(input.calls, i));
    if (!Number.isFinite(one) || !Number.isFinite(other)) continue;
    known += 1;
    reward[i] = one;
    extra[i] = other;
    add(rewards, one);
    add(extras, other);
  }
  prepared.known[g] = known;
  if (known < 2) return;
  prepared.rewardRange[g] = rewards.high - rewards.low;
  prepared.extraRange[g] = extras.high - extras.low;
  let rewardSquares = 0;
  let extraSquares = 0;
  let products = 0;
  for (let slot = first; slot < end; slot += 1) {
    const i = at(rollouts, slot);
    if (Number.isNaN(at(reward, i))) continue;
    const one = at(reward, i) - rewards.sum / known;
    const other = at(extra, i) - extras.sum / known;
    reward[i] = one;
    extra[i] = other;
    rewardSquares += one * one;
    extraSquares += other * other;
    products += one * other;
  }
  prepared.rewardSquares[g] = rewardSquares;
  prepared.extraSquares[g] = extraSquares;
  prepared.products[g] = products;
}

function add(sums: { sum: number; low: number; high: number }, value: number): void {
  sums.sum += value;
  if (value < sums.low) sums.low = value;
  if (value > sums.high) sums.high = value;
}

/** Below this variance the sums may be rounding only, and the members themselves decide whether r is equal. */
const uncertainVariance = 1e-9;

/** Writes 1/(std + ε) of each group, 0 where all r are equal (max − min ≤ 1e-6); std = 1 in a group of one. */
export function writeScales(
  form: PreparedForm,
  members: GroupIndex,
  { alpha, scale }: { readonly alpha: number; readonly scale: Float64Array },
): void {
  const { known, rewardSquares, extraSquares, products, rewardRange, extraRange } = form;
  for (let g = 0; g < scale.length; g += 1) {
    const n = known[g] ?? 0;
    if (n < 2) {
      scale[g] = 1 / (1 + EPSILON);
      continue;
    }
    if ((rewardRange[g] ?? 0) + Math.abs(alpha) * (extraRange[g] ?? 0) <= EQUAL_RANGE) {
      scale[g] = 0;
      continue;
    }
    const squares = (rewardSquares[g] ?? 0) + alpha * (2 * (products[g] ?? 0) + alpha * (extraSquares[g] ?? 0));
    const variance = squares / (n - 1);
    scale[g] =
      variance > uncertainVariance ? 1 / (Math.sqrt(variance) + EPSILON) : exactScale(form, members, { alpha, g });
  }
}

function exactScale(
  { reward, extra, known }: PreparedForm,
  { first, rollouts }: GroupIndex,
  { alpha, g }: { readonly alpha: number; readonly g: number },
): number {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let squares = 0;
  const end = at(first, g + 1);
  for (let slot = at(first, g); slot < end; slot += 1) {
    const i = at(rollouts, slot);
    const deviation = at(reward, i) + alpha * at(extra, i);
    if (Number.isNaN(deviation)) continue;
    squares += deviation * deviation;
    if (deviation < low) low = deviation;
    if (deviation > high) high = deviation;
  }
  return high - low <= EQUAL_RANGE ? 0 : 1 / (Math.sqrt(squares / (at(known, g) - 1)) + EPSILON);
}
