/** The order of rows, duplicates and exports: by step, then file (numbers by value) and row; and sentences about right and wrong. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultCuration, type CurationConfig } from '../../../../src/protocol/curation.ts';
import { testEngine, type TestEngine } from '../engineOfTests.ts';
import { dump, temporaryFolder, write, type LineOptions } from '../logs.ts';

type Files = Readonly<Record<string, readonly LineOptions[]>>;

async function curated(
  files: Files,
  more: Partial<CurationConfig> = {},
): Promise<{
  readonly engine: TestEngine;
  readonly question: { readonly runs: readonly string[]; readonly config: CurationConfig };
}> {
  const folder = await temporaryFolder();
  for (const [name, lines] of Object.entries(files)) await write(join(folder, name), dump(...lines));
  const engine = await testEngine();
  const run = await engine.openAndRead(folder);
  return { engine, question: { runs: [run.id], config: { ...defaultCuration, ...more } } };
}

const all = { filter: 'all' as const, first: 0, count: 100 };
const noDuplicates = { off: ['exact-duplicate', 'near-duplicate'] as const };

const orders: readonly (readonly [what: string, files: Files, expected: readonly string[]])[] = [
  [
    'numbers in file names by value',
    { '1.jsonl': [{ step: 1 }], '2.jsonl': [{ step: 2 }], '10.jsonl': [{ step: 10 }], '100.jsonl': [{ step: 100 }] },
    ['1.jsonl:0', '2.jsonl:0', '10.jsonl:0', '100.jsonl:0'],
  ],
  [
    'files of one step by their numbers',
    { '1.jsonl': [{ step: 3 }], '2.jsonl': [{ step: 3 }], '10.jsonl': [{ step: 3 }] },
    ['1.jsonl:0', '2.jsonl:0', '10.jsonl:0'],
  ],
  [
    'steps before files, where a file has several',
    { '1.jsonl': [{ step: 1 }, { step: 2 }, { step: 3 }], '2.jsonl': [{ step: 1 }, { step: 2 }] },
    ['1.jsonl:0', '2.jsonl:0', '1.jsonl:1', '2.jsonl:1', '1.jsonl:2'],
  ],
  [
    'steps before rows of a file',
    { '1.jsonl': [{ step: 2 }, { step: 1 }], '2.jsonl': [{ step: 0 }] },
    ['2.jsonl:0', '1.jsonl:1', '1.jsonl:0'],
  ],
];

describe('rows come', () => {
  it.each(orders)('with %s, exported ones too', async (_, files, expected) => {
    const numbered = Object.fromEntries(
      Object.entries(files).map(([name, lines], file) => [
        name,
        lines.map((line, row) => ({ ...line, prompt: 1 + 10 * file + row })),
      ]),
    );
    const { engine, question } = await curated(numbered, { off: [...noDuplicates.off] });
    const { rows } = await engine.ask('curationRows', { ...question, ...all });
    expect(rows.map(({ ref }) => `${ref.file}:${ref.row}`)).toEqual(expected);
    const prompts = await engine.ask('curationRows', {
      ...question,
      ...all,
      config: { ...question.config, stage: 'rl' },
    });
    expect(prompts.rows.map(({ ref }) => `${ref.file}:${ref.row}`)).toEqual(expected);
    const path = join(await temporaryFolder(), 'train.jsonl');
    const target = { path, format: 'jsonl', form: 'messages', images: 'files' } as const;
    await engine.ask('exportCuration', { ...question, target });
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    const sources = lines.map((line) => JSON.parse(line) as { source_file: string; source_row: number });
    expect(sources.map((one) => `${one.source_file}:${one.source_row}`)).toEqual(expected);
  });
});

it('keeps of duplicates the one of the first step', async () => {
  const same = { prompt: 1 };
  const { engine, question } = await curated({
    '10.jsonl': [{ ...same, step: 10 }],
    '2.jsonl': [{ ...same, step: 2 }],
    '100.jsonl': [{ ...same, step: 100 }],
  });
  const { rows } = await engine.ask('curationRows', { ...question, ...all });
  expect(rows.map(({ step, filter }) => [step, filter])).toEqual([
    [2, null],
    [10, 'exact-duplicate'],
    [100, 'exact-duplicate'],
  ]);
  expect(rows[1]?.evidence).toContainEqual({ name: 'earlier', value: '2.jsonl:0' });
});

/** A generic log: a reward, a verdict of the log, or nothing. */
async function notesOf(rewards: readonly (number | boolean | null)[]): Promise<string> {
  const folder = await temporaryFolder();
  const lines = rewards.map((reward, index) => ({
    messages: [
      { role: 'user', content: `How many boats are in harbour ${index}?` },
      { role: 'assistant', content: `I count them. ${index}` },
    ],
    step: 1,
    group_id: `q${index}`,
    ...(typeof reward === 'boolean' ? { metadata: { success: reward } } : { reward }),
  }));
  await write(join(folder, 'rows.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const engine = await testEngine();
  const run = await engine.openAndRead(folder);
  const config = { ...defaultCuration, off: [...noDuplicates.off] };
  const { rows, notes } = await engine.ask('funnel', { runs: [run.id], config });
  expect(rows).toBe(rewards.length);
  return notes.join(' ');
}

describe('right and wrong', () => {
  it('are not claimed where nothing is known', async () => {
    const notes = await notesOf([null, null, null]);
    expect(notes).toContain('The log does not say of 3 of 3 trajectories whether they are right (3 of the 3 kept)');
    expect(notes).not.toContain('wrong');
  });

  it('are counted where they are known, among the kept too, with the threshold that decided', async () => {
    const notes = await notesOf([1, 0, 0, null]);
    expect(notes).toContain(
      '2 of 3 trajectories whose correctness is known are wrong; of the 4 kept, 2 are wrong, where the log has only rewards by the threshold 0.5.',
    );
    expect(notes).toContain('of 1 of 4 trajectories whether it is right (1 of the 4 kept)');
  });

  it('name no threshold where the log says it, and nothing where all are right', async () => {
    const notes = await notesOf([true, false]);
    expect(notes).toContain('1 of 2 trajectories is wrong; of the 2 kept, 1 is wrong. No filter');
    expect(await notesOf([true, true])).toBe('');
  });
});
