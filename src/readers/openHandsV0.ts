/**
 * Events of OpenHands V0 (`{id, timestamp, source, action + args | observation + content + extras, cause, …}`) as turns:
 * an action of the agent is a turn with one call, its observation (found by `cause`) a tool turn. Messages are turns
 * without calls. T counts actions that reach a tool; think, finish and delegate only steer. Between a `delegate` action
 * and its observation the delegate speaks. Owned by openHands.ts; leaves out the recalled knowledge of micro-agents and
 * changes of the agent's state but for the last, which says how the episode ended.
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import type { NamedValue, SubAgent } from '../model/rollout.ts';
import { addObservation, addTurn, callOf, type EpisodeDraft, objectAt, type SaidCall } from './episodeDraft.ts';
import { extrasOf, isSmall } from './extras.ts';
import { readCall } from './messageParts.ts';

/** What the events say of the whole episode. */
export interface EventFacts {
  /** "OpenHands V0". */
  readonly version: string;
  /** The final message of a finish action; null where there is none. */
  readonly answer: string | null;
  readonly modelTokens: number | null;
  readonly stopReason: string | null;
  readonly extras: readonly NamedValue[];
}

/** Actions that are no call of the policy. */
const quiet: ReadonlySet<string> = new Set([
  'change_agent_state',
  'recall',
  'null',
  'condensation',
  'condensation_request',
  'agent_state_changed',
  'start',
  'pause',
  'resume',
  'stop',
]);
const controlActions: ReadonlySet<string> = new Set(['finish', 'think', 'delegate', 'reject', 'task_tracking']);
/** Arguments that are not the tool's. */
const notArguments: ReadonlySet<string> = new Set([
  'thought',
  'hidden',
  'confirmation_state',
  'is_confirmed',
  'security_risk',
  'keep_prompt',
  'blocking',
  'is_static',
  'is_input',
  'cwd',
  'set_hard_timeout',
]);

/** Where the reading of the events stands. */
interface Reading {
  readonly draft: EpisodeDraft;
  /** Call and its agent by the id of the action. */
  readonly callOfEvent: Map<number, number>;
  readonly timeOfEvent: Map<number, number>;
  /** Responses of the model whose tokens are counted. */
  readonly responses: Set<string>;
  readonly agents: SubAgent[];
  replied: boolean;
  answer: string | null;
  tokens: number | null;
  state: string | null;
  reason: string | null;
}

/** Reads events in log order into the draft. */
export function readV0Events(draft: EpisodeDraft, events: readonly JsonObject[]): EventFacts {
  const reading: Reading = {
    draft,
    callOfEvent: new Map(),
    timeOfEvent: new Map(),
    responses: new Set(),
    agents: [],
    replied: false,
    answer: null,
    tokens: null,
    state: null,
    reason: null,
  };
  for (const event of events) {
    if (typeof event['action'] === 'string') readAction(reading, event, event['action']);
    else if (typeof event['observation'] === 'string') readObservation(reading, event, event['observation']);
  }
  const extras: NamedValue[] = [];
  const first = asString(events[0]?.['timestamp']);
  const last = asString(events.at(-1)?.['timestamp']);
  if (first !== null) extras.push({ name: 'started', value: first });
  if (last !== null) extras.push({ name: 'ended', value: last });
  const cost = accumulatedCost(events);
  if (cost !== null) extras.push({ name: 'accumulated_cost', value: cost });
  if (reading.reason !== null) extras.push({ name: 'reason', value: reading.reason.slice(0, 1000) });
  const { answer, tokens: modelTokens, state: stopReason } = reading;
  return { version: 'OpenHands V0', answer, modelTokens, stopReason, extras };
}

function accumulatedCost(events: readonly JsonObject[]): number | null {
  const last = events.findLast((event) => isObject(event['llm_metrics']));
  return last === undefined ? null : asNumber(objectAt(last, 'llm_metrics')['accumulated_cost']);
}

