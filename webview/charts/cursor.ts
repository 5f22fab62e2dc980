/**
 * The cursor that all charts share, and where the keyboard moves it. Pure: drawing it is lineChart.ts.
 */
import type { Series } from './chart.ts';
import { nearestIndex } from './reduce.ts';

/** A step of one run: where the cursor stands. */
export interface Cursor {
  readonly run: string;
  readonly step: number;
}

/** The last point of the first run: where the cursor starts; null without points. */
export function lastPoint(series: readonly Series[]): Cursor | null {
  const one = series[0];
  const step = one?.step.at(-1);
  return one && step !== undefined ? { run: one.run, step } : null;
}

/** Where a key moves the cursor; null for keys that do not move it. */
export function moved(series: readonly Series[], from: Cursor, key: string): Cursor | null {
  const at = series.findIndex(({ run }) => run === from.run);
  const one = series[at];
  if (!one) return lastPoint(series);
  const index = one.step.indexOf(from.step);
  const last = one.step.length - 1;
  const byStep: Readonly<Record<string, number>> = {
    ArrowLeft: Math.max(0, index - 1),
    ArrowRight: Math.min(last, index + 1),
    PageUp: Math.max(0, index - 10),
    PageDown: Math.min(last, index + 10),
    Home: 0,
    End: last,
  };
  const target = byStep[key];
  if (target !== undefined) return { run: one.run, step: one.step[target] ?? from.step };
  const byRun = key === 'ArrowUp' ? at - 1 : key === 'ArrowDown' ? at + 1 : null;
  if (byRun === null) return null;
  const other = series[(byRun + series.length) % series.length];
  const nearest = other?.step[nearestIndex(other.step, from.step)];
  return other && nearest !== undefined ? { run: other.run, step: nearest } : null;
}
