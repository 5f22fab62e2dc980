import { execFileSync } from 'node:child_process';
import {
  appendFile,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Note } from '../../../src/model/note.ts';
import { headTailHash, shardKey, type ShardKey } from '../../../src/store/shardKey.ts';
import { openShardStore, type ShardStore } from '../../../src/store/shardStore.ts';
import { columnsOf, databaseOfTests, keyOf, metaOf, okCall, rolloutAtRow, temporaryFolder } from './storeOfTests.ts';

const database = await databaseOfTests();
const reader = { reader: 'test', readerVersion: 1, variant: 'plain', rulesVersion: 1 };
const three = columnsOf([0, 1, 2].map((row) => rolloutAtRow(row, { calls: [okCall()], id: `id ${row}` })));

async function storeIn(folder: string, limitBytes?: number): Promise<ShardStore> {
  return openShardStore({ folder, database, ...(limitBytes === undefined ? {} : { limitBytes }) });
}

async function idsIn(path: string): Promise<readonly unknown[]> {
  const rows = await database.rows({ sql: 'SELECT id FROM read_parquet([$path])', parameters: { path } });
  return rows.map((row) => row['id']);
}

async function mustWrite(store: ShardStore, key: ShardKey, meta = metaOf(3)) {
  const result = await store.write(key, three, meta);
  if (!result.written) throw new Error(result.reason);
  return result.shard;
}

describe('a shard', () => {
  it('comes back with its rows, calls and sums', async () => {
    const store = await storeIn(join(await temporaryFolder(), "it's [a] x=1 *{b} ü", 'index'));
    const notes: Note[] = [
      { severity: 'warning', code: 'bad-json', file: 'a\\b\u2028"\'.jsonl', line: 4, message: "it's {broken}; DROP" },
      { severity: 'information', code: 'group-size', file: 'a', line: null, message: '' },
    ];
    const written = await mustWrite(store, keyOf('a'), { ...metaOf(3), noted: 7, notes });
    const [shard, none] = await store.read([keyOf('a'), keyOf('b')]);
    expect(shard).toEqual(written);
    expect(shard?.meta).toMatchObject({ noted: 7, notes });
    expect(none).toBeNull();
    expect(await idsIn(written.rolloutsPath)).toEqual(['id 0', 'id 1', 'id 2']);
    const calls = await database.rows({
      sql: 'SELECT row, tool, sent FROM read_parquet([$path])',
      parameters: { path: written.callsPath },
    });
    expect(calls).toEqual([0, 1, 2].map((row) => ({ row, tool: 'search', sent: true })));
  });

  it('may be empty', async () => {
    const store = await storeIn(await temporaryFolder());
    const result = await store.write(keyOf('none'), columnsOf([]), metaOf(0));
    expect(result.written && (await idsIn(result.shard.rolloutsPath))).toEqual([]);
  });

  it('keeps 1,000 notes and counts the rest', async () => {
    const store = await storeIn(await temporaryFolder());
    const note: Note = { severity: 'warning', code: 'bad-json', file: 'a', line: 1, message: 'x' };
    await mustWrite(store, keyOf('a'), { ...metaOf(3), noted: 5000, notes: Array.from({ length: 5000 }, () => note) });
    const [shard] = await store.read([keyOf('a')]);
    expect([shard?.meta.noted, shard?.meta.notes.length]).toEqual([5000, 1000]);
  });

  it('that is damaged is missing, and does not hide the others', async () => {
    const store = await storeIn(await temporaryFolder());
    const keys = ['a', 'b', 'c', 'd'].map(keyOf);
    const shards = [];
    for (const key of keys) shards.push(await mustWrite(store, key));
    await truncate(shards[1]?.rolloutsPath ?? '', 100);
    await writeFile(shards[2]?.rolloutsPath ?? '', '');
    expect((await store.read(keys)).map((shard) => shard !== null)).toEqual([true, false, false, true]);
  });
});

