/**
 * The rows behind a chart as CSV (RFC 4180 quotes), full precision. Pure; the table on the page shows the same rows.
 */
import type { Series } from './chart.ts';
import type { TableData } from './panelChart.ts';

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
  const values = valuesByStep(series);
  const rows = stepsOf(series).map((step) =>
    [String(step), ...values.map((column) => textOf(column.get(step) ?? NaN))].join(','),
  );
  return [['step', ...series.map((one) => quote(one.name))].join(','), ...rows, ''].join('\n');
}

/** A cell, in quotes where it needs them. */
function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function textOf(value: number): string {
  return Number.isNaN(value) ? '' : String(value);
}

/** All rows as CSV (RFC 4180 quotes), full precision, empty where not known. */
export function csvOfRows({ columns, rows }: TableData): string {
  const cell = (value: number | string | null): string =>
    value === null || (typeof value === 'number' && Number.isNaN(value)) ? '' : quote(String(value));
  const lines = [columns.map(({ title }) => quote(title)).join(',')];
  for (let row = 0; row < rows; row += 1) lines.push(columns.map((column) => cell(column.value(row))).join(','));
  return `${lines.join('\n')}\n`;
}
