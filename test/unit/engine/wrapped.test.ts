/** Logs in gzip, zstd and Parquet: the same rollouts as in plain files, shown by their own paths; damage and bombs. */
import { appendFile, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/base/errors.ts';
import type { FoundFile } from '../../../src/engine/foundRun.ts';
import { unwrapFile, usualUnwrapLimits, type UnwrapLimits } from '../../../src/engine/unwrapFile.ts';
import { createUnwrappedFiles, type UnwrappedFiles } from '../../../src/engine/unwrappedFiles.ts';
import type { RolloutRow } from '../../../src/protocol/engine.ts';
import { createParquetTables } from '../../../src/store/parquetRows.ts';
import { testEngine, type TestEngine } from './engineOfTests.ts';
import { dump, temporaryFolder, until, write } from './logs.ts';
import { gzipOf, writeParquet, writeParquetOf, zstdBomb, zstdFrame, zstdSkipped } from './wrappedLogs.ts';

const lines = (step: number): string =>
  dump({ step, prompt: 1 }, { step, prompt: 1, right: false }, { step, prompt: 2 });

/** What a row says apart from the run and the file's name. */
function content({ ref, ...row }: RolloutRow): unknown {
  return { ...row, row: ref.row, file: ref.file.replace(/\.(gz|zst)$/u, '') };
}

async function transcriptOf({ ask }: TestEngine, row: RolloutRow, path: string): Promise<string> {
  const { bytes } = await ask('transcript', { ref: row.ref, path, rest: null });
  return Buffer.from(bytes).toString('utf8');
}

async function copiesOf({ storage }: TestEngine): Promise<readonly string[]> {
  return readdir(join(storage, 'unwrapped')).catch(() => []);
}

describe.each([
  ['gz', (text: string) => gzipOf(text.slice(0, 900), text.slice(900))],
  [
    'zst',
    (text: string) => Buffer.concat([zstdSkipped('x'), zstdFrame(text.slice(0, 900)), zstdFrame(text.slice(900))]),
  ],
])('step files in %s', (end, wrap) => {
  it('are the run that the plain files are', async () => {
    const folder = await temporaryFolder();
    for (const step of [1, 2, 10]) {
      await write(join(folder, 'plain', `${step}.jsonl`), lines(step));
      await mkdir(join(folder, 'wrapped'), { recursive: true });
      await writeFile(join(folder, 'wrapped', `${step}.jsonl.${end}`), wrap(lines(step)));
    }
    const engine = await testEngine();
    const plain = await engine.openAndRead(join(folder, 'plain'));
    const wrapped = await engine.openAndRead(join(folder, 'wrapped'));
    expect(wrapped).toMatchObject({ state: 'ready', rollouts: 9, steps: 3, notes: 0, producer: plain.producer });
    expect(wrapped.bytesRead).toBe(wrapped.bytes);
    const rows = await engine.rows(wrapped.id);
    expect(rows.map(content)).toEqual((await engine.rows(plain.id)).map(content));
    expect(rows[0]?.ref.file).toBe(`1.jsonl.${end}`);
    const [row] = rows;
    if (!row) throw new Error('no row');
    const text = await transcriptOf(engine, row, wrapped.path);
    expect(text).toContain('1 × 7');
    expect(text).not.toContain('unwrapped');
    const { file } = await engine.ask('transcript', { ref: row.ref, path: wrapped.path, rest: null });
    expect(file).toBe(join(folder, 'wrapped', `1.jsonl.${end}`));
    expect(await engine.ask('locate', { path: file, line: 0 })).toBeNull();
    expect((await engine.ask('linesOf', { path: file, first: 0, count: 10 })).total).toBe(3);
    expect(await engine.ask('fileKind', { path: file })).toMatchObject({ format: 'verl', text: false });
  });

  it('open again without being unpacked, also where the copies are gone', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, `3.jsonl.${end}`), wrap(lines(3)));
    const first = await testEngine();
    await first.openAndRead(folder);
    await first.engine.dispose();
    expect(await copiesOf(first)).toHaveLength(1);
    await rm(join(first.storage, 'unwrapped'), { recursive: true });
    const second = await testEngine({ storage: first.storage });
    const run = await second.openAndRead(folder);
    expect(run.rollouts).toBe(3);
    expect(await copiesOf(second)).toEqual([]);
    const [row] = await second.rows(run.id);
    if (!row) throw new Error('no row');
    expect(await transcriptOf(second, row, folder)).toContain('1 × 7');
    expect(await copiesOf(second)).toHaveLength(1);
  });

  it('that are cut off give what can be read and a note', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, `1.jsonl.${end}`);
    const whole = Buffer.concat([wrap(lines(1)), wrap(dump({ prompt: 9 }).repeat(300))]);
    await writeFile(path, whole.subarray(0, whole.length - 20));
    const engine = await testEngine();
    const run = await engine.openAndRead(folder);
    expect(run.rollouts).toBeGreaterThan(3);
    expect(run.state).toBe('ready');
    const notes = await engine.ask('notes', { run: run.id, first: 0, count: 10 });
    expect(notes.rows.map(({ code, file }) => [code, file])).toContainEqual(['damaged-file', path]);
    await engine.engine.dispose();
    const again = await testEngine({ storage: engine.storage });
    const reopened = await again.openAndRead(folder);
    expect((await again.ask('notes', { run: reopened.id, first: 0, count: 10 })).rows).toEqual(notes.rows);
    // It is whole after all: a training that still writes it.
    await writeFile(path, whole);
    const grown = await until('it is read again', async () => {
      const now = await again.settled(run.id);
      return now.rollouts === 303 && now.state === 'ready' ? now : null;
    });
    expect(grown.notes).toBeLessThanOrEqual(1);
  });

  it('in parts are joined, and pausing in the middle loses nothing', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, `1.jsonl.${end}`), wrap(dump({ prompt: 1 }, { prompt: 2 }).repeat(60)));
    const engine = await testEngine({ partBytes: 20_000 });
    const [run] = await engine.ask('open', { path: folder });
    if (!run) throw new Error('no run');
    engine.engine.library.run(run.id).files.pause();
    await engine.settled(run.id);
    engine.engine.library.run(run.id).files.resume();
    const read = await until('it is read', async () => {
      const now = await engine.settled(run.id);
      return now.state === 'ready' ? now : null;
    });
    expect(read).toMatchObject({ rollouts: 120, notes: 0 });
    await engine.engine.dispose();
    const again = await testEngine({ storage: engine.storage, partBytes: 20_000 });
    await rm(join(engine.storage, 'unwrapped'), { recursive: true });
    const reopened = await again.openAndRead(folder);
    expect(reopened).toMatchObject({ rollouts: 120, notes: 0 });
    expect(await copiesOf(again)).toEqual([]);
    const rows = await again.rows(run.id);
    expect(rows.map(({ ref }) => ref.row)).toEqual(Array.from({ length: 120 }, (_, i) => i));
  });
});

