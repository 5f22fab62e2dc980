/** Files that are made to break a reader, through the whole engine: each costs a note, and what lies beside it is read. */
import { open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Note } from '../../../src/model/note.ts';
import { zipOf } from '../readers/zipOf.ts';
import { testEngine, type TestEngine } from './engineOfTests.ts';
import { line, temporaryFolder } from './logs.ts';

const megabyte = 1024 * 1024;

async function notesOf(engine: TestEngine, run: string): Promise<readonly Note[]> {
  return (await engine.ask('notes', { run, first: 0, count: 100 })).rows;
}

/** Every rollout of a run can be looked at. */
async function lookAtAll(engine: TestEngine, run: string, path: string): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const { ref } of await engine.rows(run)) {
    await engine.ask('explain', { ref });
    const { bytes } = await engine.ask('transcript', { ref, path, rest: null });
    texts.push(Buffer.from(bytes).toString('utf8'));
  }
  return texts;
}

describe('a single line of 1 GB', () => {
  it('is a note in bounded memory, and the lines around it are read', { timeout: 120_000 }, async () => {
    const path = join(await temporaryFolder(), '1.jsonl');
    const head = Buffer.from(`${line()}\n{"input": "`);
    const tail = Buffer.from(`"}\n${line({ prompt: 2 })}\n`);
    const gigabyte = 1024 * megabyte;
    // Mostly a hole: it takes no room on the disk.
    const file = await open(path, 'w');
    await file.write(head, 0, head.length, 0);
    await file.write(tail, 0, tail.length, head.length + gigabyte);
    await file.close();
    expect((await stat(path)).size).toBe(head.length + gigabyte + tail.length);
    const engine = await testEngine();
    const before = process.memoryUsage().rss;
    const run = await engine.openAndRead(path);
    expect(process.memoryUsage().rss - before).toBeLessThan(900 * megabyte);
    expect(run).toMatchObject({ rollouts: 2, notes: 1 });
    expect(await notesOf(engine, run.id)).toEqual([
      expect.objectContaining({ code: 'line-too-long', line: 1, file: path }),
    ]);
    expect(await lookAtAll(engine, run.id, path)).toHaveLength(2);
  });
});

describe('values 100,000 deep', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const deepObject = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;

  it.each([
    ['the ground truth', 'gts'],
    ['the calls', 'tool_interact_info'],
    ['the metrics', 'verl_tool_metrics'],
    ['a key nobody knows', 'mystery'],
    ['the answer', 'output'],
  ])('as %s', async (_, key) => {
    const path = join(await temporaryFolder(), '1.jsonl');
    const lines = [deep, deepObject, `[${deepObject}]`].map((value) => {
      const record = { ...(JSON.parse(line()) as object), [key]: '@' };
      return JSON.stringify(record).replace(`"${key}":"@"`, () => `"${key}":${value}`);
    });
    await writeFile(path, `${line({ prompt: 3 })}\n${lines.join('\n')}\n`);
    const engine = await testEngine();
    const run = await engine.openAndRead(path);
    expect(run.rollouts + run.notes).toBeGreaterThanOrEqual(4);
    const texts = await lookAtAll(engine, run.id, path);
    expect(texts).toHaveLength(run.rollouts);
    expect(texts[0]).toContain('What is 3 × 7 + 1?');
  });
});

describe('a picture that is none', () => {
  it.each(['bm90IGEgcGljdHVyZQ==', '@@@@', '', 'PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=='])('%j', async (base64) => {
    const record = JSON.parse(line({ calls: ['python'] })) as { tool_interact_info: object[] };
    const [call] = record.tool_interact_info;
    record.tool_interact_info = [{ ...call, image: [`data:image/png;base64,${base64}`] }];
    const path = join(await temporaryFolder(), '1.jsonl');
    await writeFile(path, `${JSON.stringify(record)}\n`);
    const engine = await testEngine();
    const run = await engine.openAndRead(path);
    const [text] = await lookAtAll(engine, run.id, path);
    expect(text).toMatch(/image|picture/i);
    const [row] = await engine.rows(run.id);
    if (!row) throw new Error('no rollout');
    const asked = engine.ask('image', { ref: row.ref, path, image: 0, first: 0 });
    // Bytes that the host then finds to be no picture, or a sentence.
    const outcome = await asked.then(
      ({ bytes }) => bytes.length,
      (error: unknown) => String(error),
    );
    expect(outcome).not.toMatch(/TypeError|RangeError/);
  });
});

describe('an archive', () => {
  const sample = (id: string): string => JSON.stringify({ id, epoch: 1, messages: [{ role: 'user', content: 'x' }] });
  const start = {
    name: '_journal/start.json',
    content: JSON.stringify({ version: 2, eval: { task: 't' }, plan: {} }),
  };

  it('with names that lead out and members that are bombs gives notes; its other samples are read', async () => {
    const path = join(await temporaryFolder(), 'log.eval');
    const bomb = Buffer.alloc(64 * megabyte);
    await writeFile(
      path,
      zipOf([
        start,
        { name: 'samples/a_epoch_1.json', content: sample('a') },
        { name: '../../etc/cron.d/x', content: 'x' },
        { name: '/etc/passwd', content: 'x' },
        { name: 'samples/../../x_epoch_1.json', content: sample('x') },
        { name: 'samples/b_epoch_1.json', content: bomb, lies: { unpackedBytes: 1_000 } },
        { name: 'samples/c_epoch_1.json', content: '', lies: { unpackedBytes: 4_294_967_295 } },
        { name: 'samples/d_epoch_1.json', content: sample('d') },
      ]),
    );
    const engine = await testEngine();
    const before = process.memoryUsage().rss;
    const run = await engine.openAndRead(path);
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * megabyte);
    expect((await engine.rows(run.id)).map(({ group }) => group)).toEqual(['a', 'd']);
    const messages = (await notesOf(engine, run.id)).map(({ message }) => message);
    expect(messages.filter((message) => /leads out/.test(message))).toHaveLength(3);
    expect(messages.filter((message) => /inflates to more than/.test(message)).length).toBeGreaterThanOrEqual(1);
    expect(await lookAtAll(engine, run.id, path)).toHaveLength(2);
  });
});
