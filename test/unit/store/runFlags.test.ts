/** The flagged calls of an open run: which settings count what, out of shards and out of columns, without reading a log. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildCall } from '../../../src/model/builder.ts';
import { defaultThresholds } from '../../../src/model/ruleThresholds.ts';
import { appendRollout, createRolloutColumns, finishColumns } from '../../../src/store/columnArrays.ts';
import { flagPatterns, flagsBySteps, flagTotals } from '../../../src/store/flagQuestions.ts';
import { rolloutsPage } from '../../../src/store/questions.ts';
import type { CallFlags } from '../../../src/store/rolloutValues.ts';
import type { FlagRules } from '../../../src/store/runFlags.ts';
import { openRunTable, type RunFile, type RunPart, type RunTable } from '../../../src/store/runTable.ts';
import { openShardStore } from '../../../src/store/shardStore.ts';
import { databaseOfTests, derivedOf, keyOf, metaOf, rolloutAtRow, temporaryFolder } from './storeOfTests.ts';

const none: CallFlags = { rules: [], measured: {} };
const flag = (...rules: string[]): CallFlags => ({ rules, measured: {} });

/** Rollout `row` of a step: its calls by tool, latency in ms and flags. */
const rollouts: readonly (readonly (readonly [tool: string, latencyMs: number | null, flags: CallFlags])[])[] = [
  [
    ['python', 10, none],
    ['python', 20, flag('repeat')],
    ['python', 40, flag('repeat', 'no-new-information')],
  ],
  [['zoom', null, { rules: ['near-repeat'], measured: { cropOverlap: 0.92 } }]],
  [
    ['zoom', 5, { rules: [], measured: { cropOverlap: 0.8 } }],
    ['search', 7, { rules: ['near-repeat'], measured: { sharedLinks: 0.85 } }],
  ],
  [],
];

function columnsOfStep() {
  const builder = createRolloutColumns();
  rollouts.forEach((calls, row) => {
    const logged = calls.map(([tool, latencyMs]) => buildCall({ turn: 1, tool, raw: 'x', outcome: 'ok', latencyMs }));
    const flags = calls.map(([, , one]) =>
      one.rules.includes('no-new-information') ? { ...one, measured: { knownShare: 0.97 } } : one,
    );
    appendRollout(builder, rolloutAtRow(row, { calls: logged }), flags);
  });
  return finishColumns(builder);
}

/** Two steps with the same rollouts: the first out of a shard, the second out of columns that no folder took. */
async function twoSteps(): Promise<RunTable> {
  const database = await databaseOfTests();
  const store = await openShardStore({ folder: join(await temporaryFolder(), 'index'), database });
  const result = await store.write(keyOf('one'), columnsOfStep(), metaOf(rollouts.length));
  if (!result.written) throw new Error(result.reason);
  const { rolloutsPath, callsPath } = result.shard;
  const shard: RunPart = { kind: 'shard', id: 'one', rolloutsPath, callsPath };
  const files: readonly RunFile[] = [
    { file: '1.jsonl', stepFromName: 1, parts: [shard] },
    { file: '2.jsonl', stepFromName: 2, parts: [{ kind: 'columns', id: 'two', columns: columnsOfStep() }] },
  ];
  const run = await openRunTable(database, 'flags');
  await run.setFiles(files);
  const batch = await run.columnsForAdvantages(null);
  const siblingCalls = Uint32Array.from({ length: batch.count }, (_, i) => (i === 2 ? 1 : 0));
  await run.setDerived(batch, { ...derivedOf(batch, () => 0), siblingCalls });
  return run;
}

const rules = (change: Partial<FlagRules> = {}): FlagRules => ({ off: [], ...defaultThresholds, ...change });
const all = { step: null, group: null, sort: null, descending: false, wrong: false, withCalls: false };
const any = { ...all, redundant: false, pattern: null, text: '', first: 0, count: 100 };

const counted = async (run: RunTable) =>
  (await rolloutsPage(run, { ...any, step: 1 })).rows.map(({ redundantCalls, wastedMs }) => [redundantCalls, wastedMs]);

