/**
 * Events of the OpenHands V1 SDK (`{kind: "ActionEvent" | "ObservationEvent" | "MessageEvent" | …, id, timestamp, source}`)
 * as turns. Actions with one `llm_response_id` are calls of one turn; an observation, a rejection or an error of the
 * scaffold answers its call by `tool_call_id`. Token events give the ids of the turn before them.
 * Owned by openHands.ts; leaves out prompt token ids, condensations and updates of the conversation's state.
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import type { NamedValue } from '../model/rollout.ts';
import { addObservation, addTurn, type EpisodeDraft, numbersOf, objectAt, type SaidCall } from './episodeDraft.ts';
import { extrasOf } from './extras.ts';
import { readCall } from './messageParts.ts';
import type { EventFacts } from './openHandsV0.ts';

const controlTools: ReadonlySet<string> = new Set(['finish', 'think', 'delegate', 'task_tracker']);
const placedObservation: ReadonlySet<string> = new Set([
  'content',
  'kind',
  'command',
  'is_error',
  'output',
  'metadata',
]);

interface Reading {
  readonly draft: EpisodeDraft;
  replied: boolean;
  answer: string | null;
  stopReason: string | null;
  tokens: number | null;
}

/** Reads events in log order into the draft. */
export function readV1Events(draft: EpisodeDraft, events: readonly JsonObject[]): EventFacts {
  const reading: Reading = { draft, replied: false, answer: null, stopReason: null, tokens: null };
  for (let index = 0; index < events.length; index++) {
    const event = events[index];
    if (event === undefined) break;
    if (event['kind'] !== 'ActionEvent') {
      readEvent(reading, event);
      continue;
    }
    const batch = [event];
    const response = asString(event['llm_response_id']);
    for (let next = events[index + 1]; response !== null && isSameResponse(next, response); next = events[index + 1]) {
      batch.push(next);
      index++;
    }
    readActions(reading, batch);
  }
  const extras: NamedValue[] = [];
  const first = asString(events[0]?.['timestamp']);
  const last = asString(events.at(-1)?.['timestamp']);
  if (first !== null) extras.push({ name: 'started', value: first });
  if (last !== null) extras.push({ name: 'ended', value: last });
  const { answer, stopReason, tokens: modelTokens } = reading;
  return { version: 'OpenHands V1', answer, modelTokens, stopReason, extras };
}

function isSameResponse(event: JsonObject | undefined, response: string): event is JsonObject {
  return event?.['kind'] === 'ActionEvent' && event['llm_response_id'] === response;
}

function readActions(reading: Reading, batch: readonly JsonObject[]): void {
  reading.replied = true;
  const calls = batch.map(callOfEvent);
  addTurn(reading.draft, {
    role: 'policy',
    loggedRole: asString(batch[0]?.['source']) ?? 'agent',
    content: batch.flatMap((event) => asArray(event['thought'])),
    reasoning: batch.map(reasoningOf).find((text) => text !== null) ?? null,
    calls,
  });
  const finish = calls.find((call) => call.tool === 'finish');
  if (finish === undefined) return;
  reading.stopReason = 'finish';
  const said = isObject(finish.arguments) ? asString(finish.arguments['message']) : null;
  if (said !== null && said !== '') reading.answer = said;
}

function callOfEvent(event: JsonObject): SaidCall {
  const written = readCall(objectAt(event, 'tool_call'));
  const id = asString(event['tool_call_id']) ?? written.id;
  const tool = asString(event['tool_name']) ?? written.tool;
  const action = event['action'];
  const facts: NamedValue[] = [];
  for (const name of ['summary', 'security_risk']) {
    const value = asString(event[name]);
    if (value !== null && value !== '' && value !== 'UNKNOWN') facts.push({ name, value });
  }
  const control = tool !== null && controlTools.has(tool);
  const given = written.raw === '' && isObject(action) ? withoutKind(action) : written.arguments;
  const raw = written.raw === '' ? JSON.stringify(given) : written.raw;
  return { ...written, id, tool, arguments: given, raw, control, facts };
}

function withoutKind(action: JsonObject): Json {
  const given: Record<string, Json> = {};
  for (const [name, value] of Object.entries(action)) if (name !== 'kind' && value !== undefined) given[name] = value;
  return given;
}

