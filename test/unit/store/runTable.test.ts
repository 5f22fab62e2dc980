import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Rollout } from '../../../src/model/rollout.ts';
import { endedByLimit } from '../../../src/model/stopReason.ts';
import { rolloutAt, rolloutsPage, runCounts } from '../../../src/store/questions.ts';
import { openRunTable, type AdvantageColumns, type RunFile, type RunTable } from '../../../src/store/runTable.ts';
import { openShardStore } from '../../../src/store/shardStore.ts';
import { columnsOf, databaseOfTests, derivedOf, keyOf, metaOf, rolloutAtRow, temporaryFolder } from './storeOfTests.ts';

const database = await databaseOfTests();
const store = await openShardStore({ folder: join(await temporaryFolder(), "a=1 [b] it's"), database });
let runs = 0;

async function newRun(): Promise<RunTable> {
  runs += 1;
  return openRunTable(database, `run "${runs}"`);
}

/** A file of one part in memory. */
function fileOf(file: string, stepFromName: number | null, rollouts: readonly Rollout[], id = 'only'): RunFile {
  return { file, stepFromName, parts: [{ kind: 'columns', id, columns: columnsOf(rollouts) }] };
}

async function shardPart(id: string, rollouts: readonly Rollout[]) {
  const result = await store.write(keyOf(id), columnsOf(rollouts), metaOf(rollouts.length));
  if (!result.written) throw new Error(result.reason);
  return { kind: 'shard', id, rolloutsPath: result.shard.rolloutsPath, callsPath: result.shard.callsPath } as const;
}

function rows(count: number, draft: Parameters<typeof rolloutAtRow>[1] = {}): readonly Rollout[] {
  return Array.from({ length: count }, (_, row) => rolloutAtRow(row, draft));
}

async function idsOf(run: RunTable): Promise<readonly (string | null)[]> {
  const all = { step: null, group: null, sort: null, descending: false, wrong: false, withCalls: false };
  const page = await rolloutsPage(run, { ...all, redundant: false, pattern: null, text: '', first: 0, count: 500 });
  return page.rows.map(({ id }) => id);
}