describe('flags of a run', () => {
  it('are counted by tool and rule, a call with two rules once in the totals', async () => {
    const run = await twoSteps();
    expect(await flagTotals(run)).toEqual({ calls: 12, flagged: 8, intrinsic: 8, sibling: 1 });
    const both = { firstStep: 1, lastStep: 2 };
    expect(await flagPatterns(run, 500)).toEqual([
      { tool: 'python', rule: 'repeat', calls: 4, rollouts: 2, latencyMs: 120, ...both },
      { tool: 'search', rule: 'near-repeat', calls: 2, rollouts: 2, latencyMs: 14, ...both },
      { tool: 'zoom', rule: 'near-repeat', calls: 2, rollouts: 2, latencyMs: null, ...both },
      { tool: 'python', rule: 'no-new-information', calls: 2, rollouts: 2, latencyMs: 80, ...both },
      { tool: null, rule: 'sibling', calls: 1, rollouts: 1, firstStep: 1, lastStep: 1, latencyMs: null },
    ]);
    expect(await flagPatterns(run, 1)).toHaveLength(1);
  });

  it('are the numerators and calls the denominators of each step', async () => {
    const [first, second] = await flagsBySteps(await twoSteps());
    expect(first).toMatchObject({ step: 1, calls: 6 });
    expect(Object.fromEntries(first?.byRule ?? [])).toEqual({
      repeat: 2,
      'near-repeat': 2,
      'no-new-information': 1,
      sibling: 1,
    });
    expect(Object.fromEntries(second?.byTool ?? [])).toEqual({
      python: { flagged: 2, calls: 3 },
      zoom: { flagged: 1, calls: 2 },
      search: { flagged: 1, calls: 1 },
    });
  });

  it('choose the rollouts of a pattern', async () => {
    const run = await twoSteps();
    const places = async (tool: string | null, rule: string) =>
      (await rolloutsPage(run, { ...any, pattern: { tool, rule } })).rows.map(({ step, row }) => [step, row]);
    expect(await places('zoom', 'near-repeat')).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(await places(null, 'sibling')).toEqual([[1, 2]]);
    expect(await places(null, 'repeat')).toEqual([]);
    await run.setRules(rules({ cropOverlap: 0.75 }));
    expect(await places('zoom', 'near-repeat')).toHaveLength(4);
  });

  it('follow the settings, in both directions and back', async () => {
    const run = await twoSteps();
    const usual = [
      [2, 60],
      [1, null],
      [1, 7],
      [0, null],
    ];
    expect(await counted(run)).toEqual(usual);
    const cases: readonly (readonly [
      change: Partial<FlagRules>,
      expected: readonly (readonly [number, number | null])[],
    ])[] = [
      [
        { off: ['repeat'] },
        [
          [1, 40],
          [1, null],
          [1, 7],
          [0, null],
        ],
      ],
      [
        { off: ['repeat', 'no-new-information', 'near-repeat'] },
        [
          [0, null],
          [0, null],
          [0, null],
          [0, null],
        ],
      ],
      [
        { cropOverlap: 0.8 },
        [
          [2, 60],
          [1, null],
          [2, 12],
          [0, null],
        ],
      ],
      [
        { cropOverlap: 0.95, sharedLinks: 0.9 },
        [
          [2, 60],
          [0, null],
          [0, null],
          [0, null],
        ],
      ],
      [{}, usual.map(([calls, wasted]) => [calls ?? 0, wasted ?? null] as const)],
    ];
    for (const [change, expected] of cases) {
      await run.setRules(rules(change));
      expect(await counted(run), JSON.stringify(change)).toEqual(expected);
    }
  });

  it('follow them in rows that come later, and forget those that go', async () => {
    const run = await twoSteps();
    await run.setRules(rules({ off: ['repeat'] }));
    await run.setFiles([
      { file: '3.jsonl', stepFromName: 3, parts: [{ kind: 'columns', id: 'three', columns: columnsOfStep() }] },
    ]);
    const third = await rolloutsPage(run, { ...any, step: 3 });
    expect(third.rows.map(({ redundantCalls }) => redundantCalls)).toEqual([1, 1, 1, 0]);
    expect((await flagsBySteps(run)).map(({ step }) => step)).toEqual([1, 2, 3]);
    await run.setFiles([{ file: '1.jsonl', stepFromName: 1, parts: [] }]);
    expect((await flagPatterns(run, 500)).map(({ firstStep }) => firstStep)).toEqual([2, 2, 2]);
  });

  it('survive a shard whose calls are gone: the question fails, the next settings do not', async () => {
    const run = await twoSteps();
    const gone: RunPart = { kind: 'shard', id: 'x', rolloutsPath: '/nowhere/x', callsPath: '/nowhere/y' };
    await expect(run.setFiles([{ file: '9.jsonl', stepFromName: 9, parts: [gone] }])).rejects.toThrow();
    await run.setRules(rules({ off: ['repeat'] }));
    expect((await counted(run))[0]).toEqual([1, 40]);
  });
});
