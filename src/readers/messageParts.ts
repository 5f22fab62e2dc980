/**
 * One message as somebody logged it → who speaks and what it consists of. Knows the shapes of OpenAI chat, Anthropic
 * content blocks, OpenAI Responses items, ShareGPT, LangChain and Hugging Face sessions (formats.md 4.1, 5.5, 6.7, 6.8).
 * Pure look-ups, key by key; never throws. Leaves out calls written inside text and which call a result answers
 * (chatMessages.ts). A picture that is only a URL or a path is absent and is never fetched.
 */
import { asArray, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildImage } from '../model/builder.ts';
import type { LoggedImage, Role } from '../model/rollout.ts';
import { parseJsonText } from './parseJson.ts';
import { numberOf, readImage } from './toolInteractions.ts';

/** A piece of a message, in the order it was logged. */
export type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'reasoning'; readonly text: string }
  | { readonly kind: 'call'; readonly call: LoggedCall }
  /** `source` is the URL or path of a picture that is not in the log. */
  | { readonly kind: 'image'; readonly image: LoggedImage; readonly source: string | null }
  | { readonly kind: 'result'; readonly result: ToolResult };

/** A call that is logged as data, not as text. */
export interface LoggedCall {
  readonly id: string | null;
  readonly tool: string | null;
  readonly arguments: Json;
  /** True where arguments were written that are not JSON. */
  readonly malformed: boolean;
  readonly raw: string;
}

/** What a tool returned. */
export interface ToolResult {
  /** Id of the call it answers; null where the log has none. */
  readonly id: string | null;
  /** Texts and pictures. */
  readonly segments: readonly Segment[];
  /** Whether the call failed as logged; null where the log does not say. */
  readonly failed: boolean | null;
  readonly latencyMs: number | null;
}

/** One message. */
export interface LoggedMessage {
  readonly role: Role;
  readonly loggedRole: string;
  readonly segments: readonly Segment[];
  /** True for an OpenAI Responses item, which is a piece of a turn, not a turn. */
  readonly isItem: boolean;
}

const roles: ReadonlyMap<string, Role> = new Map<string, Role>([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['human', 'user'],
  ['assistant', 'policy'],
  ['gpt', 'policy'],
  ['chatgpt', 'policy'],
  ['model', 'policy'],
  ['ai', 'policy'],
  ['bot', 'policy'],
  ['agent', 'policy'],
  ['policy', 'policy'],
  ['function_call', 'policy'],
  ['tool_call', 'policy'],
  ['tool', 'tool'],
  ['function', 'tool'],
  ['observation', 'tool'],
  ['function_response', 'tool'],
  ['tool_response', 'tool'],
  ['tool_result', 'tool'],
  ['toolresult', 'tool'],
  ['environment', 'tool'],
  ['ipython', 'tool'],
]);

/** Who speaks under a logged role; `other` for a word no producer uses. */
export function roleOf(loggedRole: string): Role {
  return roles.get(loggedRole.toLowerCase()) ?? 'other';
}

/** True where a value looks like one message: it names who speaks, or is an item of a response. */
export function isMessage(value: Json | undefined): value is JsonObject {
  if (!isObject(value)) return false;
  const speaker = value['role'] ?? value['from'];
  if (typeof speaker === 'string') return 'content' in value || 'value' in value || 'tool_calls' in value;
  return itemKind(asString(value['type'])) !== null && !('payload' in value);
}

/** Reads one message of any known shape; a string that holds one as JSON is opened. */
export function readMessage(value: Json): LoggedMessage {
  const opened = typeof value === 'string' ? parsedObject(value) : value;
  if (!isObject(opened)) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return { role: 'other', loggedRole: '', segments: textSegments(text), isItem: false };
  }
  const type = asString(opened['type']);
  const loggedRole = asString(opened['role']) ?? asString(opened['from']) ?? asString(opened['speaker']);
  const item = loggedRole === null ? itemKind(type) : null;
  if (item !== null && type !== null) return readItem(opened, type, item);
  const isItem = type === 'message' && loggedRole === 'assistant';
  const speaker = loggedRole ?? type ?? '';
  const role = roleOf(speaker);
  if (role === 'tool') return toolMessage(opened, speaker);
  const segments: Segment[] = [];
  if (role === 'policy') pushReasoning(segments, opened);
  const content = contentOf(opened);
  if (speaker === 'function_call' || speaker === 'tool_call') pushWrittenCalls(segments, content);
  else pushContent(segments, content);
  for (const call of toolCallsOf(opened)) segments.push({ kind: 'call', call });
  return { role, loggedRole: speaker, segments, isItem };
}

