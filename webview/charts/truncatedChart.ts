/**
 * The chart "Truncated rollouts" over training steps. Owns its title, unit, limits and the sentence that says what it is.
 * Leaves out the numbers (per-step aggregates of src/analysis/steps.ts) and the drawing (lineChart.ts).
 */
import { percentText } from '../../src/base/numberText.ts';
import type { StepChart } from './chart.ts';
import { stepValues } from './stepValues.ts';

/** Share of rollouts that a limit ended, over training steps. */
export const truncatedChart: StepChart = {
  id: 'truncated',
  title: 'Truncated rollouts',
  unit: 'share of rollouts',
  about:
    'Rollouts that a limit of length, tokens, context, turns or steps ended / rollouts whose log says why they ended. A rising share often looks like a loss of accuracy.',
  missing: 'These logs do not say why rollouts ended.',
  values: (curves) => curves.truncatedShare,
  made: stepValues.truncated,
  format: percentText,
  limits: [0, 1],
};
