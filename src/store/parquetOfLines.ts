/**
 * JSON lines as a Parquet file with a given schema, so that a column is of one type whatever the first rows hold. A database
 * of its own, closed at the end: what a row group of pictures takes must not be taken from questions.
 * Leaves out what the lines are (engine/curation).
 */
import { stat } from 'node:fs/promises';
import { messageOf, UserError } from '../base/errors.ts';
import { openDatabase } from './duckdb.ts';
import { literal } from './sqlText.ts';

/** What becomes what. */
export interface LinesToParquet {
  readonly lines: string;
  readonly target: string;
  /** SQL type of each column by its name, in order. */
  readonly columns: Readonly<Record<string, string>>;
  /** Lines in the file, and bytes of the longest. */
  readonly count: number;
  readonly longestBytes: number;
  readonly temporaryFolder: string;
  readonly signal: AbortSignal;
}

const memoryLimitBytes = 1_000_000_000;
/** Bytes of text in one row group, about; DuckDB writes at least 2,048 rows. */
const groupBytes = 128_000_000;
const leastRows = 2_048;
const mostRows = 122_880;
/** DuckDB keeps a buffer of this size a reader. */
const leastBufferBytes = 16_777_216;

/** Writes the file; UserError where rows are too large for a row group. */
export async function parquetOfLines(options: LinesToParquet): Promise<void> {
  const { lines, target, columns, count, longestBytes, temporaryFolder, signal } = options;
  const { size } = await stat(lines);
  const fitting = Math.floor(groupBytes / Math.max(1, size / Math.max(1, count)));
  const groupRows = Math.min(mostRows, Math.max(leastRows, fitting));
  const database = await openDatabase({ temporaryFolder, memoryLimitBytes, threads: 1 });
  try {
    const types = Object.entries(columns).map(([name, type]) => `${literal(name)}: ${literal(type)}`);
    const read = `read_ndjson(${literal(lines)}, columns = {${types.join(', ')}}, maximum_object_size = ${Math.max(leastBufferBytes, 2 * longestBytes)})`;
    await database.rows({
      sql: `COPY (SELECT * FROM ${read}) TO ${literal(target)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${groupRows})`,
      signal,
    });
  } catch (error) {
    if (signal.aborted || !/memory/iu.test(messageOf(error))) throw error;
    throw new UserError(
      'The rows are too large for one Parquet file.',
      'Write pictures as files beside it, or choose JSONL.',
    );
  } finally {
    await database.close();
  }
}
