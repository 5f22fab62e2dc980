/** Every filter on rows written for it: what it must drop, and near misses that it must not; the user's word above all. */
import { describe, expect, it } from 'vitest';
import { testEngine } from '../engineOfTests.ts';
import { allRows, fixtureQuestion, fixtureRows } from './curationOfTests.ts';

describe.each(['sft', 'rl'] as const)('the rows of stage %s', (stage) => {
  it('are dropped for their first reason, or kept', async () => {
    const engine = await testEngine();
    const question = await fixtureQuestion(engine, stage);
    const rows = await fixtureRows(stage);
    const found = await allRows(engine, question);
    const whyOf = new Map(rows.map(({ row, why }) => [row, why]));
    expect(found.map(({ outcome, row }) => `${whyOf.get(row.ref.row)}: ${outcome}`)).toEqual(
      rows.map(({ why, expected }) => `${why}: ${expected}`),
    );
    for (const { outcome, row } of found) {
      expect(row.filter ?? 'kept', row.question).toBe(outcome);
      expect(row.reason === '', row.question).toBe(outcome === 'kept');
      expect(row.reason).not.toMatch(/undefined|NaN|\?/);
    }
  });

  it('add up, whatever is off', async () => {
    const engine = await testEngine();
    const question = await fixtureQuestion(engine, stage);
    const { stages } = await engine.ask('funnel', question);
    for (let bits = 0; bits < 2 ** stages.length; bits += 1) {
      const off = stages.filter((_, index) => (bits & (1 << index)) > 0).map(({ filter }) => filter);
      const config = { ...question.config, off };
      const funnel = await engine.ask('funnel', { ...question, config });
      let left = funnel.rows;
      for (const { filter, entered, dropped, matches, undecided } of funnel.stages) {
        expect(entered).toBe(left);
        expect(dropped).toBeLessThanOrEqual(matches);
        expect(undecided + dropped).toBeLessThanOrEqual(entered);
        if (off.includes(filter)) expect(dropped).toBe(0);
        left -= dropped;
      }
      expect(funnel.kept).toBe(left);
    }
  });
});

describe('settings', () => {
  it('keep what was made good, and all-right prompts with an efficiency signal', async () => {
    const engine = await testEngine();
    const sft = await fixtureQuestion(engine, 'sft', { onlyUnrecovered: true });
    const made = (await allRows(engine, sft)).find(({ row }) => row.question.startsWith('How long is pier nine'));
    expect(made?.outcome).toBe('kept');
    const rl = await fixtureQuestion(engine, 'rl', { keepEfficiencySignal: true });
    const differs = (await allRows(engine, rl)).find(({ row }) => row.question.includes('Sundays'));
    expect(differs?.outcome).toBe('kept');
  });

  it('move the funnel: samples needed, similarity, context, starting step', async () => {
    const engine = await testEngine();
    const sft = await fixtureQuestion(engine, 'sft');
    const dropped = async (question: typeof sft, filter: string): Promise<number | undefined> =>
      (await engine.ask('funnel', question)).stages.find((one) => one.filter === filter)?.dropped;
    expect(await dropped(sft, 'tool-free-solvable')).toBe(2);
    expect(await dropped({ ...sft, config: { ...sft.config, toolFreeSamples: 7 } }, 'tool-free-solvable')).toBe(3);
    expect(
      await dropped(
        { ...sft, config: { ...sft.config, toolFreeShare: 0.5, toolFreeSamples: 1 } },
        'tool-free-solvable',
      ),
    ).toBe(1);
    expect(await dropped(sft, 'near-duplicate')).toBe(1);
    expect(await dropped({ ...sft, config: { ...sft.config, nearDuplicate: 1 } }, 'near-duplicate')).toBe(0);
    const rl = await fixtureQuestion(engine, 'rl');
    expect(await dropped({ ...rl, config: { ...rl.config, contextTokens: 400 } }, 'too-long')).toBe(2);
    expect(await dropped({ ...rl, config: { ...rl.config, contextTokens: null } }, 'too-long')).toBe(0);
    expect(await dropped(rl, 'no-variance')).toBe(3);
    expect(await dropped({ ...rl, config: { ...rl.config, startStep: 2 } }, 'no-variance')).toBe(2);
    expect(await dropped({ ...rl, config: { ...rl.config, leastRollouts: 7 } }, 'no-variance')).toBe(4);
  });

  it('that are wrong are named in a sentence', async () => {
    const engine = await testEngine();
    const question = await fixtureQuestion(engine, 'sft');
    const wrong = [
      [{ nearDuplicate: 2 }, /nearDuplicate must be a number from 0 to 1/],
      [{ toolFreeSamples: 0 }, /toolFreeSamples must be a whole number/],
      [{ off: ['nonsense'] }, /off must be a list of filters/],
      [{ extra: 1 }, /no curation setting extra/],
    ] as const;
    for (const [more, message] of wrong) {
      const config = { ...question.config, ...more } as typeof question.config;
      await expect(engine.ask('funnel', { ...question, config })).rejects.toThrow(message);
    }
    await expect(engine.ask('funnel', { ...question, runs: [] })).rejects.toThrow('No run is chosen');
  });

  it('take tool-free samples from the run itself only when told, and say that they are self-selected', async () => {
    const engine = await testEngine();
    const question = await fixtureQuestion(engine, 'rl', { stage: 'sft', toolFreeFrom: { kind: 'self' } });
    const { stages, notes } = await engine.ask('funnel', question);
    const stage = stages.find(({ filter }) => filter === 'tool-free-solvable');
    expect(stage?.coverage).toContain('self-selected');
    expect(notes.join(' ')).toContain('own choice');
    const none = await engine.ask('funnel', {
      ...question,
      config: { ...question.config, toolFreeFrom: { kind: 'none' } },
    });
    const off = none.stages.find(({ filter }) => filter === 'tool-free-solvable');
    expect(off).toMatchObject({ dropped: 0, undecided: off?.entered });
  });
});

