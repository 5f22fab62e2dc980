/**
 * One record of a verl rollout dump → Rollout: Metis and verl-tool, verl legacy (numpy scalars as strings), verl V1
 * (`uid`), validation dumps (formats.md 1.2 to 1.7 and 2.1). Pure and on the hot path of indexing: 2,048 records of
 * 8–100 KB a step, so text is searched by indexOf and sliced, never copied.
 * Leaves out lines and bytes (jsonLines.ts) and the conversation inside the text (chatEpisode.ts).
 */
import { asArray, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildReward, buildRollout } from '../model/builder.ts';
import { decodeMetisScore } from '../model/metisScore.ts';
import type { NamedValue, RecordPlace, Reward, Rollout } from '../model/rollout.ts';
import { buildEpisode } from './chatEpisode.ts';
import { isSmall } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { numberOf, truthOf } from './toolInteractions.ts';

/** Sub-kind of a verl dump, as its head shows it; `artifact` is the mlflow array of a validation. */
export type VerlVariant = 'metis' | 'verl-tool' | 'v1' | 'legacy' | 'unstripped' | 'artifact';

const producers: Readonly<Record<VerlVariant, string>> = {
  metis: 'Metis / verl-tool',
  'verl-tool': 'verl-tool',
  v1: 'verl (V1 trainer)',
  legacy: 'verl',
  unstripped: 'verl (special tokens kept)',
  artifact: 'verl (validation artifact)',
};

/** Producer for people; a validation dump has the key `reward` and logs accuracy as `score`. */
export function verlProducer(variant: VerlVariant, keys: { readonly has: (key: string) => boolean }): string {
  return keys.has('reward') ? `${producers[variant]}, validation` : producers[variant];
}

const placed = new Set([
  'input',
  'output',
  'gts',
  'score',
  'step',
  'tool_interact_info',
  'traj_stop_reason',
  'request_id',
  'advantage',
  'model_tokens',
]);

/** True where a JSON value has what every dump of the family has; else it is no record of it. */
export function isVerlRecord(value: unknown): value is JsonObject {
  return isObject(value) && typeof value['input'] === 'string' && typeof value['output'] === 'string';
}

/** Maps one record. Whether it is a Metis, V1 or validation record is seen from its own keys; `variant` names the producer. */
export function verlRollout(record: JsonObject, place: RecordPlace, variant: VerlVariant): Rollout {
  const input = asString(record['input']) ?? '';
  const groundTruth = record['gts'] ?? null;
  const entries = entriesOf(record['tool_interact_info']);
  const metrics = isObject(record['verl_tool_metrics']) ? record['verl_tool_metrics'] : {};
  const uid = uidOf(record['uid']);
  const named = namedValues(record);
  const output = asString(record['output']) ?? '';
  const { turns, calls, images, answer } = buildEpisode({ input, output, entries });
  return buildRollout({
    turns,
    calls,
    images,
    answer,
    place,
    producer: verlProducer(variant, { has: (key) => key in record }),
    step: stepOf(record['step']),
    group:
      uid === null
        ? { key: inferredGroupKey(input, groundTruth), source: 'inferred' }
        : { key: uid.group, source: 'logged' },
    output: uid?.output ?? null,
    id: asString(entries?.[0]?.['trajectory_id']) ?? uid?.session ?? asString(record['request_id']),
    groundTruth,
    reward: rewardOf(record, named.rewards),
    // No verl version writes these two by itself: the doctor names the lines that add them (analysis/trainerLines.ts).
    loggedAdvantage: numberOf(record['advantage']),
    masked: truthOf(metrics['no_loss_on_traj']) === true,
    modelTokens: numberOf(metrics['traj_actions_length']) ?? numberOf(record['model_tokens']),
    stopReason: asString(record['traj_stop_reason']),
    extras: named.extras,
    exactText: { prompt: input, response: output },
  });
}

/** Entries of `tool_interact_info`: one a call sent, null where the column is missing. */
export function entriesOf(value: Json | undefined): readonly JsonObject[] | null {
  return Array.isArray(value) ? asArray(value).map((entry) => (isObject(entry) ? entry : {})) : null;
}

