/**
 * Teacher forcing in chunks: runs the ids behind a cache and hands on the values of wanted positions as they come.
 * Owned by localBackend.ts and selfTest.ts. Leaves out which prefix is already cached, and checking the request.
 */
import { UserError } from '../base/errors.ts';
import type { ScoredTokens } from '../protocol/replay.ts';
import type { Cache, Decoder, HeadValues } from './decoder.ts';
import { disposeCache } from './kvCache.ts';

/** What to run and what to tell. */
export interface ScoringRun {
  /** To be run. */
  readonly ids: readonly number[];
  /** The text: its id at a wanted position is what is scored there, from the ids before it. */
  readonly targets: readonly number[];
  /** Ascending, from `cache.length + 1` to `ids.length`. */
  readonly positions: readonly number[];
  readonly watched: readonly number[];
  readonly top: number;
  /** Of a second log-prob of each wanted token; absent for none. */
  readonly temperature?: number;
  /** Tokens a run. */
  readonly chunk: number;
  readonly heard: (slice: ScoredTokens) => void;
  readonly signal: AbortSignal;
}

/** Logits of a run, at most: an episode is scored in several buffers of that size. */
const logitsBytes = 40e6;

/** Tokens a run unless the user says otherwise: at full speed from 32 on, and fewer for large vocabularies. */
export function usualChunk(vocabularySize: number): number {
  const fitting = [128, 64].find((chunk) => 4 * chunk * vocabularySize <= logitsBytes);
  return fitting ?? 32;
}

/** Positive log-probs beyond rounding mean that the provider computes nonsense. */
const mostPositiveLogprob = 1e-4;

/**
 * Runs ids from `cache.length` to the end. The given cache is used up (disposed); the grown one is returned. On an abort
 * or an error everything is disposed. Rejects with UserError where the numbers are none.
 */
export async function scoreFrom(decoder: Decoder, cache: Cache, run: ScoringRun): Promise<Cache> {
  let current = cache;
  let done = 0;
  try {
    while (current.length < run.ids.length) {
      await breathe(run.signal);
      const first = current.length;
      const ids = run.ids.slice(first, first + run.chunk);
      const wanted = positionsUpTo(run.positions, done, first + ids.length);
      const rows = wanted.map((position) => position - 1 - first);
      const { values, cache: grown } = await decoder.run([ids], current, {
        // A run without wanted positions still has one row: empty tensors are not for every provider.
        positions: rows.length > 0 ? rows : [0],
        targets: rows.length > 0 ? wanted.map((position) => run.targets[position] ?? 0) : [0],
        watched: run.watched.length > 0 ? run.watched : [0],
        topRows: run.top > 0 && rows.length > 0 ? [...rows.keys()] : [0],
        scaledRows: run.temperature !== undefined && rows.length > 0 ? [...rows.keys()] : [0],
        sampledRow: 0,
        scale: 1 / (run.temperature ?? 1),
      });
      disposeCache(current);
      current = grown;
      if (wanted.length === 0) continue;
      checkLogprobs(values.logprob);
      run.heard(sliceOf(values, { ...run, first: done, count: wanted.length, alternatives: decoder.alternatives }));
      done += wanted.length;
    }
    return current;
  } catch (error) {
    disposeCache(current);
    throw error;
  }
}

function positionsUpTo(positions: readonly number[], from: number, last: number): readonly number[] {
  const end = positions.findIndex((position, index) => index >= from && position > last);
  return positions.slice(from, end < 0 ? undefined : end);
}

/** Lets messages in (a cancel among them), then throws if the caller cancelled. A run blocks the thread. */
export async function breathe(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}

/** Throws UserError where a log-prob is no number or above 0. */
export function checkLogprobs(values: Float32Array): void {
  const wrong = values.find((value) => !(value <= mostPositiveLogprob) || value === -Infinity);
  if (wrong === undefined) return;
  const found = Number.isNaN(wrong) ? 'not a number' : String(wrong);
  throw new UserError(
    `The model gave a log-prob that is ${found}: its numbers cannot be used on this provider.`,
    'Choose the provider "cpu", or another variant of the model.',
  );
}

function sliceOf(
  values: HeadValues,
  {
    first,
    count,
    watched,
    top,
    temperature,
    alternatives,
  }: {
    first: number;
    count: number;
    watched: readonly number[];
    top: number;
    temperature?: number;
    alternatives: number;
  },
): ScoredTokens {
  const topIds = new Int32Array(count * top).fill(-1);
  const topLogprobs = new Float32Array(count * top).fill(Number.NaN);
  const shown = Math.min(top, alternatives);
  for (let row = 0; row < (top > 0 ? count : 0); row++) {
    const from = row * alternatives;
    topIds.set(values.topIds.subarray(from, from + shown), row * top);
    topLogprobs.set(values.topLogprobs.subarray(from, from + shown), row * top);
  }
  return {
    first,
    logprob: values.logprob.slice(),
    entropy: values.entropy.slice(),
    rank: values.above.map((above) => above + 1),
    watched: watched.length > 0 ? values.watched.slice() : new Float32Array(0),
    ...(temperature === undefined
      ? {}
      : { tempered: values.logprob.map((value, row) => value / temperature - (values.logScaled[row] ?? Number.NaN)) }),
    topIds,
    topLogprobs,
  };
}
