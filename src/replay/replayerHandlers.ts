/**
 * The questions of protocol/replay.ts over one session: a model is loaded once, tokens go out in pages below 1 MB.
 * Owned by processes/replayMain.ts; tests call it directly. Leaves out the port and what the answers are made of.
 */
import { UserError } from '../base/errors.ts';
import type { AlignedEpisode, ReplayerApi, ReplayerEvents } from '../protocol/replay.ts';
import { replayTexts } from '../protocol/replayTexts.ts';
import type { Emitter, Handlers } from '../protocol/rpc.ts';
import { openModel } from './openModel.ts';
import { createReplaySession, type ReplaySession } from './replaySession.ts';
import type { Request } from './requests.ts';

/** What the handlers stand on. */
export interface ReplayerOptions {
  readonly tell: Emitter<ReplayerEvents>;
  readonly request: Request;
}

/** Units of one page of tokens: characters of their texts, and so many for the numbers of each. */
const mostUnits = 400_000;
const unitsOfToken = 14;

/** The handlers of a replayer without a model. */
export function replayerHandlers({ tell, request }: ReplayerOptions): Handlers<ReplayerApi> {
  let loading: Promise<ReplaySession> | null = null;
  const session = async (): Promise<ReplaySession> => {
    if (loading === null) throw new UserError(replayTexts.noModel, null);
    return loading;
  };
  return {
    load: async ({ choice }, signal) => {
      if (loading !== null) throw new UserError(replayTexts.oneModel, null);
      loading = openModel(choice, {
        signal,
        request,
        tell: (doing) => {
          tell.progress({ what: doing, done: 0, of: 0 });
        },
      }).then(({ backend, tokens }) => createReplaySession({ backend, tokens, tell }));
      try {
        return (await loading).facts;
      } catch (error) {
        loading = null;
        throw error;
      }
    },
    open: async ({ episode, first }) => {
      const own = await session();
      const aligned = episode === null ? own.aligned() : await own.open(episode);
      return pageOf(aligned, first);
    },
    score: async (options, signal) => (await session()).score(options, signal),
    decisions: async (_, signal) => (await session()).decisions(signal),
    estimate: async (request, signal) => (await session()).estimate(request, signal),
    branch: async ({ request }, signal) => (await session()).branch(request, signal),
    gains: async (_, signal) => (await session()).gains(signal),
  };
}

/** Tokens from `first` on, as many as fit into a message; at least one where there is one. */
export function pageOf(aligned: AlignedEpisode, first: number): AlignedEpisode & { first: number; total: number } {
  const total = aligned.count;
  const start = Math.min(total, Math.max(0, Math.trunc(first)));
  let end = start;
  for (let units = 0; end < total && units < mostUnits; end += 1) {
    units += unitsOfToken + (aligned.texts[end]?.length ?? 0);
  }
  return {
    ...aligned,
    count: end - start,
    ids: aligned.ids.slice(start, end),
    turn: aligned.turn.slice(start, end),
    scored: aligned.scored.slice(start, end),
    texts: aligned.texts.slice(start, end),
    logged: aligned.logged === null ? null : aligned.logged.slice(start, end),
    first: start,
    total,
  };
}
