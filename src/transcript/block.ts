/**
 * A block: finished lines of the transcript and marks that count from its first line. Blocks are rendered one a turn,
 * cut to size (fit.ts) and then stacked, so that marks never have to be found again by looking at text.
 */
import type { Mark } from '../protocol/transcript.ts';

/** Lines without line breaks, and marks relative to the first of them. */
export interface Block {
  readonly lines: string[];
  readonly marks: Mark[];
  /** Characters that were not rendered, since nobody could see them: they follow the last line. */
  hidden: number;
}

/** Width of headings: no wider than half a window, so that they do not wrap in a diff; then the column of remarks. */
export const headingWidth = 48;
const remarkColumn = 66;

/** A block without lines. */
export function emptyBlock(): Block {
  return { lines: [], marks: [], hidden: 0 };
}

/** Adds lines, each behind `indent`; a loop, since spreading 100,000 lines overflows the stack. */
export function addLines(block: Block, indent: string, lines: readonly string[]): void {
  for (const line of lines) block.lines.push(line === '' ? '' : indent + line);
}

/** "─── policy 1 · 31 tokens ─────": text at the left edge is ours alone, log text is always indented. */
export function heading(text: string): string {
  const start = `─── ${text} `;
  return start + '─'.repeat(Math.max(3, headingWidth - start.length));
}

/** The line with a remark at the right, at least three spaces away. */
export function withRemark(line: string, remark: string): string {
  return remark === '' ? line : `${line.padEnd(remarkColumn - 3)}   ${remark}`;
}

/** Characters of a block with its line breaks, from line `first` on. */
export function charactersOf(block: Block, first = 0): number {
  let sum = block.lines.length - first;
  for (let line = first; line < block.lines.length; line += 1) sum += block.lines[line]?.length ?? 0;
  return sum;
}

/** Stacks blocks: their lines in order, their marks moved to where the lines are now. */
export function stack(blocks: readonly Block[]): Block {
  const all = emptyBlock();
  for (const block of blocks) {
    const shift = all.lines.length;
    for (const line of block.lines) all.lines.push(line);
    all.hidden += block.hidden;
    for (const mark of block.marks) all.marks.push({ ...mark, line: mark.line + shift });
  }
  return all;
}
