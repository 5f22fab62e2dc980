/** The engine over real files: what it answers, and that the numbers are those of a group worked by hand. */
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/base/errors.ts';
import { noFilter } from '../../../src/protocol/engine.ts';
import { writeMetisRun } from '../../generate/metisRun.mjs';
import { testEngine } from './engineOfTests.ts';
import { dump, line, temporaryFolder, write } from './logs.ts';

async function generatedRun(): Promise<string> {
  const directory = join(await temporaryFolder(), 'hdpo');
  await writeMetisRun({ directory, steps: 3, promptsPerStep: 4, rolloutsPerPrompt: 8, seed: 3 });
  return directory;
}

describe('a generated run', () => {
  it('is summed up, listed by step, group and rollout, and each rollout is listed once', async () => {
    const { ask, openAndRead } = await testEngine();
    const run = await openAndRead(await generatedRun());
    expect(run).toMatchObject({
      name: 'hdpo',
      producer: 'Metis / verl-tool',
      state: 'ready',
      files: 3,
      filesRead: 3,
      steps: 3,
      firstStep: 1,
      lastStep: 3,
      rollouts: 96,
      groups: 12,
      hasSteps: true,
      hasRewards: true,
      rewardThreshold: null,
      notes: 0,
    });
    expect(run.bytesRead).toBe(run.bytes);
    const steps = await ask('steps', { run: run.id, first: 0, count: 500 });
    expect(steps.rows.map(({ step, rollouts, groups }) => [step, rollouts, groups])).toEqual([
      [1, 32, 4],
      [2, 32, 4],
      [3, 32, 4],
    ]);
    const seen = new Set<string>();
    for (const { step } of steps.rows) {
      const groups = await ask('groups', { run: run.id, step, first: 0, count: 500 });
      for (const { key, size } of groups.rows) {
        const all = { run: run.id, step, group: key, filter: noFilter };
        const members = await ask('rollouts', { ...all, first: 0, count: 500 });
        expect(members.total).toBe(size);
        expect(members.rows.map(({ member }) => member)).toEqual(members.rows.map((_, i) => i + 1));
        for (const { ref } of members.rows) seen.add(`${ref.file}:${ref.row}`);
      }
    }
    expect(seen.size).toBe(96);
  });

  it('gives a transcript, an explanation and curves', async () => {
    const { ask, openAndRead, rows } = await testEngine();
    const directory = await generatedRun();
    const run = await openAndRead(directory);
    const row = (await rows(run.id))[40];
    if (!row) throw new Error('no row');
    const transcript = await ask('transcript', { ref: row.ref, path: directory, rest: null });
    expect(Buffer.from(transcript.bytes).toString('utf8')).toContain(row.question);
    expect(transcript.explanation?.row).toEqual(row);
    expect(transcript.explanation?.members).toHaveLength(8);
    expect(await ask('explain', { ref: row.ref })).toEqual(transcript.explanation);
    const curves = await ask('curves', { run: run.id, first: 0 });
    expect([...curves.step]).toEqual([1, 2, 3]);
    expect([...curves.rollouts]).toEqual([32, 32, 32]);
  });

  it('finds rollouts by line, by text and by file', async () => {
    const { ask, openAndRead, rows } = await testEngine();
    const directory = await generatedRun();
    const run = await openAndRead(directory);
    const path = join(directory, '2.jsonl');
    const row = (await rows(run.id)).find(({ ref }) => ref.file === '2.jsonl' && ref.row === 5);
    expect(await ask('locate', { path, line: 5 })).toEqual(row);
    expect(await ask('locate', { path, line: 32 })).toBeNull();
    const lines = await ask('linesOf', { path, first: 30, count: 500 });
    expect(lines.total).toBe(32);
    expect(lines.rows.map((one) => one.line)).toEqual([30, 31]);
    const found = await ask('search', { run: null, text: `2 ${row?.question ?? ''}`, limit: 5 });
    expect(found.length).toBeGreaterThan(0);
    expect(found.every(({ question }) => question === row?.question)).toBe(true);
  });
});

