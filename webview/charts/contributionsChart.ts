/**
 * The chart "Contributions": what every rollout pushes through either channel, as two density strips over training steps
 * that share their scale, with the means of their sizes and the effective w_tool below. Brushing steps or a region of a
 * strip selects the rollouts in it. Leaves out the arithmetic (contributionColumns.ts) and the list (sampleList.ts).
 */
import { line, scaleLinear } from 'd3';
import { countText, numberText, percentText } from '../../src/base/numberText.ts';
import {
  accColour,
  bottomAxis,
  foreground,
  leftAxis,
  signedTick,
  stepText,
  stepTicks,
  textNode,
  toolColour,
  toolDash,
} from './axes.ts';
import { contributionColumnNames, contributionsOfSamples, countRows } from './contributionColumns.ts';
import type { Drawing, NothingDrawn, PanelChart, PanelContext, PanelInput, PanelRun, TableData } from './panelChart.ts';
import {
  axisTop,
  channels,
  effective,
  height,
  lines,
  margin,
  plotOf,
  stripHeight,
  stripTop,
  stripY,
  type Channel,
  type ContributionsPlot,
} from './contributionsPlot.ts';
import { brushesOf, spotsOf } from './contributionsSpots.ts';
import type { Raster } from './raster.ts';
import { rolloutsText, stepsText } from './selection.ts';
import { px, svg, type SvgNode } from '../ui/svgNode.ts';
import { modeNames } from './weights.ts';

/** Height of a row of the densities. */
const rowPx = 2;
/** So many single marks are seen apart; more are binned. */
const mostMarks = 1_500;
const colours = { acc: accColour, tool: toolColour } as const;
const names = { acc: 'accuracy', tool: 'efficiency' } as const;

/** What each sample contributed, over training steps. */
export const contributionsChart: PanelChart = {
  id: 'contributions',
  title: 'Contributions',
  unit: ({ mode, focus }) =>
    mode === 'loss-weighted'
      ? `w·A in units of one average sample, ${modeNames[mode]}: step-level approximation${focus?.samples?.lengthIsEstimate === true ? ', L estimated from characters' : ''}`
      : `w·A, ${modeNames[mode]}`,
  about:
    'What each rollout pushes through either channel at ratio 1 (before clipping, KL and importance weights). Plain: w_acc·A_acc and w_tool·A_tool. Loss-weighted: w_acc·A_acc·L/mean(L) and w_tool·A_tool·(N/N_sig)·L/mean_sig(L), with N the rollouts of the step, sig those with A_tool ≠ 0, L the tokens inside the response mask; the step is treated as one batch, while the trainer averages per micro-batch, so this is a step-level approximation. By sequence: the same without L. Effective w_tool = w_tool·N/N_sig. A push of exactly 0 is not drawn; one beyond the scale is drawn at its edge. Source: arXiv 2604.08545 and its dual-loss actor.',
  columns: contributionColumnNames,
  wide: true,
  make: (context) => ({ draw: (input, width) => drawContributions(input, width, context) }),
};

/** Draws the focused run. Pure but for the cache of contributionColumns.ts. */
function drawContributions(input: PanelInput, width: number, context: PanelContext): Drawing | NothingDrawn {
  const { focus, mode } = input;
  if (!focus) return { missing: 'Choose a run above.' };
  const contributions = contributionsOfSamples(focus.samples, mode);
  if (!contributions) return { missing: 'Reading the rollouts…' };
  if (contributions.accExtent === 0 && contributions.toolExtent === 0) {
    return { missing: 'No rollout has an advantage other than 0: there is nothing that pushes.' };
  }
  const plot = plotOf(input, width, contributions);
  const marks = contributions.acc.length <= mostMarks;
  const spots = spotsOf(plot, context);
  return {
    height,
    rasters: marks ? [] : channels.map((channel) => rasterOf(plot, channel)),
    nodes: [
      ...channels.flatMap((channel) => stripNodes(plot, channel, marks)),
      ...meanNodes(plot),
      ...effectiveNodes(plot),
      ...selectionNodes(plot),
      bottomAxis(
        { ticks: stepTicks((count) => plot.x.ticks(count), width, plot.stepCount), scale: plot.x, text: stepText },
        { x0: margin.left, x1: plot.right, y: axisTop },
      ),
    ],
    spots,
    brushes: brushesOf(plot, context),
    summary: summaryOf(focus, plot),
    crosshair: plot.x,
    table: () => tableOf(focus, plot),
  };
}

