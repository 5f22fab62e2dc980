/**
 * What each column of the index holds for a rollout and for a call: one function a column name of columns.ts (a test
 * holds the two together). Owned by the store; leaves out how values are kept (columnArrays.ts).
 */
import { createHash } from 'node:crypto';
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
}

/** A call with its place and the rules that flag it. */
export interface FlaggedCall {
  readonly call: Call;
  readonly index: number;
  readonly rules: readonly string[];
  readonly row: number;
}

const failures: ReadonlySet<CallOutcome> = new Set<CallOutcome>(['failed', 'malformed', 'timeout', 'refused']);

/** Sums what the columns need, in one pass over the rollout; `flags[i]` are the rules that flag call i. */
export function countsOf(rollout: Rollout, flags: readonly (readonly string[])[]): RolloutCounts {
  let sent = 0;
  let failed = 0;
  let flagged = 0;
  let observationCharacters = 0;
  let latencyMs: number | null = null;
  rollout.calls.forEach((call, index) => {
    observationCharacters += call.observation.length;
    if (call.latencyMs !== null) latencyMs = (latencyMs ?? 0) + call.latencyMs;
    if ((flags[index]?.length ?? 0) > 0) flagged += 1;
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
  return { sent, failed, flagged, policyTurns, policyCharacters, observationCharacters, latencyMs };
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
  reward: ({ reward }) => reward.total,
  answer_reward: ({ reward }) => reward.answer,
  format_reward: ({ reward }) => reward.format,
  correct_logged: ({ reward }) => reward.correct,
  logged_advantage: ({ loggedAdvantage }) => loggedAdvantage,
  calls: (_, { sent }) => sent,
  failed_calls: (_, { failed }) => failed,
  redundant_calls: (_, { flagged }) => flagged,
  turns: (_, { policyTurns }) => policyTurns,
  model_tokens: ({ modelTokens }) => modelTokens,
  model_characters: (_, { policyCharacters }) => policyCharacters,
  observation_characters: (_, { observationCharacters }) => observationCharacters,
  latency_ms: (_, { latencyMs }) => latencyMs,
  images: ({ images }) => images.length,
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
  redundant: ({ rules }) => rules.join(','),
};

const questionCharacters = 160;
const longestText = 200;

/** Hash of an answer: md5 (hex) after trimming, case folding and collapsing white space; null without an answer. */
export function answerKey(answer: string | null): string | null {
  return answer === null ? null : md5(answer.trim().replaceAll(/\s+/gu, ' ').toLowerCase());
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
