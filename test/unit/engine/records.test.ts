/** Records that hold several rollouts, and archives: sums, parts, rollouts found before and after they are indexed. */
import { copyFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FoundFile } from '../../../src/engine/foundRun.ts';
import { scanFile } from '../../../src/engine/discovery.ts';
import { createFileHeads } from '../../../src/engine/fileHeads.ts';
import { readParts, type ReadPart } from '../../../src/engine/readParts.ts';
import { createRolloutReader } from '../../../src/engine/rolloutReader.ts';
import { createUnwrappedFiles, type UnwrappedFiles } from '../../../src/engine/unwrappedFiles.ts';
import { createParquetTables } from '../../../src/store/parquetRows.ts';
import { testEngine } from './engineOfTests.ts';
import { dump, temporaryFolder, write } from './logs.ts';

const fixtures = resolve(import.meta.dirname, '../../fixtures');
const tables = createParquetTables('unused');
const { signal } = new AbortController();

/** A step of ms-swift's log: one line, a value a rollout in each column. */
function columns(step: number, rollouts: number): string {
  const each = <T>(value: (i: number) => T): readonly T[] => Array.from({ length: rollouts }, (_, i) => value(i));
  return `${JSON.stringify({
    step: each(() => String(step)),
    prompt: each(() => `question ${step}`),
    completion: each((i) => `answer ${step}.${i}`),
    Accuracy: each((i) => i % 2),
  })}\n`;
}

function contentsOf(folder: string): UnwrappedFiles {
  const decode = (): never => {
    throw new Error('nothing is wrapped here');
  };
  return createUnwrappedFiles({ folder, tables, decode });
}

async function fileAt(path: string): Promise<FoundFile> {
  const [file] = (await scanFile(path, { heads: createFileHeads(tables) })).files;
  if (!file) throw new Error(`${path} is no log`);
  return file;
}

async function partsOf({ path, recognition }: FoundFile, partBytes: number): Promise<readonly ReadPart[]> {
  const parts: ReadPart[] = [];
  const request = { path, copyOf: null, recognition, from: null, partBytes };
  await readParts(request, { signal, part: (part) => parts.push(part), progress: () => undefined });
  return parts;
}

describe('several rollouts in one record', () => {
  const text = ['', columns(1, 4), '{"bad\n', columns(2, 1), '\n', columns(3, 16), columns(4, 2)].join('');

  it('are counted as rollouts, their records as lines, in one part and in many', async () => {
    const file = await fileAt(await write(join(await temporaryFolder(), 'completions.jsonl'), text));
    for (const partBytes of [1, 100, 1_000_000]) {
      const parts = await partsOf(file, partBytes);
      const sum = (value: (part: ReadPart) => number): number => parts.reduce((total, part) => total + value(part), 0);
      expect([sum(({ read }) => read), sum(({ noted }) => noted), sum(({ skipped }) => skipped)]).toEqual([4, 1, 1]);
      expect(sum(({ lines }) => lines)).toBe(6);
      expect(sum((part) => part.columns.rollouts.count)).toBe(23);
      for (const part of parts) expect(part.read + part.skipped + part.noted).toBe(part.lines);
      for (const [i, part] of parts.entries()) {
        expect(part.range.first).toBe(i === 0 ? 0 : parts[i - 1]?.next.bytes.first);
      }
      if (partBytes === 1) expect(parts.map(({ columns: found }) => found.rollouts.count)).toEqual([4, 1, 16, 2]);
    }
  });

  it('are found by row and by line before they are indexed', async () => {
    const file = await fileAt(await write(join(await temporaryFolder(), 'completions.jsonl'), text));
    const reader = createRolloutReader(contentsOf(await temporaryFolder()));
    const answer = async (wanted: { row: number } | { line: number }): Promise<string | null> => {
      const rollout = await reader.find(file, wanted, signal);
      return rollout && `${rollout.place.row} ${/answer [\d.]+/u.exec(JSON.stringify(rollout.turns))?.[0]}`;
    };
    expect(await answer({ row: 3 })).toBe('3 answer 1.3');
    expect(await answer({ row: 5 })).toBe('5 answer 2.0');
    expect(await answer({ row: 9 })).toBe('9 answer 3.3');
    expect(await answer({ row: 23 })).toBe('23 answer 4.1');
    expect(await answer({ row: 24 })).toBeNull();
    // The line that is not read takes a row.
    expect(await answer({ row: 4 })).toBeNull();
    expect(await answer({ line: 0 })).toBe('0 answer 1.0');
    expect(await answer({ line: 4 })).toBe('6 answer 3.0');
  });

  it('each have a transcript; a line stands for the first', async () => {
    const path = await write(join(await temporaryFolder(), 'completions.jsonl'), text);
    const { openAndRead, rows, ask } = await testEngine({ partBytes: 200 });
    const run = await openAndRead(path);
    expect(run).toMatchObject({ rollouts: 23, steps: 4 });
    const all = await rows(run.id);
    expect(all.map(({ ref }) => ref.row)).toEqual([0, 1, 2, 3, ...Array.from({ length: 19 }, (_, i) => i + 5)]);
    for (const row of [all[2], all[12]]) {
      if (!row) throw new Error('no such row');
      const { bytes } = await ask('transcript', { ref: row.ref, path, rest: null });
      const item = row.ref.row < 5 ? `1.${row.ref.row}` : `3.${row.ref.row - 6}`;
      expect(Buffer.from(bytes).toString()).toContain(`answer ${item}`);
    }
    expect(await ask('locate', { path, line: 4 })).toMatchObject({ ref: { row: 6 } });
  });
});

describe('an archive', () => {
  it.each(['inspect-0.3.60-deflate', 'inspect-0.3.150-zstd', 'inspect-chunked-v3'])(
    '%s is found in a folder, and its members are read where they lie',
    async (name) => {
      const folder = await temporaryFolder();
      const path = join(folder, 'log.eval');
      await copyFile(join(fixtures, 'inspect', name, 'log.eval'), path);
      const { openAndRead, rows, ask } = await testEngine({ partBytes: 1 });
      const run = await openAndRead(folder);
      const all = await rows(run.id);
      expect(run).toMatchObject({ state: 'ready', rollouts: all.length, format: 'inspect' });
      expect(all.length).toBeGreaterThan(0);
      const reader = createRolloutReader(contentsOf(await temporaryFolder()));
      const file = await fileAt(path);
      for (const { ref } of all) {
        const { bytes } = await ask('transcript', { ref, path: folder, rest: null });
        const found = await reader.find(file, { row: ref.row }, signal);
        expect(found?.place.row).toBe(ref.row);
        expect(bytes.length).toBeGreaterThan(100);
      }
      expect(await ask('fileKind', { path })).toMatchObject({ format: 'inspect', text: false });
      const parts = await partsOf(file, 1);
      for (const part of parts) expect(part.read + part.skipped + part.noted).toBe(part.lines);
    },
  );
});

describe('a log of one rollout a line', () => {
  it('is found by counting lines', async () => {
    const path = await write(
      join(await temporaryFolder(), '1.jsonl'),
      dump({ prompt: 1 }, { prompt: 2 }, { prompt: 3 }),
    );
    const reader = createRolloutReader(contentsOf(await temporaryFolder()));
    const rollout = await reader.find(await fileAt(path), { row: 2 }, signal);
    expect(rollout).toMatchObject({ place: { row: 2, line: 2 } });
    expect(rollout?.question).toContain('3 × 7');
  });
});
