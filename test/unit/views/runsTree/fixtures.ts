/** Rows of a made-up run and an engine that pages over them, with the paging rules of the protocol. */
import type { StepRow } from '../../../../src/model/stepRow.ts';
import type { GroupRow, Page, PageRequest, RolloutRow, RunSummary } from '../../../../src/protocol/engine.ts';
import type { TreeEngine } from '../../../../src/views/runsTree/treeModel.ts';

/** Fills {0}, {1} as vscode.l10n.t does. */
export const l10n = {
  t: (message: string, ...args: readonly (string | number | boolean)[]) =>
    message.replace(/\{(\d+)\}/g, (_, index: string) => String(args[Number(index)])),
};

export function run(change: Partial<RunSummary> = {}): RunSummary {
  return {
    id: 'r',
    name: 'hdpo',
    path: '/logs/hdpo',
    producer: 'Metis / verl-tool',
    format: 'verl',
    state: 'ready',
    files: 60,
    filesRead: 60,
    bytes: 6e9,
    bytesRead: 6e9,
    steps: 60,
    firstStep: 1,
    lastStep: 60,
    rollouts: 15360,
    groups: 960,
    firstToolRate: 0.98,
    lastToolRate: 0.21,
    notes: 0,
    live: false,
    hasSteps: true,
    hasRewards: true,
    rewardThreshold: null,
    ...change,
  };
}

export function stepRow(step: number, change: Partial<StepRow> = {}): StepRow {
  return {
    step,
    rollouts: 256,
    groups: 16,
    accuracy: 0.61,
    reward_mean: 0.6,
    calls_mean: 1.2,
    tool_rate: 0.74,
    redundant_call_rate: 0,
    acc_advantage_abs: 0.8,
    tool_advantage_abs: 0.3,
    qualifying_share: 0.5,
    efficiency_signal_share: 0.3,
    effective_w_tool: 0.4,
    failed_call_rate: 0.02,
    dead_accuracy_groups: 2,
    dead_efficiency_groups: 5,
    ...change,
  };
}

export function groupRow(step: number, key: string, change: Partial<GroupRow> = {}): GroupRow {
  return { step, key, question: '48 × 7 = ?', size: 16, correct: 9, qualifying: 9, oddSize: false, ...change };
}

export function rolloutRow(row: number, change: Partial<RolloutRow> = {}): RolloutRow {
  return {
    ref: { run: 'r', file: '17.jsonl', row },
    step: 17,
    group: 'g0',
    member: row + 1,
    groupSize: 16,
    id: null,
    line: row,
    question: '48 × 7 = ?',
    reward: 1,
    correct: true,
    calls: 2,
    redundantCalls: 0,
    wastedMs: null,
    accReward: 1,
    toolReward: 1 / 3,
    accAdvantage: 0.86,
    toolAdvantage: -0.7,
    loggedAdvantage: null,
    qualifies: true,
    stopReason: null,
    ...change,
  };
}

/** A run with these sizes; `asked` lists the questions in order. */
export interface Shape {
  steps: number;
  groups: number;
  rollouts: number;
  /** What passes the filter, for flat lists. */
  flat?: number;
}

/** An engine over a run of this shape, whose numbers can be changed while it is asked. */
export function shapedEngine(shape: Shape): { readonly engine: TreeEngine; readonly asked: string[] } {
  const asked: string[] = [];
  const page = <Row>(total: number, { first, count }: PageRequest, make: (index: number) => Row): Page<Row> => {
    if (count > 500) throw new Error(`a page of ${count}`);
    const rows = Math.max(0, Math.min(count, total - first));
    return { rows: Array.from({ length: rows }, (_, index) => make(first + index)), total };
  };
  const engine: TreeEngine = {
    steps: (params) => {
      asked.push(`steps ${params.first}+${params.count}`);
      return Promise.resolve(page(shape.steps, params, (index) => stepRow(index + 1)));
    },
    groups: (params) => {
      asked.push(`groups of ${params.step} ${params.first}+${params.count}`);
      return Promise.resolve(page(shape.groups, params, (index) => groupRow(params.step, `g${index}`)));
    },
    rollouts: (params) => {
      asked.push(`rollouts of ${params.step ?? 'all'} ${params.group ?? ''} ${params.first}+${params.count}`);
      const total = params.step === null ? (shape.flat ?? 0) : shape.rollouts;
      const step = params.step ?? 17;
      // Each group's rollouts have rows of their own, as in a file.
      const offset = Number((params.group ?? 'g0').slice(1)) * shape.rollouts;
      return Promise.resolve(
        page(total, params, (index) =>
          rolloutRow(offset + index, {
            ref: { run: params.run, file: `${step}.jsonl`, row: offset + index },
            step,
            group: params.group ?? 'g0',
            member: index + 1,
          }),
        ),
      );
    },
  };
  return { engine, asked };
}