describe('placing', () => {
  it('shows no shard of which only one file is there', async () => {
    const folder = await temporaryFolder();
    const store = await storeIn(folder);
    const { rolloutsPath, callsPath } = await mustWrite(store, keyOf('a'));
    await copyFile(rolloutsPath, join(folder, `${keyOf('b')}.rollouts.parquet`));
    await copyFile(callsPath, join(folder, `${keyOf('c')}.calls.parquet`));
    expect(await store.list()).toEqual([keyOf('a')]);
    expect(await store.has(keyOf('b'))).toBe(false);
    expect(await store.has(keyOf('a'))).toBe(true);
  });

  it('leaves no temporary file, and cleans up what a crash left', async () => {
    const folder = await temporaryFolder();
    const store = await storeIn(folder);
    await mustWrite(store, keyOf('a'));
    expect((await readdir(folder)).sort()).toEqual(
      ['calls', 'rollouts'].map((kind) => `${keyOf('a')}.${kind}.parquet`).sort(),
    );
    const crashed = ['.writing-1-abc.rollouts.parquet', `${keyOf('b')}.calls.parquet`];
    const working = '.writing-2-def.rollouts.parquet';
    for (const name of [...crashed, working]) await writeFile(join(folder, name), 'half');
    const long = new Date(Date.now() - 2 * 60 * 60 * 1000);
    for (const name of crashed) await utimes(join(folder, name), long, long);
    expect(await store.list()).toEqual([keyOf('a')]);
    await store.evict(new Set());
    const left = await readdir(folder);
    expect(left).toHaveLength(3);
    expect(left).toContain(working);
  });

  it('survives two stores that write one shard at once', async () => {
    const folder = await temporaryFolder();
    const other = await databaseOfTests();
    const stores = [await storeIn(folder), await openShardStore({ folder, database: other })];
    const writes = Array.from({ length: 20 }, (_, i) => stores[i % 2]?.write(keyOf('same'), three, metaOf(3)));
    for (const result of await Promise.all(writes)) expect(result?.written).toBe(true);
    expect(await readdir(folder)).toHaveLength(2);
    const [shard] = (await stores[0]?.read([keyOf('same')])) ?? [];
    expect(await idsIn(shard?.rolloutsPath ?? '')).toEqual(['id 0', 'id 1', 'id 2']);
  });

  it('sees what another process wrote or removed', async () => {
    const folder = await temporaryFolder();
    const [one, two] = [await storeIn(folder), await storeIn(folder)];
    for (let i = 0; i < 10; i += 1) {
      await mustWrite(one, keyOf(`n${i}`));
      expect(await two.list()).toHaveLength(1);
      await two.remove(keyOf(`n${i}`));
      expect(await one.has(keyOf(`n${i}`))).toBe(false);
    }
  });
});

describe('a folder that cannot be written', () => {
  it('gives a reason where the folder is below a file', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, 'x');
    const store = await storeIn(join(file, 'index'));
    expect(await store.write(keyOf('a'), three, metaOf(3))).toEqual({
      written: false,
      reason: 'the index folder does not exist',
    });
    expect(await store.list()).toEqual([]);
    expect(await store.evict(new Set())).toEqual({ removed: [], sizeBytes: 0 });
    expect(await store.read([keyOf('a')])).toEqual([null]);
    expect(await readFile(file, 'utf8')).toBe('x');
  });

  const mounts: readonly (readonly [name: string, options: string, reason: string])[] = [
    ['a full disk', 'size=16k', 'the disk is full'],
    ['a read-only disk', 'ro', 'the index folder cannot be written'],
  ];
  it.each(mounts)('gives a reason for %s and leaves nothing', async (_, options, reason) => {
    const folder = await temporaryFolder();
    if (!mounted(folder, options)) {
      console.log(`not tested: a tmpfs with ${options} cannot be mounted here`);
      return;
    }
    try {
      const store = await storeIn(folder);
      const many = columnsOf(Array.from({ length: 5000 }, (__, row) => rolloutAtRow(row, { id: `${row * 7919}` })));
      expect(await store.write(keyOf('a'), many, metaOf(3))).toEqual({ written: false, reason });
      expect(await readdir(folder)).toEqual([]);
      // The database goes on, and the same store works again once there is room.
      if (options !== 'ro') await mustWrite(store, keyOf('b'));
    } finally {
      execFileSync('umount', [folder]);
    }
  });
});

