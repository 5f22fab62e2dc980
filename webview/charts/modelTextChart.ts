/**
 * The chart "Length of model text" over training steps. Owns its title, unit, limits and the sentence that says what it is.
 * Leaves out the numbers (per-step aggregates of src/analysis/steps.ts) and the drawing (lineChart.ts).
 */
import { numberText } from '../../src/base/numberText.ts';
import type { StepChart } from './chart.ts';
import { stepValues } from './stepValues.ts';

/** Characters that the policy wrote, over training steps. */
export const modelTextChart: StepChart = {
  id: 'modelText',
  title: 'Length of model text',
  unit: 'characters per rollout',
  about:
    'Mean of the characters that the policy wrote, calls too and observations not: what stands for L where a log has no tokens.',
  missing: 'These logs hold no text of the policy.',
  values: (curves) => curves.responseCharacters,
  made: stepValues.responseCharacters,
  format: numberText,
  limits: null,
};
