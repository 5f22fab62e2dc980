/**
 * An episode as the player's page gets it: its texts cut so that it crosses in one message, token counts logged or
 * estimated, pictures with their regions. Pure. Leaves out where the episode comes from (the engine).
 */
import type { CroppedPicture } from '../../protocol/crops.ts';
import type { PlayerEpisode, PlayerKept, PlayerTurn } from '../../protocol/player.ts';
import { playerTexts } from '../../protocol/playerTexts.ts';
import type { ReplayEpisode, ReplayTurn } from '../../protocol/replay.ts';

/** Bytes of all turns together that the page gets: a message is at most 1 MB. */
const mostBytes = 800_000;
/** A node of text that is longer is slow to draw. */
const mostCharactersOfTurn = 250_000;
/** Where no token is logged: English and code are about this many characters a token. */
const charactersOfToken = 4;
const encoder = new TextEncoder();

/** What the page is given beside the episode. */
export interface PlayerSurroundings {
  readonly kept: PlayerKept;
  readonly pictures: readonly CroppedPicture[];
  readonly samples: number;
}

/** The episode for the page. */
export function playerEpisode(episode: ReplayEpisode, { kept, pictures, samples }: PlayerSurroundings): PlayerEpisode {
  let left = mostBytes;
  const fitting = (whole: string): string => {
    const text = whole.slice(0, mostCharactersOfTurn);
    const bytes = encoder.encode(text).length;
    // Cut to what fits in any script.
    const shown = bytes <= left ? text : text.slice(0, Math.max(0, Math.floor(left / 3)));
    left -= bytes <= left ? bytes : left;
    return shown;
  };
  const turns = episode.turns.map((turn): PlayerTurn => {
    const whole = readable(turn, episode.calls);
    const text = fitting(whole);
    const logged = turn.ids?.length ?? turn.logprobs?.length ?? null;
    return {
      turn: turn.turn,
      role: turn.role,
      loggedRole: turn.loggedRole,
      prompt: turn.prompt,
      text,
      cut: whole.length - text.length,
      tokens: logged ?? Math.ceil(turn.text.length / charactersOfToken),
      estimated: logged === null,
      calls: turn.calls,
      observes: turn.observes,
      images: turn.images,
      latencyMs: turn.latencyMs,
    };
  });
  const { title, step, answer, groundTruth, correct, temperature, topP, siblings, notes } = episode;
  return {
    kept,
    title,
    step,
    turns,
    // Their arguments are part of the text, and may be long.
    calls: episode.calls.map((call) => ({ ...call, arguments: null })),
    pictures,
    samples,
    answer,
    groundTruth,
    correct,
    temperature,
    topP,
    siblings,
    notes,
  };
}

/** A turn as it is read: where calls are logged apart from the text, each stands on its own line with its tool. */
function readable({ exact, text, content, reasoning, calls }: ReplayTurn, all: ReplayEpisode['calls']): string {
  if (exact || calls.length === 0) return text;
  const said = all
    .filter(({ call }) => calls.includes(call))
    .map((call) => `${playerTexts.tool(call.tool ?? playerTexts.noTool)} ${JSON.stringify(call.arguments)}`);
  return [reasoning, content, ...said]
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join('\n');
}
