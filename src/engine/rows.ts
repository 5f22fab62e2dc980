/**
 * Rows of the store as they cross to the host: the run's id is added, texts of hostile length are cut, pages stay below
 * 1 MB (invariant 5). Also the sums behind one rollout's advantages. Pure.
 * Leaves out the queries (store/questions.ts) and the arithmetic itself (analysis/hdpo.ts).
 */
import { computeAdvantages } from '../analysis/hdpo.ts';
import { RIGHT, UNKNOWN, WRONG } from '../analysis/rewards.ts';
import type { StepAggregates } from '../analysis/steps.ts';
import type { Note } from '../model/note.ts';
import type { Rollout } from '../model/rollout.ts';
import type { CurvesPage, Explanation, GroupMember, Page, PageRequest, RolloutRow, RunId } from '../protocol/engine.ts';
import type { StoredRollout } from '../store/questions.ts';
import { shortText } from '../store/rolloutValues.ts';

/** Longest list in one answer. */
const maximumRows = 500;

/** Steps of curves in one answer: 136 bytes each, so that it stays below 1 MB. */
export const stepsInMessage = 7_000;

/** Characters of all rows of a page together; a character crosses as one byte or two. */
const maximumPageCharacters = 450_000;
const maximumTextCharacters = 300;
/** A note's message: a reader may quote what it found, and a sentence may name a path of 4,096 characters. */
const maximumNoteCharacters = 5_000;
const membersShown = 64;

/** A page request inside its limits: whole numbers, at most 500 rows. */
export function pageOf({ first, count }: PageRequest): PageRequest {
  const whole = (value: number): number => (Number.isFinite(value) ? Math.max(0, Math.trunc(value)) : 0);
  return { first: whole(first), count: Math.min(maximumRows, whole(count)) };
}

/** A slice of a list that is in memory, whose rows are small. */
export function sliceOf<Row>(rows: readonly Row[], request: PageRequest): Page<Row> {
  const { first, count } = pageOf(request);
  return { rows: rows.slice(first, first + count), total: rows.length };
}

/** A slice of the notes of a run or a search, long messages cut. */
export function notesPage(notes: readonly Note[], request: PageRequest): Page<Note> {
  const { rows, total } = sliceOf(notes, request);
  return fitting({
    rows: rows.map((note) => ({ ...note, message: cutText(note.message, maximumNoteCharacters) })),
    total,
  });
}

/** A page without the rows that would make it larger than a message may be. */
export function fitting<Row>({ rows, total }: Page<Row>): Page<Row> {
  let characters = 0;
  const kept = rows.findIndex((row) => {
    characters += JSON.stringify(row).length;
    return characters > maximumPageCharacters;
  });
  return { rows: kept < 0 ? rows : rows.slice(0, Math.max(1, kept)), total };
}

function cutText(text: string, most = maximumTextCharacters): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** One rollout as a list shows it. */
export function rolloutRow(run: RunId, stored: StoredRollout): RolloutRow {
  return {
    ref: { run, file: stored.file, row: stored.row },
    step: stored.step,
    group: stored.group,
    member: stored.member,
    groupSize: stored.groupSize,
    id: stored.id === null ? null : cutText(stored.id),
    line: stored.line,
    question: cutText(stored.question),
    reward: stored.reward,
    correct: stored.correct,
    calls: stored.calls,
    redundantCalls: stored.redundantCalls,
    wastedMs: stored.wastedMs,
    accReward: stored.accReward,
    toolReward: stored.toolReward,
    accAdvantage: stored.accAdvantage,
    toolAdvantage: stored.toolAdvantage,
    loggedAdvantage: stored.loggedAdvantage,
    qualifies: stored.qualifies,
    stopReason: stored.stopReason === null ? null : cutText(stored.stopReason),
  };
}

