/**
 * The token values of one turn: how they cross from the engine to the host, which views of them there are (log-prob,
 * KL to the reference, loss mask, every other array by its name), how strong a value is drawn, and what they come to in
 * one sentence. Pure; the engine writes the sentence into the transcript, the host draws the views.
 * Source of the estimators: Schulman, "Approximating KL Divergence" (2020). Leaves out where a token stands in the text.
 */
import { countText, numberText, signedText } from '../base/numberText.ts';
import { tokenTexts as texts } from './texts.ts';

/** Some consecutive tokens of one turn; arrays are parallel, NaN = not logged for this token. */
export interface TokenPage {
  /** Index of the first token here, and how many the turn has. */
  readonly first: number;
  readonly total: number;
  /** Tokens here. */
  readonly count: number;
  /** Token ids; null where the log has none. */
  readonly ids: Float64Array | null;
  /** Texts of the tokens, one after the other in UTF-8; null where the log has none. */
  readonly text: Uint8Array | null;
  /** End of each token's text in `text`. */
  readonly textEnds: Uint32Array | null;
  readonly logprobs: Float64Array | null;
  readonly referenceLogprobs: Float64Array | null;
  readonly others: readonly NamedColumn[];
}

/** A name and one number a token. */
export interface NamedColumn {
  readonly name: string;
  readonly values: Float64Array;
}

/** The numeric arrays of a turn, as the model and as a page have them. */
export interface TokenNumbers {
  readonly logprobs: ArrayLike<number> | null;
  readonly referenceLogprobs: ArrayLike<number> | null;
  readonly others: readonly { readonly name: string; readonly values: ArrayLike<number> }[];
}

/**
 * How values of a view become strengths: `surprise` by fixed limits of the probability, `kl` by fixed limits of its
 * size, `relative` by the largest size in the turn, `mask` 0 or not.
 */
export type TokenScale = 'surprise' | 'kl' | 'relative' | 'mask';

/** One way to look at the tokens of a turn. */
export interface TokenView {
  /** Stable: 'logprob', 'kl', or 'other:' and the name of an array. */
  readonly id: string;
  readonly name: string;
  readonly scale: TokenScale;
  /** Value of token `index` of the arrays given; NaN where not known. */
  readonly value: (index: number) => number;
  readonly count: number;
}

/** How a token is drawn: `low` below zero (or improbable), `high` above it, 1 weak to 3 strong; `outside` the mask. */
export type TokenHeat = 'low1' | 'low2' | 'low3' | 'high1' | 'high2' | 'high3' | 'outside';

/** Limits of p below which a token is drawn weak, middle, strong: −0.105, −0.693 and −2.3 in natural logarithms. */
export const surpriseLimits = [Math.log(0.9), Math.log(0.5), Math.log(0.1)] as const;

/** Limits of |log p − log p_ref| in nats. */
export const klLimits = [0.1, 0.5, 1] as const;

/** Limits of |value| as parts of the largest |value| in the turn; everything but 0 is drawn at least weak. */
const relativeLimits = [0, 1 / 3, 2 / 3] as const;

/** k1 = log p − log p_ref: unbiased, negative for some tokens. */
export function k1(logprob: number, reference: number): number {
  return logprob - reference;
}

/** k3 = (r − 1) − log r with r = p_ref / p: unbiased and never negative. */
export function k3(logprob: number, reference: number): number {
  const logRatio = reference - logprob;
  return Math.expm1(logRatio) - logRatio;
}

/** The views that a turn's arrays allow, in the order in which they are offered. */
export function tokenViews({ logprobs, referenceLogprobs, others }: TokenNumbers): readonly TokenView[] {
  const views: TokenView[] = [];
  const at = (values: ArrayLike<number>, index: number): number => values[index] ?? Number.NaN;
  if (logprobs) {
    const value = (index: number): number => at(logprobs, index);
    views.push({ id: 'logprob', name: texts.logprob, scale: 'surprise', value, count: logprobs.length });
  }
  if (logprobs && referenceLogprobs) {
    const value = (index: number): number => k1(at(logprobs, index), at(referenceLogprobs, index));
    const count = Math.min(logprobs.length, referenceLogprobs.length);
    views.push({ id: 'kl', name: texts.kl, scale: 'kl', value, count });
  } else if (referenceLogprobs) {
    const value = (index: number): number => at(referenceLogprobs, index);
    const count = referenceLogprobs.length;
    views.push({ id: 'reference', name: texts.referenceLogprob, scale: 'surprise', value, count });
  }
  for (const { name, values } of others) {
    const scale = isMask(name, values) ? 'mask' : 'relative';
    views.push({ id: `other:${name}`, name, scale, value: (index) => at(values, index), count: values.length });
  }
  return views;
}

