/**
 * The rollouts of an open run in file order with the columns that curation needs: where each is logged, its group, whether
 * it is right. Earlier outputs of a rollout and rows whose advantages are being computed are left out.
 * Leaves out everything that has to be read in the log (engine/curation).
 */
import { lastOutputOnly } from './derivedColumns.ts';
import type { RunTable } from './runTable.ts';

/** Parallel arrays in the order file, row. */
export interface CurationRows {
  readonly count: number;
  /** Index into `files`. */
  readonly file: Uint32Array;
  readonly row: Uint32Array;
  /** Internal key of the row (promptQuestions.ts). */
  readonly key: Float64Array;
  readonly step: Int32Array;
  /** Dense ordinal of the group within the run. */
  readonly group: Uint32Array;
  /** 0 wrong, 1 right, 2 not known. */
  readonly correct: Uint8Array;
  /** Calls that a rule flags as redundant. */
  readonly redundant: Uint16Array;
  /** Names of the files as rows have them, in their order. */
  readonly files: readonly string[];
}

/** Reads the columns of all rollouts. */
export async function readCurationRows({ database, view }: RunTable, signal?: AbortSignal): Promise<CurationRows> {
  const files = await database.columns({
    sql: `SELECT DISTINCT file_order, file FROM ${view} ORDER BY file_order, file`,
    signal,
  });
  const found = await database.columns({
    sql: `WITH batch AS (SELECT * FROM ${view} WHERE group_in_step IS NOT NULL),
        marked AS (SELECT *, ${lastOutputOnly} AS superseded FROM batch)
      SELECT file_order, row, key::DOUBLE AS key, step, coalesce(correct::INTEGER, 2) AS correct, redundant_calls,
        (dense_rank() OVER (ORDER BY step, group_in_step) - 1)::INTEGER AS group_number
      FROM marked WHERE NOT superseded ORDER BY file_order, row`,
    signal,
  });
  const ordinals = new Map(Array.from(files.number('file_order'), (order, index) => [order, index]));
  return {
    count: found.count,
    file: Uint32Array.from(found.number('file_order'), (order) => ordinals.get(order) ?? 0),
    row: Uint32Array.from(found.number('row')),
    key: found.number('key'),
    step: Int32Array.from(found.number('step')),
    group: Uint32Array.from(found.number('group_number')),
    correct: Uint8Array.from(found.number('correct')),
    redundant: Uint16Array.from(found.number('redundant_calls'), (calls) => Math.min(calls, 65_535)),
    files: files.text('file').map((file) => file ?? ''),
  };
}
