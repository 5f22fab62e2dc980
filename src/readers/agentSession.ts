/**
 * Sessions of coding agents: Claude Code, Codex and Hugging Face traces (formats.md 6.7), an event a line and the whole
 * file one episode. No step, no reward. A side chain of Claude Code is a sub-agent; events that only repeat or measure
 * (snapshots, Codex's `event_msg`) are no turns. A grown file is read from its beginning: its episode has grown.
 * Leaves out editing history (which of two branches of a session went on).
 */
import { isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { RecordPlace, Rollout } from '../model/rollout.ts';
import { maximumRecordBytes } from './byteWindow.ts';
import { turnsOfMessages } from './chatMessages.ts';
import { extrasOf } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { readJsonLines } from './jsonLines.ts';
import { roleOf } from './messageParts.ts';
import type { Head, Reader, ReadOptions, ReadSummary, Recognition } from './reader.ts';
import { addEvent, newSession, type Session, type SessionKind } from './sessionEvents.ts';
import { bytesSource, type Source } from './source.ts';

const format = 'agent-session';
const producers: Readonly<Record<SessionKind, string>> = {
  'claude-code': 'Claude Code',
  codex: 'Codex',
  'hugging-face': 'agent session (Hugging Face trace)',
};
const claudeFirsts = new Set(['summary', 'file-history-snapshot']);

/** The reader of agent sessions. */
export const agentSessionReader: Reader = {
  format,
  version: 1,
  recognise: (head) => {
    const kind = head.container === 'jsonl' ? kindOfHead(head) : null;
    return kind === null ? null : { format, producer: producers[kind], variant: kind, holds: 'episode' };
  },
  stepOfName: () => null,
  read: readSession,
  readOne: async (source, place, recognition) => {
    const bytes = await source.read(place.bytes.first, place.bytes.count);
    if (bytes.length < place.bytes.count) return null;
    let found: Rollout | null = null;
    await readSession(bytesSource(source.name, bytes), {
      recognition,
      from: null,
      signal: new AbortController().signal,
      rollout: (rollout) => (found = rollout),
      note: () => undefined,
    });
    return found === null ? null : { ...(found as Rollout), place };
  },
};

function kindOfHead({ keys, first }: Head): SessionKind | null {
  const type = isObject(first) ? first['type'] : null;
  if (keys.has('type') && keys.has('harness') && (first === null || type === 'session')) return 'hugging-face';
  if (keys.has('type') && keys.has('payload') && keys.has('timestamp')) return 'codex';
  if (keys.has('sessionId') && keys.has('type')) return 'claude-code';
  return typeof type === 'string' && claudeFirsts.has(type) ? 'claude-code' : null;
}

function kindOf({ variant }: Recognition): SessionKind {
  return variant === 'codex' || variant === 'hugging-face' ? variant : 'claude-code';
}

/** Reads all events into one rollout; the session is the one record, a line that is no event is noted. */
async function readSession(source: Source, options: ReadOptions): Promise<ReadSummary> {
  const session = newSession(kindOf(options.recognition));
  let bytes = 0;
  const summary = await readJsonLines(source, {
    from: null,
    signal: options.signal,
    note: options.note,
    progress: options.progress,
    record: (value, place) => {
      if (!isObject(value)) return 'the line is no event';
      bytes += place.bytes.count;
      if (bytes > maximumRecordBytes) return 'the session is too long to be read further';
      addEvent(session, value);
      return null;
    },
  });
  const end = summary.next.bytes.first;
  const { skipped, noted } = summary;
  if (session.messages.length === 0) {
    if (noted > 0 || summary.read === 0) return { ...summary, lines: skipped + noted, read: 0 };
    const message = 'the session has no messages';
    options.note({ severity: 'information', code: 'not-a-record', file: source.name, line: null, message });
    return { ...summary, lines: 1 + skipped, read: 0, noted: 1 };
  }
  const place = { row: 0, line: 0, bytes: { first: 0, count: end } };
  options.rollout(rolloutOf(session, place, options.recognition.producer));
  return {
    lines: 1 + skipped + noted,
    read: 1,
    skipped,
    noted,
    next: { row: 1, line: summary.next.line, bytes: { first: end, count: 0 } },
  };
}

function rolloutOf(session: Session, place: RecordPlace, producer: string): Rollout {
  const { messages, about } = session;
  const { facts, ...conversation } = turnsOfMessages(messages, {
    prompt: 'before-first-assistant',
    about: (index) => about[index] ?? null,
  });
  return buildRollout({
    ...conversation,
    place,
    producer,
    group: { key: inferredGroupKey(promptOf(messages), null), source: 'inferred' },
    id: session.id,
    modelTokens: session.modelTokens,
    stopReason: session.stopReason,
    extras: [...extrasOf(session.facts, new Set()), ...facts],
  });
}

function promptOf(messages: readonly JsonObject[]): string {
  const reply = messages.findIndex((message) => roleOf(textOf(message['role'] ?? message['type'])) === 'policy');
  return JSON.stringify(messages.slice(0, reply < 0 ? messages.length : reply));
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