/** The calls of a message: `tool_calls` (objects, or JSON strings as verifiers writes them) or one `function_call`. */
function toolCallsOf(message: JsonObject): LoggedCall[] {
  const logged = message['tool_calls'] ?? message['toolCalls'];
  const list = typeof logged === 'string' ? parsedOrNull(logged) : logged;
  const calls: LoggedCall[] = [];
  for (const value of asArray(list ?? null)) {
    const opened = typeof value === 'string' ? parsedObject(value) : value;
    if (isObject(opened)) calls.push(readCall(opened));
    else if (typeof value === 'string') calls.push(unreadableCall(value));
  }
  if (calls.length === 0 && isObject(message['function_call'])) calls.push(readCall(message['function_call']));
  return calls;
}

/** One call as data, whichever names its keys have; arguments may be JSON in a string. */
export function readCall(call: JsonObject): LoggedCall {
  const inner = isObject(call['function']) ? call['function'] : call;
  const tool =
    asString(inner['name']) ?? asString(inner['function_name']) ?? asString(call['function']) ?? asString(call['tool']);
  const written =
    inner['arguments'] ?? inner['args'] ?? inner['parameters'] ?? inner['input'] ?? inner['action'] ?? null;
  const id = asString(call['call_id']) ?? asString(call['id']) ?? asString(call['tool_call_id']);
  return { id, tool, ...readArguments(written) };
}

/** Arguments as a value and as they were written; '' is no arguments. */
function readArguments(written: Json): Pick<LoggedCall, 'arguments' | 'malformed' | 'raw'> {
  if (typeof written !== 'string') {
    return { arguments: written, malformed: false, raw: written === null ? '' : JSON.stringify(written) };
  }
  if (written.trim() === '') return { arguments: {}, malformed: false, raw: written };
  const parsed = parseJsonText(written);
  if (!parsed.ok) return { arguments: null, malformed: true, raw: written };
  // verifiers wraps arguments twice.
  const twice = typeof parsed.value === 'string' ? parsedObject(parsed.value) : null;
  return { arguments: twice ?? parsed.value, malformed: false, raw: written };
}

function unreadableCall(raw: string): LoggedCall {
  return { id: null, tool: null, arguments: null, malformed: true, raw };
}

/** ShareGPT's `function_call` turns: one call as JSON, or a list of them. */
function pushWrittenCalls(segments: Segment[], content: Json): void {
  const value = typeof content === 'string' ? parsedOrNull(content) : content;
  const calls = Array.isArray(value) ? asArray(value) : [value];
  const read = calls.filter(isObject).map(readCall);
  if (read.length > 0) for (const call of read) segments.push({ kind: 'call', call });
  else if (typeof content === 'string') segments.push({ kind: 'call', call: unreadableCall(content) });
}

function toolMessage(message: JsonObject, loggedRole: string): LoggedMessage {
  const inner: Segment[] = [];
  pushContent(inner, contentOf(message));
  const results = inner.filter((segment) => segment.kind === 'result');
  if (results.length > 0) return { role: 'tool', loggedRole, segments: inner, isItem: false };
  const id =
    asString(message['tool_call_id']) ??
    asString(message['toolCallId']) ??
    asString(message['call_id']) ??
    asString(message['tool_use_id']);
  const error = message['error'];
  const status = asString(message['status']);
  const failed =
    failureOf(message) ??
    (isObject(error) || (typeof error === 'string' && error !== '') ? true : status === 'error' ? true : null);
  const segments = inner.length === 0 && typeof error === 'string' ? textSegments(error) : inner;
  const result = { id, segments, failed, latencyMs: latencyOf(message) };
  return { role: 'tool', loggedRole, segments: [{ kind: 'result', result }], isItem: false };
}

function failureOf(value: JsonObject): boolean | null {
  const flag = value['is_error'] ?? value['isError'];
  return typeof flag === 'boolean' ? flag : null;
}

