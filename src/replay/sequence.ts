/**
 * An episode as chunks of text in the order a policy read and wrote them: what it was given and what it wrote, with the
 * turn that each piece belongs to. From the log's own chat markers where it has them, else from the chat template.
 * Leaves out tokens (align.ts).
 */
import { messageOf } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import type { ReplayCall, ReplayEpisode, ReplayTurn } from '../protocol/replay.ts';
import { replayTexts } from '../protocol/replayTexts.ts';
import { plainTemplate, textBehind, textOfMessage, type ChatMessage, type ChatTemplate } from './chatTemplate.ts';
import { isWritten } from './openers.ts';

/** Text of one turn, or of the template between turns (−1). */
export interface Piece {
  readonly turn: number;
  readonly text: string;
}

/** What the policy was given in one go, or what it wrote in one turn. */
export interface Chunk {
  readonly kind: 'given' | 'written';
  readonly pieces: readonly Piece[];
  /** False where the text is put together: which tokens were sampled is not sure. */
  readonly sure: boolean;
}

/** An episode in chunks. */
export interface Sequence {
  readonly chunks: readonly Chunk[];
  readonly source: 'exact text' | 'chat template';
  readonly notes: readonly string[];
}

/** What a sequence needs of a model. */
export interface SequenceOptions {
  readonly template: ChatTemplate | null;
  /** Texts of tokens that end a turn. */
  readonly ends: readonly string[];
}

/** The whole text of some pieces. */
export function textOf(pieces: readonly Piece[]): string {
  return pieces.map(({ text }) => text).join('');
}

/** Cuts an episode into chunks. */
export function sequenceOf(episode: ReplayEpisode, options: SequenceOptions): Sequence {
  const { exactText } = episode;
  if (exactText !== null && exactText.gaps.length === episode.turns.length + 1) {
    return exactSequence(episode.turns, exactText.gaps, options.ends);
  }
  return renderedSequence(episode, options);
}

function exactSequence(turns: readonly ReplayTurn[], gaps: readonly string[], ends: readonly string[]): Sequence {
  const chunks: Chunk[] = [];
  let given: Piece[] = [];
  let taken = 0;
  const give = (turn: number, text: string): void => {
    if (text !== '') given.push({ turn, text });
  };
  const flush = (): void => {
    if (given.length > 0) chunks.push({ kind: 'given', pieces: given, sure: true });
    given = [];
  };
  for (const [index, turn] of turns.entries()) {
    give(-1, (gaps[index] ?? '').slice(taken));
    taken = 0;
    if (!isWritten(turn)) {
      give(index, turn.text);
      continue;
    }
    flush();
    // Behind a call the loop stops sampling, often before the mark: whether it was sampled is not known, so it is given.
    const end = turn.calls.length > 0 ? '' : endAt(gaps[index + 1] ?? '', ends);
    taken = end.length;
    chunks.push({ kind: 'written', pieces: [{ turn: index, text: turn.text + end }], sure: true });
  }
  give(-1, (gaps.at(-1) ?? '').slice(taken));
  flush();
  return { chunks, source: 'exact text', notes: [] };
}

/** The mark that ends a turn, where the gap begins with one: it was sampled. */
function endAt(gap: string, ends: readonly string[]): string {
  return ends.find((end) => end !== '' && gap.startsWith(end)) ?? '';
}

/** Turns whose context is rendered again, to see whether the template writes earlier turns anew. */
const mostChecked = 64;

function renderedSequence(episode: ReplayEpisode, { template, ends }: SequenceOptions): Sequence {
  const notes: string[] = [];
  if (template === null) return { ...rendered(episode, plainTemplate, ends), notes: [replayTexts.noTemplate] };
  try {
    const own = rendered(episode, template, ends);
    return { ...own, notes: [...notes, ...own.notes] };
  } catch (error) {
    notes.push(replayTexts.templateFailed(messageOf(error)));
    return { ...rendered(episode, plainTemplate, ends), notes };
  }
}

