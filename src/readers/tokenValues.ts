/**
 * Token arrays as logged → TokenValues, and which stretch of a whole sequence belongs to which message: a trainer logs
 * one array a rollout and a mask that is on where the policy wrote, so the n-th stretch of the mask is its n-th message.
 * Shared by the readers of token logs. Leaves out where a format keeps its arrays.
 */
import { asArray, type Json } from '../base/json.ts';
import type { NamedNumbers, TokenValues } from '../model/rollout.ts';
import { numberOf } from './toolInteractions.ts';

/** Arrays over the same tokens as a log has them; those that are no list, or of another length, are left out. */
export interface LoggedTokens {
  readonly ids?: Json | undefined;
  readonly texts?: Json | undefined;
  readonly logprobs?: Json | undefined;
  readonly referenceLogprobs?: Json | undefined;
  readonly others?: readonly { readonly name: string; readonly values: Json | undefined }[];
}

/** A stretch of tokens, end exclusive. */
export interface TokenRange {
  readonly first: number;
  readonly end: number;
}

/** The arrays that have the length of the first one that is given (ids, texts, log-probs); null where there is none. */
export function tokenValuesOf(logged: LoggedTokens): TokenValues | null {
  const count = [logged.ids, logged.texts, logged.logprobs].map(lengthOf).find((length) => length > 0) ?? 0;
  if (count === 0) return null;
  const others: NamedNumbers[] = [];
  for (const { name, values } of logged.others ?? []) {
    if (lengthOf(values) === count) others.push({ name, values: numbersOf(values) });
  }
  const numbers = (values: Json | undefined): readonly number[] | null =>
    lengthOf(values) === count ? numbersOf(values) : null;
  return {
    ids: numbers(logged.ids),
    texts: lengthOf(logged.texts) === count ? asArray(logged.texts).map(textOfToken) : null,
    logprobs: numbers(logged.logprobs),
    referenceLogprobs: numbers(logged.referenceLogprobs),
    others,
  };
}

/** A list as numbers, NaN for what is none; numbers in strings count. */
export function numbersOf(values: Json | undefined): readonly number[] {
  return asArray(values).map((value) => numberOf(value) ?? NaN);
}

/** The values of one stretch. */
export function sliceTokens(values: TokenValues, { first, end }: TokenRange): TokenValues {
  const cut = (list: readonly number[] | null): readonly number[] | null => list?.slice(first, end) ?? null;
  return {
    ids: cut(values.ids),
    texts: values.texts?.slice(first, end) ?? null,
    logprobs: cut(values.logprobs),
    referenceLogprobs: cut(values.referenceLogprobs),
    others: values.others.map((other) => ({ name: other.name, values: other.values.slice(first, end) })),
  };
}

/** Stretches in which the mask is on (not 0), in order. */
export function maskedRanges(mask: readonly boolean[]): readonly TokenRange[] {
  const ranges: TokenRange[] = [];
  for (let first = mask.indexOf(true); first >= 0;) {
    const off = mask.indexOf(false, first);
    const end = off < 0 ? mask.length : off;
    ranges.push({ first, end });
    first = mask.indexOf(true, end);
  }
  return ranges;
}

/**
 * The stretch of each message: those of the policy have the stretches where the mask is on, the last other one between
 * has what lies between them. Where their numbers differ the last message of the policy has all tokens.
 */
export function rangesOfMessages(
  isPolicy: readonly boolean[],
  mask: readonly boolean[],
): readonly (TokenRange | null)[] {
  const written = maskedRanges(mask);
  const ranges: (TokenRange | null)[] = isPolicy.map(() => null);
  if (written.length !== isPolicy.filter(Boolean).length) {
    const last = isPolicy.lastIndexOf(true);
    const holder = last < 0 ? isPolicy.length - 1 : last;
    return ranges.map((_, index) => (index === holder && mask.length > 0 ? { first: 0, end: mask.length } : null));
  }
  let at = 0;
  let next = 0;
  for (const [index, policy] of isPolicy.entries()) {
    const range = written[next];
    if (policy) {
      ranges[index] = range ?? null;
      at = range?.end ?? at;
      next++;
    } else if (isPolicy[index + 1] !== false) {
      const end = range?.first ?? mask.length;
      if (end > at) ranges[index] = { first: at, end };
    }
  }
  return ranges;
}

/** The advantage of a rollout that is logged a token: the value all tokens share, else their mean and the list itself. */
export interface TokenAdvantage {
  readonly advantage: number | null;
  /** True where the tokens have one value, so that a list of it tells nothing more. */
  readonly isConstant: boolean;
}

/** Sums up advantages; only tokens with the mask on count, all of them where it is null. */
export function advantageOfTokens(values: readonly number[], mask: readonly boolean[] | null): TokenAdvantage {
  let count = 0;
  let sum = 0;
  let least = Infinity;
  let most = -Infinity;
  for (const [index, value] of values.entries()) {
    if (!Number.isFinite(value) || mask?.[index] === false) continue;
    count++;
    sum += value;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (count === 0) return { advantage: null, isConstant: true };
  // The mean of equal numbers may differ from them in the last digit.
  if (least === most) return { advantage: least, isConstant: true };
  const mean = sum / count;
  return { advantage: Number.isFinite(mean) ? mean : null, isConstant: false };
}

function lengthOf(value: Json | undefined): number {
  return Array.isArray(value) ? value.length : -1;
}

function textOfToken(value: Json): string {
  return typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value);
}
