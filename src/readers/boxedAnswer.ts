/**
 * Finds the `\boxed{…}` that mathematics recipes grade. Owned by chatEpisode.ts; leaves out judging the answer.
 */
import { textPart } from '../model/builder.ts';
import type { TurnPart } from '../model/rollout.ts';

/** A boxed answer and the lines it stands on, `[first, end)` of the text. */
export interface BoxedAnswer {
  readonly answer: string;
  readonly first: number;
  readonly end: number;
}

const opening = '\\boxed{';

/** The last `\boxed{…}` of the text, braces balanced; null where there is none or it is cut. */
export function boxedAnswer(text: string): BoxedAnswer | null {
  const at = text.lastIndexOf(opening);
  if (at === -1) return null;
  const first = at + opening.length;
  let depth = 1;
  for (let index = first; index < text.length; index++) {
    const character = text[index];
    if (character === '\\') index++;
    else if (character === '{') depth++;
    else if (character === '}' && --depth === 0) {
      const lineEnd = text.indexOf('\n', index);
      return {
        answer: text.slice(first, index).trim(),
        first: text.lastIndexOf('\n', at) + 1,
        end: lineEnd === -1 ? text.length : lineEnd,
      };
    }
  }
  return null;
}

/** Turns the line that holds the last `\boxed{…}` of a turn into its answer, in place; null where there is none. */
export function markBoxedAnswer(parts: TurnPart[]): string | null {
  const index = parts.findLastIndex((part) => part.kind === 'text');
  const part = parts[index];
  const boxed = part?.kind === 'text' ? boxedAnswer(part.text) : null;
  if (part?.kind !== 'text' || boxed === null) return null;
  const before = part.text.slice(0, boxed.first).trimEnd();
  const after = part.text.slice(boxed.end).trimStart();
  const pieces: TurnPart[] = [{ kind: 'answer', text: part.text.slice(boxed.first, boxed.end) }];
  if (before !== '') pieces.unshift(textPart(before));
  if (after !== '') pieces.push(textPart(after));
  parts.splice(index, 1, ...pieces);
  return boxed.answer;
}
