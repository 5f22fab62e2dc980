/**
 * The members of a value as the card names them: the first rollouts in an order of the value's own, and their words. Pure.
 * Leaves out sums, which each chart knows, and values that pushes make (whySums.ts).
 */
import { signedText } from '../../src/base/numberText.ts';
import { verdictSign } from '../../src/protocol/texts.ts';
import type { PanelRun, Why, WhyMember } from './panelChart.ts';
import { sortedRows } from './selection.ts';

/** Members that are named one by one. */
export const mostNamed = 8;

/** How rollouts are named. */
export interface NamedRollouts {
  readonly run: PanelRun;
  readonly rows: Uint32Array;
  /** The largest first; NaN last. */
  readonly size: (row: number) => number;
  /** What is said of one besides its verdict, step, T and advantages. */
  readonly note?: ((row: number) => string) | undefined;
  /** `note`: only that is said. Default `all`. */
  readonly words?: 'all' | 'note';
  /** Default `mostNamed`. */
  readonly most?: number;
}

/** The first of the rollouts, the largest first. */
export function namedRollouts({
  run,
  rows,
  size,
  note,
  words = 'all',
  most = mostNamed,
}: NamedRollouts): readonly WhyMember[] {
  const { key } = run.samples?.columns ?? {};
  return Array.from(sortedRows(rows, size, 'down').subarray(0, most)).flatMap((row) => {
    const own = key?.[row];
    const parts = [words === 'all' ? rolloutWords(run, row) : '', note?.(row) ?? ''].filter((part) => part !== '');
    return own === undefined ? [] : [{ key: own, text: parts.join('  ') }];
  });
}

/** "✓  step 3  T 2  A_acc +0.86  A_tool −0.70", as far as the columns are read. */
export function rolloutWords({ samples }: PanelRun, row: number): string {
  const { correct, calls, accAdvantage, toolAdvantage, step } = samples?.columns ?? {};
  const code = correct?.[row];
  return [
    ...(code === undefined ? [] : [verdictSign(code === 2 ? null : code === 1)]),
    ...(step ? [`step ${step[row] ?? 0}`] : []),
    ...(calls ? [`T ${calls[row] ?? 0}`] : []),
    ...(accAdvantage ? [`A_acc ${signedText(accAdvantage[row] ?? NaN)}`] : []),
    ...(toolAdvantage ? [`A_tool ${signedText(toolAdvantage[row] ?? NaN)}`] : []),
  ].join('  ');
}

/** A value of a run with its sums, and what orders the rollouts it is made of. */
export interface RolloutsOfValue extends NamedRollouts {
  readonly sums: readonly string[];
  /** What the members are, in which order: "Rollouts, most calls first". */
  readonly order: string;
}

/** Rollouts that cannot be selected together, with their sum; null for none. */
export function rolloutsWhy(value: RolloutsOfValue): Why | null {
  const { run, rows, sums, order } = value;
  if (rows.length === 0) return null;
  return { kind: 'members', run: run.id, sums, members: namedRollouts(value), count: rows.length, order, select: null };
}

/** The rows that hold. */
export function rowsWhere(count: number, holds: (row: number) => boolean): Uint32Array {
  const rows = new Uint32Array(count);
  let found = 0;
  for (let row = 0; row < count; row += 1) {
    if (!holds(row)) continue;
    rows[found] = row;
    found += 1;
  }
  return rows.subarray(0, found);
}
