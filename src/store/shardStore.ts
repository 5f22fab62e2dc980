/**
 * The folder of shards. A shard is a pair of Parquet files, `<key>.calls.parquet` and `<key>.rollouts.parquet`; the
 * rollouts file is renamed into place last and carries the sums of the reading, so a pair that can be seen is complete.
 * Safe for several processes on one folder. Leaves out which shards a run needs (engine) and loading them (runTable.ts).
 */
import type { Note } from '../model/note.ts';
import type { ByteRange, RecordPlace } from '../model/rollout.ts';
import type { RolloutColumns } from './columnArrays.ts';
import { callColumns, rolloutColumns, type Column } from './columns.ts';
import type { Database, Writer } from './duckdb.ts';
import { createMetaReader, type MetaReader } from './metaReader.ts';
import { openShardFolder, refusalOf, type PairPaths, type ShardFolder } from './shardFolder.ts';
import { headTailHash, keyPrefix, parseShardKey, type ShardKey, type ShardReader } from './shardKey.ts';
import { joinMeta, metaKey, textOfMeta, type Neighbour } from './shardMeta.ts';
import { literal } from './sqlText.ts';

/** What a shard says about itself; kept in the rollouts file's key-value metadata. */
export interface ShardMeta extends ShardReader {
  /** Bytes of the log that it covers. */
  readonly range: ByteRange;
  /** The shard that covers the bytes before; null for the first. */
  readonly previous: ShardKey | null;
  readonly lines: number;
  readonly read: number;
  readonly skipped: number;
  readonly noted: number;
  /** Rows: `read` counts records, of which one may hold several rollouts. */
  readonly rollouts: number;
  /** At most 1,000; `noted` counts all. */
  readonly notes: readonly Note[];
  /** Where the next record starts when the file grows. */
  readonly next: RecordPlace;
  /** Files beside the log that its rollouts depend on too. */
  readonly beside: readonly Neighbour[];
}

/** A complete shard. */
export interface Shard {
  readonly key: ShardKey;
  readonly rolloutsPath: string;
  readonly callsPath: string;
  readonly meta: ShardMeta;
}

/** Outcome of a write: a full disk or a read-only folder is a reason (half a sentence without a path), not an error. */
export type WriteResult =
  { readonly written: true; readonly shard: Shard } | { readonly written: false; readonly reason: string };

/** A folder of shards. */
export interface ShardStore {
  has(key: ShardKey): Promise<boolean>;
  /** The shards that exist, in the order asked, marked as used now; null for one that is missing or damaged. */
  read(keys: readonly ShardKey[]): Promise<readonly (Shard | null)[]>;
  /**
   * The shards that cover the longest indexed beginning of a file as it is now (`sizeBytes` bytes), in file order; empty
   * if none does. Reads the file's first 64 KB and one tail a candidate; rejects if the file cannot be read.
   */
  find(reader: ShardReader, path: string, sizeBytes: number): Promise<readonly Shard[]>;
  write(key: ShardKey, columns: RolloutColumns, meta: ShardMeta): Promise<WriteResult>;
  /** Joins shards of consecutive ranges into one; the old ones stay until removed or evicted. */
  mergeShards(keys: readonly ShardKey[], newKey: ShardKey): Promise<WriteResult>;
  remove(key: ShardKey): Promise<void>;
  /** Keys of all complete shards. */
  list(): Promise<readonly ShardKey[]>;
  /** Removes least recently used shards above the size limit, never one in use, and temporary files a crash left. */
  evict(inUse: ReadonlySet<ShardKey>): Promise<{ readonly removed: readonly ShardKey[]; readonly sizeBytes: number }>;
}

/** Where shards lie and how much room they may take. */
export interface ShardStoreOptions {
  readonly folder: string;
  /** Shards that are read where they lie and never changed; need not exist. */
  readonly shippedFolder?: string;
  readonly database: Database;
  /** Default 2 GB. */
  readonly limitBytes?: number;
}

const defaultLimitBytes = 2_000_000_000;

/** Opens a folder of shards, creating it where possible; a folder that cannot be created is found out on write. */
export async function openShardStore(options: ShardStoreOptions): Promise<ShardStore> {
  const { database, limitBytes = defaultLimitBytes } = options;
  const folder = await openShardFolder(options.folder, options.shippedFolder);
  const readMeta = createMetaReader(database);
  const read = (keys: readonly ShardKey[]) => readShards(readMeta, folder, keys);
  return {
    has: async (key) => (await folder.keys()).has(key),
    read,
    find: (reader, path, sizeBytes) => findShards({ folder, read }, { reader, path, sizeBytes }),
    write: (key, columns, meta) =>
      writePair(database, folder, {
        key,
        meta,
        copy: async (writer, paths) => {
          await copyColumns(writer, { columns: rolloutColumns, data: columns.rollouts, path: paths.rollouts, meta });
          await copyColumns(writer, { columns: callColumns, data: columns.calls, path: paths.calls, meta: null });
        },
      }),
    mergeShards: async (keys, newKey) => {
      const shards = (await read(keys)).filter((shard) => shard !== null);
      const meta = shards.length === keys.length ? joinMeta(shards.map((shard) => shard.meta)) : null;
      if (meta === null) return { written: false, reason: 'a part of the index is missing' };
      return writePair(database, folder, {
        key: newKey,
        meta,
        copy: async (writer, paths) => {
          await copyFiles(writer, { from: shards.map((s) => s.rolloutsPath), path: paths.rollouts, meta });
          await copyFiles(writer, { from: shards.map((s) => s.callsPath), path: paths.calls, meta: null });
        },
      });
    },
    remove: (key) => folder.remove(key),
    list: async () => [...(await folder.keys())],
    evict: (inUse) => folder.evict(inUse, limitBytes),
  };
}

