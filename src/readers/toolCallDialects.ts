/**
 * The table of tool-call dialects (formats.md 2.2): how a call opens and closes, and what stands between. A new dialect
 * is one line in `dialects`. Owned by the verl readers; names are those of verl's tool_parser registry.
 * Leaves out where in a turn calls stand (toolCalls.ts) and recipes whose tags are calls only when executed.
 */
import { isObject, type Json, type JsonObject } from '../base/json.ts';
import { forwardSearch, forwardSearches } from './forwardSearch.ts';
import { parseGemmaCall } from './gemmaCall.ts';
import { parseJsonText } from './parseJson.ts';

/** A call as written: `malformed` where the tool could not have been called from it. */
export interface WrittenCall {
  /** Tool name, null where the text names none. */
  readonly tool: string | null;
  /** Parsed arguments; null where they are not what the dialect asks for. */
  readonly arguments: Json;
  readonly malformed: boolean;
}

/** One dialect: a body between `open` and `close` holds one call or several. */
export interface Dialect {
  readonly name: string;
  readonly open: string;
  readonly close: string;
  readonly parse: (body: string) => readonly WrittenCall[];
}

/** All dialects whose text survives in a dump; hermes, qwen3_coder and glm share one tag and are told apart by the body. */
export const dialects: readonly Dialect[] = [
  { name: 'tool_call', open: '<tool_call>', close: '</tool_call>', parse: (body) => [parseToolCallBody(body)] },
  { name: 'seed', open: '<seed:tool_call>', close: '</seed:tool_call>', parse: (body) => parseFunctions(body) },
  {
    name: 'minimax',
    open: '<minimax:tool_call>',
    close: '</minimax:tool_call>',
    parse: (body) => parseInvokes(body, ''),
  },
  {
    name: 'kimi',
    open: '<|tool_calls_section_begin|>',
    close: '<|tool_calls_section_end|>',
    parse: (body) => parseKimi(body),
  },
  {
    name: 'deepseek_v4',
    open: '<｜DSML｜tool_calls>',
    close: '</｜DSML｜tool_calls>',
    parse: (body) => parseInvokes(body, '｜DSML｜'),
  },
  { name: 'gemma4', open: '<|tool_call>', close: '<tool_call|>', parse: (body) => [parseGemmaCall(body)] },
];

/** A call that names nothing that could be called. */
export function malformedCall(tool: string | null): WrittenCall {
  return { tool, arguments: null, malformed: true };
}

/** The body of `<tool_call>`: hermes JSON, qwen3_coder `<function=…>`, or glm `NAME<arg_key>…`. */
export function parseToolCallBody(body: string): WrittenCall {
  const text = body.trim();
  if (text.startsWith('{')) return parseJsonCall(text);
  if (text.startsWith('<function=')) return parseFunctions(text)[0] ?? malformedCall(null);
  if (/^[\w.-]{1,100}\s*(<arg_key>|$)/.test(text.slice(0, 200))) return parseGlm(text);
  return malformedCall(nameInBrokenJson(text));
}

/** `{"name": …, "arguments": {…}}`; `parameters` (Llama 3) and arguments as a JSON string are accepted. */
export function parseJsonCall(text: string): WrittenCall {
  const parsed = parseJsonText(text);
  if (!parsed.ok) return malformedCall(nameInBrokenJson(text));
  if (!isObject(parsed.value)) return malformedCall(null);
  const { name } = parsed.value;
  const written = parsed.value['arguments'] ?? parsed.value['parameters'] ?? {};
  const value = typeof written === 'string' ? fromJsonString(written) : written;
  if (typeof name !== 'string' || name === '') return malformedCall(null);
  return { tool: name, arguments: value, malformed: false };
}

/** Harmony (gpt-oss): the header in front of `<|message|>` names the tool, the body is its JSON. */
export function parseHarmonyCall(header: string, body: string): WrittenCall {
  const tool = /to=(?:functions\.)?([\w.-]{1,100})/.exec(header)?.[1] ?? null;
  const parsed = parseJsonText(body.trim());
  if (tool === null || !parsed.ok) return malformedCall(tool);
  return { tool, arguments: parsed.value, malformed: false };
}

function fromJsonString(text: string): Json {
  const parsed = parseJsonText(text);
  return parsed.ok && isObject(parsed.value) ? parsed.value : text;
}

