/**
 * Logged against scored log-probs: how far apart they are at temperature 1 and at the run's, and what that says of the
 * model: the same weights, a neighbour, or another. Pure.
 * Leaves out scoring (replaySession.ts) and the thresholds' defaults, which are settings.
 */
import type { LogprobAgreement, LogprobThresholds, LogprobVerdict } from '../protocol/replay.ts';
import { replayTexts } from '../protocol/replayTexts.ts';

/** One temperature's values: pairs are parallel; NaN where one of them is missing. */
export interface ScoredAt {
  readonly temperature: number;
  readonly logprobs: Float32Array;
}

/** What a comparison needs besides the logged values. */
export interface VerdictOptions {
  readonly scored: readonly ScoredAt[];
  readonly thresholds: LogprobThresholds;
  /** "f32", "f16", "q4", … of the model. */
  readonly precision: string;
  readonly outsideTopP: number | null;
}

/** Compares logged with scored values at one temperature; null where no token has both. */
export function agreementOf(logged: Float32Array, { temperature, logprobs }: ScoredAt): LogprobAgreement | null {
  const differences: number[] = [];
  let k3 = 0;
  for (const [at, value] of logged.entries()) {
    const difference = (logprobs[at] ?? Number.NaN) - value;
    if (!Number.isFinite(difference)) continue;
    differences.push(Math.abs(difference));
    k3 += Math.expm1(difference) - difference;
  }
  const tokens = differences.length;
  if (tokens === 0) return null;
  differences.sort((a, b) => a - b);
  return {
    temperature,
    tokens,
    meanAbsolute: differences.reduce((sum, one) => sum + one, 0) / tokens,
    // Nearest rank: the smallest value that 99 % of the tokens do not exceed.
    p99Absolute: differences[Math.ceil(0.99 * tokens) - 1] ?? 0,
    maximumAbsolute: differences.at(-1) ?? 0,
    k3: k3 / tokens,
  };
}

/** What the comparison says; `logged` null where the log has no log-probs. */
export function verdictOf(logged: Float32Array | null, options: VerdictOptions): LogprobVerdict {
  const { scored, thresholds, precision, outsideTopP } = options;
  const agreements = logged === null ? [] : scored.flatMap((one) => agreementOf(logged, one) ?? []);
  const best = agreements.reduce<LogprobAgreement | null>(
    (least, one) => (least === null || one.meanAbsolute < least.meanAbsolute ? one : least),
    null,
  );
  if (best === null) {
    return { verdict: 'not logged', agreements: [], fits: -1, outsideTopP, sentence: replayTexts.notLogged };
  }
  const fits = agreements.indexOf(best);
  const { temperature, meanAbsolute, maximumAbsolute } = best;
  if (isSame(best, thresholds, precision)) {
    const sentence = replayTexts.sameLog(temperature, maximumAbsolute);
    return { verdict: 'same', agreements, fits, outsideTopP, sentence };
  }
  if (meanAbsolute <= thresholds.nearMean) {
    const sentence = replayTexts.near(nearness(best, thresholds, precision), temperature, meanAbsolute);
    return { verdict: 'near', agreements, fits, outsideTopP, sentence };
  }
  return { verdict: 'different', agreements, fits: -1, outsideTopP, sentence: replayTexts.different(meanAbsolute) };
}

/** In 32 bits the numbers repeat; in 16 they scatter, the same weights or not. Quantised weights are not the same. */
function isSame(
  { maximumAbsolute, meanAbsolute, p99Absolute }: LogprobAgreement,
  thresholds: LogprobThresholds,
  precision: string,
): boolean {
  if (maximumAbsolute <= thresholds.sameMaximum) return true;
  const isHalf = /^(?:f16|bf16|unknown)$/u.test(precision);
  return isHalf && meanAbsolute <= thresholds.sameMean16 && p99Absolute <= thresholds.sameP99of16;
}

/** What makes weights near: by the precision of the model, and by how far 16-bit numbers scatter. */
function nearness(
  { meanAbsolute, p99Absolute }: LogprobAgreement,
  thresholds: LogprobThresholds,
  precision: string,
): 'quantised' | '16 bits' | 'neighbour' {
  if (/^(?:q|int|uint|bnb)/u.test(precision)) return 'quantised';
  const scatters = meanAbsolute <= thresholds.sameMean16 && p99Absolute <= thresholds.sameP99of16;
  return scatters ? '16 bits' : 'neighbour';
}

/** The alternatives of one token at temperature 1, most probable first, and its own log-prob at 1 and at the run's. */
export interface TokenAlternatives {
  readonly topLogprobs: Float32Array;
  readonly own: number;
  readonly tempered: number;
  readonly rank: number;
}

/**
 * True where top-p sampling at `temperature` could not have drawn the token: the tokens above it have that mass already.
 * Null where it is not among the alternatives and their mass does not decide it.
 */
export function isOutsideTopP(
  token: TokenAlternatives,
  { topP, temperature }: { topP: number; temperature: number },
): boolean | null {
  const { topLogprobs, own, tempered, rank } = token;
  // log p at the temperature is l/τ plus a constant, which the token itself tells.
  const shift = temperature === 1 ? 0 : tempered - own / temperature;
  if (Number.isNaN(shift)) return null;
  let above = 0;
  for (const [place, value] of topLogprobs.entries()) {
    if (place + 1 >= rank) return above >= topP;
    above += Math.exp(value / temperature + shift);
    if (above >= topP) return true;
  }
  return rank <= topLogprobs.length + 1 ? above >= topP : null;
}