describe('what the user says', () => {
  it('keeps or drops a row whatever filters say, in every window, and can be taken back', async () => {
    const engine = await testEngine();
    const question = await fixtureQuestion(engine, 'sft');
    const before = await engine.ask('funnel', question);
    const rows = await allRows(engine, question);
    const failed = rows.find(({ outcome }) => outcome === 'execution-failure')?.row;
    const kept = rows.find(({ outcome }) => outcome === 'kept')?.row;
    if (!failed || !kept) throw new Error('no rows');
    await engine.ask('overrule', { key: failed.key, verdict: 'keep' });
    await engine.ask('overrule', { key: kept.key, verdict: 'drop' });
    const after = await engine.ask('funnel', question);
    expect(after).toMatchObject({ kept: before.kept, overruled: 2, byHand: 1 });
    const byHand = await engine.ask('curationRows', { ...question, filter: 'by hand', first: 0, count: 10 });
    expect(byHand.rows).toMatchObject([{ key: kept.key, overruled: 'drop', filter: null, reason: 'You dropped it.' }]);
    const other = await testEngine({ storage: engine.storage });
    const there = await fixtureQuestion(other, 'sft');
    expect(await other.ask('funnel', there)).toEqual(after);
    await engine.ask('overrule', { key: failed.key, verdict: null });
    await engine.ask('overrule', { key: kept.key, verdict: null });
    expect(await engine.ask('funnel', question)).toEqual(before);
    await expect(engine.ask('overrule', { key: '../x', verdict: 'keep' })).rejects.toThrow('This row is gone');
  });

  it('tells exact duplicates apart', async () => {
    const engine = await testEngine();
    const question = await fixtureQuestion(engine, 'sft');
    const rows = (await allRows(engine, question)).filter(({ row }) => row.question.includes('freighter 31'));
    const keys = rows.map(({ row }) => row.key);
    expect(new Set(keys).size).toBe(keys.length);
    const [first] = rows;
    if (!first) throw new Error('no row');
    // The first one gone, the second is no duplicate any more.
    await engine.ask('overrule', { key: first.row.key, verdict: 'drop' });
    const after = (await allRows(engine, question)).filter(({ row }) => row.question.includes('freighter 31'));
    expect(after.map(({ outcome }) => outcome).slice(0, 3)).toEqual(['by hand', 'kept', 'near-duplicate']);
  });
});

it('joins several runs: a prompt is one, whichever run asked it', async () => {
  const engine = await testEngine();
  const sft = await fixtureQuestion(engine, 'sft');
  const rl = await fixtureQuestion(engine, 'rl');
  const [one, other] = [await engine.ask('funnel', sft), await engine.ask('funnel', { ...rl, config: sft.config })];
  const both = await engine.ask('funnel', { runs: [...sft.runs, ...rl.runs], config: sft.config });
  expect(both.rows).toBe(one.rows + other.rows);
  const prompts = async (runs: readonly string[]): Promise<number> =>
    (await engine.ask('funnel', { runs, config: rl.config })).rows;
  expect(await prompts([...sft.runs, ...rl.runs])).toBe((await prompts(sft.runs)) + (await prompts(rl.runs)));
});
