/**
 * The chart "Accuracy against calls": one path a run through mean T and accuracy, a point a stretch of steps.
 * Leaves out the sums (src/analysis/accuracyAgainstCalls.ts).
 */
import { accuracyAgainstCalls } from '../../src/analysis/accuracyAgainstCalls.ts';
import type { Interval } from '../../src/analysis/bootstrap.ts';
import type { StepBands } from '../../src/analysis/stepBands.ts';
import { stepPlaces } from '../../src/analysis/stepPlaces.ts';
import type { SampleColumns } from '../../src/protocol/samples.ts';
import { numberText, percentText, pluralText } from '../../src/base/numberText.ts';
import { stepText } from './axes.ts';
import { callsAccuracyWhy } from './callsAccuracyWhy.ts';
import { makeMemo } from './memo.ts';
import type { PanelChart, PanelContext, PanelRun } from './panelChart.ts';
import { hasColumns } from './samples.ts';
import { xyDrawing } from './xyDrawing.ts';
import type { XyLine } from './xyPlot.ts';
import { bandsOver, readingRollouts } from './xySteps.ts';

const columnNames = ['step', 'group', 'correct', 'calls'] as const;

/** More points than this hide the path. */
const mostPoints = 20;

/** Accuracy against calls per rollout. */
export const callsAccuracyChart: PanelChart = {
  id: 'callsAccuracy',
  title: 'Accuracy against calls',
  unit: 'right by calls per rollout',
  about:
    'For each of up to 20 stretches of about equally many steps: mean T, and right / rollouts of known correctness; joined in the order of training. Up and left is the same or more right with fewer calls. Bars: 95 % bootstrap over the groups of the stretch, of either.',
  columns: columnNames,
  columnsOf: 'shown',
  wide: false,
  weightless: true,
  make: (context) => {
    const memo = makeMemo<readonly PathPoint[]>();
    return {
      draw: (input, width) => {
        const known = input.runs.flatMap((run) => {
          const { samples } = run;
          if (!samples || !hasColumns(samples.columns, columnNames)) return [];
          const { columns } = samples;
          return [{ run, path: memo(columns.group, '', () => pathOf(columns)) }];
        });
        if (known.length === 0) return readingRollouts;
        if (!known.some(({ path }) => path.some(({ accuracy }) => !Number.isNaN(accuracy.value)))) {
          return { missing: 'These logs do not say which rollouts are right.' };
        }
        const x = { title: 'mean T, calls per rollout', limits: null, format: numberText };
        const y = { title: 'accuracy', limits: null, format: percentText, fromZero: false };
        const lines = known.map(({ run, path }) => lineOf(run, path, context));
        return {
          ...xyDrawing([{ title: '', x, y, lines }], {
            width,
            summary: known.map(({ run, path }) => sentence(run, path)).join('\n'),
            caption: '',
          }),
          table: () => tableOf(known),
        };
      },
    };
  },
};

/** A stretch of steps on the path of a run. */
interface PathPoint {
  readonly firstStep: number;
  readonly lastStep: number;
  readonly rollouts: number;
  readonly calls: Interval;
  readonly accuracy: Interval;
}

/** The path over stretches of about equally many steps: each counts as one step. */
function pathOf(columns: Pick<SampleColumns, (typeof columnNames)[number]>): readonly PathPoint[] {
  const { steps, place } = stepPlaces(columns.step);
  const stretches = Math.min(mostPoints, steps.length);
  const stretchOf = (s: number): number => Math.floor((s * stretches) / steps.length);
  const { accuracy, calls } = accuracyAgainstCalls(
    { ...columns, step: place.map(stretchOf) },
    bandsOver(columns.group),
  );
  const interval = ({ value, low, high }: StepBands, k: number): Interval => ({
    value: value[k] ?? NaN,
    low: low[k] ?? NaN,
    high: high[k] ?? NaN,
  });
  return Array.from({ length: stretches }, (_, k) => {
    const inside = steps.filter((_step, s) => stretchOf(s) === k);
    return {
      firstStep: inside[0] ?? NaN,
      lastStep: inside.at(-1) ?? NaN,
      rollouts: calls.count[k] ?? 0,
      calls: interval(calls, k),
      accuracy: interval(accuracy, k),
    };
  });
}

function stretchText({ firstStep, lastStep }: PathPoint): string {
  return firstStep === lastStep
    ? `step ${stepText(firstStep)}`
    : `steps ${stepText(firstStep)} to ${stepText(lastStep)}`;
}

function lineOf(run: PanelRun, path: readonly PathPoint[], context: PanelContext): XyLine {
  return {
    id: run.id,
    name: run.name,
    colour: run.colour,
    style: run.style,
    interval: 'bars',
    points: path.map((point) => ({
      x: point.calls.value,
      left: point.calls.low,
      right: point.calls.high,
      y: point.accuracy.value,
      low: point.accuracy.low,
      high: point.accuracy.high,
      note: `${stretchText(point)}, ${pluralText(point.rollouts, 'rollout')}`,
      pick: () => {
        context.revealStep(run.id, point.lastStep);
      },
      why: () => callsAccuracyWhy(run, [point.firstStep, point.lastStep]),
    })),
  };
}

function sentence({ name }: PanelRun, path: readonly PathPoint[]): string {
  const known = path.filter(({ accuracy }) => !Number.isNaN(accuracy.value));
  const [first, last] = [known[0], known.at(-1)];
  if (!first || !last) return `${name}: nothing is known to be right.`;
  const place = (point: PathPoint): string =>
    `${percentText(point.accuracy.value)} right with ${numberText(point.calls.value)} calls a rollout`;
  if (first === last) return `${name}: ${place(first)}.`;
  return `${name} went from ${place(first)} (${stretchText(first)}) to ${place(last)} (${stretchText(last)}).`;
}

/** A row a stretch of a run: the paths share no x. */
function tableOf(known: readonly { readonly run: PanelRun; readonly path: readonly PathPoint[] }[]) {
  const rows = known.flatMap(({ run, path }) => path.map((point) => ({ run, point })));
  const column = (title: string, of: (point: PathPoint) => number, format: (value: number) => string) => ({
    title,
    value: (row: number) => {
      const one = rows[row];
      return one ? of(one.point) : null;
    },
    text: (row: number) => {
      const one = rows[row];
      return one ? format(of(one.point)) : '';
    },
  });
  const who = (row: number): string => {
    const one = rows[row];
    return one ? `${one.run.name}, ${stretchText(one.point)}` : '';
  };
  return {
    caption: 'Accuracy and calls per rollout by stretch of steps',
    rows: rows.length,
    columns: [
      { title: 'run and steps', value: who, text: who },
      column('mean T', ({ calls }) => calls.value, numberText),
      column('mean T low', ({ calls }) => calls.low, numberText),
      column('mean T high', ({ calls }) => calls.high, numberText),
      column('accuracy', ({ accuracy }) => accuracy.value, percentText),
      column('accuracy low', ({ accuracy }) => accuracy.low, percentText),
      column('accuracy high', ({ accuracy }) => accuracy.high, percentText),
      column('rollouts', ({ rollouts }) => rollouts, stepText),
    ],
  };
}