function reasoningOf(event: JsonObject): string | null {
  const text = asString(event['reasoning_content']) ?? '';
  if (text !== '') return text;
  const blocks = asArray(event['thinking_blocks']).filter(isObject);
  const texts = blocks.flatMap((block) => asString(block['thinking']) ?? []);
  return texts.length === 0 ? null : texts.join('\n');
}

function readEvent(reading: Reading, event: JsonObject): void {
  const { draft } = reading;
  const loggedRole = asString(event['source']) ?? '';
  const prompt = !reading.replied;
  switch (asString(event['kind']) ?? '') {
    case 'SystemPromptEvent':
      addTurn(draft, { role: 'system', loggedRole, content: event['system_prompt'] ?? null, prompt });
      return;
    case 'MessageEvent':
      readMessageEvent(reading, event, loggedRole);
      return;
    case 'ObservationEvent':
      readObservation(draft, event);
      return;
    case 'UserRejectObservation':
      addAnswer(draft, event, { refused: true, text: asString(event['rejection_reason']) ?? '' });
      return;
    case 'AgentErrorEvent':
      addAnswer(draft, event, { refused: false, text: asString(event['error']) ?? '' });
      return;
    case 'ConversationErrorEvent':
      reading.stopReason = asString(event['code']) ?? 'error';
      addTurn(draft, { role: 'other', loggedRole, content: asString(event['detail']) ?? '' });
      return;
    case 'TokenEvent':
      addTokens(reading, event);
      return;
  }
}

function readMessageEvent(reading: Reading, event: JsonObject, loggedRole: string): void {
  const message = objectAt(event, 'llm_message');
  const content: Json = [...asArray(message['content']), ...asArray(event['extended_content'])];
  const role = asString(message['role']) ?? loggedRole;
  if (role === 'assistant' || loggedRole === 'agent') {
    reading.replied = true;
    const reasoning = asString(message['reasoning_content']);
    addTurn(reading.draft, { role: 'policy', loggedRole, content, reasoning });
    return;
  }
  const prompt = !reading.replied;
  addTurn(reading.draft, { role: role === 'system' ? 'system' : 'user', loggedRole, content, prompt });
}

function readObservation(draft: EpisodeDraft, event: JsonObject): void {
  const observation = objectAt(event, 'observation');
  const metadata = objectAt(observation, 'metadata');
  const code = asNumber(observation['exit_code']) ?? asNumber(metadata['exit_code']);
  const flag = observation['is_error'] ?? observation['error'];
  const timedOut = observation['timeout'] === true || code === -1;
  const failed = flag === true || (code !== null && code !== 0);
  const written = observation['content'] ?? observation['output'] ?? null;
  const content: Json = Array.isArray(written) ? [...asArray(written), ...asArray(event['extended_content'])] : written;
  addObservation(draft, {
    calls: callsOf(draft, event),
    loggedRole: asString(event['source']) ?? 'environment',
    content,
    timedOut,
    failed,
    facts: extrasOf(observation, placedObservation),
  });
}

/** A rejection by a person or a hook, or an error of the scaffold (an unknown tool, arguments that do not fit). */
function addAnswer(
  draft: EpisodeDraft,
  event: JsonObject,
  { refused, text }: { readonly refused: boolean; readonly text: string },
): void {
  const loggedRole = asString(event['source']) ?? 'environment';
  addObservation(draft, {
    calls: callsOf(draft, event),
    loggedRole,
    content: text,
    refused,
    failed: true,
    failure: text.slice(0, 300),
  });
}

function callsOf(draft: EpisodeDraft, event: JsonObject): readonly number[] {
  const call = draft.callOfId.get(asString(event['tool_call_id']) ?? '');
  return call === undefined ? [] : [call];
}

/** Ids of what the model wrote last; they are logged behind its turn. */
function addTokens(reading: Reading, event: JsonObject): void {
  const ids = numbersOf(event['response_token_ids']);
  const at = reading.draft.turns.findLastIndex((turn) => turn.role === 'policy');
  const turn = reading.draft.turns[at];
  if (ids === null || ids.length === 0 || turn === undefined || turn.tokenValues !== null) return;
  const tokenValues = { ids, texts: null, logprobs: null, referenceLogprobs: null, others: [] };
  reading.draft.turns[at] = { ...turn, tokens: ids.length, tokenValues };
  reading.tokens = (reading.tokens ?? 0) + ids.length;
}
