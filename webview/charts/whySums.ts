/**
 * The words for where a number comes from: how the page weighs the advantages of one rollout, and the rollouts that a
 * value of pushes is made of (others: whyMembers.ts). Pure. Leaves out the sums of the advantages themselves, which are the engine's
 * (EngineApi.explain), and the card that shows them (whyCard.ts). Formulas: src/analysis/contributions.ts.
 */
import { numberText, pluralText, signedText } from '../../src/base/numberText.ts';
import { contributionColumnNames, contributionsOfSamples, pushOf } from './contributionColumns.ts';
import type { PanelInput, PanelRun, Why } from './panelChart.ts';
import { hasColumns } from './samples.ts';
import { rowsOfSteps } from './selection.ts';
import type { StepValue } from './stepValues.ts';
import { modeNames } from './weights.ts';
import { namedRollouts } from './whyMembers.ts';

/** Why a rollout pushes what it does; null while its columns are read. */
export function rolloutWhy(input: Pick<PanelInput, 'mode' | 'weights'>, run: PanelRun, row: number): Why | null {
  const key = run.samples?.columns.key?.[row];
  return key === undefined ? null : { kind: 'rollout', run: run.id, key, sums: pushSums(input, run, row) };
}

/** "w_acc·A_acc·L/mean(L) = 1 × +0.86 × 212/180 = +1.01", the same of the other channel, and their sum. */
export function pushSums(
  { mode, weights }: Pick<PanelInput, 'mode' | 'weights'>,
  run: PanelRun,
  row: number,
): string[] {
  const contributions = contributionsOfSamples(run.samples, mode);
  const columns = run.samples?.columns;
  if (!contributions || !columns || !hasColumns(columns, contributionColumnNames)) return [];
  if (columns.masked[row] === 1) return ['No loss on this rollout: it pushes 0.'];
  const { accAdvantage, toolAdvantage, length, step } = columns;
  const at = step[row] ?? 0;
  const [begin, end] = rowsOfSteps(contributions, [at, at]);
  const byLength = mode === 'loss-weighted';
  const lengths = (values: Float32Array, of: 'all' | 'signal') => {
    let [sum, count] = [0, 0];
    for (let index = begin; index < end; index += 1) {
      const value = values[index] ?? NaN;
      if (Number.isNaN(value) || (of === 'signal' && value === 0)) continue;
      count += 1;
      sum += columns.masked[index] === 1 ? 0 : (length[index] ?? 0);
    }
    return { mean: sum / count, count };
  };
  const [all, signal] = [lengths(toolAdvantage, 'all').count, lengths(toolAdvantage, 'signal')];
  const own = length[row] ?? NaN;
  const acc = (contributions.acc[row] ?? NaN) * weights.acc;
  const tool = (contributions.tool[row] ?? NaN) * weights.tool;
  const lines = [
    Number.isNaN(acc)
      ? 'accuracy push: not known'
      : `accuracy push = w_acc·A_acc${byLength ? '·L/mean(L)' : ''} = ${numberText(weights.acc)} × ${signedText(accAdvantage[row] ?? NaN)}${byLength ? ` × ${numberText(own)}/${numberText(lengths(accAdvantage, 'all').mean)}` : ''} = ${signedText(acc)}`,
    Number.isNaN(tool)
      ? 'efficiency push: not known'
      : tool === 0
        ? 'efficiency push = 0, since A_tool = 0 or w_tool = 0'
        : `efficiency push = w_tool·A_tool${mode === 'plain' ? '' : '·(N/N_sig)'}${byLength ? '·L/mean_sig(L)' : ''} = ${numberText(weights.tool)} × ${signedText(toolAdvantage[row] ?? NaN)}${mode === 'plain' ? '' : ` × ${all}/${signal.count}`}${byLength ? ` × ${numberText(own)}/${numberText(signal.mean)}` : ''} = ${signedText(tool)}`,
    `push = ${signedText(pushOf(contributions, weights, row))} (${modeNames[mode]})`,
  ];
  return lines;
}

/** What members are shown with. */
export interface MembersOf {
  readonly input: Pick<PanelInput, 'mode' | 'weights'>;
  readonly run: PanelRun;
  readonly rows: Uint32Array;
  readonly sums: readonly string[];
  readonly select: (() => void) | null;
}

/** The rollouts behind a value, the largest push first; one alone is explained itself. */
export function membersWhy({ input, run, rows, sums, select }: MembersOf): Why | null {
  if (rows.length === 0) return null;
  const contributions = contributionsOfSamples(run.samples, input.mode);
  if (rows.length === 1) return rolloutWhy(input, run, rows[0] ?? 0);
  const size = (row: number): number => Math.abs(contributions ? pushOf(contributions, input.weights, row) : NaN);
  const note = (row: number): string =>
    contributions ? `push ${signedText(pushOf(contributions, input.weights, row))}` : '';
  const members = namedRollouts({ run, rows, size, note });
  return { kind: 'members', run: run.id, sums, members, count: rows.length, select };
}

/** Why a value of a run at a step is what it is: its sum, and the rollouts or groups that it counts. */
export function stepWhy(input: PanelInput, run: PanelRun, { step, value, drawn, select }: StepOf): Why {
  const columns = run.samples?.columns ?? {};
  const all = run.curves.rollouts[run.curves.step.indexOf(step)] ?? 0;
  const selects = pluralText(all, 'rollout');
  const told = (numbers: string): string => `${value.name} = ${numbers} = ${value.format(drawn)}`;
  if (!hasColumns(columns, ['key', 'step', ...value.columns])) {
    const sums = [told(value.formula), `Over the ${selects} of ${run.name}, step ${step}.`];
    return { kind: 'members', run: run.id, sums, members: [], count: all, select };
  }
  const [begin, end] = rowsOfStep(columns.step, step);
  const sum = value.sum({ input, run, columns, begin, end });
  // Settings of the engine, or rows that came meanwhile: numbers that do not give the value would be wrong.
  const fits = sum !== null && Math.abs(sum.value - drawn) <= 1e-4 * Math.max(1e-3, Math.abs(drawn));
  const sums = [
    told(fits ? sum.numbers : value.formula),
    ...(fits ? [] : [`Over the ${selects} of ${run.name}, step ${step}.`]),
  ];
  const rows = sum?.rows ?? new Uint32Array(0);
  const named =
    sum && namedRollouts({ run, rows, size: sum.size, note: sum.note, words: sum.instead ? 'note' : 'all' });
  return {
    kind: 'members',
    run: run.id,
    sums,
    members: named ?? [],
    count: rows.length,
    ...(sum === null ? {} : { order: sum.order }),
    ...(rows.length === all ? {} : { selects }),
    select,
  };
}

/** First row and end of a step; rows are in the order of steps. */
function rowsOfStep(steps: Int32Array, step: number): readonly [begin: number, end: number] {
  const begin = steps.indexOf(step);
  return begin < 0 ? [0, 0] : [begin, steps.lastIndexOf(step) + 1];
}

/** Which value of which step, and what selects it. */
export interface StepOf {
  readonly step: number;
  readonly value: StepValue;
  /** The value as it is drawn. */
  readonly drawn: number;
  readonly select: (() => void) | null;
}
