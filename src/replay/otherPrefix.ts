/**
 * Prefixes that the record does not have: the prompt without its tools, and an observation with another text.
 * Leaves out sampling behind them (branch.ts).
 */
import { UserError } from '../base/errors.ts';
import type { ReplayEpisode } from '../protocol/replay.ts';
import { replayTexts } from '../protocol/replayTexts.ts';
import type { Alignment, WrittenTurn } from './align.ts';
import type { PolicyTokens } from './policyTokens.ts';
import { textOf } from './sequence.ts';

/** How Qwen, Hermes and their like put tools into the system prompt: heading, list, and how to call. */
const toolSection =
  /\s*(?:# Tools\b[\s\S]*?)?<tools>\n[\s\S]*?\n<\/tools>(?:[\s\S]*?<tool_call>\n[\s\S]*?<\/tool_call>)?\s*/u;

/** The episode as it would be without tools. UserError where the log does not show which were offered. */
export function withoutTools(episode: ReplayEpisode): ReplayEpisode {
  let found = episode.tools !== '' && episode.exactText === null;
  const turns = episode.turns.map((turn) => {
    const strip = (text: string): string => {
      if (!turn.prompt || !toolSection.test(text)) return text;
      found = true;
      return text.replace(toolSection, '');
    };
    return { ...turn, text: strip(turn.text), content: strip(turn.content), ids: turn.prompt ? null : turn.ids };
  });
  if (!found) throw new UserError(replayTexts.toolsUnknown, replayTexts.useNoCall);
  return { ...episode, turns, tools: '' };
}

/** Tokens up to where the policy writes again, the observation of a turn's first call replaced. */
export async function withOtherResult(
  { ids, written, episode }: Alignment,
  turn: WrittenTurn,
  { text, tokens }: { readonly text: string; readonly tokens: PolicyTokens },
): Promise<readonly number[]> {
  const isLast = written.indexOf(turn) === written.length - 1;
  const at = turn.behind.findIndex((piece) => (episode.turns[piece.turn]?.observes.length ?? 0) > 0);
  if (isLast || at === -1) throw new UserError(replayTexts.noObservation, null);
  const behind = turn.behind.map((piece, index) =>
    index === at ? { ...piece, text: inWrapper(piece.text, text) } : piece,
  );
  return [...ids.slice(0, turn.end), ...(await tokens.encode(textOf(behind)))];
}

/** Another text in the place of an observation: the tags that a template puts around it stay. */
export function inWrapper(observation: string, text: string): string {
  const found = /^(?<open>\s*<(?<tag>\w+)>\n?)[\s\S]*?(?<close>\n?<\/\k<tag>>\s*)$/u.exec(observation)?.groups;
  return found === undefined ? text : `${found['open'] ?? ''}${text}${found['close'] ?? ''}`;
}
