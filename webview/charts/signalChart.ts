/**
 * The chart "Efficiency signal" over training steps. Owns its title, unit, limits and the sentence that says what it is.
 * Leaves out the numbers (per-step aggregates of src/analysis/steps.ts) and the drawing (lineChart.ts).
 */
import { percentText } from '../../src/base/numberText.ts';
import type { StepChart } from './chart.ts';
import { stepValues } from './stepValues.ts';

/** Share of groups whose efficiency channel says anything, over training steps. */
export const signalChart: StepChart = {
  id: 'signal',
  title: 'Efficiency signal',
  unit: 'share of groups',
  about:
    'Groups with at least two right rollouts whose numbers of calls T differ / groups: only these give the efficiency channel a signal. It is open when the 5-step median of groups with |Q| ≥ 2 is above 0.5, awake when that of this share is above 0.25.',
  missing: 'These logs do not say which rollouts are right, so no group has a signal.',
  values: (curves) => curves.signalShare,
  made: stepValues.signal,
  format: percentText,
  limits: [0, 1],
};