interface Pair {
  readonly key: ShardKey;
  readonly meta: ShardMeta;
  readonly copy: (writer: Writer, paths: PairPaths) => Promise<void>;
}

async function writePair(database: Database, folder: ShardFolder, { key, meta, copy }: Pair): Promise<WriteResult> {
  try {
    await folder.place(key, (paths) => database.write((writer) => copy(writer, paths)));
    return { written: true, shard: shardOf(folder, key, meta) };
  } catch (error) {
    const reason = refusalOf(error);
    if (reason === null) throw error;
    return { written: false, reason };
  }
}

function shardOf(folder: ShardFolder, key: ShardKey, meta: ShardMeta): Shard {
  const { rollouts, calls } = folder.paths(key);
  return { key, rolloutsPath: rollouts, callsPath: calls, meta };
}

/** COPY's options. Snappy reads twice as fast as zstd here, for a fifth more bytes. */
function parquetOptions(meta: ShardMeta | null): string {
  const values = meta === null ? '' : `, KV_METADATA {${metaKey}: ${literal(textOfMeta(meta))}}`;
  return `(FORMAT parquet, COMPRESSION snappy, USE_TMP_FILE false${values})`;
}

interface ColumnsToFile {
  readonly columns: readonly Column[];
  readonly data: RolloutColumns['rollouts'];
  readonly path: string;
  readonly meta: ShardMeta | null;
}

async function copyColumns(writer: Writer, { columns, data, path, meta }: ColumnsToFile): Promise<void> {
  await writer.run({ sql: `CREATE TEMP TABLE shard (${columns.map((c) => `${c.name} ${c.type}`).join(', ')})` });
  await writer.append(
    'shard',
    columns.map((column) => column.type),
    data,
  );
  await writer.run({ sql: `COPY shard TO ${literal(path)} ${parquetOptions(meta)}` });
  await writer.run({ sql: 'DROP TABLE shard' });
}

interface FilesToFile {
  readonly from: readonly string[];
  readonly path: string;
  readonly meta: ShardMeta | null;
}

async function copyFiles(writer: Writer, { from, path, meta }: FilesToFile): Promise<void> {
  // One file after another keeps the order of rows, which are those of the log.
  await writer.run({
    sql: `COPY (SELECT * FROM read_parquet([${from.map(literal).join(', ')}], hive_partitioning = false))
          TO ${literal(path)} ${parquetOptions(meta)}`,
  });
}

async function readShards(
  readMeta: MetaReader,
  folder: ShardFolder,
  keys: readonly ShardKey[],
): Promise<readonly (Shard | null)[]> {
  const known = await folder.keys();
  return Promise.all(
    keys.map(async (key) => {
      const meta = known.has(key) ? await readMeta(folder.paths(key).rollouts) : null;
      if (meta === null) return null;
      await folder.touch(key);
      return shardOf(folder, key, meta);
    }),
  );
}

interface Search {
  readonly folder: ShardFolder;
  readonly read: ShardStore['read'];
}

interface Sought {
  readonly reader: ShardReader;
  readonly path: string;
  readonly sizeBytes: number;
}

async function findShards({ folder, read }: Search, { reader, path, sizeBytes }: Sought): Promise<readonly Shard[]> {
  const whole = await headTailHash(path, sizeBytes);
  const candidates = (await folder.keysWithPrefix(keyPrefix(reader, whole)))
    .flatMap((key) => {
      const parts = parseShardKey(key);
      return parts === null || parts.sizeBytes > sizeBytes ? [] : [{ key, ...parts }];
    })
    // The longest first; of two that end at the same byte the one that starts earlier.
    .sort((a, b) => b.sizeBytes - a.sizeBytes || a.firstByte - b.firstByte);
  const hashes = new Map([[sizeBytes, whole]]);
  for (const candidate of candidates) {
    const hash = hashes.get(candidate.sizeBytes) ?? (await headTailHash(path, candidate.sizeBytes));
    hashes.set(candidate.sizeBytes, hash);
    if (hash !== candidate.headTailHash) continue;
    const chain = await chainUpTo(candidate.key, read);
    if (chain !== null) return chain;
  }
  return [];
}

/** The shard and all before it, in file order; null if one is missing. */
async function chainUpTo(key: ShardKey, read: ShardStore['read']): Promise<readonly Shard[] | null> {
  const chain: Shard[] = [];
  const seen = new Set<ShardKey>();
  for (let next: ShardKey | null = key; next !== null; next = chain[0]?.meta.previous ?? null) {
    if (seen.has(next)) return null;
    seen.add(next);
    const [shard] = await read([next]);
    if (!shard) return null;
    chain.unshift(shard);
  }
  return chain[0]?.meta.range.first === 0 ? chain : null;
}
