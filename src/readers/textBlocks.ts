/**
 * Streams blocks of a plain text log: each opens with a line that starts with one word and closes with the line that
 * starts with another, once the marks between have been seen. For the sums of invariant 1 the blocks are the lines, and
 * so is any other text between two of them. Memory is one chunk plus the longest block.
 * Leaves out what a block means.
 */
import { byteWindow, type ByteWindow, chunkBytes, fillWindow, maximumRecordBytes } from './byteWindow.ts';
import { hasByteOrderMark } from './parseJson.ts';
import type { ReadSummary } from './reader.ts';
import {
  finish,
  noteForeign,
  noteRecord,
  notePartial,
  pause,
  recordStream,
  type RecordsOptions,
  type RecordStream,
} from './records.ts';
import type { Source } from './source.ts';
import type { RecordPlace } from '../model/rollout.ts';

/** How a log of blocks is read. */
export interface TextBlocksOptions extends Omit<RecordsOptions, 'record'> {
  /** Start of the first line of a block. */
  readonly opening: string;
  /** Starts of lines that must follow, in order, before a closing line counts. */
  readonly marks: readonly string[];
  /** Start of the last line of a block. */
  readonly closing: string;
  /** Takes one block, from its opening to the end of its closing line; returns null or why it is none. */
  readonly block: (text: string, place: RecordPlace) => string | null;
}

const newline = 0x0a;
const linesBetweenPauses = 4096;

/** Where the reading stands. */
interface Scan {
  readonly stream: RecordStream;
  readonly options: TextBlocksOptions;
  readonly window: ByteWindow;
  readonly marks: readonly Buffer[];
  readonly opening: Buffer;
  readonly closing: Buffer;
  /** First bytes of all of these: most lines of a block begin otherwise and need no look. */
  readonly firstBytes: ReadonlySet<number | undefined>;
  readonly maximumBytes: number;
  /** Index in the window where the open block starts; -1 between blocks. */
  block: number;
  /** Physical line on which the open block starts. */
  blockLine: number;
  /** Marks of the open block that were seen. */
  seen: number;
  /** True inside text between blocks of which a note was left. */
  isForeign: boolean;
  /** True inside a line of which the beginning was dropped. */
  isTooLong: boolean;
  /** File offset behind the last block that was taken. */
  next: number;
  nextLine: number;
  /** Physical line of the line that is looked at. */
  line: number;
}

/** Reads all blocks from `options.from` on; rejects only if the source cannot be read or on abort. */
export async function readTextBlocks(source: Source, options: TextBlocksOptions): Promise<ReadSummary> {
  const start = options.from?.bytes.first ?? 0;
  const scan = scanOf(source, options, start);
  const { stream, window } = scan;
  let at = 0;
  let searched = 0;
  let lines = 0;
  while (!window.ended) {
    await pause(stream);
    const kept = keepFrom(scan, at);
    await fillWindow(window, kept);
    at -= kept;
    searched -= kept;
    if (scan.block >= 0) scan.block -= kept;
    const bytes = window.buffer.subarray(0, window.filled);
    if (window.base === 0 && at === 0 && hasByteOrderMark(bytes, 0)) {
      at = 3;
      searched = 3;
    }
    for (let end = bytes.indexOf(newline, searched); end >= 0; end = bytes.indexOf(newline, at)) {
      if (scan.isTooLong) scan.isTooLong = false;
      else if (scan.block < 0 || scan.firstBytes.has(bytes[at])) takeLine(scan, bytes.subarray(at, end), at);
      scan.line++;
      at = end + 1;
      searched = at;
      if (++lines % linesBetweenPauses === 0) await pause(stream);
    }
    searched = bytes.length;
    if (dropTooLong(scan, at)) at = bytes.length;
    options.progress?.(window.base + at);
  }
  const rest = window.buffer.subarray(at, window.filled);
  if (scan.block >= 0 || startsWith(rest, scan.opening)) {
    stream.line = scan.block >= 0 ? scan.blockLine : scan.line;
    notePartial(stream, 'the last block is not complete; it is read when the file grows');
  } else if (!isBlank(rest) && !scan.isForeign && !scan.isTooLong) {
    stream.line = scan.line;
    notePartial(stream, 'text without a line end behind the last block');
  }
  stream.line = scan.nextLine;
  return finish(stream, scan.next);
}

