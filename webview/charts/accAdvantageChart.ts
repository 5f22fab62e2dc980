/**
 * The chart "Accuracy advantage" over training steps. Owns its title, unit, limits and the sentence that says what it is.
 * Leaves out the numbers (per-step aggregates of src/analysis/steps.ts) and the drawing (lineChart.ts).
 */
import { numberText } from '../../src/base/numberText.ts';
import type { StepChart } from './chart.ts';
import { stepValues } from './stepValues.ts';

/** Mean size of the accuracy advantage, over training steps. */
export const accAdvantageChart: StepChart = {
  id: 'accAdvantage',
  title: 'Accuracy advantage',
  unit: 'mean |A_acc|',
  about:
    'Mean of |A_acc| over all rollouts, unweighted; A_acc = (r_acc − mean)/(std + 1e-6) over the group, 0 where all r_acc are equal (arXiv 2604.08545 and its code).',
  missing: 'These logs have no rewards, so there are no advantages.',
  values: (curves) => curves.accAdvantage,
  made: stepValues.accAdvantage,
  format: numberText,
  limits: null,
};
