/**
 * Changes of prompts as intervals, one below the other, the surest first. Pure.
 * Leaves out which prompts (changedPromptsChart.ts) and their texts (changedList.ts).
 */
import { scaleLinear } from 'd3';
import type { PromptChange } from '../../src/analysis/compareRuns.ts';
import { countText } from '../../src/base/numberText.ts';
import { bottomAxis, faintText, foreground, rightColour, textNode, wrongColour } from './axes.ts';
import type { Drawing, Why } from './panelChart.ts';
import { spotsOfLines } from './spots.ts';
import { svg, type SvgNode } from '../ui/svgNode.ts';

/** Prompts that are drawn and listed. */
export const mostDrawn = 20;

const rowHeight = 18;
const margin = { top: 6, right: 40, bottom: 26, left: 48 };

/** What is drawn of the changes. */
export interface ChangeSceneOptions {
  readonly width: number;
  /** Names of the first and the second run. */
  readonly names: readonly [string, string];
  /** A change, and a value, as text. */
  readonly text: (change: number) => string;
  readonly value: (value: number) => string;
  /** The interval of a change as text. */
  readonly range: (change: PromptChange) => string;
  readonly pick: (index: number) => void;
  readonly why: (change: PromptChange) => Why | null;
}

/** Draws changes: an interval and a mark a row, ▲ up and ▼ down, hollow where the interval holds no change. */
export function changeScene(
  changes: readonly PromptChange[],
  { width, names, text, value, range, pick, why }: ChangeSceneOptions,
): Pick<Drawing, 'height' | 'nodes' | 'spots'> {
  const right = Math.max(margin.left + 1, width - margin.right);
  const bottom = margin.top + rowHeight * changes.length;
  const most = Math.max(1e-9, ...changes.flatMap(({ low, high }) => [Math.abs(low), Math.abs(high)]));
  const x = scaleLinear().domain([-most, most]).nice(6).range([margin.left, right]);
  const y = (index: number): number => margin.top + rowHeight * (index + 0.5);
  const ticks = x.ticks(Math.max(2, Math.floor(width / 110)));
  const zero = svg('line', {
    x1: x(0),
    x2: x(0),
    y1: margin.top,
    y2: bottom,
    stroke: foreground,
    'stroke-opacity': 0.5,
  });
  const spots = changes.map((change, index) => ({
    x: x(change.change),
    y: y(index),
    spoken: `rank ${countText(index + 1)}: ${names[0]} ${value(change.values[0])} of ${countText(change.counts[0])}, ${names[1]} ${value(change.values[1])} of ${countText(change.counts[1])}, change ${text(change.change)} (${range(change)})`,
    pick: () => {
      pick(index);
    },
    why: () => why(change),
  }));
  return {
    height: bottom + margin.bottom,
    nodes: [
      zero,
      bottomAxis({ ticks, scale: x, text }, { x0: margin.left, x1: right, y: bottom }),
      ...changes.flatMap((change, index) => rowNodes(change, { x, y: y(index), rank: index + 1 })),
    ],
    spots: spotsOfLines(spots.map((spot) => [spot])),
  };
}

interface RowPlaces {
  readonly x: (value: number) => number;
  readonly y: number;
  readonly rank: number;
}

function rowNodes({ change, low, high, least }: PromptChange, { x, y, rank }: RowPlaces): readonly SvgNode[] {
  const colour = change < 0 ? wrongColour : rightColour;
  const [at, tip] = [x(change), change < 0 ? 5 : -5];
  const triangle = `M${at - 5},${y - tip / 1.6}L${at + 5},${y - tip / 1.6}L${at},${y + tip}Z`;
  return [
    textNode(countText(rank), { x: margin.left - 8, y: y + 4, anchor: 'end', colour: faintText }),
    svg('line', { x1: x(low), x2: x(high), y1: y, y2: y, stroke: colour, 'stroke-width': 1.5 }),
    svg('path', {
      d: triangle,
      stroke: colour,
      'stroke-width': 1.5,
      fill: least > 0 ? colour : 'var(--vscode-editor-background)',
    }),
  ];
}
