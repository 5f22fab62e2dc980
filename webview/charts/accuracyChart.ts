/**
 * The chart "Accuracy" over training steps. Owns its title, unit, limits and the sentence that says what it is.
 * Leaves out the numbers (per-step aggregates of src/analysis/steps.ts) and the drawing (lineChart.ts).
 */
import { numberText } from '../../src/base/numberText.ts';
import type { StepChart } from './chart.ts';
import { stepValues } from './stepValues.ts';

/** Accuracy over training steps. */
export const accuracyChart: StepChart = {
  id: 'accuracy',
  title: 'Accuracy',
  unit: 'share of rollouts',
  about:
    "Share of rollouts that are right: as the log says, else reward above the run's threshold. Rollouts without either are left out.",
  missing: 'These logs do not say which rollouts are right, and have no rewards to decide it by.',
  values: (curves) => curves.accuracy,
  made: stepValues.accuracy,
  format: numberText,
  limits: [0, 1],
};
