// Restricted Mode, VS Code's default for a folder nobody trusted: nothing of ours runs what a log says, so everything
// works there.
//
// Leaves out: what each view shows (their own tests).
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeMetisRun } from '../generate/metisRun.mjs';
import { ChartsPage } from './chartsPage.ts';
import { launch, type Launched } from './launch.ts';
import type { Workbench } from './workbench.ts';

let launched: Launched;
let workbench: Workbench;

beforeAll(async () => {
  launched = await launch({
    workspaceTrust: 'asked',
    workspace: async (folder) => {
      const directory = path.join(folder, 'untrusted');
      await writeMetisRun({ directory, steps: 3, promptsPerStep: 2, rolloutsPerPrompt: 4, seed: 1 });
    },
  });
  ({ workbench } = launched);
});
afterAll(() => launched?.close());

test('VS Code is in Restricted Mode', async () => {
  await expect
    .poll(() => workbench.statusBar())
    .toEqual(expect.arrayContaining([expect.stringContaining('Restricted Mode')]));
});

test('the tree lists the run, and a rollout opens', async () => {
  await workbench.openContainer('Rollout Lens');
  const tree = workbench.tree('Runs');
  await expect.poll(async () => (await tree.list())[0]?.description).toMatch(/3 steps · 24 rollouts/);
  await tree.expand('untrusted');
  await tree.expand(/^step 2(?!\d)/);
  await tree.expand(/G 4/);
  await tree.click('#3');
  expect(await workbench.editor.textContaining('rollout 3 of 4')).toContain('─── reward and advantages');
  await workbench.screenshot('restricted-transcript');
});

test('a log opens at its line', async () => {
  await workbench.openFile('untrusted/1.jsonl');
  await workbench.editor.goTo(5);
  await workbench.runCommand('Rollout Lens: Open Trajectory…');
  await workbench.editor.textContaining(/^step 1 · .* · rollout \d of 4/);
});

test('an episode plays without a model, and says why there is none', async () => {
  await workbench.editor.clickCodeLens('Replay');
  const page = workbench.webview();
  await page.locator('.segment').first().waitFor();
  await expect
    .poll(() => page.locator('.model').first().innerText())
    .toMatch(/In Restricted Mode no model is loaded.*Manage Workspace Trust/s);
  expect(await page.getByText('Use the bundled model').count()).toBe(0);
  await workbench.runCommand('View: Close Editor');
});

test('the charts draw', async () => {
  await workbench.runCommand('Rollout Lens: Show Charts');
  const charts = new ChartsPage(workbench);
  await charts.settled(/^untrusted, steps 1 to 3/);
  expect(await charts.marks('accuracy')).toEqual([[1, 2, 3]]);
  await workbench.screenshot('restricted-charts');
});

test('nothing of ours complained', async () => {
  expect(workbench.problems).toEqual([]);
  expect(await workbench.extensionErrors()).toEqual([]);
});
