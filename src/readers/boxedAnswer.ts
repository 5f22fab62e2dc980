/**
 * Finds the `\boxed{…}` that mathematics recipes grade. Owned by chatEpisode.ts; leaves out judging the answer.
 */

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
