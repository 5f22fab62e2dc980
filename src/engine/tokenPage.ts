/**
 * The token values of one turn as a message of at most 1 MB: columns of numbers, texts as one UTF-8 array. Pure.
 * Leaves out reading the rollout again (rolloutReader.ts) and what the values mean (protocol/tokens.ts).
 */
import { UserError } from '../base/errors.ts';
import type { Rollout } from '../model/rollout.ts';
import type { TokenPage } from '../protocol/tokens.ts';

/** Bytes of columns and texts in one answer. */
const pageBytes = 900_000;
/** Further arrays in an answer; a log can claim any number. */
const mostArrays = 16;
/** UTF-16 units of one token's text: a token is a word, not a page. */
const longestText = 2_000;

/** Tokens of turn `turn` from index `first` on, as many as fit; UserError if the turn has none. */
export function tokenPage(rollout: Rollout, turn: number, first: number): TokenPage {
  const values = rollout.turns[turn]?.tokenValues ?? null;
  if (values === null) throw new UserError(`Turn ${turn + 1} of this rollout has no token values.`);
  const others = values.others.slice(0, mostArrays);
  const numbers = [values.ids, values.logprobs, values.referenceLogprobs, ...others.map((one) => one.values)];
  const total = Math.max(0, values.texts?.length ?? 0, ...numbers.map((array) => array?.length ?? 0));
  const start = Number.isFinite(first) ? Math.min(total, Math.max(0, Math.trunc(first))) : 0;
  const tokenBytes = 8 * numbers.filter((array) => array !== null).length + 4;
  const encoder = new TextEncoder();
  const texts: Uint8Array[] = [];
  let bytes = 0;
  let end = start;
  while (end < total && bytes < pageBytes) {
    const text = encoder.encode((values.texts?.[end] ?? '').slice(0, longestText));
    bytes += tokenBytes + text.length;
    // The last one may go beyond the limit by its own size, which is small: a page always holds something.
    texts.push(text);
    end += 1;
  }
  const column = (array: readonly number[] | null): Float64Array | null =>
    array === null
      ? null
      : Float64Array.from({ length: end - start }, (_, index) => array[start + index] ?? Number.NaN);
  return {
    first: start,
    total,
    count: end - start,
    ids: column(values.ids),
    ...(values.texts === null ? { text: null, textEnds: null } : joined(texts)),
    logprobs: column(values.logprobs),
    referenceLogprobs: column(values.referenceLogprobs),
    others: others.map(({ name, values: array }) => ({
      name: name.slice(0, 80),
      values: column(array) ?? new Float64Array(),
    })),
  };
}

function joined(texts: readonly Uint8Array[]): { readonly text: Uint8Array; readonly textEnds: Uint32Array } {
  const text = new Uint8Array(texts.reduce((sum, one) => sum + one.length, 0));
  const textEnds = new Uint32Array(texts.length);
  let at = 0;
  texts.forEach((one, index) => {
    text.set(one, at);
    at += one.length;
    textEnds[index] = at;
  });
  return { text, textEnds };
}
