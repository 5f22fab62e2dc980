/**
 * The rollouts of an open run, file by file (numbers in file names by value) and row by row, with the columns that curation
 * needs: where each is logged, its group, whether it is right. Earlier outputs of a rollout and rows whose advantages are being computed are left out.
 * Leaves out everything that has to be read in the log (engine/curation).
 */
import { lastOutputOnly } from './derivedColumns.ts';
import type { RunTable } from './runTable.ts';

/** Parallel arrays in the order file (2.jsonl before 10.jsonl), row. */
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
  const names = files.text('file').map((file) => file ?? '');
  const orders = Array.from(files.number('file_order'));
  const natural = [...names.keys()].sort((a, b) => comparePaths.compare(names[a] ?? '', names[b] ?? '') || a - b);
  const ordinals = new Map(natural.map((index, place) => [orders[index] ?? 0, place]));
  const file = Uint32Array.from(found.number('file_order'), (order) => ordinals.get(order) ?? 0);
  const inOrder = placesByFile(file, names.length);
  const column = (name: string): Float64Array => {
    const values = found.number(name);
    return Float64Array.from(inOrder, (place) => values[place] ?? 0);
  };
  return {
    count: found.count,
    file: Uint32Array.from(inOrder, (place) => file[place] ?? 0),
    row: Uint32Array.from(column('row')),
    key: column('key'),
    step: Int32Array.from(column('step')),
    group: Uint32Array.from(column('group_number')),
    correct: Uint8Array.from(column('correct')),
    redundant: Uint16Array.from(column('redundant_calls'), (calls) => Math.min(calls, 65_535)),
    files: natural.map((index) => names[index] ?? ''),
  };
}

/** Numbers in names by value, whatever the machine's language is. */
const comparePaths = new Intl.Collator('en', { numeric: true });

/** Places of rows ordered by their file, rows of one file as they come. */
function placesByFile(file: Uint32Array, files: number): Uint32Array {
  const next = new Uint32Array(files + 1);
  for (const one of file) next[one + 1] = (next[one + 1] ?? 0) + 1;
  for (let one = 0; one < files; one += 1) next[one + 1] = (next[one + 1] ?? 0) + (next[one] ?? 0);
  const places = new Uint32Array(file.length);
  file.forEach((one, place) => {
    const at = next[one] ?? 0;
    next[one] = at + 1;
    places[at] = place;
  });
  return places;
}