describe('setFiles', () => {
  it('takes the step of the record, else of the name, else 0', async () => {
    const run = await newRun();
    const changed = await run.setFiles([
      fileOf('a', 5, [rolloutAtRow(0, { step: 9 }), rolloutAtRow(1)]),
      fileOf('b', null, [rolloutAtRow(0)]),
    ]);
    expect(changed).toEqual([0, 5, 9]);
  });

  it('replaces a file and names the steps it was in and is in', async () => {
    const run = await newRun();
    await run.setFiles([fileOf('a', 1, rows(3, { id: 'a' })), fileOf('b', 2, rows(2, { id: 'b' }))]);
    expect(await run.setFiles([fileOf('a', 3, rows(1, { id: 'new' }), 'other')])).toEqual([1, 3]);
    expect(await idsOf(run)).toEqual(['b', 'b', 'new']);
    expect(await run.setFiles([{ file: 'b', stepFromName: 2, parts: [] }])).toEqual([2]);
    expect(await idsOf(run)).toEqual(['new']);
    expect(await run.setFiles([{ file: 'never seen', stepFromName: 2, parts: [] }])).toEqual([]);
    expect(await run.setFiles([])).toEqual([]);
  });

  it('loads only the parts it does not have', async () => {
    const run = await newRun();
    const [head, tail] = [await shardPart('head', rows(2, { id: 'head' })), await shardPart('tail', [rolloutAtRow(2)])];
    await run.setFiles([{ file: 'a', stepFromName: 1, parts: [head] }]);
    // Were the head read again, this would fail: its file does not exist any more.
    const gone = { ...head, rolloutsPath: '/nowhere/gone.parquet' };
    expect(await run.setFiles([{ file: 'a', stepFromName: 1, parts: [gone, tail] }])).toEqual([1]);
    expect(await idsOf(run)).toEqual(['head', 'head', null]);
    expect(await run.setFiles([{ file: 'a', stepFromName: 1, parts: [gone, tail] }])).toEqual([]);
  });

  it('loads many shards at once, equal files from one shard', async () => {
    const run = await newRun();
    const parts = await Promise.all([0, 1, 2, 3, 4, 5].map((i) => shardPart(`many ${i}`, rows(3, { id: `${i}` }))));
    const files = parts.map((part, i) => ({ file: `${i}.jsonl`, stepFromName: i, parts: [part] }));
    const twin = { file: 'twin of 0', stepFromName: 7, parts: parts.slice(0, 1) };
    expect(await run.setFiles([...files, twin])).toEqual([0, 1, 2, 3, 4, 5, 7]);
    const expected = [0, 1, 2, 3, 4, 5, 0].flatMap((i) => [`${i}`, `${i}`, `${i}`]);
    expect(await idsOf(run)).toEqual(expected);
    expect(await rolloutAt(run, 'twin of 0', 2)).toMatchObject({ step: 7, id: '0' });
  });

  it('changes nothing when a part cannot be read or it is cancelled', async () => {
    const run = await newRun();
    await run.setFiles([fileOf('a', 1, rows(2, { id: 'a' }))]);
    const broken = {
      kind: 'shard',
      id: 'x',
      rolloutsPath: '/nowhere/x.parquet',
      callsPath: '/nowhere/y.parquet',
    } as const;
    const change = [fileOf('a', 1, rows(5), 'other'), { file: 'b', stepFromName: 2, parts: [broken] }];
    await expect(run.setFiles(change)).rejects.toThrow(/nowhere/);
    await expect(run.setFiles([fileOf('a', 1, [], 'third')], AbortSignal.abort())).rejects.toThrow(/abort/i);
    expect(await idsOf(run)).toEqual(['a', 'a']);
    expect(await run.setFiles([fileOf('a', 1, rows(1), 'other')])).toEqual([1]);
    expect(await idsOf(run)).toEqual([null]);
  });

  it('may be called again before the last call has ended', async () => {
    const run = await newRun();
    const calls = Array.from({ length: 20 }, (_, i) => run.setFiles([fileOf('a', i, rows(2, { id: `${i}` }), `${i}`)]));
    await Promise.all(calls);
    expect(await idsOf(run)).toEqual(['19', '19']);
  });
});

