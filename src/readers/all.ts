/**
 * The list of log formats and who a file belongs to. A new format is one import and one line here.
 * Owned by detection. Leaves out the formats that are only named (otherFormats.ts).
 */
import type { NoteCode } from '../model/note.ts';
import { describeOther } from './otherFormats.ts';
import type { FormatId, Head, Reader, Recognition } from './reader.ts';
import { tauBenchReader } from './tauBench.ts';
import { verlReader } from './verl.ts';
import { verlArrayReader } from './verlArray.ts';

/** Every reader; a file is claimed by exactly one of them (test/unit/readers/fixtures.test.ts). */
export const readers: readonly Reader[] = [verlReader, verlArrayReader, tauBenchReader];

/** What a file is: read by a reader, named but not read, or unknown. */
export type Recognised =
  | { readonly kind: 'read'; readonly reader: Reader; readonly recognition: Recognition }
  | { readonly kind: 'named'; readonly reader: null; readonly code: NoteCode; readonly description: string }
  | { readonly kind: 'unknown'; readonly reader: null; readonly code: NoteCode; readonly description: string };

/** Says what a file is by its head. Never throws. */
export function recognise(head: Head): Recognised {
  for (const reader of readers) {
    const recognition = reader.recognise(head);
    if (recognition !== null) return { kind: 'read', reader, recognition };
  }
  const other = describeOther(head);
  if (other !== null) return { kind: 'named', reader: null, ...other };
  const description = head.bytes.length === 0 ? 'an empty file' : 'unknown';
  return { kind: 'unknown', reader: null, code: 'unknown-format', description };
}

/** The reader of a format; null if there is none (an index of a newer version). */
export function readerOf(format: FormatId): Reader | null {
  return readers.find((reader) => reader.format === format) ?? null;
}