/** A rollout whose group is not indexed yet: what its record alone tells; `member` and `groupSize` are 0. */
export function unindexedRow(ref: RolloutRow['ref'], rollout: Rollout, step: number): RolloutRow {
  return {
    ref,
    step,
    group: shortText(rollout.group.key),
    member: 0,
    groupSize: 0,
    id: rollout.id === null ? null : shortText(rollout.id),
    line: rollout.place.line,
    question: cutText(rollout.question),
    reward: rollout.reward.total,
    correct: rollout.reward.correct,
    calls: rollout.calls.filter(({ sent }) => sent).length,
    redundantCalls: 0,
    wastedMs: null,
    accReward: null,
    toolReward: null,
    accAdvantage: null,
    toolAdvantage: null,
    loggedAdvantage: rollout.loggedAdvantage,
    qualifies: false,
    stopReason: rollout.stopReason === null ? null : cutText(rollout.stopReason),
  };
}

function numberOrNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}

/** The sums behind the advantages of one member of a group, out of all members in file order. */
export function explanationOf(
  run: RunId,
  rollout: StoredRollout,
  { members, threshold }: { readonly members: readonly StoredRollout[]; readonly threshold: number },
): Explanation {
  const count = members.length;
  const { groups } = computeAdvantages(
    {
      count,
      group: new Uint32Array(count),
      accReward: Float64Array.from(members, ({ accReward }) => accReward ?? Number.NaN),
      correct: Uint8Array.from(members, ({ correct }) => (correct === null ? UNKNOWN : correct ? RIGHT : WRONG)),
      calls: Uint32Array.from(members, ({ calls }) => calls),
    },
    { normalise: 'std' },
  );
  return {
    row: rolloutRow(run, rollout),
    answerReward: rollout.answerReward,
    formatReward: rollout.formatReward,
    correctSource: correctSourceOf(rollout, threshold),
    accMean: numberOrNull(groups.accMean[0]),
    accStd: numberOrNull(groups.accStd[0]),
    toolMean: numberOrNull(groups.toolMean[0]),
    toolStd: numberOrNull(groups.toolStd[0]),
    qualifying: groups.qualifying[0] ?? 0,
    accEqual: groups.equalAccReward[0] === 1,
    toolEqual: groups.equalCalls[0] === 1,
    masked: rollout.masked,
    members: members.slice(0, membersShown).map((member) => memberOf(run, member)),
  };
}

function correctSourceOf({ correctLogged, correctDecoded }: StoredRollout, threshold: number): string {
  if (correctLogged === null) return `reward > ${threshold}`;
  return correctDecoded ? 'decoded from score' : 'logged';
}

function memberOf(run: RunId, stored: StoredRollout): GroupMember {
  return {
    ref: { run, file: stored.file, row: stored.row },
    member: stored.member,
    correct: stored.correct,
    calls: stored.calls,
    accReward: stored.accReward,
    toolReward: stored.toolReward,
    qualifies: stored.qualifies,
  };
}

/** The rows of all steps, from index `first` on, as curves for the charts; at most `stepsInMessage` of them. */
export function curvesOf(run: RunId, steps: readonly StepAggregates[], first: number): CurvesPage {
  const from = pageOf({ first, count: 0 }).first;
  const rows = steps.slice(from, from + stepsInMessage);
  const numbers = (value: (row: StepAggregates) => number | null): Float64Array =>
    Float64Array.from(rows, (row) => value(row) ?? Number.NaN);
  return {
    run,
    total: steps.length,
    step: Int32Array.from(rows, ({ step }) => step),
    rollouts: Uint32Array.from(rows, ({ rollouts }) => rollouts),
    accuracy: numbers(({ accuracy }) => accuracy),
    reward: numbers((row) => row.reward_mean),
    toolRate: numbers((row) => row.tool_rate),
    calls: numbers((row) => row.calls_mean),
    redundant: numbers((row) => row.redundant_call_rate),
    qualifyingShare: numbers((row) => row.qualifying_share),
    signalShare: numbers((row) => row.efficiency_signal_share),
    effectiveToolWeight: numbers((row) => row.effective_w_tool),
    accAdvantage: numbers((row) => row.acc_advantage_abs),
    toolAdvantage: numbers((row) => row.tool_advantage_abs),
    deadRightShare: numbers((row) => row.dead_all_right_share),
    deadWrongShare: numbers((row) => row.dead_all_wrong_share),
    failedCalls: numbers((row) => row.failed_call_rate),
    responseTokens: numbers((row) => row.response_tokens_mean),
    responseCharacters: numbers((row) => row.response_characters_mean),
    truncatedShare: numbers((row) => row.truncated_share),
  };
}
