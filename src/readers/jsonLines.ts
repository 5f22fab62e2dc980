/**
 * Streams the lines of a JSONL file: split on byte 0x0A only (a raw U+2028 is text), each line parsed alone.
 * The hot path of indexing: one buffer is reused, a line is decoded straight out of it, nothing else is allocated a
 * line but its text, its value and its place. Leaves out what a record means: `record` maps it or says why it is none.
 * `row` counts the lines that are not blank, read or not, so that a bad line does not move the rows behind it.
 */
import { byteWindow, chunkBytes, fillWindow, maximumRecordBytes } from './byteWindow.ts';
import { hasByteOrderMark, parseJsonBytes } from './parseJson.ts';
import type { ReadSummary } from './reader.ts';
import {
  finish,
  noteForeign,
  noteRecord,
  notePartial,
  pause,
  type RecordsOptions,
  type RecordRange,
  recordStream,
  type RecordStream,
  skipLine,
  takeParsed,
  takeRecord,
} from './records.ts';
import type { Source } from './source.ts';

const newline = 0x0a;
/** Short lines come by the hundred thousand; looking at the clock for each would cost more than reading it. */
const linesBetweenPauses = 256;

/** Reads all lines from `options.from` on; rejects only if the source cannot be read or on abort. */
export async function readJsonLines(source: Source, options: RecordsOptions): Promise<ReadSummary> {
  const stream = recordStream(source.name, options);
  const maximumBytes = options.maximumBytes ?? maximumRecordBytes;
  const start = options.from?.bytes.first ?? 0;
  // One byte earlier tells whether the place is the start of a line or the end of a last line that had no line end.
  const window = byteWindow(source, Math.max(0, start - 1), options.chunkBytes ?? chunkBytes);
  let first = 0;
  let scanned = 0;
  let restOfLine = false;
  /** File offset of the line that is too long, null outside one. */
  let tooLongAt: number | null = null;

  while (!window.ended) {
    await pause(stream);
    await fillWindow(window, first);
    scanned -= first;
    first = 0;
    const bytes = window.buffer.subarray(0, window.filled);
    if (start > 0 && window.base === start - 1 && scanned === 0 && bytes.length > 0) {
      restOfLine = bytes[0] !== newline;
      first = 1;
      scanned = 1;
    }
    for (let end = bytes.indexOf(newline, scanned); end >= 0; end = bytes.indexOf(newline, first)) {
      if (tooLongAt !== null || end - first > maximumBytes) {
        noteTooLong(stream, window.base + end - (tooLongAt ?? window.base + first));
        tooLongAt = null;
      } else if (restOfLine) {
        takeRest(stream, bytes, first, end);
      } else {
        takeLine(stream, bytes, first, end, window.base);
      }
      restOfLine = false;
      stream.line++;
      first = end + 1;
      if (stream.lines % linesBetweenPauses === 0) await pause(stream);
    }
    scanned = bytes.length;
    if (tooLongAt !== null || bytes.length - first > maximumBytes) {
      tooLongAt ??= window.base + first;
      first = bytes.length;
    }
    options.progress?.(window.base + first);
  }
  if (tooLongAt !== null) {
    notePartial(stream, `more than ${maximumBytes} bytes without a line end`);
    return finish(stream, tooLongAt);
  }
  const bytes = window.buffer.subarray(0, window.filled);
  // A file that shrank below the place gives nothing, not even the byte before it.
  const lineAt = Math.max(start, window.base + first);
  if (first === bytes.length) return finish(stream, lineAt);
  if (restOfLine) return finish(stream, start);
  return finish(stream, takeLastLine(stream, bytes, first, lineAt) ? window.base + bytes.length : lineAt);
}

/** Reads or skips the line in `bytes[first, end)`; `base` is the file offset of `bytes[0]`. */
function takeLine(stream: RecordStream, bytes: Buffer, first: number, end: number, base: number): void {
  const range = trimmed(bytes, first, end, base);
  if (range === null) skipLine(stream);
  else takeRecord(stream, bytes, range);
}

/** The last line has no line end: true where it was read, false where it may still be being written. */
function takeLastLine(stream: RecordStream, bytes: Buffer, first: number, lineAt: number): boolean {
  const range = trimmed(bytes, first, bytes.length, lineAt - first);
  if (range === null) {
    skipLine(stream);
    return false;
  }
  const parsed = parseJsonBytes(bytes, range.first, range.end);
  // A number may go on (`12` of `123`); an object or an array that parses is complete.
  if (!parsed.ok || typeof parsed.value !== 'object' || parsed.value === null) {
    notePartial(
      stream,
      `the last line is not complete (${range.end - range.first} bytes); it is read when the file grows`,
    );
    return false;
  }
  takeParsed(stream, parsed, range);
  return true;
}

/** The rest of a line whose first part was read before it had a line end: nothing but blanks, or one note. */
function takeRest(stream: RecordStream, bytes: Buffer, first: number, end: number): void {
  if (trimmed(bytes, first, end, 0) !== null) {
    noteForeign(stream, 'more text behind a record that was read before the file grew');
  }
}

function noteTooLong(stream: RecordStream, lineBytes: number): void {
  noteRecord(stream, 'line-too-long', `the line is ${lineBytes} bytes long and is not read`);
}

/** The line without byte order mark and carriage return; null where it is blank. */
function trimmed(bytes: Buffer, first: number, end: number, base: number): RecordRange | null {
  let start = first;
  if (end - start >= 3 && hasByteOrderMark(bytes, start)) start += 3;
  let last = end;
  while (last > start && isBlank(bytes[last - 1])) last--;
  if (last === start) return null;
  return { first: start, end: last, offset: base + start };
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0d || byte === 0x09;
}