describe('a Parquet table', () => {
  it('is read as one record a row', async () => {
    const folder = await temporaryFolder();
    await writeParquetOf(join(folder, 'rollouts.parquet'), lines(4));
    const engine = await testEngine();
    const run = await engine.openAndRead(folder);
    expect(run).toMatchObject({ rollouts: 3, format: 'verl', state: 'ready' });
    const rows = await engine.rows(run.id);
    expect(rows.map(({ correct, step }) => [correct, step])).toEqual([
      [true, 4],
      [false, 4],
      [true, 4],
    ]);
    const [row] = rows;
    if (row) expect(await transcriptOf(engine, row, folder)).toContain('1 × 7');
  });

  it('of TRL has its steps from its names', async () => {
    const folder = await temporaryFolder();
    for (const step of [40, 50]) {
      const name = `completions_000${step}.parquet`;
      const row = `${step}::BIGINT AS step, 'user: 12+30?' AS prompt, '42' AS completion`;
      const rewards = `CASE WHEN range = 0 THEN 1.0 END::DOUBLE AS accuracy_reward, (range - 0.5)::DOUBLE AS advantage`;
      await writeParquet(join(folder, name), `SELECT ${row}, ${rewards} FROM range(2)`);
    }
    const engine = await testEngine();
    const run = await engine.openAndRead(folder);
    expect(run).toMatchObject({ rollouts: 4, steps: 2, firstStep: 40, lastStep: 50 });
  });
});

