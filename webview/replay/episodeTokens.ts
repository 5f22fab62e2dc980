/**
 * The tokens of an episode for one model: gathered page by page, with the values that stream in while it is scored.
 * Pure. A change of the model makes a new one, so values of different provenance never meet.
 * Leaves out how they are drawn.
 */
import type { PlayerEvents, TokenSlice } from '../../src/protocol/player.ts';
import type { AlignedEpisode } from '../../src/protocol/replay.ts';
import type { ParamsOf } from '../../src/protocol/rpc.ts';
import type { TokenValue } from './heat.ts';

/** An alternative at a token's place. */
export interface Alternative {
  readonly id: number;
  /** Null where the replayer did not name it. */
  readonly text: string | null;
  readonly logprob: number;
}

/** One token with all that is known of it. */
export interface TokenFacts extends TokenValue {
  readonly index: number;
  readonly text: string;
  readonly id: number;
  /** True where the policy wrote it. */
  readonly scored: boolean;
  /** NaN where not logged. */
  readonly logged: number;
  readonly alternatives: readonly Alternative[];
}

/** The tokens of an episode, growing. */
export interface EpisodeTokens {
  readonly count: number;
  /** Tokens that are to be scored, and those that are. */
  readonly wanted: number;
  readonly done: number;
  /** `total` tokens come, page by page. */
  readonly facts: Omit<AlignedEpisode, 'ids' | 'turn' | 'scored' | 'texts' | 'logged'> & { readonly total: number };
  /** Token indexes of a turn, ascending. */
  ofTurn(turn: number): readonly number[];
  token(index: number): TokenFacts;
  add(slice: TokenSlice): void;
  take(event: Pick<ParamsOf<PlayerEvents['scored']>, 'tokens' | 'values' | 'texts'>): void;
}

/** Starts with the first page. */
export function episodeTokens(first: TokenSlice): EpisodeTokens {
  const { total } = first;
  const texts: string[] = [];
  const ids = new Int32Array(total);
  const scored = new Uint8Array(total);
  const filled = (): Float32Array => new Float32Array(total).fill(Number.NaN);
  const [logged, logprob, entropy, rank] = [filled(), filled(), filled(), filled()];
  const alternatives = new Map<number, readonly Alternative[]>();
  const turns = new Map<number, number[]>();
  let wanted = 0;
  let done = 0;

  const add = (slice: TokenSlice): void => {
    for (let index = 0; index < slice.texts.length; index += 1) {
      const at = slice.first + index;
      texts[at] = slice.texts[index] ?? '';
      ids[at] = slice.ids[index] ?? -1;
      scored[at] = slice.scored[index] ?? 0;
      logged[at] = slice.logged?.[index] ?? Number.NaN;
      wanted += scored[at] === 1 ? 1 : 0;
      const turn = slice.turn[index] ?? -1;
      const own = turns.get(turn);
      if (own === undefined) turns.set(turn, [at]);
      else own.push(at);
    }
  };
  add(first);

  return {
    get count() {
      return texts.length;
    },
    get wanted() {
      return wanted;
    },
    get done() {
      return done;
    },
    facts: first,
    ofTurn: (turn) => turns.get(turn) ?? [],
    token: (index) => ({
      index,
      text: texts[index] ?? '',
      id: ids[index] ?? -1,
      scored: scored[index] === 1,
      logged: logged[index] ?? Number.NaN,
      logprob: logprob[index] ?? Number.NaN,
      entropy: entropy[index] ?? Number.NaN,
      rank: rank[index] ?? Number.NaN,
      alternatives: alternatives.get(index) ?? [],
    }),
    add,
    take: ({ tokens, values, texts: named }) => {
      const top = tokens.length === 0 ? 0 : Math.floor(values.topIds.length / tokens.length);
      for (const [row, at] of tokens.entries()) {
        if (Number.isNaN(logprob[at])) done += 1;
        logprob[at] = values.logprob[row] ?? Number.NaN;
        entropy[at] = values.entropy[row] ?? Number.NaN;
        rank[at] = values.rank[row] ?? Number.NaN;
        const list = Array.from({ length: top }, (_, place): Alternative => ({
          id: values.topIds[row * top + place] ?? -1,
          text: named?.[row * top + place] ?? null,
          logprob: values.topLogprobs[row * top + place] ?? Number.NaN,
        }));
        alternatives.set(at, list);
      }
    },
  };
}
