/** Files of one episode each: which run they belong to, how runs grow, and how their rollouts are named. */
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { scanTree } from '../../../src/engine/discovery.ts';
import { episodeHome } from '../../../src/engine/episodeRuns.ts';
import { createFileHeads } from '../../../src/engine/fileHeads.ts';
import { createParquetTables } from '../../../src/store/parquetRows.ts';
import { testEngine } from './engineOfTests.ts';
import { dump, temporaryFolder, until, write } from './logs.ts';

const tables = createParquetTables(join(tmpdir(), 'rollout-lens-test-parquet'));

afterAll(() => tables.close());

const homes: readonly (readonly [path: string, root: string, home: string])[] = [
  ['/w/jobs/job/trial/agent/trajectory.json', '/w', '/w/jobs/job'],
  ['/w/jobs/job/trial/agent/trajectory.json', '/w/jobs/job', '/w/jobs/job'],
  ['/w/jobs/job/trial/agent/trajectory.json', '/w/jobs/job/trial', '/w/jobs/job/trial'],
  ['/w/jobs/job/trial/agent/trajectory.json', '/w/jobs/job/trial/agent', '/w/jobs/job/trial/agent'],
  ['/w/jobs/job/trial/agent/episode-7.json', '/w', '/w/jobs/job/trial'],
  ['/w/jobs/job/trial/logs/trajectory.json.gz', '/w', '/w/jobs/job'],
  ['/w/trajectories/run/astropy__astropy-1/astropy__astropy-1.traj', '/w', '/w/trajectories/run'],
  ['/w/runs/mini/sympy-12.3/sympy-12.3.traj.json', '/w', '/w/runs/mini'],
  ['/w/runs/all/a.traj', '/w', '/w/runs/all'],
  ['/w/runs/all/a.traj.json', '/w', '/w/runs/all'],
  ['/w/chats/one.trajectory.json', '/w', '/w/chats'],
  ['/w/out/task_atif/task_atif.json', '/w', '/w/out/task_atif'],
  ['/w/out/task/task_atif.json', '/w', '/w/out'],
  ['/w/trajectory.json', '/w', '/w'],
  ['/w/agent/trajectory.json', '/w', '/w'],
  ['/w/agent/trajectory.json', '/other', '/w/agent'],
];

describe('the run of an episode', () => {
  it.each(homes)('%s opened at %s: %s', (path, root, home) => {
    expect(episodeHome(path, root)).toBe(home);
  });
});

const atif = (task: string, text: string): string =>
  JSON.stringify({
    schema_version: 'ATIF-v1.6',
    session_id: task,
    agent: { name: 'demo', version: '0.1' },
    steps: [
      { step_id: 1, source: 'user', message: `task ${task}` },
      { step_id: 2, source: 'agent', message: text },
    ],
  });
const result = (task: string, trial: string, reward: number): string =>
  JSON.stringify({ task_name: task, trial_name: trial, verifier_result: { rewards: { reward } } });
const traj = JSON.stringify({
  environment: 'swe',
  trajectory: [{ action: 'ls', observation: 'a', response: 'ls', thought: '', execution_time: 1, state: {} }],
  history: [{ role: 'user', content: 'fix it', agent: 'main' }],
  info: { exit_status: 'submitted', submission: 'x', model_stats: {} },
});

async function writeTrial(job: string, trial: string, reward = 1): Promise<void> {
  const task = trial.replace(/__.*$/u, '');
  await write(join(job, trial, 'agent', 'trajectory.json'), atif(task, `answer of ${trial}`));
  await write(join(job, trial, 'result.json'), result(task, trial, reward));
  await write(join(job, trial, 'config.json'), '{}');
}

async function workspace(): Promise<string> {
  const root = await temporaryFolder();
  for (const trial of ['a__1', 'a__2', 'b__1']) await writeTrial(join(root, 'jobs', 'one'), trial);
  await writeTrial(join(root, 'jobs', 'two'), 'a__1');
  for (const name of ['x', 'y']) {
    await write(join(root, 'jobs', 'one', 'swe', name, `${name}.traj`), traj);
    await write(join(root, 'flat', `${name}.traj`), traj);
  }
  await write(join(root, 'dump', '1.jsonl'), dump({}));
  return root;
}

describe('discovery', () => {
  it('forms one run a job, a format and a folder, beside runs of other kinds', async () => {
    const root = await workspace();
    const found = await scanTree([root], { heads: createFileHeads(tables) });
    const runs = found.runs.map(({ path, pattern, files }) => [
      path.slice(root.length + 1),
      pattern,
      files.map((file) => file.path.slice(path.length + 1)).join(' '),
    ]);
    expect(runs).toEqual([
      ['dump', '#.jsonl', '1.jsonl'],
      ['flat', '**', 'x.traj y.traj'],
      ['jobs/one', '**', 'a__1/agent/trajectory.json a__2/agent/trajectory.json b__1/agent/trajectory.json'],
      ['jobs/one/swe', '**', 'x/x.traj y/y.traj'],
      ['jobs/two', '**', 'a__1/agent/trajectory.json'],
    ]);
    expect(found.notes.filter(({ severity }) => severity !== 'information')).toEqual([]);
    const again = await scanTree([join(root, 'jobs', 'one')], { heads: createFileHeads(tables) });
    expect(again.runs.map(({ id }) => id)).toEqual(
      found.runs.filter(({ path }) => path.startsWith(join(root, 'jobs', 'one'))).map(({ id }) => id),
    );
  });
});

