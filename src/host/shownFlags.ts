/**
 * Flags of an open transcript and where they stand in its text: at the line of the call, or at the title where only a
 * number of calls is proven. Pure. Shared by decorations, CodeLens, hovers and Problems, which are views of their own.
 * Leaves out what is said of a flag (views/annotations/flagText.ts).
 */
import type { ShownFlag } from '../protocol/flags.ts';
import type { Mark } from '../protocol/transcript.ts';
import type { ShownTranscript } from './openTranscripts.ts';

/** A flag at a line of the document (0-based). */
export interface PlacedFlag {
  readonly flag: ShownFlag;
  readonly line: number;
}

/** True for a flag that counts: certain or likely, and not dismissed by the user. */
export function isCounted({ confidence, verdict }: Pick<ShownFlag, 'confidence' | 'verdict'>): boolean {
  return confidence !== 'hint' && verdict !== 'dismissed';
}

/** The flags whose call is in this document, or that are about the rollout and it has a title, in their order. */
export function placedFlags({
  marks,
  flags,
  part,
}: Pick<ShownTranscript, 'marks' | 'flags' | 'part'>): readonly PlacedFlag[] {
  const lines = callLines(marks);
  const title = part === null ? marks.find(({ kind }) => kind === 'title')?.line : undefined;
  return flags.flags.flatMap((flag) => {
    const line = flag.call === null ? title : lines.get(flag.call);
    return line === undefined ? [] : [{ flag, line }];
  });
}

/** The flags at a line: of the call whose text or result stands there, of the rollout at its title. */
export function flagsAt(shown: Pick<ShownTranscript, 'marks' | 'flags' | 'part'>, line: number): readonly ShownFlag[] {
  const calls = new Set(
    shown.marks.flatMap((mark) =>
      (mark.kind === 'call' || mark.kind === 'observation') && line >= mark.line && line < mark.line + mark.count
        ? [mark.call]
        : [],
    ),
  );
  const title = shown.marks.some((mark) => mark.kind === 'title' && line >= mark.line && line < mark.line + mark.count);
  return placedFlags(shown)
    .map(({ flag }) => flag)
    .filter(({ call }) => (call === null ? title : calls.has(call)));
}

/** First line of each call (0-based index) that the document shows. */
export function callLines(marks: readonly Mark[]): ReadonlyMap<number, number> {
  return new Map(marks.flatMap((mark) => (mark.kind === 'call' ? [[mark.call, mark.line] as const] : [])));
}
