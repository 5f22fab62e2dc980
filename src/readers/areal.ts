/**
 * AReaL rollout dumps: `{version}/{task_id}.jsonl`, one file a prompt group, rows appended, special tokens kept
 * (formats.md 5.7). The policy versions of the tokens are kept as logged; the step is the folder's number.
 * Leaves out the old text form.
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { RecordPlace, Rollout } from '../model/rollout.ts';
import { extrasOf } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { lineFormat } from './lineFormat.ts';
import { episodeOf, isConversation, promptText } from './promptCompletion.ts';
import type { Reader } from './reader.ts';
import { numberOf } from './toolInteractions.ts';

const format = 'areal';
const producer = 'AReaL';
const placed: ReadonlySet<string> = new Set(['task_id', 'sample_idx', 'reward', 'prompt', 'completion', 'segments']);

/** The reader of AReaL dumps. */
export const arealReader: Reader = {
  format,
  version: 1,
  recognise: (head) => {
    const keys = ['task_id', 'sample_idx', 'seqlen', 'prompt', 'completion'];
    const isAreal = head.container === 'jsonl' && keys.every((key) => head.keys.has(key));
    return isAreal ? { format, producer, variant: '' } : null;
  },
  stepOfName: (name) => {
    const digits = /(?:^|\/)(\d{1,9})\/[^/]*$/.exec(name)?.[1];
    return digits === undefined ? null : Number(digits);
  },
  ...lineFormat({
    holds: (record) =>
      isConversation(record['prompt']) && isConversation(record['completion'])
        ? 1
        : 'the line has no prompt or no completion',
    rollout: rolloutOf,
  }),
};

function rolloutOf(record: JsonObject, place: RecordPlace): Rollout {
  const task = record['task_id'];
  const sample = record['sample_idx'];
  const isLogged = typeof task === 'number' || (typeof task === 'string' && task !== '');
  const { facts, ...episode } = episodeOf(record['prompt'], record['completion']);
  const original = numberOf(record['original_reward']);
  return buildRollout({
    ...episode,
    place,
    producer,
    group: isLogged
      ? { key: String(task), source: 'logged' }
      : { key: inferredGroupKey(promptText(record['prompt']), null), source: 'inferred' },
    id: typeof sample === 'number' || typeof sample === 'string' ? `sample ${sample}` : null,
    reward: {
      total: numberOf(record['reward']),
      parts: original === null ? [] : [{ name: 'original_reward', value: original }],
    },
    modelTokens: writtenTokens(record),
    stopReason: asString(record['stop_reason']) ?? asString(record['finish_reason']),
    extras: [...extrasOf(record, new Set([...placed, 'original_reward'])), ...facts],
  });
}

/** Generated tokens: counted by policy version, else those of the segments that were generated, else all behind the prompt. */
function writtenTokens(record: JsonObject): number | null {
  const runs = asArray(record['version_rle']);
  if (runs.length > 0) return sumOf(runs.map((run) => asArray(run)[1]));
  const segments = asArray(record['segments']).filter(isObject);
  const written = segments.filter((segment) => segment['role'] === 'gen');
  if (written.length > 0) return sumOf(written.map((segment) => segment['len']));
  const all = asNumber(record['seqlen']);
  const prompt = asNumber(record['prompt_len']);
  return all === null || prompt === null ? null : all - prompt;
}

function sumOf(counts: readonly (Json | undefined)[]): number | null {
  let sum = 0;
  for (const count of counts) {
    const number = asNumber(count);
    if (number === null) return null;
    sum += number;
  }
  return Number.isFinite(sum) ? sum : null;
}
