/**
 * What each column of the index holds for a rollout and for a call: one function a column name of columns.ts (a test
 * holds the two together). Owned by the store; leaves out how values are kept (columnArrays.ts).
 */
import { createHash } from 'node:crypto';
import type { Json } from '../base/json.ts';
import type { Call, CallOutcome, Rollout } from '../model/rollout.ts';
import type { ColumnValue } from './columnArrays.ts';

/** Sums over the calls and turns of one rollout. */
export interface RolloutCounts {
  /** T: calls sent. */
  readonly sent: number;
  readonly failed: number;
  readonly flagged: number;
  readonly policyTurns: number;
  readonly policyCharacters: number;
  readonly observationCharacters: number;
  /** Null if no call has a logged latency. */
  readonly latencyMs: number | null;
  /** The same of the flagged calls. */
  readonly wastedMs: number | null;
}

/** What the rules say of a call. */
export interface CallFlags {
  /** Ids of the rules (certain or likely) that flag it with the usual thresholds. */
  readonly rules: readonly string[];
  /** What rules with a threshold measured, 0 to 1. */
  readonly measured: {
    readonly cropOverlap?: number;
    readonly sharedLinks?: number;
    readonly coveredShare?: number;
    readonly knownShare?: number;
  };
}

/** A call with its place and the rules that flag it. */
export interface FlaggedCall {
  readonly call: Call;
  readonly index: number;
  readonly flags: CallFlags;
  readonly row: number;
}

const failures: ReadonlySet<CallOutcome> = new Set<CallOutcome>(['failed', 'malformed', 'timeout', 'refused']);

/** Sums what the columns need, in one pass over the rollout; `flags[i]` are the rules that flag call i. */
export function countsOf(rollout: Rollout, flags: readonly CallFlags[]): RolloutCounts {
  let sent = 0;
  let failed = 0;
  let flagged = 0;
  let observationCharacters = 0;
  let latencyMs: number | null = null;
  let wastedMs: number | null = null;
  rollout.calls.forEach((call, index) => {
    observationCharacters += call.observation.length;
    if (call.latencyMs !== null) latencyMs = (latencyMs ?? 0) + call.latencyMs;
    if ((flags[index]?.rules.length ?? 0) > 0) {
      flagged += 1;
      if (call.latencyMs !== null) wastedMs = (wastedMs ?? 0) + call.latencyMs;
    }
    // A call that was cut before it was sent counts neither in T nor among the failures (hdpo.md 1).
    if (!call.sent) return;
    sent += 1;
    if (failures.has(call.outcome)) failed += 1;
  });
  let policyTurns = 0;
  let policyCharacters = 0;
  for (const turn of rollout.turns) {
    if (turn.role !== 'policy' || turn.prompt) continue;
    policyTurns += 1;
    policyCharacters += turn.characters;
  }
  return { sent, failed, flagged, policyTurns, policyCharacters, observationCharacters, latencyMs, wastedMs };
}

/** The value of each rollout column by its name. */
export const rolloutValues: Readonly<Record<string, (rollout: Rollout, counts: RolloutCounts) => ColumnValue>> = {
  row: ({ place }) => place.row,
  line: ({ place }) => place.line,
  byte_first: ({ place }) => place.bytes.first,
  byte_count: ({ place }) => place.bytes.count,
  item: ({ place }) => place.item ?? null,
  step_logged: ({ step }) => step,
  group_key: ({ group }) => shortText(group.key),
  group_inferred: ({ group }) => group.source === 'inferred',
  id: ({ id }) => shortOrNull(id),
  output: ({ output }) => output,
  question: ({ question }) => question.slice(0, questionCharacters),
  answer_key: ({ answer }) => answerKey(answer),
  answer_is_truth: ({ answer, groundTruth }) => answerIsTruth(answer, groundTruth),
  reward: ({ reward }) => reward.total,
  answer_reward: ({ reward }) => reward.answer,
  format_reward: ({ reward }) => reward.format,
  correct_logged: ({ reward }) => reward.correct,
  correct_decoded: ({ reward }) => (reward.correct === null ? null : reward.correctSource === 'decoded from score'),
  logged_advantage: ({ loggedAdvantage }) => loggedAdvantage,
  calls: (_, { sent }) => sent,
  failed_calls: (_, { failed }) => failed,
  redundant_calls: (_, { flagged }) => flagged,
  turns: (_, { policyTurns }) => policyTurns,
  model_tokens: ({ modelTokens }) => modelTokens,
  model_characters: (_, { policyCharacters }) => policyCharacters,
  observation_characters: (_, { observationCharacters }) => observationCharacters,
  latency_ms: (_, { latencyMs }) => latencyMs,
  wasted_ms: (_, { wastedMs }) => wastedMs,
  images: ({ images }) => images.length,
  images_cut: ({ images }) => images.filter(({ state }) => state !== 'inline').length,
  masked: ({ masked }) => masked,
  stop_reason: ({ stopReason }) => shortOrNull(stopReason),
};

/** The value of each call column by its name. */
export const callValues: Readonly<Record<string, (flagged: FlaggedCall) => ColumnValue>> = {
  row: ({ row }) => row,
  call: ({ index }) => index,
  turn: ({ call }) => call.turn,
  tool: ({ call }) => shortOrNull(call.tool),
  sent: ({ call }) => call.sent,
  control: ({ call }) => call.control,
  outcome: ({ call }) => call.outcome,
  latency_ms: ({ call }) => call.latencyMs,
  arguments_characters: ({ call }) => call.raw.length,
  observation_characters: ({ call }) => call.observation.length,
  redundant: ({ flags }) => flags.rules.join(','),
  crop_overlap: ({ flags }) => flags.measured.cropOverlap ?? null,
  shared_links: ({ flags }) => flags.measured.sharedLinks ?? null,
  covered_share: ({ flags }) => flags.measured.coveredShare ?? null,
  known_share: ({ flags }) => flags.measured.knownShare ?? null,
};

const questionCharacters = 160;
const longestText = 200;

/** Hash of an answer: md5 (hex) after trimming, case folding and collapsing white space; null without an answer. */
export function answerKey(answer: string | null): string | null {
  return answer === null ? null : md5(normalised(answer));
}

function normalised(text: string): string {
  return text.trim().replaceAll(/\s+/gu, ' ').toLowerCase();
}

/** Whether an answer equals the ground truth (or one of several) as answerKey normalises both; null where either is missing or no text. */
function answerIsTruth(answer: string | null, groundTruth: Json): boolean | null {
  const truths = (Array.isArray(groundTruth) ? groundTruth : [groundTruth]).flatMap((truth: Json) =>
    typeof truth === 'string' || typeof truth === 'number' ? [normalised(String(truth))] : [],
  );
  return answer === null || truths.length === 0 ? null : truths.includes(normalised(answer));
}

/** A name as the index holds it: one that is too long for a column stays distinct, its end replaced by a hash of the whole. */
export function shortText(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, questionCharacters)}…${md5(text)}`;
}

function shortOrNull(text: string | null): string | null {
  return text === null ? null : shortText(text);
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
