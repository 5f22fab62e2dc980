/**
 * The chart "Redundant calls" over training steps. Owns its title, unit, limits and the sentence that says what it is.
 * Leaves out the numbers (per-step aggregates of src/analysis/steps.ts) and the drawing (lineChart.ts).
 */
import { percentText } from '../../src/base/numberText.ts';
import type { StepChart } from './chart.ts';
import { stepValues } from './stepValues.ts';

/** Share of calls that a rule flags as redundant, over training steps. */
export const redundantChart: StepChart = {
  id: 'redundant',
  title: 'Redundant calls',
  unit: 'share of calls',
  about:
    'Calls flagged as certain or likely / calls: repeats, twins, blind retries and the other rules on one rollout, and calls that right siblings did without (T − t). The second part rises as a policy starts to answer directly, even if it wastes less.',
  missing: 'No step has a tool call, so none can be redundant.',
  values: (curves) => curves.redundant,
  made: stepValues.redundant,
  format: percentText,
  limits: [0, 1],
};
