/** The reload cost of DESIGN.md (400 shards × 1,024 rows): timings are printed, only gross failure is asserted. */
import { copyFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { momentsOfPrompt, rolloutsByKey } from '../../../src/store/promptQuestions.ts';
import { rolloutsPage } from '../../../src/store/questions.ts';
import { openRunTable, type RunPart } from '../../../src/store/runTable.ts';
import { readSampleColumns } from '../../../src/store/sampleColumns.ts';
import { openShardStore } from '../../../src/store/shardStore.ts';
import {
  columnsOf,
  databaseOfTests,
  derivedOf,
  keyOf,
  metaOf,
  okCall,
  rolloutAtRow,
  temporaryFolder,
} from './storeOfTests.ts';

it('opens 400 shards of 1,024 rollouts', { timeout: 120_000 }, async () => {
  const database = await databaseOfTests();
  const store = await openShardStore({ folder: await temporaryFolder(), database });
  const timings: string[] = [];
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    timings.push(`${name} ${(performance.now() - started).toFixed(0)} ms`);
    return result;
  };
  const columns = columnsOf(
    Array.from({ length: 1024 }, (_, row) =>
      rolloutAtRow(row, {
        group: { key: `${row % 128}`, source: 'inferred' },
        question: `Which of the ${row} things in the picture is the one that was named before?`,
        answer: `answer ${row % 7}`,
        calls: row % 2 === 0 ? [okCall()] : [],
        reward: { total: row % 3, correct: row % 3 > 0 },
      }),
    ),
  );
  const keys = Array.from({ length: 400 }, (_, step) => keyOf(`step ${step}`));
  const first = await timed('write a shard', () => store.write(keyOf('step 0'), columns, metaOf(1024)));
  if (!first.written) throw new Error(first.reason);
  const { rolloutsPath, callsPath } = first.shard;
  for (const key of keys.slice(1)) {
    for (const path of [callsPath, rolloutsPath]) await copyFile(path, path.replace(keyOf('step 0'), key));
  }
  const shards = await timed('read what 400 shards say', () => store.read(keys));
  const run = await openRunTable(database, 'scale');
  const fileOf = (step: number, id: string) => {
    const parts: RunPart[] = [
      {
        kind: 'shard',
        id,
        rolloutsPath: shards[step % 400]?.rolloutsPath ?? '',
        callsPath: shards[step % 400]?.callsPath ?? '',
      },
    ];
    return { file: `${step}.jsonl`, stepFromName: step, parts };
  };
  const files = keys.map((key, step) => fileOf(step, key));
  const changed = await timed('load 400 shards', () => run.setFiles(files));
  expect(changed).toHaveLength(400);
  const batch = await timed('columns of 409,600 rollouts', () => run.columnsForAdvantages(null));
  await timed('write 409,600 derived rows', () =>
    run.setDerived(
      batch,
      derivedOf(batch, (index) => index % 1000),
    ),
  );
  const page = {
    step: null,
    group: null,
    descending: true,
    wrong: false,
    withCalls: false,
    redundant: false,
    pattern: null,
    text: '',
  };
  for (const place of [0, 300_000]) {
    const { total } = await timed(`page at ${place} by advantage`, () =>
      rolloutsPage(run, { ...page, sort: 'accAdvantage', first: place, count: 200 }),
    );
    expect(total).toBe(409_600);
  }
  await timed('search for a word', () =>
    rolloutsPage(run, { ...page, sort: null, text: 'picture 77', first: 0, count: 200 }),
  );
  const samples = await timed('columns for the charts', () => readSampleColumns(run));
  expect(samples.count).toBe(409_600);
  const moments = await timed('biography of a prompt', () => momentsOfPrompt(run, { step: 9, group: '7', first: 0 }));
  expect(moments?.total).toBe(400);
  await timed('500 rollouts by key', () => rolloutsByKey(run, [...samples.columns.key.subarray(200_000, 200_500)]));
  await timed('20 more shards', async () => {
    for (let step = 400; step < 420; step += 1) await run.setFiles([fileOf(step, `new ${step}`)]);
  });
  await timed('replace, read and derive one step', async () => {
    const steps = await run.setFiles([fileOf(7, 'again')]);
    const one = await run.columnsForAdvantages(steps);
    await run.setDerived(
      one,
      derivedOf(one, () => 1),
    );
  });
  console.log(timings.join('\n'));
});
