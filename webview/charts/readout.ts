/**
 * The line above the charts that says where the cursor stands: run, step and the first measures there. Pure.
 */
import { countText } from '../../src/base/numberText.ts';
import type { RunCurves } from '../../src/protocol/engine.ts';
import type { StepChart } from './chart.ts';

/** It names this many measures; the charts themselves name all. */
const mostRead = 5;

/** "hdpo · step 17 · 256 rollouts · accuracy 0.61"; '' where the run has no such step. */
export function readoutText(
  charts: readonly StepChart[],
  run: { readonly name: string; readonly curves: RunCurves },
  step: number,
): string {
  const { curves, name } = run;
  const index = curves.step.indexOf(step);
  if (index < 0) return '';
  const values = charts.slice(0, mostRead).flatMap((chart) => {
    const value = chart.values(curves)[index] ?? NaN;
    return Number.isNaN(value) ? [] : [`${chart.title.toLowerCase()} ${chart.format(value)}`];
  });
  return `${name} · step ${step} · ${countText(curves.rollouts[index] ?? 0)} rollouts · ${values.join(' · ')}`;
}
