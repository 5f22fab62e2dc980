/**
 * Lines with intervals over any x axis, as SVG: axes, bands, lines, marks and upright rules with a word each. Pure.
 * Lines differ by colour, dashes and mark; a point without a value is a gap.
 * Leaves out charts over steps with one measure (lineChart.ts) and the keyboard (xyView.ts).
 */
import { area, line, scaleLinear, symbol, symbols, type ScaleLinear } from 'd3';
import { bottomAxis, faintText, foreground, leftAxis, textNode } from './axes.ts';
import { px, svg, type SvgNode } from '../ui/svgNode.ts';
import type { Why } from './panelChart.ts';

/** A point, with the bounds of its interval where it has one; NaN = not known. */
export interface XyPoint {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
  /** Bounds of x, drawn where intervals are bars. */
  readonly left?: number;
  readonly right?: number;
  /** What is said besides x and y: "of 120 groups". */
  readonly note?: string;
  /** On click and Enter. */
  readonly pick?: () => void;
  /** The rollouts that the value is made of. */
  readonly why?: () => Why | null;
}

/** A line of a plot. */
export interface XyLine {
  /** Unique in its plot. */
  readonly id: string;
  readonly name: string;
  /** CSS colour. */
  readonly colour: string;
  /** Index of the mark, and of the dashes where `dash` does not say. */
  readonly style: number;
  /** Dash pattern; null = solid. */
  readonly dash?: string | null;
  /** How intervals look: a band (default), or a bar at each point where x does not ascend. */
  readonly interval?: 'band' | 'bars';
  readonly points: readonly XyPoint[];
}

/** An axis. */
export interface XyAxis {
  readonly title: string;
  /** Limits that are always shown; null to fit the data (and 0 on the y axis). */
  readonly limits: readonly [number, number] | null;
  /** False: a y axis without limits fits the data and need not hold 0. */
  readonly fromZero?: boolean;
  /** True: ticks at whole numbers only. */
  readonly whole?: boolean;
  readonly format: (value: number) => string;
}

/** An upright rule with a word, such as the step at which a phase begins. */
export interface XyRule {
  readonly x: number;
  readonly label: string;
}

/** What is drawn. */
export interface XyPlot {
  /** The run, where each run has a plot of its own; '' else. */
  readonly title: string;
  readonly x: XyAxis;
  readonly y: XyAxis;
  readonly lines: readonly XyLine[];
  readonly rules?: readonly XyRule[];
}

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A drawing, and where each point of each line is. */
export interface XyScene {
  readonly nodes: readonly SvgNode[];
  /** Pixels of a point; null where it is not drawn. */
  readonly place: (point: XyPoint) => readonly [number, number] | null;
  /** Top and bottom of the plot area. */
  readonly inside: readonly [top: number, bottom: number];
}

const margin = { top: 16, right: 12, bottom: 38, left: 52 };
const spacePerMark = 7;
/** Dash patterns by style, the first one solid (lineChart.ts has the same). */
const dashes: readonly (string | null)[] = [null, '6 3', '2 2', '8 3 2 3', '1 4', '10 4'];

/** Path of a line's mark. */
export function markOf(style: number, pixels: number): string {
  return symbol(symbols[style % symbols.length], pixels).digits(1)() ?? '';
}

/** Dash pattern of a line; null = solid. */
export function dashesOf(style: number): string | null {
  return dashes[style % dashes.length] ?? null;
}

/** Draws a plot. */
export function xyScene(plot: XyPlot, { width, height }: Size): XyScene {
  const right = Math.max(margin.left + 1, width - margin.right);
  const bottom = height - margin.bottom;
  const xs = plot.lines.flatMap(({ points }) => points.flatMap(({ x, left = x, right = x }) => [x, left, right]));
  const ys = plot.lines.flatMap(({ points }) => points.flatMap(({ y, low = y, high = y }) => [y, low, high]));
  const x = scaleLinear()
    .domain(plot.x.limits ?? fitted(xs, []))
    .range([margin.left, right]);
  const y = scaleLinear()
    .domain(plot.y.limits ?? fitted(ys, plot.y.fromZero === false ? [] : [0]))
    .range([bottom, margin.top]);
  if (plot.y.limits === null) y.nice(4);
  const at = (point: XyPoint): readonly [number, number] => [x(point.x), y(point.y)];
  const columns = Math.max(1, Math.floor(right - margin.left));
  const xTicks = ticksOf(plot.x, x, Math.floor(width / 80));
  const axes = [
    leftAxis({ ticks: ticksOf(plot.y, y, 4), scale: y, text: plot.y.format }, { x: margin.left, right }),
    bottomAxis({ ticks: xTicks, scale: x, text: plot.x.format }, { x0: margin.left, x1: right, y: bottom }),
    textNode(plot.x.title, { x: right, y: height - 5, anchor: 'end', colour: faintText }),
    ...zeroLine(y, { right }),
  ];
  return {
    nodes: [
      ...axes,
      ...(plot.rules ?? []).map((rule) => ruleNode(x(rule.x), bottom)),
      ...plot.lines.map((one) => lineNode(one, { x, y, at, columns })),
      // Last, so that they can be read where lines are.
      ...(plot.rules ?? []).map((rule, index) => ruleWord(rule.label, { at: x(rule.x), index, right })),
    ],
    place: (point) => (known(point) ? at(point) : null),
    inside: [margin.top, bottom],
  };
}

