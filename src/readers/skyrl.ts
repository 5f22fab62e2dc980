/**
 * SkyRL evaluations: `dumped_evals/{global_step_N_evals|eval_only}/{data_source}.jsonl`, special tokens kept, `score` a
 * number or one a token (formats.md 5.1). Group = equal prompt; the step is the folder's number.
 * Leaves out `aggregated_results.jsonl` (metrics) and the pickles of training.
 */
import { asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { RecordPlace, Rollout } from '../model/rollout.ts';
import { extrasOf } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { lineFormat } from './lineFormat.ts';
import { episodeOf, isConversation, promptText } from './promptCompletion.ts';
import type { Reader } from './reader.ts';
import { numbersOf } from './tokenArrays.ts';
import { numberOf } from './toolInteractions.ts';

const format = 'skyrl';
const producer = 'SkyRL';
const placed: ReadonlySet<string> = new Set(['input_prompt', 'output_response', 'score', 'stop_reason']);

/** The reader of SkyRL evaluations. */
export const skyrlReader: Reader = {
  format,
  version: 1,
  recognise: (head) => {
    const keys = ['input_prompt', 'output_response', 'env_class'];
    const isSkyrl = head.container === 'jsonl' && keys.every((key) => head.keys.has(key));
    return isSkyrl ? { format, producer, variant: '' } : null;
  },
  stepOfName: (name) => {
    const digits = /(?:^|\/)global_step_(\d{1,9})(?:_evals)?\//.exec(name)?.[1];
    return digits === undefined ? null : Number(digits);
  },
  ...lineFormat({
    holds: (record) =>
      isConversation(record['input_prompt']) && isConversation(record['output_response'])
        ? 1
        : 'the line has no input_prompt or no output_response',
    rollout: rolloutOf,
  }),
};

function rolloutOf(record: JsonObject, place: RecordPlace): Rollout {
  const prompt = record['input_prompt'];
  const groundTruth = groundTruthOf(record['env_extras']);
  const { facts, ...episode } = episodeOf(prompt, record['output_response']);
  const scores = numbersOf(record['score']);
  return buildRollout({
    ...episode,
    place,
    producer,
    group: { key: inferredGroupKey(promptText(prompt), groundTruth), source: 'inferred' },
    groundTruth,
    reward: { total: summed(record['score']) },
    modelTokens: scores?.length ?? null,
    stopReason: asString(record['stop_reason']),
    extras: [...extrasOf(record, placed), ...facts],
  });
}

/** One score, or the sum of those of the tokens. */
function summed(score: Json | undefined): number | null {
  const scores = numbersOf(score);
  if (scores === null) return numberOf(score);
  const sum = scores.reduce((total, value) => total + (Number.isFinite(value) ? value : 0), 0);
  return Number.isFinite(sum) ? sum : null;
}

function groundTruthOf(extras: Json | undefined): Json {
  if (!isObject(extras)) return null;
  const spec = isObject(extras['reward_spec']) ? extras['reward_spec'] : extras['reward_model'];
  return (isObject(spec) ? spec['ground_truth'] : extras['ground_truth']) ?? null;
}
