/**
 * One or more plots of lines as the drawing of a panel chart: side by side as the width allows, one legend above them,
 * one y axis for all, spots and table made of their points. Pure.
 * Leaves out the plot itself (xyPlot.ts).
 */
import { textNode } from './axes.ts';
import type { Drawing, Spot, TableColumn, TableData } from './panelChart.ts';
import { spotsOfLines } from './spots.ts';
import { px, svg, type SvgNode } from '../ui/svgNode.ts';
import { dashesOf, markOf, xyScene, type XyLine, type XyPlot, type XyPoint } from './xyPlot.ts';

/** What `xyDrawing` needs besides its plots. */
export interface XyDrawingOptions {
  readonly width: number;
  readonly summary: string;
  readonly caption: string;
  /** Height of one plot in px; default 190. */
  readonly plotHeight?: number;
  /** Plots a row at most: plots that belong together stay in one row where there is room. */
  readonly mostColumns?: number;
  /** 'shared' (default): the y axis of all plots without limits holds the values of all of them. */
  readonly y?: 'shared' | 'own';
}

const leastPlotWidth = 250;
const legendLine = 18;
const titleHeight = 18;

/** Draws plots with their legend. */
export function xyDrawing(given: readonly XyPlot[], options: XyDrawingOptions): Drawing {
  const { width, summary, caption, plotHeight = 190, mostColumns = 3, y = 'shared' } = options;
  const plots = y === 'shared' ? withSharedLimits(given) : given;
  const columns = Math.max(1, Math.min(mostColumns, plots.length, Math.floor(width / leastPlotWidth)));
  const plotWidth = Math.floor(width / columns);
  const legend = legendNodes(plots, width);
  const rowHeight = plotHeight + (plots.some(({ title }) => title !== '') ? titleHeight : 0);
  const spots: Spot[][] = [];
  const nodes = plots.map((plot, index) => {
    const left = (index % columns) * plotWidth;
    const top = legend.height + Math.floor(index / columns) * rowHeight + (rowHeight - plotHeight);
    const scene = xyScene(plot, { width: plotWidth, height: plotHeight });
    for (const one of plot.lines) {
      const ofLine = one.points.flatMap((point) => {
        const place = scene.place(point);
        return place ? [spotOf(plot, one, { point, x: left + place[0], y: top + place[1] })] : [];
      });
      if (ofLine.length > 0) spots.push(ofLine);
    }
    const title = textNode(plot.title, { x: 4, y: -4, weight: '600' });
    const shift = `translate(${px(left)},${px(top)})`;
    return svg('g', { transform: shift }, [...(plot.title === '' ? [] : [title]), ...scene.nodes]);
  });
  return {
    height: legend.height + Math.ceil(plots.length / columns) * rowHeight,
    rasters: [],
    nodes: [...legend.nodes, ...nodes],
    spots: spotsOfLines(spots),
    brushes: [],
    summary,
    table: () => xyTable(plots, caption),
  };
}

function spotOf(plot: XyPlot, one: XyLine, { point, x, y }: { point: XyPoint; x: number; y: number }): Spot {
  const { pick, why } = point;
  return {
    x,
    y,
    // Put into words when someone stands on it: of hundreds of points nobody does while a slider moves.
    get spoken() {
      return spokenOf(plot, one, point);
    },
    ...(pick ? { pick } : {}),
    ...(why ? { why } : {}),
  };
}

function spokenOf(plot: XyPlot, one: XyLine, point: XyPoint): string {
  const interval = hasInterval(point)
    ? ` (${plot.y.format(point.low ?? NaN)} to ${plot.y.format(point.high ?? NaN)})`
    : '';
  const who = plot.title === '' ? one.name : plot.title.endsWith(one.name) ? plot.title : `${plot.title}, ${one.name}`;
  const note = point.note === undefined ? '' : `, ${point.note}`;
  return `${plot.x.title} ${plot.x.format(point.x)}, ${who}: ${plot.y.format(point.y)}${interval}${note}`;
}