/** The name in JSON that does not parse, looked for near its beginning only. */
function nameInBrokenJson(text: string): string | null {
  return /["']name["']\s{0,8}:\s{0,8}["']([^"'\n]{1,100})["']/.exec(text.slice(0, 400))?.[1] ?? null;
}

/** One or more `<function=NAME><parameter=K>V</parameter></function>`; values stay strings, since no schema is logged. */
function parseFunctions(body: string): readonly WrittenCall[] {
  const calls: WrittenCall[] = [];
  for (const [name, content] of elements(body, '<function=', '</function>')) {
    const values: [string, Json][] = [];
    for (const [key, value] of elements(content, '<parameter=', '</parameter>'))
      values.push([key, oneLineBreakLess(value)]);
    calls.push(name === '' ? malformedCall(null) : { tool: name, arguments: objectOf(values), malformed: false });
  }
  return calls.length > 0 ? calls : [malformedCall(null)];
}

/** One or more `<invoke name="NAME"><parameter name="k">v</parameter></invoke>`, each tag with the prefix. */
function parseInvokes(body: string, prefix: string): readonly WrittenCall[] {
  const calls: WrittenCall[] = [];
  for (const [head, content] of elements(body, `<${prefix}invoke `, `</${prefix}invoke>`)) {
    const tool = attribute(head, 'name');
    const values: [string, Json][] = [];
    for (const [keyed, value] of elements(content, `<${prefix}parameter `, `</${prefix}parameter>`)) {
      const isString = prefix === '' || attribute(keyed, 'string') !== 'false';
      values.push([attribute(keyed, 'name') ?? '', isString ? value : jsonOrText(value)]);
    }
    calls.push(tool === null ? malformedCall(null) : { tool, arguments: objectOf(values), malformed: false });
  }
  return calls.length > 0 ? calls : [malformedCall(null)];
}

/** `NAME<arg_key>k</arg_key><arg_value>v</arg_value>…`; a value is JSON if it parses. */
function parseGlm(text: string): WrittenCall {
  const firstKey = text.indexOf('<arg_key>');
  const tool = (firstKey === -1 ? text : text.slice(0, firstKey)).trim();
  const values: [string, Json][] = [];
  for (let at = firstKey; at !== -1; at = text.indexOf('<arg_key>', at + 1)) {
    const keyEnd = text.indexOf('</arg_key>', at);
    const value = text.indexOf('<arg_value>', keyEnd);
    const valueEnd = text.indexOf('</arg_value>', value);
    if (keyEnd === -1 || value === -1 || valueEnd === -1) return malformedCall(tool);
    values.push([text.slice(at + 9, keyEnd).trim(), jsonOrText(text.slice(value + 11, valueEnd))]);
    at = valueEnd;
  }
  return { tool, arguments: objectOf(values), malformed: false };
}

/** `<|tool_call_begin|>functions.NAME:0<|tool_call_argument_begin|>{…}<|tool_call_end|>`, one or more. */
function parseKimi(body: string): readonly WrittenCall[] {
  const calls: WrittenCall[] = [];
  const [begin, argument, end] = ['<|tool_call_begin|>', '<|tool_call_argument_begin|>', '<|tool_call_end|>'];
  const search = forwardSearches(body);
  for (let at = body.indexOf(begin); at !== -1; at = body.indexOf(begin, at)) {
    const split = search(argument, at);
    const close = search(end, at);
    const last = close === -1 ? body.length : close;
    const header = body.slice(at + begin.length, split === -1 || split > last ? last : split).trim();
    const tool =
      header
        .slice(0, 100)
        .replace(/^functions\./, '')
        .replace(/:\d+$/, '') || null;
    const parsed =
      split === -1 || split > last ? null : parseJsonText(body.slice(split + argument.length, last).trim());
    calls.push(parsed?.ok === true ? { tool, arguments: parsed.value, malformed: tool === null } : malformedCall(tool));
    at = Math.max(last, at + begin.length);
  }
  return calls.length > 0 ? calls : [malformedCall(null)];
}

/**
 * Elements `open HEAD > CONTENT close` in order, as [head, content]. An element that does not close ends where the next
 * one opens, else with the text. Linear: each search begins where the last one ended.
 */
function elements(text: string, open: string, close: string): [string, string][] {
  const found: [string, string][] = [];
  const search = forwardSearch(text, close);
  for (let at = text.indexOf(open); at !== -1;) {
    const headEnd = text.indexOf('>', at + open.length);
    if (headEnd === -1) break;
    const nextClose = search(headEnd);
    const nextOpen = text.indexOf(open, headEnd);
    const closed = nextClose !== -1 && (nextOpen === -1 || nextClose < nextOpen || nestedIn(text, nextOpen, nextClose));
    const end = closed ? nextClose : nextOpen === -1 ? text.length : nextOpen;
    found.push([text.slice(at + open.length, headEnd).trim(), text.slice(headEnd + 1, end)]);
    at = nextOpen === -1 || nextOpen >= end ? nextOpen : text.indexOf(open, end);
  }
  return found;
}

/** True where the opening tag at `at` stands inside a value (not at the beginning of a line) and closes elsewhere. */
function nestedIn(text: string, at: number, close: number): boolean {
  const before = text[at - 1];
  return at < close && before !== '\n' && before !== '>';
}

function attribute(head: string, name: string): string | null {
  const at = head.indexOf(`${name}="`);
  if (at === -1) return null;
  const first = at + name.length + 2;
  const end = head.indexOf('"', first);
  return end === -1 ? null : head.slice(first, end);
}

/** Object.fromEntries keeps a key like `__proto__` an own property. */
function objectOf(values: readonly [string, Json][]): JsonObject {
  return Object.fromEntries(values);
}

function jsonOrText(text: string): Json {
  const parsed = parseJsonText(text.trim());
  return parsed.ok ? parsed.value : text;
}

/** The template puts one line break after the opening and one before the closing tag. */
function oneLineBreakLess(text: string): string {
  const first = text.startsWith('\n') ? 1 : 0;
  const end = text.endsWith('\n') && text.length > first ? text.length - 1 : text.length;
  return text.slice(first, end);
}
