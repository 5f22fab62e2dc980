// What each rollout contributes to the loss of its step through either channel, at ratio 1: before clipping, KL and
// importance weights (docs: hdpo.md section 2, "Contribution of one sample"). A step is treated as one batch; the
// trainer averages per micro-batch, whose members no dump records, so a view says "step-level approximation".
// Left out: clipping, the coupled reward, and where the lengths L come from (tokens, or characters as an estimate).
import { at, type NumberColumn } from './groups.ts';

/** w_tool of the published training script, unitless. */
export const DEFAULT_TOOL_WEIGHT = 0.15;

/** w_acc of the published training script, unitless. */
export const DEFAULT_ACC_WEIGHT = 1;

/** How a contribution is measured; an axis names the mode. `loss-weighted` is the default of the views. */
export type ContributionMode = 'plain' | 'loss-weighted' | 'by-sequence';

/** The rollouts of one step, one entry a rollout. */
export interface ContributionInput {
  /** A_acc; NaN = none */
  readonly accAdvantage: NumberColumn;
  /** A_tool; NaN = none */
  readonly toolAdvantage: NumberColumn;
  /** L: tokens inside the response mask (or characters of model text, marked as an estimate) */
  readonly length: NumberColumn;
  /** 1 = contributes 0 */
  readonly masked?: NumberColumn;
}

/** Mode and weights of contributionsOf. */
export interface ContributionOptions {
  readonly mode: ContributionMode;
  /** default 1 */
  readonly accWeight?: number;
  /** default 0.15 */
  readonly toolWeight?: number;
}

/** Contributions of one step, one entry a rollout; NaN where the advantage is NaN. */
export interface Contributions {
  readonly acc: Float64Array;
  readonly tool: Float64Array;
  /** w_tool·N/N_sig; null when no rollout has A_tool ≠ 0 */
  readonly effectiveToolWeight: number | null;
}

/**
 * Effective w_tool = w_tool·N/N_sig, unitless: the tool loss is averaged over samples with A_tool ≠ 0 only, which makes
 * the channel strong where few carry a signal. N = rollouts whose A_tool is known; null when N_sig = 0.
 * Source: dual-loss actor of Metis, hdpo.md section 2.
 */
export function effectiveToolWeight(
  toolAdvantage: NumberColumn,
  toolWeight: number = DEFAULT_TOOL_WEIGHT,
): number | null {
  let known = 0;
  let signals = 0;
  for (let i = 0; i < toolAdvantage.length; i += 1) {
    const advantage = at(toolAdvantage, i);
    if (Number.isNaN(advantage)) continue;
    known += 1;
    if (advantage !== 0) signals += 1;
  }
  return signals === 0 ? null : (toolWeight * known) / signals;
}

/** Mean of L over the rollouts with a known (and, for 'signal', non-zero) advantage; a masked rollout has no token in the loss. */
function meanLength(input: ContributionInput, advantage: NumberColumn, over: 'all' | 'signal'): number {
  let count = 0;
  let sum = 0;
  for (let i = 0; i < advantage.length; i += 1) {
    const value = at(advantage, i);
    if (Number.isNaN(value) || (over === 'signal' && value === 0)) continue;
    count += 1;
    sum += isMasked(input, i) ? 0 : at(input.length, i);
  }
  return sum / count;
}

function isMasked(input: ContributionInput, i: number): boolean {
  return input.masked !== undefined && at(input.masked, i) === 1;
}

/**
 * Contributions of the rollouts of one step to its loss. plain: w_acc·A_acc and w_tool·A_tool; by-sequence: the second
 * times N/N_sig; loss-weighted, in units of one average sample: also times L/mean(L) and L/mean_sig(L).
 * A masked rollout contributes 0. Throws RangeError if the columns differ in length. Source: hdpo.md section 2.
 */
export function contributionsOf(input: ContributionInput, options: ContributionOptions): Contributions {
  const { accAdvantage, toolAdvantage, length } = input;
  const count = accAdvantage.length;
  if (toolAdvantage.length !== count || length.length !== count) throw new RangeError('columns differ in length');
  const { mode, accWeight = DEFAULT_ACC_WEIGHT, toolWeight = DEFAULT_TOOL_WEIGHT } = options;
  const effective = effectiveToolWeight(toolAdvantage, toolWeight);
  const toolFactor = mode === 'plain' ? toolWeight : (effective ?? 0);
  const accLength = mode === 'loss-weighted' ? meanLength(input, accAdvantage, 'all') : 1;
  const toolLength = mode === 'loss-weighted' ? meanLength(input, toolAdvantage, 'signal') : 1;
  const acc = new Float64Array(count);
  const tool = new Float64Array(count);
  for (let i = 0; i < count; i += 1) {
    const weight = mode === 'loss-weighted' ? at(length, i) : 1;
    acc[i] = contribution(at(accAdvantage, i), (accWeight * weight) / accLength, isMasked(input, i));
    tool[i] = contribution(at(toolAdvantage, i), (toolFactor * weight) / toolLength, isMasked(input, i));
  }
  return { acc, tool, effectiveToolWeight: effective };
}

function contribution(advantage: number, factor: number, masked: boolean): number {
  if (Number.isNaN(advantage)) return Number.NaN;
  // Not advantage · factor: the factor is NaN where nothing has a signal, and zero is zero whatever it is.
  return masked || advantage === 0 ? 0 : advantage * factor;
}