function scanOf(source: Source, options: TextBlocksOptions, start: number): Scan {
  const stream = recordStream(source.name, { ...options, record: () => null });
  return {
    stream,
    options,
    window: byteWindow(source, start, options.chunkBytes ?? chunkBytes),
    marks: options.marks.map((mark) => Buffer.from(mark)),
    opening: Buffer.from(options.opening),
    closing: Buffer.from(options.closing),
    firstBytes: new Set([options.opening, ...options.marks, options.closing].map((mark) => Buffer.from(mark)[0])),
    maximumBytes: options.maximumBytes ?? maximumRecordBytes,
    block: -1,
    blockLine: 0,
    seen: 0,
    isForeign: false,
    isTooLong: false,
    next: start,
    nextLine: stream.line,
    line: stream.line,
  };
}

/** Index in the window of the first byte that is still needed. */
function keepFrom({ block }: Scan, at: number): number {
  return block >= 0 ? block : at;
}

/** Looks at one line, which starts at `first` in the window. */
function takeLine(scan: Scan, line: Buffer, first: number): void {
  if (startsWith(line, scan.opening)) {
    if (scan.block >= 0) {
      scan.stream.line = scan.blockLine;
      noteRecord(scan.stream, 'not-a-record', `the block ends without ${scan.options.closing}`);
      resumeAt(scan, first, scan.line);
    }
    open(scan, first);
    return;
  }
  if (scan.block < 0) {
    if (isBlank(line)) return;
    noteBetween(scan);
    resumeAt(scan, first + line.length, scan.line);
    return;
  }
  const mark = scan.marks[scan.seen];
  if (mark !== undefined) {
    if (startsWith(line, mark)) scan.seen++;
  } else if (startsWith(line, scan.closing)) close(scan, first + withoutReturn(line));
}

function open(scan: Scan, first: number): void {
  scan.block = first;
  scan.blockLine = scan.line;
  scan.seen = 0;
  scan.isForeign = false;
}

function close(scan: Scan, end: number): void {
  const { stream, window } = scan;
  const place = {
    row: stream.row,
    line: scan.blockLine,
    bytes: { first: window.base + scan.block, count: end - scan.block },
  };
  stream.line = scan.blockLine;
  if (place.bytes.count > scan.maximumBytes) {
    noteRecord(stream, 'line-too-long', `the block is ${place.bytes.count} bytes long and is not read`);
  } else {
    const refusal = scan.options.block(window.buffer.toString('utf8', scan.block, end), place);
    if (refusal === null) {
      stream.lines++;
      stream.read++;
      stream.row++;
    } else noteRecord(stream, 'not-a-record', refusal);
  }
  resumeAt(scan, end, scan.line);
  scan.block = -1;
}

/** Where reading goes on when the file grows: an index in the window and its physical line. */
function resumeAt(scan: Scan, index: number, line: number): void {
  scan.next = scan.window.base + index;
  scan.nextLine = line;
}

/** A block or a line that outgrew the limit is noted and passed over up to the next opening; true where one was. */
function dropTooLong(scan: Scan, at: number): boolean {
  const { stream, window, maximumBytes } = scan;
  const first = keepFrom(scan, at);
  if (window.filled - first <= maximumBytes) return false;
  if (!scan.isForeign) {
    stream.line = scan.block >= 0 ? scan.blockLine : scan.line;
    noteRecord(stream, 'line-too-long', `more than ${maximumBytes} bytes without the end of a block are not read`);
  }
  scan.block = -1;
  scan.isForeign = true;
  scan.isTooLong = true;
  resumeAt(scan, window.filled, scan.line);
  return true;
}

/** Text that belongs to no block leaves one note, however many lines it has. */
function noteBetween(scan: Scan): void {
  if (scan.isForeign) return;
  scan.isForeign = true;
  scan.stream.line = scan.line;
  noteForeign(scan.stream, `text outside a block, which opens with ${scan.options.opening}`);
}

function startsWith(line: Buffer, mark: Buffer): boolean {
  return line.length >= mark.length && line.compare(mark, 0, mark.length, 0, mark.length) === 0;
}

function withoutReturn(line: Buffer): number {
  return line.at(-1) === 0x0d ? line.length - 1 : line.length;
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}
