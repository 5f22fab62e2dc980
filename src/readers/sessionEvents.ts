/**
 * The events of an agent's session → its messages and what is known of each (formats.md 6.7). One function an agent.
 * Owned by agentSession.ts; leaves out the shapes of messages (messageParts.ts).
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import type { MessageFacts } from './chatMessages.ts';

/** Whose session it is. */
export type SessionKind = 'claude-code' | 'codex' | 'hugging-face';

/** A session while it is read. */
export interface Session {
  readonly kind: SessionKind;
  readonly messages: JsonObject[];
  /** What is known of the message at the same index. */
  readonly about: (MessageFacts | null)[];
  /** Facts of the whole session, shown with the rollout. */
  facts: Record<string, Json>;
  id: string | null;
  modelTokens: number | null;
  stopReason: string | null;
  /** Id of the model's message the last lines are pieces of. */
  openMessage: string | null;
  /** Its content so far, which further lines add to. */
  openContent: Json[];
}

/** A session without events. */
export function newSession(kind: SessionKind): Session {
  return {
    kind,
    messages: [],
    about: [],
    facts: {},
    id: null,
    modelTokens: null,
    stopReason: null,
    openMessage: null,
    openContent: [],
  };
}

/** Adds one event. */
export function addEvent(session: Session, event: JsonObject): void {
  if (session.kind === 'codex') addCodex(session, event);
  else if (session.kind === 'claude-code') addClaude(session, event);
  else addTrace(session, event);
}

function push(session: Session, message: JsonObject, about: MessageFacts | null): void {
  session.messages.push(message);
  session.about.push(about);
}

function keep(session: Session, record: JsonObject, names: readonly string[]): void {
  for (const name of names) {
    const value = record[name];
    if (value !== undefined && value !== null && !Object.hasOwn(session.facts, name)) session.facts[name] = value;
  }
}

/** Hugging Face: a head line, then messages. */
function addTrace(session: Session, event: JsonObject): void {
  if (event['type'] === 'session') {
    session.id ??= asString(event['id']);
    keep(session, event, ['harness', 'name', 'model', 'cwd', 'timestamp', 'version']);
    return;
  }
  const message = isObject(event['message']) ? event['message'] : null;
  if (message === null) return;
  keep(session, message, ['model']);
  const tokens = isObject(message['usage']) ? outputTokens(message['usage']) : null;
  count(session, tokens);
  session.stopReason = asString(message['stopReason']) ?? session.stopReason;
  push(session, message, tokens === null ? null : { tokens });
}

/** Claude Code: a message of the model comes in several lines, a content block each. */
function addClaude(session: Session, event: JsonObject): void {
  session.id ??= asString(event['sessionId']);
  keep(session, event, ['cwd', 'gitBranch', 'version', 'summary']);
  const message = isObject(event['message']) ? event['message'] : null;
  if (message === null) {
    const text = event['type'] === 'system' ? asString(event['content']) : null;
    if (text !== null && text !== '') push(session, { role: 'system', content: text }, null);
    return;
  }
  keep(session, message, ['model']);
  session.stopReason = asString(message['stop_reason']) ?? session.stopReason;
  const id = asString(message['id']);
  const tokens = isObject(message['usage']) ? outputTokens(message['usage']) : null;
  if (id !== null && id === session.openMessage) {
    for (const block of blocks(message['content'])) session.openContent.push(block);
    const known = session.about[session.about.length - 1] ?? null;
    // Every line of a message repeats its usage, the last one counts.
    count(session, tokens === null ? null : tokens - (known?.tokens ?? 0));
    session.about[session.about.length - 1] = tokens === null ? known : { ...known, tokens };
    return;
  }
  session.openMessage = id;
  session.openContent = [...blocks(message['content'])];
  count(session, tokens);
  const name = asString(event['agentId']) ?? 'sub-agent';
  const agent = event['isSidechain'] === true ? { name, depth: 1 } : null;
  push(session, id === null ? message : { ...message, content: session.openContent }, { agent, tokens });
}

const codexFacts = ['cwd', 'originator', 'cli_version', 'model_provider', 'source', 'git'];

/** Codex: items of the Responses API inside `payload`; other events repeat them or measure. */
function addCodex(session: Session, event: JsonObject): void {
  const payload = isObject(event['payload']) ? event['payload'] : {};
  switch (asString(event['type']) ?? '') {
    case 'session_meta': {
      session.id ??= asString(payload['id']);
      keep(session, payload, codexFacts);
      const instructions = asString(payload['instructions']);
      if (instructions !== null && instructions !== '') push(session, { role: 'system', content: instructions }, null);
      return;
    }
    case 'turn_context':
      keep(session, payload, ['model', 'effort', 'approval_policy']);
      return;
    case 'response_item':
      push(session, payload, null);
      return;
    case 'compacted': {
      const text = asString(payload['message']);
      if (text !== null) push(session, { role: 'system', content: text }, null);
      return;
    }
    case 'event_msg': {
      const info = payload['type'] === 'token_count' && isObject(payload['info']) ? payload['info'] : {};
      const usage = isObject(info['total_token_usage']) ? outputTokens(info['total_token_usage']) : null;
      session.modelTokens = usage ?? session.modelTokens;
    }
  }
}

function blocks(content: Json | undefined): readonly Json[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : asArray(content);
}

function outputTokens(usage: JsonObject): number | null {
  return asNumber(usage['output_tokens']) ?? asNumber(usage['output']);
}

function count(session: Session, tokens: number | null): void {
  const sum = (session.modelTokens ?? 0) + (tokens ?? 0);
  if (tokens !== null && Number.isFinite(sum)) session.modelTokens = sum;
}
