/**
 * The files of the shard folder: their names, the atomic placing of a pair, which were used last, and what a crash left.
 * A second folder may lie behind it whose shards are read where they lie and never written, touched or removed.
 * Knows nothing of what is in them. Owned by shardStore.ts.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../base/errors.ts';
import { parseShardKey, type ShardKey } from './shardKey.ts';

/** The two files of a shard. */
export interface PairPaths {
  readonly rollouts: string;
  readonly calls: string;
}

/** The folder; every method but `place` takes a folder that is gone as an empty one. */
export interface ShardFolder {
  /** Where the pair lies, or will lie: in the shipped folder only while it lies nowhere else. */
  paths(key: ShardKey): PairPaths;
  /** Keys of complete pairs. */
  keys(): Promise<ReadonlySet<ShardKey>>;
  keysWithPrefix(prefix: string): Promise<readonly ShardKey[]>;
  /** Has both files written under temporary names, then renames them; on failure neither stays. */
  place(key: ShardKey, write: (paths: PairPaths) => Promise<void>): Promise<void>;
  /** Marks a shard as used now; a folder that cannot be written keeps its times. */
  touch(key: ShardKey): Promise<void>;
  remove(key: ShardKey): Promise<void>;
  evict(
    inUse: ReadonlySet<ShardKey>,
    limitBytes: number,
  ): Promise<{ readonly removed: readonly ShardKey[]; readonly sizeBytes: number }>;
}

const rolloutsEnd = '.rollouts.parquet';
const callsEnd = '.calls.parquet';
const temporaryStart = '.writing-';

// Longer than any shard takes to write, so that nobody's work in progress is taken for a leftover.
const leftoverAfterMs = 60 * 60 * 1000;

// Two changes of a folder within one tick of the file system's clock have one mtime.
const clockTickMs = 100;

/**
 * Opens the folder; creating it may fail, then it reads as empty and `place` says why. What lies in `shipped` is listed
 * once: it comes with this version of the extension.
 */
export async function openShardFolder(folder: string, shipped: string | null = null): Promise<ShardFolder> {
  await mkdir(folder, { recursive: true }).catch(() => undefined);
  const behind = completePairs(shipped === null ? [] : await namesIn(shipped));
  let listing: Listing = { own: new Set(), ...behind, mtimeMs: Number.NaN, settled: false };
  const ownPaths = (key: ShardKey): PairPaths => pathsIn(folder, key);
  const paths = (key: ShardKey): PairPaths =>
    shipped !== null && behind.keys.has(key) && !listing.own.has(key) ? pathsIn(shipped, key) : ownPaths(key);
  const list = async (): Promise<Listing> => {
    const mtimeMs = await stat(folder).then(
      (stats) => stats.mtimeMs,
      () => Number.NaN,
    );
    if (listing.settled && mtimeMs === listing.mtimeMs) return listing;
    const settled = Date.now() - mtimeMs > clockTickMs;
    const own = completePairs(await namesIn(folder));
    listing = { own: own.keys, ...joined(own, behind), mtimeMs, settled };
    return listing;
  };
  const remove = async (key: ShardKey): Promise<void> => {
    // In the reverse order of placing: what can be seen is complete.
    await rm(ownPaths(key).rollouts, { force: true });
    await rm(ownPaths(key).calls, { force: true });
  };
  return {
    paths,
    keys: async () => (await list()).keys,
    keysWithPrefix: async (prefix) => (await list()).byPrefix.get(prefix) ?? [],
    place: async (key, write) => {
      await placePair(folder, ownPaths(key), write);
      // A shard that hides a shipped one: from now on its own paths are handed out.
      if (behind.keys.has(key)) await list();
    },
    touch: async (key) => {
      const now = new Date();
      await utimes(ownPaths(key).rollouts, now, now).catch(() => undefined);
    },
    remove,
    evict: async (inUse, limitBytes) => {
      await removeLeftovers(folder);
      const pairs = await pairsByAge(ownPaths, (await list()).own);
      let sizeBytes = pairs.reduce((sum, pair) => sum + pair.sizeBytes, 0);
      const removed: ShardKey[] = [];
      for (const pair of pairs) {
        if (sizeBytes <= limitBytes) break;
        if (inUse.has(pair.key)) continue;
        await remove(pair.key);
        removed.push(pair.key);
        sizeBytes -= pair.sizeBytes;
      }
      return { removed, sizeBytes };
    },
  };
}

