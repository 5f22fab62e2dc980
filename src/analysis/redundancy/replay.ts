/**
 * Rule `replay` (hdpo.md section 3): a call of a right rollout whose answer the policy gave with at least even odds just
 * before it, and which added next to no information about it. Likely only where counterfactual samples without the call
 * were right often enough; else a hint, since a forced answer allows no reasoning.
 * Leaves out measuring (src/replay/gain.ts): a model has to be run for it, so indexing knows nothing of this rule.
 */
import { wilsonInterval } from '../intervals.ts';
import type { Confidence } from './rule.ts';

/** Id of the rule. */
export const replayRule = 'replay';

/** From this probability of the recorded answer on, without the call, a call may be flagged. */
export const leastKnown = 0.5;
/** Up to this information gain, in nats over the whole answer, a call may be flagged. */
export const mostGain = 0.1;
/** Wilson lower bound of the share of right samples without the call, from which a flag is likely. */
export const likelyFrom = 0.5;

/** What was measured of one call. */
export interface MeasuredGain {
  /** log p(answer | history just before the turn of the call), nats. */
  readonly withoutCall: number;
  readonly gain: number;
}

/** True where the policy knew the answer and the call added nothing. */
export function isKnownBefore({ withoutCall, gain }: MeasuredGain): boolean {
  return Math.exp(withoutCall) >= leastKnown && gain <= mostGain;
}

/** How sure the flag is; null where the model is not the policy that acted, or the call is not flagged. */
export function replayConfidence(measured: {
  readonly flagged: boolean;
  readonly fits: 'same' | 'near' | 'different' | 'not logged';
  readonly without: { readonly right: number; readonly judged: number } | null;
}): Exclude<Confidence, 'certain'> | null {
  const { flagged, fits, without } = measured;
  if (!flagged || fits === 'different' || fits === 'near') return null;
  const low = without === null ? null : (wilsonInterval(without.right, without.judged)?.low ?? null);
  return low !== null && low >= likelyFrom ? 'likely' : 'hint';
}
