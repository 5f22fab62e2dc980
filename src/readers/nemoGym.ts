/**
 * Reads NeMo Gym's `rollouts.jsonl` and `trajectory_collection.jsonl` (07d6b0d; formats.md 5.5): the request and the
 * response of OpenAI's Responses API, the verifier's reward and whatever else it logs beside them. A response that was
 * collected for training carries token ids and log-probs at the last item of each reply of the model.
 * Leaves out the definitions of the tools (their names are kept) and a step, which the log has not.
 */
import { asArray, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { NamedValue, RecordPlace, Reward, Rollout, TokenValues } from '../model/rollout.ts';
import { type MessageFacts, turnsOfMessages } from './chatMessages.ts';
import { extrasOf, isSmall } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { lineFormat } from './lineFormat.ts';
import type { Head, Reader, Recognition } from './reader.ts';
import { tokenValuesOf } from './tokenValues.ts';
import { numberOf, truthOf } from './toolInteractions.ts';

const format = 'nemo-gym';
const producer = 'NeMo Gym';
const truthKeys = ['expected_answer', 'ground_truth', 'solution', 'label'];
const correctKeys = ['is_correct', 'correct', 'accuracy'];
const rewardName = /reward|score|^acc|correct|penalty|bonus/;
const placed: ReadonlySet<string> = new Set([
  ...['responses_create_params', 'response', 'reward', '_ng_task_index', '_ng_rollout_index'],
]);

/** One rollout a line. */
export const nemoGymReader: Reader = {
  format,
  version: 1,
  recognise: (head) => recogniseGym(head),
  stepOfName: () => null,
  ...lineFormat({
    holds: (record) =>
      inputOf(record) !== null && isObject(record['response'])
        ? 1
        : 'the line has no input under responses_create_params, or no response',
    rollout: (record, place) => gymRollout(record, place),
  }),
};

function recogniseGym({ container, keys }: Head): Recognition | null {
  const isGym = container === 'jsonl' && keys.has('responses_create_params') && keys.has('response');
  return isGym ? { format, producer, variant: '' } : null;
}

/** Maps one line; pure. */
export function gymRollout(record: JsonObject, place: RecordPlace): Rollout {
  const request = objectOf(record['responses_create_params']);
  const response = objectOf(record['response']);
  const input = inputOf(record) ?? [];
  const output = asArray(response['output']);
  const { facts, answer, ...conversation } = turnsOfMessages([...input, ...output], {
    prompt: input.length,
    about: tokensOfItems(output, input.length),
  });
  const task = record['_ng_task_index'];
  const truthKey = truthKeys.find((key) => record[key] !== undefined && record[key] !== null);
  const groundTruth = truthKey === undefined ? null : (record[truthKey] ?? null);
  const reward = rewardOf(record);
  const shown = new Set([...placed, ...(reward.parts ?? []).map((part) => part.name)]);
  if (truthKey !== undefined) shown.add(truthKey);
  return buildRollout({
    ...conversation,
    // What the verifier took out of the text is what it judged.
    answer: answerOf(record) ?? answer,
    place,
    producer,
    group: isId(task)
      ? { key: String(task), source: 'logged' }
      : { key: inferredGroupKey(JSON.stringify(input), groundTruth), source: 'inferred' },
    id: isId(record['_ng_rollout_index']) ? String(record['_ng_rollout_index']) : null,
    groundTruth,
    reward,
    modelTokens: numberOf(objectOf(response['usage'])['output_tokens']),
    stopReason: stopReasonOf(response),
    extras: [...extrasOf(record, shown), ...extrasOfResponse(request, response), ...facts],
  });
}

/** The input as messages, the instructions in front of it; null where the request has none. */
function inputOf(record: JsonObject): readonly Json[] | null {
  const request = record['responses_create_params'];
  if (!isObject(request)) return null;
  const { input } = request;
  const messages = typeof input === 'string' ? [{ role: 'user', content: input }] : Array.isArray(input) ? input : null;
  if (messages === null) return null;
  const instructions = asString(request['instructions']) ?? '';
  const asked = asArray(messages);
  return instructions === '' ? asked : [{ role: 'system', content: instructions }, ...asked];
}

/** Token ids and log-probs of each reply: they stand at one of its items, and a turn begins at another. */
function tokensOfItems(output: readonly Json[], promptCount: number): (index: number) => MessageFacts | null {
  const taken = new Set<number>();
  return (index) => {
    for (let at = index - promptCount; at >= 0 && at < output.length; at++) {
      const item = output[at];
      if (!isObject(item) || !isReply(item)) return null;
      const tokenValues = taken.has(at) ? null : itemTokens(item);
      if (tokenValues === null) continue;
      taken.add(at);
      return { tokens: (tokenValues.ids ?? tokenValues.logprobs ?? []).length, tokenValues };
    }
    return null;
  };
}

function isReply(item: JsonObject): boolean {
  const role = item['role'];
  if (typeof role === 'string') return role === 'assistant';
  return item['type'] === 'reasoning' || (asString(item['type'])?.endsWith('_call') ?? false);
}

/** `generation_token_ids` of a training response, else the `logprobs` of its texts as OpenAI has them. */
function itemTokens(item: JsonObject): TokenValues | null {
  const ids = item['generation_token_ids'];
  const logprobs = item['generation_log_probs'];
  if (Array.isArray(ids) || Array.isArray(logprobs)) return tokenValuesOf({ ids, logprobs });
  const tokens = asArray(item['content'])
    .flatMap((part) => (isObject(part) ? asArray(part['logprobs']) : []))
    .filter(isObject);
  return tokenValuesOf({
    texts: tokens.map((token) => token['token'] ?? ''),
    logprobs: tokens.map((token) => token['logprob'] ?? null),
  });
}

/** The verifier's reward; what else it scored by its names. */
function rewardOf(record: JsonObject): Partial<Reward> {
  const parts: NamedValue[] = [];
  for (const name in record) {
    const value = numberOf(record[name]);
    if (!placed.has(name) && typeof record[name] === 'number' && rewardName.test(name)) parts.push({ name, value });
  }
  const total = numberOf(record['reward']);
  const correct = correctKeys.map((key) => truthOf(record[key])).find((value) => value !== null) ?? null;
  return correct === null ? { total, parts } : { total, parts, correct, correctSource: 'logged' };
}

function answerOf(record: JsonObject): string | null {
  const answer = asString(record['extracted_answer']) ?? asString(record['predicted_answer']);
  return answer === null || answer.trim() === '' ? null : answer;
}

/** Why it ended: the reason of an incomplete response or its error, else its status. */
function stopReasonOf(response: JsonObject): string | null {
  const error = response['error'];
  const reason = asString(objectOf(response['incomplete_details'])['reason']);
  const failure = isObject(error) ? asString(error['code'] ?? error['message']) : asString(error);
  return reason ?? failure ?? asString(response['status']);
}

function extrasOfResponse(request: JsonObject, response: JsonObject): NamedValue[] {
  const extras: NamedValue[] = [];
  const add = (name: string, value: Json | undefined): void => {
    if (value !== undefined && value !== null && isSmall(value)) extras.push({ name, value });
  };
  add('model', response['model']);
  add('temperature', response['temperature'] ?? request['temperature']);
  add('usage', response['usage']);
  const tools = asArray(request['tools']).flatMap((tool) => (isObject(tool) ? (asString(tool['name']) ?? []) : []));
  if (tools.length > 0) add('tools', tools);
  const { metadata } = request;
  if (isObject(metadata) && Object.keys(metadata).length > 0) add('metadata', metadata);
  return extras;
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function isId(value: Json | undefined): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