describe('the arithmetic of one group', () => {
  // r_acc 1, 1, 0.9, 0.1: mean 0.75, std √0.19. T 0, 1, 3, 2, right but for the last: r_tool 1, 1/2, 1/4, 0;
  // Q is the first three: mean 7/12, std √0.1458333.
  const lines = [
    { calls: [], right: true, formatted: true },
    { calls: ['python'], right: true, formatted: true },
    { calls: ['python', 'python', 'verify'], right: true, formatted: false },
    { calls: ['python', 'text_search'], right: false, formatted: true },
  ] as const;
  const other = { prompt: 2, right: false } as const;

  it('is what the rows and the explanation say', async () => {
    const { ask, openAndRead, rows } = await testEngine();
    const folder = await temporaryFolder();
    // Members of a group are not adjacent in a dump.
    await write(join(folder, '1.jsonl'), dump(lines[0], other, lines[1], lines[2], other, lines[3]));
    const run = await openAndRead(folder);
    const group = (await rows(run.id)).filter(({ groupSize }) => groupSize === 4);
    const close = (values: readonly (number | null)[], expected: readonly number[]): void => {
      expect(values).toHaveLength(expected.length);
      values.forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? NaN, 4));
    };
    close(
      group.map(({ calls }) => calls),
      [0, 1, 3, 2],
    );
    close(
      group.map(({ accReward }) => accReward),
      [1, 1, 0.9, 0.1],
    );
    close(
      group.map(({ toolReward }) => toolReward),
      [1, 0.5, 0.25, 0],
    );
    close(
      group.map(({ accAdvantage }) => accAdvantage),
      [0.573538, 0.573538, 0.344123, -1.491198],
    );
    close(
      group.map(({ toolAdvantage }) => toolAdvantage),
      [1.091086, -0.218217, -0.872869, 0],
    );
    expect(group.map(({ qualifies }) => qualifies)).toEqual([true, true, true, false]);
    const last = group[3];
    if (!last) throw new Error('no member');
    const explanation = await ask('explain', { ref: last.ref });
    close([explanation.accMean, explanation.accStd], [0.75, Math.sqrt(0.19)]);
    close([explanation.toolMean, explanation.toolStd], [7 / 12, Math.sqrt(0.1458333)]);
    expect(explanation).toMatchObject({ qualifying: 3, answerReward: 0, formatReward: 1, accEqual: false });
    expect(explanation.members.map(({ ref }) => ref.row)).toEqual([0, 2, 3, 5]);
  });
});

describe('a file that was not opened before', () => {
  it('is located, listed and shown on demand, and an unknown file is not', async () => {
    const { ask } = await testEngine();
    const folder = await temporaryFolder();
    const path = await write(join(folder, 'notes', 'one.jsonl'), dump({ prompt: 1 }, { prompt: 2 }));
    const row = await ask('locate', { path, line: 1 });
    expect(row?.ref).toMatchObject({ file: 'one.jsonl', row: 1 });
    expect(row?.question).toContain('2 × 7');
    const unknown = await write(join(folder, 'package.json'), '{"name": "x"}');
    expect(await ask('locate', { path: unknown, line: 0 })).toBeNull();
    expect(await ask('linesOf', { path: unknown, first: 0, count: 5 })).toEqual({ rows: [], total: 0 });
    expect((await ask('fileKind', { path: unknown })).format).toBeNull();
    expect(await ask('fileKind', { path })).toMatchObject({ format: 'verl', description: 'Metis / verl-tool' });
  });

  it('shows its transcript before its run is open, from the path alone', async () => {
    const folder = await temporaryFolder();
    await write(join(folder, '7.jsonl'), dump({ prompt: 1 }, { prompt: 2 }));
    const first = await testEngine();
    const run = await first.openAndRead(folder);
    const second = await testEngine({ storage: first.storage });
    const ref = { run: run.id, file: '7.jsonl', row: 1 };
    const { bytes } = await second.ask('transcript', { ref, path: folder, rest: null });
    expect(Buffer.from(bytes).toString('utf8')).toContain('2 × 7');
  });

  it('tells in a sentence what is wrong with a path', async () => {
    const { ask } = await testEngine();
    const folder = await temporaryFolder();
    const parquet = await write(join(folder, 'a.parquet'), 'PAR1 prompt completion advantage PAR1');
    const cases: readonly (readonly [string, RegExp])[] = [
      [join(folder, 'missing'), /missing does not exist/],
      [folder, /holds no rollout log.*looked at/],
      [parquet, /a Parquet table that cannot be read/],
      [await write(join(folder, 'x.json'), '[1, 2]'), /no rollout log/],
    ];
    for (const [path, message] of cases) {
      const error: unknown = await ask('open', { path }).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(UserError);
      expect(error).toHaveProperty('message', expect.stringMatching(message));
    }
  });
});

