/**
 * What the engine answers about replays: the episode a model is given, and what models said of its calls.
 * Leaves out the episode itself (replayEpisode.ts), the file of gains (keptGains.ts) and every model (src/replay).
 */
import { UserError } from '../base/errors.ts';
import type { RolloutRef } from '../protocol/engine.ts';
import type { ReplayQuestions } from '../protocol/replay.ts';
import type { Handlers } from '../protocol/rpc.ts';
import { contentHash } from './flagReport.ts';
import { keptGainOf, type KeptGains } from './keptGains.ts';
import type { Episode } from './readEpisode.ts';
import { replayEpisode } from './replayEpisode.ts';
import type { RolloutReader } from './rolloutReader.ts';
import type { RunIndex } from './runIndex.ts';

/** Calls of one rollout whose gains are kept. */
const mostGains = 2_000;

/** What the handlers stand on. */
export interface ReplayHandlerOptions {
  readonly gains: KeptGains;
  readonly reader: RolloutReader;
  /** Reads a rollout of a run, which is opened if need be, and asks something of both. */
  readonly withEpisode: <T>(
    wanted: { readonly ref: RolloutRef; readonly path: string },
    ask: (run: RunIndex, episode: Episode) => Promise<T>,
    signal: AbortSignal,
  ) => Promise<T>;
}

/** The handlers over open runs. */
export function replayHandlers({ gains, reader, withEpisode }: ReplayHandlerOptions): Handlers<ReplayQuestions> {
  return {
    replayEpisode: ({ ref, path }, signal) =>
      withEpisode({ ref, path }, (run, episode) => replayEpisode({ run, ref, episode, reader, signal }), signal),
    keepGains: ({ ref, path, gains: given }, signal) =>
      withEpisode(
        { ref, path },
        async (_, { rollout }) => {
          const checked = given.slice(0, mostGains).flatMap((gain) => keptGainOf(gain) ?? []);
          if (checked.length < Math.min(given.length, mostGains)) throw new UserError('This is no gain of a call.');
          await gains.keep(
            contentHash(rollout),
            checked.filter(({ call }) => call < rollout.calls.length),
          );
          return null;
        },
        signal,
      ),
    keptGains: ({ ref, path }, signal) =>
      withEpisode(
        { ref, path },
        async (_, { rollout }) => (await gains.all()).get(contentHash(rollout))?.slice(0, mostGains) ?? [],
        signal,
      ),
  };
}
