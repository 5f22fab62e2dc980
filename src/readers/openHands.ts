/**
 * OpenHands (formats.md 6.3): a trajectory export, one JSON array of events; `output.jsonl` of the benchmarks, one episode
 * a line with its `history` and what the tests found; and folders with one event a file (sessions of V0, conversations of
 * the V1 SDK), where the first event stands for the episode and the others are read from beside it. Events of V0 are read
 * by openHandsV0.ts, those of V1 by openHandsV1.ts. The other files of such a folder are only named (otherFormats.ts).
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { NamedValue, RecordPlace, Reward, Rollout } from '../model/rollout.ts';
import { type EpisodeDraft, newEpisode, objectAt } from './episodeDraft.ts';
import { extrasOf } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { documentFormat, isDocument } from './jsonDocument.ts';
import { lineFormat } from './lineFormat.ts';
import { type EventFacts, readV0Events } from './openHandsV0.ts';
import { readV1Events } from './openHandsV1.ts';
import { asBuffer, parseJsonBytes } from './parseJson.ts';
import type { Head, Reader } from './reader.ts';

const placedKeys: ReadonlySet<string> = new Set([
  'instance_id',
  'instruction',
  'history',
  'test_result',
  'metadata',
  'metrics',
  'error',
  'instance',
]);

const documents = documentFormat({
  refusal: 'not an OpenHands trajectory: it has no events',
  rollout: (document, { place }) => (Array.isArray(document) ? episodeOf(asArray(document), place) : null),
});

const folders = documentFormat({
  refusal: 'not the first event of an OpenHands conversation',
  rollout: async (document, { place, source }) => {
    if (!isObject(document) || !isFirstEvent(document)) return null;
    const others = await source.beside?.(isV1Event(document) ? 'event-*.json' : '*.json');
    if (others !== undefined && others !== null) return episodeOf(eventsBeside(asBuffer(others), document), place);
    const alone = episodeOf([document], place);
    const value = 'not read: they are not there, or more than 64 MB';
    return alone === null ? null : { ...alone, extras: [...alone.extras, { name: 'further events', value }] };
  },
});

const lines = lineFormat({
  holds: (record) => (isEvaluation(record) ? 1 : 'not an OpenHands evaluation: it has no instance_id or no history'),
  rollout: (record, place) => evaluationOf(record, place),
});

/** The OpenHands reader. */
export const openHandsReader: Reader = {
  format: 'openhands',
  version: 1,
  recognise: (head) => {
    const found = { format: 'openhands', producer: 'OpenHands' };
    if (isEventArray(head)) return { ...found, variant: 'events', holds: 'episode' };
    if (isAlone(head) && isObject(head.first) && isFirstEvent(head.first)) {
      return { ...found, variant: 'folder', holds: 'episode' };
    }
    return isEvaluationHead(head) ? { ...found, variant: 'evaluation' } : null;
  },
  stepOfName: () => null,
  read: (source, options) => shapeOf(options.recognition.variant).read(source, options),
  readOne: (source, place, recognition) => shapeOf(recognition.variant).readOne(source, place, recognition),
};

function shapeOf(variant: string): Pick<Reader, 'read' | 'readOne'> {
  if (variant === 'folder') return folders;
  return variant === 'evaluation' ? lines : documents;
}

function isEventArray(head: Head): boolean {
  if (head.container !== 'json-array' || !head.keys.has('source')) return false;
  if (head.keys.has('action') || head.keys.has('observation')) return true;
  return isObject(head.first) && isV1Event(head.first);
}

function isEvaluationHead(head: Head): boolean {
  if (head.container !== 'jsonl' || !head.keys.has('instance_id') || !head.keys.has('history')) return false;
  if (isObject(head.first)) return Array.isArray(head.first['history']);
  return head.keys.has('test_result') || head.keys.has('metadata');
}

function isEvaluation(record: JsonObject): boolean {
  const id = record['instance_id'];
  return (typeof id === 'string' || typeof id === 'number') && Array.isArray(record['history']);
}

function isV1Event(event: JsonObject): boolean {
  const kind = asString(event['kind']);
  return kind !== null && /(Event|Observation|Condensation|Request)$/.test(kind) && typeof event['source'] === 'string';
}

/** True for one document; lines of events are no folder. */
function isAlone(head: Head): boolean {
  if (!isDocument(head)) return false;
  const text = asBuffer(head.bytes)
    .toString('latin1', 0, 64 * 1024)
    .trim();
  return head.container === 'json-object' || !text.includes('\n');
}

/** The event that opens a conversation: the system prompt in V1, the one with id 0 in V0. */
function isFirstEvent(event: JsonObject): boolean {
  if (isV1Event(event)) return event['kind'] === 'SystemPromptEvent';
  if (event['id'] !== 0 || typeof event['source'] !== 'string' || typeof event['timestamp'] !== 'string') return false;
  return typeof event['action'] === 'string' || typeof event['observation'] === 'string';
}

/** All events of a folder by their ids; files that are none are passed over, one that is being written comes later. */
function eventsBeside(joined: Buffer, first: JsonObject): readonly JsonObject[] {
  const events: JsonObject[] = [];
  for (let at = 0, end = joined.indexOf(0); end >= 0; at = end + 1, end = joined.indexOf(0, at)) {
    const parsed = parseJsonBytes(joined, at, end);
    if (parsed.ok && isObject(parsed.value) && isEvent(parsed.value)) events.push(parsed.value);
  }
  if (isV1Event(first)) return events.some(({ id }) => id === first['id']) ? events : [first, ...events];
  const rest = events.filter(({ id }) => typeof id === 'number' && id !== 0);
  return [first, ...rest.sort((a, b) => (asNumber(a['id']) ?? 0) - (asNumber(b['id']) ?? 0))];
}

