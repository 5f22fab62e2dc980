/**
 * The chart "Tool rate" over training steps. Owns its title, unit, limits and the sentence that says what it is.
 * Leaves out the numbers (per-step aggregates of src/analysis/steps.ts) and the drawing (lineChart.ts).
 */
import { percentText } from '../../src/base/numberText.ts';
import type { StepChart } from './chart.ts';
import { stepValues } from './stepValues.ts';

/** Tool rate over training steps. */
export const toolRateChart: StepChart = {
  id: 'toolRate',
  title: 'Tool rate',
  unit: 'share of rollouts',
  about: 'Share of rollouts with at least one tool call sent (T ≥ 1); failed and refused calls count too.',
  missing: 'Nothing is known of tool calls here.',
  values: (curves) => curves.toolRate,
  made: stepValues.toolRate,
  format: percentText,
  limits: [0, 1],
};
