/**
 * A record of a home-made log → its rollouts, by a field mapping. A record holds one rollout, a preference pair, several
 * responses to one prompt, or columns over samples: which one is seen from its values. Pure; used by generic.ts and by
 * the form that edits a mapping (`applyMapping`). Leaves out guessing the mapping (fieldMapping.ts).
 */
import { asArray, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { NamedValue, RecordPlace, Reward, Rollout } from '../model/rollout.ts';
import { type FieldMapping, type MappingField, mappingFields, valueAt } from './fieldMapping.ts';
import { extrasOf } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { mappedConversation } from './mappedConversation.ts';
import { isMessage } from './messageParts.ts';
import { isConversation, messagesOf } from './promptCompletion.ts';
import { numbersOf, scalarOf, tokenValuesOf } from './tokenArrays.ts';
import { numberOf, truthOf } from './toolInteractions.ts';

/** What a mapping finds in one record: each field that is mapped, and how many rollouts the record gives or why none. */
export interface AppliedMapping {
  readonly fields: readonly AppliedField[];
  readonly rollouts: number | string;
}

/** One mapped field in one record; `problem` says what is wrong with it, null where nothing is. */
export interface AppliedField {
  readonly field: MappingField;
  readonly path: string;
  readonly value: Json | undefined;
  readonly problem: string | null;
}

/** Tries a mapping on one record, for the form that edits it. */
export function applyMapping(record: JsonObject, mapping: FieldMapping): AppliedMapping {
  const fields = mappingFields.flatMap(({ field }): AppliedField[] => {
    const path = mapping[field];
    if (path === null) return [];
    const value = valueAt(record, path);
    return [{ field, path, value, problem: problemOf(field, path, value) }];
  });
  return { fields, rollouts: countMapped(record, mapping) };
}

function problemOf(field: MappingField, path: string, value: Json | undefined): string | null {
  if (value === undefined) return `Nothing is at “${path}” in this record.`;
  if (value === null) return null;
  const isList = Array.isArray(value);
  switch (field) {
    case 'prompt':
    case 'response':
    case 'rejected':
      return isConversation(value) || isSeveral(value) ? null : 'This is neither text nor a list of messages.';
    case 'messages':
      return listOf(value) === null ? 'This is no list of messages.' : null;
    case 'reward':
      return isList || isObject(value) || scalar(value) !== null ? null : 'This is no number.';
    case 'advantage':
    case 'modelTokens':
      return isList || scalar(value) !== null ? null : 'This is no number.';
    case 'step':
      return isList || stepOf(value) !== null ? null : 'This is no whole number.';
    case 'correct':
      return isList || truthOf(value) !== null ? null : 'This is neither true nor false.';
    case 'tokens':
    case 'logprobs':
      return isList ? null : 'This is no list.';
    case 'group':
    case 'rolloutId':
    case 'stopReason':
      return isList || nameOf(value) !== null ? null : 'This is neither a number nor a name.';
    case 'images':
    case 'groundTruth':
      return null;
  }
}

/** How many rollouts a record gives under a mapping, or why none, as the end of a note. */
export function countMapped(record: JsonObject, mapping: FieldMapping): number | string {
  const pair = mapping.rejected === null || valueAt(record, mapping.rejected) === undefined ? 1 : 2;
  if (mapping.messages !== null) {
    const found = listOf(valueAt(record, mapping.messages));
    return found === null ? `there are no messages under "${mapping.messages}"` : pair;
  }
  if (mapping.prompt === null || mapping.response === null) return 'no prompt and response are mapped';
  const prompt = valueAt(record, mapping.prompt);
  const response = valueAt(record, mapping.response);
  const several = isSeveral(response) ? asArray(response) : null;
  const isNone = Array.isArray(response) && response.length === 0;
  if (several === null && (isNone || !isConversation(response)))
    return `there is no response under "${mapping.response}"`;
  const isAsked = isConversation(prompt) || (several !== null && isColumn(prompt, several.length));
  if (!isAsked) return `there is no prompt under "${mapping.prompt}"`;
  return several === null ? pair : several.length;
}

/** A list of responses, which is no list of messages. */
function isSeveral(value: Json | undefined): boolean {
  const items = asArray(value);
  return items.length > 0 && !isConversation(value) && items.every(isConversation);
}

function isColumn(value: Json | undefined, count: number): boolean {
  return isSeveral(value) && asArray(value).length === count;
}

/** Messages: a list in which at least one is one, or such a list as JSON in a string. */
function listOf(value: Json | undefined): readonly Json[] | null {
  const items = typeof value === 'string' ? messagesOf(value) : asArray(value);
  return items?.some(isMessage) === true ? items : null;
}

/** A record with what is known of it. */
export interface MappedRecord {
  readonly record: JsonObject;
  readonly mapping: FieldMapping;
  readonly place: RecordPlace;
  readonly producer: string;
}

/** The rollout at `place.item` of a record that `countMapped` counted. */
export function mappedRollout({ record, mapping, place, producer }: MappedRecord): Rollout {
  const get = getter(record, mapping, place.item ?? 0);
  const item = place.item ?? 0;
  const isRejected = mapping.rejected !== null && item === 1 && !isSeveral(valueAt(record, mapping.response));
  const groundTruth = get('groundTruth') ?? null;
  const advantages = numbersOf(get('advantage'));
  const tokens = get('tokens');
  const tokenValues = tokenValuesOf({
    ids: typeof asArray(tokens)[0] === 'number' ? tokens : undefined,
    texts: typeof asArray(tokens)[0] === 'string' ? tokens : undefined,
    logprobs: get('logprobs'),
    others: { advantages: get('advantage') },
  });
  const isList = mapping.messages !== null;
  const { conversation, promptText } = mappedConversation({
    messages: isList ? listOf(isRejected ? get('rejected') : get('messages')) : null,
    rival: isList && mapping.rejected !== null ? listOf(isRejected ? get('messages') : get('rejected')) : null,
    prompt: get('prompt'),
    response: isRejected && !isList ? get('rejected') : get('response'),
    system: asString(record['system']) ?? asString(record['system_prompt']),
    images: get('images'),
    tokenValues,
  });
  const { turns, calls, images, answer, facts } = conversation;
  const group = nameOf(get('group'));
  return buildRollout({
    place,
    producer,
    step: stepOf(get('step')),
    group:
      group === null
        ? { key: inferredGroupKey(promptText, groundTruth), source: 'inferred' }
        : { key: group, source: 'logged' },
    id: mapping.rejected === null ? idOf(get('rolloutId'), mapping.rolloutId) : isRejected ? 'rejected' : 'chosen',
    groundTruth,
    turns,
    calls,
    images,
    answer,
    reward: isRejected ? rivalReward(record, mapping) : rewardOf(record, mapping, get),
    loggedAdvantage: advantages === null ? scalar(get('advantage')) : scalarOf(advantages),
    modelTokens: scalar(get('modelTokens')) ?? (tokens === undefined ? null : (tokenCount(tokens) ?? null)),
    stopReason: nameOf(get('stopReason')),
    extras: [...extrasWithout(record, mapping), ...facts],
  });
}

type Get = (field: MappingField) => Json | undefined;

/** Fields that go with the prompt: of a record with several responses they belong to all, unless prompts are a column. */
const promptFields: ReadonlySet<MappingField> = new Set(['prompt', 'step', 'group', 'groundTruth', 'images']);

/** The value of a field for one of the rollouts of a record. */
function getter(record: JsonObject, mapping: FieldMapping, item: number): Get {
  const response = valueAt(record, mapping.response);
  const count = mapping.messages === null && isSeveral(response) ? asArray(response).length : 0;
  const columns = count > 0 && isColumn(valueAt(record, mapping.prompt), count);
  return (field) => {
    const value = valueAt(record, mapping[field]);
    const isOwn = count > 0 && Array.isArray(value) && value.length === count && (columns || !promptFields.has(field));
    return isOwn ? asArray(value)[item] : value;
  };
}

/** Numbers beside the reward that are rewards too, by their names. */
const rewardLike = /reward|score|^acc(uracy)?$|correct|format|penalty|bonus|^em$|^f1$/;

function rewardOf(record: JsonObject, mapping: FieldMapping, get: Get): Partial<Reward> {
  const parts: NamedValue[] = [];
  const add = (values: JsonObject, prefix: string, test: RegExp | null): void => {
    for (const [name, value] of Object.entries(values)) {
      const path = `${prefix}${name}`;
      if (path === mapping.reward || typeof value !== 'number' || !Number.isFinite(value)) continue;
      if (mapping.rejected !== null && name.includes('rejected')) continue;
      if (test === null || test.test(name)) parts.push({ name, value });
    }
  };
  add(record, '', rewardLike);
  const named = valueAt(record, mapping.reward);
  if (isObject(named)) add(named, `${mapping.reward}.`, null);
  const outer = mapping.reward?.split('.')[0] ?? '';
  const inner = Object.hasOwn(record, outer) ? record[outer] : undefined;
  // `reward: {total, format, …}`: what stands beside the total is its parts.
  if (isObject(inner) && outer !== mapping.reward)
    add(inner, `${outer}.`, /reward|score/.test(outer) ? null : rewardLike);
  const total = totalOf(get('reward'));
  const correct = truthOf(get('correct'));
  if (correct === null) return { total, parts };
  return { total, answer: correct ? 1 : 0, correct, correctSource: 'logged', parts };
}

/** The reward of the response that lost stands under the same name, with the other word in it. */
function rivalReward(record: JsonObject, mapping: FieldMapping): Partial<Reward> {
  const path = mapping.reward?.replace('chosen', 'rejected') ?? null;
  return { total: path === mapping.reward ? null : totalOf(valueAt(record, path)) };
}

/** Rewards by their names, of which the total is the sum; null where the reward is anything else. */
export function summedRewards(record: JsonObject, { reward }: FieldMapping): readonly string[] | null {
  const value = valueAt(record, reward);
  return isObject(value) ? Object.keys(value).filter((name) => typeof value[name] === 'number') : null;
}

/** A number, a flag, or the sum of a list or of rewards by their names. */
function totalOf(value: Json | undefined): number | null {
  if (isObject(value)) return totalOf(Object.values(value).filter((one) => typeof one === 'number'));
  if (!Array.isArray(value)) return scalar(value);
  if (value.length === 0) return null;
  const numbers = numbersOf(value);
  if (numbers === null) return null;
  const sum = numbers.reduce((total, number) => total + (Number.isFinite(number) ? number : 0), 0);
  return Number.isFinite(sum) ? sum : null;
}

function extrasWithout(record: JsonObject, mapping: FieldMapping): NamedValue[] {
  const placed = new Set<string>(['system', 'system_prompt']);
  for (const { field } of mappingFields) {
    const path = mapping[field];
    if (path === null) continue;
    placed.add(path);
    // What stands beside the total are its parts.
    const outer = path.split('.')[0] ?? '';
    if (field === 'reward' && /reward|score/.test(outer)) placed.add(outer);
  }
  return extrasOf(record, placed).filter(({ name, value }) => !(typeof value === 'number' && rewardLike.test(name)));
}

function scalar(value: Json | undefined): number | null {
  return typeof value === 'boolean' ? Number(value) : numberOf(value);
}

function stepOf(value: Json | undefined): number | null {
  const step = numberOf(value);
  return step !== null && Number.isInteger(step) ? step : null;
}

function tokenCount(tokens: Json): number | null {
  return Array.isArray(tokens) && tokens.length > 0 ? tokens.length : null;
}

function nameOf(value: Json | undefined): string | null {
  return typeof value === 'number' || (typeof value === 'string' && value !== '') ? String(value) : null;
}

/** A bare number says little: its key's name goes in front of it. */
function idOf(value: Json | undefined, path: string | null): string | null {
  if (typeof value !== 'number') return nameOf(value);
  return `${path?.split('.').at(-1) ?? ''} ${value}`;
}
