/**
 * The chart "Effective w_tool" over training steps. Owns its title, unit, limits and the sentence that says what it is.
 * Leaves out the numbers (per-step aggregates of src/analysis/steps.ts) and the drawing (lineChart.ts).
 */
import { numberText } from '../../src/base/numberText.ts';
import type { StepChart } from './chart.ts';
import { stepValues } from './stepValues.ts';

/** Effective weight of the efficiency channel, over training steps. */
export const effectiveWeightChart: StepChart = {
  id: 'effectiveWeight',
  title: 'Effective w_tool',
  unit: 'w_tool·N/N_sig',
  about:
    'w_tool·N/N_sig with w_tool = 0.15 of the published script: the tool loss is averaged over the rollouts with A_tool ≠ 0 only, which makes the channel strong where few carry a signal. No value where none does.',
  missing: 'No rollout has A_tool ≠ 0: the efficiency channel says nothing here.',
  values: (curves) => curves.effectiveToolWeight,
  made: stepValues.effectiveWeight,
  format: numberText,
  limits: null,
};
