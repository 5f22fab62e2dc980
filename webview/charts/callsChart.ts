/** Chart "Calls per rollout" over training steps. Values come from the engine's per-step aggregates (src/analysis/steps.ts). */
import { formatNumber } from '../../src/protocol/formatNumber.ts';
import type { StepChart } from './chart.ts';

/** Calls per rollout over training steps. */
export const callsChart: StepChart = {
  id: 'calls',
  title: 'Calls per rollout',
  unit: 'mean T',
  about: 'Mean of T, the number of tool calls sent in a rollout, failed and refused ones too.',
  values: (curves) => curves.calls,
  format: formatNumber,
  limits: null,
};
