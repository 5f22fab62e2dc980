/**
 * verifiers `results.jsonl` (also the older kind that numbers its prompts `id`) and prime-rl `train_rollouts.jsonl`:
 * one rollout a line, group = example (formats.md 4.1, 4.3). `metadata.json` beside it names environment and model.
 * Tool calls are JSON inside JSON (messageParts.ts). Leaves out the newer `traces.jsonl` (verifiersTrace.ts).
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { NamedValue, RecordPlace, Rollout, Turn } from '../model/rollout.ts';
import { type MessageFacts, turnsOfMessages } from './chatMessages.ts';
import { extrasOf } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { objectBeside } from './jsonDocument.ts';
import { type LineFormat, lineFormat } from './lineFormat.ts';
import { roleOf } from './messageParts.ts';
import { episodeOf, isConversation, promptText } from './promptCompletion.ts';
import type { Reader, Recognition } from './reader.ts';
import type { Source } from './source.ts';
import { tokenValuesOf } from './tokenArrays.ts';
import { numberOf, truthOf } from './toolInteractions.ts';

const format = 'verifiers';
const primeRlKeys = ['group_id', 'rollout_id', 'policy_version', 'advantage'];
/** Files of a training run stand in a folder named for their step. */
const stepFolder = /(?:^|\/)step_(\d{1,9})\//;

const placed: ReadonlySet<string> = new Set([
  'id',
  'example_id',
  'group_id',
  'rollout_id',
  'prompt',
  'completion',
  'answer',
  'reward',
  'metrics',
  'advantage',
  'is_filtered',
  'stop_condition',
  'step',
  'trajectory',
  'tool_defs',
]);
/** Numbers beside the rewards of an old log that are none. */
const noReward = /length|tokens|turns|^num_|_calls$|_time|_ms$|_sec$|version|^index$/;

/** The reader of verifiers results and prime-rl rollouts. */
export const verifiersReader: Reader = {
  format,
  version: 1,
  recognise: (head) => {
    if (head.container !== 'jsonl') return null;
    const has = (...keys: string[]): boolean => keys.every((key) => head.keys.has(key));
    const isNew = has('example_id', 'prompt', 'completion', 'reward');
    if (!isNew && !has('id', 'prompt', 'completion', 'task', 'answer', 'reward')) return null;
    return primeRlKeys.some((key) => head.keys.has(key))
      ? { format, producer: 'prime-rl', variant: 'prime-rl' }
      : { format, producer: 'verifiers', variant: 'results' };
  },
  stepOfName: (name) => {
    const digits = stepFolder.exec(name)?.[1];
    return digits === undefined ? null : Number(digits);
  },
  read: async (source, options) => lineFormat(formatWith(await metadataOf(source))).read(source, options),
  readOne: async (source, place, recognition) =>
    lineFormat(formatWith(await metadataOf(source))).readOne(source, place, recognition),
};

function formatWith(metadata: readonly NamedValue[]): LineFormat {
  return {
    holds: (record) => {
      if (!isConversation(record['prompt'])) return 'the line has no prompt';
      const { completion } = record;
      return isConversation(completion) || completion === null || completion === undefined
        ? 1
        : 'the line has no completion';
    },
    rollout: (record, place, recognition) => rolloutOf(record, { place, recognition, metadata }),
  };
}

/** What `metadata.json` says of all rollouts of a file. */
async function metadataOf(source: Source): Promise<readonly NamedValue[]> {
  const metadata = await objectBeside(source, 'metadata.json');
  if (!isObject(metadata)) return [];
  return ['env_id', 'model', 'sampling_args'].flatMap((name) => {
    const value = metadata[name];
    return value === undefined || value === null ? [] : [{ name, value }];
  });
}

interface Where {
  readonly place: RecordPlace;
  readonly recognition: Recognition;
  readonly metadata: readonly NamedValue[];
}