describe('what cannot be unpacked', () => {
  it('is told in a sentence where it is opened, and a folder with it opens', async () => {
    const folder = await temporaryFolder();
    const cases: readonly (readonly [string, Buffer | string, RegExp])[] = [
      [
        'header.jsonl.gz',
        Buffer.from('\x1f\x8b no gzip', 'latin1'),
        /header\.jsonl\.gz is a gzip file that is damaged \(.+\)/u,
      ],
      ['empty.jsonl.zst', zstdFrame(''), /empty\.jsonl\.zst is a zstd file with nothing in it/u],
      ['nothing.jsonl.gz', '', /nothing\.jsonl\.gz is empty/u],
      ['encrypted.parquet', 'PARE and more', /encrypted Parquet table: not read, since its key is not here/u],
      ['cut.parquet', 'PAR1 and more', /cut\.parquet is a Parquet table that cannot be read \(.+\)/u],
      ['other.json.gz', gzipOf('just text'), /no rollout log/u],
      ['twice.json.gz', gzipOf(gzipOf(lines(1))), /no rollout log/u],
      ['metrics.jsonl.gz', gzipOf('{"step": 1, "data": {"a": 1}}\n'), /a gzip file around verl file logger metrics/u],
    ];
    const { ask } = await testEngine();
    await write(join(folder, '1.jsonl'), lines(1));
    for (const [name, bytes, message] of cases) {
      await writeFile(join(folder, name), bytes);
      const error: unknown = await ask('open', { path: join(folder, name) }).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(UserError);
      expect(error).toHaveProperty('message', expect.stringMatching(message));
    }
    const { runs, notes } = await ask('discover', { roots: [folder] });
    expect(runs).toHaveLength(1);
    expect(notes.filter(({ severity }) => severity !== 'information')).toEqual([]);
  });
});

interface Place {
  readonly path: string;
  readonly target: string;
}

async function place(bytes: Buffer, name: string): Promise<Place> {
  const folder = await temporaryFolder();
  const path = join(folder, name);
  await writeFile(path, bytes);
  return { path, target: join(folder, 'target') };
}

async function unwrap({ path, target }: Place, limits: Partial<UnwrapLimits>, signal = new AbortController().signal) {
  const wrapper = path.endsWith('.gz') ? 'gzip' : 'zstd';
  const { size: sizeBytes } = await stat(path);
  const request = { path, target, wrapper, sizeBytes, limits: { ...usualUnwrapLimits, ...limits } } as const;
  return unwrapFile(request, { signal, progress: () => undefined });
}

describe('limits', () => {
  it.each<readonly [string, Partial<UnwrapLimits>, RegExp]>([
    ['too much for so little', { ratioFromBytes: 1e7 }, /is a zstd file that is not read: .+ of it give/u],
    ['too much', { mostBytes: 1e7 }, /gives more than/u],
    ['a full disk', { reserveBytes: 1e18 }, /not enough room on the disk/u],
  ])('%s ends it, and nothing stays', async (_, limits, message) => {
    const bomb = await place(zstdBomb(2_000), 'bomb.zst');
    const error: unknown = await unwrap(bomb, limits).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toHaveProperty('message', expect.stringMatching(message));
    await expect(stat(bomb.target)).rejects.toThrow('ENOENT');
  });

  it('cancelling ends it, and nothing stays', async () => {
    const long = await place(zstdBomb(20_000), 'long.zst');
    const stop = new AbortController();
    const unwrapping = unwrap(long, {}, stop.signal);
    setTimeout(() => {
      stop.abort();
    }, 30);
    await expect(unwrapping).rejects.toHaveProperty('name', 'AbortError');
    await expect(stat(long.target)).rejects.toThrow('ENOENT');
  });
});