function ticksOf(axis: XyAxis, scale: ScaleLinear<number, number>, count: number): number[] {
  return scale.ticks(Math.max(2, count)).filter((value) => axis.whole !== true || Number.isInteger(value));
}

/** Zero inside the plot is a limit between two meanings: more than and less than before, for and against. */
function zeroLine(y: ScaleLinear<number, number>, { right }: { right: number }): SvgNode[] {
  const [low = 0, high = 0] = y.domain();
  if (low >= 0 || high <= 0) return [];
  const at = y(0);
  return [svg('line', { x1: margin.left, x2: right, y1: at, y2: at, stroke: foreground, 'stroke-opacity': 0.5 })];
}

function ruleNode(at: number, bottom: number): SvgNode {
  return svg('line', {
    x1: at,
    x2: at,
    y1: margin.top - 6,
    y2: bottom,
    stroke: foreground,
    'stroke-opacity': 0.7,
    'stroke-dasharray': '3 3',
  });
}

/** The word of a rule; words of rules near each other stand one below the other. */
function ruleWord(word: string, { at, index, right }: { at: number; index: number; right: number }): SvgNode {
  // By an estimate of its width: text is not measured here.
  const before = at + 8 + 6.2 * word.length > right;
  return textNode(word, {
    x: before ? at - 4 : at + 4,
    y: margin.top + 4 + 13 * index,
    anchor: before ? 'end' : 'start',
    over: 'marks',
  });
}

/** How a line's points come onto the page. */
interface Places {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly at: (point: XyPoint) => readonly [number, number];
  readonly columns: number;
}

function lineNode(one: XyLine, { x, y, at, columns }: Places): SvgNode {
  const bounded = ({ low, high }: XyPoint): boolean => !Number.isNaN(low ?? NaN) && !Number.isNaN(high ?? NaN);
  const band = area<XyPoint>()
    .defined(bounded)
    .x((point) => x(point.x))
    .y0((point) => y(point.low ?? NaN))
    .y1((point) => y(point.high ?? NaN))
    .digits(1)(one.points);
  const path = line<XyPoint>()
    .defined(known)
    .x((point) => at(point)[0])
    .y((point) => at(point)[1])
    .digits(1)(one.points);
  const marked = one.points.filter(known);
  const marks = marked.length * spacePerMark <= columns || marked.length === 1 ? marked : [];
  return svg('g', { class: 'run', 'data-line': one.id }, [
    ...(one.interval === 'bars'
      ? barNodes(one, { x, y })
      : band === null || band === ''
        ? []
        : [svg('path', { class: 'band', d: band, fill: one.colour, 'fill-opacity': 0.16 })]),
    svg('path', {
      d: path ?? '',
      fill: 'none',
      stroke: one.colour,
      'stroke-width': 1.75,
      'stroke-dasharray': one.dash === undefined ? dashesOf(one.style) : one.dash,
    }),
    ...marks.map((point) => {
      const [left, top] = at(point);
      const transform = `translate(${px(left)},${px(top)})`;
      return svg('path', { d: markOf(one.style, 30), transform, fill: one.colour });
    }),
  ]);
}

function barNodes({ points, colour }: XyLine, { x, y }: Pick<Places, 'x' | 'y'>): SvgNode[] {
  const bar = (from: XyPoint, to: XyPoint): SvgNode[] =>
    known(from) && known(to)
      ? [
          svg('line', {
            x1: x(from.x),
            x2: x(to.x),
            y1: y(from.y),
            y2: y(to.y),
            stroke: colour,
            'stroke-opacity': 0.5,
          }),
        ]
      : [];
  return points.flatMap(({ x: at, y: level, low = NaN, high = NaN, left = NaN, right = NaN }) => [
    ...bar({ x: at, y: low }, { x: at, y: high }),
    ...bar({ x: left, y: level }, { x: right, y: level }),
  ]);
}

function known({ x, y }: XyPoint): boolean {
  return Number.isFinite(x) && Number.isFinite(y);
}

/** Limits that hold all values and `always`; 0 to 1 without any, or where all are 0: counts and shares are not negative. */
function fitted(values: readonly number[], always: readonly number[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of [...values, ...always]) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high || (low === 0 && high === 0)) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}