describe('a run of episodes', () => {
  it('has groups over files, no steps, and rollouts that are named by their files', async () => {
    const root = await workspace();
    const engine = await testEngine();
    const run = await engine.openAndRead(join(root, 'jobs', 'two', '..', 'one'));
    const all = await engine.ask('runs', {});
    expect(all.map(({ name }) => name).sort()).toEqual(['one', 'swe']);
    expect(run).toMatchObject({ rollouts: 3, groups: 2, hasSteps: false, steps: 1 });
    const rows = await engine.rows(run.id);
    expect(rows.map(({ ref, groupSize }) => [ref.file, ref.row, groupSize])).toEqual([
      ['a__1/agent/trajectory.json', 0, 2],
      ['a__2/agent/trajectory.json', 0, 2],
      ['b__1/agent/trajectory.json', 0, 1],
    ]);
    expect(await engine.ask('jsonFolders', { run: run.id })).toEqual(
      ['a__1', 'a__2', 'b__1'].map((trial) => join(root, 'jobs', 'one', trial, 'agent')),
    );
    const ref = { run: run.id, file: 'a__2/agent/trajectory.json', row: 0 };
    const { bytes } = await engine.ask('transcript', { ref, path: run.path, rest: null });
    expect(Buffer.from(bytes).toString()).toContain('answer of a__2');
    const path = join(root, 'jobs', 'one', 'a__2', 'agent', 'trajectory.json');
    expect(await engine.ask('locate', { path, line: 0 })).toMatchObject({ ref });
  });

  it('grows with new episodes, follows changes, and loses what is deleted', async () => {
    const job = join(await temporaryFolder(), 'job');
    await writeTrial(job, 'a__1');
    const engine = await testEngine();
    const run = await engine.openAndRead(job);
    const filesAre = (...trials: readonly string[]): Promise<unknown> =>
      until(`the trials are ${trials.join(' ')}`, async () => {
        await engine.engine.library.tick();
        const rows = await engine.rows(run.id);
        return rows.map(({ ref }) => ref.file.replace(/\/.*$/u, '')).join(' ') === trials.join(' ');
      });
    await filesAre('a__1');
    await writeTrial(job, 'a__2', 0);
    await writeTrial(job, 'c__1');
    await filesAre('a__1', 'a__2', 'c__1');
    // A trial that has begun: its folder is there before its log.
    await mkdir(join(job, 'b__1', 'agent'), { recursive: true });
    await engine.engine.library.tick();
    await writeTrial(job, 'b__1');
    await filesAre('a__1', 'a__2', 'b__1', 'c__1');
    await write(join(job, 'b__1', 'agent', 'trajectory.json'), atif('b', 'another answer'));
    await until('the change is read', async () => {
      await engine.engine.library.tick();
      const ref = { run: run.id, file: 'b__1/agent/trajectory.json', row: 0 };
      const { bytes } = await engine.ask('transcript', { ref, path: job, rest: null });
      return Buffer.from(bytes).toString().includes('another answer');
    });
    await rm(join(job, 'a__2'), { recursive: true });
    await filesAre('a__1', 'b__1', 'c__1');
    expect((await engine.ask('runs', {})).map(({ id }) => id)).toEqual([run.id]);
  });

  it('is found by a search while another window of it is opened by folder', async () => {
    const root = await workspace();
    const engine = await testEngine();
    await engine.ask('discover', { roots: [root] });
    const opened = await engine.ask('open', { path: join(root, 'jobs', 'one', 'a__1') });
    expect(opened.map(({ name, path }) => [name, path])).toEqual([['a__1', join(root, 'jobs', 'one', 'a__1')]]);
    const single = await engine.ask('open', { path: join(root, 'flat', 'x.traj') });
    expect(single.map(({ name, files }) => [name, files])).toEqual([['x.traj', 1]]);
    await writeTrial(join(root, 'jobs', 'one'), 'd__1');
    await until('the new trial is read', async () => {
      await engine.engine.library.tick();
      const runs = await engine.ask('runs', {});
      return runs.find(({ name }) => name === 'one')?.files === 4;
    });
    expect((await engine.ask('runs', {})).map(({ name, files }) => [name, files]).sort()).toEqual([
      ['a__1', 1],
      ['dump', 1],
      ['flat', 2],
      ['one', 4],
      ['swe', 2],
      ['two', 1],
      ['x.traj', 1],
    ]);
  });
});
