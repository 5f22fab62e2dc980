/**
 * Reads the arguments of a gemma4 call: `call:NAME{k:<|"|>v<|"|>,n:1,list:[…],object:{…}}` (formats.md 2.2), where keys
 * are bare and strings stand between `<|"|>` marks. Owned by toolCallDialects.ts; leaves out finding the call.
 */
import type { Json, JsonObject } from '../base/json.ts';
import type { WrittenCall } from './toolCallDialects.ts';

const quote = '<|"|>';
const depthLimit = 64;

/** A position in the text that the reading moves forward. */
interface Cursor {
  readonly text: string;
  at: number;
}

/** Parses the body of one gemma4 call; what does not follow the form is malformed, with the name where there is one. */
export function parseGemmaCall(body: string): WrittenCall {
  const text = body.trim();
  const head = /^call:([\w.-]{1,100})\{/.exec(text.slice(0, 120));
  if (head === null) return { tool: null, arguments: null, malformed: true };
  const tool = head[1] ?? null;
  const cursor = { text, at: head[0].length - 1 };
  const value = readValue(cursor, 0);
  const whole = value !== undefined && cursor.at === text.length;
  return { tool, arguments: whole ? value : null, malformed: !whole };
}

/** One value at the cursor; undefined where there is none. */
function readValue(cursor: Cursor, depth: number): Json | undefined {
  if (depth > depthLimit) return undefined;
  skipBlanks(cursor);
  const { text } = cursor;
  if (text[cursor.at] === '{') return readObject(cursor, depth);
  if (text[cursor.at] === '[') return readList(cursor, depth);
  if (text.startsWith(quote, cursor.at)) {
    const end = text.indexOf(quote, cursor.at + quote.length);
    if (end === -1) return undefined;
    const value = text.slice(cursor.at + quote.length, end);
    cursor.at = end + quote.length;
    return value;
  }
  let end = cursor.at;
  while (end < text.length && !',}]'.includes(text.charAt(end))) end++;
  const word = text.slice(cursor.at, end).trim();
  cursor.at = end;
  if (word === 'true') return true;
  if (word === 'false') return false;
  if (word === 'null') return null;
  return word === '' ? undefined : Number.isFinite(Number(word)) ? Number(word) : word;
}

function readObject(cursor: Cursor, depth: number): JsonObject | undefined {
  const entries: [string, Json][] = [];
  cursor.at++;
  for (;;) {
    skipBlanks(cursor);
    if (cursor.text[cursor.at] === '}') break;
    const colon = cursor.text.indexOf(':', cursor.at);
    if (colon === -1 || colon - cursor.at > 200) return undefined;
    const key = cursor.text.slice(cursor.at, colon).trim().replaceAll(quote, '');
    cursor.at = colon + 1;
    const value = readValue(cursor, depth + 1);
    if (value === undefined) return undefined;
    entries.push([key, value]);
    skipBlanks(cursor);
    if (cursor.text[cursor.at] === ',') cursor.at++;
    else if (cursor.text[cursor.at] !== '}') return undefined;
  }
  cursor.at++;
  return Object.fromEntries(entries);
}

function readList(cursor: Cursor, depth: number): Json | undefined {
  const items: Json[] = [];
  cursor.at++;
  for (;;) {
    skipBlanks(cursor);
    if (cursor.text[cursor.at] === ']') break;
    const value = readValue(cursor, depth + 1);
    if (value === undefined) return undefined;
    items.push(value);
    skipBlanks(cursor);
    if (cursor.text[cursor.at] === ',') cursor.at++;
    else if (cursor.text[cursor.at] !== ']') return undefined;
  }
  cursor.at++;
  return items;
}

function skipBlanks(cursor: Cursor): void {
  while (cursor.at < cursor.text.length && ' \n\r\t'.includes(cursor.text.charAt(cursor.at))) cursor.at++;
}
