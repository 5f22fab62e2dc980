/**
 * How the shares of the plane's regions drift over training steps: four lines below the plane, and the rows of its table.
 * Pure. Leaves out the plane itself (planeChart.ts).
 */
import { line, scaleLinear } from 'd3';
import { countText, percentText } from '../../src/base/numberText.ts';
import { bottomAxis, foreground, leftAxis, rightColour, stepText, stepTicks, textNode, wrongColour } from './axes.ts';
import { stepRanges } from './contributionColumns.ts';
import type { PanelInput, TableData } from './panelChart.ts';
import { noRegion, planeRegions, type PlanePlaces, type PlaneRegion } from './planeColumns.ts';
import { svg, type SvgNode } from '../ui/svgNode.ts';

/** What the regions are called. */
export const regionNames: Readonly<Record<PlaneRegion, string>> = {
  lean: 'right, lean',
  idle: 'right, no efficiency signal',
  wasteful: 'right, wasteful',
  wrong: 'wrong',
};

/** Rollouts by region and step. */
export interface Drift {
  readonly step: Int32Array;
  /** By region in the order of `planeRegions`, then by step. */
  readonly counts: readonly Uint32Array[];
  readonly all: Uint32Array;
}

/** Rollouts by region and step, of the whole run. */
export function driftOf(step: Int32Array, places: PlanePlaces): Drift {
  const ranges = stepRanges(step);
  const counts = planeRegions.map(() => new Uint32Array(ranges.step.length));
  const all = new Uint32Array(ranges.step.length);
  for (let k = 0; k < all.length; k += 1) {
    for (let row = ranges.first[k] ?? 0; row < (ranges.first[k + 1] ?? 0); row += 1) {
      const into = counts[places.region[row] ?? noRegion];
      if (!into) continue;
      into[k] = (into[k] ?? 0) + 1;
      all[k] = (all[k] ?? 0) + 1;
    }
  }
  return { step: ranges.step, counts, all };
}

/** Where the lines are: left and right edge, top and height, in px. */
export interface DriftPlace {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly height: number;
}

/** From steps to px. */
export function driftScale({ steps }: PanelInput, { left, right }: DriftPlace) {
  return scaleLinear()
    .domain([steps[0] - 0.5, steps[1] + 0.5])
    .range([left, right]);
}

const driftStyles: Readonly<Record<PlaneRegion, { stroke: string; dash: string | null }>> = {
  lean: { stroke: rightColour, dash: null },
  idle: { stroke: rightColour, dash: '1 4' },
  wasteful: { stroke: rightColour, dash: '6 3' },
  wrong: { stroke: wrongColour, dash: '8 3 2 3' },
};

/** The lines with their legend and axes, and the selected steps. */
export function driftNodes(input: PanelInput, { step, counts, all }: Drift, place: DriftPlace): SvgNode[] {
  const { left, right, top, height } = place;
  const x = driftScale(input, place);
  const y = scaleLinear()
    .domain([0, 1])
    .range([top + height, top]);
  const [first, last] = input.steps;
  const { steps } = input.selection;
  const bottom = top + height;
  const legend = planeRegions.flatMap((region, index) => {
    const at = left + index * Math.min(130, (right - left) / 4);
    const { stroke, dash } = driftStyles[region];
    const short = { lean: 'lean', idle: 'no signal', wasteful: 'wasteful', wrong: 'wrong' }[region];
    return [
      svg('line', {
        x1: at,
        x2: at + 22,
        y1: top - 12,
        y2: top - 12,
        stroke,
        'stroke-width': 2,
        'stroke-dasharray': dash,
      }),
      textNode(short, { x: at + 27, y: top - 8 }),
    ];
  });
  return [
    ...legend,
    leftAxis({ ticks: [0, 0.5, 1], scale: y, text: percentText }, { x: left, right: right }),
    bottomAxis(
      { ticks: stepTicks((count) => x.ticks(count), right - left, last - first + 1), scale: x, text: stepText },
      { x0: left, x1: right, y: bottom },
    ),
    ...(steps === null
      ? []
      : [
          svg('rect', {
            x: x(steps[0] - 0.5),
            y: top,
            width: Math.max(2, x(steps[1] + 0.5) - x(steps[0] - 0.5)),
            height: height,
            fill: foreground,
            'fill-opacity': 0.12,
            stroke: foreground,
          }),
        ]),
    ...planeRegions.map((region, index) => {
      const d = line<number>()
        .defined((k) => (all[k] ?? 0) > 0)
        .x((k) => x(step[k] ?? 0))
        .y((k) => y((counts[index]?.[k] ?? 0) / (all[k] ?? 1)))
        .digits(2)(step.keys());
      const { stroke, dash } = driftStyles[region];
      return svg('path', {
        class: `drift ${region}`,
        d: d ?? '',
        stroke,
        'stroke-dasharray': dash,
        'stroke-width': 2,
        'stroke-linecap': 'round',
        fill: 'none',
      });
    }),
  ];
}

/** A row a step. */
export function driftTable(name: string, { step, counts, all }: Drift): TableData {
  return {
    caption: `${name}: rollouts by region and training step`,
    rows: step.length,
    columns: [
      { title: 'step', value: (k) => step[k] ?? null, text: (k) => String(step[k] ?? '') },
      ...planeRegions.flatMap((region, index) => [
        {
          title: regionNames[region],
          value: (k: number) => counts[index]?.[k] ?? null,
          text: (k: number) => countText(counts[index]?.[k] ?? null),
        },
        {
          title: `${regionNames[region]}, share`,
          value: (k: number) => ((all[k] ?? 0) === 0 ? null : (counts[index]?.[k] ?? 0) / (all[k] ?? 1)),
          text: (k: number) => percentText((counts[index]?.[k] ?? 0) / (all[k] ?? 1)),
        },
      ]),
    ],
  };
}
