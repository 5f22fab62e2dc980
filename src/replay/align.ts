/**
 * The tokens of an episode for one model: logged ids where they are this tokenizer's, else text cut chunk by chunk, as an
 * agent loop appends them; what the policy wrote is marked. How much of it may be cut elsewhere than it was sampled is
 * measured, never hidden. Leaves out the text (sequence.ts) and every probability.
 */
import type { AlignedEpisode, ReplayEpisode } from '../protocol/replay.ts';
import { replayTexts } from '../protocol/replayTexts.ts';
import { openersOf } from './openers.ts';
import type { PolicyTokens } from './policyTokens.ts';
import { sequenceOf, textOf, type Chunk, type Piece } from './sequence.ts';
import { joinBytes, textsOfTokens } from './tokenBytes.ts';

/** What the policy wrote in one turn, as indexes into the tokens, end exclusive. */
export interface WrittenTurn {
  readonly turn: number;
  readonly first: number;
  readonly end: number;
  /** The text of these tokens without the mark that ends the turn. */
  readonly text: string;
  /** What it was given behind this turn, up to where it writes again. */
  readonly behind: readonly Piece[];
}

/** The tokens of an episode, and where the policy wrote. */
export interface Alignment {
  readonly episode: ReplayEpisode;
  readonly aligned: AlignedEpisode;
  readonly ids: readonly number[];
  /** Turns that the policy wrote and that fit into the context, in order. */
  readonly written: readonly WrittenTurn[];
}

/** What an alignment needs of a model. */
export interface AlignOptions {
  readonly tokens: PolicyTokens;
  readonly contextLength: number;
  readonly vocabularySize: number;
}

/** A chunk with its tokens. */
interface TokenChunk {
  readonly chunk: Chunk;
  readonly ids: readonly number[];
  readonly turns: readonly number[];
  /** Logged log-probs, null where none. */
  readonly logged: Float32Array | null;
  readonly fromLog: boolean;
  /** False where bytes and text differ, or the text is put together. */
  readonly sure: boolean;
}

/** Lays an episode over the tokens of a model. */
export async function alignEpisode(episode: ReplayEpisode, options: AlignOptions): Promise<Alignment> {
  const { tokens, contextLength } = options;
  const ends = tokens.ends.map((id) => new TextDecoder().decode(tokens.bytesOf(id)));
  const sequence = sequenceOf(episode, { template: tokens.template, ends });
  const notes = [...sequence.notes];
  const chunks: TokenChunk[] = [];
  let foreign = false;
  for (const chunk of sequence.chunks) {
    const made = await tokensOfChunk(chunk, episode, options);
    foreign ||= made.foreign;
    chunks.push(made.chunk);
  }
  if (foreign) notes.push(replayTexts.foreignIds);
  const all = chunks.flatMap(({ ids }) => ids);
  const count = Math.min(all.length, contextLength);
  const ids = all.slice(0, count);
  const written = writtenTurns(chunks, count);
  const scored = new Uint8Array(count);
  for (const { first, end } of written) scored.fill(1, Math.max(1, first), end);
  const unsure = await unsureTokens(chunks, options);
  const total = chunks.reduce((sum, { chunk, ids: own }) => sum + (chunk.kind === 'written' ? own.length : 0), 0);
  const misaligned = total === 0 ? 0 : unsure / total;
  const left = all.length - count;
  if (left > 0) notes.push(replayTexts.cut(left, contextLength));
  if (misaligned > 0) notes.push(replayTexts.misaligned(misaligned));
  if (total === 0) notes.push(replayTexts.nothingWritten);
  const fromLog = chunks.filter(({ chunk }) => chunk.kind === 'written').every((chunk) => chunk.fromLog);
  const logged = loggedOf(chunks, count);
  return {
    episode,
    ids,
    written,
    aligned: {
      count,
      ids: Int32Array.from(ids),
      turn: Int32Array.from(chunks.flatMap(({ turns }) => turns).slice(0, count)),
      scored,
      texts: textsOfTokens(ids, (id) => tokens.bytesOf(id)),
      logged,
      source: fromLog && total > 0 ? 'logged ids' : sequence.source,
      misaligned,
      left,
      opener: openersOf(episode, tokens),
      notes,
    },
  };
}

async function tokensOfChunk(
  chunk: Chunk,
  episode: ReplayEpisode,
  options: AlignOptions,
): Promise<{ readonly chunk: TokenChunk; readonly foreign: boolean }> {
  const { tokens } = options;
  const text = textOf(chunk.pieces);
  const [piece] = chunk.pieces;
  const turn = chunk.kind === 'written' && piece !== undefined ? episode.turns[piece.turn] : undefined;
  const loggedIds = turn?.ids ?? null;
  const usable = loggedIds !== null && isOfTokenizer(loggedIds, text, { ...options, sure: chunk.sure });
  const ids = usable ? withEnd(loggedIds, text, tokens) : await tokens.encode(text);
  const bytes = joinBytes(ids.map((id) => tokens.bytesOf(id)));
  const round = equalBytes(bytes, new TextEncoder().encode(text));
  const logprobs = turn?.logprobs ?? null;
  return {
    foreign: loggedIds !== null && !usable,
    chunk: {
      chunk,
      ids,
      turns: turnsOfTokens(ids, chunk.pieces, tokens),
      logged: logprobs === null ? null : padded(logprobs, ids.length),
      fromLog: usable,
      sure: usable || (chunk.sure && round),
    },
  };
}