describe('columnsForAdvantages and setDerived', () => {
  const group = (key: string) => ({ group: { key, source: 'logged' as const } });

  it('orders by step, file and row, and numbers groups by first appearance', async () => {
    const run = await newRun();
    const keys = (...names: string[]) => names.map((name, row) => rolloutAtRow(row, { ...group(name), id: name }));
    await run.setFiles([
      fileOf('z', 1, keys('q', 'p')),
      fileOf('b', 2, keys('p', 'x', 'p')),
      fileOf('a', 2, keys('x')),
    ]);
    const batch = await run.columnsForAdvantages(null);
    expect([...batch.step]).toEqual([1, 1, 2, 2, 2, 2]);
    // Step 1: q, p; step 2: a's x, then b's p, x, p. Key p of step 2 is another group than that of step 1.
    expect([...batch.group]).toEqual([0, 1, 2, 3, 2, 3]);
    const second = await run.columnsForAdvantages([2]);
    expect([...second.group]).toEqual([0, 1, 0, 1]);
    expect(await run.columnsForAdvantages([])).toMatchObject({ count: 0 });
  });

  it('gives NaN and 2 for what is not logged', async () => {
    const run = await newRun();
    const known = { reward: { total: 0.5, correct: false }, modelTokens: 7, masked: true, loggedAdvantage: -1 };
    await run.setFiles([fileOf('a', 1, [rolloutAtRow(0), rolloutAtRow(1, known)])]);
    const batch = await run.columnsForAdvantages(null);
    expect([...batch.reward]).toEqual([Number.NaN, 0.5]);
    expect([...batch.correctLogged]).toEqual([2, 0]);
    expect([...batch.modelTokens]).toEqual([Number.NaN, 7]);
    expect([...batch.loggedAdvantage]).toEqual([Number.NaN, -1]);
    expect([...batch.masked]).toEqual([0, 1]);
  });

  it('says as endedByLimit does which rollouts a limit ended', async () => {
    const run = await newRun();
    const reasons = ['length', 'MaxIterationsReached', 'token limit', 'stop', 'exit_cost', 'time limit', '', null];
    const rows = reasons.map((stopReason, row) => rolloutAtRow(row, { stopReason }));
    await run.setFiles([fileOf('a', 1, rows)]);
    const { truncated } = await run.columnsForAdvantages(null);
    expect([...truncated]).toEqual(reasons.map(endedByLimit));
    expect([...truncated]).toEqual([1, 1, 1, 0, 0, 0, 2, 2]);
  });

  it('writes back by row, in whole or for one step', async () => {
    const run = await newRun();
    await run.setFiles([fileOf('a', 1, rows(3)), fileOf('b', 2, rows(3))]);
    const all = await run.columnsForAdvantages(null);
    await run.setDerived(
      all,
      derivedOf(all, (index) => index / 2),
    );
    const second = await run.columnsForAdvantages([2]);
    const derived = derivedOf(second, (index) => (index === 0 ? Number.NaN : -index));
    await run.setDerived(second, { ...derived, correct: Uint8Array.of(0, 1, 2) });
    expect(await rolloutAt(run, 'a', 2)).toMatchObject({ member: 3, accAdvantage: 1, correct: true });
    expect(await rolloutAt(run, 'b', 0)).toMatchObject({ member: 1, accAdvantage: null, correct: false });
    expect(await rolloutAt(run, 'b', 2)).toMatchObject({ member: 3, accAdvantage: -2, correct: null });
  });

  it('drops what belongs to rows that were replaced meanwhile', async () => {
    const run = await newRun();
    await run.setFiles([fileOf('a', 1, rows(2)), fileOf('b', 1, rows(1))]);
    const batch: AdvantageColumns = await run.columnsForAdvantages([1]);
    await run.setFiles([fileOf('a', 1, rows(2), 'rewritten')]);
    await run.setDerived(
      batch,
      derivedOf(batch, () => 5),
    );
    expect(await rolloutAt(run, 'a', 0)).toMatchObject({ member: 0, accAdvantage: null });
    expect(await rolloutAt(run, 'b', 0)).toMatchObject({ member: 3, accAdvantage: 5 });
  });

  it('keeps group ordinals whole over more than one batch of steps', async () => {
    const run = await newRun();
    const size = 30_000;
    const files = [0, 1, 2].map((step) =>
      fileOf(
        `${step}`,
        step,
        Array.from({ length: size }, (_, row) => rolloutAtRow(row, group(`${row % 10_000}`))),
      ),
    );
    await run.setFiles(files);
    const batch = await run.columnsForAdvantages(null);
    expect(batch.count).toBe(3 * size);
    let wrong = 0;
    batch.group.forEach((ordinal, i) => {
      if (ordinal !== Math.floor(i / size) * 10_000 + (i % 10_000)) wrong += 1;
    });
    expect(wrong).toBe(0);
    await run.setDerived(
      batch,
      derivedOf(batch, (index) => index),
    );
    expect(await rolloutAt(run, '2', size - 1)).toMatchObject({ member: 3, accAdvantage: 3 * size - 1 });
    expect(await runCounts(run)).toMatchObject({ steps: 3, rollouts: 3 * size, groups: 30_000 });
  });
});

it('gives the memory of replaced and closed runs back', async () => {
  const own = await databaseOfTests();
  const run = await openRunTable(own, 'live');
  const used = async () => {
    await own.compact();
    const memory = await own.rows({ sql: 'SELECT sum(memory_usage_bytes)::BIGINT AS bytes FROM duckdb_memory()' });
    return Number(memory[0]?.['bytes']);
  };
  const columns = rows(2000, { id: 'x'.repeat(100) });
  for (let i = 0; i < 5; i += 1) await run.setFiles([fileOf('a', 1, columns, `${i}`)]);
  const before = await used();
  for (let i = 5; i < 60; i += 1) await run.setFiles([fileOf('a', 1, columns, `${i}`)]);
  expect(await used()).toBeLessThan(before * 2 + 2_000_000);
  await run.close();
  expect(await used()).toBeLessThan(1_000_000);
  await openRunTable(own, 'live');
});
