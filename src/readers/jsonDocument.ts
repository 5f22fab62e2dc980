/**
 * Reads a file that is one JSON object (an agent's trajectory), or several one after the other, in one line each or
 * pretty-printed. The document is the record: its bytes are found by arrayScan.ts, then parsed alone, at most 256 MB.
 * A document that does not end is still being written: nothing is given of it, and it is read from its start when the
 * file grows. Leaves out what a document means; `record` may look at files beside it, so it may be asynchronous.
 */
import type { Json } from '../base/json.ts';
import type { RecordPlace, Rollout } from '../model/rollout.ts';
import { arrayScan, nextItem, shiftScan, skipBlanks } from './arrayScan.ts';
import { byteWindow, chunkBytes, fillWindow, maximumRecordBytes } from './byteWindow.ts';
import { asBuffer, hasByteOrderMark, parseJsonBytes, readJsonAt } from './parseJson.ts';
import type { Head, Reader, ReadSummary, Recognition } from './reader.ts';
import {
  finish,
  noteForeign,
  noteRecord,
  notePartial,
  pause,
  recordStream,
  type RecordsOptions,
  takeParsed,
} from './records.ts';
import type { Source } from './source.ts';

/** As RecordsOptions, but a record may wait for a file beside it. */
export interface DocumentOptions extends Omit<RecordsOptions, 'record'> {
  readonly record: (value: Json, place: RecordPlace) => Promise<string | number | null> | string | number | null;
}

const byteOrderMarkBytes = 3;
const closesArray = 0x5d;

/** True for a head of one JSON object; one that is printed in one line looks like JSONL. */
export function isDocument(head: Head): boolean {
  return head.container === 'json-object' || head.container === 'jsonl';
}

/** Reads all documents from `options.from` on; rejects only if the source cannot be read or on abort. */
export async function readJsonDocuments(source: Source, options: DocumentOptions): Promise<ReadSummary> {
  let taken: string | number | null = null;
  const { record, ...rest } = options;
  const stream = recordStream(source.name, { ...rest, record: () => taken });
  const maximumBytes = options.maximumBytes ?? maximumRecordBytes;
  const start = options.from?.bytes.first ?? 0;
  const scan = arrayScan('between', stream.line);
  const window = byteWindow(source, start, options.chunkBytes ?? chunkBytes);
  let nextOffset = start;
  let nextLine = stream.line;
  let keepFrom = 0;
  /** Bytes of the open document that were dropped because it is too long to be read. */
  let dropped = 0;
  let isFirst = start === 0;

  while (!window.ended) {
    await pause(stream);
    await fillWindow(window, keepFrom);
    shiftScan(scan, keepFrom);
    const bytes = window.buffer.subarray(0, window.filled);
    if (isFirst && hasByteOrderMark(bytes, 0)) scan.position = byteOrderMarkBytes;
    isFirst = false;
    for (;;) {
      if (scan.state === 'between') {
        skipBlanks(scan, bytes);
        // Between documents there is nothing but white space; a bracket would end the scan for good.
        if (bytes[scan.position] === closesArray || bytes[scan.position] === 0x2c) {
          stream.line = scan.line;
          noteForeign(stream, 'more text behind the end of the document');
          stream.line = nextLine;
          return finish(stream, nextOffset);
        }
      }
      if (nextItem(scan, bytes) !== 'item') break;
      stream.line = scan.itemLine;
      const count = scan.position - scan.itemFirst;
      const offset = window.base + scan.itemFirst;
      if (dropped + count > maximumBytes) {
        noteRecord(stream, 'line-too-long', `the document is ${dropped + count} bytes long and is not read`);
      } else {
        const parsed = parseJsonBytes(bytes, scan.itemFirst, scan.position);
        const place = { row: stream.row, line: stream.line, bytes: { first: offset, count } };
        taken = parsed.ok ? await record(parsed.value, place) : null;
        takeParsed(stream, parsed, { first: scan.itemFirst, end: scan.position, offset });
      }
      dropped = 0;
      nextOffset = window.base + scan.position;
      nextLine = scan.line;
      await pause(stream);
    }
    const isOpen = scan.state !== 'between';
    keepFrom = isOpen ? scan.itemFirst : scan.position;
    if (isOpen && scan.position - scan.itemFirst > maximumBytes) {
      dropped += scan.position - scan.itemFirst;
      keepFrom = scan.position;
      scan.itemFirst = scan.position;
    }
    options.progress?.(window.base + scan.position);
  }
  if (scan.state !== 'between') {
    stream.line = scan.itemLine;
    notePartial(stream, 'the document is not complete; it is read when the file grows');
  }
  stream.line = nextLine;
  return finish(stream, nextOffset);
}

/** A JSON object that lies beside the log; null where it is not there or is none. */
export async function objectBeside(source: Source, relativeName: string): Promise<Json | null> {
  const found = await source.beside?.(relativeName);
  if (found === undefined || found === null) return null;
  const bytes = asBuffer(found);
  const parsed = parseJsonBytes(bytes, hasByteOrderMark(bytes, 0) ? byteOrderMarkBytes : 0, bytes.length);
  return parsed.ok ? parsed.value : null;
}

/** What a format of one document a rollout knows. */
export interface DocumentFormat {
  /** The rollout of a document; null where it is not of this format. May look at files beside the source. */
  readonly rollout: (
    document: Json,
    at: { readonly place: RecordPlace; readonly source: Source; readonly recognition: Recognition },
  ) => Promise<Rollout | null> | Rollout | null;
  /** Why a document is none, for the note. */
  readonly refusal: string;
}

/** The two reading functions of a reader of such documents. */
export function documentFormat(format: DocumentFormat): Pick<Reader, 'read' | 'readOne'> {
  return {
    read: (source, options) =>
      readJsonDocuments(source, {
        from: options.from,
        signal: options.signal,
        note: options.note,
        progress: options.progress,
        record: async (value, place) => {
          const rollout = await format.rollout(value, { place, source, recognition: options.recognition });
          if (rollout === null) return format.refusal;
          options.rollout(rollout);
          return null;
        },
      }),
    readOne: async (source, place, recognition) => {
      const value = await readJsonAt(source, place);
      return value === null ? null : format.rollout(value, { place, source, recognition });
    },
  };
}
