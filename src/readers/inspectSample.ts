/**
 * One sample of an Inspect evaluation → a rollout: its id is the group, its epoch the attempt (formats.md 6.5).
 * The first score that can be a number is the total, by Inspect's own rule (`value_to_float`: C 1, P 0.5, I and N 0);
 * every score is a named part. `attachment://…` strings are replaced by the sample's own attachments.
 * Leaves out the store, state changes, and what only a grader said.
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout, foldQuestion } from '../model/builder.ts';
import type { NamedValue, RecordPlace, Reward, Rollout } from '../model/rollout.ts';
import { extrasOf, isSmall } from './extras.ts';
import type { Resolve } from './inspectEvents.ts';
import { conversationOf } from './inspectMessages.ts';
import { numberOf } from './toolInteractions.ts';

/** For people. */
export const inspectProducer = 'Inspect';

const protocol = 'attachment://';
/** Most UTF-16 units that references may grow a sample by: one attachment can be named a million times. */
const mostResolved = 128 * 1024 * 1024;

/** Keys that have a place in the model, or are too large for a list of facts. */
const placed: ReadonlySet<string> = new Set([
  'id',
  'input',
  'target',
  'messages',
  'output',
  'scores',
  'score',
  'metadata',
  'store',
  'events',
  'events_data',
  'message_pool',
  'call_pool',
  'message_refs',
  'sequences',
  'transcript',
  'attachments',
  'timelines',
  'error',
  'error_retries',
  'limit',
]);

/** The rollout of a sample; null where the value is none (no id, or neither messages nor output). */
export function rolloutOfSample(sample: Json, place: RecordPlace): Rollout | null {
  if (!isObject(sample)) return null;
  const { id, epoch } = sample;
  if (typeof id !== 'string' && typeof id !== 'number') return null;
  if (!Array.isArray(sample['messages']) && !isObject(sample['output'])) return null;
  const resolve = resolver(sample);
  const { turns, calls, images, answer, absentImages } = conversationOf(sample, resolve);
  const scores = scoresOf(sample);
  const output = isObject(sample['output']) ? sample['output'] : {};
  const input = resolve(sample['input'] ?? null);
  return buildRollout({
    place,
    producer: inspectProducer,
    group: { key: String(id), source: 'logged' },
    id: typeof epoch === 'number' || typeof epoch === 'string' ? `epoch ${epoch}` : null,
    ...(typeof input === 'string' ? { question: foldQuestion(input) } : {}),
    groundTruth: resolve(sample['target'] ?? null),
    turns,
    calls,
    images,
    answer: answerOf(scores, output, resolve) ?? answer,
    reward: rewardOf(scores),
    modelTokens: modelTokensOf(sample),
    stopReason: stopReasonOf(sample, output),
    extras: [
      ...sampleFacts(sample, output, resolve),
      ...scoreFacts(scores, resolve),
      ...extrasOf(sample, placed),
      ...absentImages,
    ],
  });
}

/** Replaces whole strings `attachment://<key>` by the attachment of that key; an unknown one stays as it is. */
function resolver(sample: JsonObject): Resolve {
  const transcript = isObject(sample['transcript']) ? sample['transcript'] : {};
  const attachments = sample['attachments'] ?? transcript['content'] ?? null;
  if (!isObject(attachments)) return (value) => value;
  let left = mostResolved;
  const resolve = (value: Json): Json => {
    if (typeof value === 'string') {
      if (!value.startsWith(protocol)) return value;
      const key = value.slice(protocol.length);
      const found = Object.hasOwn(attachments, key) ? attachments[key] : undefined;
      if (typeof found !== 'string' || found.length > left) return value;
      left -= found.length;
      return found;
    }
    if (Array.isArray(value)) {
      const items = asArray(value);
      const resolved = items.map(resolve);
      return resolved.some((item, index) => item !== items[index]) ? resolved : value;
    }
    if (!isObject(value)) return value;
    let changed = false;
    const members = Object.entries(value).map(([key, item]): [string, Json] => {
      const resolved = resolve(item ?? null);
      changed ||= resolved !== item;
      return [key, resolved];
    });
    return changed ? Object.fromEntries(members) : value;
  };
  return resolve;
}

interface NamedScore {
  readonly name: string;
  readonly score: JsonObject;
}

/** The scores in log order; logs before 0.3.28 have one without a name. */
function scoresOf(sample: JsonObject): readonly NamedScore[] {
  const scores: NamedScore[] = [];
  const logged = isObject(sample['scores']) ? sample['scores'] : {};
  for (const [name, score] of Object.entries(logged)) if (isObject(score)) scores.push({ name, score });
  if (scores.length === 0 && isObject(sample['score'])) scores.push({ name: 'score', score: sample['score'] });
  return scores;
}

/** What a scorer took for the answer, else what the model said last; '' is none. */
function answerOf(scores: readonly NamedScore[], output: JsonObject, resolve: Resolve): string | null {
  const given = [...scores.map(({ score }) => score['answer'] ?? null), output['completion'] ?? null];
  return given.map((value) => asString(resolve(value))).find((text) => text !== null && text !== '') ?? null;
}

