/**
 * The chart "A_acc × A_tool": the right rollouts of the selected steps by both advantages, the wrong ones in a strip below
 * by T − mean T of their group (A_tool is 0 for them by design), colour and shape by correctness, and how the shares of
 * the regions drift over all steps. A selected group has its members linked.
 * Leaves out where a rollout stands (planeColumns.ts) and the list of the selected ones (sampleList.ts).
 */
import { scaleLinear } from 'd3';
import { countText, percentText } from '../../src/base/numberText.ts';
import { bottomAxis, foreground, leftAxis, rightColour, signedTick, textNode, wrongColour } from './axes.ts';
import { contributionColumnNames, contributionsOfSamples } from './contributionColumns.ts';
import type { Drawing, NothingDrawn, PanelChart, PanelContext, PanelInput } from './panelChart.ts';
import {
  noRegion,
  planeColumnNames,
  planeRegions,
  placesOfSamples,
  type PlanePlaces,
  type PlaneRegion,
} from './planeColumns.ts';
import { driftNodes, driftOf, driftTable, regionNames, type Drift } from './planeDrift.ts';
import {
  axisTop,
  cellAt,
  driftPlace,
  gridOf,
  height,
  margin,
  plane,
  strip,
  xOf,
  yOf,
  type PlanePlot,
} from './planePlot.ts';
import { brushesOf, cellSpots, markSpots } from './planeSpots.ts';
import type { Raster } from './raster.ts';
import { modeOf, selectedRows, stepsText, wholeRun } from './selection.ts';
import { px, svg, type SvgNode } from '../ui/svgNode.ts';

const columns = [...new Set([...contributionColumnNames, ...planeColumnNames])];
/** So many single marks are seen apart; more are binned. */
const mostMarks = 1_500;

/** Both advantages of the selected rollouts. */
export const planeChart: PanelChart = {
  id: 'plane',
  title: 'A_acc × A_tool',
  unit: ({ selection: { steps } }) => (steps === null ? 'all steps' : stepsText(steps)),
  about:
    'Every rollout of the selected steps by its accuracy advantage (across) and its efficiency advantage (up). Right and lean: A_tool > 0; right but wasteful: A_tool < 0; right without an efficiency signal: A_tool = 0 (|Q| < 2, or equal T in Q). A wrong rollout has A_tool = 0 by design, so wrong ones stand in a strip of their own, spread by T − mean T of their group. Colour and shape mean right (dots) or wrong (crosses), never the sign of A_acc: a right rollout with bad format can have A_acc < 0. A larger mark is several rollouts at one place. Below: the share of each region over all steps. Click or Enter opens a rollout or lists what stands together; Shift and click, or g, selects its group.',
  columns,
  wide: false,
  make: (context) => {
    let latest: PanelInput | null = null;
    let last: { readonly key: readonly unknown[]; readonly drawing: Drawing | NothingDrawn } | null = null;
    return {
      draw: (input, width) => {
        latest = input;
        // Nothing here depends on the weights unless a push is selected: a slider must not pay for it.
        const pushes = input.selection.region === null ? null : [input.weights.acc, input.weights.tool].join();
        const key = [input.focus?.samples, input.selection, input.steps.join(), width, pushes];
        if (last && key.every((part, index) => part === last?.key[index])) return last.drawing;
        const drawing = drawPlane(input, { width, context, now: () => latest ?? input });
        last = { key, drawing };
        return drawing;
      },
    };
  },
};

interface PlaneOptions {
  readonly width: number;
  readonly context: PanelContext;
  readonly now: () => PanelInput;
}

function drawPlane(input: PanelInput, { width, context, now }: PlaneOptions): Drawing | NothingDrawn {
  const { focus, selection } = input;
  if (!focus) return { missing: 'Choose a run above.' };
  const places = placesOfSamples(focus.samples);
  const contributions = contributionsOfSamples(focus.samples, modeOf(selection, input.mode));
  const { group, step, calls } = focus.samples?.columns ?? {};
  if (!places || !contributions || !group || !step || !calls) return { missing: 'Reading the rollouts…' };
  const within = { ...wholeRun, steps: selection.steps, region: selection.region };
  const rows = selectedRows(within, { contributions, weights: input.weights, group, plane: places });
  if (!places.region.some((region) => region !== noRegion)) {
    return { missing: 'These logs do not say which rollouts are right, so there is no efficiency advantage.' };
  }
  const right = Math.max(margin.left + 1, width - margin.right);
  const limits = limitsOf(places, rows);
  const plot: PlanePlot = {
    input,
    now,
    context,
    places,
    group,
    step,
    calls,
    rows,
    right,
    x: scaleLinear().domain(limits.x).nice(6).range([margin.left, right]),
    yRight: scaleLinear()
      .domain(limits.yRight)
      .nice(4)
      .range([plane.top + plane.height, plane.top]),
    yWrong: scaleLinear()
      .domain(limits.yWrong)
      .nice(2)
      .range([strip.top + strip.height, strip.top]),
  };
  const counts = countsOf(places, rows);
  const steps = driftOf(step, places);
  const marks = rows.length <= mostMarks;
  return {
    height,
    rasters: marks ? [] : (['right', 'wrong'] as const).map((of) => rasterOf(plot, of)),
    nodes: [
      ...frameNodes(plot, counts),
      ...(marks ? markNodes(plot) : []),
      ...partNodes(plot),
      ...groupNodes(plot),
      ...driftNodes(input, steps, driftPlace(plot.right)),
    ],
    spots: marks ? markSpots(plot) : cellSpots(plot),
    brushes: brushesOf(plot),
    summary: summaryOf(plot, counts, steps),
    table: () => driftTable(focus.name, steps),
  };
}

