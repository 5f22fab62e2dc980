/** verl V1 logs a multi-output rollout as several records that repeat one score: only the last one counts in means. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testEngine } from './engineOfTests.ts';
import { temporaryFolder, write } from './logs.ts';

const record = (session: number, output: number, score: number): string =>
  JSON.stringify({
    gts: '8',
    input: 'user\n3+5?\nassistant\n',
    output: '\\boxed{8}',
    score,
    step: 4,
    uid: `g_${session}_${output}`,
  });

it('counts each session once and leaves its earlier outputs without advantages', async () => {
  const folder = await temporaryFolder();
  // Out of order, since the trainer balances batches: session 0 has three outputs, sessions 1 and 2 one each.
  const lines = [record(0, 2, 1), record(1, 0, 0), record(0, 0, 1), record(2, 0, 0), record(0, 1, 1)];
  await write(join(folder, '4.jsonl'), `${lines.join('\n')}\n`);
  const { openAndRead, ask, rows } = await testEngine();
  const run = await openAndRead(folder);
  const step = (await ask('steps', { run: run.id, first: 0, count: 1 })).rows[0];
  // Three rollouts, one of them right; with every record counted it would be three of five.
  expect(step).toMatchObject({ step: 4, rollouts: 3, groups: 1 });
  expect(step?.accuracy).toBeCloseTo(1 / 3);
  const byRow = [...(await rows(run.id))].sort((a, b) => a.ref.row - b.ref.row);
  // r = 1, 0, 0: mean 1/3, sample std √(1/3).
  const right = (1 - 1 / 3) / (Math.sqrt(1 / 3) + 1e-6);
  expect(byRow.map((row) => row.accAdvantage?.toFixed(6) ?? null)).toEqual(
    [right, -right / 2, null, -right / 2, null].map((value) => value?.toFixed(6) ?? null),
  );
  expect(byRow.map(({ groupSize }) => groupSize)).toEqual([3, 3, 3, 3, 3]);
  // Charts and the group view count the same three.
  const samples = await ask('samples', { run: run.id, columns: ['correct', 'group'], first: 0 });
  expect([...(samples.columns.correct ?? [])]).toEqual([1, 0, 0]);
  const group = await ask('groupOf', { run: run.id, step: 4, key: byRow[0]?.group ?? '' });
  expect(group.members.map(({ row }) => row.ref.row)).toEqual([0, 1, 3]);
  const life = await ask('biography', { run: run.id, step: 4, key: byRow[0]?.group ?? '', first: 0 });
  expect(life.rows).toMatchObject([{ step: 4, size: 3, correct: 1, callsMean: 0 }]);
  const { findings } = await ask('doctor', { run: run.id });
  expect(findings.map(({ code }) => code)).toEqual([
    'equal-answers-different-verdicts',
    'answer-equals-truth-scored-wrong',
    'advantage-not-logged',
    'threshold-used',
    'tokens-not-logged',
  ]);
});
