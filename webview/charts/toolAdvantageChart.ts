/**
 * The chart "Efficiency advantage" over training steps. Owns its title, unit, limits and the sentence that says what it is.
 * Leaves out the numbers (per-step aggregates of src/analysis/steps.ts) and the drawing (lineChart.ts).
 */
import { numberText } from '../../src/base/numberText.ts';
import type { StepChart } from './chart.ts';
import { stepValues } from './stepValues.ts';

/** Mean size of the efficiency advantage, over training steps. */
export const toolAdvantageChart: StepChart = {
  id: 'toolAdvantage',
  title: 'Efficiency advantage',
  unit: 'mean |A_tool|',
  about:
    'Mean of |A_tool| over all rollouts, unweighted; A_tool = (r_tool − mean_Q)/(std_Q + 1e-6) over Q, the right rollouts of the group, and 0 outside Q (arXiv 2604.08545 and its code).',
  missing: 'These logs have no rewards, so there are no advantages.',
  values: (curves) => curves.toolAdvantage,
  made: stepValues.toolAdvantage,
  format: numberText,
  limits: null,
};
