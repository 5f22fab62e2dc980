/**
 * One measure over training steps as a drawing: a line a run, marks while they fit, axes. Pure, so that page, file and
 * snapshot are the same. Leaves out cursor, brush and pointer (lineChart.ts).
 */
import { extent, line, scaleLinear, symbol, symbols } from 'd3';
import { bottomAxis, leftAxis, background, stepText, stepTicks } from './axes.ts';
import type { Series, StepChart } from './chart.ts';
import { reducePoints } from './reduce.ts';
import { svg, type SvgNode } from '../ui/svgNode.ts';

/** Height of the drawing in px. */
export const lineChartHeight = 190;
/** Space around the plot in px. */
export const lineChartMargin = { top: 8, right: 12, bottom: 24, left: 48 } as const;
/** Marks closer than this hide the line they stand on. */
const spacePerMark = 7;

/** Dash patterns by style, the first one solid: runs differ by more than colour. */
export const dashes: readonly string[] = ['', '6 3', '2 2', '8 3 2 3', '1 4', '10 4'];

/** Path of the mark that stands for a style, `area` in square pixels. */
export function markPath(style: number, area: number): string {
  return symbol(symbols[style % symbols.length], area)() ?? '';
}

/** What is drawn. */
export interface LineChartInput {
  readonly chart: StepChart;
  readonly series: readonly Series[];
  /** px */
  readonly width: number;
  /** First and last step of all runs shown, so that charts share the x-axis. */
  readonly steps: readonly [number, number];
}

/** From steps to px and back; a step has half a step on either side, as in the densities. */
export function stepScale(steps: readonly [number, number], width: number) {
  const { left, right } = lineChartMargin;
  return scaleLinear()
    .domain([steps[0] - 0.5, steps[1] + 0.5])
    .range([left, Math.max(left + 1, width - right)]);
}

/** From values to px. */
export function valueScale(chart: StepChart, series: readonly Series[]) {
  const { top, bottom } = lineChartMargin;
  const y = scaleLinear()
    .domain(limitsOf(chart, series))
    .range([lineChartHeight - bottom, top]);
  return chart.limits === null ? y.nice(4) : y;
}

/** The drawing: axes, then a group a run with its line and marks. */
export function lineNodes({ chart, series, width, steps }: LineChartInput): SvgNode[] {
  const { left, right, bottom } = lineChartMargin;
  const [x, y] = [stepScale(steps, width), valueScale(chart, series)];
  const columns = Math.max(1, Math.floor(width - left - right));
  const ticks = stepTicks((count) => x.ticks(count), width, steps[1] - steps[0] + 1);
  return [
    bottomAxis({ ticks, scale: x, text: stepText }, { x0: left, x1: width - right, y: lineChartHeight - bottom }),
    leftAxis({ ticks: y.ticks(4), scale: y, text: chart.format }, { x: left, right: width - right }),
    ...series.map((one) => runNode(one, { x, y, columns })),
  ];
}

interface RunPlace {
  readonly x: (step: number) => number;
  readonly y: (value: number) => number;
  readonly columns: number;
}

function runNode(one: Series, { x, y, columns }: RunPlace): SvgNode {
  const valueAt = (index: number): number => one.value[index] ?? NaN;
  const points = reducePoints({ x: one.step, y: one.value }, columns, (step) => x(step));
  const present = points.filter((index) => !Number.isNaN(valueAt(index)));
  const d = line<number>()
    .defined((index) => !Number.isNaN(valueAt(index)))
    .x((index) => x(one.step[index] ?? 0))
    .y((index) => y(valueAt(index)))
    .digits(2)(points);
  const dash = dashes[one.style % dashes.length] ?? '';
  // A single point has no line, so it is always marked.
  const marked = present.length * spacePerMark <= columns || present.length === 1;
  return svg('g', { class: 'run' }, [
    svg('path', {
      class: 'line',
      d: d ?? '',
      fill: 'none',
      stroke: one.colour,
      'stroke-width': 1.75,
      'stroke-dasharray': dash === '' ? null : dash,
    }),
    ...(marked ? present : []).map((index) =>
      svg('path', {
        class: 'point',
        'data-step': one.step[index] ?? 0,
        'data-run': one.run,
        d: markPath(one.style, 30),
        transform: `translate(${x(one.step[index] ?? 0)},${y(valueAt(index))})`,
        fill: one.colour,
        stroke: background,
        'stroke-width': 1,
      }),
    ),
  ]);
}

function limitsOf(chart: StepChart, series: readonly Series[]): readonly [number, number] {
  if (chart.limits) return chart.limits;
  const [low, high] = extent(series.flatMap((one) => Array.from(one.value).filter(Number.isFinite)));
  if (low === undefined || high === undefined) return [0, 1];
  return low === high ? [Math.min(0, low), Math.max(1, high)] : [Math.min(0, low), high];
}
