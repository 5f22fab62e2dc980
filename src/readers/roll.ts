/**
 * ROLL rollout dumps: `rollout_dump_data.step_{N}.jsonl`, a line a dump, every value a list over its samples
 * (formats.md 5.8). Group = `id` where samples share one, else equal prompts.
 * Leaves out columns of another length than the responses, which belong to no sample.
 */
import { asArray, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { RecordPlace, Rollout } from '../model/rollout.ts';
import { extrasOf } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { lineFormat, sampleOf } from './lineFormat.ts';
import { episodeOf, isConversation, promptText } from './promptCompletion.ts';
import type { Reader } from './reader.ts';
import { numbersOf, scalarOf } from './tokenArrays.ts';
import { numberOf } from './toolInteractions.ts';

const format = 'roll';
const producer = 'ROLL';
const placed: ReadonlySet<string> = new Set([
  'global_step',
  'id',
  'prompt',
  'responses',
  'scores',
  'ground_truth',
  'advantages',
]);

/** The reader of ROLL dumps. */
export const rollReader: Reader = {
  format,
  version: 1,
  recognise: (head) => {
    const { first, keys } = head;
    if (head.container !== 'jsonl' || !keys.has('global_step') || !keys.has('responses')) return null;
    const isColumnar = first === null || (isObject(first) && isColumns(first));
    return isColumnar ? { format, producer, variant: '' } : null;
  },
  stepOfName: (name) => {
    const digits = /\.step_(\d{1,9})\.jsonl/.exec(name)?.[1];
    return digits === undefined ? null : Number(digits);
  },
  ...lineFormat({
    holds: (record) => {
      if (!isColumns(record)) return 'the line is not columns of samples';
      const responses = asArray(record['responses']);
      if (responses.length === 0) return 'the line has no responses';
      return responses.every(isConversation) ? responses.length : 'a response is no text';
    },
    rollout: (record, place) => {
      const ids = asArray(record['id']);
      const areShared = new Set(ids).size < ids.length;
      const count = asArray(record['responses']).length;
      return rolloutOf(sampleOf(record, place.item ?? 0, count), place, areShared ? 'group' : 'sample');
    },
  }),
};

function isColumns(first: JsonObject): boolean {
  return Array.isArray(first['global_step']) && Array.isArray(first['responses']);
}

function rolloutOf(sample: JsonObject, place: RecordPlace, idNames: 'group' | 'sample'): Rollout {
  const { facts, ...episode } = episodeOf(sample['prompt'], sample['responses']);
  const groundTruth = sample['ground_truth'] ?? null;
  const id = typeof sample['id'] === 'number' ? String(sample['id']) : asString(sample['id']);
  const advantages = numbersOf(sample['advantages']);
  return buildRollout({
    ...episode,
    place,
    producer,
    step: stepOf(sample['global_step']),
    group:
      id !== null && idNames === 'group'
        ? { key: id, source: 'logged' }
        : { key: inferredGroupKey(promptText(sample['prompt']), groundTruth), source: 'inferred' },
    id: idNames === 'sample' ? id : null,
    groundTruth,
    reward: { total: numberOf(sample['scores']) },
    loggedAdvantage: advantages === null ? numberOf(sample['advantages']) : scalarOf(advantages),
    extras: [...extrasOf(sample, placed), ...facts],
  });
}

function stepOf(value: Json | undefined): number | null {
  const step = numberOf(value);
  return step !== null && Number.isInteger(step) ? step : null;
}
