/**
 * Keys of the rows of an open run: the number of their part and their row in it, unique for ever, since part numbers are
 * never used twice. Shared by the table of rollouts and that of flags.
 */

/** Distance between the keys of two parts. */
export const rowsPerPart = 2 ** 31;

/** SQL condition for the rows of parts, as ranges of keys: DuckDB skips all row groups outside a range. Part numbers are ours. */
export function rowsOfParts(parts: readonly number[]): string {
  const first = parts.reduce((low, part) => Math.min(low, part));
  const last = parts.reduce((high, part) => Math.max(high, part));
  const between = `key BETWEEN ${first * rowsPerPart} AND ${(last + 1) * rowsPerPart - 1}`;
  if (last - first + 1 === parts.length) return between;
  return `${between} AND key // ${rowsPerPart} IN (${parts.join(', ')})`;
}
