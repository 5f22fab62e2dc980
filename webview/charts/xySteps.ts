/**
 * What plots over training steps share: the step axis, points that reveal their step, and the notes of the page while
 * single rollouts are on their way. Pure.
 */
import type { BootstrapOptions, Interval } from '../../src/analysis/bootstrap.ts';
import type { StepBands } from '../../src/analysis/stepBands.ts';
import { countText } from '../../src/base/numberText.ts';
import type { RunCurves } from '../../src/protocol/engine.ts';
import { stepText } from './axes.ts';
import type { NothingDrawn, PanelContext, PanelRun } from './panelChart.ts';
import type { StepValue } from './stepValues.ts';
import type { XyAxis, XyPoint } from './xyPlot.ts';

/** Said while the rollouts of the shown runs are read. */
export const readingRollouts: NothingDrawn = { missing: 'Reading the rollouts…' };

/** First and last step of some runs; not finite without any. */
export function sharedSteps(curves: readonly Pick<RunCurves, 'step'>[]): readonly [first: number, last: number] {
  const drawn = curves.filter(({ step }) => step.length > 0);
  return [
    Math.min(...drawn.map(({ step }) => step[0] ?? Infinity)),
    Math.max(...drawn.map(({ step }) => step.at(-1) ?? -Infinity)),
  ];
}

/** The axis of the training steps that all charts share; one step alone stands in the middle. */
export function stepAxis([first, last]: readonly [first: number, last: number]): XyAxis {
  const limits = first === last ? ([first - 0.5, last + 0.5] as const) : ([first, last] as const);
  return { title: 'step', limits, whole: true, format: stepText };
}

/** Whose point it is, and how its value is made of rollouts. */
export interface PointOf {
  readonly context: PanelContext;
  readonly run: PanelRun;
  readonly made: StepValue;
}

/** A point of a run at a step, which opens the step in the tree. */
export function stepPoint(
  { context, run, made }: PointOf,
  step: number,
  { value, low, high }: Partial<Interval> & Pick<Interval, 'value'>,
): XyPoint {
  return {
    x: step,
    y: value,
    ...(low === undefined || high === undefined ? {} : { low, high }),
    pick: () => {
      context.revealStep(run.id, step);
    },
    why: () => context.whyStep(run.id, { step, value: made, drawn: value }),
  };
}

/** Groups drawn in all: more would be felt when a run of 400,000 rollouts comes into view. */
const mostDraws = 6_000_000;

/** Options of the bands over all groups of a column: equal seeds, so that a chart drawn again has the same bands. */
export function bandsOver(group: Uint32Array): BootstrapOptions {
  const groups = group.reduce((most, ordinal) => Math.max(most, ordinal + 1), 1);
  return { seed: 1, resamples: Math.max(200, Math.min(1_000, Math.floor(mostDraws / groups))) };
}

/** The points of a rate by step; `what` names what is counted: "rollouts". */
export function bandPoints(
  where: PointOf,
  { step, value, low, high, count }: StepBands,
  what: string,
): readonly XyPoint[] {
  return Array.from(step, (of, s) => ({
    ...stepPoint(where, of, { value: value[s] ?? NaN, low: low[s] ?? NaN, high: high[s] ?? NaN }),
    note: `of ${countText(count[s] ?? 0)} ${what}`,
  }));
}

/** "98 % → 21 %": first and last known value of a rate by step. */
export function changeText({ value }: StepBands, format: (value: number) => string): string {
  const known = value.filter((one) => !Number.isNaN(one));
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined) return 'not known';
  return known.length === 1 ? format(first) : `${format(first)} → ${format(last)}`;
}

/** The title of a run's own plot: its name only where there are several. */
export function plotTitle(runs: readonly PanelRun[], run: PanelRun, what: string): string {
  if (runs.length < 2) return what;
  return what === '' ? run.name : `${run.name}: ${what}`;
}
