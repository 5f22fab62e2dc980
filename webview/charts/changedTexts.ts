/**
 * What the chart of changed prompts and its list share: the columns of a run that are compared, and the words of a value
 * and of a change. Pure.
 */
import type { ComparedMeasure } from '../../src/analysis/compareRuns.ts';
import { countText, numberText, percentText, signedText } from '../../src/base/numberText.ts';
import type { SampleColumns } from '../../src/protocol/samples.ts';
import type { PanelRun } from './panelChart.ts';

/** Columns that are compared, and those that name a rollout. */
export const comparedColumnNames = ['key', 'step', 'prompt', 'correct', 'calls'] as const;

/** A run with the columns that are compared. */
export interface ComparedSide {
  readonly run: PanelRun;
  readonly columns: Pick<SampleColumns, (typeof comparedColumnNames)[number]>;
}

/** A value of a measure as people read it. */
export function measureText(measure: ComparedMeasure, value: number): string {
  return measure === 'calls' ? numberText(value) : percentText(value);
}

/** A change of a measure: shares in percentage points. */
export function changeOfMeasureText(measure: ComparedMeasure, change: number): string {
  if (measure === 'calls') return signedText(change);
  const points = Math.round(change * 100);
  return `${points > 0 ? '+' : points < 0 ? '\u2212' : ''}${countText(Math.abs(points))} points`;
}

/** "−100 to −73 points": the interval of a change. */
export function rangeText(
  measure: ComparedMeasure,
  { low, high }: { readonly low: number; readonly high: number },
): string {
  const [from, to] = [changeOfMeasureText(measure, low), changeOfMeasureText(measure, high)];
  return `${from.replace(/ points$/, '')} to ${to}`;
}
