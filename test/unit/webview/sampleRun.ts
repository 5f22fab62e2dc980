/** A run as the charts get it: seeded rollouts with the advantages of src/analysis, as columns. */
import { computeAdvantages } from '../../../src/analysis/hdpo.ts';
import { stepRows, type StepAggregates } from '../../../src/analysis/steps.ts';
import type { RunCurves } from '../../../src/protocol/engine.ts';
import type { SampleColumns } from '../../../src/protocol/samples.ts';
import type { PanelContext, PanelInput, PanelRun, Selection } from '../../../webview/charts/panelChart.ts';
import { wholeRun } from '../../../webview/charts/selection.ts';

/** How large the run is. */
export interface SampleRunSize {
  readonly steps: number;
  readonly groups: number;
  readonly members: number;
}

/** All columns, deterministic; rollouts get leaner and better with the steps. */
export function sampleColumns({ steps, groups, members }: SampleRunSize): SampleColumns {
  let seed = 11;
  const random = (): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  const count = steps * groups * members;
  const rows = Array.from({ length: count }, (_, row) => row);
  const stepOf = (row: number): number => Math.floor(row / (groups * members));
  const correct = Uint8Array.from(rows, (row) => (random() < 0.35 + (0.5 * stepOf(row)) / steps ? 1 : 0));
  const calls = Uint16Array.from(rows, (row) => Math.floor(random() * (4 - (3 * stepOf(row)) / steps)));
  const accReward = Float32Array.from(rows, (row) => 0.9 * (correct[row] ?? 0) + (random() < 0.9 ? 0.1 : 0));
  const group = Uint32Array.from(rows, (row) => Math.floor(row / members));
  const found = computeAdvantages(
    { count, group, accReward: Float64Array.from(accReward), correct, calls: Uint32Array.from(calls) },
    { normalise: 'std' },
  );
  return {
    key: Float64Array.from(rows),
    step: Int32Array.from(rows, (row) => stepOf(row) + 1),
    group,
    prompt: group.map((ordinal) => ordinal % groups),
    correct,
    calls,
    failedCalls: calls.map((of, row) => (row % 5 === 0 ? Math.min(of, 1) : 0)),
    redundantCalls: Uint16Array.from(rows, (row) => (row % 9 === 0 ? 1 : 0)),
    accReward,
    accAdvantage: Float32Array.from(found.accAdvantage),
    toolAdvantage: Float32Array.from(found.toolAdvantage),
    loggedAdvantage: new Float32Array(count).fill(NaN),
    length: Float32Array.from(rows, () => 40 + Math.floor(random() * 200)),
    masked: Uint8Array.from(rows, (row) => (row % 13 === 5 ? 1 : 0)),
    truncated: Uint8Array.from(rows, (row) => (row % 7 === 3 ? 1 : row % 7 === 4 ? 2 : 0)),
  };
}

/** Curves with the given values; the others are not known. */
export function curvesOf(steps: number, given: Partial<Record<keyof RunCurves, readonly number[]>> = {}): RunCurves {
  const curve = (name: keyof RunCurves): Float64Array =>
    Float64Array.from(given[name] ?? Array.from({ length: steps }, () => NaN));
  return {
    run: 'r',
    step: Int32Array.from({ length: steps }, (_, index) => index + 1),
    rollouts: new Uint32Array(steps).fill(8),
    accuracy: curve('accuracy'),
    reward: curve('reward'),
    toolRate: curve('toolRate'),
    calls: curve('calls'),
    redundant: curve('redundant'),
    qualifyingShare: curve('qualifyingShare'),
    signalShare: curve('signalShare'),
    effectiveToolWeight: curve('effectiveToolWeight'),
    accAdvantage: curve('accAdvantage'),
    toolAdvantage: curve('toolAdvantage'),
    deadRightShare: curve('deadRightShare'),
    deadWrongShare: curve('deadWrongShare'),
    failedCalls: curve('failedCalls'),
    responseTokens: curve('responseTokens'),
    responseCharacters: curve('responseCharacters'),
    truncatedShare: curve('truncatedShare'),
  };
}

/** The curves that the engine makes of these rollouts; `group_size` and `rollouts` are theirs too. */
export function madeCurves(columns: SampleColumns): RunCurves {
  const rows = stepRows(
    {
      ...columns,
      count: columns.key.length,
      accReward: Float64Array.from(columns.accReward),
      calls: Uint32Array.from(columns.calls),
      modelTokens: columns.length,
    },
    { normalise: 'std' },
  );
  const of = (name: keyof StepAggregates): number[] => rows.map((row) => row[name] ?? NaN);
  return {
    ...curvesOf(rows.length, {
      accuracy: of('accuracy'),
      reward: of('reward_mean'),
      toolRate: of('tool_rate'),
      calls: of('calls_mean'),
      redundant: of('redundant_call_rate'),
      qualifyingShare: of('qualifying_share'),
      signalShare: of('efficiency_signal_share'),
      effectiveToolWeight: of('effective_w_tool'),
      accAdvantage: of('acc_advantage_abs'),
      toolAdvantage: of('tool_advantage_abs'),
      deadRightShare: of('dead_all_right_share'),
      deadWrongShare: of('dead_all_wrong_share'),
      failedCalls: of('failed_call_rate'),
      responseTokens: of('response_tokens_mean'),
      truncatedShare: of('truncated_share'),
    }),
    rollouts: Uint32Array.from(of('rollouts')),
  };
}

/** What the page gives to a chart that shows this run. */
export function panelInput(size: SampleRunSize, selection: Partial<Selection> = {}): PanelInput {
  const columns = sampleColumns(size);
  const run: PanelRun = {
    id: 'r',
    name: 'hdpo',
    colour: 'var(--vscode-charts-green)',
    style: 0,
    curves: curvesOf(size.steps),
    samples: { run: 'r', version: 1, count: columns.key.length, lengthIsEstimate: false, columns },
  };
  return {
    runs: [run],
    focus: run,
    steps: [1, size.steps],
    selection: { ...wholeRun, ...selection },
    group: null,
    weights: { acc: 1, tool: 0.15 },
    mode: 'loss-weighted',
  };
}

/** A page that notes what it was asked for. */
export function notingContext(): { readonly context: PanelContext; readonly asked: unknown[] } {
  const asked: unknown[] = [];
  const note =
    (name: string) =>
    (...what: readonly unknown[]): void => {
      asked.push([name, ...what]);
    };
  const never = new Proxy({}, { get: () => () => Promise.reject(new Error('no host in a unit test')) });
  const context: PanelContext = {
    // The one place where a host is pretended: these charts ask it nothing.
    api: never as PanelContext['api'],
    saved: undefined,
    save: note('save'),
    redraw: note('redraw'),
    select: note('select'),
    open: note('open'),
    openKey: note('openKey'),
    revealStep: note('revealStep'),
    whyStep: () => null,
    showWhy: note('showWhy'),
    leaveWhy: note('leaveWhy'),
    explain: () => Promise.reject(new Error('no host in a unit test')),
    showError: note('showError'),
  };
  return { context, asked };
}
