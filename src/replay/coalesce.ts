/**
 * Fewer, larger events: slices of scores and pieces of growing texts are put together until a message is worth its way.
 * Leaves out what the events mean (protocol/replay.ts).
 */
import type { BranchSample, ReplayerEvents, ScoredTokens } from '../protocol/replay.ts';
import type { ParamsOf } from '../protocol/rpc.ts';

/** Tokens of one message, and how long one may wait. */
const mostTokens = 1_000;
const fewTokens = 256;
const waitMs = 80;

/** Collects slices; `end` tells the rest. */
export interface ScoreCollector {
  add(slice: ScoredTokens): void;
  end(): void;
}

/** Tells slices as events, with the tokens they belong to and `top` alternatives each. */
export function coalescedScores(
  positions: readonly number[],
  top: number,
  tell: (params: ParamsOf<ReplayerEvents['scored']>) => void,
): ScoreCollector {
  let waiting: ScoredTokens[] = [];
  let tokens = 0;
  let last = 0;
  const flush = (): void => {
    const [first] = waiting;
    if (first === undefined) return;
    const values = waiting.length === 1 ? first : joined(waiting);
    waiting = [];
    tokens = 0;
    last = Date.now();
    tell({ tokens: Int32Array.from(positions.slice(values.first, values.first + values.logprob.length)), values });
  };
  return {
    add: (slice) => {
      for (let first = 0; first < slice.logprob.length; first += mostTokens) {
        const piece = partOf(slice, { first, count: mostTokens, top });
        waiting.push(piece);
        tokens += piece.logprob.length;
        if (tokens >= fewTokens || Date.now() - last >= waitMs) flush();
      }
    },
    end: flush,
  };
}

interface Part {
  readonly first: number;
  readonly count: number;
  readonly top: number;
}

function partOf(slice: ScoredTokens, { first, count, top }: Part): ScoredTokens {
  const length = slice.logprob.length;
  const end = Math.min(length, first + count);
  const watched = slice.watched.length / length;
  const given = slice.topLogprobs.length / length;
  const shown = Math.min(top, given);
  const rows = Array.from({ length: end - first }, (_, index) => first + index);
  const alternatives = rows.flatMap((row) => Array.from({ length: shown }, (_, place) => row * given + place));
  return {
    first: slice.first + first,
    logprob: slice.logprob.slice(first, end),
    entropy: slice.entropy.slice(first, end),
    rank: slice.rank.slice(first, end),
    watched: slice.watched.slice(first * watched, end * watched),
    ...(slice.tempered === undefined ? {} : { tempered: slice.tempered.slice(first, end) }),
    topIds: Int32Array.from(alternatives, (at) => slice.topIds[at] ?? -1),
    topLogprobs: Float32Array.from(alternatives, (at) => slice.topLogprobs[at] ?? Number.NaN),
  };
}

function joined(slices: readonly ScoredTokens[]): ScoredTokens {
  const floats = (of: (slice: ScoredTokens) => Float32Array): Float32Array => {
    const parts = slices.map(of);
    const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  };
  const first = slices[0]?.first ?? 0;
  const hasTempered = slices.every(({ tempered }) => tempered !== undefined);
  return {
    first,
    logprob: floats(({ logprob }) => logprob),
    entropy: floats(({ entropy }) => entropy),
    rank: floats(({ rank }) => rank),
    watched: floats(({ watched }) => watched),
    ...(hasTempered ? { tempered: floats(({ tempered }) => tempered ?? new Float32Array()) } : {}),
    topIds: Int32Array.from(slices.flatMap(({ topIds }) => [...topIds])),
    topLogprobs: floats(({ topLogprobs }) => topLogprobs),
  };
}

type Arm = BranchSample['arm'];

/** Collects growing texts; `end` tells the rest. */
export interface TextCollector {
  readonly add: (arm: Arm, sample: number, added: string) => void;
  end(): void;
}

/** Tells growing texts at most every few milliseconds. */
export function coalescedTexts(tell: (arm: Arm, sample: number, added: string) => void): TextCollector {
  const waiting = new Map<string, { readonly arm: Arm; readonly sample: number; text: string }>();
  let last = 0;
  const flush = (): void => {
    for (const { arm, sample, text } of waiting.values()) tell(arm, sample, text);
    waiting.clear();
    last = Date.now();
  };
  return {
    add: (arm, sample, added) => {
      const key = `${arm} ${sample}`;
      const own = waiting.get(key) ?? { arm, sample, text: '' };
      own.text += added;
      waiting.set(key, own);
      if (Date.now() - last >= waitMs) flush();
    },
    end: flush,
  };
}
