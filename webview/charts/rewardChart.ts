/**
 * The chart "Reward" over training steps. Owns its title, unit, limits and the sentence that says what it is.
 * Leaves out the numbers (per-step aggregates of src/analysis/steps.ts) and the drawing (lineChart.ts).
 */
import { numberText } from '../../src/base/numberText.ts';
import type { StepChart } from './chart.ts';
import { stepValues } from './stepValues.ts';

/** Reward over training steps. */
export const rewardChart: StepChart = {
  id: 'reward',
  title: 'Reward',
  unit: 'mean',
  about:
    'Mean of the logged reward (r_acc of HDPO: 0.9·r_ans + 0.1·r_fmt for Metis; arXiv 2604.08545, hdpo reward manager).',
  missing: 'These logs have no rewards: they show what was said and called, not how it was scored.',
  values: (curves) => curves.reward,
  made: stepValues.reward,
  format: numberText,
  limits: null,
};
