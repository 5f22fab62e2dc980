/**
 * Looks at the first bytes of a file and says what it holds: the container, its first record, its top-level keys
 * (formats.md 10.2). Owned by detection: readers and otherFormats.ts judge the Head, nobody reads the file twice.
 * Reads 64 KB, and more (up to 8 MB) only while the first record does not end and fewer than five keys are known.
 * Leaves out decompression and everything behind the first record.
 */
import { isObject, type Json, type JsonObject } from '../base/json.ts';
import { arrayScan, nextItem } from './arrayScan.ts';
import { asBuffer, hasByteOrderMark, parseJsonBytes } from './parseJson.ts';
import type { Head } from './reader.ts';
import type { Source } from './source.ts';
import { topLevelKeys } from './topLevelKeys.ts';

/** Sizes of the head that are tried, one after the other: 64 KB, 512 KB, 8 MB. */
const headSizes = [64 * 1024, 512 * 1024, 8 * 1024 * 1024] as const;
const tailBytes = 64 * 1024;
/** Keys that identify every known format; with so many a longer head would tell nothing new. */
const enoughKeys = 5;
/** A torn first record must not hide the log behind it. */
const recordsToTry = 20;

const opensArray = 0x5b;
const opensObject = 0x7b;
const newline = 0x0a;

/** What the bytes tell so far; `settled` where more bytes would not change it. */
interface Look {
  readonly container: Head['container'];
  readonly first: Json;
  readonly keys: ReadonlySet<string>;
  readonly settled: boolean;
}

const noKeys: ReadonlySet<string> = new Set();
const notJson: Look = { container: 'other', first: null, keys: noKeys, settled: true };

/** Reads the head of a file. Rejects only if the source cannot be read. */
export async function readHead(source: Source): Promise<Head> {
  for (const size of headSizes) {
    const bytes = asBuffer(await source.read(0, size));
    const whole = bytes.length < size;
    const look = lookAt(bytes, whole);
    if (!look.settled && !whole && size !== headSizes[headSizes.length - 1]) continue;
    const { container, first, keys } = look;
    const head: Head = { name: source.name, bytes, container, first, keys };
    if (!hasDirectoryAtEnd(bytes)) return head;
    const tailFirst = Math.max(0, source.sizeBytes - tailBytes);
    return { ...head, tail: await source.read(tailFirst, tailBytes) };
  }
  return { name: source.name, bytes: new Uint8Array(), container: 'other', first: null, keys: noKeys };
}

/** What `bytes` hold; `whole` if they are the whole file. Never throws. */
function lookAt(bytes: Buffer, whole: boolean): Look {
  let start = hasByteOrderMark(bytes, 0) ? 3 : 0;
  while (isBlank(bytes[start])) start++;
  if (bytes[start] === opensObject) return lookAtObject(bytes, start, whole);
  if (bytes[start] === opensArray) return lookAtArray(bytes, start, whole);
  return notJson;
}

function lookAtObject(bytes: Buffer, start: number, whole: boolean): Look {
  const lineEnd = bytes.indexOf(newline, start);
  if (lineEnd >= 0 || whole) {
    const first = objectOf(bytes, start, lineEnd < 0 ? bytes.length : lineEnd);
    if (first !== null) return recordLook('jsonl', first);
  }
  const { keys, end } = topLevelKeys(bytes, start);
  if (lineEnd < 0) {
    return { container: 'jsonl', first: null, keys, settled: keys.size >= enoughKeys };
  }
  const later = laterRecord(bytes, start, lineEnd);
  if (later !== null) return recordLook('jsonl', later);
  const document = end < 0 ? null : objectOf(bytes, start, end);
  const settled = end >= 0 || keys.size >= enoughKeys;
  return { container: 'json-object', first: document, keys: document ? new Set(Object.keys(document)) : keys, settled };
}

/** An array over several lines, an array in one line, or lines that are arrays: the second line tells. */
function lookAtArray(bytes: Buffer, start: number, whole: boolean): Look {
  const lineEnd = bytes.indexOf(newline, start);
  if (lineEnd >= 0 && bytes[lineEnd + 1] === opensArray) {
    const line = parseJsonBytes(bytes, start, lineEnd);
    if (line.ok) return { container: 'jsonl', first: line.value, keys: noKeys, settled: true };
  }
  const scan = arrayScan('before', 0);
  let stop = nextItem(scan, bytes);
  for (let tried = 0; stop === 'item' && tried < recordsToTry; tried++) {
    const item = parseJsonBytes(bytes, scan.itemFirst, scan.position);
    if (item.ok && isObject(item.value)) return recordLook('json-array', item.value);
    // "[prompt]" and "[section]" open other kinds of text.
    if (!item.ok && scan.itemIsScalar && tried === 0) return notJson;
    stop = nextItem(scan, bytes);
  }
  const keys = scan.state === 'before' || scan.state === 'between' ? noKeys : topLevelKeysOfItem(bytes, scan.itemFirst);
  return { container: 'json-array', first: null, keys, settled: whole || stop !== 'more' || keys.size >= enoughKeys };
}

function topLevelKeysOfItem(bytes: Buffer, itemFirst: number): ReadonlySet<string> {
  return bytes[itemFirst] === opensObject ? topLevelKeys(bytes, itemFirst).keys : noKeys;
}

/**
 * The first of the next lines that is a record, where the first line is not one. A pretty-printed document has such
 * lines too, but indented, and opens with a brace alone.
 */
function laterRecord(bytes: Buffer, start: number, firstLineEnd: number): JsonObject | null {
  if (bytes.toString('latin1', start + 1, Math.min(firstLineEnd, start + 64)).trim() === '') return null;
  let first = firstLineEnd + 1;
  for (let tried = 0; tried < recordsToTry; tried++) {
    const end = bytes.indexOf(newline, first);
    if (end < 0) return null;
    const record = bytes[first] === opensObject ? objectOf(bytes, first, end) : null;
    if (record !== null && Object.keys(record).length > 0) return record;
    first = end + 1;
  }
  return null;
}

function recordLook(container: Head['container'], first: JsonObject): Look {
  return { container, first, keys: new Set(Object.keys(first)), settled: true };
}

function objectOf(bytes: Buffer, first: number, end: number): JsonObject | null {
  const parsed = parseJsonBytes(bytes, first, end);
  return parsed.ok && isObject(parsed.value) ? parsed.value : null;
}

function hasDirectoryAtEnd(bytes: Buffer): boolean {
  const magic = bytes.toString('latin1', 0, 4);
  return magic === 'PK\x03\x04';
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === newline || byte === 0x0d || byte === 0x09;
}
