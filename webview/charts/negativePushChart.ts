/**
 * The chart "Right, yet pushed down": the share of right rollouts whose net push is negative, a line a run.
 * Leaves out the sums (src/analysis/negativePush.ts) and what a rollout pushes (contributionColumns.ts).
 */
import { negativePush, prepareNegativePush } from '../../src/analysis/negativePush.ts';
import type { StepBands } from '../../src/analysis/stepBands.ts';
import { NO_PUSH } from '../../src/analysis/coupled.ts';
import { RIGHT } from '../../src/analysis/rewards.ts';
import { percentText, signedText } from '../../src/base/numberText.ts';
import { stepText } from './axes.ts';
import { contributionColumnNames, contributionsOfSamples, pushOf } from './contributionColumns.ts';
import { makeMemo, type Memo } from './memo.ts';
import type { PanelChart, PanelContext, PanelInput, PanelRun } from './panelChart.ts';
import { hasColumns } from './samples.ts';
import { shareOfRollouts, type RowsOfStep } from './stepValues.ts';
import { xyDrawing } from './xyDrawing.ts';
import type { XyLine } from './xyPlot.ts';
import { bandPoints, bandsOver, changeText, readingRollouts, stepAxis } from './xySteps.ts';

const columnNames = [...contributionColumnNames, 'group', 'correct'] as const;

/** While a weight is moved only the shares follow; their bands come when it rests this long. */
const restMs = 200;

/** Share of right rollouts that training pushes down. */
export const negativePushChart: PanelChart = {
  id: 'negativePush',
  title: 'Right, yet pushed down',
  unit: 'share of right rollouts',
  about:
    'Right rollouts with w_acc·A_acc + w_tool·A_tool < 0 (within 1e-6 is none), in the mode and with the weights chosen above / right rollouts whose advantages are known. They are the price of the efficiency channel, and of a bad format. Bands: 95 % bootstrap over the groups of the step.',
  columns: columnNames,
  columnsOf: 'shown',
  wide: false,
  make: (context) => {
    const memo = makeMemo<StepBands>();
    const prepared = makeMemo<ReturnType<typeof prepareNegativePush>>();
    let rested = '';
    let timer: ReturnType<typeof setTimeout> | null = null;
    return {
      draw: (input, width) => {
        const key = JSON.stringify([input.mode, input.weights]);
        // The first drawing has its bands at once.
        if (rested === '') rested = key;
        if (timer !== null) clearTimeout(timer);
        timer =
          rested === key
            ? null
            : setTimeout(() => {
                rested = key;
                context.redraw();
              }, restMs);
        // The first move of a slider finds it prepared: 90 ms at 400,000 rollouts that no frame has to spare.
        if (timer === null) {
          timer = setTimeout(() => {
            for (const { samples } of input.runs) preparedOf(samples, { input, prepared });
          });
        }
        const options = { input, memo, prepared, bands: rested === key ? 'bands' : 'none' } as const;
        const known = input.runs.flatMap((run) => {
          const steps = stepsOf(run, options);
          return steps === null ? [] : [{ run, steps }];
        });
        if (known.length === 0) return readingRollouts;
        if (!known.some(({ steps }) => steps.count.some((right) => right > 0))) {
          return { missing: 'No rollout of these runs is known to be right.' };
        }
        return xyDrawing(
          [
            {
              title: '',
              x: stepAxis(input.steps),
              y: { title: 'share', limits: null, format: percentText },
              lines: known.map(({ run, steps }) => lineOf(run, steps, context)),
            },
          ],
          {
            width,
            summary: known.map(({ run, steps }) => sentence(run, steps)).join('\n'),
            caption: 'Right rollouts with negative net push by training step',
          },
        );
      },
    };
  },
};

interface Options {
  readonly input: PanelInput;
  readonly memo: Memo<StepBands>;
  readonly prepared: Memo<ReturnType<typeof prepareNegativePush>>;
  readonly bands: 'bands' | 'none';
}

function stepsOf({ samples }: PanelRun, { input, memo, prepared, bands }: Options): StepBands | null {
  const contributions = contributionsOfSamples(samples, input.mode);
  if (!samples || !contributions || !hasColumns(samples.columns, columnNames)) return null;
  const { columns } = samples;
  const { acc, tool } = input.weights;
  if (bands === 'none') return preparedOf(samples, { input, prepared })?.(acc, tool) ?? null;
  const scaled = (values: Float32Array, weight: number): Float32Array => values.map((value) => value * weight);
  return memo(columns.accAdvantage, JSON.stringify([input.mode, input.weights]), () =>
    negativePush(
      { ...columns, acc: scaled(contributions.acc, acc), tool: scaled(contributions.tool, tool) },
      bandsOver(columns.group),
    ),
  );
}

/** The right rollouts picked out; null while their columns are read. */
function preparedOf(
  samples: PanelRun['samples'],
  { input, prepared }: Pick<Options, 'input' | 'prepared'>,
): ReturnType<typeof prepareNegativePush> | null {
  const contributions = contributionsOfSamples(samples, input.mode);
  if (!samples || !contributions || !hasColumns(samples.columns, columnNames)) return null;
  const { columns } = samples;
  return prepared(columns.accAdvantage, input.mode, () =>
    prepareNegativePush({ ...columns, acc: contributions.acc, tool: contributions.tool }),
  );
}

function lineOf(run: PanelRun, steps: StepBands, context: PanelContext): XyLine {
  const { id, name, colour, style } = run;
  return { id, name, colour, style, points: bandPoints({ context, run, made: pushedDown }, steps, 'right rollouts') };
}

/** Right rollouts of a step, those with a negative net push first. */
const pushedDown = shareOfRollouts({
  name: 'right, yet pushed down',
  columns: columnNames,
  what: 'with w_acc·A_acc + w_tool·A_tool < 0',
  of: 'that are right',
  test: (rows, row) => {
    const push = netPush(rows, row);
    return rows.columns.correct?.[row] === RIGHT && !Number.isNaN(push) ? Number(push < -NO_PUSH) : NaN;
  },
  note: (rows, row) => `push ${signedText(netPush(rows, row))}`,
});

function netPush({ input, run }: RowsOfStep, row: number): number {
  const contributions = contributionsOfSamples(run.samples, input.mode);
  return contributions ? pushOf(contributions, input.weights, row) : NaN;
}

function sentence({ name }: PanelRun, steps: StepBands): string {
  const right = steps.count.reduce((sum, count) => sum + count, 0);
  if (right === 0) return `${name}: no rollout is known to be right.`;
  const negative = steps.count.reduce((sum, count, s) => sum + (count === 0 ? 0 : count * (steps.value[s] ?? 0)), 0);
  const most = steps.value.reduce((best, value, s) => (value > (steps.value[best] ?? -1) ? s : best), 0);
  return `${name}: ${percentText(negative / right)} of right rollouts have a negative net push, over the steps ${changeText(steps, percentText)}; at most ${percentText(steps.value[most] ?? NaN)}, in step ${stepText(steps.step[most] ?? 0)}.`;
}
