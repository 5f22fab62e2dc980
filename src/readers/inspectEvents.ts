/**
 * What the events of an Inspect sample say of its messages: the tool event of each call, the model event of each message
 * of the main agent, and what sub-agents said (event/_model.py, _tool.py, _span.py of inspect_ai 0.3).
 * A model event whose message is not in the conversation belongs to a sub-agent if an agent span, a tool or a subtask
 * deeper than the main agent's holds it. Leaves out graders, side calls without a span, and all other events.
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import type { SubAgent, TokenValues } from '../model/rollout.ts';

/** Replaces references to attachments by what they refer to. */
export type Resolve = (value: Json) => Json;

/** A message of a sub-agent; `event` is the model event that wrote it, null for what it was told. */
export interface SideMessage {
  readonly message: JsonObject;
  readonly agent: SubAgent;
  readonly event: JsonObject | null;
}

/** The events of a sample, by what they belong to. */
export interface SampleEvents {
  /** By the id of the call. */
  readonly tools: ReadonlyMap<string, JsonObject>;
  /** By the index of the message in the conversation. */
  readonly models: ReadonlyMap<number, JsonObject>;
  /** Behind the message at that index of the conversation; -1 for what came before the first one of the policy. */
  readonly side: ReadonlyMap<number, readonly SideMessage[]>;
}

interface Span {
  readonly parent: string | null;
  readonly isAgent: boolean;
  readonly isScorer: boolean;
  readonly name: string;
}

/** A model event and the span it is in. */
interface Said {
  readonly event: JsonObject;
  readonly span: string | null;
}

/** Reads the events of a sample whose conversation is `messages`. */
export function readEvents(sample: JsonObject, messages: readonly Json[], resolve: Resolve): SampleEvents {
  const spans = new Map<string, Span>();
  const tools = new Map<string, JsonObject>();
  const said: Said[] = [];
  const transcript = isObject(sample['transcript']) ? sample['transcript'] : {};
  collect(asArray(sample['events'] ?? transcript['events']), { spans, tools, said, inside: null, scorer: 0 });
  const ownMessage = matcherOf(messages, resolve);
  const matched = said.map(({ event }) => ownMessage(event));
  const models = new Map<number, JsonObject>();
  let mainDepth = Infinity;
  for (const [at, index] of matched.entries()) {
    const own = said[at];
    if (index === null || own === undefined) continue;
    models.set(index, own.event);
    mainDepth = Math.min(mainDepth, agentsOf(spans, own.span).length);
  }
  if (mainDepth === Infinity) mainDepth = 0;
  const pool = asArray((isObject(sample['events_data']) ? sample['events_data'] : sample)[poolKey(sample)]);
  const told = tellerOf(pool, messages);
  const side = new Map<number, SideMessage[]>();
  let anchor = -1;
  for (const [at, { event, span }] of said.entries()) {
    const own = matched[at] ?? null;
    if (own !== null) {
      anchor = own;
      continue;
    }
    const agents = agentsOf(spans, span);
    const [nearest] = agents;
    const depth = agents.length - mainDepth;
    if (nearest === undefined || depth < 1) continue;
    const agent = { name: spans.get(nearest)?.name ?? nearest, depth };
    const list = side.get(anchor) ?? [];
    side.set(anchor, list);
    for (const message of told(event, nearest)) list.push({ message, agent, event: null });
    const message = messageOf(event);
    if (message !== null) list.push({ message, agent, event });
  }
  return { tools, models, side };
}

/** The message a model event brought; null where the call failed. */
function messageOf(event: JsonObject): JsonObject | null {
  const choice = choiceOf(event);
  return choice !== null && isObject(choice['message']) ? choice['message'] : null;
}

function choiceOf(event: JsonObject): JsonObject | null {
  const output = isObject(event['output']) ? event['output'] : {};
  const choice = asArray(output['choices'])[0] ?? null;
  return isObject(choice) ? choice : null;
}