function rendered(episode: ReplayEpisode, template: ChatTemplate, ends: readonly string[]): Sequence {
  const { turns } = episode;
  const tools = toolsOf(episode);
  const messages = turns.map((turn) => messageOfTurn(turn, episode.calls));
  const chunks: Chunk[] = [];
  const notes: string[] = [];
  let whole = '';
  let rewritten = false;
  let at = turns.findIndex(isWritten);
  if (at === -1) at = turns.length;
  const open = (end: number): 'assistant' | 'nothing' => (end < turns.length ? 'assistant' : 'nothing');
  let given = template.render(messages.slice(0, at), { tools, open: open(at) });
  let from = 0;
  for (let count = 0; ; count += 1) {
    if (given !== '') chunks.push({ kind: 'given', pieces: piecesIn(given, turns.slice(from, at)), sure: true });
    whole += given;
    const turn = turns[at];
    const message = messages[at];
    if (turn === undefined || message === undefined) break;
    const before = messages.slice(0, at);
    const text = turn.exact ? turn.text : textOfMessage(template, { before, message, tools });
    if (!rewritten && count > 0 && count < mostChecked) {
      rewritten = template.render(before, { tools, open: 'assistant' }) !== whole;
      if (rewritten) notes.push(replayTexts.rewritten(at));
    }
    const next = turns.findIndex((candidate, index) => index > at && isWritten(candidate));
    const end = next === -1 ? turns.length : next;
    const behind = textBehind(template, { before, after: messages.slice(at + 1, end), tools, open: open(end) });
    if (behind === null) throw new Error('it changes what the assistant wrote');
    const mark = endAt(behind, ends);
    chunks.push({ kind: 'written', pieces: [{ turn: at, text: text + mark }], sure: turn.exact && !rewritten });
    whole += text + mark;
    given = behind.slice(mark.length);
    from = at + 1;
    at = end;
  }
  return { chunks, source: 'chat template', notes };
}

/** Rendered text with the turns that are found in it, in order. */
function piecesIn(text: string, turns: readonly ReplayTurn[]): readonly Piece[] {
  const pieces: Piece[] = [];
  let cursor = 0;
  for (const turn of turns) {
    const content = turn.exact ? turn.text : turn.content;
    const found = content === '' ? -1 : text.indexOf(content, cursor);
    const trimmed = found === -1 ? content.trim() : content;
    const start = found === -1 && trimmed !== '' ? text.indexOf(trimmed, cursor) : found;
    if (start === -1) continue;
    if (start > cursor) pieces.push({ turn: -1, text: text.slice(cursor, start) });
    pieces.push({ turn: turn.turn, text: trimmed });
    cursor = start + trimmed.length;
  }
  if (cursor < text.length) pieces.push({ turn: -1, text: text.slice(cursor) });
  return pieces;
}

/** A turn as a message of the chat. */
export function messageOfTurn(turn: ReplayTurn, calls: readonly ReplayCall[]): ChatMessage {
  const role = roleOf(turn);
  if (turn.exact) return { role, content: turn.text };
  if (role !== 'assistant') return { role, content: turn.content };
  const written = turn.calls.flatMap((index) => {
    const call = calls.find((candidate) => candidate.call === index);
    return call === undefined || call.tool === null
      ? []
      : [{ type: 'function' as const, function: { name: call.tool, arguments: call.arguments ?? {} } }];
  });
  return {
    role,
    content: turn.content,
    ...(turn.reasoning === '' ? {} : { reasoning_content: turn.reasoning }),
    ...(written.length === 0 ? {} : { tool_calls: written }),
  };
}

function roleOf({ role, loggedRole }: ReplayTurn): string {
  switch (role) {
    case 'policy':
      return 'assistant';
    case 'system':
    case 'user':
      return role;
    case 'tool':
      // A template has one word for observations; Metis and its like give them to the user.
      return loggedRole === 'user' ? 'user' : 'tool';
    case 'other':
      return 'user';
  }
}

/** The tools that were offered, null where the log does not say. */
export function toolsOf({ tools }: ReplayEpisode): readonly Json[] | null {
  if (tools === '') return null;
  const value: unknown = JSON.parse(tools);
  return Array.isArray(value) ? (value as readonly Json[]) : null;
}
