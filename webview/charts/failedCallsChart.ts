/**
 * The chart "Failed calls" over training steps. Owns its title, unit, limits and the sentence that says what it is.
 * Leaves out the numbers (per-step aggregates of src/analysis/steps.ts) and the drawing (lineChart.ts).
 */
import { percentText } from '../../src/base/numberText.ts';
import type { StepChart } from './chart.ts';
import { stepValues } from './stepValues.ts';

/** Share of calls that failed, over training steps. */
export const failedCallsChart: StepChart = {
  id: 'failedCalls',
  title: 'Failed calls',
  unit: 'share of calls',
  about:
    'Calls that failed, were malformed, timed out or were refused / calls. They count in T, and are not counted as redundant.',
  missing: 'No rollout here has a call.',
  values: (curves) => curves.failedCalls,
  made: stepValues.failedCalls,
  format: percentText,
  limits: [0, 1],
};