/** The densities of one strip: two of these for 400,000 rollouts stay within a frame. */
function rasterOf(plot: ContributionsPlot, channel: Channel): Raster {
  const { contributions, columns, most, firstStep, stepCount } = plot;
  const rows = stripHeight / rowPx;
  const counts = new Uint32Array(columns * rows);
  const sorted = channel === 'acc' ? contributions.accSorted : contributions.toolSorted;
  const scale = plot.weights[channel] / most;
  contributions.ranges.step.forEach((step, k) => {
    const column = Math.floor(((step - firstStep) * columns) / stepCount);
    countRows(sorted, k, { counts, offset: column * rows, rows, scale });
  });
  return {
    x: margin.left,
    y: stripTop[channel],
    width: plot.right - margin.left,
    height: stripHeight,
    columns,
    rows,
    counts,
    colour: colours[channel],
  };
}

function stripNodes(plot: ContributionsPlot, channel: Channel, marks: boolean): SvgNode[] {
  const { most, right, weights } = plot;
  const label = channel === 'acc' ? `w_acc·A_acc, ${names.acc}` : `w_tool·A_tool, ${names.tool}`;
  const axis = {
    ticks: [-most, 0, most],
    scale: (value: number) => stripY(plot, channel, value),
    text: signedTick,
  };
  const zero = stripY(plot, channel, 0);
  return [
    textNode(`${label} (weight ${numberText(weights[channel])})`, { x: margin.left, y: stripTop[channel] - 5 }),
    leftAxis(axis, { x: margin.left, right }),
    svg('line', { x1: margin.left, x2: right, y1: zero, y2: zero, stroke: foreground, 'stroke-opacity': 0.4 }),
    ...(marks ? [marksNode(plot, channel)] : []),
  ];
}

/** Single rollouts, spread over the width of their step in the order of the log: one path of dots. */
function marksNode(plot: ContributionsPlot, channel: Channel): SvgNode {
  const { contributions, weights } = plot;
  const { step, first } = contributions.ranges;
  const wide = Math.max(0, plot.x(1) - plot.x(0) - 4);
  const dots: string[] = [];
  for (let k = 0; k < step.length; k += 1) {
    const [from, end] = [first[k] ?? 0, first[k + 1] ?? 0];
    for (let row = from; row < end; row += 1) {
      const value = (contributions[channel][row] ?? NaN) * weights[channel];
      if (value === 0 || Number.isNaN(value)) continue;
      const x = plot.x(step[k] ?? 0) + wide * ((row - from + 0.5) / (end - from) - 0.5);
      dots.push(`M${px(x)},${px(stripY(plot, channel, value))}h0`);
    }
  }
  return svg('path', {
    class: `marks ${channel}`,
    'data-count': dots.length,
    d: dots.join(''),
    stroke: colours[channel],
    'stroke-width': 4,
    'stroke-linecap': channel === 'acc' ? 'round' : 'square',
    fill: 'none',
  });
}

/** The means of the sizes of both channels: solid and dashed, each with the background around it. */
function meanNodes(plot: ContributionsPlot): SvgNode[] {
  const { contributions, weights } = plot;
  const means = { acc: contributions.accMean, tool: contributions.toolMean } as const;
  const most = Math.max(...channels.map((channel) => weights[channel] * largest(means[channel])));
  const y = scaleLinear()
    .domain([0, most === 0 ? 1 : most])
    .nice(2)
    .range([lines.top + lines.height, lines.top]);
  return [
    textNode('mean size: accuracy solid, efficiency dashed', { x: margin.left, y: lines.top - 6 }),
    leftAxis({ ticks: y.ticks(2), scale: y, text: numberText }, { x: margin.left, right: plot.right }),
    ...channels.map((channel) =>
      curve(plot, means[channel], (value) => y(value * weights[channel]), {
        class: `mean ${channel}`,
        stroke: colours[channel],
        'stroke-dasharray': channel === 'tool' ? toolDash : null,
      }),
    ),
  ];
}

function effectiveNodes(plot: ContributionsPlot): SvgNode[] {
  const { contributions, weights } = plot;
  const most = weights.tool * largest(contributions.effective);
  const y = scaleLinear()
    .domain([0, most === 0 ? 1 : most])
    .nice(1)
    .range([effective.top + effective.height, effective.top]);
  const silent = contributions.signals.some((count) => count > 0) ? '' : ': no rollout carries a signal';
  return [
    textNode(`effective w_tool = w_tool·N/N_sig${silent}`, { x: margin.left, y: effective.top - 4 }),
    leftAxis({ ticks: y.domain(), scale: y, text: numberText }, { x: margin.left, right: plot.right }),
    curve(plot, contributions.effective, (value) => y(value * weights.tool), {
      class: 'effective',
      stroke: foreground,
      'stroke-dasharray': '2 2',
    }),
  ];
}

/** A line over steps, a gap where the value is not known; never more points than pixels by far, since steps are few. */
function curve(
  plot: ContributionsPlot,
  values: Float64Array,
  y: (value: number) => number,
  style: Readonly<Record<string, string | null>>,
): SvgNode {
  const { step } = plot.contributions.ranges;
  // d3 writes a lone point as a line of no length, which a round cap shows.
  const d = line<number>()
    .defined((k) => !Number.isNaN(values[k] ?? NaN))
    .x((k) => plot.x(step[k] ?? 0))
    .y((k) => y(values[k] ?? 0))
    .digits(2)(step.keys());
  return svg('path', { d: d ?? '', fill: 'none', 'stroke-width': 2, 'stroke-linecap': 'round', ...style });
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => (value > most ? value : most), 0);
}

