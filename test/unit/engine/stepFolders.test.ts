/** Logs whose training step is the name of a folder: which run they form, which step they have, and how that run grows. */
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { writeFile } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { scanTree } from '../../../src/engine/discovery.ts';
import { createFileHeads } from '../../../src/engine/fileHeads.ts';
import { stepDigits, stepOfPath } from '../../../src/engine/stepOfPath.ts';
import { readerOf } from '../../../src/readers/all.ts';
import { createParquetTables } from '../../../src/store/parquetRows.ts';
import { testEngine } from './engineOfTests.ts';
import { temporaryFolder, until, write } from './logs.ts';

const tables = createParquetTables(join(tmpdir(), 'rollout-lens-test-parquet'));
afterAll(() => tables.close());

const fixtures = join(import.meta.dirname, '../../fixtures');
const fixture = {
  trace: 'verifiers-trace/prime-rl-2026-08/traces.jsonl',
  rows: 'verifiers/prime-rl-2026-06/train_rollouts.jsonl',
  skyrl: 'skyrl/skyrl-eval/gsm8k.jsonl',
  areal: 'areal/areal-1.0/4.jsonl',
  rllm: 'rllm/rllm-train/episode.json',
  chat: 'generic/messages-openai/chat.jsonl',
} as const;

/** Copies a fixture to each of these paths. */
async function put(root: string, files: Readonly<Record<string, keyof typeof fixture>>): Promise<void> {
  for (const [path, name] of Object.entries(files)) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    if (/\.gz(?:ip)?$/u.test(path)) await writeFile(target, gzipSync(await readFile(join(fixtures, fixture[name]))));
    else await copyFile(join(fixtures, fixture[name]), target);
  }
}

const paths: readonly (readonly [format: string, path: string, step: number | null, folder: string | null])[] = [
  ['verl', '/w/step_4/17.jsonl', 17, null],
  ['verifiers-trace', '/w/rollouts/step_4/train/all/traces.jsonl', 4, '/w/rollouts/step_4'],
  ['verifiers', '/w/step_12/train_rollouts.jsonl', 12, '/w/step_12'],
  ['skyrl', '/w/dumped_evals/global_step_40_evals/gsm8k.jsonl', 40, '/w/dumped_evals/global_step_40_evals'],
  ['skyrl', '/w/dumped_evals/eval_only/gsm8k.jsonl', null, null],
  ['areal', '/w/rollout/12/7.jsonl', 12, '/w/rollout/12'],
  ['rllm', '/w/train_step_3_epoch_0/episode_hash0a_idx.json', 3, '/w/train_step_3_epoch_0'],
  ['generic', '/w/global_step_8/samples.jsonl', 8, '/w/global_step_8'],
  ['verl', '/w/3_rank_1.jsonl', 3, null],
  ['verl', '/w/global_step_3.rank1.jsonl', 3, null],
  ['verl', '/w/rank1/3.jsonl', 3, null],
  ['verl', '/w/rank_3.jsonl', null, null],
  ['generic', '/w/mystep8/samples.jsonl', null, null],
  ['generic', '/w/12/samples.jsonl', null, null],
  ['generic', '/w/epoch_4/samples.jsonl', 4, '/w/epoch_4'],
  ['generic', '/w/epoch_4/batch_7.jsonl', 7, null],
  ['atif', '/w/step-5/trial/agent/trajectory.json', 5, '/w/step-5'],
  ['atif', '/w/step_5/a/b/c/trajectory.json', null, null],
];

describe('the step of a path', () => {
  it.each(paths)('%s %s: %s', (format, path, step, folder) => {
    const reader = readerOf(format);
    if (!reader) throw new Error(format);
    expect(stepOfPath(path, path.slice(path.lastIndexOf('/') + 1), reader)).toEqual({ step, folder });
  });
});

interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, keyof typeof fixture>>;
  /** Opened below the root. */
  readonly open?: string;
  /** Folder, pattern and files with their steps of each run. */
  readonly runs: readonly (readonly [path: string, pattern: string, files: string])[];
}

