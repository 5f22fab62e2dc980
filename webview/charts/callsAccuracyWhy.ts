/**
 * Where a point of "Accuracy against calls" comes from: both sums over a stretch of steps, and its rollouts. Pure.
 * Leaves out the path (callsAccuracyChart.ts).
 */
import { RIGHT, UNKNOWN } from '../../src/analysis/rewards.ts';
import { countText, numberText, percentText, pluralText } from '../../src/base/numberText.ts';
import type { PanelRun, Why } from './panelChart.ts';
import { hasColumns } from './samples.ts';
import { rolloutsWhy, rowsWhere } from './whyMembers.ts';

/** The sums and the rollouts of the steps, both inclusive; null while their columns are read. */
export function callsAccuracyWhy(run: PanelRun, [first, last]: readonly [number, number]): Why | null {
  const columns = run.samples?.columns;
  if (!columns || !hasColumns(columns, ['key', 'step', 'correct', 'calls'])) return null;
  const { step, correct, calls } = columns;
  const rows = rowsWhere(step.length, (row) => (step[row] ?? NaN) >= first && (step[row] ?? NaN) <= last);
  const sum = (of: (row: number) => number): number => rows.reduce((all, row) => all + of(row), 0);
  const right = sum((row) => Number(correct[row] === RIGHT));
  const judged = sum((row) => Number(correct[row] !== UNKNOWN));
  const made = sum((row) => calls[row] ?? 0);
  return rolloutsWhy({
    run,
    rows,
    size: (row) => calls[row] ?? 0,
    sums: [
      `accuracy = ${countText(right)} right / ${pluralText(judged, 'rollout')} of known correctness = ${percentText(right / judged)}`,
      `mean T = ${pluralText(made, 'call')} / ${pluralText(rows.length, 'rollout')} = ${numberText(made / rows.length)}`,
    ],
    order: 'Rollouts, the most calls first',
  });
}
