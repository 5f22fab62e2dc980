/**
 * The conversation of an Inspect sample → turns, calls and pictures. `messages` is what the main agent saw at the end;
 * its events add latency, tokens, how calls went, and the turns of sub-agents, which stand behind the message of the
 * main agent that started them. Server-side tools (`tool_use` parts) are calls with their result in the same message.
 * Owned by inspectSample.ts. Leaves out scores and everything outside the conversation.
 */
import { asArray, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import type { NamedValue, Role, SubAgent } from '../model/rollout.ts';
import {
  addObservation,
  addTurn,
  callOf,
  type EpisodeDraft,
  newEpisode,
  type Observed,
  type SaidCall,
} from './episodeDraft.ts';
import {
  latencyOf,
  outputTokensOf,
  readEvents,
  type Resolve,
  type SampleEvents,
  textOf,
  tokenValuesOf,
} from './inspectEvents.ts';

/** A message while it is added. */
interface Added {
  readonly message: JsonObject;
  readonly prompt: boolean;
  readonly agent: SubAgent | null;
  /** The model event that wrote it. */
  readonly event: JsonObject | null;
}

/** Calls of the conversation by id, and those that have their observation. */
interface Context {
  readonly draft: EpisodeDraft;
  readonly events: SampleEvents;
  readonly resolve: Resolve;
  readonly observed: Set<number>;
}

/** Reads the conversation of a sample; never throws. */
export function conversationOf(sample: JsonObject, resolve: Resolve): EpisodeDraft {
  const messages = asArray(sample['messages']);
  const events = readEvents(sample, messages, resolve);
  const draft = newEpisode();
  const context: Context = { draft, events, resolve, observed: new Set() };
  const first = messages.findIndex((message) => isObject(message) && isWritten(message));
  const promptEnd = first < 0 ? messages.length : first;
  if (promptEnd === 0) addSide(context, -1);
  for (const [index, message] of messages.entries()) {
    const event = events.models.get(index) ?? null;
    const value: JsonObject = isObject(message) ? message : { role: '', content: message };
    addMessage(context, { message: value, prompt: index < promptEnd, agent: null, event });
    if (index === promptEnd - 1) addSide(context, -1);
    addSide(context, index);
  }
  closeCalls(context);
  return draft;
}

/** True for what the policy wrote; a few-shot example of the dataset has `source: "input"`. */
function isWritten(message: JsonObject): boolean {
  return message['role'] === 'assistant' && message['source'] !== 'input';
}

function addSide(context: Context, index: number): void {
  for (const said of context.events.side.get(index) ?? []) addMessage(context, { ...said, prompt: false });
}

const roles: ReadonlyMap<string, Role> = new Map<string, Role>([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['assistant', 'policy'],
  ['tool', 'tool'],
]);

function addMessage(context: Context, added: Added): void {
  const { draft, resolve } = context;
  const { message, prompt, agent, event } = added;
  const loggedRole = asString(message['role']) ?? '';
  const role = roles.get(loggedRole) ?? 'other';
  const content = plainContent(resolve(message['content'] ?? null));
  if (role === 'tool' && !prompt) {
    addResult(context, { message, content, agent });
    return;
  }
  const said = { role, loggedRole, prompt, agent };
  if (role !== 'policy') {
    addTurn(draft, { ...said, content });
    return;
  }
  const logged = asArray(message['tool_calls'])
    .filter(isObject)
    .map((call) => callOfMessage(call, resolve));
  const served = asArray(content).filter(isServed);
  const calls = [...served.map(servedCall), ...logged];
  const shown = served.length === 0 ? content : asArray(content).filter((part) => !isServed(part));
  if (prompt) {
    // Examples in the prompt are not this rollout's calls.
    const examples = calls.map((call): Json => ({ type: 'text', text: `${call.tool ?? ''}(${call.raw})` }));
    addTurn(draft, { ...said, content: examples.length === 0 ? content : [...partsOf(shown), ...examples] });
    return;
  }
  const indexes = addTurn(draft, {
    ...said,
    content: shown,
    reasoning: asString(resolve(message['reasoning'] ?? null)),
    calls,
    tokens: event === null ? null : outputTokensOf(event),
    latencyMs: event === null ? null : latencyOf(event),
    tokenValues: event === null ? null : tokenValuesOf(event),
  });
  for (const [at, part] of served.entries()) {
    const index = indexes[at];
    if (index === undefined) continue;
    const failure = asString(part['error'] ?? null);
    const result = failure !== null && (asString(part['result'] ?? null) ?? '') === '' ? failure : part['result'];
    const failed = failure !== null;
    addObservation(draft, { calls: [index], loggedRole, content: result ?? null, failed, failure, agent });
    context.observed.add(index);
  }
}

function partsOf(content: Json): readonly Json[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : asArray(content);
}

/** What messageParts.ts would show wrongly: reasoning that is encrypted has its summary at most. */
function plainContent(content: Json): Json {
  if (!Array.isArray(content)) return content;
  return asArray(content).map((part) => {
    if (!isObject(part) || part['type'] !== 'reasoning') return part;
    const summary = asString(part['summary']) ?? '';
    const written = part['redacted'] === true ? '' : (asString(part['reasoning']) ?? '');
    const shown = written === '' ? summary : written;
    return shown === '' ? { type: 'redacted_thinking' } : { type: 'reasoning', reasoning: shown };
  });
}

function isServed(part: Json): part is JsonObject {
  return isObject(part) && part['type'] === 'tool_use';
}

function servedCall(part: JsonObject): SaidCall {
  const written = part['arguments'] ?? null;
  const parsed = typeof written === 'string' ? parsedOrNull(written) : written;
  const raw = typeof written === 'string' ? written : JSON.stringify(written);
  const context = part['context'] ?? null;
  const facts: NamedValue[] = context === null ? [] : [{ name: 'server', value: context }];
  return {
    id: asString(part['id']),
    tool: asString(part['name']) ?? asString(part['tool_type']),
    arguments: parsed,
    malformed: false,
    raw,
    facts,
  };
}

function parsedOrNull(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

/** `{id, function, arguments, parse_error?}`; a call whose arguments could not be parsed keeps them as text in one. */
function callOfMessage(call: JsonObject, resolve: Resolve): SaidCall {
  const nested = isObject(call['function']) ? call['function'] : call;
  const tool = asString(call['function']) ?? asString(nested['name']);
  const said = callOf(tool, resolve(nested['arguments'] ?? null), asString(call['id']));
  const parseError = asString(call['parse_error']);
  if (parseError === null) return said;
  return { ...said, malformed: true, facts: [{ name: 'parse error', value: parseError }] };
}

interface Result {
  readonly message: JsonObject;
  readonly content: Json;
  readonly agent: SubAgent | null;
}

/** A tool message: the observation of the call it names, else of the last one of that tool that has none. */
function addResult(context: Context, { message, content, agent }: Result): void {
  const { draft, observed, events, resolve } = context;
  const id = asString(message['tool_call_id']);
  const tool = asString(message['function']);
  const named = id === null ? undefined : draft.callOfId.get(id);
  const index =
    named ?? draft.calls.findLastIndex((call, at) => !observed.has(at) && (tool === null || call.tool === tool));
  const event = id === null ? undefined : events.tools.get(id);
  const error = errorOf(message['error'] ?? message['tool_error'] ?? null, resolve);
  const text = textOf(content);
  addObservation(draft, {
    calls: index < 0 ? [] : [index],
    loggedRole: 'tool',
    content: text === '' && error !== null && !Array.isArray(content) ? error.message : content,
    ...outcomeOf(error),
    latencyMs: event === undefined ? null : latencyOf(event),
    facts: event === undefined ? [] : factsOf(event),
    agent,
  });
  if (index >= 0) observed.add(index);
}

interface ToolError {
  readonly type: string;
  readonly message: string;
}

/** `{type, message}`, or a text in old logs; null where the call went well. */
function errorOf(error: Json, resolve: Resolve): ToolError | null {
  if (typeof error === 'string') return error === '' ? null : { type: 'unknown', message: error };
  if (!isObject(error)) return null;
  const message = asString(resolve(error['message'] ?? null)) ?? '';
  return { type: asString(error['type']) ?? 'unknown', message };
}

function outcomeOf(error: ToolError | null): Pick<Observed, 'failed' | 'timedOut' | 'refused' | 'failure'> {
  if (error === null) return { failed: false };
  const failure = (error.message === '' ? error.type : error.message).slice(0, 300);
  const refused = error.type === 'permission' || error.type === 'approval';
  return { failed: true, timedOut: error.type === 'timeout', refused, failure };
}

function factsOf(event: JsonObject): NamedValue[] {
  const facts: NamedValue[] = [];
  for (const key of ['agent', 'truncated', 'working_time']) {
    const value = event[key];
    if (value !== undefined && value !== null && typeof value !== 'object') facts.push({ name: key, value });
    else if (Array.isArray(value) && value.length <= 2) facts.push({ name: key, value });
  }
  return facts;
}

/** A call that a limit stopped has no message, only its event. */
function closeCalls({ draft, events, resolve, observed }: Context): void {
  for (const [id, index] of draft.callOfId) {
    const event = events.tools.get(id);
    const call = draft.calls[index];
    if (event === undefined || call === undefined || observed.has(index)) continue;
    const error = errorOf(event['error'] ?? null, resolve);
    const result = resolve(event['result'] ?? null);
    const text = typeof result === 'number' || typeof result === 'boolean' ? String(result) : textOf(result);
    const { timedOut, refused, failure } = outcomeOf(error);
    const isDone = error !== null || text !== '';
    const outcome = timedOut === true ? 'timeout' : refused === true ? 'refused' : error === null ? 'ok' : 'failed';
    draft.calls[index] = {
      ...call,
      outcome: call.outcome !== 'unknown' || !isDone ? call.outcome : outcome,
      failure: failure ?? call.failure,
      observation: text === '' ? (error?.message ?? '') : text,
      latencyMs: latencyOf(event),
      facts: [...call.facts, ...factsOf(event)],
    };
  }
}
