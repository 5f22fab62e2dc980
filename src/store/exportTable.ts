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
import type { ColumnData } from './columnArrays.ts';
import { rolloutColumns, runColumns } from './columns.ts';
import type { StoredType } from './duckdb.ts';
import type { RunTable } from './runTable.ts';
import { identifier, literal } from './sqlText.ts';

/** File formats of an export. */
export type ExportFormat = 'csv' | 'jsonl' | 'parquet';

/** Columns that are not in the table: an entry a rollout, joined by its key; NaN and null are null. */
export interface FurtherColumns {
  readonly key: Float64Array;
  readonly numbers: Readonly<Record<string, Float64Array>>;
  readonly names: Readonly<Record<string, readonly (string | null)[]>>;
}

/** What to export; an unknown column name rejects with a UserError that lists the known ones. */
export interface ExportOptions {
  readonly columns: readonly string[];
  readonly format: ExportFormat;
  /** Columns that `columns` may name besides those of the table. */
  readonly further?: FurtherColumns;
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
  const { columns, format, further, temporaryFolder, signal } = options;
  const furtherNames = further ? Object.keys({ ...further.numbers, ...further.names }) : [];
  const known = [...exportableColumns(), ...furtherNames];
  const unknown = columns.filter((name) => !known.includes(name));
  if (unknown.length > 0 || columns.length === 0) {
    throw new UserError(
      unknown.length > 0 ? `There is no column ${unknown.join(', ')}.` : 'No column is named.',
      `Choose from: ${known.join(', ')}.`,
    );
  }
  const name = randomBytes(6).toString('hex');
  const path = join(temporaryFolder, `export-${process.pid}-${name}.${format}`);
  const joined = further ? { table: `further_${name}`, names: furtherNames } : null;
  try {
    if (further && joined) await storeFurther(run, joined.table, further);
    await mkdir(temporaryFolder, { recursive: true });
    const rows = await run.database.rows({
      sql: `COPY (${selection(run, columns, joined)}) TO ${literal(path)} (${copyOptions[format]})`,
      signal,
    });
    await pipeline(createReadStream(path), output, { end: false, ...(signal ? { signal } : {}) });
    const count = rows[0]?.['Count'];
    return typeof count === 'number' ? count : 0;
  } finally {
    await rm(path, { force: true });
    if (joined) await run.database.write((writer) => writer.run({ sql: `DROP TABLE IF EXISTS ${joined.table}` }));
  }
}

/** Puts the further columns into a table of their own, a row a rollout. */
async function storeFurther(run: RunTable, table: string, { key, numbers, names }: FurtherColumns): Promise<void> {
  const declared = [
    'key BIGINT',
    ...Object.keys(numbers).map((name) => `${identifier(name)} DOUBLE`),
    ...Object.keys(names).map((name) => `${identifier(name)} VARCHAR`),
  ];
  const types: readonly StoredType[] = [
    'BIGINT',
    ...Object.keys(numbers).map(() => 'DOUBLE' as const),
    ...Object.keys(names).map(() => 'VARCHAR' as const),
  ];
  const columns: readonly ColumnData[] = [
    { kind: 'number', values: key, valid: null },
    ...Object.values(numbers).map((values): ColumnData => ({
      kind: 'number',
      values,
      valid: Uint8Array.from(values, (value) => (Number.isNaN(value) ? 0 : 1)),
    })),
    ...Object.values(names).map(textColumn),
  ];
  await run.database.write(async (writer) => {
    await writer.run({ sql: `CREATE TABLE ${table} (${declared.join(', ')})` });
    await writer.append(table, types, { count: key.length, columns });
  });
}

function textColumn(values: readonly (string | null)[]): ColumnData {
  const encoder = new TextEncoder();
  const parts = values.map((value) => encoder.encode(value ?? ''));
  const offsets = new Uint32Array(values.length + 1);
  parts.forEach((part, index) => {
    offsets[index + 1] = (offsets[index] ?? 0) + part.length;
  });
  const bytes = new Uint8Array(offsets.at(-1) ?? 0);
  parts.forEach((part, index) => {
    bytes.set(part, offsets[index] ?? 0);
  });
  return { kind: 'text', offsets, bytes, valid: Uint8Array.from(values, (value) => (value === null ? 0 : 1)) };
}

/** Names that `columns` may hold, in the order of columns.ts. */
export function exportableColumns(): readonly string[] {
  return [...runColumns, ...rolloutColumns].map(({ name }) => name);
}

/** Columns that are joined, and the table they are in. */
interface Joined {
  readonly table: string;
  readonly names: readonly string[];
}

function selection(run: RunTable, columns: readonly string[], joined: Joined | null): string {
  const selected = columns.map((name) => {
    if (name === 'group') return groupNumber;
    return `${joined?.names.includes(name) === true ? 'further' : 'run'}.${identifier(name)}`;
  });
  const groups = columns.includes('group')
    ? ` JOIN (
        SELECT step, sum(groups) OVER (ORDER BY step) - groups AS groups_before
        FROM (SELECT step, max(group_in_step) + 1 AS groups FROM ${run.view} GROUP BY step)
      ) steps ON run.step = steps.step`
    : '';
  const more = joined ? ` LEFT JOIN ${joined.table} further ON run.key = further.key` : '';
  const named = selected.map((expression, index) => `${expression} AS ${identifier(columns[index] ?? '')}`);
  return `SELECT ${named.join(', ')} FROM ${run.view} run${groups}${more} ORDER BY run.step, run.file_order, run.row`;
}