function poolKey(sample: JsonObject): string {
  return isObject(sample['events_data']) ? 'messages' : 'message_pool';
}

interface Collected {
  readonly spans: Map<string, Span>;
  readonly tools: Map<string, JsonObject>;
  readonly said: Said[];
  /** The span made for the tool or subtask whose own list this is; null in the sample's list. */
  readonly inside: string | null;
  /** Scorer steps that are open (logs before spans). */
  readonly scorer: number;
}

/** Walks a list of events; a tool or a subtask of an old log has a list of its own. */
function collect(events: readonly Json[], into: Collected): void {
  let { scorer } = into;
  for (const event of events) {
    if (!isObject(event)) continue;
    const span = asString(event['span_id']) ?? into.inside;
    switch (event['event']) {
      case 'span_begin': {
        const id = asString(event['id']);
        if (id === null) break;
        const type = asString(event['type']) ?? '';
        const name = asString(event['name']) ?? '';
        const isScorer = type === 'scorer' || type === 'scorers' || name === 'scorers';
        const parent = asString(event['parent_id']) ?? into.inside;
        into.spans.set(id, { parent, isAgent: type === 'agent' || type === 'subtask', isScorer, name });
        break;
      }
      case 'step':
        if (event['type'] === 'scorer') scorer += event['action'] === 'begin' ? 1 : -1;
        break;
      case 'model':
        if (scorer <= 0) into.said.push({ event, span });
        break;
      case 'tool':
      case 'subtask': {
        const id = asString(event['id']);
        if (id !== null && event['event'] === 'tool') into.tools.set(id, event);
        const own = asArray(event['events']);
        if (own.length === 0) break;
        const name = asString(event['agent']) ?? asString(event['function']) ?? asString(event['name']) ?? 'subtask';
        // No id of a log has a NUL.
        const inside = `\0${into.spans.size}`;
        into.spans.set(inside, { parent: span, isAgent: true, isScorer: false, name });
        collect(own, { ...into, inside, scorer });
        break;
      }
      default:
        break;
    }
  }
}

const deepestSpan = 200;

/** The agent spans around a span, innermost first; none inside a scorer. */
function agentsOf(spans: ReadonlyMap<string, Span>, id: string | null): readonly string[] {
  const agents: string[] = [];
  let at = id;
  // A log may say that a span is its own parent.
  for (let level = 0; at !== null && level < deepestSpan; level++) {
    const span = spans.get(at);
    if (span === undefined) break;
    if (span.isScorer) return [];
    if (span.isAgent) agents.push(at);
    at = span.parent;
  }
  return agents;
}

/**
 * Which message of the conversation a model event wrote: by id, else (logs before messages had ids) by what it says and
 * calls. Each message is written once.
 */
function matcherOf(messages: readonly Json[], resolve: Resolve): (event: JsonObject) => number | null {
  const byId = new Map<string, number>();
  const bySigns = new Map<string, number[]>();
  for (const [index, message] of messages.entries()) {
    if (!isObject(message) || message['role'] !== 'assistant') continue;
    const id = asString(message['id']);
    if (id !== null) byId.set(id, index);
    const signs = signsOf(message, resolve);
    const same = bySigns.get(signs);
    if (same === undefined) bySigns.set(signs, [index]);
    else same.push(index);
  }
  const used = new Set<number>();
  return (event) => {
    const message = messageOf(event);
    if (message === null) return null;
    const id = asString(message['id']);
    const named = id === null ? undefined : byId.get(id);
    if (named !== undefined) return named;
    if (id !== null && byId.size > 0) return null;
    const same = bySigns.get(signsOf(message, resolve));
    const index = same?.find((candidate) => !used.has(candidate));
    if (index !== undefined) used.add(index);
    return index ?? null;
  };
}

/** Text and call ids: the same message has the same wherever it is logged. */
function signsOf(message: JsonObject, resolve: Resolve): string {
  const ids = asArray(message['tool_calls']).map((call) => (isObject(call) ? (asString(call['id']) ?? '') : ''));
  return `${ids.join(' ')}\0${textOf(resolve(message['content'] ?? null))}`;
}

