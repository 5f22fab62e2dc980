/**
 * Scored values of a whole episode, one a token, NaN where a token was given or is not scored yet; filled slice by slice.
 * Leaves out what is told while it runs (coalesce.ts) and what is concluded (agreement.ts).
 */
import type { ScoredTokens } from '../protocol/replay.ts';
import { isOutsideTopP } from './agreement.ts';

/** Parallel to the episode's tokens. */
export interface EpisodeScores {
  readonly logprob: Float32Array;
  readonly entropy: Float32Array;
  readonly rank: Float32Array;
  /** Log-prob at the run's temperature. */
  readonly tempered: Float32Array;
  /** P(the first token of what opens a call). */
  readonly callOpener: Float64Array;
}

/** Nothing scored. */
export function emptyScores(count: number): EpisodeScores {
  const values = (): Float32Array => new Float32Array(count).fill(Number.NaN);
  return {
    logprob: values(),
    entropy: values(),
    rank: values(),
    tempered: values(),
    callOpener: new Float64Array(count).fill(Number.NaN),
  };
}

/** Puts a slice in its places; `positions` are the tokens that were wanted. */
export function takeSlice(scores: EpisodeScores, positions: readonly number[], slice: ScoredTokens): void {
  const watched = slice.watched.length / Math.max(1, slice.logprob.length);
  for (const [index, logprob] of slice.logprob.entries()) {
    const at = positions[slice.first + index];
    if (at === undefined) continue;
    scores.logprob[at] = logprob;
    scores.entropy[at] = slice.entropy[index] ?? Number.NaN;
    scores.rank[at] = slice.rank[index] ?? Number.NaN;
    scores.tempered[at] = slice.tempered?.[index] ?? Number.NaN;
    if (watched >= 1) scores.callOpener[at] = Math.exp(slice.watched[index * watched] ?? Number.NaN);
  }
}

/** Counts tokens that top-p sampling could not have drawn. */
export interface OutsideShare {
  add(slice: ScoredTokens): void;
  /** Null where top-p is not known, or no token's alternatives decide it. */
  value(): number | null;
}

/** A counter for one pass; `topP` null where the log does not name it. */
export function outsideShare({ topP, temperature }: { topP: number | null; temperature: number }): OutsideShare {
  let outside = 0;
  let known = 0;
  return {
    add: (slice) => {
      if (topP === null || topP >= 1) return;
      const top = slice.topLogprobs.length / Math.max(1, slice.logprob.length);
      for (const [index, own] of slice.logprob.entries()) {
        const token = {
          topLogprobs: slice.topLogprobs.subarray(index * top, (index + 1) * top),
          own,
          tempered: slice.tempered?.[index] ?? Number.NaN,
          rank: slice.rank[index] ?? Number.NaN,
        };
        const found = isOutsideTopP(token, { topP, temperature });
        if (found === null) continue;
        known += 1;
        if (found) outside += 1;
      }
    },
    value: () => (topP !== null && topP >= 1 ? 0 : known === 0 ? null : outside / known),
  };
}
