/** Files beside a log: which names lead where, and that a log is read again when one of them changes. */
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withFile } from '../../../src/engine/fileSource.ts';
import { testEngine } from './engineOfTests.ts';
import { temporaryFolder, until, write } from './logs.ts';

describe('Source.beside', () => {
  it('gives plain names here and one folder up, and nothing else', async () => {
    const root = await temporaryFolder();
    const log = await write(join(root, 'job', 'trial', 'agent', 'trajectory.json'), '{}');
    await write(join(root, 'job', 'trial', 'agent', 'metadata.json'), 'here');
    await write(join(root, 'job', 'trial', 'result.json'), 'up');
    await write(join(root, 'job', 'config.json'), 'two up');
    await write(join(root, 'secret'), 'secret');
    await mkdir(join(root, 'job', 'trial', 'agent', 'folder'));
    await symlink(join(root, 'secret'), join(root, 'job', 'trial', 'agent', 'link.json'));
    await symlink('metadata.json', join(root, 'job', 'trial', 'agent', 'inside.json'));
    await symlink(join(root), join(root, 'job', 'trial', 'out'));
    await writeFile(join(root, 'job', 'trial', 'large.json'), Buffer.alloc(8 * 1024 * 1024 + 1));
    const cases: readonly (readonly [string, string | null])[] = [
      ['metadata.json', 'here'],
      ['../result.json', 'up'],
      ['inside.json', 'here'],
      ['../../config.json', null],
      ['../agent/metadata.json', null],
      ['/etc/passwd', null],
      ['../large.json', null],
      ['missing.json', null],
      ['folder', null],
      ['link.json', null],
      ['../out', null],
      ['..', null],
      ['../..', null],
      ['.', null],
      ['', null],
      ['a\0b', null],
      ['..\\result.json', null],
      ['C:result.json', null],
    ];
    await withFile(log, async (source) => {
      for (const [name, text] of cases) {
        const bytes = await source.beside(name);
        expect([name, bytes && Buffer.from(bytes).toString()]).toEqual([name, text]);
      }
    });
  });
});

const trajectory = JSON.stringify({
  schema_version: 'ATIF-v1.6',
  session_id: 's1',
  agent: { name: 'demo', version: '0.1' },
  steps: [
    { step_id: 1, source: 'user', message: 'list files' },
    { step_id: 2, source: 'agent', message: 'done' },
  ],
});
const result = (reward: number): string =>
  JSON.stringify({ task_name: 'a', trial_name: 'a__x', verifier_result: { rewards: { reward } } });

describe('a result that is written after its log', () => {
  it('is seen, also when it changes, and by who opens the run later', async () => {
    const job = join(await temporaryFolder(), 'job');
    await write(join(job, 'a__x', 'agent', 'trajectory.json'), trajectory);
    const engine = await testEngine();
    const run = await engine.openAndRead(job);
    const rewardIs = (reward: number | null): Promise<unknown> =>
      until(`the reward is ${reward}`, async () => {
        await engine.engine.library.tick();
        const [row] = await engine.rows(run.id);
        return row !== undefined && row.reward === reward;
      });
    await rewardIs(null);
    await write(join(job, 'a__x', 'result.json'), result(1));
    await rewardIs(1);
    await write(join(job, 'a__x', 'result.json'), result(0.25));
    await rewardIs(0.25);
    expect((await engine.settled(run.id)).notes).toBe(0);
    await engine.engine.dispose();
    const same = await testEngine({ storage: engine.storage });
    await same.openAndRead(job);
    expect((await same.rows(run.id))[0]?.reward).toBe(0.25);
    await same.engine.dispose();
    await rm(join(job, 'a__x', 'result.json'));
    const later = await testEngine({ storage: engine.storage });
    await later.openAndRead(job);
    expect((await later.rows(run.id))[0]?.reward).toBeNull();
  });
});
