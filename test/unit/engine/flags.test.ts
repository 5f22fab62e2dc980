/** The engine's questions about redundant calls: overview, curves, patterns, settings without reading, and verdicts. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { curvesOfFlags } from '../../../src/engine/flagHandlers.ts';
import { noFilter, type RolloutRef } from '../../../src/protocol/engine.ts';
import { defaultRuleSettings } from '../../../src/protocol/flags.ts';
import { testEngine, type TestEngine } from './engineOfTests.ts';
import { dump, temporaryFolder, write } from './logs.ts';

const usual = defaultRuleSettings;

/** Two steps; in each one rollout of prompt 1 repeats its call, and three of prompt 2 need none where the fourth makes two. */
async function wastefulRun(): Promise<string> {
  const folder = join(await temporaryFolder(), 'run');
  for (const step of [1, 2]) {
    const lean = { step, prompt: 2 };
    const text = dump(
      { step, prompt: 1, calls: ['python', 'repeat'] },
      { step, prompt: 1, calls: ['python'], right: false },
      { ...lean, calls: ['python', 'verify'] },
      lean,
      lean,
      lean,
    );
    await write(join(folder, `${step}.jsonl`), text);
  }
  return folder;
}

const transcriptOf = ({ ask }: TestEngine, ref: RolloutRef, path: string) =>
  ask('transcript', { ref, path, rest: null });

describe('redundant calls of a run', () => {
  it('are summed up by tool and rule, and lead to their rollouts', async () => {
    const engine = await testEngine();
    const { id } = await engine.openAndRead(await wastefulRun());
    const overview = await engine.ask('redundancy', { run: id });
    expect(overview).toMatchObject({ calls: 10, intrinsic: 2, sibling: 4 });
    expect(overview.patterns).toMatchObject([
      { tool: null, rule: 'sibling', calls: 4, rollouts: 2, firstStep: 1, lastStep: 2 },
      { tool: 'python', rule: 'repeat', calls: 2, rollouts: 2, firstStep: 1, lastStep: 2 },
    ]);
    for (const pattern of overview.patterns) {
      const { tool, rule, rollouts } = pattern;
      const filter = { ...noFilter, pattern: { tool, rule } };
      const page = await engine.ask('rollouts', { run: id, step: null, group: null, filter, first: 0, count: 9 });
      expect(page.total).toBe(rollouts);
    }
    const wasted = { ...noFilter, sort: 'wasted', descending: true } as const;
    const worst = await engine.ask('rollouts', {
      run: id,
      step: null,
      group: null,
      filter: wasted,
      first: 0,
      count: 3,
    });
    expect(worst.rows.map(({ wastedMs }) => wastedMs !== null && wastedMs > 0)).toEqual([true, true, false]);
  });

  it('are shares of the calls by step, by rule and by tool', async () => {
    const engine = await testEngine();
    const { id } = await engine.openAndRead(await wastefulRun());
    const curves = await engine.ask('redundancyCurves', { run: id });
    expect([...curves.step]).toEqual([1, 2]);
    expect(curves.byRule.map(({ rule, share }) => [rule, ...share])).toEqual([
      ['repeat', 0.2, 0.2],
      ['sibling', 0.4, 0.4],
    ]);
    expect(curves.byTool.map(({ tool, share }) => [tool, ...share])).toEqual([['python', 0.2, 0.2]]);
  });

  it('are joined over steps where they would not fit into a message', () => {
    const steps = Array.from({ length: 60_000 }, (_, step) => ({
      step,
      calls: step % 2,
      byRule: new Map([['repeat', step % 2]]),
      byTool: new Map([['python', { flagged: step % 2, calls: step % 2 }]]),
    }));
    const { step, byRule } = curvesOfFlags('run', steps);
    expect(step.length * 3 * 8).toBeLessThan(1_000_000);
    expect([...(byRule[0]?.share ?? [])].every((share) => share === 1)).toBe(true);
    expect([...(curvesOfFlags('run', steps.slice(0, 2)).byTool[0]?.share ?? [])]).toEqual([Number.NaN, 1]);
  });
});

