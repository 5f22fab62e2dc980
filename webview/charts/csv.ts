/**
 * The rows behind a chart as text: one row a step, one column a run. Pure; the table on the page shows the same rows.
 */
import type { Series } from './chart.ts';

/** All steps of all series, ascending, each once. */
export function stepsOf(series: readonly Series[]): number[] {
  return [...new Set(series.flatMap((one) => Array.from(one.step)))].sort((a, b) => a - b);
}

/** Each series as a map from step to value. */
export function valuesByStep(series: readonly Series[]): ReadonlyMap<number, number>[] {
  return series.map((one) => new Map(Array.from(one.step, (step, index) => [step, one.value[index] ?? NaN])));
}

/** All rows as CSV with full precision; quotes in run names doubled (RFC 4180). */
export function csvOf(series: readonly Series[]): string {
  const quote = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const values = valuesByStep(series);
  const rows = stepsOf(series).map((step) =>
    [String(step), ...values.map((column) => textOf(column.get(step) ?? NaN))].join(','),
  );
  return [['step', ...series.map((one) => quote(one.name))].join(','), ...rows, ''].join('\n');
}

function textOf(value: number): string {
  return Number.isNaN(value) ? '' : String(value);
}