/** Symmetric limits of the selected rollouts, never of no width. */
function limitsOf(
  { region, x, y }: PlanePlaces,
  rows: Uint32Array,
): Record<'x' | 'yRight' | 'yWrong', [number, number]> {
  const most = { x: 0, yRight: 0, yWrong: 0 };
  for (const row of rows) {
    const place = region[row] ?? noRegion;
    if (place === noRegion) continue;
    most.x = Math.max(most.x, Math.abs(x[row] ?? 0));
    const key = place === 3 ? 'yWrong' : 'yRight';
    most[key] = Math.max(most[key], Math.abs(y[row] ?? 0));
  }
  const around = (size: number): [number, number] => (size === 0 ? [-1, 1] : [-size, size]);
  return { x: around(most.x), yRight: around(most.yRight), yWrong: around(most.yWrong) };
}

/** Rollouts by region. */
function countsOf({ region }: PlanePlaces, rows: Uint32Array): Record<PlaneRegion, number> {
  const counts = [0, 0, 0, 0];
  for (const row of rows) {
    const place = region[row] ?? noRegion;
    if (place !== noRegion) counts[place] = (counts[place] ?? 0) + 1;
  }
  const [lean = 0, idle = 0, wasteful = 0, wrong = 0] = counts;
  return { lean, idle, wasteful, wrong };
}

function frameNodes(plot: PlanePlot, counts: Record<PlaneRegion, number>): SvgNode[] {
  const { x, yRight, yWrong, right } = plot;
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const label = (region: PlaneRegion): string =>
    `${regionNames[region]}: ${countText(counts[region])}${all === 0 ? '' : ` (${percentText(counts[region] / all)})`}`;
  const zeros = [
    svg('line', { x1: x(0), x2: x(0), y1: plane.top, y2: axisTop, stroke: foreground, 'stroke-opacity': 0.4 }),
    svg('line', {
      x1: margin.left,
      x2: right,
      y1: yRight(0),
      y2: yRight(0),
      stroke: foreground,
      'stroke-opacity': 0.4,
    }),
    svg('line', {
      x1: margin.left,
      x2: right,
      y1: yWrong(0),
      y2: yWrong(0),
      stroke: foreground,
      'stroke-opacity': 0.4,
    }),
  ];
  return [
    leftAxis({ ticks: yRight.ticks(4), scale: yRight, text: signedTick }, { x: margin.left, right }),
    leftAxis({ ticks: yWrong.ticks(2), scale: yWrong, text: signedTick }, { x: margin.left, right }),
    bottomAxis({ ticks: x.ticks(6), scale: x, text: signedTick }, { x0: margin.left, x1: right, y: axisTop }),
    ...zeros,
    textNode('A_tool', { x: margin.left + 4, y: plane.top - 4 }),
    textNode('A_acc', { x: right, y: axisTop + 30, anchor: 'end' }),
    textNode(label('lean'), { x: right, y: plane.top - 4, anchor: 'end', weight: '600', over: 'marks' }),
    textNode(label('wasteful'), {
      x: right,
      y: plane.top + plane.height - 5,
      anchor: 'end',
      weight: '600',
      over: 'marks',
    }),
    textNode(label('idle'), { x: right, y: yRight(0) - 5, anchor: 'end', weight: '600', over: 'marks' }),
    textNode(`${label('wrong')}, by T − mean T of the group`, {
      x: right,
      y: strip.top - 5,
      anchor: 'end',
      weight: '600',
      over: 'marks',
    }),
  ];
}

/** Rollouts at one place up to which a dot has a size, and that size in px. */
const dotSizes = [
  { upTo: 1, size: 6 },
  { upTo: 4, size: 8 },
  { upTo: 16, size: 10 },
  { upTo: 64, size: 13 },
  { upTo: Infinity, size: 16 },
] as const;

