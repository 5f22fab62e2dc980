/** Logs that change while they are open: growing, rewritten, cut, deleted, and runs that appear after the start. */
import { appendFile, mkdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunSummary } from '../../../src/protocol/engine.ts';
import { testEngine, type TestEngine } from './engineOfTests.ts';
import { dump, line, temporaryFolder, until, write } from './logs.ts';

/** Waits until the run has so many rollouts and rests. */
async function untilRollouts({ engine }: TestEngine, id: string, rollouts: number): Promise<RunSummary> {
  return until(`the run has ${rollouts} rollouts`, async () => {
    await engine.library.tick();
    const run = engine.library.run(id).summary();
    return run.rollouts === rollouts && run.state === 'ready' ? run : null;
  });
}

const questions = async (test: TestEngine, id: string): Promise<readonly string[]> =>
  (await test.rows(id)).map(({ question }) => question);

describe('a file that grows', () => {
  it('gives each record once, whatever the pieces it is written in', async () => {
    const test = await testEngine();
    const path = join(await temporaryFolder(), '1.jsonl');
    await write(path, dump({ prompt: 1 }));
    const run = await test.openAndRead(path);
    const rest = Buffer.from(dump({ prompt: 2 }, { prompt: 3 }) + line({ prompt: 4 }));
    const pieces = 24;
    for (let piece = 0; piece < pieces; piece += 1) {
      const from = Math.floor((rest.length * piece) / pieces);
      await appendFile(path, rest.subarray(from, Math.floor((rest.length * (piece + 1)) / pieces)));
      await test.engine.library.tick();
      await test.settled(run.id);
    }
    const whole = await untilRollouts(test, run.id, 4);
    expect(whole.notes).toBe(0);
    expect(await questions(test, run.id)).toEqual([1, 2, 3, 4].map((n) => `What is ${n} × 7 + 1?`));
    expect((await test.rows(run.id)).map(({ ref }) => ref.row)).toEqual([0, 1, 2, 3]);
    expect((await test.rows(run.id)).map((row) => row.line)).toEqual([0, 1, 2, 3]);
    // The line end of the last record comes later, then one more record.
    await appendFile(path, `\n${line({ prompt: 5 })}\n`);
    await untilRollouts(test, run.id, 5);
    expect((await test.rows(run.id)).map((row) => row.line)).toEqual([0, 1, 2, 3, 4]);
  });

  it('gives each record once when it is written byte by byte', async () => {
    const test = await testEngine({ watchIntervalMs: 3_600_000 });
    const folder = await temporaryFolder();
    const path = await write(join(folder, '1.jsonl'), dump({ prompt: 1 }));
    const run = await test.openAndRead(path);
    const end = line({ prompt: 2 });
    // The beginning of the record at once, its last bytes, where it becomes one, one by one.
    await appendFile(path, end.slice(0, -20));
    for (const byte of Buffer.from(`${end.slice(-20)}\n`)) {
      await appendFile(path, Buffer.of(byte));
      await test.engine.library.tick();
      const { rollouts } = await test.settled(run.id);
      expect([1, 2]).toContain(rollouts);
    }
    await untilRollouts(test, run.id, 2);
    expect((await test.rows(run.id)).map(({ ref }) => ref.row)).toEqual([0, 1]);
  });

  it('says while its last line is incomplete that it is waiting for the rest', async () => {
    const test = await testEngine();
    const path = await write(
      join(await temporaryFolder(), '1.jsonl'),
      dump({ prompt: 1 }) + line({ prompt: 2 }).slice(0, 90),
    );
    const run = await test.openAndRead(path);
    expect(run).toMatchObject({ rollouts: 1, notes: 1 });
    const notes = await test.ask('notes', { run: run.id, first: 0, count: 5 });
    expect(notes.rows[0]).toMatchObject({ code: 'partial-last-line', line: 1, file: path });
    await appendFile(path, `${line({ prompt: 2 }).slice(90)}\n`);
    expect(await untilRollouts(test, run.id, 2)).toMatchObject({ notes: 0 });
  });
});