function latencyOf(value: JsonObject): number | null {
  const milliseconds = numberOf(value['latency_ms']) ?? numberOf(value['duration_ms']);
  return milliseconds !== null && milliseconds >= 0 ? milliseconds : null;
}

function contentOf(message: JsonObject): Json {
  return message['content'] ?? message['value'] ?? message['text'] ?? message['parts'] ?? null;
}

function pushReasoning(segments: Segment[], message: JsonObject): void {
  for (const key of ['reasoning_content', 'reasoningContent', 'reasoning', 'thinking', 'thought']) {
    const text = asString(message[key]) ?? '';
    if (text === '') continue;
    segments.push({ kind: 'reasoning', text });
    return;
  }
}

/** A string, a list of parts, one part, or null. */
function pushContent(segments: Segment[], content: Json): void {
  if (typeof content === 'string') {
    for (const segment of textSegments(content)) segments.push(segment);
  } else if (Array.isArray(content)) {
    for (const part of asArray(content)) pushPart(segments, part);
  } else if (isObject(content)) pushPart(segments, content);
  else if (content !== null) segments.push({ kind: 'text', text: String(content) });
}

function textSegments(text: string): Segment[] {
  return text === '' ? [] : [{ kind: 'text', text }];
}

/** One part or content block; a kind nobody knows is told by its name, since it may hold megabytes. */
function pushPart(segments: Segment[], part: Json): void {
  if (!isObject(part)) {
    if (part !== null) pushContent(segments, typeof part === 'string' ? part : JSON.stringify(part));
    return;
  }
  const type = asString(part['type']) ?? '';
  switch (type) {
    case 'thinking':
    case 'reasoning':
    case 'reasoning_text':
    case 'summary_text': {
      const text = asString(part['thinking']) ?? asString(part['reasoning']) ?? asString(part['text']) ?? '';
      if (text !== '') segments.push({ kind: 'reasoning', text });
      return;
    }
    case 'redacted_thinking':
      segments.push({ kind: 'reasoning', text: '[reasoning not logged in clear]' });
      return;
    case 'tool_use':
    case 'server_tool_use':
    case 'tool_call':
    case 'toolCall':
      segments.push({ kind: 'call', call: readCall(part) });
      return;
    case 'tool_result':
      segments.push({ kind: 'result', result: blockResult(part) });
      return;
    case 'input_audio':
    case 'audio':
    case 'audio_url':
    case 'video':
    case 'video_url':
    case 'file':
    case 'document':
      segments.push({ kind: 'text', text: `[${type.replace(/^input_|_url$/, '')} not shown]` });
      return;
  }
  if (type.endsWith('_tool_result')) {
    segments.push({ kind: 'result', result: blockResult(part) });
    return;
  }
  const image = imageOf(part, type);
  if (image !== null) {
    segments.push(image);
    return;
  }
  const text = part['text'] ?? part['content'] ?? part['value'] ?? part['refusal'];
  if (typeof text === 'string') {
    if (text !== '') segments.push({ kind: 'text', text });
  } else if (type !== 'text') segments.push({ kind: 'text', text: `[${type === '' ? 'part' : type} not shown]` });
}

/** Anthropic's `tool_result`; without `is_error` the call went well by their protocol. */
function blockResult(block: JsonObject): ToolResult {
  const segments: Segment[] = [];
  const content = block['content'] ?? null;
  pushContent(segments, content);
  const id = asString(block['tool_use_id']) ?? asString(block['tool_call_id']);
  return { id, segments, failed: failureOf(block) ?? false, latencyMs: latencyOf(block) };
}

const longestAddress = 2000;
const imageTypes: ReadonlySet<string> = new Set(['image', 'image_url', 'input_image', 'computer_screenshot']);

