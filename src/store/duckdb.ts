/**
 * DuckDB, opened once a process: the only file that imports the native library. One in-memory database, written through
 * one connection in turn and read through others, so a question never waits behind an import. Leaves out every table's
 * meaning (runTable.ts, shardStore.ts) and where its temporary files lie (temporaryFolder.ts).
 */
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  DuckDBDataChunk,
  DuckDBInstance,
  INTEGER,
  LIST,
  listValue,
  UBIGINT,
  VARCHAR,
  type DuckDBConnection,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import type { ColumnData, TableColumns } from './columnArrays.ts';
import type { ColumnType } from './columns.ts';
import { interruptOnAbort, lanes } from './lanes.ts';
import { createTemporaryFolder, removeTemporaryFolder } from './temporaryFolder.ts';

/** A value as it leaves the database: 64-bit integers become numbers, NULL becomes null. */
export type Cell = string | number | boolean | null;

/** A row by column name. */
export type Row = Readonly<Record<string, Cell>>;

/** What may be bound to a `$name` parameter; a list is bound as a LIST. */
export type Parameters = Readonly<Record<string, Cell | readonly string[] | readonly number[]>>;

/** A query: SQL with `$name` parameters (values never enter the text), and how to stop it. */
export interface Query {
  readonly sql: string;
  readonly parameters?: Parameters;
  readonly signal?: AbortSignal | undefined;
}

/** The result of a query by column; throws for a name it does not have. */
export interface ResultColumns {
  readonly count: number;
  /** Numbers and booleans (0, 1) of a column; NaN for NULL. */
  number(name: string): Float64Array;
  /** Texts of a column. */
  text(name: string): (string | null)[];
}

/** Where queries run: the database itself, or one write transaction of it. */
export interface Session {
  rows(query: Query): Promise<readonly Row[]>;
  columns(query: Query): Promise<ResultColumns>;
}

/** A write transaction: rolled back as a whole if its body throws. */
export interface Writer extends Session {
  run(query: Query): Promise<void>;
  /** Appends columns to an existing table whose columns have these types in this order. */
  append(table: string, types: readonly StoredType[], data: TableColumns): Promise<void>;
}

/** Types of columns that can be appended; BIGINT is for internal keys only. */
export type StoredType = ColumnType | 'BIGINT';

