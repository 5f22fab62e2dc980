// Logs for the tests of views, and what their rollouts must show: the reward and advantage arithmetic worked out here from
// the written records alone (hdpo.md, sections 1 and 2), so that a view is never compared with the code behind it.
//
// Leaves out whole runs of the generator (metisRun.mjs).
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { metisLine, metisRecord, seededRandom, type MetisRecord, type Question } from '../generate/metisRun.mjs';
import type { CallKind } from '../generate/metisRun.mjs';

/** A rollout to write: its calls, and whether it is right and formatted. */
export interface Attempt {
  readonly calls: readonly CallKind[];
  readonly right: boolean;
  readonly formatted?: boolean;
}

/** What a view says about one rollout. */
export interface ExpectedRollout {
  readonly record: MetisRecord;
  /** 1-based place in its group, in the order of the log. */
  readonly member: number;
  readonly groupSize: number;
  readonly correct: boolean;
  readonly formatted: boolean;
  readonly calls: number;
  readonly accReward: number;
  readonly toolReward: number;
  readonly accAdvantage: number;
  readonly toolAdvantage: number;
  /** |Q| of its group. */
  readonly qualifying: number;
}

/** A question whose answer is a·b. */
export function product(a: number, b: number): Question {
  return { text: `${a} × ${b} = ?`, kind: 'compute', a, b, c: 0, value: a * b, difficulty: 0.5 };
}

/** The records of one group, with `verl_tool_metrics` left empty so that a transcript is short. */
export function groupRecords(question: Question, attempts: readonly Attempt[], step: number): readonly MetisRecord[] {
  const random = seededRandom(step * 1000 + question.a);
  return attempts.map(({ calls, right, formatted = true }) => ({
    ...metisRecord(random, { step, question, calls, right, formatted }),
    verl_tool_metrics: {},
  }));
}

/** Writes one step file and returns its path. */
export async function writeStep(folder: string, step: number, records: readonly MetisRecord[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `${step}.jsonl`);
  await writeFile(file, records.map((record) => `${metisLine(record)}\n`).join(''));
  return file;
}

/** What the views must say about the records of one step, in their order. */
export function expectedRollouts(records: readonly MetisRecord[]): readonly ExpectedRollout[] {
  const groups = new Map<string, MetisRecord[]>();
  for (const record of records) {
    const key = JSON.stringify([record.input, record.gts]);
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  return records.map((record) => {
    const members = groups.get(JSON.stringify([record.input, record.gts])) ?? [];
    const accRewards = members.map(({ score }) => Math.round(score * 10) / 10);
    const toolRewards = members.map(toolReward);
    const member = members.indexOf(record);
    const qualifying = toolRewards.filter((reward) => reward > 0);
    const accReward = accRewards[member] ?? Number.NaN;
    return {
      record,
      member: member + 1,
      groupSize: members.length,
      correct: accReward >= 0.9,
      formatted: accReward === 1 || accReward === 0.1,
      calls: record.tool_interact_info.length,
      accReward,
      toolReward: toolReward(record),
      accAdvantage: members.length === 1 ? accReward / (1 + 1e-6) : normalised(accReward, accRewards),
      toolAdvantage: toolReward(record) > 0 && qualifying.length > 1 ? normalised(toolReward(record), qualifying) : 0,
      qualifying: qualifying.length,
    };
  });
}

function toolReward({ score, tool_interact_info: calls }: MetisRecord): number {
  return score > 0.5 ? 1 / (calls.length + 1) : 0;
}

function normalised(value: number, values: readonly number[]): number {
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  if (Math.max(...values) - Math.min(...values) <= 1e-6) return 0;
  return (value - mean) / (Math.sqrt(squares / (values.length - 1)) + 1e-6);
}

/** An advantage as it is written: "+0.86", "−0.70", "0". */
export function signed(value: number): string {
  if (value === 0) return '0';
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
}

/** "✓ T 2 A_acc +0.86 A_tool −0.70", with which the tree describes a rollout. */
export function channels({ correct, calls, accAdvantage, toolAdvantage }: ExpectedRollout): string {
  return `${correct ? '✓' : '✗'} T ${calls} A_acc ${signed(accAdvantage)} A_tool ${signed(toolAdvantage)}`;
}