/** A picture of any dialect; null where the part is none. */
function imageOf(part: JsonObject, type: string): Extract<Segment, { kind: 'image' }> | null {
  if (!imageTypes.has(type) && !(type === '' && ('image_url' in part || 'image' in part))) return null;
  const source = isObject(part['source']) ? part['source'] : null;
  if (source !== null && typeof source['data'] === 'string') {
    const mime = asString(source['media_type']) ?? 'image/png';
    return { kind: 'image', image: readImage(`data:${mime};base64,${source['data']}`), source: null };
  }
  const logged =
    part['image_url'] ?? part['image'] ?? source?.['url'] ?? source?.['path'] ?? part['url'] ?? part['path'] ?? null;
  const held = isObject(logged) ? (logged['url'] ?? logged['bytes'] ?? logged['path'] ?? null) : logged;
  const base64 = asString(part['base64']) ?? asString(part['data']);
  if (base64 !== null) {
    const mime =
      asString(part['mimeType']) ?? asString(part['mime_type']) ?? asString(part['media_type']) ?? 'image/png';
    return { kind: 'image', image: readImage(`data:${mime};base64,${base64}`), source: null };
  }
  const uri = asString(held) ?? '';
  const image = readImage(uri);
  // A longer text is no address but a picture in an encoding nobody knows.
  const isAddress = image.state === 'absent' && uri !== '' && uri.length <= longestAddress;
  return { kind: 'image', image, source: isAddress ? uri : null };
}

/** The same picture, brought by the prompt or by a tool. */
export function imageFrom(image: LoggedImage, origin: LoggedImage['origin']): LoggedImage {
  return buildImage({ ...image, origin });
}

/** What an OpenAI Responses item is, by its type; null where it is none. */
function itemKind(type: string | null): 'reasoning' | 'call' | 'result' | null {
  if (type === null) return null;
  if (type === 'reasoning') return 'reasoning';
  if (type.endsWith('_call_output')) return 'result';
  return type.endsWith('_call') ? 'call' : null;
}

function readItem(item: JsonObject, type: string, kind: 'reasoning' | 'call' | 'result'): LoggedMessage {
  const segments: Segment[] = [];
  if (kind === 'reasoning') {
    pushContent(segments, item['content'] ?? null);
    if (segments.length === 0) pushContent(segments, item['summary'] ?? null);
    return {
      role: 'policy',
      loggedRole: type,
      segments: segments.map((segment) =>
        segment.kind === 'text' ? { kind: 'reasoning', text: segment.text } : segment,
      ),
      isItem: true,
    };
  }
  if (kind === 'call') {
    const call = readCall(item);
    const named = call.tool === null ? { ...call, tool: type.replace(/_call$/, '') } : call;
    // Freeform input (`custom_tool_call`) is text by its kind, not broken JSON.
    const isFree = type === 'custom_tool_call' && call.malformed;
    segments.push({
      kind: 'call',
      call: isFree ? { ...named, malformed: false, arguments: { input: call.raw } } : named,
    });
    if (item['output'] !== undefined || item['error'] !== undefined) {
      segments.push({ kind: 'result', result: outputResult(item, call.id) });
    }
    return { role: 'policy', loggedRole: type, segments, isItem: true };
  }
  const result = outputResult(item, asString(item['call_id']) ?? asString(item['id']));
  return { role: 'tool', loggedRole: type, segments: [{ kind: 'result', result }], isItem: true };
}

/** The `output` of an item: text, parts, or (Codex) JSON with the output and its exit code inside. */
function outputResult(item: JsonObject, id: string | null): ToolResult {
  const output = item['output'] ?? item['error'] ?? null;
  const opened = typeof output === 'string' ? parsedObject(output) : isObject(output) ? output : null;
  const metadata = isObject(opened?.['metadata']) ? opened['metadata'] : null;
  const exit = metadata === null ? null : numberOf(metadata['exit_code']);
  const seconds = metadata === null ? null : numberOf(metadata['duration_seconds']);
  const flag = isObject(output) && typeof output['success'] === 'boolean' ? !output['success'] : null;
  const segments: Segment[] = [];
  if (opened !== null && (metadata !== null || isObject(output))) {
    pushContent(segments, opened['output'] ?? opened['content'] ?? opened);
  } else pushContent(segments, output);
  const failed = exit === null ? (flag ?? (item['output'] === undefined && output !== null ? true : null)) : exit !== 0;
  return { id, segments, failed, latencyMs: seconds === null || seconds < 0 ? null : seconds * 1000 };
}

function parsedOrNull(text: string): Json {
  const parsed = parseJsonText(text);
  return parsed.ok ? parsed.value : null;
}

function parsedObject(text: string): JsonObject | null {
  if (!text.trimStart().startsWith('{')) return null;
  const value = parsedOrNull(text);
  return isObject(value) ? value : null;
}
