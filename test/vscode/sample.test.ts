// The sample as a newcomer opens it: in an empty window, by its command, unpacked once, the HDPO run first and selected.
//
// Leaves out: how it is unpacked, and that it is the training (test/unit/host/sampleRuns, test/unit/sample).
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, type Launched } from './launch.ts';
import type { Tree } from './tree.ts';
import type { Workbench } from './workbench.ts';

/** Aim from the command to the run's steps in the sidebar, and what is asserted on a machine that does other things too. */
const aimMs = 3_000;
const slack = 4;
const slowly = { timeout: 60_000 };
const names = ['hdpo', 'coupled-aggressive', 'coupled-mild', 'grpo', 'illustrated', 'several-calls-a-turn'];

let launched: Launched;
let workbench: Workbench;
let runs: Tree;

beforeAll(async () => {
  launched = await launch({ workspace: false });
  ({ workbench } = launched);
  runs = workbench.tree('Runs');
});
afterAll(() => launched?.close());

const storage = (): string =>
  path.join(launched.server.userDataDirectory, 'User', 'globalStorage', 'rollout-lens.rollout-lens');
const roots = async (): Promise<readonly string[]> =>
  (await runs.list()).filter(({ level }) => level === 1).map(({ label }) => label);

test('opens all runs, HDPO first, selected and open', async () => {
  await workbench.openContainer('Rollout Lens');
  const started = performance.now();
  await workbench.runCommand('Rollout Lens: Open the Sample Run');
  const typedMs = performance.now() - started;
  await runs.row(/^steps 1–/).waitFor(slowly);
  const shownMs = performance.now() - started;
  await expect.poll(roots, slowly).toEqual(names);
  await expect.poll(async () => (await runs.list())[0]?.description, slowly).toMatch(/110 steps.* tool \d+ % → \d+ %$/);
  await expect
    .poll(
      async () => (await runs.list()).filter(({ level }) => level === 1).every((row) => / tool /.test(row.description)),
      slowly,
    )
    .toBe(true);
  const readMs = performance.now() - started;
  console.log(
    `sample: steps shown after ${Math.round(shownMs)} ms (${Math.round(typedMs)} ms of it the command is typed), ` +
      `all runs read after ${Math.round(readMs)} ms`,
  );
  expect(shownMs).toBeLessThan(slack * aimMs);
  expect(await runs.row(/^hdpo/).getAttribute('aria-selected')).toBe('true');
  await workbench.screenshot('sample');
});

test('is unpacked into the storage of the extension, once', async () => {
  expect((await readdir(storage())).filter((name) => name.startsWith('sample'))).toEqual(['sample']);
  await workbench.runCommand('Rollout Lens: Open the Sample Run');
  await expect.poll(roots, slowly).toEqual(names);
  expect((await readdir(storage())).filter((name) => name.startsWith('sample'))).toEqual(['sample']);
});

test('is read from the index that is shipped with it: the engine had none to build', async () => {
  const extensions = path.join(path.dirname(launched.server.userDataDirectory), 'extensions');
  const installed = (await readdir(extensions)).filter((name) => name.startsWith('rollout-lens.rollout-lens'));
  const shipped = await readdir(path.join(extensions, installed[0] ?? '', 'media', 'sample', 'index'));
  expect(shipped.length).toBeGreaterThan(2 * 200);
  expect(await readdir(path.join(storage(), 'index'))).toEqual([]);
});

test('is there again after a reload', async () => {
  await workbench.reload();
  await workbench.openContainer('Rollout Lens');
  await expect.poll(roots, slowly).toEqual(names);
  expect(workbench.problems).toEqual([]);
  expect(await workbench.extensionErrors()).toEqual([]);
});
