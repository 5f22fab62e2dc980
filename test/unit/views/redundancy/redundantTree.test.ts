/** The rows of "Redundant Calls": which there are, in which order, and what they say. */
import { describe, expect, test } from 'vitest';
import type { RunSummary } from '../../../../src/protocol/engine.ts';
import type { FlagPattern, RedundancyOverview, RulePrecision } from '../../../../src/protocol/flags.ts';
import { offenderTexts, patternTexts, runTexts } from '../../../../src/views/redundancy/patternTexts.ts';
import {
  redundantChildren,
  redundantRoots,
  type RedundancyEngine,
} from '../../../../src/views/redundancy/redundantTree.ts';
import { row } from '../../transcript/sampleRollouts.ts';
import { run } from '../runsTree/fixtures.ts';
import { l10n } from '../translator.ts';

const repeat: FlagPattern = {
  tool: 'python',
  rule: 'repeat',
  calls: 412,
  rollouts: 380,
  firstStep: 1,
  lastStep: 20,
  latencyMs: 240_000,
};
const search: FlagPattern = {
  ...repeat,
  tool: null,
  rule: 'near-repeat',
  calls: 96,
  firstStep: 3,
  lastStep: 3,
  latencyMs: null,
};
const wasteful: RedundancyOverview = {
  calls: 9310,
  flagged: 1204,
  intrinsic: 1150,
  sibling: 104,
  patterns: [repeat, search],
};
const lean: RedundancyOverview = { calls: 12, flagged: 0, intrinsic: 0, sibling: 0, patterns: [] };
const precision: RulePrecision = { rule: 'repeat', confirmed: 6, dismissed: 2, precision: 0.75, low: 0.41, high: 0.93 };

function engine(overviews: Readonly<Record<string, RedundancyOverview>>): RedundancyEngine & { asked: unknown[] } {
  const asked: unknown[] = [];
  return {
    asked,
    redundancy: ({ run: id }) => Promise.resolve(overviews[id] ?? lean),
    precision: () => Promise.resolve([precision]),
    rollouts: (params) => {
      asked.push(params);
      return Promise.resolve({ rows: [row()], total: 1 });
    },
  };
}

const runOf = (id: string, change: Partial<RunSummary> = {}): RunSummary =>
  run({ id, name: id, rollouts: 10, ...change });
const names = (nodes: readonly { readonly kind: string; readonly id: string }[]) => nodes.map(({ kind }) => kind);

describe('rows', () => {
  test('of the only run stand at the top, the worst offenders first', async () => {
    const roots = await redundantRoots(engine({ a: wasteful }), [runOf('a')]);
    expect(names(roots.nodes)).toEqual(['offenders', 'pattern', 'pattern']);
    expect(roots.welcome).toBe('rows');
    expect(new Set(roots.nodes.map(({ id }) => id)).size).toBe(3);
  });

  test('of several runs stand below them; a run without any is left out', async () => {
    const source = engine({ a: wasteful, c: wasteful });
    const { nodes } = await redundantRoots(source, [runOf('a'), runOf('b'), runOf('c')]);
    expect(nodes.map(({ run: { name } }) => name)).toEqual(['a', 'c']);
    const [first] = nodes;
    expect(first && names(await redundantChildren(source, first))).toEqual(['offenders', 'pattern', 'pattern']);
  });

  test('keep their ids', async () => {
    const ids = async () => (await redundantRoots(engine({ a: wasteful }), [runOf('a')])).nodes.map(({ id }) => id);
    expect(await ids()).toEqual(await ids());
  });

  test('the worst offenders are asked by wasted time', async () => {
    const source = engine({ a: wasteful });
    const { nodes } = await redundantRoots(source, [runOf('a')]);
    const [offenders] = nodes;
    expect(offenders && names(await redundantChildren(source, offenders))).toEqual(['rollout']);
    expect(source.asked).toMatchObject([{ run: 'a', filter: { sort: 'wasted', descending: true, redundant: true } }]);
  });

  test.each([
    [[], 'noRuns'],
    [[runOf('b')], 'nothing'],
    [[runOf('b', { state: 'indexing', rollouts: 0 })], 'reading'],
    [[runOf('a'), runOf('b', { state: 'indexing' })], 'rows'],
  ] as const)('an empty view says why (%#)', async (runs, welcome) => {
    expect((await redundantRoots(engine({ a: wasteful }), runs)).welcome).toBe(welcome);
  });
});

describe('what a row says', () => {
  test('a run: flagged of all calls', () => {
    expect(runTexts(runOf('hdpo'), wasteful, l10n)).toMatchObject({
      label: 'hdpo',
      description: '1,204 of 9,310 (13 %)',
      spoken: 'Run hdpo, redundant calls: 1,204 of 9,310 (13 %)',
    });
    expect(runTexts(runOf('hdpo'), { ...lean, calls: 0 }, l10n).description).toBe('0 of 0 (?)');
  });

  test('a pattern: tool and rule, how often, when, how much time', () => {
    expect(patternTexts(repeat, { hasSteps: true, precision: null, l10n })).toMatchObject({
      label: 'python · repeats an earlier call',
      description: '412 · steps 1–20 · 4 min',
      spoken: 'python · repeats an earlier call, 412 calls in 380 rollouts, steps 1–20, 4 min wasted',
    });
    expect(patternTexts(search, { hasSteps: true, precision: null, l10n })).toMatchObject({
      label: 'no tool named · nearly repeats an earlier call',
      description: '96 · step 3',
    });
    expect(patternTexts(repeat, { hasSteps: false, precision: null, l10n }).description).toBe('412 · 4 min');
  });

  test('a pattern with verdicts: the precision of its rule', () => {
    const texts = patternTexts(repeat, { hasSteps: true, precision, l10n });
    expect(texts.description).toBe('412 · steps 1–20 · 4 min · precision 75 %');
    expect(texts.tooltip).toContain(
      'precision 75 % on your verdicts: 6 confirmed, 2 dismissed (95 % interval 41 % to 93 %)',
    );
  });

  test('an offender: how many calls, how much time, what was asked', () => {
    const wasted = row({ redundantCalls: 2, calls: 3, wastedMs: 1800 });
    expect(offenderTexts(wasted, { hasSteps: true, l10n })).toMatchObject({
      label: 'step 17 #5',
      description: '⚠ 2 · 1.8 s · ✓ · 48 × 7 = ?',
      spoken: 'step 17 #5, 2 of 3 calls redundant, 1.8 s wasted, 48 × 7 = ?',
    });
  });
});