function isEvent(value: JsonObject): boolean {
  return isV1Event(value) || (typeof value['source'] === 'string' && ('action' in value || 'observation' in value));
}

/** Events in log order; the first evaluations wrote `[action, observation]` pairs. */
function eventsOf(history: readonly Json[]): readonly JsonObject[] {
  return history.flatMap((item) => (Array.isArray(item) ? asArray(item) : [item])).filter(isObject);
}

/** Reads events of either version into a draft; null where none is an event. */
function readEvents(history: readonly Json[]): { readonly draft: EpisodeDraft; readonly facts: EventFacts } | null {
  const events = eventsOf(history);
  const draft = newEpisode();
  if (events.some(isV1Event)) return { draft, facts: readV1Events(draft, events) };
  if (!events.some((event) => 'action' in event || 'observation' in event)) return null;
  return { draft, facts: readV0Events(draft, events) };
}

function episodeOf(history: readonly Json[], place: RecordPlace): Rollout | null {
  const read = readEvents(history);
  if (read === null) return null;
  const { draft, facts } = read;
  return buildRollout({
    place,
    producer: facts.version,
    group: { key: inferredGroupKey(promptTextOf(draft), null), source: 'inferred' },
    turns: draft.turns,
    calls: draft.calls,
    images: draft.images,
    answer: facts.answer ?? draft.answer,
    modelTokens: facts.modelTokens,
    stopReason: facts.stopReason,
    extras: [...facts.extras, ...draft.absentImages],
  });
}

function promptTextOf(draft: EpisodeDraft): string {
  const texts = draft.turns
    .filter((turn) => turn.prompt && turn.role === 'user')
    .flatMap((turn) => turn.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])));
  return texts.join('\0');
}

function evaluationOf(record: JsonObject, place: RecordPlace): Rollout {
  const read = readEvents(asArray(record['history'])) ?? { draft: newEpisode(), facts: readV0Events(newEpisode(), []) };
  const { draft, facts } = read;
  const metadata = objectAt(record, 'metadata');
  const instruction = asString(record['instruction']);
  const error = asString(record['error']);
  const test = record['test_result'] ?? null;
  const patch = isObject(test) ? asString(test['git_patch']) : null;
  const usage = objectAt(objectAt(record, 'metrics'), 'accumulated_token_usage');
  const attempt = asNumber(record['attempt']);
  const cost = costOf(record);
  return buildRollout({
    place,
    producer: facts.version,
    group: { key: String(record['instance_id']), source: 'logged' },
    id: attempt === null ? null : `attempt ${attempt}`,
    ...(draft.turns.some((turn) => turn.role === 'user') || instruction === null
      ? {}
      : { question: instruction.slice(0, 160) }),
    groundTruth: asString(objectAt(record, 'instance')['patch']),
    turns: draft.turns,
    calls: draft.calls,
    images: draft.images,
    answer: patch !== null && patch.trim() !== '' ? patch : (facts.answer ?? draft.answer),
    reward: rewardOf(test),
    modelTokens: asNumber(usage['completion_tokens']) ?? facts.modelTokens,
    stopReason: error === null || error === '' ? facts.stopReason : 'error',
    extras: [
      ...(error === null ? [] : [{ name: 'error', value: error.slice(0, 1000) }]),
      ...metadataExtras(metadata),
      ...cost,
      ...extrasOf(record, placedKeys),
      ...facts.extras.filter(({ name }) => !cost.some((extra) => extra.name === name)),
      ...draft.absentImages,
    ],
  });
}

function metadataExtras(metadata: JsonObject): readonly NamedValue[] {
  const model = objectAt(metadata, 'llm_config')['model'] ?? objectAt(metadata, 'llm')['model'];
  const kept = ['agent_class', 'max_iterations', 'dataset', 'data_split', 'start_time', 'git_commit', 'agent_version'];
  const extras: NamedValue[] = typeof model === 'string' ? [{ name: 'model', value: model }] : [];
  for (const name of kept) {
    const value = metadata[name];
    if (typeof value === 'string' || typeof value === 'number') extras.push({ name, value });
  }
  return extras;
}

function costOf(record: JsonObject): readonly NamedValue[] {
  const cost = asNumber(objectAt(record, 'metrics')['accumulated_cost']);
  return cost === null ? [] : [{ name: 'accumulated_cost', value: cost }];
}

/** What the tests found: a verdict (`resolved`, `report.resolved`), a number, or nothing where only a patch is logged. */
function rewardOf(test: Json): Partial<Reward> {
  if (typeof test === 'number') return { total: asNumber(test) };
  if (typeof test === 'boolean') return { total: Number(test), correct: test, correctSource: 'logged' };
  if (!isObject(test)) return {};
  const parts: NamedValue[] = [];
  for (const source of [objectAt(test, 'report'), test]) {
    for (const [name, value] of Object.entries(source)) {
      if (typeof value === 'number' || typeof value === 'boolean') parts.push({ name, value });
    }
  }
  const verdict = parts.find(
    ({ name, value }) => /^(resolved|passed|success|correct|result)$/.test(name) && typeof value === 'boolean',
  );
  const score = parts.find(
    ({ name, value }) => /^(reward|score|result|accuracy)$/.test(name) && typeof value === 'number',
  );
  const correct = verdict === undefined ? null : verdict.value === true;
  const total = asNumber(score?.value) ?? (correct === null ? null : Number(correct));
  return { total, correct, ...(correct === null ? {} : { correctSource: 'logged' as const }), parts };
}