/** True for an array of 0 and 1 that is called a mask. */
function isMask(name: string, values: ArrayLike<number>): boolean {
  if (!/mask/iu.test(name)) return false;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] ?? Number.NaN;
    if (value !== 0 && value !== 1 && !Number.isNaN(value)) return false;
  }
  return true;
}

/** Largest size of a view's values; 0 where none is known. Infinite values count as none. */
export function largestOf({ value, count }: TokenView): number {
  let largest = 0;
  for (let index = 0; index < count; index += 1) {
    const size = Math.abs(value(index));
    if (Number.isFinite(size) && size > largest) largest = size;
  }
  return largest;
}

/** How a value is drawn; null for nothing (not known, or as expected). `largest` from largestOf. */
export function tokenHeat(scale: TokenScale, value: number, largest: number): TokenHeat | null {
  if (Number.isNaN(value)) return null;
  switch (scale) {
    case 'surprise': {
      const strength = surpriseLimits.filter((limit) => value < limit).length;
      return heatOf('low', strength);
    }
    case 'kl':
      return heatOf(value < 0 ? 'low' : 'high', klLimits.filter((limit) => Math.abs(value) > limit).length);
    case 'relative': {
      const share = largest === 0 ? 0 : Math.abs(value) / largest;
      return heatOf(value < 0 ? 'low' : 'high', relativeLimits.filter((limit) => share > limit).length);
    }
    case 'mask':
      return value === 0 ? 'outside' : null;
  }
}

function heatOf(side: 'low' | 'high', strength: number): TokenHeat | null {
  switch (strength) {
    case 0:
      return null;
    case 1:
      return `${side}1`;
    case 2:
      return `${side}2`;
    default:
      return `${side}3`;
  }
}

/**
 * What the values of a turn come to: "mean log-prob −0.41", "mean KL to the reference 0.012 (k1)", "3 of 120 tokens
 * outside loss mask". Means leave out what is not known and what is outside the mask, where one is logged. Natural logarithms.
 */
export function tokenSummary(numbers: TokenNumbers): readonly string[] {
  const views = tokenViews(numbers);
  const mask = views.find(({ scale }) => scale === 'mask') ?? null;
  const inside = (index: number): boolean => mask === null || mask.value(index) !== 0;
  const anyInside = mask !== null && Array.from({ length: mask.count }, (_, index) => index).some(inside);
  const counts = anyInside ? inside : () => true;
  const parts: string[] = [];
  for (const view of views) {
    if (view.scale === 'mask') {
      let outside = 0;
      for (let index = 0; index < view.count; index += 1) if (view.value(index) === 0) outside += 1;
      parts.push(texts.outsideMask(countText(outside), countText(view.count), view.name));
      continue;
    }
    const { mean, constant, known } = meanOf(view, counts);
    if (known === 0) continue;
    const signed = view.scale === 'relative' && /advantage/iu.test(view.name);
    const text = signed ? signedText(mean) : numberText(mean);
    if (view.id === 'kl') parts.push(texts.meanKl(text));
    else
      parts.push(constant && known > 1 && signed ? texts.onEveryToken(view.name, text) : texts.mean(view.name, text));
  }
  return parts;
}

function meanOf(
  { value, count }: TokenView,
  counts: (index: number) => boolean,
): { readonly mean: number; readonly constant: boolean; readonly known: number } {
  let sum = 0;
  let known = 0;
  let first = Number.NaN;
  let constant = true;
  for (let index = 0; index < count; index += 1) {
    const one = value(index);
    if (!Number.isFinite(one) || !counts(index)) continue;
    if (known === 0) first = one;
    else if (one !== first) constant = false;
    sum += one;
    known += 1;
  }
  return { mean: sum / known, constant, known };
}
