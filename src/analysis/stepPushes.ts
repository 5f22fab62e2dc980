// The numbers of the advantage charts by training step, beside those of steps.ts: how large the pushes are, how many right
// rollouts are pushed down, what a coupled reward would change, and the regions of the plane A_acc × A_tool.
// Formula, unit and source of each stand in pushColumns. Left out: bands (stepBands.ts) and reading the columns.
import { NO_PUSH } from './coupled.ts';
import { at } from './groups.ts';
import { RIGHT } from './rewards.ts';
import { rolloutPushes, usualPushes, type PushInput, type PushOptions } from './rolloutPushes.ts';

/** One training step; null where a number does not exist. Units and formulas: `pushColumns`. */
export interface StepPushes {
  readonly step: number;
  readonly acc_push_abs: number | null;
  readonly tool_push_abs: number | null;
  readonly tool_push_share: number | null;
  readonly negative_push_share: number | null;
  readonly coupled_opposite_share: number | null;
  readonly coupled_lost_share: number | null;
  readonly coupled_gained_share: number | null;
  readonly ambiguity_pairs: number;
  readonly reward_calls_correlation: number | null;
  readonly right_lean: number;
  readonly right_wasteful: number;
  readonly right_no_signal: number;
  readonly wrong: number;
}

/** What one number is. */
export interface PushColumn {
  readonly name: Exclude<keyof StepPushes, 'step'>;
  readonly formula: string;
}

/** The columns in their order; the pushes are those of the published weights (1 and 0.15), loss-weighted. */
export const pushColumns: readonly PushColumn[] = [
  { name: 'acc_push_abs', formula: 'mean of |w_acc·A_acc·L/mean(L)| over rollouts' },
  { name: 'tool_push_abs', formula: 'mean of |w_tool·A_tool·(N/N_sig)·L/mean_sig(L)| over rollouts' },
  { name: 'tool_push_share', formula: 'tool_push_abs / (acc_push_abs + tool_push_abs)' },
  { name: 'negative_push_share', formula: 'right rollouts with a net push below −1e-6 / right rollouts' },
  {
    name: 'coupled_opposite_share',
    formula: 'rollouts that a coupled reward (--form, --alpha) would push the other way / rollouts',
  },
  { name: 'coupled_lost_share', formula: 'rollouts that HDPO pushes and the coupled reward does not / rollouts' },
  { name: 'coupled_gained_share', formula: 'rollouts that the coupled reward pushes and HDPO does not / rollouts' },
  {
    name: 'ambiguity_pairs',
    formula: 'pairs of a group, wrong with T = 0 and right with T ≥ 1, whose coupled rewards differ by less than 0.05',
  },
  { name: 'reward_calls_correlation', formula: 'correlation of r_acc with 1/(T+1) within groups' },
  { name: 'right_lean', formula: 'right rollouts with A_tool > 0' },
  { name: 'right_wasteful', formula: 'right rollouts with A_tool < 0' },
  { name: 'right_no_signal', formula: 'right rollouts with A_tool = 0' },
  { name: 'wrong', formula: 'wrong rollouts' },
];

/** A row a step, ascending. O(n). */
export function stepPushes(input: PushInput, options: PushOptions = usualPushes): readonly StepPushes[] {
  const found = rolloutPushes(input, options);
  const { coupled, regions, prepared } = found;
  return found.step.map((step, k): StepPushes => {
    const [from, end] = [at(found.first, k), at(found.first, k + 1)];
    const acc = meanSize(found.acc, from, end);
    const tool = meanSize(found.tool, from, end);
    const samples = at(coupled.steps.samples, k);
    const share = (counts: Uint32Array): number | null => ratio(at(counts, k), samples);
    const correlation = at(prepared.correlation, k);
    return {
      step,
      acc_push_abs: acc,
      tool_push_abs: tool,
      tool_push_share: acc === null || tool === null ? null : ratio(tool, acc + tool),
      negative_push_share: negativeShare(input, found, { from, end }),
      coupled_opposite_share: share(coupled.steps.opposite),
      coupled_lost_share: share(coupled.steps.lost),
      coupled_gained_share: share(coupled.steps.gained),
      ambiguity_pairs: at(coupled.steps.pairs, k),
      reward_calls_correlation: Number.isNaN(correlation) ? null : correlation,
      right_lean: at(regions.counts.rightLean, k),
      right_wasteful: at(regions.counts.rightWasteful, k),
      right_no_signal: at(regions.counts.rightNoSignal, k),
      wrong: at(regions.counts.wrong, k),
    };
  });
}

function meanSize(values: Float64Array, from: number, end: number): number | null {
  let sum = 0;
  let count = 0;
  for (let i = from; i < end; i += 1) {
    const value = at(values, i);
    if (Number.isNaN(value)) continue;
    sum += Math.abs(value);
    count += 1;
  }
  return ratio(sum, count);
}

function negativeShare(
  { correct }: PushInput,
  { acc, tool }: { readonly acc: Float64Array; readonly tool: Float64Array },
  { from, end }: { readonly from: number; readonly end: number },
): number | null {
  let right = 0;
  let negative = 0;
  for (let i = from; i < end; i += 1) {
    const push = at(acc, i) + at(tool, i);
    if (at(correct, i) !== RIGHT || Number.isNaN(push)) continue;
    right += 1;
    if (push < -NO_PUSH) negative += 1;
  }
  return ratio(negative, right);
}

function ratio(numerator: number, denominator: number): number | null {
  const value = numerator / denominator;
  return Number.isFinite(value) ? value : null;
}
