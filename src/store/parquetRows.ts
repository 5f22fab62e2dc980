/**
 * A foreign Parquet table as JSON, one object a row: the first row for detection, all rows into a file for reading.
 * Whole numbers beyond 2^53 become strings (a double would merge ids), binary becomes base64; NaN and Infinity stay
 * literals, as Python writes them. Leaves out the index's own Parquet files (shardStore.ts) and where copies lie (engine).
 */
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { messageOf } from '../base/errors.ts';
import { openDatabase, type Database } from './duckdb.ts';
import { identifier, literal } from './sqlText.ts';

/** Reads foreign Parquet tables; its database opens when asked and closes when nobody asks for a while. */
export interface ParquetTables {
  /** The first row as JSON; null for a table without rows. Rejects with ParquetError where DuckDB cannot read it. */
  firstRow(path: string, signal?: AbortSignal): Promise<string | null>;
  /** Writes all rows as lines to `target`, in the table's order; on failure a part of it may stay. Rejects likewise. */
  copyRows(path: string, target: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/**
 * More than the index's database has: a writer's pages can be 100 MB each, and a row group is read a page at a time.
 */
const memoryLimitBytes = 768_000_000;
const idleMs = 10_000;

/** Opens nothing yet. */
export function createParquetTables(temporaryFolder: string): ParquetTables {
  let database: Promise<Database> | null = null;
  let users = 0;
  let idle: NodeJS.Timeout | undefined;
  const close = async (): Promise<void> => {
    clearTimeout(idle);
    const closing = database;
    database = null;
    await (await closing)?.close();
  };
  const use = async <T>(ask: (database: Database) => Promise<T>): Promise<T> => {
    clearTimeout(idle);
    users += 1;
    try {
      database ??= openDatabase({ temporaryFolder, memoryLimitBytes, threads: 1 });
      return await ask(await database);
    } catch (error) {
      // After such an error DuckDB answers nothing more: the next table gets a new database.
      if (error instanceof ParquetError && /^(?:INTERNAL|FATAL)/u.test(error.message)) await close();
      throw error;
    } finally {
      users -= 1;
      if (users === 0) idle = setTimeout(() => void close().catch(() => undefined), idleMs).unref();
    }
  };
  return {
    firstRow: (path, signal) => use((one) => firstRow(one, path, signal)),
    copyRows: (path, target, signal) => use((one) => copyRows(one, { path, target, signal })),
    close,
  };
}

async function firstRow(database: Database, path: string, signal: AbortSignal | undefined): Promise<string | null> {
  const { from, columns } = await tableOf(database, path, signal);
  const fields = columns.map(({ name, value }) => `${name} := ${value}`).join(', ');
  const sql = `SELECT to_json(struct_pack(${fields}))::VARCHAR AS text FROM ${from} LIMIT 1`;
  const [row] = await readable(() => database.rows({ sql, signal }), signal);
  return typeof row?.['text'] === 'string' ? row['text'] : null;
}

interface Copy {
  readonly path: string;
  readonly target: string;
  readonly signal: AbortSignal;
}

async function copyRows(database: Database, { path, target, signal }: Copy): Promise<void> {
  const { from, columns } = await tableOf(database, path, signal);
  const selected = `SELECT ${columns.map(({ name, value }) => `${value} AS ${name}`).join(', ')} FROM ${from}`;
  const copy = (query: string, to: string): Promise<unknown> =>
    readable(() => database.rows({ sql: `COPY (${query}) TO ${literal(to)} (FORMAT json)`, signal }), signal);
  const batch = await batchOf(database, path, signal);
  if (batch === null) {
    await copy(selected, target);
    return;
  }
  const part = `${target}.part`;
  const output = await open(target, 'w');
  try {
    for (let first = 0; first < batch.total; first += batch.rows) {
      const rows = `file_row_number >= ${first} AND file_row_number < ${first + batch.rows}`;
      await copy(`${selected} WHERE ${rows}`, part);
      for await (const bytes of createReadStream(part)) if (bytes instanceof Uint8Array) await output.write(bytes);
    }
  } finally {
    await output.close();
    await rm(part, { force: true });
  }
}

/** DuckDB takes 2,048 rows at a time; of wide rows that is more than it may hold, several times over. */
const rowsAtOnce = 2_048;
const bytesAtOnce = 16_000_000;
/** Each batch reads its row group from the start. */
const mostBatches = 1_000;

/** In batches of how many rows a table is copied, null for all at once. */
async function batchOf(
  database: Database,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly rows: number; readonly total: number } | null> {
  const sql = `SELECT any_value(row_group_num_rows)::DOUBLE AS size, sum(total_uncompressed_size)::DOUBLE AS bytes
    FROM parquet_metadata($path) GROUP BY row_group_id`;
  const groups = await readable(() => database.rows({ sql, parameters: { path: globOf(path) }, signal }), signal);
  let total = 0;
  let widest = 0;
  for (const { size, bytes } of groups) {
    const rows = Number(size);
    total += rows;
    if (rows > 0 && Math.min(rows, rowsAtOnce) * (Number(bytes) / rows) > bytesAtOnce) {
      widest = Math.max(widest, Number(bytes) / rows);
    }
  }
  if (widest === 0) return null;
  return { rows: Math.max(Math.floor(bytesAtOnce / widest), Math.ceil(total / mostBatches), 1), total };
}

/** The table is damaged, encrypted or of a kind that DuckDB does not read; the message is half a sentence. */
export class ParquetError extends Error {
  override readonly name = 'ParquetError';
}

async function readable<T>(ask: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    signal?.throwIfAborted();
    const [line = ''] = messageOf(error).split('\n');
    if (!/^[A-Z][A-Za-z ]* Error: |^TProtocolException/u.test(line)) throw error;
    throw new ParquetError(line.replace(/^(?!INTERNAL|FATAL)[A-Z][A-Za-z ]* Error: /u, '').trim());
  }
}

/** A table ready to be selected from; names are quoted. */
interface Table {
  readonly from: string;
  readonly columns: readonly { readonly name: string; readonly value: string }[];
}

async function tableOf(database: Database, path: string, signal: AbortSignal | undefined): Promise<Table> {
  const from = `read_parquet(${literal(globOf(path))}, hive_partitioning = false, file_row_number = true)`;
  const described = await readable(() => database.rows({ sql: `DESCRIBE SELECT * FROM ${from}`, signal }), signal);
  if (described.length > mostColumns) throw new ParquetError(`it has ${described.length} columns`);
  // The last column is the one that was asked for; a table's own of that name makes DuckDB refuse.
  const columns = described.slice(0, -1).map((column) => {
    const name = identifier(String(column['column_name']));
    return { name, value: converted(name, parseType(String(column['column_type'])), 0) ?? name };
  });
  return { from, columns };
}

/** DuckDB takes a path as a pattern: a class of one character is that character. */
function globOf(path: string): string {
  return path.replaceAll(/[*?[]/gu, '[$&]');
}

/** A column type as far as its values have to be converted. */
type Type =
  | { readonly kind: 'other' | 'large' | 'binary' | 'decimal' | 'json' }
  | { readonly kind: 'list'; readonly item: Type }
  | { readonly kind: 'struct'; readonly fields: readonly { readonly name: string; readonly type: Type }[] };

const large: ReadonlySet<string> = new Set(['BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT']);
const largestExact = 2 ** 53 - 1;
/** A table of more is no log; each becomes a piece of the query. */
const mostColumns = 2_000;

/** The SQL that makes a value fit for JSON; null where it does already. */
function converted(value: string, type: Type, depth: number): string | null {
  switch (type.kind) {
    case 'other':
      return null;
    case 'decimal':
      return `${value}::DOUBLE`;
    case 'binary':
      return `base64(${value})`;
    case 'json':
      // Nothing checks what a writer calls JSON.
      return `CASE WHEN json_valid(${value}::VARCHAR) THEN ${value} ELSE to_json(${value}::VARCHAR) END`;
    case 'large':
      return `CASE WHEN ${value} BETWEEN -${largestExact} AND ${largestExact} THEN to_json(${value})
        ELSE to_json(${value}::VARCHAR) END`;
    case 'list': {
      const item = `item_${depth}`;
      const inner = converted(item, type.item, depth + 1);
      return inner === null ? null : `list_transform(${value}, lambda ${item}: ${inner})`;
    }
    case 'struct': {
      const fields = type.fields.map(({ name, type: of }) => {
        const field = `struct_extract(${value}, ${literal(name)})`;
        const inner = converted(field, of, depth);
        return { name, sql: inner ?? field, changed: inner !== null };
      });
      if (!fields.some(({ changed }) => changed)) return null;
      const packed = fields.map(({ name, sql }) => `${identifier(name)} := ${sql}`).join(', ');
      return `CASE WHEN ${value} IS NULL THEN NULL ELSE struct_pack(${packed}) END`;
    }
  }
}

/** Reads a type as DESCRIBE writes it: `STRUCT("role" VARCHAR, ids BIGINT[])[]`. */
function parseType(text: string): Type {
  const item = /^(?<item>.*)\[\d*\]$/su.exec(text)?.groups?.['item'];
  if (item !== undefined) return { kind: 'list', item: parseType(item) };
  if (text.startsWith('STRUCT(') && text.endsWith(')')) {
    return { kind: 'struct', fields: splitFields(text.slice('STRUCT('.length, -1)).map(parseField) };
  }
  if (large.has(text)) return { kind: 'large' };
  if (text === 'BLOB') return { kind: 'binary' };
  if (text === 'JSON') return { kind: 'json' };
  return { kind: text.startsWith('DECIMAL(') ? 'decimal' : 'other' };
}

/** Fields of a struct, split at the commas that stand outside names and parentheses. */
function splitFields(text: string): readonly string[] {
  const fields: string[] = [];
  let depth = 0;
  let quoted = false;
  let first = 0;
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i];
    if (character === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (character === ',' && depth === 0) {
      fields.push(text.slice(first, i).trim());
      first = i + 1;
    }
  }
  fields.push(text.slice(first).trim());
  return fields;
}

function parseField(text: string): { readonly name: string; readonly type: Type } {
  const quoted = /^"(?<name>(?:[^"]|"")*)" (?<type>.*)$/su.exec(text)?.groups;
  if (quoted) return { name: (quoted['name'] ?? '').replaceAll('""', '"'), type: parseType(quoted['type'] ?? '') };
  const space = text.indexOf(' ');
  return { name: text.slice(0, space), type: parseType(text.slice(space + 1)) };
}
