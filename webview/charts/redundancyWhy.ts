/**
 * Where a point of "Redundant calls by rule and tool" comes from: the share, and the rollouts of the step that have flagged
 * calls. The page knows how many calls of a rollout are flagged, not by which rule: the transcript marks each with its own.
 * Pure. Leaves out the shares, which are the engine's (FlagsApi.redundancyCurves).
 */
import { countText, percentText, pluralText } from '../../src/base/numberText.ts';
import type { PanelRun, Why } from './panelChart.ts';
import { hasColumns } from './samples.ts';
import { rolloutsWhy, rowsWhere } from './whyMembers.ts';

/** A point: the share of a rule or of a tool in the steps from `first` to before `end`. */
export interface RedundancyPoint {
  readonly of: 'rule' | 'tool';
  readonly name: string;
  readonly share: number;
  readonly first: number;
  readonly end: number;
}

/** How far from a whole number of calls a share times all calls may be, for rounding. */
const rounding = 1e-6;

/** The sum and the rollouts of a point; null while their columns are read, or where none has a flagged call. */
export function redundancyWhy(run: PanelRun, { of, name, share, first, end }: RedundancyPoint): Why | null {
  const columns = run.samples?.columns;
  if (!columns || !hasColumns(columns, ['key', 'step', 'calls', 'redundantCalls'])) return null;
  const { step, calls, redundantCalls } = columns;
  const inside = rowsWhere(step.length, (row) => (step[row] ?? NaN) >= first && (step[row] ?? NaN) < end);
  const all = inside.reduce((sum, row) => sum + (calls[row] ?? 0), 0);
  const rows = inside.filter((row) => (redundantCalls[row] ?? 0) > 0);
  // Rules that look at siblings flag calls of rollouts that have no flag of their own.
  const named = rows.length > 0 ? rows : inside.filter((row) => (calls[row] ?? 0) > 0);
  const flagged = rows.reduce((sum, row) => sum + (redundantCalls[row] ?? 0), 0);
  return rolloutsWhy({
    run,
    rows: named,
    size: (row) => (redundantCalls[row] ?? 0) * 1e5 + (calls[row] ?? 0),
    note: (row) => `${countText(redundantCalls[row] ?? 0)} of ${pluralText(calls[row] ?? 0, 'call')} flagged`,
    sums: [
      of === 'rule'
        ? ruleSum({ name, share, all })
        : `flagged calls of ${name} / calls of ${name} = ${percentText(share)}`,
      `By any rule on its own rollout: ${countText(flagged)} of ${pluralText(all, 'call')}, in ${pluralText(rows.length, 'rollout')}; each transcript marks its calls with their rules.`,
    ],
    order: rows.length > 0 ? 'Rollouts with flagged calls, the most first' : 'Rollouts, the most calls first',
  });
}

/** With the numbers where the engine counts the same calls: it leaves out outputs that later ones of their rollout hold. */
function ruleSum({ name, share, all }: { name: string; share: number; all: number }): string {
  const flagged = share * all;
  const whole = Math.round(flagged);
  const numbers =
    Math.abs(flagged - whole) < rounding * Math.max(1, all) ? `${countText(whole)} / ${countText(all)} = ` : '';
  return `calls flagged as “${name}” / all calls = ${numbers}${percentText(share)}`;
}