function rolloutOf(record: JsonObject, { place, recognition, metadata }: Where): Rollout {
  const { turns, calls, images, answer, facts } = conversationOf(record);
  const groundTruth = record['answer'] ?? null;
  const usage = isObject(record['token_usage']) ? record['token_usage'] : {};
  const { parts, extras } = rewardsOf(record);
  const step = numberOf(record['step']);
  return buildRollout({
    place,
    producer: recognition.producer,
    step: step !== null && Number.isInteger(step) ? step : null,
    group: groupOf(record, groundTruth),
    id: textOf(record['rollout_id']) ?? textOf(record['trajectory_id']),
    groundTruth,
    turns,
    calls,
    images,
    answer,
    reward: { total: numberOf(record['reward']), parts },
    loggedAdvantage: numberOf(record['advantage']),
    masked: truthOf(record['is_filtered']) === true,
    modelTokens: asNumber(usage['output_tokens']) ?? tokensIn(turns),
    stopReason: stopReasonOf(record),
    extras: [...extras, ...facts, ...metadata.filter(({ name }) => !(name in record))],
  });
}

function groupOf(record: JsonObject, groundTruth: Json): Rollout['group'] {
  const logged = textOf(record['group_id']) ?? textOf(record['example_id']) ?? textOf(record['id']);
  if (logged !== null) return { key: logged, source: 'logged' };
  return { key: inferredGroupKey(promptText(record['prompt']), groundTruth), source: 'inferred' };
}

/** Messages with the token arrays of `trajectory` (one entry a turn of the policy) where the log has that column. */
function conversationOf(record: JsonObject): ReturnType<typeof turnsOfMessages> {
  const { prompt, completion } = record;
  const steps = asArray(record['trajectory']);
  if (!Array.isArray(prompt) || !Array.isArray(completion) || steps.length === 0) {
    return episodeOf(prompt, completion);
  }
  const messages = [...asArray(prompt), ...asArray(completion)];
  const stepOfMessage = new Map<number, Json>();
  for (let index = prompt.length, step = 0; index < messages.length && step < steps.length; index++) {
    const message = messages[index];
    const role = isObject(message) ? asString(message['role']) : null;
    if (role !== null && roleOf(role) === 'policy') stepOfMessage.set(index, steps[step++] ?? null);
  }
  return turnsOfMessages(messages, { prompt: prompt.length, about: (index) => tokensOf(stepOfMessage.get(index)) });
}

function tokensOf(step: Json | undefined): MessageFacts | null {
  const tokens = isObject(step) && isObject(step['tokens']) ? step['tokens'] : null;
  if (tokens === null) return null;
  const tokenValues = tokenValuesOf({
    ids: tokens['completion_ids'],
    logprobs: tokens['completion_logprobs'],
    mask: tokens['completion_mask'],
    others: { 'loss mask': tokens['completion_mask'] },
  });
  return tokenValues === null ? null : { tokenValues, tokens: tokenValues.ids?.length ?? null };
}

/** Named rewards: `metrics`; in an older log, which has none, the numbers beside `reward`. */
function rewardsOf(record: JsonObject): { readonly parts: NamedValue[]; readonly extras: NamedValue[] } {
  const metrics = isObject(record['metrics']) ? record['metrics'] : null;
  const parts: NamedValue[] = [];
  for (const [name, value] of Object.entries(metrics ?? {})) {
    const number = numberOf(value);
    if (number !== null) parts.push({ name, value: number });
  }
  const extras: NamedValue[] = [];
  for (const extra of extrasOf(record, placed)) {
    // The same names are flattened to the top level.
    if (metrics !== null && extra.name in metrics) continue;
    const isReward = metrics === null && typeof extra.value === 'number' && !noReward.test(extra.name);
    (isReward ? parts : extras).push(extra);
  }
  return { parts, extras };
}

/** Tokens of the turns the policy wrote; null where one of them does not say. */
function tokensIn(turns: readonly Turn[]): number | null {
  let sum = 0;
  for (const turn of turns) {
    if (turn.role !== 'policy' || turn.prompt) continue;
    if (turn.tokens === null) return null;
    sum += turn.tokens;
  }
  return sum === 0 ? null : sum;
}

function stopReasonOf(record: JsonObject): string | null {
  const logged = asString(record['stop_condition']);
  if (logged !== null && logged !== '') return logged;
  const { error } = record;
  if (error !== undefined && error !== null && error !== '') return 'error';
  return truthOf(record['is_truncated']) === true ? 'truncated' : null;
}

function textOf(value: Json | undefined): string | null {
  return typeof value === 'number' || (typeof value === 'string' && value !== '') ? String(value) : null;
}
