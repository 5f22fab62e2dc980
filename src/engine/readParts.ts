/**
 * Reads one log file into column arrays, in parts, so that a large file is usable before it is read to its end. A plain
 * function: the read worker calls it in its thread, the fallback pool in the engine's own.
 * Owns the sums of invariant 1 a part. Leaves out where parts are kept (indexFile.ts) and advantages.
 */
import { measureCalls } from '../analysis/redundancy/all.ts';
import { UserError } from '../base/errors.ts';
import type { Note, NoteCode } from '../model/note.ts';
import type { ByteRange, RecordPlace, Rollout } from '../model/rollout.ts';
import { readerOf } from '../readers/all.ts';
import type { Recognition } from '../readers/reader.ts';
import type { Source } from '../readers/source.ts';
import {
  appendRollout,
  createRolloutColumns,
  finishColumns,
  type RolloutColumns,
  type RolloutColumnsBuilder,
} from '../store/columnArrays.ts';
import type { Neighbour } from '../store/shardMeta.ts';
import { withFile, type CopyOf, type FileSource } from './fileSource.ts';
import { neighbourOf } from './neighbours.ts';

/** Which bytes of which file to read; structured-cloneable. */
export interface ReadRequest {
  readonly path: string;
  /** Whose plain copy `path` is; null for a log that is read as it is. */
  readonly copyOf: CopyOf | null;
  readonly recognition: Recognition;
  /** Start of a record, null for the whole file. */
  readonly from: RecordPlace | null;
  /** A part is handed over once it covers this many bytes of the file. */
  readonly partBytes: number;
}

/** Consecutive records of a file: what one shard holds. read + skipped + noted = lines. */
export interface ReadPart {
  /** Of all rollouts; `read` counts records, of which each holds at least one. */
  readonly columns: RolloutColumns;
  /** From the start of the part to its end (the start of the next part, or how far the file was read). */
  readonly range: ByteRange;
  readonly lines: number;
  readonly read: number;
  readonly skipped: number;
  readonly noted: number;
  /** At most 1,000 a file. `file` is the base name. */
  readonly notes: readonly Note[];
  /** Where the next record starts. */
  readonly next: RecordPlace;
  /** The files beside it that were asked for so far. */
  readonly beside: readonly Neighbour[];
}

/** How a reading ended. */
export interface ReadEnd {
  /** The note about an unfinished last line: it belongs to no part, since the line may still grow. Null if none. */
  readonly unfinished: Note | null;
}

/** What happens while reading. */
export interface ReadHandlers {
  readonly signal: AbortSignal;
  /** At least one part comes, in file order, unless nothing at all could be read. */
  readonly part: (part: ReadPart) => void;
  /** Offset in the file up to which bytes are consumed. */
  readonly progress: (bytes: number) => void;
}

/** Notes kept a file; the rest is only counted. */
export const notesKept = 1_000;

/** Size of a part of a large file: 256 MB. */
export const usualPartBytes = 256 * 1024 * 1024;

/** Notes of lines that were not read; other notes tell about lines that were. */
const notReadCodes: ReadonlySet<NoteCode> = new Set<NoteCode>([
  'bad-json',
  'not-a-record',
  'line-too-long',
  'not-rollouts',
]);

const start: RecordPlace = { row: 0, line: 0, bytes: { first: 0, count: 0 } };

/** The part being filled. */
interface Open {
  builder: RolloutColumnsBuilder;
  from: RecordPlace;
  /** Records, of which each gave at least one rollout. */
  read: number;
  noted: number;
  notes: Note[];
}

/** Reads a file; resolves when its end is reached. Rejects with a UserError if it cannot be read, or on abort. */
export async function readParts(request: ReadRequest, handlers: ReadHandlers): Promise<ReadEnd> {
  const reader = readerOf(request.recognition.format);
  if (!reader) throw new UserError(`There is no reader for ${request.recognition.format} (${request.path}).`);
  const readFile = async (file: FileSource): Promise<ReadEnd> => {
    let reached = request.from?.bytes.first ?? 0;
    const beside = new Map<string, Neighbour>();
    const source: Source = {
      name: file.name,
      sizeBytes: file.sizeBytes,
      beside: async (name) => {
        const bytes = await file.beside(name);
        beside.set(name, neighbourOf(name, bytes));
        return bytes;
      },
      read: async (first, count, target) => {
        const bytes = await file.read(first, count, target);
        reached = Math.max(reached, first + bytes.length);
        return bytes;
      },
    };
    let open = openPart(request.from ?? start);
    let unfinished: Note | null = null;
    let notesLeft = notesKept;
    const before = { lines: 0, noted: 0 };
    /** The record of the last rollout: several may come of one. */
    let record: RecordPlace | null = null;
    const close = (next: RecordPlace, sums: PartSums): ReadPart =>
      closePart(open, next, { ...sums, beside: [...beside.values()] });
    const summary = await reader.read(source, {
      recognition: request.recognition,
      from: request.from,
      signal: handlers.signal,
      rollout: (rollout: Rollout) => {
        const { row, line, bytes } = rollout.place;
        const sameRecord = record?.bytes.first === bytes.first && record.line === line;
        record = rollout.place;
        if (!sameRecord && bytes.first - open.from.bytes.first >= request.partBytes && open.read > 0) {
          const next: RecordPlace = { row, line, bytes: { first: bytes.first, count: 0 } };
          const part = close(next, { lines: open.read + open.noted, skipped: 0, end: bytes.first });
          before.lines += part.lines;
          before.noted += part.noted;
          handlers.part(part);
          open = openPart(next);
        }
        appendRollout(open.builder, rollout, measureCalls(rollout));
        if (!sameRecord) open.read += 1;
      },
      note: (note) => {
        if (note.code === 'partial-last-line') {
          unfinished = note;
          return;
        }
        if (notReadCodes.has(note.code)) open.noted += 1;
        if (notesLeft > 0) open.notes.push(note);
        notesLeft -= 1;
      },
      progress: handlers.progress,
    });
    // An unfinished line is read again once it has grown: it counts in no part.
    const left = unfinished === null ? 0 : 1;
    const sums = {
      lines: summary.lines - before.lines - left,
      skipped: summary.skipped,
      end: unfinished === null ? Math.max(reached, summary.next.bytes.first) : summary.next.bytes.first,
    };
    open.noted = summary.noted - before.noted - left;
    handlers.part(close(summary.next, sums));
    return { unfinished };
  };
  return withFile(request.path, readFile, request.copyOf);
}

function openPart(from: RecordPlace): Open {
  return { builder: createRolloutColumns(), from, read: 0, noted: 0, notes: [] };
}

interface PartSums {
  readonly lines: number;
  readonly skipped: number;
  readonly end: number;
}

function closePart(
  { builder, from, read, noted, notes }: Open,
  next: RecordPlace,
  { lines, skipped, end, beside }: PartSums & { readonly beside: readonly Neighbour[] },
): ReadPart {
  const { first } = from.bytes;
  const range = { first, count: end - first };
  return { columns: finishColumns(builder), range, lines, read, skipped, noted, notes, next, beside };
}
