/**
 * Reads JSON arrays of the verl family: the step files that reward managers of old verl-tool wrote (formats.md 1.9) and
 * the artifact of a validation, an array of {input, output, score} (2.3). Items are streamed (jsonArray.ts).
 * Leaves out the conversation inside the text (chatEpisode.ts).
 */
import { asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { RecordPlace, Reward, Rollout } from '../model/rollout.ts';
import { buildEpisode } from './chatEpisode.ts';
import { inferredGroupKey } from './groupKey.ts';
import { readJsonArray } from './jsonArray.ts';
import { readJsonAt } from './parseJson.ts';
import type { Head, Reader, Recognition } from './reader.ts';
import { numberOf, truthOf } from './toolInteractions.ts';
import { entriesOf, isVerlRecord, namedValues, verlProducer, verlRollout } from './verlRecord.ts';

const format = 'verl-array';
const verlTool04 = 'verl-tool-0.4';

/** Keys that have a place of their own in the model, or repeat the response. */
const placed = new Set([
  'id',
  'prompt',
  'response',
  'response_with_loss_mask',
  'ground_truth',
  'score',
  'tool_interact_info',
]);

/** Step files `<name>-step-<N>.json` and validation artifacts `val_step<N>.json`, one rollout an item. */
export const verlArrayReader: Reader = {
  format,
  version: 2,
  recognise: (head) => recogniseArray(head),
  stepOfName: (name) => {
    const digits = /(?:-step-(?:val-)?|^val_step)(\d{1,9})\.json$/.exec(name)?.[1];
    return digits === undefined ? null : Number(digits);
  },
  read: (source, options) =>
    readJsonArray(source, {
      from: options.from,
      signal: options.signal,
      note: options.note,
      progress: options.progress,
      record: (value, place) => {
        const rollout = rolloutOf(value, place, options.recognition);
        if (rollout === null) return 'the item has no text under prompt and response';
        options.rollout(rollout);
        return null;
      },
    }),
  readOne: async (source, place, recognition) => {
    const value = await readJsonAt(source, place);
    return rolloutOf(value, place, recognition);
  },
};

function recogniseArray(head: Head): Recognition | null {
  const { keys } = head;
  if (head.container !== 'json-array') return null;
  if (['data_source', 'prompt', 'response', 'tool_interact_info'].every((key) => keys.has(key))) {
    return { format, producer: 'verl-tool 0.4', variant: verlTool04 };
  }
  const artifact = ['input', 'output', 'score'].every((key) => keys.has(key));
  return artifact ? { format, producer: verlProducer('artifact', keys), variant: 'artifact' } : null;
}

function rolloutOf(value: Json, place: RecordPlace, recognition: Recognition): Rollout | null {
  if (recognition.variant !== verlTool04) return isVerlRecord(value) ? verlRollout(value, place, 'artifact') : null;
  if (!isObject(value) || typeof value['prompt'] !== 'string' || typeof value['response'] !== 'string') return null;
  return verlArrayRollout(value, place);
}

/** Maps one item of an old verl-tool step file; pure. */
export function verlArrayRollout(item: JsonObject, place: RecordPlace): Rollout {
  const input = asString(item['prompt']) ?? '';
  const output = asString(item['response']) ?? '';
  const groundTruth = item['ground_truth'] ?? null;
  const entries = entriesOf(item['tool_interact_info']);
  const id = item['id'];
  const hasId = typeof id === 'string' || typeof id === 'number';
  const rest = Object.fromEntries(Object.entries(item).filter(([name]) => !placed.has(name)));
  const { rewards, extras } = namedValues(rest);
  return buildRollout({
    ...buildEpisode({ input, output, entries }),
    place,
    producer: 'verl-tool 0.4',
    group: hasId
      ? { key: String(id), source: 'logged' }
      : { key: inferredGroupKey(input, groundTruth), source: 'inferred' },
    id: asString(entries?.[0]?.['trajectory_id']),
    groundTruth,
    reward: rewardOf(item, rewards),
    extras,
    exactText: { prompt: input, response: output },
  });
}

/** `score` is an object of named rewards or a number; `reward` is what training got where the object has no total. */
function rewardOf(item: JsonObject, rewards: Reward['parts']): Partial<Reward> {
  const score = item['score'];
  const named = isObject(score) ? score : {};
  const total = numberOf(named['score']) ?? numberOf(score) ?? numberOf(item['reward']);
  const correct = truthOf(named['accuracy'] ?? named['acc']);
  const parts = [...namedValues({ ...named, score: undefined }).rewards, ...rewards];
  if (correct === null) return { total, parts };
  return { total, answer: correct ? 1 : 0, correct, correctSource: 'logged', parts };
}
