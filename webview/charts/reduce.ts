/**
 * Never more marks than pixels: reduces a series to at most four points a pixel column (first, lowest, highest, last),
 * which draw the same line as all of them would. Pure; missing values (NaN) stay as gaps.
 */

/** A point to draw: index into the series, so that step and value are looked up, not copied. */
export type PointIndex = number;

/** What `reducePoints` needs to know: parallel arrays sorted by x. */
export interface Points {
  readonly x: ArrayLike<number>;
  /** NaN = missing. */
  readonly y: ArrayLike<number>;
}

/**
 * Indexes of the points to draw, ascending. `column` maps an x value to its pixel; with no more points than `columns`
 * all are kept. A missing value is kept only next to a present one, since it only has to break the line.
 */
export function reducePoints(points: Points, columns: number, column: (x: number) => number): PointIndex[] {
  const count = points.x.length;
  if (count <= columns) return Array.from({ length: count }, (_, index) => index);
  const kept = new Set<PointIndex>();
  let first = 0;
  while (first < count) {
    const pixel = Math.floor(column(points.x[first] ?? 0));
    let end = first;
    let lowest = -1;
    let highest = -1;
    let lastPresent = -1;
    while (end < count && Math.floor(column(points.x[end] ?? 0)) === pixel) {
      const value = points.y[end] ?? NaN;
      if (!Number.isNaN(value)) {
        if (lastPresent < 0) kept.add(end);
        if (lowest < 0 || value < (points.y[lowest] ?? NaN)) lowest = end;
        if (highest < 0 || value > (points.y[highest] ?? NaN)) highest = end;
        lastPresent = end;
      }
      end += 1;
    }
    if (lastPresent < 0) kept.add(first);
    else for (const index of [lowest, highest, lastPresent]) kept.add(index);
    first = end;
  }
  return [...kept].sort((a, b) => a - b);
}

/** Index of the point whose x is nearest to the given one; −1 for no points. Of two equally near the first. */
export function nearestIndex(x: ArrayLike<number>, wanted: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return x.length === 0 ? -1 : 0;
  if (low === x.length) return low - 1;
  return wanted - (x[low - 1] ?? 0) <= (x[low] ?? 0) - wanted ? low - 1 : low;
}
