/**
 * Ready-made spots: points in lines, and cells of a grid. Pure. Keys are the same in all charts: left and right along a
 * line, up and down to the next line, Home and End to its ends, Page keys by ten.
 */
import type { Spot, Spots } from './panelChart.ts';

/** Points in lines (or rows); each line ordered by x. Up and down go to the nearest point of the next line that has any. */
export function spotsOfLines(lines: readonly (readonly Spot[])[]): Spots {
  const all = lines.filter((line) => line.length > 0);
  const flat = all.flat();
  const firsts: number[] = [];
  let sum = 0;
  for (const line of all) {
    firsts.push(sum);
    sum += line.length;
  }
  const placeOf = (index: number): readonly [line: number, place: number] => {
    const line = Math.max(
      0,
      firsts.findLastIndex((first) => first <= index),
    );
    return [line, index - (firsts[line] ?? 0)];
  };
  return {
    count: flat.length,
    at: (index) => flat[index] ?? { x: 0, y: 0, spoken: '' },
    next: (from, key) => {
      const [line, place] = placeOf(from);
      const last = (all[line]?.length ?? 1) - 1;
      const along = alongLine(place, last, key);
      if (along !== null) return (firsts[line] ?? 0) + along;
      const other = key === 'ArrowUp' ? line - 1 : key === 'ArrowDown' ? line + 1 : null;
      if (other === null) return null;
      const wanted = (other + all.length) % all.length;
      const here = flat[from];
      return (firsts[wanted] ?? 0) + nearestOf(all[wanted] ?? [], ({ x }) => Math.abs(x - (here?.x ?? 0)));
    },
    nearest: (x, y) => nearestOf(flat, (spot) => Math.hypot(spot.x - x, spot.y - y)),
  };
}

/** Cells of a grid, column after column: `at` makes the spot of a cell only when it is needed. */
export function spotsOfGrid(grid: {
  readonly columns: number;
  readonly rows: number;
  at(column: number, row: number): Spot;
  /** Column and row at a place, beyond the grid allowed. */
  find(x: number, y: number): readonly [column: number, row: number];
}): Spots {
  const { columns, rows } = grid;
  const inside = (value: number, count: number): number => Math.max(0, Math.min(count - 1, value));
  return {
    count: columns * rows,
    at: (index) => grid.at(Math.floor(index / rows), index % rows),
    next: (from, key) => {
      const [column, row] = [Math.floor(from / rows), from % rows];
      const along = alongLine(column, columns - 1, key);
      if (along !== null) return along * rows + row;
      if (key === 'ArrowUp') return column * rows + inside(row - 1, rows);
      return key === 'ArrowDown' ? column * rows + inside(row + 1, rows) : null;
    },
    nearest: (x, y) => {
      if (columns === 0 || rows === 0) return -1;
      const [column, row] = grid.find(x, y);
      return inside(column, columns) * rows + inside(row, rows);
    },
  };
}

/** Where a key leads along a line of places 0 to `last`; null for other keys. */
export function alongLine(place: number, last: number, key: string): number | null {
  switch (key) {
    case 'ArrowLeft':
      return Math.max(0, place - 1);
    case 'ArrowRight':
      return Math.min(last, place + 1);
    case 'PageUp':
      return Math.max(0, place - 10);
    case 'PageDown':
      return Math.min(last, place + 10);
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return null;
  }
}

function nearestOf(spots: readonly Spot[], distance: (spot: Spot) => number): number {
  let best = -1;
  let least = Infinity;
  spots.forEach((spot, index) => {
    const far = distance(spot);
    if (far < least) [best, least] = [index, far];
  });
  return best;
}
