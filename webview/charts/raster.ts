/**
 * Densities as cells of a grid: never more marks than pixels, however many rollouts there are. Eight levels of opacity
 * by the logarithm of the count, so that a single rollout is still seen beside a thousand.
 * Painted on a canvas in the page, written as paths in a file: both show the same levels.
 */
import { svg, px, type SvgNode } from '../ui/svgNode.ts';

/** A grid of densities; the cell at column c and row r has index c·rows + r, row 0 at the top. */
export interface Raster {
  /** Left and top in px, and the size of the whole grid. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly rows: number;
  /** Rollouts by cell. */
  readonly counts: Uint32Array;
  /** CSS colour, a theme variable. */
  readonly colour: string;
}

const levels = 8;
/** Opacity of the sparsest cell: still three to one against the background. */
const faintest = 0.4;

/** Level 1 to 8 of a count in a grid whose largest count is `most`; 0 for an empty cell. */
export function levelOf(count: number, most: number): number {
  if (count === 0) return 0;
  if (most <= 1) return levels;
  return 1 + Math.min(levels - 1, Math.floor(((levels - 1) * Math.log(count)) / Math.log(most) + 1e-9));
}

/** Opacity of a level, 0 to 1. */
export function opacityOf(level: number): number {
  return level === 0 ? 0 : faintest + ((1 - faintest) * (level - 1)) / (levels - 1);
}

function mostOf(counts: Uint32Array): number {
  let most = 0;
  for (const count of counts) if (count > most) most = count;
  return most;
}

/** The cells as one path a level; cells of a column that touch are one rectangle. */
export function rasterNode(raster: Raster): SvgNode {
  const { x, y, width, height, columns, rows, counts, colour } = raster;
  const most = mostOf(counts);
  const paths: string[] = Array.from({ length: levels + 1 }, () => '');
  const [cellWidth, cellHeight] = [width / columns, height / rows];
  for (let column = 0; column < columns; column += 1) {
    let row = 0;
    while (row < rows) {
      const level = levelOf(counts[column * rows + row] ?? 0, most);
      let end = row + 1;
      while (end < rows && levelOf(counts[column * rows + end] ?? 0, most) === level) end += 1;
      if (level > 0) {
        const tall = px((end - row) * cellHeight);
        paths[level] =
          `${paths[level] ?? ''}M${px(x + column * cellWidth)},${px(y + row * cellHeight)}h${px(cellWidth)}v${tall}h${px(-cellWidth)}z`;
      }
      row = end;
    }
  }
  const drawn = paths.flatMap((d, level) =>
    d === '' ? [] : [svg('path', { d, fill: colour, 'fill-opacity': opacityOf(level) })],
  );
  return svg('g', { class: 'density', 'shape-rendering': 'crispEdges' }, drawn);
}

/** Reads a CSS colour as four bytes; a canvas knows all notations. */
export type ColourReader = (colour: string) => readonly [red: number, green: number, blue: number];

/** Paints the grids on a canvas of `width` × `height` CSS px; `scratch` holds a grid at one pixel a cell. */
export function paintRasters(canvas: HTMLCanvasElement, rasters: readonly Raster[], options: PaintOptions): void {
  const { width, height, scale, colourOf, scratch } = options;
  const [wide, tall] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== wide) canvas.width = wide;
  if (canvas.height !== tall) canvas.height = tall;
  canvas.style.setProperty('width', `${width}px`);
  canvas.style.setProperty('height', `${height}px`);
  const context = canvas.getContext('2d');
  const small = scratch.getContext('2d', { willReadFrequently: true });
  if (!context || !small) return;
  context.clearRect(0, 0, wide, tall);
  context.imageSmoothingEnabled = false;
  for (const raster of rasters) {
    const { columns, rows, counts } = raster;
    if (columns === 0 || rows === 0) continue;
    if (scratch.width !== columns) scratch.width = columns;
    if (scratch.height !== rows) scratch.height = rows;
    const pixels = small.createImageData(columns, rows);
    const bytes = new Uint32Array(pixels.data.buffer);
    const alphas = alphasByCount(mostOf(counts));
    const [red, green, blue] = colourOf(raster.colour);
    const opaque = (blue << 16) | (green << 8) | red;
    for (let column = 0; column < columns; column += 1) {
      for (let row = 0; row < rows; row += 1) {
        const count = counts[column * rows + row] ?? 0;
        if (count > 0) bytes[row * columns + column] = ((alphas(count) << 24) | opaque) >>> 0;
      }
    }
    small.putImageData(pixels, 0, 0);
    const [x, y] = [raster.x * scale, raster.y * scale];
    context.drawImage(scratch, 0, 0, columns, rows, x, y, raster.width * scale, raster.height * scale);
  }
}

/** What painting needs besides the grids. */
export interface PaintOptions {
  /** CSS px. */
  readonly width: number;
  readonly height: number;
  /** Device pixels a CSS px. */
  readonly scale: number;
  readonly colourOf: ColourReader;
  /** A canvas of its own that is never shown. */
  readonly scratch: HTMLCanvasElement;
}

/** Alpha byte by count; looked up, since a logarithm a cell is too slow for a slider. */
function alphasByCount(most: number): (count: number) => number {
  const known = new Uint8Array(Math.min(most, 4095) + 1);
  for (let count = 1; count < known.length; count += 1) {
    known[count] = Math.round(255 * opacityOf(levelOf(count, most)));
  }
  return (count) => known[count] ?? Math.round(255 * opacityOf(levelOf(count, most)));
}
