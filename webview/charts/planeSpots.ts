/**
 * What of the chart "A_acc × A_tool" can be pointed at and selected: single rollouts, or cells where there are many, and
 * drags over plane, strip and drift. Pure. Leaves out places (planePlot.ts) and drawing (planeChart.ts).
 */
import { signedText } from '../../src/base/numberText.ts';
import type { Box, BrushArea, PlanePart, Spot, Spots, Why } from './panelChart.ts';
import { noRegion, planeRegions } from './planeColumns.ts';
import { driftScale, regionNames } from './planeDrift.ts';
import { cellAt, drift, driftPlace, gridOf, margin, plane, strip, xOf, yOf, type PlanePlot } from './planePlot.ts';
import { rolloutsText } from './selection.ts';
import { spotsOfLines } from './spots.ts';
import { membersWhy, rolloutWhy } from './whySums.ts';

interface Cell {
  readonly of: 'right' | 'wrong';
  readonly column: number;
  readonly line: number;
  readonly first: number;
  count: number;
}

/** The cells that hold anything. */
function cellsOf(plot: PlanePlot): readonly Cell[] {
  const cells = new Map<number, Cell>();
  for (const row of plot.rows) {
    if ((plot.places.region[row] ?? noRegion) === noRegion) continue;
    const [of, column, line] = cellAt(plot, row);
    const key = ((of === 'wrong' ? 1 : 0) * 10_000 + line) * 10_000 + column;
    const cell = cells.get(key);
    if (cell) cell.count += 1;
    else cells.set(key, { of, column, line, first: row, count: 1 });
  }
  return [...cells.entries()].sort(([a], [b]) => a - b).map(([, cell]) => cell);
}

/** The cells as spots, a line of them a row of the grid. */
export function cellSpots(plot: PlanePlot): Spots {
  const rows = new Map<string, Spot[]>();
  for (const { of, column, line, first, count } of cellsOf(plot)) {
    const grid = gridOf(plot, of);
    const [wide, tall] = [grid.width / grid.columns, grid.height / grid.rows];
    const [x, y] = [grid.x + column * wide, grid.y + line * tall];
    const part = partBetween(plot, of, { x, y, width: wide, height: tall });
    const spot: Spot =
      count === 1
        ? sampleSpot(plot, first)
        : {
            x: x + wide / 2,
            y: y + tall / 2,
            width: wide,
            height: tall,
            spoken: `${of}, A_acc ${signedText(plot.x.invert(x + wide / 2))}, ${of === 'right' ? `A_tool ${signedText(plot.yRight.invert(y + tall / 2))}` : `T − mean T ${signedText(plot.yWrong.invert(y + tall / 2))}`}: ${rolloutsText(count)}`,
            pick: () => {
              plot.context.select({ part, group: null });
            },
            why: () => cellWhy(plot, { of, column, line, part }),
          };
    const key = `${of} ${line}`;
    const row = rows.get(key) ?? [];
    row.push(spot);
    rows.set(key, row);
  }
  return spotsOfLines([...rows.values()]);
}

/** The rollouts of a cell. */
function cellWhy(
  plot: PlanePlot,
  { of, column, line, part }: Pick<Cell, 'of' | 'column' | 'line'> & { readonly part: PlanePart },
): Why | null {
  const { input, context, places } = plot;
  if (!input.focus) return null;
  const rows = plot.rows.filter((row) => {
    if ((places.region[row] ?? noRegion) === noRegion) return false;
    const cell = cellAt(plot, row);
    return cell[0] === of && cell[1] === column && cell[2] === line;
  });
  const select = (): void => {
    context.select({ part, group: null });
  };
  return membersWhy({ input: plot.now(), run: input.focus, rows, sums: [], select });
}

function sampleSpot(plot: PlanePlot, row: number): Spot {
  const { places, calls, step, group, context, input } = plot;
  const region = planeRegions[places.region[row] ?? 0] ?? 'wrong';
  const other = region === 'wrong' ? 'T − mean T' : 'A_tool';
  return {
    x: xOf(plot, row),
    y: yOf(plot, row),
    spoken: `step ${step[row] ?? 0}, ${regionNames[region]}, A_acc ${signedText(places.x[row] ?? NaN)}, ${other} ${signedText(places.y[row] ?? NaN)}, T ${calls[row] ?? 0}`,
    ...(input.focus ? { cursor: { run: input.focus.id, step: step[row] ?? 0 } } : {}),
    pick: () => {
      context.open(row);
    },
    pickGroup: () => {
      context.select({ group: group[row] ?? null });
    },
    why: () => (input.focus ? rolloutWhy(plot.now(), input.focus, row) : null),
  };
}

/** Single rollouts as spots: a line a region, from left to right. */
export function markSpots(plot: PlanePlot): Spots {
  const lines: number[][] = planeRegions.map(() => []);
  for (const row of plot.rows) lines[plot.places.region[row] ?? noRegion]?.push(row);
  return spotsOfLines(
    lines.map((rows) => rows.sort((a, b) => xOf(plot, a) - xOf(plot, b) || a - b).map((row) => sampleSpot(plot, row))),
  );
}

/** The part between the edges of a box in px; limits are open where the area ends. */
function partBetween(plot: PlanePlot, of: 'right' | 'wrong', { x, y, width, height: tall }: Box): PlanePart {
  const area = of === 'right' ? plane : strip;
  const scale = of === 'right' ? plot.yRight : plot.yWrong;
  const [open, least] = [Number.MAX_VALUE, -Number.MAX_VALUE];
  return {
    of,
    x: [
      x <= margin.left + 0.5 ? least : plot.x.invert(x),
      x + width >= plot.right - 0.5 ? open : plot.x.invert(x + width),
    ],
    y: [
      y + tall >= area.top + area.height - 0.5 ? least : scale.invert(y + tall),
      y <= area.top + 0.5 ? open : scale.invert(y),
    ],
  };
}

/** Plane and strip select a part of themselves, the drift steps. */
export function brushesOf(plot: PlanePlot): BrushArea[] {
  const across = { x: margin.left, width: plot.right - margin.left };
  const areas = (['right', 'wrong'] as const).map((of): BrushArea => {
    const area = of === 'right' ? plane : strip;
    return {
      ...across,
      y: area.top,
      height: area.height,
      axis: 'both',
      select: (box) => {
        plot.context.select({ part: partBetween(plot, of, box), group: null });
      },
    };
  });
  const steps = driftScale(plot.input, driftPlace(plot.right));
  const whole = (value: number): number =>
    Math.max(plot.input.steps[0], Math.min(plot.input.steps[1], Math.round(value)));
  return [
    ...areas,
    {
      ...across,
      y: drift.top,
      height: drift.height + 20,
      axis: 'x',
      select: ({ x, width }) => {
        plot.context.select({
          steps: [whole(steps.invert(x)), whole(steps.invert(x + width))],
          region: null,
          part: null,
          group: null,
        });
      },
    },
  ];
}