/** `{uuid}_{session}_{output}`, split from the right twice since the first part may hold underscores. */
function uidOf(value: Json | undefined): { group: string; session: string | null; output: number | null } | null {
  const uid = asString(value);
  if (uid === null || uid === '') return null;
  const last = uid.lastIndexOf('_');
  const middle = uid.lastIndexOf('_', last - 1);
  if (last <= 0 || middle <= 0 || !isDigits(uid.slice(middle + 1, last)) || !isDigits(uid.slice(last + 1))) {
    return { group: uid, session: null, output: null };
  }
  return { group: uid.slice(0, middle), session: uid.slice(middle + 1, last), output: Number(uid.slice(last + 1)) };
}

function isDigits(text: string): boolean {
  return text.length < 20 && /^\d+$/.test(text);
}

function stepOf(value: Json | undefined): number | null {
  const step = numberOf(value);
  return step !== null && Number.isInteger(step) ? step : null;
}

/** Keys that hold no reward although they are numbers: lengths (batch means in Metis) and counts. */
const noReward = /length|tokens|^num_|_time|_ms$|_sec$|^index$/;
/** Keys that hold a reward even where the writer made a string of it; other strings are predictions and names. */
const rewardNames = /reward|score|^acc|correct|format|overlong|penalty|bonus|^em$|^f1$/;

/** The reward extras and everything else, by name in log order. */
export function namedValues(record: JsonObject): { rewards: NamedValue[]; extras: NamedValue[] } {
  const rewards: NamedValue[] = [];
  const extras: NamedValue[] = [];
  for (const name in record) {
    const value = record[name];
    if (value === undefined || placed.has(name)) continue;
    const number = rewardNumber(name, value);
    if (number !== null) rewards.push({ name, value: number });
    else if (isSmall(value)) extras.push({ name, value });
  }
  return { rewards, extras };
}

function rewardNumber(name: string, value: Json): number | null {
  if (noReward.test(name)) return null;
  if (typeof value === 'number') return numberOf(value);
  if (!rewardNames.test(name)) return null;
  const truth = typeof value === 'string' || typeof value === 'boolean' ? truthOf(value) : null;
  return truth === null ? numberOf(value) : Number(truth);
}

/** Total and judgements: a logged accuracy first, then the Metis sum, else the run's threshold decides. */
function rewardOf(record: JsonObject, parts: readonly NamedValue[]): Reward {
  const total = numberOf(record['score']);
  const accuracy = truthOf(record['accuracy'] ?? record['acc']);
  const validation = 'reward' in record;
  const metis = 'tool_interact_info' in record || 'verl_tool_metrics' in record || 'traj_stop_reason' in record;
  // A validation dump logs accuracy as its score; whether the format was right it does not say.
  const judged = total === null || !metis ? null : validation ? accuracyScore(total) : decodeMetisScore(total);
  const format = judgement(record['format_score']) ?? (judged !== null && 'format' in judged ? judged.format : null);
  const answer = judgement(record['answer_score']) ?? bit(accuracy) ?? judged?.answer ?? null;
  if (accuracy !== null)
    return buildReward({ total, answer, format, correct: accuracy, correctSource: 'logged', parts });
  if (judged === null) return buildReward({ total, answer, format, parts });
  const correctSource = validation ? 'logged' : 'decoded from score';
  return buildReward({ total, answer, format, correct: judged.answer === 1, correctSource, parts });
}

function accuracyScore(score: number): { answer: 0 | 1 } | null {
  if (Math.abs(score - 1) <= 1e-4) return { answer: 1 };
  return Math.abs(score) <= 1e-4 ? { answer: 0 } : null;
}

/** A logged part of the reward as the judgement behind it: above 0 is passed. */
function judgement(value: Json | undefined): 0 | 1 | null {
  const number = numberOf(value);
  return number === null ? null : number > 0 ? 1 : 0;
}

function bit(value: boolean | null): 0 | 1 | null {
  return value === null ? null : value ? 1 : 0;
}
