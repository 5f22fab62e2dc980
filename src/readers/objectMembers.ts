/**
 * Where the members of a JSON object that is the whole document start and end, by bytes, without parsing them: a reader
 * streams the one that holds its records and parses the small ones before it. Owned by tau2.ts.
 * Leaves out members behind the bytes it is given.
 */
import { arrayScan, nextItem, skipBlanks } from './arrayScan.ts';
import { hasByteOrderMark, parseJsonBytes } from './parseJson.ts';

/** A member of the object: its value is `bytes[first, end)`; `end` is -1 where it does not end inside the bytes. */
export interface Member {
  readonly key: string;
  readonly first: number;
  readonly end: number;
  /** 0-based physical line on which the value starts. */
  readonly line: number;
}

const colon = 0x3a;
const quote = 0x22;
const comma = 0x2c;
const opensObject = 0x7b;

/** The members at depth 1, in order, up to the first that does not end inside `bytes`; none where they are no object. */
export function objectMembers(bytes: Buffer): readonly Member[] {
  const members: Member[] = [];
  const scan = arrayScan('between', 0);
  if (hasByteOrderMark(bytes, 0)) scan.position = 3;
  skipBlanks(scan, bytes);
  if (bytes[scan.position] !== opensObject) return members;
  scan.position++;
  for (;;) {
    skipBlanks(scan, bytes);
    while (bytes[scan.position] === comma) {
      scan.position++;
      skipBlanks(scan, bytes);
    }
    if (bytes[scan.position] !== quote || nextItem(scan, bytes) !== 'item') return members;
    const key = parseJsonBytes(bytes, scan.itemFirst, scan.position);
    skipBlanks(scan, bytes);
    if (bytes[scan.position] !== colon || !key.ok || typeof key.value !== 'string') return members;
    scan.position++;
    skipBlanks(scan, bytes);
    if (scan.position >= bytes.length) return members;
    const { position: first, line } = scan;
    const isWhole = nextItem(scan, bytes) === 'item';
    members.push({ key: key.value, first, end: isWhole ? scan.position : -1, line });
    if (!isWhole) return members;
  }
}
