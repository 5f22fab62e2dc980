/**
 * The chart "Where each channel lives": the mean size of both pushes by the number of right rollouts in the group.
 * Leaves out the sums (src/analysis/passRate.ts) and what a rollout pushes (contributionColumns.ts).
 */
import { denseOrdinals } from '../../src/analysis/groups.ts';
import { passRates, type PassRates } from '../../src/analysis/passRate.ts';
import { countText, numberText, pluralText } from '../../src/base/numberText.ts';
import { accColour, toolColour, toolDash } from './axes.ts';
import { contributionColumnNames, contributionsOfSamples } from './contributionColumns.ts';
import { makeMemo } from './memo.ts';
import type { PanelChart, PanelInput, PanelRun } from './panelChart.ts';
import { hasColumns } from './samples.ts';
import { rowsOfSteps } from './selection.ts';
import { xyDrawing } from './xyDrawing.ts';
import type { XyLine, XyPlot } from './xyPlot.ts';
import { passRateWhy } from './passRateWhy.ts';
import { bandsOver, plotTitle, readingRollouts } from './xySteps.ts';

const columnNames = [...contributionColumnNames, 'group', 'correct'] as const;

/** Both channels by the pass rate of the group. */
export const passRateChart: PanelChart = {
  id: 'passRate',
  title: 'Where each channel lives',
  unit: 'mean |push| by right rollouts in the group',
  about:
    'Groups by their number of right rollouts, 0 to G; for each the mean of |w_acc·A_acc| and of |w_tool·A_tool| over its rollouts, in the mode chosen above. The accuracy channel is silent where all or none are right, the efficiency channel where fewer than two are. Bands: 95 % bootstrap over groups; the sentence names the largest lower bound among those of five groups or more. Groups of another size than the usual G, or with rollouts that nobody judged, are left out. Follows the selected steps.',
  columns: columnNames,
  columnsOf: 'shown',
  wide: false,
  make: () => {
    const memo = makeMemo<PassRates | null>();
    return {
      draw: (input, width) => {
        const known = input.runs.flatMap((run) => {
          const rates = ratesOf(run, input, memo);
          return rates === null ? [] : [{ run, rates }];
        });
        if (known.length === 0) return readingRollouts;
        const drawn = known.filter(({ rates }) => rates.bins.some(({ groups }) => groups > 0));
        if (drawn.length === 0) {
          return { missing: 'No group of the usual size has only rollouts that are known to be right or wrong.' };
        }
        return xyDrawing(
          drawn.map(({ run, rates }) => plotOf(input, run, rates)),
          {
            width,
            summary: drawn.map(({ run, rates }) => sentence(run, rates, input)).join('\n'),
            caption: 'Mean |push| by right rollouts in the group',
          },
        );
      },
    };
  },
};

function ratesOf(
  { samples }: PanelRun,
  { mode, selection }: PanelInput,
  memo: (owner: object, key: string, make: () => PassRates | null) => PassRates | null,
): PassRates | null {
  const contributions = contributionsOfSamples(samples, mode);
  if (!samples || !contributions || !hasColumns(samples.columns, columnNames)) return null;
  const { columns } = samples;
  // At weights of one: both channels are linear in their weight.
  return memo(columns.accAdvantage, JSON.stringify([mode, selection.steps]), () => {
    const [begin, end] = rowsOfSteps(contributions, selection.steps);
    const group = denseOrdinals(columns.group.subarray(begin, end)).ordinal;
    return passRates(
      {
        group,
        correct: columns.correct.subarray(begin, end),
        acc: contributions.acc.subarray(begin, end),
        tool: contributions.tool.subarray(begin, end),
      },
      bandsOver(group),
    );
  });
}

function plotOf(input: PanelInput, run: PanelRun, { size, bins }: PassRates): XyPlot {
  const line = (channel: 'acc' | 'tool', look: Omit<XyLine, 'points' | 'id'>): XyLine => ({
    ...look,
    id: channel,
    points: bins.map((bin) => {
      const { value, low, high } = bin[channel];
      const weight = Math.abs(input.weights[channel]);
      return {
        x: bin.right,
        y: value * weight,
        low: low * weight,
        high: high * weight,
        note: `of ${pluralText(bin.groups, 'group')}`,
        why: () => passRateWhy(input, run, { channel, right: bin.right, size }),
      };
    }),
  });
  return {
    title: plotTitle(input.runs, run, ''),
    x: { title: `right of ${countText(size)}`, limits: [0, Math.max(1, size)], whole: true, format: countText },
    y: { title: 'mean |push|', limits: null, format: numberText },
    lines: [
      line('acc', { name: '|w_acc·A_acc|', colour: accColour, style: 0, dash: null }),
      line('tool', { name: '|w_tool·A_tool|', colour: toolColour, style: 1, dash: toolDash }),
    ],
  };
}

/** Groups from which a mean can be the largest: a few groups are noise. */
const enoughGroups = 5;

function sentence(run: PanelRun, { size, bins, otherGroups }: PassRates, { weights }: PanelInput): string {
  const most = (channel: 'acc' | 'tool'): string => {
    const known = bins.filter((bin) => !Number.isNaN(bin[channel].value));
    const often = known.filter(({ groups }) => groups >= enoughGroups);
    // By the lower bound: else a bin of few groups with a wide band would be named.
    const sure = (bin: PassRates['bins'][number]): number =>
      often.length > 0 && !Number.isNaN(bin[channel].low) ? bin[channel].low : bin[channel].value;
    const [best] = (often.length > 0 ? often : known).toSorted((a, b) => sure(b) - sure(a));
    const value = (best?.[channel].value ?? 0) * Math.abs(weights[channel]);
    return best && value > 0
      ? `largest where ${countText(best.right)} of ${countText(size)} are right (${numberText(value)} a rollout)`
      : 'silent everywhere';
  };
  const rest =
    otherGroups === 0 ? '' : ` ${pluralText(otherGroups, 'group')} of another size or without verdicts left out.`;
  return `${run.name}: the accuracy channel is ${most('acc')}, the efficiency channel ${most('tool')}.${rest}`;
}
