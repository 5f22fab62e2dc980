/** The sample on disk: unpacked whole or not at all, once, anew when other content is shipped, and by two windows at once. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstRunOf, sampleFolder, sampleIsThere, type SampleFolders } from '../../../src/host/sampleRuns.ts';
import { unpackZip } from '../../../src/host/unpackZip.ts';
import { zipOf } from './zipOf.ts';

const long = 'x'.repeat(300_000);
const runs = {
  'rollout_data/hdpo/1.jsonl': 'one',
  'rollout_data/hdpo/2.jsonl': long,
  'rollout_data/others/a/1.jsonl': 'a',
};

let folder = '';
let folders: SampleFolders;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollout-lens-sample-'));
  folders = { shipped: join(folder, 'media'), storage: join(folder, 'storage') };
  await ship(runs);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function ship(files: Readonly<Record<string, string>>): Promise<void> {
  const byHand = join(folders.shipped, 'illustrated', 'several', '1.jsonl');
  await mkdir(dirname(byHand), { recursive: true });
  await writeFile(byHand, 'by hand');
  await writeFile(join(folders.shipped, 'trained.zip'), zipOf(files));
}

const filesIn = async (path: string): Promise<readonly string[]> =>
  (await readdir(path, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();

describe('sampleFolder', () => {
  it('holds the trained runs and the one written by hand, the first one first by path', async () => {
    expect(await sampleIsThere(folders)).toBe(false);
    const sample = await sampleFolder(folders);
    expect(await sampleIsThere(folders)).toBe(true);
    const logs = (await filesIn(sample)).filter((file) => file.endsWith('.jsonl'));
    expect(logs).toEqual([...Object.keys(runs), 'written_by_hand/illustrated/several/1.jsonl']);
    expect(join(sample, logs[0] ?? '')).toBe(join(firstRunOf(sample), '1.jsonl'));
    expect(await readFile(join(firstRunOf(sample), '2.jsonl'), 'utf8')).toBe(long);
    expect(await readdir(folders.storage)).toEqual(['sample']);
  });

  it('is unpacked once', async () => {
    const sample = await sampleFolder(folders);
    const before = await stat(sample);
    expect(await sampleFolder(folders)).toBe(sample);
    expect((await stat(sample)).ino).toBe(before.ino);
  });

  it('is unpacked anew when other runs are shipped, and keeps its path', async () => {
    const sample = await sampleFolder(folders);
    await ship({ 'rollout_data/hdpo/1.jsonl': 'better' });
    expect(await sampleIsThere(folders)).toBe(false);
    expect(await sampleFolder(folders)).toBe(sample);
    expect(await readFile(join(firstRunOf(sample), '1.jsonl'), 'utf8')).toBe('better');
    expect(await filesIn(join(sample, 'rollout_data'))).toEqual(['hdpo/1.jsonl']);
    expect(await readdir(folders.storage)).toEqual(['sample']);
  });

  it('leaves nothing when it is cancelled, and what was there stays', async () => {
    const cancelled = (options: { readonly signal: AbortSignal; readonly progress?: () => void }) =>
      expect(sampleFolder(folders, options)).rejects.toMatchObject({ name: 'AbortError' });
    await cancelled({ signal: AbortSignal.abort() });
    const controller = new AbortController();
    await cancelled({ signal: controller.signal, progress: () => controller.abort() });
    expect(await readdir(folders.storage)).toEqual([]);
    const sample = await sampleFolder(folders);
    await ship({ 'rollout_data/hdpo/1.jsonl': 'better' });
    await cancelled({ signal: AbortSignal.abort() });
    expect(await readFile(join(firstRunOf(sample), '1.jsonl'), 'utf8')).toBe('one');
    expect(await readdir(folders.storage)).toEqual(['sample']);
  });

  it('leaves nothing when the archive is damaged', async () => {
    const bytes = zipOf(runs);
    bytes.fill(0xff, 200, 260);
    await writeFile(join(folders.shipped, 'trained.zip'), bytes);
    await expect(sampleFolder(folders)).rejects.toThrow();
    expect(await readdir(folders.storage)).toEqual([]);
  });

  it('may be asked for by several windows at the same time', async () => {
    const samples = await Promise.all([1, 2, 3, 4].map(() => sampleFolder(folders)));
    expect(new Set(samples).size).toBe(1);
    expect(await readFile(join(firstRunOf(samples[0] ?? ''), '1.jsonl'), 'utf8')).toBe('one');
    expect(await readdir(folders.storage)).toEqual(['sample']);
  });

  it('removes what a window left that was closed long ago, and only that', async () => {
    const [old, fresh, other] = ['sample.1.partial', 'sample.2.partial', 'index'].map((name) =>
      join(folders.storage, name),
    );
    for (const path of [old, fresh, other]) await mkdir(path ?? '', { recursive: true });
    for (const path of [old, other]) await utimes(path ?? '', 0, 0);
    await sampleFolder(folders);
    expect((await readdir(folders.storage)).sort()).toEqual(['index', 'sample', 'sample.2.partial']);
  });
});

describe('unpackZip', () => {
  const archive = (): string => join(folder, 'archive.zip');
  it('tells how far it is', async () => {
    await writeFile(archive(), zipOf({ a: '1', 'b/': '', 'b/c': '2', d: '3' }));
    const shares: number[] = [];
    await unpackZip(archive(), join(folder, 'out'), { progress: (share) => shares.push(share) });
    expect(shares).toEqual([1 / 3, 2 / 3, 1]);
    expect(await filesIn(join(folder, 'out'))).toEqual(['a', 'b/c', 'd']);
  });
  it.each(['../outside', '/outside', 'a/../../outside', 'C:/outside'])('does not write to %s', async (name) => {
    await writeFile(archive(), zipOf({ [name]: 'x' }));
    await expect(unpackZip(archive(), join(folder, 'out'))).rejects.toThrow(/path/);
    expect(await readdir(folder)).not.toContain('outside');
  });
});