function readAction(reading: Reading, event: JsonObject, action: string): void {
  const { draft } = reading;
  const args = objectAt(event, 'args');
  const agent = reading.agents.at(-1) ?? null;
  const loggedRole = asString(event['source']) ?? '';
  if (action === 'system') {
    addTurn(draft, { role: 'system', loggedRole, content: args['content'] ?? null, prompt: !reading.replied, agent });
    return;
  }
  if (action === 'message') {
    readMessageAction(reading, event, { args, agent, loggedRole });
    return;
  }
  if (quiet.has(action)) return;
  // What the user or the environment does (a command typed by a person) is no call of the policy.
  if (loggedRole !== 'agent') {
    const content = `[${action}] ${asString(args['command']) ?? asString(args['content']) ?? ''}`;
    addTurn(draft, { role: loggedRole === 'user' ? 'user' : 'other', loggedRole, content, prompt: !reading.replied });
    return;
  }
  reading.replied = true;
  const [call = -1] = addTurn(draft, {
    role: 'policy',
    loggedRole,
    content: thoughtOf(args),
    reasoning: reasoningOf(event),
    calls: [callOfAction(event, action, args)],
    tokens: tokensOf(reading, event),
    agent,
  });
  const id = asNumber(event['id']);
  if (id !== null) {
    reading.callOfEvent.set(id, call);
    const time = millisecondsOf(event);
    if (time !== null) reading.timeOfEvent.set(id, time);
  }
  if (action === 'finish' || action === 'reject') {
    const said = asString(args['final_thought']) ?? asString(objectAt(args, 'outputs')['content']) ?? '';
    // A delegate that finishes speaks until its observation is there.
    if (agent === null) {
      reading.answer = said === '' ? reading.answer : said;
      reading.state = reading.state ?? action;
    }
  }
  if (action === 'delegate') {
    reading.agents.push({ name: asString(args['agent']) ?? 'delegate', depth: reading.agents.length + 1 });
  }
}

interface MessageAction {
  readonly args: JsonObject;
  readonly agent: SubAgent | null;
  readonly loggedRole: string;
}

function readMessageAction(reading: Reading, event: JsonObject, { args, agent, loggedRole }: MessageAction): void {
  const text = asString(args['content']) ?? asString(event['message']) ?? '';
  const content = withImages(text, args['image_urls'] ?? args['images_urls']);
  if (loggedRole === 'agent') {
    reading.replied = true;
    const tokens = tokensOf(reading, event);
    addTurn(reading.draft, { role: 'policy', loggedRole, content, reasoning: reasoningOf(event), tokens, agent });
  } else {
    const role = loggedRole === 'user' ? 'user' : 'other';
    addTurn(reading.draft, { role, loggedRole, content, prompt: !reading.replied, agent });
  }
}

function withImages(text: string, urls: Json | undefined): Json {
  const images = asArray(urls).flatMap((url) =>
    typeof url === 'string' ? [{ type: 'image_url', image_url: url }] : [],
  );
  return images.length === 0 ? text : [{ type: 'text', text }, ...images];
}

function thoughtOf(args: JsonObject): string {
  return asString(args['thought']) ?? '';
}

/** The model's reasoning stands in the response that is logged with the call. */
function reasoningOf(event: JsonObject): string | null {
  return asString(messageOf(event)['reasoning_content']);
}

function messageOf(event: JsonObject): JsonObject {
  const response = objectAt(objectAt(event, 'tool_call_metadata'), 'model_response');
  const choice = asArray(response['choices'])[0];
  return isObject(choice) ? objectAt(choice, 'message') : {};
}