function hasInterval({ low, high }: XyPoint): boolean {
  return !Number.isNaN(low ?? NaN) && !Number.isNaN(high ?? NaN);
}

function withSharedLimits(plots: readonly XyPlot[]): readonly XyPlot[] {
  const free = plots.filter(({ y }) => y.limits === null);
  if (free.length < 2) return plots;
  let [low, high] = [0, 0];
  for (const plot of free) {
    for (const { points } of plot.lines) {
      for (const { y, low: least = y, high: most = y } of points) {
        for (const value of [y, least, most]) {
          if (!Number.isFinite(value)) continue;
          low = Math.min(low, value);
          high = Math.max(high, value);
        }
      }
    }
  }
  if (low === high) return plots;
  return plots.map((plot) => (plot.y.limits === null ? { ...plot, y: { ...plot.y, limits: [low, high] } } : plot));
}

/** Each name once, wrapped by an estimate of its width: text is not measured here. */
function legendNodes(
  plots: readonly XyPlot[],
  width: number,
): { readonly nodes: readonly SvgNode[]; readonly height: number } {
  const seen = new Map<string, XyLine>();
  for (const { lines } of plots) for (const one of lines) if (!seen.has(one.name)) seen.set(one.name, one);
  if (seen.size < 2) return { nodes: [], height: 0 };
  let [x, row] = [4, 0];
  const nodes = [...seen.values()].map((one) => {
    const entryWidth = 44 + one.name.length * 6.4;
    if (x > 4 && x + entryWidth > width) [x, row] = [4, row + 1];
    const entry = legendEntry(one, x, row * legendLine + legendLine / 2);
    x += entryWidth;
    return entry;
  });
  return { nodes, height: (row + 1) * legendLine + 4 };
}

function legendEntry(one: XyLine, x: number, y: number): SvgNode {
  const dash = one.dash === undefined ? dashesOf(one.style) : one.dash;
  return svg('g', { transform: `translate(${px(x)},${px(y)})` }, [
    svg('path', { d: 'M0,0H28', fill: 'none', stroke: one.colour, 'stroke-width': 1.75, 'stroke-dasharray': dash }),
    svg('path', { d: markOf(one.style, 30), transform: 'translate(14,0)', fill: one.colour }),
    textNode(one.name, { x: 34, y: 4 }),
  ]);
}

/** A row an x value, a column a line, two more where it has intervals. */
export function xyTable(plots: readonly XyPlot[], caption: string): TableData {
  const xs = [...new Set(plots.flatMap(({ lines }) => lines.flatMap(({ points }) => points.map(({ x }) => x))))].sort(
    (a, b) => a - b,
  );
  const at = (row: number): number => xs[row] ?? NaN;
  const columns = plots.flatMap((plot) =>
    plot.lines.flatMap((one): TableColumn[] => {
      const byX = new Map(one.points.map((point) => [point.x, point]));
      const column = (suffix: string, of: (point: XyPoint) => number | undefined): TableColumn => {
        const value = (row: number): number | null => {
          const point = byX.get(at(row));
          const found = point === undefined ? undefined : of(point);
          return found === undefined || Number.isNaN(found) ? null : found;
        };
        const text = (row: number): string => {
          const found = value(row);
          return found === null ? '' : plot.y.format(found);
        };
        return { title: [plot.title, one.name, suffix].filter((part) => part !== '').join(' '), value, text };
      };
      const own = column('', ({ y }) => y);
      if (!one.points.some(hasInterval)) return [own];
      return [own, column('low', ({ low }) => low), column('high', ({ high }) => high)];
    }),
  );
  const axis = plots[0]?.x;
  return {
    caption,
    rows: xs.length,
    columns: [{ title: axis?.title ?? '', value: at, text: (row) => axis?.format(at(row)) ?? '' }, ...columns],
  };
}
