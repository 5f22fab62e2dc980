/** Questions that nobody of ours asks: names outside the run, runs that close meanwhile, and more than a message may hold. */
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/base/errors.ts';
import { curvesOf, notesPage } from '../../../src/engine/rows.ts';
import type { Note } from '../../../src/model/note.ts';
import type { StepAggregates } from '../../../src/analysis/steps.ts';
import { noFilter } from '../../../src/protocol/engine.ts';
import { wholeCurves } from '../../../src/views/charts/wholeCurves.ts';
import { testEngine } from './engineOfTests.ts';
import { dump, temporaryFolder, write } from './logs.ts';

/** Invariant 5. */
const mostBytes = 1_000_000;

describe('the name of a rollout', () => {
  it('stays inside its run: only files that the run holds are read', async () => {
    const { ask, openAndRead } = await testEngine();
    const above = await temporaryFolder();
    const folder = join(above, 'run');
    await write(join(folder, '1.jsonl'), dump({}));
    const outside = await write(join(above, 'outside', '1.jsonl'), dump({}));
    const run = await openAndRead(folder);
    const names = ['../outside/1.jsonl', outside, '..', '', './1.jsonl', '/etc/passwd', '../../../../../etc/passwd'];
    for (const file of names) {
      const ref = { run: run.id, file, row: 0 };
      for (const asked of [
        // One after the other: a rejection that nobody waits for yet is an error of its own.
        () => ask('transcript', { ref, path: folder, rest: null }),
        () => ask('image', { ref, path: folder, image: 0, first: 0 }),
        () => ask('explain', { ref }),
      ]) {
        await expect(asked(), file).rejects.toBeInstanceOf(UserError);
      }
    }
  });

  it('finds a linked log again from its path, as a restored tab does', async () => {
    const first = await testEngine();
    const folder = await temporaryFolder();
    const target = await write(join(folder, 'elsewhere', 'x.jsonl'), dump({}));
    const path = join(folder, 'logs', 'linked.jsonl');
    await write(join(folder, 'logs', 'x.txt'), '');
    await symlink(target, path);
    const run = await first.openAndRead(join(folder, 'logs'));
    const second = await testEngine();
    const ref = { run: run.id, file: 'linked.jsonl', row: 0 };
    const { bytes } = await second.ask('transcript', { ref, path: run.path, rest: null });
    expect(bytes.length).toBeGreaterThan(100);
  });

  it('opens nothing but logs, whatever path comes with it', async () => {
    const { ask } = await testEngine();
    const folder = await temporaryFolder();
    await write(join(folder, 'secret.txt'), 'secret');
    await symlink('/etc/passwd', join(folder, 'passwd.jsonl'));
    for (const path of [folder, '/etc/passwd', join(folder, 'passwd.jsonl'), 'relative', '']) {
      const ref = { run: 'none', file: 'passwd.jsonl', row: 0 };
      await expect(ask('transcript', { ref, path, rest: null }), path).rejects.toBeInstanceOf(UserError);
    }
  });
});

describe('a run that closes while it is asked', () => {
  it('answers or says that it is closed', async () => {
    const { ask, openAndRead } = await testEngine();
    const folder = await temporaryFolder();
    await write(join(folder, '1.jsonl'), dump({}, { prompt: 2 }, { prompt: 3 }));
    for (let round = 0; round < 5; round += 1) {
      const { id: run } = await openAndRead(folder);
      const ref = { run, file: '1.jsonl', row: 0 };
      const page = { first: 0, count: 500 };
      const asked = [1, 2, 3].flatMap(() => [
        ask('steps', { run, ...page }),
        ask('groups', { run, step: 1, ...page }),
        ask('rollouts', { run, step: null, group: null, filter: noFilter, ...page }),
        ask('search', { run, text: 'what', limit: 10 }),
        ask('explain', { ref }),
        ask('transcript', { ref, path: folder, rest: null }),
        ask('samples', { run, columns: ['key', 'calls'], first: 0 }),
        ask('rowsOf', { run, keys: Float64Array.of(0, Number.NaN, 2 ** 60) }),
        ask('promptKeys', { run, first: Number.NaN }),
        ask('groupOf', { run, step: 1, key: 'none' }),
        ask('biography', { run, step: Number.NaN, key: '', first: -1 }),
        ask('doctor', { run }),
        ask('linesOf', { path: join(folder, '1.jsonl'), ...page }),
        ask('locate', { path: join(folder, '1.jsonl'), line: 0 }),
        ask('setRewardThreshold', { run, threshold: round }),
        ask('curves', { run, first: 0 }),
        ask('notes', { run, ...page }),
      ]);
      await Promise.all([ask('close', { run }), ...asked.map((one) => one.catch(expectUserError))]);
    }
  });
});

function expectUserError(error: unknown): void {
  expect(error).toBeInstanceOf(UserError);
}

const aStep: StepAggregates = {
  step: 0,
  rollouts: 1,
  groups: 1,
  accuracy: null,
  reward_mean: null,
  calls_mean: null,
  tool_rate: null,
  redundant_call_rate: null,
  acc_advantage_abs: null,
  tool_advantage_abs: null,
  qualifying_share: null,
  efficiency_signal_share: null,
  effective_w_tool: null,
  failed_call_rate: null,
  dead_accuracy_groups: null,
  dead_efficiency_groups: null,
  group_size: null,
  groups_merged_or_cut: null,
  redundant_intrinsic_rate: null,
  redundant_sibling_rate: null,
  dead_all_right_share: null,
  dead_all_wrong_share: null,
  response_tokens_mean: null,
  response_characters_mean: null,
  truncated_share: null,
};

describe('an answer is at most 1 MB', () => {
  it('curves of a run with 200,000 steps, which come in pages', async () => {
    const steps = Array.from({ length: 200_000 }, (_, step): StepAggregates => ({
      ...aStep,
      step,
      accuracy: step / 2,
    }));
    let messages = 0;
    const engine = {
      curves: ({ run, first }: { readonly run: string; readonly first: number }) => {
        messages += 1;
        const curves = curvesOf(run, steps, first);
        expect(serialize(curves).length).toBeLessThan(mostBytes);
        return Promise.resolve(curves);
      },
    };
    const whole = await wholeCurves(engine, 'run', new AbortController().signal);
    expect(messages).toBe(29);
    expect([...whole.step]).toEqual(steps.map(({ step }) => step));
    expect([...whole.accuracy]).toEqual(steps.map(({ accuracy }) => accuracy));
  });

  it.each(['x', '漢', '\u0000', '"'])('notes that repeat %j', (character) => {
    const message = character.repeat(2_000_000);
    const note: Note = { severity: 'warning', code: 'bad-json', file: '/1.jsonl', line: 0, message };
    const page = notesPage(new Array<Note>(500).fill(note), { first: 0, count: 500 });
    expect(serialize(page).length).toBeLessThan(mostBytes);
    expect(page.rows.length).toBeGreaterThan(0);
  });
});
