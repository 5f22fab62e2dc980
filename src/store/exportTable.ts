/**
 * `table`: columns of a run by name, in the order step, file, row, written as CSV, JSON lines or Parquet. DuckDB writes a
 * temporary file which is then streamed, so memory does not grow with the run. Leaves out which names exist (columns.ts).
 */
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../base/errors.ts';
import { rolloutColumns, runColumns } from './columns.ts';
import type { RunTable } from './runTable.ts';
import { identifier, literal } from './sqlText.ts';

/** File formats of an export. */
export type ExportFormat = 'csv' | 'jsonl' | 'parquet';

/** What to export; an unknown column name rejects with a UserError that lists the known ones. */
export interface ExportOptions {
  readonly columns: readonly string[];
  readonly format: ExportFormat;
  /** Folder for the temporary file. */
  readonly temporaryFolder: string;
  readonly signal?: AbortSignal;
}

const copyOptions: Readonly<Record<ExportFormat, string>> = {
  csv: 'FORMAT csv, HEADER true',
  jsonl: 'FORMAT json, ARRAY false',
  parquet: 'FORMAT parquet, COMPRESSION zstd',
};

// The table keeps the ordinal within the step, so that a new step does not renumber the others.
const groupNumber = '(group_in_step + groups_before)::INTEGER';

/** Writes the table to a stream and resolves when all of it is accepted (the stream is not ended); gives the number of rows. */
export async function exportTable(run: RunTable, output: Writable, options: ExportOptions): Promise<number> {
  const { columns, format, temporaryFolder, signal } = options;
  const known = exportableColumns();
  const unknown = columns.filter((name) => !known.includes(name));
  if (unknown.length > 0 || columns.length === 0) {
    throw new UserError(
      unknown.length > 0 ? `There is no column ${unknown.join(', ')}.` : 'No column is named.',
      `Choose from: ${known.join(', ')}.`,
    );
  }
  const path = join(temporaryFolder, `export-${process.pid}-${randomBytes(6).toString('hex')}.${format}`);
  try {
    await mkdir(temporaryFolder, { recursive: true });
    const rows = await run.database.rows({
      sql: `COPY (${selection(run, columns)}) TO ${literal(path)} (${copyOptions[format]})`,
      signal,
    });
    await pipeline(createReadStream(path), output, { end: false, ...(signal ? { signal } : {}) });
    const count = rows[0]?.['Count'];
    return typeof count === 'number' ? count : 0;
  } finally {
    await rm(path, { force: true });
  }
}

/** Names that `columns` may hold, in the order of columns.ts. */
export function exportableColumns(): readonly string[] {
  return [...runColumns, ...rolloutColumns].map(({ name }) => name);
}

function selection(run: RunTable, columns: readonly string[]): string {
  const selected = columns.map((name) => (name === 'group' ? groupNumber : `run.${identifier(name)}`));
  const from = columns.includes('group')
    ? `${run.view} run JOIN (
        SELECT step, sum(groups) OVER (ORDER BY step) - groups AS groups_before
        FROM (SELECT step, max(group_in_step) + 1 AS groups FROM ${run.view} GROUP BY step)
      ) steps ON run.step = steps.step`
    : `${run.view} run`;
  const named = selected.map((expression, index) => `${expression} AS ${identifier(columns[index] ?? '')}`);
  return `SELECT ${named.join(', ')} FROM ${from} ORDER BY run.step, run.file_order, run.row`;
}
