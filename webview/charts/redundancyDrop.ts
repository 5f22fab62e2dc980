/**
 * How a share changed from the first to the last step where it is known, and the words for it. Pure.
 * Says nothing about causes.
 */

/** First and last known value of a curve, and how many are known. */
export interface Ends {
  readonly first: number;
  readonly last: number;
  readonly known: number;
}

/** The ends of a curve; null where nothing is known. */
export function endsOf(share: Float64Array): Ends | null {
  const known = share.filter((value) => !Number.isNaN(value));
  const [first, last] = [known[0], known.at(-1)];
  return first === undefined || last === undefined ? null : { first, last, known: known.length };
}

/** " (down 27 points)", " (up 3 points)"; '' for less than one percentage point. */
export function pointsText({ first, last }: Pick<Ends, 'first' | 'last'>): string {
  const points = Math.round((last - first) * 100);
  if (points === 0) return '';
  return ` (${points < 0 ? 'down' : 'up'} ${Math.abs(points)} ${Math.abs(points) === 1 ? 'point' : 'points'})`;
}
