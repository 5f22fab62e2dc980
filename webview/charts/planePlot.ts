/**
 * Where things are in the chart "A_acc × A_tool": the plane, the strip of the wrong ones below it, their cells, the drift
 * at the bottom. Pure; shared by what is drawn (planeChart.ts) and what is selected (planeSpots.ts).
 */
import type { PanelContext, PanelInput } from './panelChart.ts';
import type { PlanePlaces } from './planeColumns.ts';
import type { DriftPlace } from './planeDrift.ts';

/** Space beside the plot in px. */
export const margin = { left: 48, right: 20 };
/** The plane of the right ones. */
export const plane = { top: 16, height: 220 };
/** The strip of the wrong ones. */
export const strip = { top: 258, height: 64 };
/** The axis of A_acc. */
export const axisTop = strip.top + strip.height;
/** The lines of the shares. */
export const drift = { top: 392, height: 60 };
/** The whole drawing. */
export const height = drift.top + drift.height + 24;
const cellPx = 4;

/** Where the lines of the shares are. */
export function driftPlace(right: number): DriftPlace {
  return { ...drift, left: margin.left, right };
}

/** What places depend on. */
export interface PlanePlot {
  readonly input: PanelInput;
  /** What the page shows now: this drawing is kept while only weights or mode change. */
  readonly now: () => PanelInput;
  readonly context: PanelContext;
  readonly places: PlanePlaces;
  readonly group: Uint32Array;
  readonly step: Int32Array;
  readonly calls: Uint16Array;
  /** Rows of the selected steps, with or without a place. */
  readonly rows: Uint32Array;
  readonly right: number;
  readonly x: Scale;
  readonly yRight: Scale;
  readonly yWrong: Scale;
}

/** A scale of d3, as far as it is used. */
export type Scale = ((value: number) => number) & { ticks(count: number): number[]; invert(at: number): number };

/** Height of a rollout in px, in the plane or the strip. */
export function yOf(plot: PlanePlot, row: number): number {
  const y = plot.places.y[row] ?? NaN;
  return plot.places.region[row] === 3 ? plot.yWrong(y) : plot.yRight(y);
}

/** Place of a rollout across in px. */
export function xOf(plot: PlanePlot, row: number): number {
  return plot.x(plot.places.x[row] ?? NaN);
}

/** Cells of one area: left, top, size and how many fit. */
export function gridOf(plot: PlanePlot, of: 'right' | 'wrong') {
  const area = of === 'right' ? plane : strip;
  const width = plot.right - margin.left;
  const [across, down] = [Math.max(1, Math.floor(width / cellPx)), Math.floor(area.height / cellPx)];
  return { x: margin.left, y: area.top, width, height: area.height, columns: across, rows: down };
}

/** The cell of a rollout. */
export function cellAt(plot: PlanePlot, row: number): readonly [of: 'right' | 'wrong', column: number, line: number] {
  const of = plot.places.region[row] === 3 ? 'wrong' : 'right';
  const grid = gridOf(plot, of);
  const inside = (value: number, count: number): number => Math.max(0, Math.min(count - 1, Math.floor(value)));
  return [
    of,
    inside(((xOf(plot, row) - grid.x) / grid.width) * grid.columns, grid.columns),
    inside(((yOf(plot, row) - grid.y) / grid.height) * grid.rows, grid.rows),
  ];
}