/** What is selected, framed: the steps over all, the region in its strip. */
function selectionNodes(plot: ContributionsPlot): SvgNode[] {
  const { steps, region } = plot.input.selection;
  if (!steps && !region) return [];
  const [x0, x1] = steps ? [plot.x(steps[0] - 0.5), plot.x(steps[1] + 0.5)] : [margin.left, plot.right];
  const frame = (y0: number, y1: number): SvgNode =>
    svg('rect', {
      class: 'selected',
      x: Math.max(margin.left, x0),
      y: y0,
      width: Math.max(2, Math.min(plot.right, x1) - Math.max(margin.left, x0)),
      height: Math.max(2, y1 - y0),
      fill: foreground,
      'fill-opacity': 0.08,
      stroke: foreground,
      'stroke-width': 1.5,
    });
  // In another mode its limits would frame other rollouts.
  if (region?.mode !== plot.contributions.mode) return [frame(stripTop.acc, axisTop)];
  return [frame(stripY(plot, region.channel, region.high), stripY(plot, region.channel, region.low))];
}

function shareOf({ contributions, weights }: ContributionsPlot, k: number): number {
  const acc = (contributions.accMean[k] ?? NaN) * weights.acc;
  const tool = (contributions.toolMean[k] ?? NaN) * weights.tool;
  return acc + tool === 0 ? NaN : tool / (acc + tool);
}

function summaryOf(focus: PanelRun, plot: ContributionsPlot): string {
  const { step } = plot.contributions.ranges;
  let peak = -1;
  for (let k = 0; k < step.length; k += 1) {
    const share = shareOf(plot, k);
    if (!Number.isNaN(share) && (peak < 0 || share > shareOf(plot, peak))) peak = k;
  }
  const where = `${focus.name}, ${stepsText([step[0] ?? 0, step.at(-1) ?? 0])}`;
  if (peak < 0 || shareOf(plot, peak) === 0) return `${where}: only the accuracy channel pushes.`;
  const known = [...step.keys()].filter((k) => !Number.isNaN(shareOf(plot, k)));
  const [from, to] = [known[0] ?? 0, known.at(-1) ?? 0];
  // One step with few samples makes the peak: what is usual is said first.
  const usual = known.map((k) => shareOf(plot, k)).sort((a, b) => a - b)[Math.floor((known.length - 1) / 2)] ?? NaN;
  const pushed = [0, 0];
  plot.contributions.signals.forEach((count, k) => {
    pushed[0] = (pushed[0] ?? 0) + count;
    pushed[1] =
      (pushed[1] ?? 0) + ((plot.contributions.ranges.first[k + 1] ?? 0) - (plot.contributions.ranges.first[k] ?? 0));
  });
  const share =
    from === to
      ? percentText(usual)
      : `${percentText(usual)} in the median step (${percentText(shareOf(plot, from))} at step ${step[from] ?? 0}, ${percentText(shareOf(plot, to))} at step ${step[to] ?? 0}), at most ${percentText(shareOf(plot, peak))}, at step ${step[peak] ?? 0}`;
  return `${where}: the efficiency channel’s share of the push is ${share}; ${countText(pushed[0] ?? 0)} of ${rolloutsText(pushed[1] ?? 0)} carried a signal in it.`;
}

function tableOf(focus: PanelRun, plot: ContributionsPlot): TableData {
  const { contributions, weights } = plot;
  const { step, first } = contributions.ranges;
  const number = (title: string, value: (k: number) => number, text: (value: number) => string = numberText) => ({
    title,
    value: (k: number) => (Number.isNaN(value(k)) ? null : value(k)),
    text: (k: number) => text(value(k)),
  });
  return {
    caption: `${focus.name}: mean size of the contributions by training step (${modeNames[contributions.mode]})`,
    rows: step.length,
    columns: [
      number('step', (k) => step[k] ?? 0, String),
      number('rollouts', (k) => (first[k + 1] ?? 0) - (first[k] ?? 0), countText),
      number('mean |w_acc·A_acc|', (k) => (contributions.accMean[k] ?? NaN) * weights.acc),
      number('mean |w_tool·A_tool|', (k) => (contributions.toolMean[k] ?? NaN) * weights.tool),
      number('share of efficiency', (k) => shareOf(plot, k), percentText),
      number('A_tool ≠ 0', (k) => contributions.signals[k] ?? 0, countText),
      number('effective w_tool', (k) => (contributions.effective[k] ?? NaN) * weights.tool),
    ],
  };
}
