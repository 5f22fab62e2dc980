/**
 * The chart "Calls per rollout" over training steps. Owns its title, unit, limits and the sentence that says what it is.
 * Leaves out the numbers (per-step aggregates of src/analysis/steps.ts) and the drawing (lineChart.ts).
 */
import { numberText } from '../../src/base/numberText.ts';
import type { StepChart } from './chart.ts';
import { stepValues } from './stepValues.ts';

/** Calls per rollout over training steps. */
export const callsChart: StepChart = {
  id: 'calls',
  title: 'Calls per rollout',
  unit: 'mean T',
  about: 'Mean of T, the number of tool calls sent in a rollout, failed and refused ones too.',
  missing: 'Nothing is known of tool calls here.',
  values: (curves) => curves.calls,
  made: stepValues.calls,
  format: numberText,
  limits: null,
};