/** Names under which a dictionary of scores has its total. */
const totalNames = ['total', 'score', 'reward', 'overall', 'accuracy', 'correct', 'value'];

function rewardOf(scores: readonly NamedScore[]): Partial<Reward> {
  const parts: NamedValue[] = [];
  let total: number | null = null;
  let first: Json = null;
  for (const { name, score } of scores) {
    const value = score['value'] ?? null;
    if (isObject(value)) {
      for (const [key, item] of Object.entries(value)) parts.push({ name: `${name}.${key}`, value: item ?? null });
    } else if (isSmall(value)) parts.push({ name, value });
    const scalar = scalarOf(value);
    const number = floatOf(scalar);
    if (total === null && number !== null) {
      total = number;
      first = scalar;
    }
  }
  const correct = correctOf(first);
  return correct === null ? { total, parts } : { total, parts, correct, correctSource: 'logged' };
}

/** A dictionary's one value, or the one under a name that says total; null where there is no such one. */
function scalarOf(value: Json): Json {
  if (Array.isArray(value)) return value.length === 1 ? scalarOf(asArray(value)[0] ?? null) : null;
  if (!isObject(value)) return value;
  const entries = Object.entries(value);
  const total = entries.length === 1 ? entries[0] : entries.find(([key]) => totalNames.includes(key.toLowerCase()));
  const item = total?.[1] ?? null;
  return typeof item === 'object' ? null : item;
}

/** Inspect's `value_to_float`; null for a text it would warn about. */
function floatOf(value: Json): number | null {
  switch (value) {
    case 'C':
    case true:
      return 1;
    case 'P':
      return 0.5;
    case 'I':
    case 'N':
    case false:
      return 0;
    default:
      break;
  }
  if (typeof value === 'number') return asNumber(value);
  if (typeof value !== 'string') return null;
  const text = value.toLowerCase();
  if (text === 'yes' || text === 'true') return 1;
  if (text === 'no' || text === 'false') return 0;
  return numberOf(value);
}

/** Right or wrong where the score says so; a number or partial credit is left to the threshold. */
function correctOf(value: Json): boolean | null {
  const text = typeof value === 'string' ? value.toLowerCase() : value;
  if (text === 'c' || text === true || text === 'yes' || text === 'true') return true;
  if (text === 'i' || text === 'n' || text === false || text === 'no' || text === 'false') return false;
  return null;
}

/** Tokens the sample's own model wrote; null where several models are logged and it is not known which one it is. */
function modelTokensOf(sample: JsonObject): number | null {
  const usage = isObject(sample['model_usage']) ? Object.entries(sample['model_usage']) : [];
  const events = asArray(sample['events']);
  const first = events.find((event) => isObject(event) && event['event'] === 'model');
  const model = isObject(first) ? asString(first['model']) : null;
  const own = usage.length === 1 ? usage[0]?.[1] : usage.find(([name]) => name === model)?.[1];
  return isObject(own) ? asNumber(own['output_tokens']) : null;
}

/** The limit that ended it, else that it failed, else why the model stopped last. */
function stopReasonOf(sample: JsonObject, output: JsonObject): string | null {
  const limit = isObject(sample['limit']) ? asString(sample['limit']['type']) : asString(sample['limit'] ?? null);
  if (limit !== null) return `${limit} limit`;
  if (sample['error'] !== undefined && sample['error'] !== null) return 'error';
  const choice = asArray(output['choices'])[0] ?? null;
  return isObject(choice) ? asString(choice['stop_reason']) : null;
}

function sampleFacts(sample: JsonObject, output: JsonObject, resolve: Resolve): NamedValue[] {
  const facts: NamedValue[] = [];
  const add = (name: string, value: Json | undefined): void => {
    if (value !== undefined && value !== null && isSmall(value)) facts.push({ name, value });
  };
  add('model', output['model']);
  add('output_error', output['error']);
  const { limit, error } = sample;
  add('limit', isObject(limit) ? limit['limit'] : undefined);
  const message = isObject(error) ? error['message'] : error;
  add('error', typeof message === 'string' ? message.slice(0, 1000) : undefined);
  const retries = asArray(sample['error_retries']).length;
  if (retries > 0) add('error_retries', retries);
  const metadata = isObject(sample['metadata']) ? sample['metadata'] : {};
  for (const [key, value] of Object.entries(metadata)) add(`metadata.${key}`, resolve(value ?? null));
  return facts;
}

/** What a scorer says besides the value: why, and its own small facts. */
function scoreFacts(scores: readonly NamedScore[], resolve: Resolve): NamedValue[] {
  const facts: NamedValue[] = [];
  for (const { name, score } of scores) {
    const explanation = asString(resolve(score['explanation'] ?? null));
    // Reading it is what the explanation is for, so a long one is kept in part.
    if (explanation !== null) facts.push({ name: `${name}.explanation`, value: explanation.slice(0, 1000) });
    const metadata = score['metadata'] ?? null;
    if (isObject(metadata) && isSmall(metadata)) facts.push({ name: `${name}.metadata`, value: metadata });
    const edits = asArray(score['history']).length;
    if (edits > 1) facts.push({ name: `${name}.edits`, value: edits });
  }
  return facts;
}