const cases: readonly Case[] = [
  {
    name: 'prime-rl: training and evaluation, all and effective, are runs of their own',
    files: {
      'run/rollouts/step_2/train/all/traces.jsonl': 'trace',
      'run/rollouts/step_10/train/all/traces.jsonl': 'trace',
      'run/rollouts/step_10/train/effective/traces.jsonl': 'trace',
      'run/rollouts/step_10/eval/all/traces.jsonl': 'trace',
    },
    runs: [
      ['run/rollouts', 'step_#/eval/all/traces.jsonl', '10'],
      ['run/rollouts', 'step_#/train/all/traces.jsonl', '2 10'],
      ['run/rollouts', 'step_#/train/effective/traces.jsonl', '10'],
    ],
  },
  {
    name: 'SkyRL: a run an evaluation set',
    files: {
      'e/global_step_5_evals/gsm8k.jsonl': 'skyrl',
      'e/global_step_10_evals/gsm8k.jsonl': 'skyrl',
      'e/global_step_10_evals/aime_24.jsonl': 'skyrl',
    },
    runs: [
      ['e', 'global_step_#_evals/aime_24.jsonl', '10'],
      ['e', 'global_step_#_evals/gsm8k.jsonl', '5 10'],
    ],
  },
  {
    name: 'AReaL: a file a task, a folder a version',
    files: { 'r/3/0.jsonl': 'areal', 'r/3/1.jsonl': 'areal', 'r/12/7.jsonl': 'areal' },
    runs: [['r', '#/*.jsonl', '3 3 12']],
  },
  {
    name: 'one folder of a step, opened by itself',
    files: { 'r/3/0.jsonl': 'areal', 'r/3/1.jsonl': 'areal', 'r/12/7.jsonl': 'areal' },
    open: 'r/3',
    runs: [['', '*.jsonl', '3 3']],
  },
  {
    name: 'rLLM: episodes of one file each, in a folder a step and epoch',
    files: {
      'episodes/train_step_0_epoch_0/episode_hash1_ida.json': 'rllm',
      'episodes/train_step_0_epoch_0/episode_hash2_idb.json': 'rllm',
      'episodes/train_step_9_epoch_1/episode_hash1_ida.json': 'rllm',
      'episodes/val_step_9_epoch_1/episode_hash1_ida.json': 'rllm',
    },
    runs: [
      ['episodes', 'train_step_#_epoch_#/**', '0 0 9'],
      ['episodes', 'val_step_#_epoch_#/**', '9'],
    ],
  },
  {
    name: 'home-made logs, wrapped ones too',
    files: { 'x/step_1/chat.jsonl.gz': 'chat', 'x/step_2/chat.jsonl.gz': 'chat', 'x/notes/chat.jsonl': 'chat' },
    runs: [
      ['x', 'step_#/chat.jsonl', '1 2'],
      ['x/notes/chat.jsonl', '', 'null'],
    ],
  },
  {
    name: 'ranks in the names of files',
    files: {
      'r/step_3_rank_0.jsonl': 'chat',
      'r/step_3_rank_1.jsonl': 'chat',
      'r/step_4_rank_0.jsonl': 'chat',
      'r/rank_0.jsonl': 'chat',
      'r/rank_1.jsonl': 'chat',
      'r/eval-00000-of-00002.jsonl': 'chat',
      'r/eval-00001-of-00002.jsonl': 'chat',
    },
    runs: [
      ['r', 'eval-*-of-00002.jsonl', 'null null'],
      ['r', 'rank_*.jsonl', 'null null'],
      ['r', 'step_#_rank_*.jsonl', '3 3 4'],
    ],
  },
  {
    name: 'ranks as folders, above steps, below them and in between',
    files: {
      'a/rank0/step_1.jsonl': 'chat',
      'a/rank1/step_1.jsonl': 'chat',
      'a/rank1/step_2.jsonl.gz': 'chat',
      'b/step_1/rank_0/log.jsonl': 'chat',
      'b/step_2/rank_1/log.jsonl': 'chat',
      'c/rank0/step_1/log.jsonl': 'chat',
      'c/rank1/step_1/log.jsonl': 'chat',
      'd/rank0/train_step_1_epoch_0/episode_hash1_ida.json': 'rllm',
      'd/rank1/train_step_1_epoch_0/episode_hash1_ida.json': 'rllm',
    },
    runs: [
      ['a', 'rank*/step_#.jsonl', '1 1 2'],
      ['b', 'step_#/rank_*/log.jsonl', '1 2'],
      ['c', 'rank*/step_#/log.jsonl', '1 1'],
      ['d', 'rank*/train_step_#_epoch_#/**', '1 1'],
    ],
  },
  {
    name: 'the folder of one rank, opened by itself',
    files: { 'a/rank0/step_1.jsonl': 'chat', 'a/rank0/step_2.jsonl': 'chat', 'a/rank1/step_1.jsonl': 'chat' },
    open: 'a/rank0',
    runs: [['', 'step_#.jsonl', '1 2']],
  },
  {
    name: 'old steps are compressed, and one still lies beside its copy',
    files: { 'x/1.jsonl.gz': 'chat', 'x/2.jsonl.gz': 'chat', 'x/2.jsonl': 'chat', 'x/3.jsonl.gzip': 'chat' },
    runs: [['x', '#.jsonl', '1 2 3']],
  },
];

