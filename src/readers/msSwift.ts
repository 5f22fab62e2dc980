/**
 * Reads ms-swift's `completions.jsonl` (3602360; formats.md 3.2): one line a logging step, each value a list over its
 * samples, so one line holds several rollouts. `step` is a list of strings; the Megatron trainer writes `gen_step`.
 * The prompt keeps its special tokens. Leaves out the reward weights, which are not logged.
 */
import { asArray, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { RecordPlace, Rollout } from '../model/rollout.ts';
import { extrasOf } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { lineFormat, lineValues, sampleOf } from './lineFormat.ts';
import { groundTruthOf, rewardColumns, summedNotice, summedReward } from './namedRewards.ts';
import { episodeOf, isConversation, promptText } from './promptCompletion.ts';
import { asBuffer } from './parseJson.ts';
import type { Head, Reader, Recognition } from './reader.ts';
import { numberOf } from './toolInteractions.ts';
import { stepOf } from './trl.ts';

const format = 'ms-swift';
const producer = 'ms-swift';

/** One line a step, several rollouts a line. */
export const msSwiftReader: Reader = {
  format,
  version: 1,
  recognise: (head) => recogniseSwift(head),
  stepOfName: () => null,
  ...lineFormat({
    holds: (columns) => samplesOf(columns),
    rollout: (columns, place) => swiftRollout(columns, place),
    tell: (columns) => summedNotice(rewardsOf(columns), producer),
  }),
};

function recogniseSwift(head: Head): Recognition | null {
  const { first, keys } = head;
  const hasStep = keys.has('step') || keys.has('gen_step');
  if (head.container !== 'jsonl' || !hasStep || !keys.has('prompt') || !keys.has('completion')) return null;
  const isColumnar = isObject(first)
    ? (Array.isArray(first['step']) || Array.isArray(first['gen_step'])) &&
      lengthOf(first['prompt']) >= 0 &&
      lengthOf(first['prompt']) === lengthOf(first['completion'])
    : /"(gen_)?step"\s*:\s*\[/.test(asBuffer(head.bytes).toString('latin1', 0, 64 * 1024));
  return isColumnar ? { format, producer, variant: '' } : null;
}

function samplesOf(columns: JsonObject): number | string {
  const [prompts, completions] = [columns['prompt'], columns['completion']];
  if (!Array.isArray(prompts) || !Array.isArray(completions))
    return 'the line has no lists under prompt and completion';
  if (prompts.length !== completions.length) {
    return `its lists have different lengths: ${prompts.length} prompts, ${completions.length} completions`;
  }
  if (prompts.length === 0) return 'its lists are empty';
  const isRead = (value: Json): boolean => isConversation(value);
  return asArray(prompts).every(isRead) && asArray(completions).every(isRead)
    ? prompts.length
    : 'a prompt or a completion is neither text nor messages';
}

/** Maps the sample `place.item` of a line; pure. */
export function swiftRollout(columns: JsonObject, place: RecordPlace): Rollout {
  const count = lengthOf(columns['completion']);
  const sample = sampleOf(columns, place.item ?? 0, count);
  const rewards = rewardsOf(columns);
  const truth = groundTruthOf(sample);
  const placed = new Set(['step', 'gen_step', 'prompt', 'completion', 'advantages', 'advantage', ...rewards]);
  if (truth !== null) placed.add(truth.key);
  const step = sample['step'] ?? columns['step'] ?? sample['gen_step'] ?? columns['gen_step'];
  const { facts, ...episode } = episodeOf(sample['prompt'], sample['completion']);
  return buildRollout({
    ...episode,
    place,
    producer,
    step: stepOf(numberOf(step)),
    group: { key: inferredGroupKey(promptText(sample['prompt']), truth?.value ?? null), source: 'inferred' },
    groundTruth: truth?.value ?? null,
    reward: summedReward(sample, rewards),
    loggedAdvantage: numberOf(sample['advantages'] ?? sample['advantage']),
    extras: [...extrasOf(sample, placed), ...extrasOf(lineValues(columns, count), placed), ...facts],
  });
}

/** One line is asked for by each of its samples. */
const rewardsOfLine = new WeakMap<JsonObject, readonly string[]>();

function rewardsOf(columns: JsonObject): readonly string[] {
  const known = rewardsOfLine.get(columns);
  if (known !== undefined) return known;
  const count = lengthOf(columns['completion']);
  const samples = Array.from({ length: count }, (_, item) => sampleOf(columns, item, count));
  const { names } = rewardColumns(samples);
  rewardsOfLine.set(columns, names);
  return names;
}

/** Length of a list, -1 where the value is none. */
function lengthOf(value: Json | undefined): number {
  return Array.isArray(value) ? value.length : -1;
}
