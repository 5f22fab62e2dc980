/**
 * The text of each turn exactly as logged, and the chat markers between them, for logs that keep prompt and response as
 * one text: split again as the reader did, then laid over the turns that it made. Pure.
 * Leaves out turns put together from messages (replayEpisode.ts) and tokens (src/replay/align.ts).
 */
import type { Rollout, Turn } from '../model/rollout.ts';
import { splitOutput, splitPrompt, type ChatTemplate, type ChatTurn } from '../readers/chatText.ts';

/** Texts parallel to `Rollout.turns`. */
export interface ExactTurns {
  readonly texts: readonly string[];
  /** One more than turns: what stands before each text, and behind the last. Null where the markers were not logged. */
  readonly gaps: readonly string[] | null;
}

/** Null where the log holds messages, or where the turns are not those of its text (a recipe that cuts inside turns). */
export function exactTurns(rollout: Rollout): ExactTurns | null {
  const logged = rollout.exactText;
  if (logged === undefined) return null;
  const { template, turns: prompt } = splitPrompt(logged.prompt);
  const response = splitOutput(logged.response, template);
  const inPrompt = rollout.turns.filter((turn) => turn.prompt);
  if (inPrompt.length !== prompt.length || rollout.turns.slice(0, prompt.length).some((turn) => !turn.prompt)) {
    return null;
  }
  const pieces = piecesOfTurns(response, rollout.turns.slice(prompt.length));
  if (pieces === null) return null;
  const texts = [...prompt.map(({ text }) => text), ...pieces.map(({ text }) => text)];
  if (template !== 'chatml' && template !== 'llama3') return { texts, gaps: null };
  const before = gapsOf(logged.prompt, { turns: prompt.map((turn) => ({ ...turn, opens: true })), template });
  const after = gapsOf(logged.response, { turns: pieces, template });
  if (before === null || after === null) return { texts, gaps: null };
  // Where prompt and response meet is one gap: the end of the prompt and what the response begins with.
  const [firstAfter = '', ...restAfter] = after;
  return { texts, gaps: [...before.slice(0, -1), `${before.at(-1) ?? ''}${firstAfter}`, ...restAfter] };
}

interface Piece extends ChatTurn {
  /** True where its role is written in front of it. */
  readonly opens: boolean;
}

/** What each turn of the model holds of the marked turns; several where observations stand inside one. */
function piecesOfTurns(marked: readonly ChatTurn[], turns: readonly Turn[]): readonly Piece[] | null {
  const pieces: Piece[] = [];
  let at = 0;
  for (const [index, { role, text }] of marked.entries()) {
    let first = 0;
    do {
      const turn = turns[at];
      if (turn === undefined) return null;
      const end = first + turn.characters;
      if (end > text.length) return null;
      pieces.push({ role, text: text.slice(first, end), opens: first === 0 && index > 0 });
      first = end;
      at += 1;
    } while (first < text.length);
  }
  // A turn that only the log's columns know (cut by the response length) has no text.
  return [...pieces, ...turns.slice(at).map(({ loggedRole }) => ({ role: loggedRole, text: '', opens: false }))];
}

interface Marked {
  readonly turns: readonly Piece[];
  readonly template: ChatTemplate;
}

/** What stands before each text and behind the last one; null where a text is not found behind its header. */
function gapsOf(whole: string, { turns, template }: Marked): readonly string[] | null {
  const gaps: string[] = [];
  let cursor = 0;
  for (const { role, text, opens } of turns) {
    const first = opens && role !== 'prompt' ? afterHeader(whole, cursor, { role, text, template }) : cursor;
    const found = whole.startsWith(text, first) ? first : opens ? whole.indexOf(text, cursor) : -1;
    if (first === -1 || found === -1) return null;
    gaps.push(whole.slice(cursor, found));
    cursor = found + text.length;
  }
  gaps.push(whole.slice(cursor));
  return gaps;
}

interface Wanted {
  readonly role: string;
  readonly text: string;
  readonly template: ChatTemplate;
}

/** Where the text begins behind the next header of its role; −1 where there is none. */
function afterHeader(whole: string, from: number, { role, text, template }: Wanted): number {
  const header = template === 'llama3' ? `<|start_header_id|>${role}<|end_header_id|>` : `<|im_start|>${role}`;
  const lineEnd = template === 'llama3' ? '\n\n' : '\n';
  for (let at = whole.indexOf(header, from); at !== -1; at = whole.indexOf(header, at + 1)) {
    const end = at + header.length;
    const content = whole.startsWith(lineEnd, end) ? end + lineEnd.length : end;
    if (whole.startsWith(text, content)) return content;
  }
  return -1;
}
