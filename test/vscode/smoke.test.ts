// The extension comes up in a real VS Code: installed, activated by its view, a run found, nothing of ours complains;
// and it stays inactive where there is nothing for it.
//
// Leaves out: what the views do (a test file each).
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeMetisRun } from '../generate/metisRun.mjs';
import { launch, type Launched } from './launch.ts';
import { webviewFrame } from './accessibility.ts';

describe('a workspace with a run in it', () => {
  let launched: Launched;
  beforeAll(async () => {
    launched = await launch({ workspace: writeRun });
  });
  afterAll(() => launched?.close());

  test('shows the run in the container "Rollout Lens"', async () => {
    const { workbench } = launched;
    await workbench.openContainer('Rollout Lens');
    await workbench.tree('Runs').rows.first().waitFor();
    await workbench.screenshot('smoke-container');
    expect(await workbench.activityBarItem('Rollout Lens').getAttribute('aria-selected')).toBe('true');
  });

  test('is activated by its view', async () => {
    const activation = await launched.workbench.activation();
    expect(activation?.event).toBe('onView:rolloutLens.runs');
  });

  test('sees a CSP violation where there is one, and none where there is none', async () => {
    const { workbench } = launched;
    await workbench.runCommand('Rollout Lens: Show Charts');
    await workbench.webview().locator('body *').first().waitFor({ state: 'attached' });
    await workbench.screenshot('smoke-charts');
    expect(workbench.problems).toEqual([]);

    const frame = await webviewFrame(workbench.page);
    await frame.evaluate(`document.body.insertAdjacentHTML('beforeend', '<i style="color: red"></i>')`);
    await expect.poll(() => workbench.problems.map(({ kind }) => kind)).toContain('csp');
  });

  test('logs no error', async () => {
    expect(await launched.workbench.extensionErrors()).toEqual([]);
  });
});

describe('a workspace that has nothing to do with rollouts', () => {
  let launched: Launched;
  beforeAll(async () => {
    launched = await launch({ workspace: (folder) => writeFile(path.join(folder, 'notes.txt'), 'Buy milk.\n') });
  });
  afterAll(() => launched?.close());

  test('leaves the extension inactive', async () => {
    const { workbench } = launched;
    await workbench.openFile('notes.txt');
    expect(await workbench.activation()).toBeUndefined();
  });
});

async function writeRun(folder: string): Promise<void> {
  const directory = path.join(folder, 'generated-run');
  await writeMetisRun({ directory, steps: 3, promptsPerStep: 2, rolloutsPerPrompt: 4, seed: 1 });
}
