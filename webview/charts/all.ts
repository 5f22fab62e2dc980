/**
 * The charts of the panel, in their order on the page. A new chart is one file and one line here.
 * Leaves out everything a chart is made of (chart.ts).
 */
import { accAdvantageChart } from './accAdvantageChart.ts';
import { accuracyChart } from './accuracyChart.ts';
import { callsChart } from './callsChart.ts';
import type { StepChart } from './chart.ts';
import { effectiveWeightChart } from './effectiveWeightChart.ts';
import { redundantChart } from './redundantChart.ts';
import { rewardChart } from './rewardChart.ts';
import { signalChart } from './signalChart.ts';
import { toolAdvantageChart } from './toolAdvantageChart.ts';
import { toolRateChart } from './toolRateChart.ts';

/** All charts over training steps. */
export const charts: readonly StepChart[] = [
  accuracyChart,
  rewardChart,
  toolRateChart,
  callsChart,
  redundantChart,
  signalChart,
  effectiveWeightChart,
  accAdvantageChart,
  toolAdvantageChart,
];
