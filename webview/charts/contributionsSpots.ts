/**
 * What of the chart "Contributions" can be pointed at and selected: bands of a strip at a step, and drags over strips and
 * axis. Pure. Leaves out places (contributionsPlot.ts) and drawing (contributionsChart.ts).
 */
import { numberText, signedText } from '../../src/base/numberText.ts';
import {
  channels,
  height,
  lines,
  margin,
  stripHeight,
  stripTop,
  type Channel,
  type ContributionsPlot,
} from './contributionsPlot.ts';
import type { Box, BrushArea, PanelContext, Region, Spots, Why } from './panelChart.ts';
import { regionText, rolloutsText, rowsOfSteps, selectedRows, stepsText, wholeRun } from './selection.ts';
import { spotsOfGrid } from './spots.ts';
import { membersWhy } from './whySums.ts';

/** Bands that pointer and keyboard tell apart in a strip. */
const bands = 12;

/** First and last step between two places in px. */
function stepsBetween(plot: ContributionsPlot, x0: number, x1: number): readonly [number, number] {
  const inside = (step: number): number =>
    Math.max(plot.firstStep, Math.min(plot.firstStep + plot.stepCount - 1, step));
  const [first, last] = [Math.ceil(plot.x.invert(x0) + 1e-6 - 0.5), Math.floor(plot.x.invert(x1) - 1e-6 + 0.5)];
  return [inside(Math.min(first, last)), inside(Math.max(first, last))];
}

/** Strips select steps and values, what is below them steps. */
export function brushesOf(plot: ContributionsPlot, context: PanelContext): BrushArea[] {
  const across = { x: margin.left, width: plot.right - margin.left };
  const stripAreas = channels.map((channel): BrushArea => ({
    ...across,
    y: stripTop[channel],
    height: stripHeight,
    axis: 'both',
    select: (box: Box) => {
      const whole = box.height > 0.9 * stripHeight;
      const steps = stepsBetween(plot, box.x, box.x + box.width);
      context.select({
        steps,
        region: whole ? null : regionBetween(plot, channel, box.y, box.y + box.height),
        group: null,
      });
    },
  }));
  return [
    ...stripAreas,
    {
      ...across,
      y: lines.top,
      height: height - lines.top,
      axis: 'x',
      select: (box) => {
        context.select({ steps: stepsBetween(plot, box.x, box.x + box.width), region: null, group: null });
      },
    },
  ];
}

/** Values between two heights of a strip; open where the strip ends, since its edge rows hold what lies beyond. */
function regionBetween(plot: ContributionsPlot, channel: Channel, y0: number, y1: number): Region {
  const top = stripTop[channel];
  const valueAt = (y: number): number => (1 - (2 * (y - top)) / stripHeight) * plot.most;
  return {
    channel,
    mode: plot.contributions.mode,
    low: y1 >= top + stripHeight - 0.5 ? -Number.MAX_VALUE : valueAt(y1),
    high: y0 <= top + 0.5 ? Number.MAX_VALUE : valueAt(y0),
  };
}

/** A spot a step and band. */
export function spotsOf(plot: ContributionsPlot, context: PanelContext): Spots {
  const { contributions, weights, columns, stepCount, firstStep } = plot;
  const cellWidth = (plot.right - margin.left) / columns;
  const cellHeight = stripHeight / bands;
  const cellOf = (column: number, row: number) => {
    const channel: Channel = row < bands ? 'acc' : 'tool';
    const top = stripTop[channel] + (row % bands) * cellHeight;
    const steps = [
      firstStep + Math.ceil((column * stepCount) / columns),
      firstStep + Math.ceil(((column + 1) * stepCount) / columns) - 1,
    ] as const;
    return { channel, top, steps, region: regionBetween(plot, channel, top, top + cellHeight) };
  };
  return spotsOfGrid({
    columns,
    rows: 2 * bands,
    at: (column, row) => {
      const { channel, top, steps, region } = cellOf(column, row);
      const [begin, end] = rowsOfSteps(contributions, steps);
      const values = contributions[channel];
      let inside = 0;
      for (let index = begin; index < end; index += 1) {
        const value = (values[index] ?? NaN) * weights[channel];
        if (value >= region.low && value <= region.high && value !== 0) inside += 1;
      }
      return {
        x: margin.left + (column + 0.5) * cellWidth,
        y: top + cellHeight / 2,
        width: cellWidth,
        height: cellHeight,
        spoken: `${stepsText(steps)}, ${regionText(region)}: ${inside} of ${rolloutsText(end - begin)}${meansText(plot, steps[0])}`,
        ...(plot.input.focus ? { cursor: { run: plot.input.focus.id, step: steps[0] } } : {}),
        pick: () => {
          // Where nothing is, a region would select nothing: the step is meant.
          context.select({ steps, region: inside === 0 ? null : region, part: null, group: null });
        },
        why: () => bandWhy(plot, { channel, steps, region }, context),
      };
    },
    find: (x, y) => {
      const lower = y > (stripTop.acc + stripHeight + stripTop.tool) / 2;
      const top = lower ? stripTop.tool : stripTop.acc;
      const row = Math.max(0, Math.min(bands - 1, Math.floor((y - top) / cellHeight)));
      return [Math.floor((x - margin.left) / cellWidth), lower ? bands + row : row];
    },
  });
}

/** The rollouts of a band at a step, and their mean push. */
function bandWhy(
  { contributions, weights, input }: ContributionsPlot,
  { channel, steps, region }: { channel: Channel; steps: readonly [number, number]; region: Region },
  context: PanelContext,
): Why | null {
  if (!input.focus) return null;
  const selection = { ...wholeRun, steps, region };
  const rows = selectedRows(selection, { contributions, weights, group: null, plane: null });
  const sum = rows.reduce((all, row) => all + (contributions[channel][row] ?? 0) * weights[channel], 0);
  const name = channel === 'acc' ? 'accuracy' : 'efficiency';
  if (rows.length === 0) {
    const sums = ['No rollout pushes so here.'];
    return { kind: 'members', run: input.focus.id, sums, members: [], count: 0, select: null };
  }
  return membersWhy({
    input,
    run: input.focus,
    rows,
    sums: [`mean ${name} push = ${signedText(sum)} / ${rows.length} = ${signedText(sum / rows.length)}`],
    select: () => {
      context.select({ steps, region, group: null });
    },
  });
}

/** "; mean |push| accuracy 0.61, efficiency 0.12, effective w_tool 0.3", for tooltip and speech. */
function meansText({ contributions, weights }: ContributionsPlot, step: number): string {
  const k = contributions.ranges.step.indexOf(step);
  if (k < 0) return '';
  const [acc, tool, weight] = [
    (contributions.accMean[k] ?? NaN) * weights.acc,
    (contributions.toolMean[k] ?? NaN) * weights.tool,
    (contributions.effective[k] ?? NaN) * weights.tool,
  ];
  return `; mean size accuracy ${numberText(acc)}, efficiency ${numberText(tool)}${Number.isNaN(weight) ? ', no efficiency signal' : `, effective w_tool ${numberText(weight)}`}`;
}
