/**
 * Per-token arrays as logs have them → TokenValues: numbers checked, values that only some tokens have put in their
 * places, arrays of another length dropped. Also what one number such an array stands for. Shared by the readers.
 * Leaves out decoding ids to text: no log brings its tokenizer.
 */
import { asArray, type Json } from '../base/json.ts';
import type { NamedNumbers, TokenValues } from '../model/rollout.ts';

/** The arrays of one turn as logged; what is no array of numbers is left out. */
export interface LoggedTokens {
  readonly ids?: Json | undefined;
  readonly texts?: Json | undefined;
  readonly logprobs?: Json | undefined;
  readonly referenceLogprobs?: Json | undefined;
  /** Further arrays by the name they are shown under; flags count as 0 and 1. */
  readonly others?: Readonly<Record<string, Json | undefined>>;
  /** Which tokens the policy wrote: arrays as long as their number are spread over them. */
  readonly mask?: Json | undefined;
}

/** Checks and aligns the arrays of one turn; null where none of them holds a token. */
export function tokenValuesOf(logged: LoggedTokens): TokenValues | null {
  const ids = numbersOf(logged.ids);
  const texts = textsOf(logged.texts);
  const logprobs = numbersOf(logged.logprobs);
  const mask = numbersOf(logged.mask);
  const count = ids?.length ?? texts?.length ?? mask?.length ?? logprobs?.length ?? 0;
  if (count === 0) return null;
  const written = mask?.length === count ? mask : null;
  const fitted = (values: readonly number[] | null): readonly number[] | null => fit(values, count, written);
  const others: NamedNumbers[] = [];
  for (const [name, value] of Object.entries(logged.others ?? {})) {
    const values = fitted(numbersOf(value));
    if (values !== null) others.push({ name, values });
  }
  return {
    ids: ids?.length === count ? ids : null,
    texts: texts?.length === count ? texts : null,
    logprobs: fitted(logprobs),
    referenceLogprobs: fitted(numbersOf(logged.referenceLogprobs)),
    others,
  };
}

/** An array as numbers: null, NaN and words are NaN, flags 0 and 1; null where the value is no array or holds no number. */
export function numbersOf(value: Json | undefined): readonly number[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  let any = false;
  const numbers = asArray(value).map((item) => {
    const number = typeof item === 'number' ? item : typeof item === 'boolean' ? Number(item) : Number.NaN;
    any ||= !Number.isNaN(number);
    return number;
  });
  return any ? numbers : null;
}

/** The one number that stands for a per-token array: its only value, else the mean; null where there is none. */
export function scalarOf(values: readonly number[]): number | null {
  let sum = 0;
  let count = 0;
  let first: number | null = null;
  let constant = true;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    first ??= value;
    constant &&= value === first;
    sum += value;
    count++;
  }
  return constant ? first : sum / count;
}

function fit(
  values: readonly number[] | null,
  count: number,
  mask: readonly number[] | null,
): readonly number[] | null {
  if (values === null || values.length === count) return values;
  if (mask === null || mask.filter((flag) => flag === 1).length !== values.length) return null;
  let next = 0;
  return mask.map((flag) => (flag === 1 ? (values[next++] ?? Number.NaN) : Number.NaN));
}

function textsOf(value: Json | undefined): readonly string[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  return asArray(value).map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
}