/** The texts of a content, joined. */
export function textOf(content: Json): string {
  if (typeof content === 'string') return content;
  return asArray(content)
    .map((part) => (isObject(part) ? (asString(part['text']) ?? '') : typeof part === 'string' ? part : ''))
    .filter((text) => text !== '')
    .join('\n');
}

/** Inputs repeat the whole conversation so far; past so many messages no more is looked at. */
const mostTold = 200_000;

/** What a sub-agent was told that was not shown yet: neither in the conversation nor before in its own span. */
function tellerOf(pool: readonly Json[], messages: readonly Json[]) {
  const seen = new Set<string>();
  for (const message of messages) {
    const id = isObject(message) ? asString(message['id']) : null;
    if (id !== null) seen.add(id);
  }
  const countOf = new Map<string, number>();
  let left = mostTold;
  return (event: JsonObject, span: string): readonly JsonObject[] => {
    const input = inputOf(event, pool, left);
    left -= input.length;
    const before = countOf.get(span) ?? 0;
    countOf.set(span, Math.max(before, input.length + 1));
    const own = asString(messageOf(event)?.['id']);
    const news = input.filter((message, index) => {
      const id = asString(message['id']);
      if (id === null) return index >= before;
      if (seen.has(id)) return false;
      seen.add(id);
      return true;
    });
    if (own !== null) seen.add(own);
    return news;
  };
}

/** The messages a model was given: logged in the event, or as ranges of the pool. */
function inputOf(event: JsonObject, pool: readonly Json[], most: number): readonly JsonObject[] {
  const logged = asArray(event['input']);
  if (logged.length > 0) return logged.slice(0, most).filter(isObject);
  return expandRefs(event['input_refs'], pool, most).filter(isObject);
}

/** Half-open ranges of a pool → its items, at most `most`. */
export function expandRefs(refs: Json | undefined, pool: readonly Json[], most: number): readonly Json[] {
  const items: Json[] = [];
  for (const range of asArray(refs)) {
    if (items.length >= most) break;
    const [first, end] = asArray(range);
    if (typeof first !== 'number' || typeof end !== 'number' || !(first >= 0) || !(end > first)) continue;
    const count = Math.min(end - first, most - items.length);
    for (const item of pool.slice(first, first + count)) items.push(item);
  }
  return items;
}

/** Tokens of what a model event wrote, null where the log does not say. */
export function outputTokensOf(event: JsonObject): number | null {
  const output = isObject(event['output']) ? event['output'] : {};
  const usage = isObject(output['usage']) ? output['usage'] : {};
  return asNumber(usage['output_tokens']);
}

/** Time of an event in milliseconds: what the model's API took, else start to end, else its working time. */
export function latencyOf(event: JsonObject): number | null {
  const output = isObject(event['output']) ? event['output'] : {};
  const seconds = asNumber(output['time']);
  if (seconds !== null && seconds >= 0) return seconds * 1000;
  const elapsed = Date.parse(asString(event['completed']) ?? '') - Date.parse(asString(event['timestamp']) ?? '');
  if (Number.isFinite(elapsed) && elapsed >= 0) return elapsed;
  const working = asNumber(event['working_time']);
  return working !== null && working >= 0 ? working * 1000 : null;
}

/** The log-probs of what a model event wrote; null where there are none. */
export function tokenValuesOf(event: JsonObject): TokenValues | null {
  const choice = choiceOf(event);
  const logged = choice !== null && isObject(choice['logprobs']) ? asArray(choice['logprobs']['content']) : [];
  const tokens = logged.filter(isObject);
  if (tokens.length === 0 || tokens.length !== logged.length) return null;
  return {
    ids: null,
    texts: tokens.map((token) => asString(token['token']) ?? ''),
    logprobs: tokens.map((token) => asNumber(token['logprob']) ?? Number.NaN),
    referenceLogprobs: null,
    others: [],
  };
}
