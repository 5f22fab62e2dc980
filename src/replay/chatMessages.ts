/**
 * The prefix of a fork as messages of OpenAI's form, for servers with a chat endpoint: their own template lays it out.
 * Only where messages are what is known of the prefix: text or ids that the log kept exactly stay tokens, and tools stay
 * tokens too, since a server that is given tools cuts calls out of what its model writes. Leaves out asking (remoteSamples.ts).
 */
import type { JsonObject } from '../base/json.ts';
import type { ReplayEpisode } from '../protocol/replay.ts';
import type { Alignment } from './align.ts';
import type { ChatMessage } from './chatTemplate.ts';
import { messageOfTurn } from './sequence.ts';

/** The messages before a turn (0-based); null where the prefix is rather given as tokens. */
export function messagesBefore({ episode, aligned }: Alignment, turn: number): readonly JsonObject[] | null {
  const before = episode.turns.filter((one) => one.turn < turn);
  const known = aligned.source !== 'chat template' || episode.tools !== '';
  // Pads of pictures are tokens; a message would have to bring the picture.
  const seen = before.some(({ images }) => images.length > 0);
  if (known || seen || before.length === 0 || before.some(({ ids }) => ids !== null)) return null;
  return openAiMessages(before.map((one) => messageOfTurn(one, episode.calls)));
}

/** The same messages with the observation of the first call from a turn on replaced; null where there is none. */
export function messagesWithResult(
  alignment: Alignment,
  { turn, next, text }: { readonly turn: number; readonly next: number; readonly text: (observed: string) => string },
): readonly JsonObject[] | null {
  const { episode } = alignment;
  const at = episode.turns.findIndex((one) => one.turn > turn && one.turn < next && one.observes.length > 0);
  if (at === -1) return null;
  const turns: ReplayEpisode['turns'] = episode.turns.map((one, index) =>
    index === at ? { ...one, text: text(one.text), content: text(one.content) } : one,
  );
  return messagesBefore({ ...alignment, episode: { ...episode, turns } }, next);
}

/** Calls get ids and their arguments as text; each observation names the call that it answers. */
function openAiMessages(messages: readonly ChatMessage[]): readonly JsonObject[] {
  let made = 0;
  let open: string[] = [];
  return messages.map(({ role, content, reasoning_content, tool_calls }) => {
    const common = { role, content };
    if (role === 'tool') return { ...common, tool_call_id: open.shift() ?? `call_${Math.max(0, made - 1)}` };
    if (tool_calls !== undefined) {
      open = tool_calls.map((_, at) => `call_${made + at}`);
      made += tool_calls.length;
    }
    const own = open;
    return {
      ...common,
      ...(reasoning_content === undefined ? {} : { reasoning_content }),
      ...(tool_calls === undefined
        ? {}
        : {
            tool_calls: tool_calls.map(({ function: { name, arguments: given } }, at) => ({
              id: own[at] ?? '',
              type: 'function',
              function: { name, arguments: typeof given === 'string' ? given : JSON.stringify(given) },
            })),
          }),
    };
  });
}