describe('runs over folders of steps', () => {
  it.each(cases)('$name', async ({ files, open = '', runs }) => {
    const root = await temporaryFolder();
    await put(root, files);
    const found = await scanTree([join(root, open)], { heads: createFileHeads(tables) });
    const formed = found.runs.map(({ path, pattern, files: members }) => [
      relative(join(root, open), path),
      pattern ?? '',
      members.map(({ step }) => String(step)).join(' '),
    ]);
    expect(formed.sort()).toEqual(runs);
    expect(new Set(found.runs.map(({ id }) => id)).size).toBe(runs.length);
    expect(new Set(found.runs.map(({ name }) => name)).size).toBe(runs.length);
  });
});

describe('a run over folders of steps', () => {
  it('has their steps, follows the training, and loses what is deleted', async () => {
    const root = await temporaryFolder();
    await put(root, { 'e/global_step_5_evals/gsm8k.jsonl': 'skyrl', 'e/global_step_10_evals/gsm8k.jsonl': 'skyrl' });
    const engine = await testEngine();
    const run = await engine.openAndRead(join(root, 'e'));
    expect(run).toMatchObject({ name: 'e', hasSteps: true, steps: 2, firstStep: 5, lastStep: 10, files: 2 });
    const rows = await engine.rows(run.id);
    expect([...new Set(rows.map(({ step, ref }) => `${step} ${ref.file}`))]).toEqual([
      '5 global_step_5_evals/gsm8k.jsonl',
      '10 global_step_10_evals/gsm8k.jsonl',
    ]);
    const path = join(root, 'e/global_step_10_evals/gsm8k.jsonl');
    expect(await engine.ask('locate', { path, line: 0 })).toMatchObject({ step: 10, ref: { run: run.id, row: 0 } });
    await put(root, { 'e/global_step_15_evals/gsm8k.jsonl': 'skyrl', 'e/global_step_15_evals/math.jsonl': 'skyrl' });
    await until('the new step is read', async () => {
      await engine.engine.library.tick();
      const now = await engine.ask('runs', {});
      return now.find(({ id }) => id === run.id)?.lastStep === 15 && now.length === 2;
    });
    await write(path, '');
    await until('the emptied file is gone', async () => {
      await engine.engine.library.tick();
      return (await engine.ask('runs', {})).find(({ id }) => id === run.id)?.steps === 2;
    });
  });

  it('has one group of a prompt whose rollouts several ranks wrote', async () => {
    const root = await temporaryFolder();
    const record = (ask: string, reward: number): string =>
      `${JSON.stringify({ prompt: ask, response: `Because of ${reward}.`, reward })}\n`;
    await write(join(root, 'run/step_3_rank_0.jsonl'), record('Why?', 1) + record('How?', 0));
    await write(join(root, 'run/step_3_rank_1.jsonl'), record('Why?', 0) + record('How?', 1));
    const engine = await testEngine();
    const run = await engine.openAndRead(join(root, 'run'));
    expect(run).toMatchObject({ files: 2, steps: 1, firstStep: 3, rollouts: 4, groups: 2 });
    const rows = await engine.rows(run.id);
    expect(rows.map(({ groupSize, accAdvantage }) => `${groupSize} ${accAdvantage?.toFixed(3)}`)).toEqual([
      '2 0.707',
      '2 -0.707',
      '2 -0.707',
      '2 0.707',
    ]);
  });

  it('says what it leaves out of a folder with copies', async () => {
    const root = await temporaryFolder();
    await put(root, { 'x/2.jsonl.gz': 'chat', 'x/2.jsonl': 'chat' });
    const { notes } = await scanTree([join(root, 'x')], { heads: createFileHeads(tables) });
    expect(notes.map(({ message }) => message)).toEqual([
      'not read, since 2.jsonl lies beside it, unpacked or in another packing',
    ]);
  });

  it.each([
    ['epoch_1.jsonl', 'epoch_2.jsonl'],
    ['epoch_1/rollouts.jsonl', 'epoch_2/rollouts.jsonl'],
    ['epoch-1/rank0/rollouts.jsonl', 'epoch-2/rank0/rollouts.jsonl'],
  ])('says that its steps are epochs: %s', async (...files) => {
    const root = await temporaryFolder();
    const record = JSON.stringify({ prompt: 'Why?', response: 'Because.', reward: 1 });
    for (const file of files) await write(join(root, 'run', file), `${record}\n`);
    const engine = await testEngine();
    const run = await engine.openAndRead(join(root, 'run'));
    expect(run).toMatchObject({ files: 2, steps: 2, firstStep: 1, lastStep: 2, notes: 1 });
    const { rows } = await engine.ask('notes', { run: run.id, first: 0, count: 9 });
    expect(rows.map(({ message }) => message)).toEqual([
      'its files are numbered by epoch: what is called a step here is an epoch',
    ]);
  });

  it('is one run too where its fields are mapped by hand, for all steps at once', async () => {
    const root = await temporaryFolder();
    const record = (points: number): string => `${JSON.stringify({ ask: 'What?', said: { text: 'This.' }, points })}\n`;
    for (const step of [1, 2]) await write(join(root, `x/step_${step}/own.jsonl`), record(step));
    const engine = await testEngine();
    await expect(engine.ask('open', { path: root })).rejects.toThrow(/no rollout log/);
    const path = join(root, 'x/step_1/own.jsonl');
    const { guess } = await engine.ask('mappingForm', { path });
    const mapping = { ...guess, prompt: 'ask', response: 'said.text', reward: 'points' };
    const { folder, reopen } = await engine.ask('saveMapping', { path, mapping });
    expect([folder, reopen]).toEqual([join(root, 'x'), [join(root, 'x')]]);
    const run = await engine.openAndRead(join(root, 'x'));
    expect(run).toMatchObject({ name: 'x', steps: 2, firstStep: 1, lastStep: 2, rollouts: 2 });
    expect((await engine.rows(run.id)).map(({ step, reward }) => [step, reward])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    const removed = await engine.ask('saveMapping', { path, mapping: null });
    expect(removed.reopen).toEqual([join(root, 'x')]);
    expect(await engine.ask('runs', {})).toEqual([]);
  });
});

describe('the number of the step in a name', () => {
  it.each([
    ['step_3_rank_3.jsonl', 3, 'step_#_rank_3.jsonl'],
    ['rank_3_step_3.jsonl', 3, 'rank_3_step_#.jsonl'],
    ['12.jsonl', 12, '#.jsonl'],
    ['run7-7.jsonl', 7, 'run7-#.jsonl'],
  ])('%s', (name, step, expected) => {
    const digits = stepDigits(name, step);
    expect(digits && `${name.slice(0, digits.first)}#${name.slice(digits.end)}`).toBe(expected);
  });

  it('is none where nothing equals it', () => {
    expect(stepDigits('a1.jsonl', 2)).toBeNull();
  });
});
