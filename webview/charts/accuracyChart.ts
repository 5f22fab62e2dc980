/** Chart "Accuracy" over training steps. Values come from the engine's per-step aggregates (src/analysis/steps.ts). */
import { formatShare } from '../../src/protocol/formatNumber.ts';
import type { StepChart } from './chart.ts';

/** Accuracy over training steps. */
export const accuracyChart: StepChart = {
  id: 'accuracy',
  title: 'Accuracy',
  unit: 'share of rollouts',
  about:
    "Share of rollouts that are right: as the log says, else reward above the run's threshold. Rollouts without either are left out.",
  values: (curves) => curves.accuracy,
  format: formatShare,
  limits: [0, 1],
};
