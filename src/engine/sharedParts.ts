/**
 * What all runs of a library share: the database, the index folder, the read pool and the copies of wrapped logs.
 * Owned by library.ts. Leaves out the runs themselves.
 */
import { join } from 'node:path';
import { openDatabase, type Database } from '../store/duckdb.ts';
import type { ParquetTables } from '../store/parquetRows.ts';
import { openShardStore, type ShardStore } from '../store/shardStore.ts';
import { createUnwrappedFiles, unwrappedFolder, type UnwrappedFiles } from './unwrappedFiles.ts';
import { createReadPool, type ReadPool } from './workerPool.ts';

const megabyte = 1024 * 1024;

/** How they are opened. */
export interface SharedOptions {
  /** Folder for the index and temporary files; need not exist. */
  readonly storage: string;
  /** Folder of the shards; default `index` in the storage. */
  readonly indexFolder?: string;
  /** Shards that come with the extension, of its sample runs; need not exist. */
  readonly shippedIndex?: string;
  /** Bundle of the read worker; null reads in this thread. */
  readonly workerPath: string | null;
  /** Files read at the same time; default one a core, at most 8. */
  readonly readers?: number;
  /** Default 300 MB. */
  readonly memoryLimitMegabytes?: number;
  /** Default 2,048 MB. */
  readonly maximumIndexMegabytes?: number;
}

/** What runs share. */
export interface Shared {
  readonly database: Database;
  readonly store: ShardStore;
  readonly pool: ReadPool;
  readonly contents: UnwrappedFiles;
}

/** Where queries and copies of tables may put what does not fit into memory. */
export function temporaryFolderOf({ storage }: SharedOptions): string {
  return join(storage, 'temporary');
}

/** Opens them; nothing is read yet. */
export async function openShared(options: SharedOptions, tables: ParquetTables): Promise<Shared> {
  const database = await openDatabase({
    temporaryFolder: temporaryFolderOf(options),
    memoryLimitBytes: (options.memoryLimitMegabytes ?? 300) * megabyte,
  });
  const store = await openShardStore({
    folder: options.indexFolder ?? join(options.storage, 'index'),
    ...(options.shippedIndex === undefined ? {} : { shippedFolder: options.shippedIndex }),
    database,
    limitBytes: (options.maximumIndexMegabytes ?? 2_048) * megabyte,
  });
  const { workerPath, readers } = options;
  const pool = createReadPool({ workerPath, ...(readers === undefined ? {} : { size: readers }) });
  const contents = createUnwrappedFiles({
    folder: unwrappedFolder(options.storage),
    tables,
    decode: (request, handlers) => pool.unwrap(request, handlers),
  });
  return { database, store, pool, contents };
}