/** Logged ids count where they say the text: exactly, or, where that is put together, at least its beginning. */
function isOfTokenizer(
  ids: readonly number[],
  text: string,
  { tokens, vocabularySize, sure }: AlignOptions & { readonly sure: boolean },
): boolean {
  if (ids.length === 0 || ids.some((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize)) return false;
  const decoded = withoutEnds(new TextDecoder().decode(joinBytes(ids.map((id) => tokens.bytesOf(id)))), tokens);
  const wanted = withoutEnds(text, tokens);
  if (sure) return decoded === wanted;
  const words = (value: string): readonly string[] => value.match(/[\p{L}\p{N}]+/gu) ?? [];
  const said = new Set(words(decoded));
  const expected = words(wanted);
  return expected.filter((word) => said.has(word)).length >= 0.5 * expected.length;
}

function withoutEnds(text: string, tokens: PolicyTokens): string {
  let rest = text.trim();
  for (const end of tokens.ends.map((id) => new TextDecoder().decode(tokens.bytesOf(id)))) {
    if (end !== '' && rest.endsWith(end)) rest = rest.slice(0, -end.length).trimEnd();
  }
  return rest;
}

/** Logged ids, with the mark that ends the turn where the log left it out. */
function withEnd(ids: readonly number[], text: string, tokens: PolicyTokens): readonly number[] {
  const last = ids.at(-1);
  if (last === undefined || tokens.ends.includes(last)) return ids;
  const end = tokens.ends.find((id) => {
    const mark = new TextDecoder().decode(tokens.bytesOf(id));
    return mark !== '' && text.endsWith(mark);
  });
  return end === undefined ? ids : [...ids, end];
}

/** As many values as tokens; where the log has one for each token but the end mark, that one is unknown. */
function padded(logprobs: Float32Array, count: number): Float32Array | null {
  if (logprobs.length !== count && logprobs.length !== count - 1) return null;
  const values = new Float32Array(count).fill(Number.NaN);
  values.set(logprobs);
  return values;
}

/** The turn of each token: of the piece in which it begins. */
function turnsOfTokens(ids: readonly number[], pieces: readonly Piece[], tokens: PolicyTokens): readonly number[] {
  const encoder = new TextEncoder();
  const ends: number[] = [];
  let total = 0;
  for (const { text } of pieces) {
    total += encoder.encode(text).length;
    ends.push(total);
  }
  let at = 0;
  let piece = 0;
  return ids.map((id) => {
    while (piece < pieces.length - 1 && at >= (ends[piece] ?? 0)) piece += 1;
    at += tokens.bytesOf(id).length;
    return pieces[piece]?.turn ?? -1;
  });
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

function writtenTurns(chunks: readonly TokenChunk[], count: number): readonly WrittenTurn[] {
  const turns: WrittenTurn[] = [];
  let first = 0;
  for (const [index, { chunk, ids }] of chunks.entries()) {
    const end = Math.min(first + ids.length, count);
    const [piece] = chunk.pieces;
    if (chunk.kind === 'written' && piece !== undefined && end > first) {
      const next = chunks[index + 1];
      const behind = next?.chunk.kind === 'given' ? next.chunk.pieces : [];
      turns.push({ turn: piece.turn, first, end, text: piece.text, behind });
    }
    first += ids.length;
  }
  return turns;
}

function loggedOf(chunks: readonly TokenChunk[], count: number): Float32Array | null {
  if (chunks.every(({ logged }) => logged === null)) return null;
  const values = new Float32Array(count).fill(Number.NaN);
  let first = 0;
  for (const { ids, logged } of chunks) {
    if (logged !== null && first < count) values.set(logged.subarray(0, count - first), first);
    first += ids.length;
  }
  return values;
}

/** Tokens of the policy that may be others than were sampled: where the whole text is cut otherwise than its chunks. */
async function unsureTokens(chunks: readonly TokenChunk[], { tokens }: AlignOptions): Promise<number> {
  const isWritten = ({ chunk }: TokenChunk): boolean => chunk.kind === 'written';
  const byText = chunks.filter((chunk) => isWritten(chunk) && chunk.sure && !chunk.fromLog);
  let unsure = chunks.filter((chunk) => isWritten(chunk) && !chunk.sure).reduce((sum, { ids }) => sum + ids.length, 0);
  if (byText.length === 0) return unsure;
  const whole = await tokens.encode(chunks.map(({ chunk }) => textOf(chunk.pieces)).join(''));
  const starts = new Map<number, number>();
  let at = 0;
  for (const id of whole) {
    starts.set(at, id);
    at += tokens.bytesOf(id).length;
  }
  at = 0;
  for (const chunk of chunks) {
    const counts = byText.includes(chunk);
    if (!counts) {
      at += new TextEncoder().encode(textOf(chunk.chunk.pieces)).length;
      continue;
    }
    for (const id of chunk.ids) {
      if (starts.get(at) !== id) unsure += 1;
      at += tokens.bytesOf(id).length;
    }
  }
  return unsure;
}
