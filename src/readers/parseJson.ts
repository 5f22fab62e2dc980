/**
 * One JSON text that somebody else wrote → a value, or the reason why not. Shared by jsonLines.ts and jsonArray.ts.
 * Python's `json.dumps` writes NaN and Infinity, which JSON does not have: they are read as null (formats.md 7, row 1).
 * Leaves out where a record starts and ends, and what it means.
 */
import type { Json } from '../base/json.ts';
import { messageOf } from '../base/errors.ts';
import type { RecordPlace } from '../model/rollout.ts';
import type { Source } from './source.ts';

/** A parsed text, or why it is none; `nonFinite` and `invalidUtf8` say what was replaced on the way. */
export type Parsed =
  | { readonly ok: true; readonly value: Json; readonly nonFinite: boolean; readonly invalidUtf8: boolean }
  | { readonly ok: false; readonly reason: string };

/** Nesting above which a value is refused: whatever walks it later (structured clone, printing) recurses. */
export const maximumDepth = 512;

/** Parses one JSON text; NaN, Infinity and -Infinity outside strings become null. Never throws. */
export function parseJsonText(text: string): Parsed {
  let value: Json;
  let nonFinite = false;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    const replaced = replaceNonFinite(text);
    if (replaced === null) return { ok: false, reason: reasonOf(error) };
    try {
      value = JSON.parse(replaced) as Json;
      nonFinite = true;
    } catch (second) {
      return { ok: false, reason: reasonOf(second) };
    }
  }
  if (isDeeper(value, maximumDepth)) return { ok: false, reason: `nested deeper than ${maximumDepth} levels` };
  return { ok: true, value, nonFinite, invalidUtf8: false };
}

/** Parses the JSON text in `bytes` from `first` to `end` (exclusive); invalid UTF-8 becomes U+FFFD. Never throws. */
export function parseJsonBytes(bytes: Buffer, first: number, end: number): Parsed {
  // V8 decodes ASCII at memory speed here; the fatal decoder is asked only where a replacement shows up.
  const text = bytes.toString('utf8', first, end);
  const parsed = parseJsonText(text);
  if (!parsed.ok || !text.includes('\ufffd') || isValidUtf8(bytes.subarray(first, end))) return parsed;
  return { ...parsed, invalidUtf8: true };
}

/** Reads one record again by its place; null if those bytes hold no JSON value any more. */
export async function readJsonAt(source: Source, place: RecordPlace): Promise<Json | null> {
  const bytes = asBuffer(await source.read(place.bytes.first, place.bytes.count));
  if (bytes.length < place.bytes.count) return null;
  const parsed = parseJsonBytes(bytes, 0, bytes.length);
  return parsed.ok ? parsed.value : null;
}

/** The same bytes as a Buffer, without copying. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** True where a UTF-8 byte order mark stands at `position`. */
export function hasByteOrderMark(bytes: Uint8Array, position: number): boolean {
  return bytes[position] === 0xef && bytes[position + 1] === 0xbb && bytes[position + 2] === 0xbf;
}

function isValidUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** V8 quotes up to the whole text in its message; a note needs what and where. */
function reasonOf(error: unknown): string {
  const message = messageOf(error);
  const at = /at position \d+/.exec(message)?.[0];
  const what = message
    .replace(/,? ?(\.\.\.)?"[\s\S]*" is not valid JSON$/, '')
    .replace(/ in JSON at position[\s\S]*$/, '')
    .slice(0, 120);
  // `undefined` alone gives no more than "is not valid JSON".
  const said = what === '' ? 'not valid JSON' : what;
  return at === undefined ? said : `${said} ${at}`;
}

function isDeeper(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const item = value[index] as Json;
      if (typeof item === 'object' && item !== null && isDeeper(item, levels - 1)) return true;
    }
    return false;
  }
  for (const key in value) {
    const item = (value as { readonly [key: string]: Json })[key];
    if (typeof item === 'object' && item !== null && isDeeper(item, levels - 1)) return true;
  }
  return false;
}

const nonFiniteLiteral = /-?Infinity|NaN/g;
const backslash = 0x5c;

/** The text with non-finite literals outside strings as null; null where there is none. */
function replaceNonFinite(text: string): string | null {
  if (!text.includes('NaN') && !text.includes('Infinity')) return null;
  let replaced = false;
  let out = '';
  let position = 0;
  while (position < text.length) {
    const opening = text.indexOf('"', position);
    const outside = text.slice(position, opening < 0 ? text.length : opening);
    out += outside.replace(nonFiniteLiteral, () => {
      replaced = true;
      return 'null';
    });
    if (opening < 0) break;
    const closing = endOfString(text, opening);
    out += text.slice(opening, closing);
    position = closing;
  }
  return replaced ? out : null;
}

/** Index after the closing quote of the string that opens at `opening`; the text's length where it never closes. */
function endOfString(text: string, opening: number): number {
  let position = opening + 1;
  for (;;) {
    const closing = text.indexOf('"', position);
    if (closing < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(closing - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return closing + 1;
    position = closing + 1;
  }
}
