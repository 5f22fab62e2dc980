/**
 * Axes as data: a line of ticks below, ticks with grid lines at the left, titles. d3's axes need a DOM; these do not.
 * Leaves out scales (d3-scale) and which ticks there are.
 */
import { format } from 'd3';
import { numberText } from '../../src/base/numberText.ts';
import { svg, type SvgNode } from '../ui/svgNode.ts';

/** Text and lines of a drawing follow the theme. */
export const foreground = 'var(--vscode-foreground)';
/** The colour of what is behind the drawing. */
export const background = 'var(--vscode-editor-background)';
/** Colour of explanations. */
export const faintText = 'var(--vscode-descriptionForeground)';
/** The accuracy channel: always blue and solid. Not every high-contrast theme has every chart colour. */
export const accColour = 'var(--vscode-charts-blue, var(--vscode-foreground))';
/** The efficiency channel: always orange and dashed. */
export const toolColour = 'var(--vscode-charts-orange, var(--vscode-foreground))';
/** Dash pattern of the efficiency channel. */
export const toolDash = '6 3';
/** Right and wrong; by shape and sign as well, never by colour alone. */
export const rightColour = 'var(--vscode-charts-green, var(--vscode-foreground))';
/** See `rightColour`. */
export const wrongColour = 'var(--vscode-charts-red, var(--vscode-foreground))';

const fontSize = 11;

/** A line of text, 11 px. */
export function textNode(text: string, at: TextPlace): SvgNode {
  const { x, y, anchor = 'start', colour = foreground, weight = null, over = 'nothing' } = at;
  // Text over marks gets the background around its letters.
  const halo = over === 'marks' ? { stroke: background, 'stroke-width': 3, 'paint-order': 'stroke' } : {};
  return svg(
    'text',
    { x, y, 'text-anchor': anchor, fill: colour, 'font-size': fontSize, 'font-weight': weight, ...halo },
    [text],
  );
}

/** Where and how a text stands. */
export interface TextPlace {
  readonly x: number;
  /** Baseline. */
  readonly y: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly colour?: string;
  readonly weight?: string;
  /** What it stands over. */
  readonly over?: 'nothing' | 'marks';
}

/** An axis: where its ticks are and what stands at them. */
export interface AxisOptions {
  readonly ticks: readonly number[];
  readonly scale: (value: number) => number;
  readonly text: (value: number) => string;
}

/** Ticks below a plot, from `x0` to `x1` at height `y`. */
export function bottomAxis(options: AxisOptions, place: { x0: number; x1: number; y: number }): SvgNode {
  const { ticks, scale, text } = options;
  const { x0, x1, y } = place;
  return svg('g', { class: 'axis', 'aria-hidden': 'true' }, [
    axisLine({ x1: x0, x2: x1, y1: y, y2: y }, 0.35),
    ...ticks.flatMap((tick) => [
      axisLine({ x1: scale(tick), x2: scale(tick), y1: y, y2: y + 5 }, 0.35),
      textNode(text(tick), { x: scale(tick), y: y + 16, anchor: 'middle' }),
    ]),
  ]);
}

/** Ticks left of a plot with grid lines to `right`, at `x`. */
export function leftAxis(options: AxisOptions, place: { x: number; right: number }): SvgNode {
  const { ticks, scale, text } = options;
  const { x, right } = place;
  return svg(
    'g',
    { class: 'axis grid', 'aria-hidden': 'true' },
    ticks.flatMap((tick) => [
      axisLine({ x1: x, x2: right, y1: scale(tick), y2: scale(tick) }, 0.15),
      textNode(text(tick), { x: x - 6, y: scale(tick) + 4, anchor: 'end' }),
    ]),
  );
}

/** Whole steps at most every 70 px: never a tick between two steps. */
export function stepTicks(ticks: (count: number) => readonly number[], width: number, stepCount: number): number[] {
  return ticks(Math.max(2, Math.min(stepCount, Math.floor(width / 70)))).filter(Number.isInteger);
}

/** A signed number as its tick shows it: +0.5, 0, −2. */
export function signedTick(value: number): string {
  return value > 0 ? `+${numberText(value)}` : numberText(value);
}

/** A step as its tick shows it. */
export const stepText: (value: number) => string = format(',');

function axisLine(ends: { x1: number; x2: number; y1: number; y2: number }, opacity: number): SvgNode {
  return svg('line', { ...ends, stroke: foreground, 'stroke-opacity': opacity });
}
