/**
 * The chart "Same prompts, next time": how accuracy, calls and tool rate of a prompt changed from one time it was sampled
 * to the next, a line a run. Leaves out the pairing (src/analysis/pairedEpochs.ts).
 */
import { pairedEpochs, type EpochPair, type PairedChange } from '../../src/analysis/pairedEpochs.ts';
import { countText, pluralText, signedText } from '../../src/base/numberText.ts';
import { stepText } from './axes.ts';
import { makeMemo } from './memo.ts';
import { pairedWhy, type PairedMeasure } from './pairedEpochsWhy.ts';
import type { PanelChart, PanelRun } from './panelChart.ts';
import { hasColumns } from './samples.ts';
import { xyDrawing } from './xyDrawing.ts';
import type { XyPlot } from './xyPlot.ts';
import { bandsOver, readingRollouts } from './xySteps.ts';

const columnNames = ['step', 'group', 'prompt', 'correct', 'calls'] as const;

/** The same prompts at successive epochs, paired. */
export const pairedEpochsChart: PanelChart = {
  id: 'pairedEpochs',
  title: 'Same prompts, next time',
  unit: 'mean change of a prompt from the epoch before',
  about:
    'A curve over steps mixes what the policy learned with which prompts happened to come. Here each prompt is compared with itself: the mean over prompts of its value the nth time it was sampled minus that of the time before. Accuracy and tool rate are shares of its rollouts, calls are mean T. Bands: 95 % bootstrap over prompts; a band that holds 0 is no change.',
  columns: columnNames,
  columnsOf: 'shown',
  wide: true,
  weightless: true,
  make: () => {
    const memo = makeMemo<readonly EpochPair[]>();
    return {
      draw: (input, width) => {
        const known = input.runs.flatMap((run) => {
          const { samples } = run;
          if (!samples || !hasColumns(samples.columns, columnNames)) return [];
          const { columns } = samples;
          return [{ run, changes: memo(columns.group, '', () => pairedEpochs(columns, bandsOver(columns.prompt))) }];
        });
        if (known.length === 0) return readingRollouts;
        const drawn = known.filter(({ changes }) => changes.length > 0);
        if (drawn.length === 0) {
          return { missing: 'No prompt of these runs was sampled in more than one step, so there is nothing to pair.' };
        }
        const last = Math.max(...drawn.map(({ changes }) => (changes.at(-1)?.epoch ?? 1) + 1));
        const plot = (title: string, measure: PairedMeasure): XyPlot => ({
          title,
          x: { title: 'epoch', limits: [1.5, last + 0.5], whole: true, format: countText },
          y: { title: 'change', limits: null, format: signedText },
          lines: drawn.map(({ run, changes }) => ({
            id: run.id,
            name: run.name,
            colour: run.colour,
            style: run.style,
            points: changes.map((change) => {
              const { value, low, high } = change[measure].change;
              return {
                x: change.epoch + 1,
                y: value,
                low,
                high,
                note: `of ${pluralText(change.prompts, 'prompt')}, ${whenText(change)}`,
                why: () => pairedWhy(run, { measure, epoch: change.epoch }),
              };
            }),
          })),
        });
        return xyDrawing(
          [plot('accuracy', 'accuracy'), plot('calls per rollout', 'calls'), plot('tool rate', 'toolRate')],
          {
            width,
            y: 'own',
            summary: drawn.map(({ run, changes }) => sentence(run, changes)).join('\n'),
            caption: 'Mean change of a prompt from the epoch before',
          },
        );
      },
    };
  },
};

function whenText({ beforeSteps, afterSteps }: EpochPair): string {
  const steps = ([first, last]: readonly [number, number]): string =>
    first === last ? `step ${stepText(first)}` : `steps ${stepText(first)} to ${stepText(last)}`;
  return `${steps(afterSteps)} after ${steps(beforeSteps)}`;
}

/** Changes with equally many decimals: three where two would hide a bound. */
function evenly(values: readonly number[]): readonly string[] {
  const digits = values.some((value) => value !== 0 && Math.abs(value) < 0.005) ? 3 : 2;
  return values.map((value) => {
    const text = Math.abs(value).toFixed(digits);
    return `${Number(text) === 0 ? '' : value < 0 ? '\u2212' : '+'}${text}`;
  });
}

function sentence({ name }: PanelRun, changes: readonly EpochPair[]): string {
  const most = changes.reduce((a, b) => (b.prompts > a.prompts ? b : a));
  const words = (what: string, { change: { value, low, high } }: PairedChange): string => {
    if (Number.isNaN(value)) return `${what} not known`;
    if (Number.isNaN(low)) return `${what} ${signedText(value)} (one prompt: no interval)`;
    const sure = low > 0 || high < 0 ? '' : ', no clear change';
    const [of, from, to] = evenly([value, low, high]);
    return `${what} ${of ?? ''} (${from ?? ''} to ${to ?? ''}${sure})`;
  };
  return `${name}, epoch ${countText(most.epoch + 1)} (${whenText(most)}) against the one before, on ${pluralText(most.prompts, 'prompt')}: ${words('accuracy', most.accuracy)}, ${words('calls', most.calls)}, ${words('tool rate', most.toolRate)}.`;
}
