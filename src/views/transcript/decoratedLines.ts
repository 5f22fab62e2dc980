/**
 * Which lines of a transcript are decorated and how, from marks alone. Pure.
 * Leaves out colours (decorations.ts).
 */
import { isCounted } from '../../host/shownFlags.ts';
import type { ShownFlag } from '../../protocol/flags.ts';
import type { Mark } from '../../protocol/transcript.ts';

/** Kinds of decoration, in the order in which they are drawn. */
export const decorationKinds = ['title', 'heading', 'reasoning', 'right', 'wrong', 'failed', 'redundant'] as const;

/** One kind of decoration. */
export type DecorationKind = (typeof decorationKinds)[number];

/** First and last line, both decorated. */
export interface Lines {
  readonly first: number;
  readonly last: number;
}

/** The decorated lines by kind; of the flags only those that count draw a line. */
export function decoratedLines(
  marks: readonly Mark[],
  flags: readonly Pick<ShownFlag, 'call' | 'confidence' | 'verdict'>[],
): Readonly<Record<DecorationKind, readonly Lines[]>> {
  const lines: Record<DecorationKind, Lines[]> = {
    title: [],
    heading: [],
    reasoning: [],
    right: [],
    wrong: [],
    failed: [],
    redundant: [],
  };
  const redundant = new Set(flags.filter(isCounted).map(({ call }) => call));
  // An observation has no heading of its own: its turn begins on its line.
  const observations = new Set(marks.filter(({ kind }) => kind === 'observation').map(({ line }) => line));
  for (const mark of marks) {
    const first = { first: mark.line, last: mark.line };
    switch (mark.kind) {
      case 'title':
        lines.title.push(first);
        break;
      case 'turn':
        if (mark.role !== 'tool' || !observations.has(mark.line)) lines.heading.push(first);
        break;
      case 'arithmetic':
      case 'facts':
        lines.heading.push(first);
        break;
      case 'reasoning':
        lines.reasoning.push({ first: mark.line, last: mark.line + mark.count - 1 });
        break;
      case 'answer':
        if (mark.correct !== null) lines[mark.correct ? 'right' : 'wrong'].push(first);
        break;
      case 'call':
        if (redundant.has(mark.call)) lines.redundant.push(first);
        else if (mark.outcome !== 'ok' && mark.outcome !== 'unknown') lines.failed.push(first);
        break;
      case 'observation':
      case 'ids':
      case 'image':
        break;
    }
  }
  return lines;
}