describe('a log whose correctness the threshold decides', () => {
  it('is judged anew when the threshold changes', async () => {
    const { ask, openAndRead, settled, rows } = await testEngine();
    const folder = await temporaryFolder();
    const record = (score: number): string =>
      `${JSON.stringify({ input: 'user\nq\nassistant\n', output: 'a', score, step: 4, reward: score })}\n`;
    await write(join(folder, '4.jsonl'), [0.2, 0.4, 0.6, 0.8].map(record).join(''));
    const run = await openAndRead(folder);
    if (run.rewardThreshold === null) throw new Error('the threshold should have decided');
    expect((await rows(run.id)).map(({ correct }) => correct)).toEqual([false, false, true, true]);
    await ask('setRewardThreshold', { run: run.id, threshold: 0.3 });
    expect((await rows(run.id)).map(({ correct }) => correct)).toEqual([false, true, true, true]);
    expect((await settled(run.id)).rewardThreshold).toBe(0.3);
    const steps = await ask('steps', { run: run.id, first: 0, count: 9 });
    expect(steps.rows[0]?.accuracy).toBe(0.75);
  });
});

describe('bad content', () => {
  it('becomes notes with file and line, and the rest is read', async () => {
    const { ask, openAndRead } = await testEngine();
    const folder = await temporaryFolder();
    const path = await write(join(folder, '1.jsonl'), `${line()}\n{"broken": \n\n${line({ prompt: 2 })}\n[1]\n`);
    const run = await openAndRead(folder);
    expect(run).toMatchObject({ rollouts: 2, notes: 2, state: 'ready' });
    const notes = await ask('notes', { run: run.id, first: 0, count: 10 });
    expect(notes.rows.map((note) => [note.file, note.line, note.code])).toEqual([
      [path, 1, 'bad-json'],
      [path, 4, 'not-a-record'],
    ]);
  });

  it('opens a rollout whose file was cut since it was indexed with a sentence, not a crash', async () => {
    const { ask, openAndRead, rows } = await testEngine({ watchIntervalMs: 3_600_000 });
    const folder = await temporaryFolder();
    const path = await write(join(folder, '1.jsonl'), dump({ prompt: 1 }, { prompt: 2 }, { prompt: 3 }));
    const run = await openAndRead(folder);
    const ref = (await rows(run.id))[2]?.ref;
    if (!ref) throw new Error('no row');
    await writeFile(path, dump({ prompt: 1 }));
    const error: unknown = await ask('transcript', { ref, path: folder, rest: null }).catch(
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(UserError);
    expect(error).toHaveProperty('message', expect.stringContaining('1.jsonl'));
  });
});

describe('indexing', () => {
  it('can be cancelled and resumed, and another engine uses the same shards', async () => {
    const directory = await generatedRun();
    const first = await testEngine();
    const [run] = await first.ask('open', { path: directory });
    if (!run) throw new Error('no run');
    await first.ask('cancelIndexing', { run: run.id });
    await first.engine.library.run(run.id).whenSettled();
    expect((await first.settled(run.id)).state).toBe('partial');
    await first.ask('resumeIndexing', { run: run.id });
    expect(await first.settled(run.id)).toMatchObject({ state: 'ready', rollouts: 96 });
    // The second engine has no reader at all: everything must come from the shards.
    const second = await testEngine({ storage: first.storage, workerPath: '/there/is/no/worker.cjs' });
    expect(await second.openAndRead(directory)).toMatchObject({ state: 'ready', rollouts: 96, notes: 0 });
    expect(await second.rows(run.id)).toEqual(await first.rows(run.id));
  });

  it('goes on in memory where the index folder cannot be written, and says so', async () => {
    const folder = await temporaryFolder();
    const storage = await write(join(folder, 'storage'), 'a file, so nothing can be made in it');
    const { ask, openAndRead } = await testEngine({ storage });
    const run = await openAndRead(await generatedRun());
    expect(run).toMatchObject({ rollouts: 96, state: 'ready', notes: 1 });
    const notes = await ask('notes', { run: run.id, first: 0, count: 10 });
    expect(notes.rows[0]).toMatchObject({ code: 'index-not-written' });
  });

  it('joins the shards of a file that came in many parts, and the rows stay the same', async () => {
    const test = await testEngine({ partBytes: 1_000 });
    const folder = await temporaryFolder();
    const prompts = Array.from({ length: 40 }, (_, prompt) => ({ prompt }));
    await write(join(folder, '1.jsonl'), dump(...prompts));
    const run = await test.openAndRead(folder);
    const before = await test.rows(run.id);
    await test.engine.library.tick();
    const summary = await test.settled(run.id);
    expect(summary).toMatchObject({ state: 'ready', rollouts: 40 });
    const [entry] = test.engine.library.run(run.id).files.entries();
    expect(entry?.indexed?.parts).toHaveLength(1);
    expect(await test.rows(run.id)).toEqual(before);
    const reopened = await testEngine({ storage: test.storage, workerPath: '/there/is/no/worker.cjs' });
    expect(await reopened.openAndRead(folder)).toMatchObject({ state: 'ready', rollouts: 40 });
  });

  it('reads a log again whose shards are damaged, and gets the same rows', async () => {
    const directory = await generatedRun();
    const first = await testEngine();
    const run = await first.openAndRead(directory);
    const folder = join(first.storage, 'index');
    const shards = (await readdir(folder)).filter((name) => name.endsWith('.rollouts.parquet'));
    // One without its footer, one whose footer promises what is not there.
    const [cut, hollow] = shards.map((name) => join(folder, name));
    if (cut === undefined || hollow === undefined) throw new Error('no shards');
    await truncate(cut, 100);
    const bytes = await readFile(hollow);
    await writeFile(hollow, bytes.fill(0xff, 4, Math.floor(bytes.length / 3)));
    const second = await testEngine({ storage: first.storage });
    expect(await second.openAndRead(directory)).toMatchObject({ state: 'ready', rollouts: 96 });
    expect(await second.rows(run.id)).toEqual(await first.rows(run.id));
  });

  it('publishes a large file in parts and joins nothing twice', async () => {
    const directory = await generatedRun();
    const whole = await testEngine();
    const parts = await testEngine({ partBytes: 20_000 });
    const run = await whole.openAndRead(directory);
    expect(await parts.openAndRead(directory)).toMatchObject({ rollouts: 96 });
    const inParts = parts.engine.library.run(run.id).files.entries();
    expect(inParts.every(({ indexed }) => (indexed?.parts.length ?? 0) > 2)).toBe(true);
    expect(await parts.rows(run.id)).toEqual(await whole.rows(run.id));
  });

  it('tells what changed at most twice a second', async () => {
    const { told, openAndRead } = await testEngine();
    const started = performance.now();
    const run = await openAndRead(await generatedRun());
    await new Promise((resolve) => setTimeout(resolve, 700));
    const seconds = (performance.now() - started) / 1000;
    expect(told.runs.at(-1)?.find(({ id }) => id === run.id)).toMatchObject({ state: 'ready', rollouts: 96 });
    expect(told.runs.length).toBeLessThanOrEqual(2 + seconds * 2);
    expect(new Set(told.steps.flatMap((steps) => steps ?? []))).toEqual(new Set([1, 2, 3]));
    expect(told.log.filter((text) => text.startsWith('error'))).toEqual([]);
  });
});

describe('a home-made log', () => {
  const records = [
    { ask: 'What is 6 × 7?', said: { text: 'It is 42.' }, points: 1, round: 3, logps: [-0.1, -0.2] },
    { ask: 'What is 6 × 7?', said: { text: 'It is 41.' }, points: 0, round: 3, logps: [-0.3, -0.4] },
  ];
  const mapping = { prompt: 'ask', response: 'said.text', reward: 'points', step: 'round' };
  const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');

  it('is unknown until its fields are mapped, then read, and unknown again when the mapping is removed', async () => {
    const folder = await temporaryFolder();
    const path = await write(join(folder, 'own.jsonl'), text);
    const other = await write(join(folder, 'other.jsonl'), '{"a": 1}\n');
    const { ask, openAndRead, rows, storage } = await testEngine();
    await expect(ask('open', { path })).rejects.toThrow(UserError);
    const form = await ask('mappingForm', { path });
    expect(form).toMatchObject({ file: path, folder, saved: null });
    expect(form.record).toContain('"ask": "What is 6 × 7?"');
    expect(form.fields.find((field) => field.path === 'said.text')?.sample).toBe('It is 42.');
    expect(form.names.map(({ field }) => field)).toContain('reward');

    expect(await ask('previewMapping', { path, mapping })).toMatchObject({
      problem: null,
      question: 'What is 6 × 7?',
      response: 'It is 42.',
      reward: '1',
      step: '3',
      turns: 2,
    });
    expect((await ask('previewMapping', { path, mapping: { prompt: 'ask' } })).problem).toMatch(/response/);
    await expect(ask('saveMapping', { path, mapping: { prompt: 'ask' } })).rejects.toThrow(UserError);

    const saved = await ask('saveMapping', { path, mapping });
    expect(saved).toEqual({ folder, reopen: [path] });
    const run = await openAndRead(path);
    expect(run).toMatchObject({ rollouts: 2, groups: 1, firstStep: 3, hasRewards: true });
    expect((await rows(run.id)).map(({ reward }) => reward)).toEqual([1, 0]);
    expect((await ask('mappingForm', { path })).saved).toMatchObject(mapping);
    // Another file of the folder has none of these fields.
    expect((await ask('fileKind', { path: other })).format).toBeNull();

    // A second engine over the same storage knows it, and one that reads the whole folder too.
    const later = await testEngine({ storage });
    const found = await later.ask('discover', { roots: [folder] });
    expect(found.runs.map((one) => one.path)).toEqual([path]);

    expect(await ask('saveMapping', { path, mapping: null })).toEqual({ folder, reopen: [path] });
    await expect(ask('open', { path })).rejects.toThrow(UserError);
  });

  it('whose fields were guessed is read as they are mapped instead, without opening the engine again', async () => {
    const folder = await temporaryFolder();
    const lines = ['a', 'b'].map((score) => ({
      prompt: 'p',
      response: `r ${score}`,
      reward: 5,
      real: { reward: 0.25 },
    }));
    const path = await write(join(folder, 'log.jsonl'), lines.map((one) => `${JSON.stringify(one)}\n`).join(''));
    const { ask, openAndRead, rows } = await testEngine();
    const guessed = await openAndRead(path);
    expect((await rows(guessed.id)).map(({ reward }) => reward)).toEqual([5, 5]);
    const { guess } = await ask('mappingForm', { path });
    expect(guess).toMatchObject({ prompt: 'prompt', response: 'response', reward: 'reward' });
    const { reopen } = await ask('saveMapping', { path, mapping: { ...guess, reward: 'real.reward' } });
    expect(reopen).toEqual([path]);
    const mapped = await openAndRead(path);
    expect((await rows(mapped.id)).map(({ reward }) => reward)).toEqual([0.25, 0.25]);
  });

  it('without rewards says so', async () => {
    const { openAndRead } = await testEngine();
    const chat = {
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: 'hello' },
      ],
    };
    const path = await write(join(await temporaryFolder(), 'chat.jsonl'), `${JSON.stringify(chat)}\n`);
    expect(await openAndRead(path)).toMatchObject({ rollouts: 1, hasSteps: false, hasRewards: false });
  });

  it.each([
    ['a known format', 'dump.jsonl', dump({}), 'known'],
    ['no JSON', 'notes.jsonl', 'hello\n', 'no JSON records'],
    ['an array', 'list.jsonl', '[1, 2]\n', 'cannot be mapped'],
  ])('has no form for %s', async (_, name, content, reason) => {
    const { ask } = await testEngine();
    const path = await write(join(await temporaryFolder(), name), content);
    await expect(ask('mappingForm', { path })).rejects.toThrow(reason);
  });

  it('is mapped though the file of mappings is damaged', async () => {
    const storage = join(await temporaryFolder(), 'storage');
    await write(join(storage, 'fieldMappings.json'), '{"folders": {"/x": 3, ');
    const path = await write(join(await temporaryFolder(), 'own.jsonl'), text);
    const { ask, openAndRead } = await testEngine({ storage });
    await ask('saveMapping', { path, mapping });
    expect(await openAndRead(path)).toMatchObject({ rollouts: 2 });
  });
});
