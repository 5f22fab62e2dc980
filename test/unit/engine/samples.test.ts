/** Columns of single rollouts through the engine: they are the table's numbers, and pages of one download fit together. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SampleColumn, SampleColumns, SamplesPage } from '../../../src/protocol/samples.ts';
import { writeMetisRun } from '../../generate/metisRun.mjs';
import { testEngine, type TestEngine } from './engineOfTests.ts';
import { dump, temporaryFolder, write } from './logs.ts';

const allColumns: readonly SampleColumn[] = [
  'key',
  'step',
  'group',
  'prompt',
  'correct',
  'calls',
  'failedCalls',
  'redundantCalls',
  'accReward',
  'accAdvantage',
  'toolAdvantage',
  'loggedAdvantage',
  'length',
  'masked',
  'truncated',
];

async function generatedRun(): Promise<string> {
  const directory = join(await temporaryFolder(), 'hdpo');
  await writeMetisRun({ directory, steps: 3, promptsPerStep: 4, rolloutsPerPrompt: 8, seed: 3 });
  return directory;
}

function column<Name extends SampleColumn>(page: SamplesPage, name: Name): SampleColumns[Name] {
  const found = page.columns[name];
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

async function wholeRun(ask: TestEngine['ask'], run: string): Promise<SamplesPage> {
  const page = await ask('samples', { run, columns: allColumns, first: 0 });
  expect(column(page, 'key')).toHaveLength(page.total);
  return page;
}

describe('columns of rollouts', () => {
  it('are those of the rows, in the order step, file, row', async () => {
    const { ask, openAndRead, rows } = await testEngine();
    const run = await openAndRead(await generatedRun());
    const page = await wholeRun(ask, run.id);
    expect(page).toMatchObject({ run: run.id, first: 0, total: 96, lengthIsEstimate: false });
    const listed = await rows(run.id);
    const found = await ask('rowsOf', { run: run.id, keys: column(page, 'key') });
    expect(found).toEqual(listed);
    listed.forEach((row, i) => {
      expect(page.columns.step?.[i]).toBe(row.step);
      expect(page.columns.calls?.[i]).toBe(row.calls);
      expect(page.columns.correct?.[i]).toBe(row.correct === null ? 2 : Number(row.correct));
      expect(page.columns.accReward?.[i]).toBe(Math.fround(row.accReward ?? Number.NaN));
      expect(page.columns.accAdvantage?.[i]).toBe(Math.fround(row.accAdvantage ?? Number.NaN));
      expect(page.columns.toolAdvantage?.[i]).toBe(Math.fround(row.toolAdvantage ?? Number.NaN));
      expect(page.columns.loggedAdvantage?.[i]).toBeNaN();
      expect(page.columns.redundantCalls?.[i]).toBe(row.redundantCalls);
      expect(page.columns.length?.[i]).toBeGreaterThan(0);
    });
    const groupOfRow = (i: number): string => `${listed[i]?.step} ${listed[i]?.group}`;
    const keys = new Map<number, string>();
    column(page, 'group').forEach((group, i) => {
      expect(keys.get(group) ?? groupOfRow(i)).toBe(groupOfRow(i));
      keys.set(group, groupOfRow(i));
    });
    expect([...keys.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, group) => group));
  });

  it('give the rows of keys in the given order and leave out those that are gone', async () => {
    const { ask, openAndRead, rows } = await testEngine();
    const run = await openAndRead(await generatedRun());
    const keys = column(await wholeRun(ask, run.id), 'key');
    const listed = await rows(run.id);
    const wanted = [keys[5], 1e15, keys[2], Number.NaN].map(Number);
    expect(await ask('rowsOf', { run: run.id, keys: Float64Array.from(wanted) })).toEqual([listed[5], listed[2]]);
    expect(await ask('rowsOf', { run: run.id, keys: new Float64Array() })).toEqual([]);
  });

  it('have another version after a change, the same without one, and only columns that were asked for', async () => {
    const { ask, openAndRead, settled } = await testEngine();
    const directory = join(await temporaryFolder(), 'run');
    await write(join(directory, '1.jsonl'), dump({ right: true }, { right: false }));
    const run = await openAndRead(directory);
    const first = await wholeRun(ask, run.id);
    const again = await ask('samples', { run: run.id, columns: ['calls', 'calls'], first: 1 });
    expect(again).toMatchObject({ version: first.version, first: 1, total: 2 });
    expect(Object.keys(again.columns)).toEqual(['calls']);
    expect(again.columns.calls).toHaveLength(1);
    const none = await ask('samples', { run: run.id, columns: ['calls'], first: 99 });
    expect(none.columns.calls).toHaveLength(0);
    await writeFile(join(directory, '2.jsonl'), dump({ step: 2 }));
    await expect.poll(async () => (await settled(run.id)).rollouts, { timeout: 20_000 }).toBe(3);
    const later = await wholeRun(ask, run.id);
    expect(later.total).toBe(3);
    expect(later.version).toBeGreaterThan(first.version);
    const unknown = ask('samples', { run: run.id, columns: ['nothing' as SampleColumn], first: 0 });
    await expect(unknown).rejects.toThrow('no column nothing');
  });

  it('name a prompt by what its groups share', async () => {
    const { ask, openAndRead } = await testEngine();
    const directory = join(await temporaryFolder(), 'run');
    await write(join(directory, '1.jsonl'), dump({ prompt: 1 }, { prompt: 2 }, { prompt: 1 }));
    await write(join(directory, '2.jsonl'), dump({ step: 2, prompt: 2 }, { step: 2, prompt: 1 }));
    const page = await wholeRun(ask, (await openAndRead(directory)).id);
    expect([...column(page, 'group')]).toEqual([0, 1, 0, 2, 3]);
    const [a, b, ...rest] = column(page, 'prompt');
    expect(new Set([a, b])).toEqual(new Set([0, 1]));
    expect(rest).toEqual([a, b, a]);
  });
});

describe('the prompts of a run', () => {
  const line = (step: number, uid: string, prompt: string): string =>
    `${JSON.stringify({ step, uid, prompt, response: 'An answer.', reward: 1 })}\n`;
  const promptsOf = async (lines: readonly string[]): Promise<readonly number[]> => {
    const { ask, openAndRead } = await testEngine();
    const run = await openAndRead(await write(join(await temporaryFolder(), 'own.jsonl'), lines.join('')));
    return [...column(await wholeRun(ask, run.id), 'prompt')];
  };

  it('are named by an id that comes back with its question', async () => {
    const lines = [line(1, 'a', 'One?'), line(1, 'b', 'Two?'), line(2, 'a', 'One?'), line(2, 'b', 'Two?')];
    const [one, two, again, twice] = await promptsOf(lines);
    expect([again, twice]).toEqual([one, two]);
    expect(one).not.toBe(two);
  });

  it('are not named by ids that count from 0 in every step', async () => {
    const lines = [line(1, '0', 'One?'), line(1, '1', 'Two?'), line(2, '0', 'Three?'), line(2, '1', 'One?')];
    const [one, two, three, again] = await promptsOf(lines);
    expect(new Set([one, two, three]).size).toBe(3);
    expect(again).toBe(one);
  });
});