describe('a file that is changed', () => {
  it.each([
    ['rewritten', dump({ prompt: 7 }, { prompt: 8 }), [7, 8]],
    ['rewritten with more lines', dump({ prompt: 7 }, { prompt: 2 }, { prompt: 3 }, { prompt: 4 }), [7, 2, 3, 4]],
    ['cut', dump({ prompt: 1 }), [1]],
  ] as const)('is read again from its beginning: %s', async (_, text, prompts) => {
    const test = await testEngine();
    const path = await write(
      join(await temporaryFolder(), '1.jsonl'),
      dump({ prompt: 1 }, { prompt: 2 }, { prompt: 3 }),
    );
    const run = await test.openAndRead(path);
    await writeFile(path, text);
    await until('the new content is there', async () => {
      await test.engine.library.tick();
      await test.settled(run.id);
      const now = await questions(test, run.id);
      return now.length === prompts.length && now[0] === `What is ${prompts[0]} × 7 + 1?`;
    });
    expect(await questions(test, run.id)).toEqual(prompts.map((n) => `What is ${n} × 7 + 1?`));
  });

  it('is replaced by a rename', async () => {
    const test = await testEngine();
    const folder = await temporaryFolder();
    await write(join(folder, '1.jsonl'), dump({ prompt: 1 }));
    const run = await test.openAndRead(folder);
    const next = await write(join(folder, 'next.tmp'), dump({ prompt: 5 }, { prompt: 6 }));
    await rename(next, join(folder, '1.jsonl'));
    await untilRollouts(test, run.id, 2);
    expect(await questions(test, run.id)).toEqual([5, 6].map((n) => `What is ${n} × 7 + 1?`));
  });

  it('takes its rows away when it is emptied, and brings them back', async () => {
    const test = await testEngine();
    const folder = await temporaryFolder();
    await write(join(folder, '1.jsonl'), dump({ prompt: 1 }));
    const path = await write(join(folder, '2.jsonl'), dump({ prompt: 2, step: 2 }));
    const run = await test.openAndRead(folder);
    await truncate(path);
    await untilRollouts(test, run.id, 1);
    await writeFile(path, dump({ prompt: 3, step: 2 }, { prompt: 4, step: 2 }));
    await untilRollouts(test, run.id, 3);
  });

  it('is gone when it is deleted, with a note, and its step with it', async () => {
    const test = await testEngine();
    const folder = await temporaryFolder();
    await write(join(folder, '1.jsonl'), dump({ prompt: 1 }));
    const path = await write(join(folder, '2.jsonl'), dump({ prompt: 2, step: 2 }));
    const run = await test.openAndRead(folder);
    await rm(path);
    expect(await untilRollouts(test, run.id, 1)).toMatchObject({ files: 1, steps: 1, notes: 1 });
    const steps = await test.ask('steps', { run: run.id, first: 0, count: 9 });
    expect(steps.rows.map(({ step }) => step)).toEqual([1]);
    const notes = await test.ask('notes', { run: run.id, first: 0, count: 9 });
    expect(notes.rows[0]).toMatchObject({ code: 'file-changed', file: path });
  });

  it('whose folder is deleted leaves an empty run behind, not an error', async () => {
    const test = await testEngine();
    const folder = join(await temporaryFolder(), 'run');
    await write(join(folder, '1.jsonl'), dump({ prompt: 1 }));
    const run = await test.openAndRead(folder);
    await rm(folder, { recursive: true });
    await untilRollouts(test, run.id, 0);
    await write(join(folder, '1.jsonl'), dump({ prompt: 1 }, { prompt: 2 }));
    await untilRollouts(test, run.id, 2);
    expect(test.told.log.filter((text) => text.startsWith('error'))).toEqual([]);
  });
});

describe('a run that appears later', () => {
  it('is found in folders that were made after the search, as mkdir -p makes them', async () => {
    const test = await testEngine({ watchIntervalMs: 2_000 });
    const root = await temporaryFolder();
    expect(await test.ask('discover', { roots: [root] })).toMatchObject({ runs: [], folders: 1 });
    const started = Date.now();
    await mkdir(join(root, 'a', 'b'), { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await write(join(root, 'a', 'b', '1.jsonl'), dump({ prompt: 1 }));
    const run = await until('the run is found', () => test.told.runs.at(-1)?.find(({ rollouts }) => rollouts === 1));
    expect(run.path).toBe(join(root, 'a', 'b'));
    expect(Date.now() - started).toBeLessThan(3_500);
    await write(join(root, 'a', 'b', '2.jsonl'), dump({ prompt: 1, step: 2 }));
    await until('the next step is there', () => test.told.runs.at(-1)?.some(({ steps }) => steps === 2));
    expect(Date.now() - started).toBeLessThan(6_000);
  });

  it('is not found again after it was closed, until it is opened', async () => {
    const test = await testEngine();
    const root = await temporaryFolder();
    await write(join(root, 'run', '1.jsonl'), dump({ prompt: 1 }));
    const { runs } = await test.ask('discover', { roots: [root] });
    const [run] = runs;
    if (!run) throw new Error('no run');
    await test.settled(run.id);
    await test.ask('close', { run: run.id });
    await write(join(root, 'run', '2.jsonl'), dump({ prompt: 1, step: 2 }));
    await test.engine.library.tick();
    expect(await test.ask('runs', {})).toEqual([]);
    await expect(test.ask('steps', { run: run.id, first: 0, count: 1 })).rejects.toThrow('not open');
    expect(await test.openAndRead(join(root, 'run'))).toMatchObject({ id: run.id, steps: 2 });
  });
});

describe('two engines', () => {
  it('share one storage folder and one growing run without losing or doubling anything', async () => {
    const folder = await temporaryFolder();
    const first = await testEngine();
    const second = await testEngine({ storage: first.storage });
    const logs = join(folder, 'run');
    await write(join(logs, '1.jsonl'), dump({ prompt: 1 }, { prompt: 2 }));
    const [run] = await Promise.all([first.openAndRead(logs), second.openAndRead(logs)]);
    for (let step = 2; step < 6; step += 1) {
      await write(join(logs, `${step}.jsonl`), dump({ prompt: 1, step }));
      await appendFile(join(logs, '1.jsonl'), dump({ prompt: step + 1 }));
    }
    await Promise.all([untilRollouts(first, run.id, 10), untilRollouts(second, run.id, 10)]);
    expect(await first.rows(run.id)).toEqual(await second.rows(run.id));
  });
});
