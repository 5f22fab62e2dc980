/**
 * The chart "Response length" over training steps. Owns its title, unit, limits and the sentence that says what it is.
 * Leaves out the numbers (per-step aggregates of src/analysis/steps.ts) and the drawing (lineChart.ts).
 */
import { numberText } from '../../src/base/numberText.ts';
import type { StepChart } from './chart.ts';
import { stepValues } from './stepValues.ts';

/** Tokens that the policy wrote, over training steps. */
export const responseLengthChart: StepChart = {
  id: 'responseLength',
  title: 'Response length',
  unit: 'tokens per rollout',
  about:
    'Mean of L: tokens inside the response mask, over the rollouts whose log has them. Observations are masked and not counted.',
  missing: 'These logs have no tokens: see the length of the model text.',
  values: (curves) => curves.responseTokens,
  made: stepValues.responseTokens,
  format: numberText,
  limits: null,
};
