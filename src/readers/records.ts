/**
 * What streaming lines (jsonLines.ts) and streaming array items (jsonArray.ts) share: the options, the sums of
 * invariant 1 and the notes. Replacements inside a record that was read (NaN, invalid UTF-8) are told once a reading,
 * not once a line: a run that logs NaN metrics does so on every line. Leaves out where a record starts and ends.
 */
import type { Json } from '../base/json.ts';
import type { Note, NoteCode } from '../model/note.ts';
import type { RecordPlace } from '../model/rollout.ts';
import { type Parsed, parseJsonBytes } from './parseJson.ts';
import type { ReadSummary } from './reader.ts';

/** How a stream of records (lines or array items) is read. */
export interface RecordsOptions {
  /** Continue from here; null reads from the beginning. */
  readonly from: RecordPlace | null;
  readonly signal: AbortSignal;
  /**
   * Takes one record. Returns null where it was read as one rollout, the number of rollouts (at least 1) where one record
   * holds several, else why it is no record (which becomes a note). `place.row` is the row of the first of them.
   */
  readonly record: (value: Json, place: RecordPlace) => string | number | null;
  readonly note: (note: Note) => void;
  /** Bytes of the file consumed so far. */
  readonly progress?: ((bytes: number) => void) | undefined;
  /** Records above this many bytes are noted, never decoded; 256 MB unless said. */
  readonly maximumBytes?: number;
  /** 'ignored' for an array inside a document: what stands behind it is no concern of its reader. */
  readonly behind?: 'ignored';
  /** Bytes read at a time; 4 MB unless said. */
  readonly chunkBytes?: number;
}

/** How often and where first something was replaced inside records that were read. */
interface Replaced {
  count: number;
  firstLine: number;
}

/** A reading under way: its sums and where the next record starts. */
export interface RecordStream {
  readonly name: string;
  readonly options: RecordsOptions;
  readonly nonFinite: Replaced;
  readonly invalidUtf8: Replaced;
  lines: number;
  read: number;
  skipped: number;
  noted: number;
  /** 0-based row of the next rollout; a record that is not read takes one row. */
  row: number;
  /** 0-based physical line of the next byte. */
  line: number;
  /** `performance.now()` of the last time other work got its turn. */
  yieldedAtMs: number;
}

/** A stream over the file called `name`, at the place the options say. */
export function recordStream(name: string, options: RecordsOptions): RecordStream {
  return {
    name,
    options,
    nonFinite: { count: 0, firstLine: 0 },
    invalidUtf8: { count: 0, firstLine: 0 },
    lines: 0,
    read: 0,
    skipped: 0,
    noted: 0,
    row: options.from?.row ?? 0,
    line: options.from?.line ?? 0,
    yieldedAtMs: performance.now(),
  };
}

/** Parses and hands over the record in `bytes[first, end)`, which lies at `offset` in the file; a bad one is noted. */
export function takeRecord(stream: RecordStream, bytes: Buffer, range: RecordRange): void {
  takeParsed(stream, parseJsonBytes(bytes, range.first, range.end), range);
}

/** Where a record lies: `[first, end)` in the buffer, `offset` in the file. */
export interface RecordRange {
  readonly first: number;
  readonly end: number;
  readonly offset: number;
}

/** Hands over a record that is parsed already; one that did not parse is noted. */
export function takeParsed(stream: RecordStream, parsed: Parsed, range: RecordRange): void {
  if (!parsed.ok) {
    noteRecord(stream, 'bad-json', parsed.reason);
    return;
  }
  const place = { row: stream.row, line: stream.line, bytes: { first: range.offset, count: range.end - range.first } };
  const taken = stream.options.record(parsed.value, place);
  if (typeof taken === 'string') {
    noteRecord(stream, 'not-a-record', taken);
    return;
  }
  if (parsed.nonFinite && stream.nonFinite.count++ === 0) stream.nonFinite.firstLine = stream.line;
  if (parsed.invalidUtf8 && stream.invalidUtf8.count++ === 0) stream.invalidUtf8.firstLine = stream.line;
  stream.lines++;
  stream.read++;
  stream.row += taken ?? 1;
}

/** Counts a record that is not read and leaves its one note. */
export function noteRecord(stream: RecordStream, code: NoteCode, message: string): void {
  stream.lines++;
  stream.noted++;
  stream.row++;
  stream.options.note({ severity: 'warning', code, file: stream.name, line: stream.line, message });
}

/** Counts the unfinished record at the end of the file; it keeps its row, since it is read when the file grows. */
export function notePartial(stream: RecordStream, message: string): void {
  noteRest(stream, { severity: 'information', code: 'partial-last-line' }, message);
}

/** Counts what stands where no record can be (text behind an array) and leaves its one note; it has no row. */
export function noteForeign(stream: RecordStream, message: string): void {
  noteRest(stream, { severity: 'warning', code: 'bad-json' }, message);
}

function noteRest(stream: RecordStream, kind: Pick<Note, 'severity' | 'code'>, message: string): void {
  stream.lines++;
  stream.noted++;
  stream.options.note({ ...kind, file: stream.name, line: stream.line, message });
}

/** Counts a blank line. */
export function skipLine(stream: RecordStream): void {
  stream.lines++;
  stream.skipped++;
}

/** Lets other work run if none did for 40 ms, and rejects with the signal's reason once it is aborted. */
export async function pause(stream: RecordStream): Promise<void> {
  if (performance.now() - stream.yieldedAtMs > 40) {
    await new Promise((resolve) => setImmediate(resolve));
    stream.yieldedAtMs = performance.now();
  }
  stream.options.signal.throwIfAborted();
}

/** Tells what was replaced and gives the sums; `nextOffset` is the file offset where the next record will start. */
export function finish(stream: RecordStream, nextOffset: number): ReadSummary {
  tellReplaced(stream, 'non-finite-number', 'NaN or Infinity read as null', stream.nonFinite);
  tellReplaced(stream, 'invalid-utf8', 'invalid UTF-8 read as U+FFFD', stream.invalidUtf8);
  const { lines, read, skipped, noted, row, line } = stream;
  return { lines, read, skipped, noted, next: { row, line, bytes: { first: nextOffset, count: 0 } } };
}

function tellReplaced(stream: RecordStream, code: NoteCode, what: string, replaced: Replaced): void {
  if (replaced.count === 0) return;
  const message = `${what} in ${replaced.count} ${replaced.count === 1 ? 'record' : 'records'}, this one first`;
  stream.options.note({ severity: 'information', code, file: stream.name, line: replaced.firstLine, message });
}
