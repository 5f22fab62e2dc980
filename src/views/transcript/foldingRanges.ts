/**
 * What folds in a transcript and what its outline lists, from marks alone. Pure.
 * Leaves out the providers (languageFeatures.ts).
 */
import type { LineRange, Mark } from '../../protocol/transcript.ts';

const closable: ReadonlySet<Mark['kind']> = new Set(['reasoning', 'observation', 'answer', 'arithmetic', 'facts']);

/** Observations and further logged values longer than this are folded when a transcript is opened for the first time. */
const foldedLines = 30;

/** First and last line of each fold: a turn with its observations, a run of reasoning, an observation, the sums. */
export function foldingLines(marks: readonly Mark[]): readonly { readonly first: number; readonly last: number }[] {
  const folds = new Map<number, number>();
  const add = ({ line, count }: LineRange) => {
    if (count > 1 && !folds.has(line)) folds.set(line, line + count - 1);
  };
  for (const entry of outlineEntries(marks)) if (entry.mark.kind === 'turn') add(entry);
  for (const mark of marks) {
    if (closable.has(mark.kind)) add(mark);
  }
  return [...folds].map(([first, last]) => ({ first, last })).sort((a, b) => a.first - b.first);
}

/** First lines of what is folded at first. */
export function foldedAtFirst(marks: readonly Mark[]): readonly number[] {
  const foldable = marks.filter(({ kind }) => kind === 'observation' || kind === 'facts');
  const lines = foldable.filter(({ count }) => count > foldedLines).map(({ line }) => line);
  return [...new Set(lines)];
}

/** One entry of the outline, with the calls of a policy turn inside it. */
export interface OutlineEntry extends LineRange {
  readonly mark: Extract<Mark, { kind: 'turn' | 'call' | 'answer' }>;
  readonly children: readonly OutlineEntry[];
}

/** Turns with their calls and the answer; an observation's turn is part of the turn that called. */
export function outlineEntries(marks: readonly Mark[]): readonly OutlineEntry[] {
  const turns: { mark: Extract<Mark, { kind: 'turn' }>; line: number; count: number; children: OutlineEntry[] }[] = [];
  const entries: OutlineEntry[] = [];
  for (const mark of [...marks].sort((a, b) => a.line - b.line)) {
    if (mark.kind === 'turn') {
      const previous = turns.at(-1);
      if (mark.role === 'tool' && previous && previous.line + previous.count === mark.line) {
        previous.count += mark.count;
        continue;
      }
      const entry = { mark, line: mark.line, count: mark.count, children: [] };
      turns.push(entry);
      entries.push(entry);
    } else if (mark.kind === 'call' || mark.kind === 'answer') {
      const entry = { mark, line: mark.line, count: mark.count, children: [] };
      const turn = turns.at(-1);
      if (turn && mark.line < turn.line + turn.count) turn.children.push(entry);
      else entries.push(entry);
    }
  }
  return entries;
}
