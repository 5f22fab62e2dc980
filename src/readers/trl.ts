/**
 * Reads TRL's GRPO completions (`completions/completions_{step:05d}.parquet`, f2cd577; formats.md 3.1): a table that comes
 * here as one JSON object a row, or the same table saved as JSONL. One column a reward function, no total, no group id;
 * `prompt` and `completion` are decoded text, or messages where the dataset is conversational.
 * Leaves out Parquet itself (the engine opens it) and the reward weights, which are not logged.
 */
import { asArray, asNumber, asString, isObject, type JsonObject } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { RecordPlace, Rollout } from '../model/rollout.ts';
import { extrasOf } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { lineFormat } from './lineFormat.ts';
import { groundTruthOf, rewardColumns, rewardNames, summedNotice, summedReward } from './namedRewards.ts';
import { asBuffer, hasByteOrderMark, parseJsonBytes, parseJsonText } from './parseJson.ts';
import { episodeOf, isConversation, promptText } from './promptCompletion.ts';
import type { Head, Reader, Recognition } from './reader.ts';
import { numberOf } from './toolInteractions.ts';

const format = 'trl';
const producer = 'TRL';
const rowsToLookAt = 64;
const wanted = ['step', 'prompt', 'completion', 'advantage'];

/** One file a logged step. */
export const trlReader: Reader = {
  format,
  version: 1,
  recognise: (head) => recogniseTrl(head),
  stepOfName: (name) => {
    const digits = /^completions_(\d{1,9})\.(?:parquet|jsonl)/.exec(name)?.[1];
    return digits === undefined ? null : Number(digits);
  },
  ...lineFormat({
    holds: (record) =>
      isConversation(record['prompt']) && isConversation(record['completion'])
        ? 1
        : 'the row has no text or messages under prompt and completion',
    rollout: (record, place, recognition) => trlRollout(record, place, rewardsOf(recognition, record)),
    tell: (record, recognition) => summedNotice(rewardsOf(recognition, record), producer),
  }),
};

function recogniseTrl(head: Head): Recognition | null {
  const { first, keys } = head;
  if (head.container !== 'jsonl' || !wanted.every((key) => keys.has(key)) || keys.has('example_id')) return null;
  // A column-oriented line is ms-swift's.
  if (isObject(first) && Array.isArray(first['step'])) return null;
  return { format, producer, variant: JSON.stringify(rewardColumns(firstRows(head))) };
}

/** The rows that the head holds whole: one row does not tell the kind of a column that is null in it. */
function firstRows({ bytes, first }: Head): readonly JsonObject[] {
  const rows: JsonObject[] = [];
  const buffer = asBuffer(bytes);
  for (let start = hasByteOrderMark(buffer, 0) ? 3 : 0, lines = 0; lines < rowsToLookAt; lines++) {
    const end = buffer.indexOf(0x0a, start);
    if (end < 0) break;
    const row = parseJsonBytes(buffer, start, end);
    if (row.ok && isObject(row.value) && 'completion' in row.value) rows.push(row.value);
    start = end + 1;
  }
  return rows.length > 0 ? rows : isObject(first) ? [first] : [];
}

/** The reward columns of a row, given what the head showed of them. */
function rewardsOf({ variant }: Recognition, row: JsonObject): readonly string[] {
  const parsed = parseJsonText(variant);
  const head = parsed.ok && isObject(parsed.value) ? parsed.value : {};
  const names = asArray(head['names']).filter((name) => typeof name === 'string');
  return rewardNames(row, { names, end: asString(head['end']) });
}

/** Maps one row, of which the columns `rewards` are rewards; pure. */
export function trlRollout(row: JsonObject, place: RecordPlace, rewards: readonly string[]): Rollout {
  const truth = groundTruthOf(row);
  const placed = new Set([...wanted, ...rewards, ...(truth === null ? [] : [truth.key])]);
  const { facts, ...episode } = episodeOf(row['prompt'], row['completion']);
  return buildRollout({
    ...episode,
    place,
    producer,
    step: stepOf(numberOf(row['step'])),
    group: { key: inferredGroupKey(promptText(row['prompt']), truth?.value ?? null), source: 'inferred' },
    groundTruth: truth?.value ?? null,
    reward: summedReward(row, rewards),
    loggedAdvantage: asNumber(row['advantage']),
    extras: [...extrasOf(row, placed), ...facts],
  });
}

/** A step as logged; a fraction is none. */
export function stepOf(step: number | null): number | null {
  return step !== null && Number.isInteger(step) ? step : null;
}
