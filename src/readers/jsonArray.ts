/**
 * Streams the items of one JSON array document of any size: a byte scanner (arrayScan.ts) finds each item's bytes,
 * then the item is parsed alone. So a bad item costs only itself, and every item can be read again by its bytes.
 * For the sums of invariant 1 the items are the lines. Leaves out what an item means.
 */
import { type ArrayScan, arrayScan, nextItem, shiftScan, skipBlanks } from './arrayScan.ts';
import { byteWindow, chunkBytes, fillWindow, maximumRecordBytes } from './byteWindow.ts';
import type { ReadSummary } from './reader.ts';
import {
  finish,
  noteForeign,
  noteRecord,
  notePartial,
  pause,
  recordStream,
  type RecordsOptions,
  takeRecord,
} from './records.ts';
import type { Source } from './source.ts';

const itemsBetweenPauses = 32;

/** Reads all items from `options.from` on; rejects only if the source cannot be read or on abort. */
export async function readJsonArray(source: Source, options: RecordsOptions): Promise<ReadSummary> {
  const stream = recordStream(source.name, options);
  const maximumBytes = options.maximumBytes ?? maximumRecordBytes;
  const start = options.from?.bytes.first ?? 0;
  const scan = arrayScan(start === 0 ? 'before' : 'between', stream.line);
  const window = byteWindow(source, start, options.chunkBytes ?? chunkBytes);
  let nextOffset = start;
  let nextLine = stream.line;
  let keepFrom = 0;
  /** Bytes of the open item that were dropped because it is too long to be read. */
  let dropped = 0;

  while (!window.ended) {
    await pause(stream);
    await fillWindow(window, keepFrom);
    shiftScan(scan, keepFrom);
    const bytes = window.buffer.subarray(0, window.filled);
    let stop = nextItem(scan, bytes);
    for (; stop === 'item'; stop = nextItem(scan, bytes)) {
      stream.line = scan.itemLine;
      const itemBytes = dropped + scan.position - scan.itemFirst;
      if (itemBytes > maximumBytes) {
        noteRecord(stream, 'line-too-long', `the item is ${itemBytes} bytes long and is not read`);
      } else {
        takeRecord(stream, bytes, {
          first: scan.itemFirst,
          end: scan.position,
          offset: window.base + scan.itemFirst,
        });
      }
      dropped = 0;
      nextOffset = window.base + scan.position;
      nextLine = scan.line;
      if (stream.lines % itemsBetweenPauses === 0) await pause(stream);
    }
    if (stop === 'end' && options.behind === 'ignored') {
      stream.line = nextLine;
      return finish(stream, nextOffset);
    }
    if (stop === 'end') skipBlanks(scan, bytes);
    if (stop === 'no-array' || (stop === 'end' && scan.position < bytes.length)) {
      stream.line = scan.line;
      noteForeign(stream, stop === 'end' ? 'more text behind the end of the array' : 'not a JSON array');
      stream.line = nextLine;
      return finish(stream, nextOffset);
    }
    const inItem = isInItem(scan);
    keepFrom = inItem ? scan.itemFirst : scan.position;
    if (inItem && scan.position - scan.itemFirst > maximumBytes) {
      dropped += scan.position - scan.itemFirst;
      keepFrom = scan.position;
      scan.itemFirst = scan.position;
    }
    options.progress?.(window.base + scan.position);
  }
  if (scan.state !== 'after') {
    stream.line = isInItem(scan) ? scan.itemLine : scan.line;
    notePartial(stream, 'the array is not closed; what is complete is read');
  }
  stream.line = nextLine;
  return finish(stream, nextOffset);
}

function isInItem(scan: ArrayScan): boolean {
  return scan.state === 'nested' || scan.state === 'string' || scan.state === 'scalar';
}