/** Mounts a tiny file system if this is Linux and root allows it. */
function mounted(folder: string, options: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('evict', () => {
  it('removes the least recently used above the limit, never one in use', async () => {
    const folder = await temporaryFolder();
    const unlimited = await storeIn(folder);
    const keys = ['a', 'b', 'c', 'd', 'e'].map(keyOf);
    let sizeBytes = 0;
    for (const [index, key] of keys.entries()) {
      const { rolloutsPath, callsPath } = await mustWrite(unlimited, key);
      const used = new Date(Date.now() - 100_000 + index * 1000);
      await utimes(rolloutsPath, used, used);
      sizeBytes += (await stat(rolloutsPath)).size + (await stat(callsPath)).size;
    }
    const store = await storeIn(folder, Math.ceil((sizeBytes * 3) / 5));
    // Reading b makes it the youngest; a is in use: c and d are the oldest that may go.
    await store.read([keyOf('b')]);
    const { removed, sizeBytes: left } = await store.evict(new Set([keyOf('a')]));
    expect(removed).toEqual([keyOf('c'), keyOf('d')]);
    expect([...(await store.list())].sort()).toEqual([keyOf('a'), keyOf('b'), keyOf('e')].sort());
    expect(left).toBeLessThanOrEqual((sizeBytes * 3) / 5);
  });
});

describe('a folder of shards that are shipped', () => {
  const open = async (limitBytes?: number) => {
    const [own, shipped] = [await temporaryFolder(), await temporaryFolder()];
    await mustWrite(await storeIn(shipped), keyOf('a'));
    const options = { folder: own, shippedFolder: shipped, database };
    return {
      own,
      shipped,
      store: await openShardStore({ ...options, ...(limitBytes === undefined ? {} : { limitBytes }) }),
    };
  };
  const filesOf = async (folder: string) => {
    const stats = async (name: string) => ({ name, mtimeMs: (await stat(join(folder, name))).mtimeMs });
    return Promise.all((await readdir(folder)).sort().map(stats));
  };

  it('is read where it lies, beside the own ones', async () => {
    const { own, shipped, store } = await open();
    const before = await filesOf(shipped);
    expect(await store.has(keyOf('a'))).toBe(true);
    await mustWrite(store, keyOf('b'));
    expect([...(await store.list())].sort()).toEqual([keyOf('a'), keyOf('b')].sort());
    const [a, b] = await store.read([keyOf('a'), keyOf('b')]);
    expect(await idsIn(a?.rolloutsPath ?? '')).toEqual(['id 0', 'id 1', 'id 2']);
    expect([dirname(a?.rolloutsPath ?? ''), dirname(b?.rolloutsPath ?? '')]).toEqual([shipped, own]);
    expect(await filesOf(shipped)).toEqual(before);
  });

  it('is never removed, and not counted where room is made', async () => {
    const { shipped, store } = await open(1);
    const before = await filesOf(shipped);
    await mustWrite(store, keyOf('b'));
    expect(await store.evict(new Set())).toEqual({ removed: [keyOf('b')], sizeBytes: 0 });
    await store.remove(keyOf('a'));
    expect(await store.list()).toEqual([keyOf('a')]);
    expect(await filesOf(shipped)).toEqual(before);
  });

  it('is hidden by a shard of the same key that was written because it was damaged', async () => {
    const { own, shipped, store } = await open();
    const [damaged] = (await readdir(shipped)).filter((name) => name.endsWith('.rollouts.parquet'));
    await writeFile(join(shipped, damaged ?? ''), 'PAR1');
    expect(await store.read([keyOf('a')])).toEqual([null]);
    expect(dirname((await mustWrite(store, keyOf('a'))).rolloutsPath)).toBe(own);
    expect(dirname((await store.read([keyOf('a')]))[0]?.rolloutsPath ?? '')).toBe(own);
    expect(await store.list()).toEqual([keyOf('a')]);
  });
});

describe('find', () => {
  /** A log of one line a record, 1,000 bytes each, and shards [0, a), [a, b) … for it. */
  async function grownLog(store: ShardStore, path: string, ends: readonly number[]): Promise<readonly ShardKey[]> {
    const keys: ShardKey[] = [];
    let first = 0;
    for (const sizeBytes of ends) {
      const line = (index: number): string => `${String(first + index * 1000).padStart(999)}\n`;
      await appendFile(path, Array.from({ length: (sizeBytes - first) / 1000 }, (_, index) => line(index)).join(''));
      const hash = await headTailHash(path, sizeBytes);
      const key = shardKey({ ...reader, sizeBytes, headTailHash: hash, firstByte: first });
      const rows = [first, sizeBytes - 1000].map((start) => rolloutAtRow(start / 1000, { id: `at ${start}` }));
      const meta = { ...metaOf(2, { first, count: sizeBytes - first }), previous: keys.at(-1) ?? null };
      const result = await store.write(key, columnsOf(rows), meta);
      expect(result.written).toBe(true);
      keys.push(key);
      first = sizeBytes;
    }
    return keys;
  }
  const find = async (store: ShardStore, path: string) =>
    (await store.find(reader, path, (await stat(path)).size)).map(({ key }) => key);

  it('gives the chain that covers a file, also after it was renamed or has grown', async () => {
    const folder = await temporaryFolder();
    const store = await storeIn(join(folder, 'index'));
    const path = join(folder, 'log.jsonl');
    const keys = await grownLog(store, path, [100_000, 150_000, 300_000]);
    expect(await find(store, path)).toEqual(keys);
    const renamed = join(folder, 'other.jsonl');
    await copyFile(path, renamed);
    await appendFile(renamed, 'more\n');
    expect(await find(store, renamed)).toEqual(keys);
    expect(await store.find({ ...reader, readerVersion: 2 }, path, 300_000)).toEqual([]);
  });

  it('gives the longest beginning that is still there', async () => {
    const folder = await temporaryFolder();
    const store = await storeIn(join(folder, 'index'));
    const path = join(folder, 'log.jsonl');
    const keys = await grownLog(store, path, [100_000, 200_000, 300_000]);
    await truncate(path, 250_000);
    expect(await find(store, path)).toEqual(keys.slice(0, 2));
    await store.remove(keys[0] ?? '');
    expect(await find(store, path)).toEqual([]);
  });

  it('gives nothing for a rewritten file', async () => {
    const folder = await temporaryFolder();
    const store = await storeIn(join(folder, 'index'));
    const path = join(folder, 'log.jsonl');
    await grownLog(store, path, [100_000, 200_000]);
    const bytes = await readFile(path);
    bytes[3] = 33;
    await writeFile(path, bytes);
    expect(await find(store, path)).toEqual([]);
    await rm(path);
    await expect(store.find(reader, path, 10)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('finds the joined shard once the parts are merged', async () => {
    const folder = await temporaryFolder();
    const store = await storeIn(join(folder, 'index'));
    const path = join(folder, 'log.jsonl');
    const keys = await grownLog(store, path, [100_000, 150_000, 300_000]);
    const whole = shardKey({ ...reader, sizeBytes: 300_000, headTailHash: await headTailHash(path, 300_000) });
    const result = await store.mergeShards(keys, whole);
    expect(result).toMatchObject({
      written: true,
      shard: { meta: { range: { first: 0, count: 300_000 }, previous: null, read: 6, lines: 6 } },
    });
    expect(await find(store, path)).toEqual([whole]);
    const starts = [0, 99_000, 100_000, 149_000, 150_000, 299_000];
    expect(result.written && (await idsIn(result.shard.rolloutsPath))).toEqual(starts.map((at) => `at ${at}`));
  });

  it('does not merge parts with a gap or a missing one', async () => {
    const folder = await temporaryFolder();
    const store = await storeIn(folder);
    const keys = [keyOf('1'), keyOf('2'), keyOf('3')];
    await mustWrite(store, keyOf('1'), metaOf(3, { first: 0, count: 10 }));
    await mustWrite(store, keyOf('2'), metaOf(3, { first: 11, count: 10 }));
    const missing = { written: false, reason: 'a part of the index is missing' };
    expect(await store.mergeShards(keys.slice(0, 2), keyOf('new'))).toEqual(missing);
    expect(await store.mergeShards(keys, keyOf('new'))).toEqual(missing);
    expect(await store.mergeShards([], keyOf('new'))).toEqual(missing);
  });
});

it('creates its folder again when someone deleted it', async () => {
  const folder = join(await temporaryFolder(), 'index');
  const store = await storeIn(folder);
  await rm(folder, { recursive: true });
  await mustWrite(store, keyOf('a'));
  await mkdir(folder, { recursive: true });
  expect(await store.list()).toEqual([keyOf('a')]);
});