/** Why the file system (or DuckDB writing to it) refused, as half a sentence; null for any other error. */
export function refusalOf(error: unknown): string | null {
  const message = messageOf(error);
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const text = `${code} ${message}`;
  if (/ENOSPC|EDQUOT|No space left|not enough space|quota exceeded/i.test(text)) return 'the disk is full';
  if (/EROFS|EACCES|EPERM|Read-only|Permission denied/i.test(text)) return 'the index folder cannot be written';
  if (/ENOTDIR|ENOENT|EEXIST|Not a directory|No such file/i.test(text)) return 'the index folder does not exist';
  if (code !== '') return `the file system answered ${code}`;
  return /^(IO Error|Invalid Input Error|Out of Memory Error)/.test(message) ? (message.split('\n')[0] ?? '') : null;
}

/** Complete pairs, and the same by the log that they belong to. */
interface Pairs {
  readonly keys: ReadonlySet<ShardKey>;
  readonly byPrefix: ReadonlyMap<string, readonly ShardKey[]>;
}

interface Listing extends Pairs {
  /** Those that lie in the folder itself. */
  readonly own: ReadonlySet<ShardKey>;
  readonly mtimeMs: number;
  /** False where the folder changed so recently that a further change may not show in its mtime. */
  readonly settled: boolean;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}

function pathsIn(folder: string, key: ShardKey): PairPaths {
  return { rollouts: join(folder, key + rolloutsEnd), calls: join(folder, key + callsEnd) };
}

function joined(own: Pairs, behind: Pairs): Pairs {
  if (behind.keys.size === 0) return own;
  const byPrefix = new Map(behind.byPrefix);
  for (const [prefix, keys] of own.byPrefix)
    byPrefix.set(prefix, [...new Set([...keys, ...(byPrefix.get(prefix) ?? [])])]);
  return { keys: new Set([...own.keys, ...behind.keys]), byPrefix };
}

function completePairs(names: readonly string[]): Pairs {
  const present = new Set(names);
  const keys = new Set<ShardKey>();
  const byPrefix = new Map<string, ShardKey[]>();
  for (const name of names) {
    if (!name.endsWith(rolloutsEnd)) continue;
    const key = name.slice(0, -rolloutsEnd.length);
    const parts = parseShardKey(key);
    if (parts === null || !present.has(key + callsEnd)) continue;
    keys.add(key);
    const sameFile = byPrefix.get(parts.prefix);
    if (sameFile) sameFile.push(key);
    else byPrefix.set(parts.prefix, [key]);
  }
  return { keys, byPrefix };
}

async function placePair(folder: string, target: PairPaths, write: (paths: PairPaths) => Promise<void>): Promise<void> {
  await mkdir(folder, { recursive: true });
  const name = join(folder, `${temporaryStart}${process.pid}-${randomBytes(6).toString('hex')}`);
  const temporary: PairPaths = { rollouts: name + rolloutsEnd, calls: name + callsEnd };
  try {
    await write(temporary);
    await rename(temporary.calls, target.calls);
    await rename(temporary.rollouts, target.rollouts);
  } finally {
    for (const path of [temporary.rollouts, temporary.calls]) await rm(path, { force: true }).catch(() => undefined);
  }
}

interface AgedPair {
  readonly key: ShardKey;
  readonly usedMs: number;
  readonly sizeBytes: number;
}

/** All pairs, the least recently used first. */
async function pairsByAge(
  paths: (key: ShardKey) => PairPaths,
  keys: ReadonlySet<ShardKey>,
): Promise<readonly AgedPair[]> {
  const aged = await Promise.all(
    [...keys].map(async (key) => {
      const [rollouts, calls] = await Promise.all([
        stat(paths(key).rollouts).catch(() => null),
        stat(paths(key).calls).catch(() => null),
      ]);
      return { key, usedMs: rollouts?.mtimeMs ?? 0, sizeBytes: (rollouts?.size ?? 0) + (calls?.size ?? 0) };
    }),
  );
  return aged.sort((a, b) => a.usedMs - b.usedMs || (a.key < b.key ? -1 : 1));
}

/** Removes temporary files and halves of pairs that are older than an hour: their writers have crashed. */
async function removeLeftovers(folder: string): Promise<void> {
  const names = await namesIn(folder);
  const present = new Set(names);
  for (const name of names) {
    const half = name.endsWith(callsEnd) && !present.has(name.slice(0, -callsEnd.length) + rolloutsEnd);
    if (!half && !name.startsWith(temporaryStart)) continue;
    const path = join(folder, name);
    const age =
      Date.now() -
      (await stat(path).then(
        (stats) => stats.mtimeMs,
        () => Date.now(),
      ));
    if (age > leftoverAfterMs) await rm(path, { force: true }).catch(() => undefined);
  }
}