/** An open database. Reads run side by side; writes run one after another, each as a transaction. */
export interface Database extends Session {
  write<T>(body: (writer: Writer) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Compresses the tables and frees deleted rows; false if a reader of an older state kept it from that. */
  compact(): Promise<boolean>;
  /** Closes it; what still runs is interrupted and rejects. */
  close(): Promise<void>;
}

/** How a database is opened. */
export interface DatabaseOptions {
  /** Folder for what does not fit into memory; one that cannot be written means: memory only. */
  readonly temporaryFolder: string;
  /** Default 300 MB. */
  readonly memoryLimitBytes?: number;
  /** Default 2. */
  readonly threads?: number;
}

const defaultMemoryLimitBytes = 300_000_000;

// Each running query holds one of libuv's four threads; file access needs one too.
const readConnections = 2;

/** Rows of a DuckDB data chunk: its vector size. */
const chunkRows = 2048;

const duckTypes: Readonly<Record<StoredType, DuckDBType>> = {
  INTEGER,
  UBIGINT,
  BIGINT,
  DOUBLE,
  BOOLEAN,
  VARCHAR,
};

/** Opens an in-memory database with download and loading of extensions off and its configuration locked. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const folder = await createTemporaryFolder(options.temporaryFolder);
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    allow_persistent_secrets: 'false',
    memory_limit: `${options.memoryLimitBytes ?? defaultMemoryLimitBytes}B`,
    threads: String(options.threads ?? 2),
    // Shards are read once into a table: keeping their bytes as well would only take memory.
    enable_external_file_cache: 'false',
    // An empty name means that nothing is spilled, instead of a folder in the working directory.
    temp_directory: folder ?? '',
    extension_directory: folder ?? '',
    lock_configuration: 'true',
  });
  const writing = await instance.connect();
  const reading: DuckDBConnection[] = [];
  for (let i = 0; i < readConnections; i += 1) reading.push(await instance.connect());

  const writers = lanes([writing]);
  const readers = lanes(reading);
  let closed: Promise<void> | null = null;

  return {
    rows: (query) => readers.use((connection) => readRows(connection, query), query.signal),
    columns: (query) => readers.use((connection) => readColumns(connection, query), query.signal),
    write: (body, signal) => writers.use((connection) => inTransaction(connection, body, signal), signal),
    compact: () =>
      writers.use(async (connection) => {
        // An update's undo buffer goes with the next commit only, and keeps a checkpoint from doing anything till then.
        await connection.run('CREATE OR REPLACE TABLE compacted AS SELECT 1 AS one');
        return connection.run('CHECKPOINT').then(
          () => true,
          () => false,
        );
      }),
    close: () => {
      closed ??= (async () => {
        await Promise.all([writers.close(), readers.close()]);
        instance.closeSync();
        if (folder !== null) await removeTemporaryFolder(folder);
      })();
      return closed;
    },
  };
}

async function execute(connection: DuckDBConnection, { sql, parameters, signal }: Query) {
  signal?.throwIfAborted();
  const settled = interruptOnAbort(connection, signal);
  try {
    if (parameters === undefined) return await connection.run(sql);
    const { values, types } = bound(parameters);
    return await connection.run(sql, values, types);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    settled();
  }
}

function bound(parameters: Parameters) {
  const values: Record<string, DuckDBValue> = {};
  const types: Record<string, DuckDBType> = {};
  for (const [name, value] of Object.entries(parameters)) {
    if (typeof value === 'object' && value !== null) {
      values[name] = listValue(value);
      // By its first item, as the library would take it, an empty list has no type and [1, 2.5] a wrong one.
      types[name] = LIST(itemType(value));
    } else {
      values[name] = value;
    }
  }
  return { values, types };
}

function itemType(items: readonly (string | number)[]): DuckDBType {
  if (items.every((item) => typeof item === 'string')) return items.length === 0 ? INTEGER : VARCHAR;
  if (items.every((item) => Number.isInteger(item) && Math.abs(Number(item)) < 2 ** 31)) return INTEGER;
  return items.every(Number.isSafeInteger) ? BIGINT : DOUBLE;
}

async function inTransaction<T>(
  connection: DuckDBConnection,
  body: (writer: Writer) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const merged = (query: Query): Query => ({ ...query, signal: query.signal ?? signal });
  signal?.throwIfAborted();
  await connection.run('BEGIN TRANSACTION');
  try {
    const result = await body({
      rows: (query) => readRows(connection, merged(query)),
      columns: (query) => readColumns(connection, merged(query)),
      run: async (query) => {
        await execute(connection, merged(query));
      },
      append: (table, types, data) => appendColumns(connection, table, { types, data }),
    });
    signal?.throwIfAborted();
    await connection.run('COMMIT');
    return result;
  } catch (error) {
    // The first error is the one to report; a transaction that is gone already needs no rollback.
    await connection.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function readRows(connection: DuckDBConnection, query: Query): Promise<readonly Row[]> {
  const result = await execute(connection, query);
  const names = result.columnNames();
  const rows: Record<string, Cell>[] = [];
  for (const chunk of await result.fetchAllChunks()) {
    const first = rows.length;
    for (let i = 0; i < chunk.rowCount; i += 1) rows.push({});
    names.forEach((name, index) => {
      chunk.visitColumnValues(index, (value, i) => {
        const row = rows[first + i];
        if (row !== undefined) row[name] = cell(value, name);
      });
    });
  }
  return rows;
}

async function readColumns(connection: DuckDBConnection, query: Query): Promise<ResultColumns> {
  const result = await execute(connection, query);
  const names = result.columnNames();
  const chunks = await result.fetchAllChunks();
  const count = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0);
  const indexOf = (name: string): number => {
    const index = names.indexOf(name);
    if (index < 0) throw new Error(`the result has no column ${name}`);
    return index;
  };
  return {
    count,
    number: (name) => {
      const values = new Float64Array(count);
      let first = 0;
      for (const chunk of chunks) {
        const vector = chunk.getColumnVector(indexOf(name));
        for (let i = 0; i < vector.itemCount; i += 1) values[first + i] = numberOf(vector.getItem(i));
        first += chunk.rowCount;
      }
      return values;
    },
    text: (name) => {
      const values: (string | null)[] = [];
      for (const chunk of chunks) {
        chunk.visitColumnValues(indexOf(name), (value) => values.push(typeof value === 'string' ? value : null));
      }
      return values;
    },
  };
}

function cell(value: DuckDBValue, name: string): Cell {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value;
    case 'bigint':
      return Number(value);
    default:
      if (value === null) return null;
      throw new Error(`column ${name} has a type that is no cell`);
  }
}

function numberOf(value: DuckDBValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'bigint' ? Number(value) : Number.NaN;
}

interface Appended {
  readonly types: readonly StoredType[];
  readonly data: TableColumns;
}

async function appendColumns(connection: DuckDBConnection, table: string, { types, data }: Appended): Promise<void> {
  const appender = await connection.createAppender(table);
  try {
    for (let first = 0; first < data.count; first += chunkRows) {
      const count = Math.min(chunkRows, data.count - first);
      const chunk = DuckDBDataChunk.create(
        types.map((type) => duckTypes[type]),
        count,
      );
      data.columns.forEach((column, index) => {
        fillVector(chunk, index, { column, type: types[index], first, count });
      });
      appender.appendDataChunk(chunk);
    }
  } finally {
    appender.closeSync();
  }
}

interface Slot {
  readonly column: ColumnData;
  readonly type: StoredType | undefined;
  readonly first: number;
  readonly count: number;
}

function fillVector(chunk: DuckDBDataChunk, index: number, { column, type, first, count }: Slot): void {
  const vector = chunk.getColumnVector(index);
  const valueAt = readerOf(column, type);
  for (let i = 0; i < count; i += 1) {
    const row = first + i;
    vector.setItem(i, column.valid !== null && column.valid[row] === 0 ? null : valueAt(row));
  }
  vector.flush();
}

function readerOf(column: ColumnData, type: StoredType | undefined): (row: number) => DuckDBValue {
  if (column.kind === 'text') {
    const { offsets } = column;
    const bytes = Buffer.from(column.bytes.buffer, column.bytes.byteOffset, column.bytes.byteLength);
    return (row) => bytes.toString('utf8', offsets[row] ?? 0, offsets[row + 1] ?? 0);
  }
  const { values } = column;
  if (type === 'BOOLEAN') return (row) => values[row] === 1;
  if (type === 'BIGINT' || type === 'UBIGINT') return (row) => BigInt(values[row] ?? 0);
  return (row) => values[row] ?? null;
}
