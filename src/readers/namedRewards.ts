/**
 * Rewards of trainers that log one column a reward function and no total (TRL, ms-swift): which columns are rewards, and
 * their sum. Both trainers write them right behind `completion` and in front of what else was logged.
 * Leaves out the weights: they stand in the training arguments only, so the sum is the one of weight 1.
 */
import { isObject, type Json, type JsonObject } from '../base/json.ts';
import type { NamedValue, Reward } from '../model/rollout.ts';
import { numberOf } from './toolInteractions.ts';

const advantageKeys: ReadonlySet<string> = new Set(['advantage', 'advantages']);
const textKeys: ReadonlySet<string> = new Set(['step', 'gen_step', 'prompt', 'completion']);
/** Numbers that are no rewards whatever column they stand in. */
const noReward =
  /length|(^|_)len$|tokens|^num_|_num$|count|turns|_time|_ms$|_sec$|seconds|latency|(^|_)(index|idx|id|seed|level|epoch)$|^difficulty$|^entropy$|^kl$|logps?$|logprobs?$/i;

/** Names of columns that hold rewards even where the records at hand have none: all of them null. */
const rewardName = /reward|score|accuracy|format|correct|penalty|bonus/i;

/** The columns behind the completion, as some records of a log show them. */
export interface RewardColumns {
  /** Those that are rewards, in log order. */
  readonly names: readonly string[];
  /** The first one that holds something else than numbers, where the rewards end; null where none does. */
  readonly end: string | null;
}

/** Which columns of these records are rewards: numbers right behind the completion. */
export function rewardColumns(records: readonly JsonObject[]): RewardColumns {
  const names: string[] = [];
  for (const name of candidates(records[0] ?? {})) {
    const values = records.flatMap((record) => record[name] ?? []);
    if (!values.every((value) => typeof value === 'number')) return { names, end: name };
    // A column of nulls may be a text that these records lack.
    if (!noReward.test(name) && (values.length > 0 || rewardName.test(name))) names.push(name);
  }
  return { names, end: null };
}

/** The reward columns of one more record of the log: what `known` says, and numbers where `known` saw only nulls. */
export function rewardNames(record: JsonObject, known: RewardColumns): readonly string[] {
  const names: string[] = [];
  for (const name of candidates(record)) {
    const value = record[name] ?? null;
    if (name === known.end || (value !== null && typeof value !== 'number')) break;
    if (known.names.includes(name) || (value !== null && !noReward.test(name))) names.push(name);
  }
  return names;
}

/** Columns between the completion and the advantage. */
function candidates(record: JsonObject): readonly string[] {
  const names = Object.keys(record);
  const behind = names.slice(names.indexOf('completion') + 1 || names.length);
  const advantage = behind.findIndex((name) => advantageKeys.has(name));
  return (advantage < 0 ? behind : behind.slice(0, advantage)).filter((name) => !textKeys.has(name));
}

/** The reward of a record: the named columns as parts (null where a function did not apply), their sum as the total. */
export function summedReward(record: JsonObject, names: readonly string[]): Partial<Reward> {
  const parts: NamedValue[] = names.map((name) => ({ name, value: numberOf(record[name]) }));
  const values = parts.flatMap(({ value }) => (typeof value === 'number' ? [value] : []));
  const total = values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
  const answer = judged(parts, /accuracy|^acc(_|$)|correct/i);
  const format = judged(parts, /format/i);
  if (answer === null) return { total, format, parts };
  return { total, format, correct: answer === 1, correctSource: 'logged', parts };
}

/** What a file of such rewards does not say; null where one column is the total. */
export function summedNotice(names: readonly string[], producer: string): string | null {
  if (names.length < 2) return null;
  return `${producer} logs no total reward and no reward weights: the total is the sum of ${names.slice(0, 20).join(', ')}`;
}

/** The ground truth where a dataset column or a reward function logged it under a usual name. */
export function groundTruthOf(record: JsonObject): { readonly key: string; readonly value: Json } | null {
  for (const key of ['ground_truth', 'solution', 'answer', 'target', 'label', 'gts']) {
    const value = record[key];
    if (value === undefined || value === null || isObject(value)) continue;
    return { key, value };
  }
  return null;
}

/** A part that is 0 or 1 says whether the answer or the format was right; the first one with such a name counts. */
function judged(parts: readonly NamedValue[], name: RegExp): 0 | 1 | null {
  const value = parts.find((part) => name.test(part.name))?.value;
  return value === 1 ? 1 : value === 0 ? 0 : null;
}
