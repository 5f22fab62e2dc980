// Logs that carry advantages, in a real VS Code: the logged value stands beside the recomputed one in the list's card, in
// the group and in the transcript, and the charts say how the two are normalised, or by how much they differ.
//
// Leaves out: which ways of normalising are told apart (test/unit/analysis/doctor) and the formats (test/unit/readers).
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChartsPage } from './chartsPage.ts';
import { launch, type Launched } from './launch.ts';
import type { Workbench } from './workbench.ts';

/** Rewards of the two groups of a step. */
const groups = [
  [1, 0, 1, 0],
  [1, 0, 0.5, 0],
] as const;

/** As TRL logs them: r − mean, over the sample deviation unless it is switched off. */
const estimators = {
  'as-recomputed': (deviation: number, sample: number) => deviation / sample,
  'without-deviation': (deviation: number) => deviation,
  'another-estimator': (deviation: number, sample: number) => (3 * deviation) / sample,
} as const;

type Run = keyof typeof estimators;

function linesOf(step: number, run: Run): string {
  const rows = groups.flatMap((rewards, question) => {
    const mean = rewards.reduce<number>((sum, reward) => sum + reward, 0) / rewards.length;
    const squares = rewards.reduce<number>((sum, reward) => sum + (reward - mean) ** 2, 0);
    return rewards.map((reward, place) => ({
      step,
      prompt: `user\nWhat is ${10 + question} + ${step}?\nassistant\n`,
      completion: `I think.\n${reward === 1 ? 10 + question + step : 7 + place}`,
      accuracy_reward: reward,
      advantage: estimators[run](reward - mean, Math.sqrt(squares / (rewards.length - 1))),
    }));
  });
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

let launched: Launched;
let workbench: Workbench;
let charts: ChartsPage;

beforeAll(async () => {
  launched = await launch({
    workspace: async (folder) => {
      for (const run of Object.keys(estimators) as Run[]) {
        await mkdir(path.join(folder, run));
        for (const step of [1, 2]) {
          await writeFile(path.join(folder, run, `completions_0000${step}.jsonl`), linesOf(step, run));
        }
      }
    },
  });
  ({ workbench } = launched);
  charts = new ChartsPage(workbench);
  await workbench.runCommand('Rollout Lens: Show Charts');
});
afterAll(() => launched?.close());

const press = (key: string): Promise<void> => workbench.page.keyboard.press(key);

/** Shows one run alone. */
async function show(wanted: Run): Promise<void> {
  await charts.settled(/, steps 1 to 2: /);
  const shown = (name: Run) => async (): Promise<boolean> =>
    (await charts.legend()).some(([run, ticked]) => run === name && ticked);
  const names = (Object.keys(estimators) as Run[]).sort((a) => (a === wanted ? -1 : 1));
  for (const run of names) {
    if ((await shown(run)()) !== (run === wanted)) await charts.box(run).click();
    await expect.poll(shown(run)).toBe(run === wanted);
  }
  await charts.settled(new RegExp(`^${wanted}, steps 1 to 2: `));
}

describe.each([
  ['as-recomputed', '+0.87', '+0.87', '0', null],
  ['without-deviation', '+0.50', '+0.87', '0.366', /are the recomputed ones without std normalisation/],
  ['another-estimator', '+2.60', '+0.87', '1.73', /differ from the recomputed A_acc by up to 2\.\d+: both are shown/],
] as const)('a log with advantages %s', (run, logged, recomputed, difference, said) => {
  const both = `logged advantage ${logged}, recomputed A_acc ${recomputed}, difference ${difference}`;

  test('says how they were normalised', async () => {
    await show(run);
    const doctor = charts.content.locator('.doctor');
    await expect.poll(() => doctor.locator('summary').innerText()).toMatch(/^What these logs lack: \d+ notes?$/);
    if ((await doctor.getAttribute('open')) === null) await doctor.locator('summary').click();
    if (said) await expect.poll(() => doctor.innerText()).toMatch(said);
    else expect(await doctor.innerText()).not.toMatch(/Logged advantages|No advantage is logged/);
  });

  test('shows both where a number is explained, and in the group', async () => {
    const list = charts.content.locator('#chart-samples .listGrid');
    await expect.poll(() => list.getAttribute('aria-rowcount')).toBe('17');
    await list.focus();
    await press('Home');
    const index = await rowOf('What is 10 + 1?', '✓ 1.0');
    for (let presses = 0; presses < index; presses += 1) await press('ArrowDown');
    await press('w');
    const why = charts.content.locator('.why');
    await expect.poll(() => why.innerText()).toContain(both);
    await workbench.screenshot(`logged-${run}`);
    await press('Escape');
    await press('g');
    const column = charts.content.locator('#chart-group .column').first();
    await column.scrollIntoViewIfNeeded();
    await expect
      .poll(() => column.innerText())
      .toMatch(new RegExp(`A_acc\\s+\\${recomputed}\\s+logged\\s+\\${logged}`));
  });

  test('and in its transcript', async () => {
    await charts.content.locator('#chart-group .column').first().focus();
    await press('o');
    await expect.poll(async () => (await workbench.editor.visibleLines()).join('\n')).toContain(both);
    await workbench.runCommand('View: Close Editor');
    await charts.settled(new RegExp(`^${run}, steps 1 to 2: `));
  });
});

test('nothing was violated, and no error was logged', async () => {
  expect(workbench.problems).toEqual([]);
  expect(await workbench.extensionErrors()).toEqual([]);
});

/** Index of the first row with this question and reward. */
async function rowOf(question: string, reward: string): Promise<number> {
  const rows = charts.content.locator('#chart-samples .row[data-index]');
  let found = -1;
  await expect
    .poll(async () => {
      const texts = await rows.allInnerTexts();
      const row = texts.findIndex((text) => text.includes(question) && text.includes(reward));
      if (row >= 0) found = Number(await rows.nth(row).getAttribute('data-index'));
      return found;
    })
    .toBeGreaterThanOrEqual(0);
  return found;
}
