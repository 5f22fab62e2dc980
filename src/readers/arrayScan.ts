/**
 * Finds where the items of a JSON array start and end, byte by byte, without parsing them: depth and strings are all
 * that it knows. Owned by jsonArray.ts and head.ts. It can stop at any byte and go on when more bytes are there.
 * Leaves out whether an item is valid JSON: each is parsed alone, so that one bad item costs only itself.
 */
import { hasByteOrderMark } from './parseJson.ts';

const newline = 0x0a;
const quote = 0x22;
const comma = 0x2c;
const opensArray = 0x5b;
const backslash = 0x5c;
const closesArray = 0x5d;
const opensObject = 0x7b;
const closesObject = 0x7d;
/** Its first byte. */
const byteOrderMark = 0xef;

/** Where the scan stands; positions are indexes into the bytes it is given. */
export interface ArrayScan {
  state: 'before' | 'between' | 'nested' | 'string' | 'scalar' | 'after';
  /** Open brackets inside the item. */
  depth: number;
  /** Next byte to look at. */
  position: number;
  /** 0x0A before `position`. */
  line: number;
  /** Start of the item that is open or was just found. */
  itemFirst: number;
  /** Line on which that item starts. */
  itemLine: number;
  /** True for a number or a literal (or what stands in its place). */
  itemIsScalar: boolean;
}

/**
 * What the scan met: a whole item (`[itemFirst, position)`), the end of the bytes, the closing bracket of the array,
 * or a byte that no array has at this place (something before `[`).
 */
export type ScanStop = 'item' | 'more' | 'end' | 'no-array';

/** A scan that starts before the array, or between two of its items (`from` the end of the last one read). */
export function arrayScan(state: 'before' | 'between', line: number): ArrayScan {
  return { state, depth: 0, position: 0, line, itemFirst: 0, itemLine: line, itemIsScalar: false };
}

/** Goes on to the end of the next item in `bytes`; call again with more bytes after 'more'. */
export function nextItem(scan: ArrayScan, bytes: Uint8Array): ScanStop {
  for (;;) {
    switch (scan.state) {
      case 'before':
        if (bytes[scan.position] === byteOrderMark && bytes.length < scan.position + 3) return 'more';
        if (hasByteOrderMark(bytes, scan.position)) scan.position += 3;
        skipBlanks(scan, bytes);
        if (scan.position >= bytes.length) return 'more';
        if (bytes[scan.position] !== opensArray) return 'no-array';
        scan.position++;
        scan.state = 'between';
        break;
      case 'between': {
        skipBlanks(scan, bytes);
        const byte = bytes[scan.position];
        if (byte === undefined) return 'more';
        if (byte === comma) {
          scan.position++;
          break;
        }
        if (byte === closesArray) {
          scan.position++;
          scan.state = 'after';
          return 'end';
        }
        startItem(scan, byte);
        break;
      }
      case 'nested':
        if (!scanNested(scan, bytes)) return 'more';
        if (scan.state === 'nested') {
          scan.state = 'between';
          return 'item';
        }
        break;
      case 'string':
        if (!scanString(scan, bytes)) return 'more';
        if (scan.depth === 0) {
          scan.state = 'between';
          return 'item';
        }
        scan.state = 'nested';
        break;
      case 'scalar':
        if (!scanScalar(scan, bytes)) return 'more';
        scan.state = 'between';
        return 'item';
      case 'after':
        return 'end';
    }
  }
}

/** Moves the scan's positions back by `count` bytes that were dropped from the front of the window. */
export function shiftScan(scan: ArrayScan, count: number): void {
  scan.position -= count;
  scan.itemFirst -= count;
}

function startItem(scan: ArrayScan, byte: number): void {
  scan.itemFirst = scan.position;
  scan.itemLine = scan.line;
  scan.depth = 0;
  scan.state = byte === quote ? 'string' : byte === opensObject || byte === opensArray ? 'nested' : 'scalar';
  scan.itemIsScalar = scan.state === 'scalar';
  if (scan.state === 'string') scan.position++;
}

/** To the end of the outermost bracket (true, still 'nested') or the start of a string (true, 'string'). */
function scanNested(scan: ArrayScan, bytes: Uint8Array): boolean {
  let { position, depth, line } = scan;
  let found = false;
  for (; position < bytes.length; position++) {
    const byte = bytes[position];
    if (byte === quote) {
      scan.state = 'string';
      found = true;
      break;
    }
    if (byte === opensObject || byte === opensArray) depth++;
    else if (byte === newline) line++;
    else if ((byte === closesObject || byte === closesArray) && --depth === 0) {
      found = true;
      break;
    }
  }
  scan.position = found ? position + 1 : position;
  scan.depth = depth;
  scan.line = line;
  return found;
}

/** To the byte behind the closing quote. */
function scanString(scan: ArrayScan, bytes: Uint8Array): boolean {
  let { position, line } = scan;
  let found = false;
  for (; position < bytes.length; position++) {
    const byte = bytes[position];
    if (byte === quote) {
      found = true;
      position++;
      break;
    }
    if (byte === backslash) {
      // A backslash at the end waits for the byte that it escapes.
      if (position + 1 >= bytes.length) break;
      if (bytes[++position] === newline) line++;
    } else if (byte === newline) line++;
  }
  scan.position = position;
  scan.line = line;
  return found;
}

/** To the first byte that a number or a literal cannot have. */
function scanScalar(scan: ArrayScan, bytes: Uint8Array): boolean {
  for (; scan.position < bytes.length; scan.position++) {
    const byte = bytes[scan.position];
    if (byte === comma || byte === closesArray || isBlank(byte)) return true;
  }
  return false;
}

/** Moves to the next byte that is not blank, or to the end of the bytes. */
export function skipBlanks(scan: ArrayScan, bytes: Uint8Array): void {
  for (; scan.position < bytes.length; scan.position++) {
    const byte = bytes[scan.position];
    if (byte === newline) scan.line++;
    else if (!isBlank(byte)) return;
  }
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === newline || byte === 0x0d || byte === 0x09;
}