describe('copies', () => {
  const recognition = { format: 'verl', producer: 'x', variant: 'metis' };
  const handlers = { signal: new AbortController().signal, progress: () => undefined };

  async function setUp(limitBytes: number): Promise<{ files: UnwrappedFiles; folder: string; made: () => number }> {
    const folder = await temporaryFolder();
    const tables = createParquetTables(join(folder, 'database'));
    let count = 0;
    const decode: typeof unwrapFile = (request, given) => {
      count += 1;
      return unwrapFile(request, given);
    };
    return {
      files: createUnwrappedFiles({ folder: join(folder, 'copies'), limitBytes, tables, decode }),
      folder,
      made: () => count,
    };
  }

  async function wrappedFile(folder: string, name: string, text: string): Promise<FoundFile> {
    const path = join(folder, name);
    await writeFile(path, gzipOf(text));
    const { size: sizeBytes, mtimeMs } = await stat(path);
    return { path, name, sizeBytes, mtimeMs, recognition, step: null, wrapper: 'gzip' };
  }

  it('are made once for all who ask, and anew where the file has changed', async () => {
    const { files, folder, made } = await setUp(1e9);
    const file = await wrappedFile(folder, 'a.gz', 'first');
    const read = (one: FoundFile): Promise<string> => files.use(one, handlers, ({ path }) => readFile(path, 'utf8'));
    expect(await Promise.all([read(file), read(file), read(file)])).toEqual(['first', 'first', 'first']);
    expect(made()).toBe(1);
    await appendFile(file.path, gzipOf(' and second'));
    const { size: sizeBytes, mtimeMs } = await stat(file.path);
    expect(await read({ ...file, sizeBytes, mtimeMs })).toBe('first and second');
    expect(made()).toBe(2);
  });

  it('go above the limit, the least recently used first, never one in use', async () => {
    const { files, folder, made } = await setUp(2_500);
    const all = await Promise.all(['a', 'b', 'c'].map((name) => wrappedFile(folder, `${name}.gz`, name.repeat(1_000))));
    const [a, b, c] = all;
    if (!a || !b || !c) throw new Error('three files');
    const old = new Date(Date.now() - 60_000);
    await files.use(a, handlers, async ({ path: inUse }) => {
      await utimes(inUse, old, old);
      await files.use(b, handlers, ({ path }) => utimes(path, new Date(), new Date(Date.now() - 30_000)));
      await files.use(c, handlers, () => Promise.resolve());
      expect(await readFile(inUse, 'utf8')).toBe('a'.repeat(1_000));
    });
    const left = await readdir(join(folder, 'copies'));
    expect(left).toHaveLength(2);
    await files.use(b, handlers, () => Promise.resolve());
    expect(made()).toBe(4);
  });

  it('whoever stops waiting does not stop the others', async () => {
    const { files, folder } = await setUp(1e9);
    const file = await wrappedFile(folder, 'a.gz', 'x'.repeat(5_000_000));
    const stop = new AbortController();
    const first = files.use(file, { ...handlers, signal: stop.signal }, () => Promise.resolve('first'));
    const second = files.use(file, handlers, () => Promise.resolve('second'));
    stop.abort();
    await expect(first).rejects.toHaveProperty('name', 'AbortError');
    expect(await second).toBe('second');
    const again = new AbortController();
    const other = await wrappedFile(folder, 'b.gz', 'y'.repeat(5_000_000));
    const stopped = files.use(other, { ...handlers, signal: again.signal }, () => Promise.resolve());
    again.abort();
    await expect(stopped).rejects.toHaveProperty('name', 'AbortError');
    expect(await files.use(other, handlers, () => Promise.resolve('anew'))).toBe('anew');
    expect((await readdir(join(folder, 'copies'))).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
