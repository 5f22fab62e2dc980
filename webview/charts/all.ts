/**
 * The charts of the panel, in their order on the page. A new chart is one file and one line here.
 * Leaves out everything a chart is made of (chart.ts).
 */
import { accAdvantageChart } from './accAdvantageChart.ts';
import { accuracyChart } from './accuracyChart.ts';
import { biographyChart } from './biographyChart.ts';
import { callsAccuracyChart } from './callsAccuracyChart.ts';
import { callsChart } from './callsChart.ts';
import { changedPromptsChart } from './changedPromptsChart.ts';
import type { StepChart } from './chart.ts';
import { contributionsChart } from './contributionsChart.ts';
import { coupledChart } from './coupledChart.ts';
import { curriculumChart } from './curriculumChart.ts';
import { effectiveWeightChart } from './effectiveWeightChart.ts';
import { failedCallsChart } from './failedCallsChart.ts';
import { groupChart } from './groupChart.ts';
import { modelTextChart } from './modelTextChart.ts';
import { negativePushChart } from './negativePushChart.ts';
import { pairedEpochsChart } from './pairedEpochsChart.ts';
import type { PanelChart } from './panelChart.ts';
import { passRateChart } from './passRateChart.ts';
import { planeChart } from './planeChart.ts';
import { redundancyChart } from './redundancyChart.ts';
import { redundantChart } from './redundantChart.ts';
import { responseLengthChart } from './responseLengthChart.ts';
import { rewardChart } from './rewardChart.ts';
import { selectivityChart } from './selectivityChart.ts';
import { signalChart } from './signalChart.ts';
import { toolAdvantageChart } from './toolAdvantageChart.ts';
import { toolRateChart } from './toolRateChart.ts';
import { truncatedChart } from './truncatedChart.ts';

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
  responseLengthChart,
  modelTextChart,
  truncatedChart,
  failedCallsChart,
];

/** Charts of single rollouts, above those over training steps: the selection is made in them. */
export const sampleCharts: readonly PanelChart[] = [contributionsChart, planeChart];

/** Charts of the group that is selected, below the list in which it is. */
export const groupCharts: readonly PanelChart[] = [groupChart, biographyChart];

/** All other charts, below those over training steps. */
export const panelCharts: readonly PanelChart[] = [
  curriculumChart,
  coupledChart,
  passRateChart,
  negativePushChart,
  callsAccuracyChart,
  selectivityChart,
  pairedEpochsChart,
  changedPromptsChart,
  redundancyChart,
];

/** The sections of the page in their order, by the id of their element. */
export const sections: readonly { readonly id: string; readonly title: string }[] = [
  ...sampleCharts,
  { id: 'samples', title: 'Selected rollouts' },
  ...groupCharts,
  ...charts,
  ...panelCharts,
].map(({ id, title }) => ({ id: `chart-${id}`, title }));
