/** Chart "Tool rate" over training steps. Values come from the engine's per-step aggregates (src/analysis/steps.ts). */
import { formatShare } from '../../src/protocol/formatNumber.ts';
import type { StepChart } from './chart.ts';

/** Tool rate over training steps. */
export const toolRateChart: StepChart = {
  id: 'toolRate',
  title: 'Tool rate',
  unit: 'share of rollouts',
  about: 'Share of rollouts with at least one tool call sent (T ≥ 1); failed and refused calls count too.',
  values: (curves) => curves.toolRate,
  format: formatShare,
  limits: [0, 1],
};
