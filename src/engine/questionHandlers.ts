/**
 * What the engine answers to the charts page about single rollouts, groups, prompts and the doctor.
 * Leaves out per-step curves and lists (engine.ts) and the arithmetic (analysis/).
 */
import { DEFAULT_ACC_WEIGHT, DEFAULT_TOOL_WEIGHT } from '../analysis/contributions.ts';
import { UserError } from '../base/errors.ts';
import type { DoctorApi } from '../protocol/doctor.ts';
import type { RunId } from '../protocol/engine.ts';
import type { BiographyMoment, GroupView, GroupViewApi, GroupViewMember } from '../protocol/groupView.ts';
import type { Handlers } from '../protocol/rpc.ts';
import type { SamplesApi } from '../protocol/samples.ts';
import {
  keyedMembers,
  momentsOfPrompt,
  rolloutsByKey,
  type KeyedRollout,
  type StoredMoment,
} from '../store/promptQuestions.ts';
import { examineRun } from './examineRun.ts';
import { explanationOf, fitting, pageOf, rolloutRow } from './rows.ts';
import type { RunIndex } from './runIndex.ts';
import { createSampleSnapshots } from './samples.ts';

/** Asks an open run whose shards are loaded. */
export type AskRun = <T>(run: RunId, ask: (run: RunIndex) => Promise<T>) => Promise<T>;

/** Rollouts in one answer. */
const mostRows = 500;
/** Rollouts of one moment in a biography. */
const mostInMoment = 64;

/** The handlers over open runs. */
export function questionHandlers(ask: AskRun): Handlers<SamplesApi & GroupViewApi & DoctorApi> {
  const snapshots = createSampleSnapshots();
  return {
    samples: ({ run, columns, first }, signal) =>
      ask(run, (index) => snapshots.page(index, { columns, first }, signal)),
    rowsOf: ({ run, keys }, signal) =>
      ask(run, async ({ table }) => {
        const found = await rolloutsByKey(table, [...keys].slice(0, mostRows), signal);
        return fitting({ rows: found.map(({ stored }) => rolloutRow(run, stored)), total: found.length }).rows;
      }),
    groupOf: ({ run, step, key }, signal) =>
      ask(run, async ({ table, threshold }) => {
        const members = await keyedMembers(table, { step, group: key }, signal);
        return groupView(run, members, threshold);
      }),
    promptKeys: ({ run, first }, signal) => ask(run, (index) => snapshots.promptKeys(index, first, signal)),
    biography: ({ run, step, key, first }, signal) =>
      ask(run, async ({ table }) => {
        const from = pageOf({ first, count: 0 }).first;
        const found = await momentsOfPrompt(table, { step, group: key, first: from }, signal);
        if (found === null) throw goneGroup();
        return fitting({ rows: found.moments.map((moment) => momentOf(run, moment)), total: found.total });
      }),
    doctor: ({ run }, signal) => ask(run, async (index) => ({ run, findings: await examineRun(index, signal) })),
  };
}

function goneGroup(): UserError {
  return new UserError('This group is not in the run (any more).', 'Choose another one.');
}

function groupView(run: RunId, members: readonly KeyedRollout[], threshold: number): GroupView {
  const [one] = members;
  if (!one) throw goneGroup();
  const stored = members.map((member) => member.stored);
  const sums = explanationOf(run, one.stored, { members: stored, threshold });
  const shown = fitting({ rows: members.slice(0, mostRows).map((each) => viewOf(run, each)), total: members.length });
  return {
    run,
    step: one.stored.step,
    group: one.stored.group,
    question: sums.row.question,
    size: members.length,
    qualifying: sums.qualifying,
    accMean: sums.accMean,
    accStd: sums.accStd,
    toolMean: sums.toolMean,
    toolStd: sums.toolStd,
    accEqual: sums.accEqual,
    toolEqual: sums.toolEqual,
    members: shown.rows,
  };
}

function viewOf(run: RunId, { key, stored }: KeyedRollout): GroupViewMember {
  const { accAdvantage, toolAdvantage, masked } = stored;
  const push =
    accAdvantage === null
      ? null
      : masked
        ? 0
        : DEFAULT_ACC_WEIGHT * accAdvantage + DEFAULT_TOOL_WEIGHT * (toolAdvantage ?? 0);
  return {
    key,
    row: rolloutRow(run, stored),
    answerReward: stored.answerReward,
    formatReward: stored.formatReward,
    masked,
    push,
  };
}

function momentOf(run: RunId, { step, group, rollouts }: StoredMoment): BiographyMoment {
  const calls = rollouts.reduce((sum, { stored }) => sum + stored.calls, 0);
  return {
    step,
    group,
    size: rollouts.length,
    correct: rollouts.filter(({ stored }) => stored.correct === true).length,
    qualifying: rollouts.filter(({ stored }) => stored.qualifies).length,
    callsMean: rollouts.length === 0 ? 0 : calls / rollouts.length,
    rollouts: rollouts.slice(0, mostInMoment).map(({ key, stored }) => ({
      key,
      ref: { run, file: stored.file, row: stored.row },
      correct: stored.correct,
      calls: stored.calls,
      accReward: stored.accReward,
      accAdvantage: stored.accAdvantage,
      toolAdvantage: stored.toolAdvantage,
    })),
  };
}