describe('settings of the rules', () => {
  it('change counts, rates and flags without reading a log', async () => {
    const engine = await testEngine();
    const path = await wastefulRun();
    const { id } = await engine.openAndRead(path);
    const reading = vi.spyOn(engine.engine.library.pool, 'read');
    const counts = async () => {
      const { intrinsic, sibling } = await engine.ask('redundancy', { run: id });
      const [row] = await engine.rows(id);
      const { rows: steps } = await engine.ask('steps', { run: id, first: 0, count: 2 });
      return [intrinsic, sibling, row?.redundantCalls, steps[0]?.redundant_call_rate];
    };
    expect(await counts()).toEqual([2, 4, 1, 0.6]);
    await engine.ask('setRules', { rules: { ...usual, off: ['repeat'] } });
    expect(await counts()).toEqual([0, 4, 0, 0.4]);
    const ref = { run: id, file: '1.jsonl', row: 0 };
    expect((await transcriptOf(engine, ref, path)).flags).toEqual({ flags: [], counterfactual: null, crops: [] });
    await engine.ask('setRules', { rules: { ...usual, siblingLikelyFrom: 0.6 } });
    expect(await counts()).toEqual([2, 0, 1, 0.2]);
    await engine.ask('setRules', { rules: usual });
    expect(await counts()).toEqual([2, 4, 1, 0.6]);
    // Told at most twice a second.
    await vi.waitFor(() => {
      expect(engine.told.steps.length).toBeGreaterThan(0);
    }, 5_000);
    expect(reading).not.toHaveBeenCalled();
  });

  it('hold for runs that are opened later', async () => {
    const engine = await testEngine();
    await engine.ask('setRules', { rules: { ...usual, off: ['repeat', 'sibling'] } });
    const { id } = await engine.openAndRead(await wastefulRun());
    expect(await engine.ask('redundancy', { run: id })).toMatchObject({ intrinsic: 0, sibling: 0, patterns: [] });
  });

  it('that are no numbers are refused with a sentence', async () => {
    const engine = await testEngine();
    const rules = { ...usual, knownShare: Number.NaN };
    await expect(engine.ask('setRules', { rules })).rejects.toMatchObject({ name: 'UserError' });
  });
});

describe('verdicts', () => {
  it('come back with the transcript, and survive another index and another place of the log', async () => {
    const engine = await testEngine();
    const path = await wastefulRun();
    const { id } = await engine.openAndRead(path);
    const ref = { run: id, file: '1.jsonl', row: 0 };
    const [flag] = (await transcriptOf(engine, ref, path)).flags.flags;
    expect(flag).toMatchObject({ call: 1, rule: 'repeat', verdict: null, refersTo: 0 });
    await engine.ask('setVerdict', { ref, path, flag: flag?.id ?? '', verdict: 'dismissed' });
    const judged = await transcriptOf(engine, ref, path);
    expect(judged.flags.flags[0]?.verdict).toBe('dismissed');
    // The user's word stands: neither the heading nor the sums count the call any more.
    const text = new TextDecoder().decode(judged.bytes);
    expect(text).toMatch(/dismissed: repeats call 1/);
    expect(text).not.toMatch(/⚠ repeats/);
    expect(judged.flags.counterfactual?.without ?? []).not.toContain(flag?.call);
    expect(await engine.ask('precision', {})).toMatchObject([{ rule: 'repeat', dismissed: 1, precision: 0 }]);

    const exported = join(await temporaryFolder(), 'verdicts.jsonl');
    expect(await engine.ask('exportVerdicts', { path: exported })).toBe(1);
    const other = await testEngine();
    const moved = join(await temporaryFolder(), '7.jsonl');
    await copyFile(join(path, '1.jsonl'), moved);
    const there = await other.openAndRead(moved);
    expect(await other.ask('importVerdicts', { path: exported })).toEqual({ added: 1, badLines: 0 });
    const again = { run: there.id, file: '7.jsonl', row: 0 };
    expect((await transcriptOf(other, again, moved)).flags.flags[0]).toMatchObject({
      id: flag?.id,
      verdict: 'dismissed',
    });

    await engine.ask('setVerdict', { ref, path, flag: flag?.id ?? '', verdict: null });
    expect(await engine.ask('precision', {})).toEqual([]);
  });

  it('on a flag that is gone are refused with a sentence', async () => {
    const engine = await testEngine();
    const path = await wastefulRun();
    const { id } = await engine.openAndRead(path);
    const ref = { run: id, file: '1.jsonl', row: 0 };
    const ask = engine.ask('setVerdict', { ref, path, flag: 'f'.repeat(32), verdict: 'confirmed' });
    await expect(ask).rejects.toThrow('This flag is gone');
  });
});

describe('the source of right and wrong', () => {
  it('is the score only where it was decoded from it', async () => {
    const engine = await testEngine();
    const folder = join(await temporaryFolder(), 'logged');
    const record = { input: 'q', output: 'a', score: 0.9, step: 1, acc: 1, gts: 'a' };
    await write(join(folder, '1.jsonl'), `${JSON.stringify(record)}\n`);
    const { id } = await engine.openAndRead(folder);
    const { correctSource } = await engine.ask('explain', { ref: { run: id, file: '1.jsonl', row: 0 } });
    expect(correctSource).toBe('logged');
    const metis = await engine.openAndRead(await wastefulRun());
    const decoded = await engine.ask('explain', { ref: { run: metis.id, file: '1.jsonl', row: 0 } });
    expect(decoded.correctSource).toBe('decoded from score');
  });
});