/** Tokens of the response, once: several actions may come from one. */
function tokensOf(reading: Reading, event: JsonObject): number | null {
  const response = objectAt(objectAt(event, 'tool_call_metadata'), 'model_response');
  const tokens = asNumber(objectAt(response, 'usage')['completion_tokens']);
  const id = asString(response['id']) ?? `event ${asString(event['id']) ?? asNumber(event['id']) ?? ''}`;
  if (tokens === null || reading.responses.has(id)) return null;
  reading.responses.add(id);
  reading.tokens = (reading.tokens ?? 0) + tokens;
  return tokens;
}

/** The function call as the model wrote it, else the action with its arguments. */
function callOfAction(event: JsonObject, action: string, args: JsonObject): SaidCall {
  const metadata = objectAt(event, 'tool_call_metadata');
  const id = asString(metadata['tool_call_id']);
  const written = asArray(messageOf(event)['tool_calls']).filter(isObject);
  const native = written.map(readCall).find((call) => call.id === id);
  const control = controlActions.has(action);
  if (native !== undefined && id !== null) return { ...native, control };
  const given: Record<string, Json> = {};
  for (const [name, value] of Object.entries(args)) {
    if (value !== undefined && value !== null && !notArguments.has(name)) given[name] = value;
  }
  const tool = asString(metadata['function_name']) ?? action;
  const command = action === 'run' ? asString(args['command']) : null;
  const raw = command ?? JSON.stringify(given);
  return { ...callOf(tool, given, id), raw, control };
}

function readObservation(reading: Reading, event: JsonObject, observation: string): void {
  const extras = objectAt(event, 'extras');
  if (observation === 'agent_state_changed') {
    reading.state = asString(extras['agent_state']) ?? reading.state;
    const reason = asString(extras['reason']) ?? '';
    if (reason !== '') reading.reason = reason;
    return;
  }
  if (observation === 'null' || observation === 'recall' || observation === 'condense') return;
  const cause = asNumber(event['cause']);
  const call = cause === null ? undefined : reading.callOfEvent.get(cause);
  if (observation === 'delegate') reading.agents.pop();
  const agent = reading.agents.at(-1) ?? null;
  const shown = asString(extras['screenshot']) ?? '';
  const urls = asArray(extras['image_urls']);
  const content = withImages(asString(event['content']) ?? '', shown === '' ? [...urls] : [shown, ...urls]);
  const code = asNumber(objectAt(extras, 'metadata')['exit_code']) ?? asNumber(extras['exit_code']);
  const success = event['success'];
  const isError = observation === 'error';
  const started = cause === null ? undefined : reading.timeOfEvent.get(cause);
  const ended = millisecondsOf(event);
  const latencyMs = started === undefined || ended === null || ended < started ? null : ended - started;
  addObservation(reading.draft, {
    calls: call === undefined || call < 0 ? [] : [call],
    loggedRole: observation,
    content,
    // Exit code -1 is a command that still runs: the time it was given is over.
    timedOut: code === -1,
    refused: observation === 'user_rejected',
    failed: isError ? true : typeof success === 'boolean' ? !success : code === null ? false : code !== 0,
    failure: isError ? (asString(event['content']) ?? '').slice(0, 300) : null,
    latencyMs,
    facts: factsOf(extras),
    agent,
  });
}

/** Small values of an observation; the accessibility tree and the page of a browser are left out. */
function factsOf(extras: JsonObject): readonly NamedValue[] {
  const placed = new Set([
    'screenshot',
    'image_urls',
    'set_of_marks',
    'command',
    'metadata',
    'old_content',
    'new_content',
  ]);
  const facts = extrasOf(extras, placed);
  const metadata = objectAt(extras, 'metadata');
  for (const name of ['exit_code', 'working_dir']) {
    const value = metadata[name];
    if (value !== undefined && value !== null && isSmall(value)) facts.push({ name, value });
  }
  return facts;
}

/** Time of an event; without a zone all are of the same one. */
function millisecondsOf(event: JsonObject): number | null {
  const written = asString(event['timestamp']);
  if (written === null) return null;
  const time = Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(written) ? written : `${written}Z`);
  return Number.isNaN(time) ? null : time;
}
