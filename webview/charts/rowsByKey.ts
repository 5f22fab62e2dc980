/**
 * The rollouts of pairs by key, asked for together and kept: their refs for the diff, their question for the list.
 * Leaves out which pairs there are.
 */
import type { ChartsHostApi } from '../../src/protocol/charts.ts';
import type { RolloutRow, RunId } from '../../src/protocol/engine.ts';
import type { Client } from '../../src/protocol/rpc.ts';

/** The contract's limit. */
const mostKeys = 500;

/** Asks for the rows of keys; a key that is gone has none. Cancels nothing: answers of a former question are ignored. */
export async function rowsByKey(
  api: Pick<Client<ChartsHostApi>, 'rowsOf'>,
  run: RunId,
  keys: readonly number[],
): Promise<ReadonlyMap<number, RolloutRow>> {
  const found = new Map<number, RolloutRow>();
  const unique = [...new Set(keys)];
  for (let first = 0; first < unique.length; first += mostKeys) {
    const part = unique.slice(first, first + mostKeys);
    const rows = await api.rowsOf({ run, keys: Float64Array.from(part) });
    if (rows.length === part.length) {
      rows.forEach((row, index) => found.set(part[index] ?? NaN, row));
      continue;
    }
    // Keys that are gone are left out of the answer, which then names none of the others: one by one.
    for (const key of part) {
      const [row] = await api.rowsOf({ run, keys: Float64Array.of(key) });
      if (row) found.set(key, row);
    }
  }
  return found;
}