/** Dots for right, crosses for wrong, larger where several rollouts stand at one place; a path a size. */
function markNodes(plot: PlanePlot): SvgNode[] {
  const places = new Map<string, { readonly x: number; readonly y: number; readonly right: boolean; count: number }>();
  for (const row of plot.rows) {
    const region = plot.places.region[row] ?? noRegion;
    if (region === noRegion) continue;
    const [x, y] = [xOf(plot, row), yOf(plot, row)];
    const key = `${region === 3 ? 'wrong' : 'right'} ${px(x)},${px(y)}`;
    const place = places.get(key);
    if (place) place.count += 1;
    else places.set(key, { x, y, right: region !== 3, count: 1 });
  }
  return dotSizes.flatMap(({ upTo, size }, index) => {
    const above = dotSizes[index - 1]?.upTo ?? 0;
    const some = [...places.values()].filter(({ count }) => count > above && count <= upTo);
    return (['right', 'wrong'] as const).flatMap((of) => {
      const dots = some.filter(({ right }) => right === (of === 'right'));
      if (dots.length === 0) return [];
      const d = dots.map(({ x, y }) =>
        of === 'right'
          ? `M${px(x)},${px(y)}h0`
          : `M${px(x - size / 2)},${px(y - size / 2)}l${size},${size}m0,-${size}l-${size},${size}`,
      );
      return [
        svg('path', {
          class: `marks ${of}`,
          'data-count': dots.reduce((sum, { count }) => sum + count, 0),
          d: d.join(''),
          stroke: of === 'right' ? rightColour : wrongColour,
          'stroke-width': of === 'right' ? size : 1.75,
          fill: 'none',
          'stroke-linecap': 'round',
        }),
      ];
    });
  });
}

function rasterOf(plot: PlanePlot, of: 'right' | 'wrong'): Raster {
  const grid = gridOf(plot, of);
  const counts = new Uint32Array(grid.columns * grid.rows);
  for (const row of plot.rows) {
    const place = plot.places.region[row] ?? noRegion;
    if (place === noRegion || (place === 3) !== (of === 'wrong')) continue;
    const [, column, line] = cellAt(plot, row);
    const cell = column * grid.rows + line;
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  return { ...grid, counts, colour: of === 'right' ? rightColour : wrongColour };
}

function partNodes(plot: PlanePlot): SvgNode[] {
  const { part } = plot.input.selection;
  if (!part) return [];
  const area = part.of === 'right' ? plane : strip;
  const scale = part.of === 'right' ? plot.yRight : plot.yWrong;
  const cut = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));
  const [x0, x1] = part.x.map((value) => cut(plot.x(value), margin.left, plot.right));
  const [y1, y0] = part.y.map((value) => cut(scale(value), area.top, area.top + area.height));
  const [left, top] = [x0 ?? 0, y0 ?? 0];
  return [
    svg('rect', {
      class: 'selected',
      x: left - 1,
      y: top - 1,
      width: (x1 ?? 0) - left + 2,
      height: (y1 ?? 0) - top + 2,
      fill: foreground,
      'fill-opacity': 0.08,
      stroke: foreground,
    }),
  ];
}

/** The members of the selected group, ringed and linked to their middle. */
function groupNodes(plot: PlanePlot): SvgNode[] {
  const { group: wanted } = plot.input.selection;
  if (wanted === null) return [];
  const members: (readonly [x: number, y: number])[] = [];
  plot.group.forEach((ordinal, row) => {
    if (ordinal === wanted && plot.places.region[row] !== noRegion) members.push([xOf(plot, row), yOf(plot, row)]);
  });
  const middle = (axis: 0 | 1): number => members.reduce((sum, member) => sum + member[axis], 0) / members.length;
  const [x, y] = [middle(0), middle(1)];
  const links = members.map(([toX, toY]) => `M${px(x)},${px(y)}L${px(toX)},${px(toY)}`).join('');
  const rings = members.map(([toX, toY]) =>
    svg('circle', { cx: toX, cy: toY, r: 6, fill: 'none', stroke: foreground }),
  );
  return [
    svg('g', { class: 'group', 'data-members': members.length, 'pointer-events': 'none' }, [
      svg('path', { d: links, stroke: foreground, 'stroke-opacity': 0.6, fill: 'none' }),
      ...rings,
    ]),
  ];
}

function summaryOf(plot: PlanePlot, counts: Record<PlaneRegion, number>, { step, counts: byStep, all }: Drift): string {
  const parts = planeRegions.map((region) => `${countText(counts[region])} ${regionNames[region]}`);
  const unknown = plot.rows.length - Object.values(counts).reduce((sum, count) => sum + count, 0);
  const { steps, region } = plot.input.selection;
  const where = `${steps === null ? 'All steps' : stepsText(steps).replace(/^s/, 'S')}${region === null ? '' : ', selected push'}`;
  const judged = [...step.keys()].filter((k) => (all[k] ?? 0) > 0);
  const [from, to] = [judged[0], judged.at(-1)];
  const share = (index: number, k: number): string => percentText((byStep[index]?.[k] ?? 0) / (all[k] ?? 1));
  const change =
    from === undefined || to === undefined || from === to
      ? ''
      : ` From step ${step[from] ?? 0} to ${step[to] ?? 0}: wasteful ${share(2, from)} → ${share(2, to)}, lean ${share(0, from)} → ${share(0, to)}, wrong ${share(3, from)} → ${share(3, to)}.`;
  return `${where}: ${parts.join(', ')}${unknown === 0 ? '' : `, ${countText(unknown)} without a verdict or reward`}.${change}`;
}
