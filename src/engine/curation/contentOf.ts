/**
 * What a rollout and its prompt say, as hashes and texts: what names a row for ever, what two rows are compared by, and what
 * is asked. Hashes are SHA-1 over texts with their lengths, so that no text can pretend to be two.
 * Leaves out what curation makes of them (factsOfRun.ts).
 */
import { createHash, type Hash } from 'node:crypto';
import type { Call, Rollout, Turn } from '../../model/rollout.ts';

/** The turns that the log gives as the prompt; where it marks none, those before the policy first speaks. */
export function promptTurns({ turns }: Rollout): readonly Turn[] {
  const marked = turns.filter(({ prompt }) => prompt);
  if (marked.length > 0) return marked;
  const first = turns.findIndex(({ role }) => role === 'policy');
  return first < 0 ? turns : turns.slice(0, first);
}

/** The turns behind the prompt. */
export function responseTurns(rollout: Rollout): readonly Turn[] {
  const prompt = new Set(promptTurns(rollout));
  return rollout.turns.filter((turn) => !prompt.has(turn));
}

/** Hash of everything it says, 16 bytes: roles, texts, calls, observations, pictures. */
export function hashOfRollout(rollout: Rollout, pictures: readonly string[]): Uint8Array {
  const hash = createHash('sha1');
  addTurns(hash, rollout.turns);
  for (const { tool, raw, observation } of rollout.calls) add(hash, `${tool ?? ''}\0${raw}\0${observation}`);
  for (const picture of pictures) add(hash, picture);
  return hash.digest().subarray(0, hashBytes);
}

/** Hash of the prompt, 16 bytes; `apart` tells prompts apart whose pictures are not logged. */
export function hashOfPrompt(rollout: Rollout, pictures: readonly string[], apart: string): Uint8Array {
  const hash = createHash('sha1');
  addTurns(hash, promptTurns(rollout));
  for (const picture of pictures) add(hash, picture);
  add(hash, apart);
  return hash.digest().subarray(0, hashBytes);
}

const hashBytes = 16;

/** Hash of what is asked alone, whatever the instructions around it: the last user turn, white space folded. */
export function hashOfQuestion(rollout: Rollout, pictures: readonly string[], apart: string): number {
  const hash = createHash('sha1');
  add(hash, foldedText(questionText(rollout)));
  for (const picture of pictures) add(hash, picture);
  add(hash, apart);
  const digest = hash.digest();
  // 53 bits: what a double holds exactly.
  return digest.readUInt32BE(0) * 2 ** 21 + (digest.readUInt32BE(4) >>> 11);
}

/** Text of the last user turn of the prompt. */
export function questionText(rollout: Rollout): string {
  const turns = promptTurns(rollout);
  const asked = turns.findLast(({ role }) => role === 'user') ?? turns.at(-1);
  return asked === undefined ? '' : textOfTurn(asked);
}

/** The text parts of a turn. */
export function textOfTurn({ parts }: Turn): string {
  return parts.map((part) => ('text' in part ? part.text : '')).join('\n');
}

/** What near duplicates are compared by: the question, then everything behind the prompt. */
export function comparedTexts(rollout: Rollout): readonly string[] {
  const texts = [questionText(rollout)];
  for (const turn of responseTurns(rollout)) {
    for (const part of turn.parts) {
      if ('text' in part) texts.push(part.text);
      else if (part.kind === 'call') texts.push(writtenCall(rollout.calls[part.call]));
    }
  }
  return texts;
}

function writtenCall(call: Call | undefined): string {
  return call === undefined ? '' : `${call.tool ?? ''} ${call.raw}`;
}

/** A hash of the numbers that are asked about, of the pictures and of the answer: rows that differ in it are no duplicates, 32 bits. */
export function hashOfNumbers(rollout: Rollout, pictures: readonly string[], apart: string): number {
  const numbers = questionText(rollout).match(/\d+(?:[.,]\d+)*/gu) ?? [];
  const hash = createHash('sha1');
  add(hash, numbers.join(' '));
  add(hash, foldedText(rollout.answer ?? '').toLowerCase());
  for (const picture of pictures) add(hash, picture);
  add(hash, apart);
  return hash.digest().readUInt32BE(0);
}

/** Hash of a picture's data; its state where the log has none. */
export function hashOfPicture(base64: string | null, state: string): string {
  return base64 === null ? state : createHash('sha1').update(base64).digest('hex');
}

function foldedText(text: string): string {
  return text
    .replaceAll(/<\|[^|\s]{1,40}\|>|<image>/gu, ' ')
    .replaceAll(/\s+/gu, ' ')
    .trim();
}

function addTurns(hash: Hash, turns: readonly Turn[]): void {
  for (const turn of turns) {
    add(hash, turn.role);
    for (const part of turn.parts) if ('text' in part) add(hash, part.text);
  }
}

function add(hash: Hash, text: string): void {
  hash.update(`${text.length}:`).update(text);
}
