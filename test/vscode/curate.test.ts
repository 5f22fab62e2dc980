// The Curate view in a real VS Code: a funnel that follows its thresholds, dropped rows with their reasons and transcripts,
// verdicts and undo, a judge on loopback, settings and exports as files that are read back, cancel, keyboard and themes.
//
// Leaves out which rows a filter drops (test/unit/analysis) and what a judge may answer (test/unit/host/judge.test.ts).
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { completion, startJudgeServer, type JudgeServer } from '../unit/host/judgeServer.ts';
import { accessibilityIssues } from './accessibility.ts';
import { CuratePage } from './curatePage.ts';
import { launch, type Launched } from './launch.ts';
import { groupRecords, product, writeStep, type Attempt } from './metisLogs.ts';
import { themes, type Workbench } from './workbench.ts';

const slowly = { timeout: 60_000 };

/** A group of eight: two with a failed call (one of them right in the end), right and wrong ones. */
const attempts: readonly Attempt[] = [
  { calls: ['failed', 'python'], right: true },
  { calls: ['failed'], right: false },
  { calls: ['python'], right: true },
  { calls: ['python'], right: true },
  { calls: [], right: true },
  { calls: [], right: false },
  { calls: ['python', 'repeat'], right: true },
  { calls: ['python'], right: false },
];
const allRight: readonly Attempt[] = Array.from({ length: 8 }, () => ({ calls: ['python'], right: true }));

let launched: Launched;
let workbench: Workbench;
let page: CuratePage;
let judge: JudgeServer;
/** What the judge says next; held back where it is to be cancelled. */
let verdict: { readonly score: number; readonly reason: string } = { score: 0.2, reason: 'The call repeats itself.' };
let delayMs = 0;

beforeAll(async () => {
  judge = await startJudgeServer(() => ({ body: completion(JSON.stringify(verdict)), delayMs }));
  launched = await launch({
    workspace: async (folder) => {
      const questions = [product(48, 7), product(13, 17)];
      await writeStep(path.join(folder, 'logs'), 1, [
        ...groupRecords(questions[0] ?? product(1, 1), attempts, 1),
        ...groupRecords(questions[1] ?? product(1, 1), allRight, 1),
      ]);
    },
    settings: { 'workbench.editor.enablePreview': false },
    width: 1500,
    height: 1000,
  });
  ({ workbench } = launched);
  page = new CuratePage(workbench);
  // Settings of the machine are the server's, not the window's.
  const machine = path.join(launched.server.userDataDirectory, 'Machine');
  await mkdir(machine, { recursive: true });
  const settings = { 'rolloutLens.judge.endpoint': judge.endpoint, 'rolloutLens.judge.model': 'small' };
  await writeFile(path.join(machine, 'settings.json'), JSON.stringify(settings));
  await workbench.reload();
});
afterAll(async () => {
  await launched?.close();
  await judge?.close();
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await workbench.screenshot(`failed-curate-${task.id}`);
});

const failedRows = 'Failed execution';

test('the menu of a run opens its funnel', async () => {
  await workbench.openContainer('Rollout Lens');
  const runs = workbench.tree('Runs');
  await runs.row('logs').waitFor();
  await workbench.chooseFromMenu(runs.row('logs'), 'Curate Run…');
  await workbench.editor.tab('Curate').waitFor();
  await page.settled(/of 16 trajectories are kept/);
  expect((await page.bars())[failedRows]).toBe('−2 (13 %)');
  expect(await page.content.locator('.runs').innerText()).toBe('logs: 16 rollouts');
});

test('counts follow a threshold, and a filter that is off drops nothing', async () => {
  await page.box('only failures that no later call made good').click();
  await expect.poll(async () => (await page.bars())[failedRows]).toBe('−1 (6 %)');
  await page.box('only failures that no later call made good').click();
  await expect.poll(async () => (await page.bars())[failedRows]).toBe('−2 (13 %)');
  await page.box(failedRows).click();
  await expect.poll(async () => (await page.bars())[failedRows]).toBe('off');
  await page.box(failedRows).click();
  await expect.poll(async () => (await page.bars())[failedRows]).toBe('−2 (13 %)');
});

test('by keyboard alone: bars, rows, a verdict, undo, a transcript', async () => {
  const { keyboard } = workbench.page;
  await page.content.locator('h1').click();
  await page.tabTo('g.bar');
  await keyboard.press('Home');
  await keyboard.press('Enter');
  await expect.poll(() => page.standing()).toBe('Failed execution: 2 trajectories, by step and file.');
  await page.tabTo('.listGrid');
  await expect.poll(async () => (await page.rows()).length).toBe(2);
  const [first] = await page.rows();
  expect(first?.slice(0, 4)).toEqual(['48 × 7 = ?', '1', '✓', '2']);
  expect(first?.[4]).toMatch(/failed/i);
  await keyboard.press('k');
  await expect.poll(async () => (await page.bars())[failedRows]).toBe('−1 (6 %)');
  await expect.poll(() => page.sentence()).toContain('1 row follows your own word.');
  await expect.poll(async () => (await page.rows()).length).toBe(1);
  const told = page.content.locator('.verdict .said');
  await expect.poll(() => told.innerText()).toBe('"48 × 7 = ?" is kept by you: it is now among the rows of "Kept".');
  await keyboard.press('Control+z');
  await expect.poll(async () => (await page.bars())[failedRows]).toBe('−2 (13 %)');
  await expect.poll(async () => (await page.rows()).length).toBe(2);
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await workbench.editor.textContaining(/rollout 2 of 8/);
});

test('comes back where it was, with its rows', async () => {
  await workbench.editor.tab('Curate').click();
  await page.settled(/of 16 trajectories are kept/);
  await expect.poll(() => page.standing()).toBe('Failed execution: 2 trajectories, by step and file.');
  await expect.poll(async () => (await page.rows()).length).toBe(2);
});

test('a kept row can be dropped by hand, is listed as such, and taken back', async () => {
  await page.bar('Kept').click();
  await expect.poll(() => page.standing()).toMatch(/^Kept: \d+ trajectories, by step and file\.$/);
  const before = await page.sentence();
  // One that no other row repeats: a verdict is about what a row says, wherever that is said.
  await page.list().locator('.spacer .row').nth(1).click();
  await page.button('Drop').click();
  await expect.poll(async () => (await page.bars())['Dropped by hand']).toBe('−1 (6 %)');
  await page.bar('Dropped by hand').click();
  await expect.poll(() => page.standing()).toBe('Dropped by hand: 1 trajectory, by step and file.');
  await page.list().locator('.spacer .row').first().click();
  await page.button('Take Back').click();
  await expect.poll(() => page.sentence()).toBe(before);
});

test.each(Object.keys(themes) as (keyof typeof themes)[])('the page in %s: nothing serious', async (theme) => {
  await workbench.setTheme(theme);
  await page.bar(failedRows).click();
  await expect.poll(() => page.standing()).toContain('2 trajectories');
  await page.list().locator('.spacer .row').first().click();
  await workbench.screenshot(`curate-${theme}`);
  expect(await accessibilityIssues(workbench.page, 'webview')).toEqual([]);
});

test('the funnel is a table too', async () => {
  await workbench.setTheme('dark');
  await page.content.locator('#funnel vscode-button', { hasText: 'Table' }).click();
  const rows = await page.content.locator('#funnel table tr').allInnerTexts();
  expect(rows[1]?.split('\t').slice(0, 4)).toEqual(['Failed execution', '16', '2', '13 %']);
  // The bars took their patterns with them: the legend has its own.
  expect(await page.content.locator('.keys pattern').count()).toBe(2);
  await workbench.screenshot('curate-table');
  expect(await accessibilityIssues(workbench.page, 'webview')).toEqual([]);
  await page.content.locator('#funnel vscode-button', { hasText: 'Table' }).click();
});

const modal = () => workbench.page.locator('.monaco-dialog-box');

test('the judge is asked only after it was said what it takes', async () => {
  await page.button('Ask…').click();
  await modal().waitFor();
  expect(await modal().innerText()).toMatch(/Send \d+ requests? to small at http:\/\/127\.0\.0\.1:\d+\/v1\?/);
  expect(await modal().innerText()).toMatch(/About [\d.,]+( K)? tokens of prompts, and at most [\d.,]+( K)? tokens/);
  await workbench.screenshot('curate-judge-question');
  await modal().getByRole('button', { name: 'Cancel' }).click();
  await modal().waitFor({ state: 'hidden' });
  expect(judge.requests).toHaveLength(0);
});

test('a round can be cancelled, and goes on from there', async () => {
  delayMs = 1_500;
  await page.button('Ask…').click();
  await modal().getByRole('button', { name: 'Ask the Judge' }).click();
  await expect.poll(() => judge.requests.length).toBeGreaterThan(0);
  const work = page.content.locator('[data-work="judging"]');
  await work.locator('vscode-button', { hasText: 'Cancel' }).click();
  await work.waitFor({ state: 'detached' });
  await expect.poll(() => page.content.locator('#judge .outcome').innerText()).toContain('It was cancelled');
  delayMs = 0;
  verdict = { score: 0.2, reason: 'The call repeats itself.' };
  await page.button('Ask…').click();
  await modal().getByRole('button', { name: 'Ask the Judge' }).click();
  await expect.poll(() => page.content.locator('#judge .outcome').innerText(), slowly).toMatch(/rows? were judged\.$/);
  const bars = await page.bars();
  expect(bars['Not strategic']).toMatch(/^−\d+/);
  const asked = JSON.parse(judge.requests[0]?.body ?? '{}') as { readonly model?: string; readonly messages?: unknown };
  expect(asked.model).toBe('small');
  expect(JSON.stringify(asked.messages)).toContain('48 × 7');
});

test('its verdict stands beside the row', async () => {
  await page.bar('Not strategic').click();
  await expect.poll(async () => (await page.rows())[0]?.[5]).toBe('0.2');
  await page.list().locator('.spacer .row').first().click();
  const facts = page.content.locator('.facts');
  await expect.poll(() => facts.innerText()).toContain('The call repeats itself. (small at http');
  await workbench.screenshot('curate-judged');
});

test('agreement with own verdicts is shown', async () => {
  await page.button('Drop').click();
  await expect
    .poll(() => page.content.locator('#judge .agreement').innerText(), slowly)
    .toMatch(/^The judge agrees with (\d) of your \1 verdicts?: 100 % \(95 % interval/);
  await page.button('Undo').click();
});

test('the prompt is a text of the user, kept and reset', async () => {
  await page.content.locator('#judge summary').click();
  const prompt = page.content.locator('#judge textarea');
  const ours = await prompt.inputValue();
  expect(ours).toContain('tool-using agent');
  await prompt.fill('Be strict.');
  await expect.poll(() => page.content.locator('#judge details .standing').innerText()).toContain('your own prompt');
  await page.button('Reset Prompt').click();
  await expect.poll(() => prompt.inputValue()).toBe(ours);
});

test('settings are written and read back', async () => {
  const file = path.join(launched.workspace, 'curation.json');
  await page.button('Save Settings…').click();
  await workbench.quickInput.choosePath(file);
  await expect.poll(async () => readFile(file, 'utf8').catch(() => '')).toContain('"stage": "sft"');
  const saved = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...saved, off: ['execution-failure', 'not-strategic'] }));
  await page.button('Import…').click();
  await workbench.quickInput.choosePath(file);
  await expect.poll(async () => (await page.bars())[failedRows]).toBe('off');
  await page.button('Reset').click();
  await expect.poll(async () => (await page.bars())[failedRows]).toBe('−2 (13 %)');
  await page.box('Not strategic').click();
  await expect.poll(async () => (await page.bars())['Not strategic']).toBe('off');
});

test('the kept rows are exported, and the file says what was kept', async () => {
  const kept = Number(/−?(\d+)/.exec((await page.bars())['Kept'] ?? '')?.[1]);
  const file = path.join(launched.workspace, 'kept.jsonl');
  await page.button('Export…').click();
  await workbench.quickInput.choosePath(file);
  const told = workbench.notification(/rows? written to/);
  await told.waitFor(slowly);
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  expect(lines).toHaveLength(kept);
  const records = lines.map((line) => JSON.parse(line) as { readonly messages?: readonly unknown[] });
  expect(records.every(({ messages }) => (messages?.length ?? 0) >= 2)).toBe(true);
  const beside = (await readdir(launched.workspace)).filter((name) => name.startsWith('kept'));
  expect(beside.length).toBeGreaterThanOrEqual(2);
  await told.getByRole('button', { name: 'Open' }).click();
  await workbench.editor.tab('kept.jsonl').waitFor();
  await workbench.editor.tab('Curate').click();
});

test('prompts for RL have filters of their own', async () => {
  await page.content.locator('input[value="rl"]').click();
  await page.settled(/of 2 prompts is kept/);
  expect((await page.bars())['No variance']).toBe('−1 (50 %)');
  await page.bar('No variance').click();
  await expect.poll(async () => (await page.rows())[0]?.slice(0, 3)).toEqual(['13 × 17 = ?', '1', '8/8']);
  await workbench.screenshot('curate-rl');
});

test('is back after a reload, with its runs and stage', async () => {
  await workbench.reload();
  await workbench.editor.tab('Curate').click();
  await page.settled(/of 2 prompts is kept/);
  expect(await page.content.locator('input[value="rl"]').isChecked()).toBe(true);
});

test('curates the sample', async () => {
  await workbench.runCommand('Rollout Lens: Open the Sample Run');
  await workbench.openContainer('Rollout Lens');
  const runs = workbench.tree('Runs');
  await runs.row(/^hdpo/).waitFor(slowly);
  await workbench.chooseFromMenu(runs.row(/^hdpo/), 'Curate Run…');
  await expect.poll(() => page.content.locator('.runs').innerText(), slowly).toMatch(/^hdpo: [\d,]+ rollouts$/);
  await page.content.locator('input[value="sft"]').click();
  await page.settled(/of [\d,]{5,} trajectories are kept/);
  await workbench.screenshot('curate-sample');
});

test('tool-free samples are generated by a model of this machine, and kept when it is cancelled', async () => {
  const filter = page.content.locator('[data-filter="tool-free-solvable"]');
  await filter.locator('select').selectOption('generated');
  await expect.poll(async () => (await page.bars())['Solvable without tools']).toBe('0');
  await page.button('Generate…').click();
  await workbench.quickInput.pick('Policy at the start (bundled)');
  await modal().waitFor();
  expect(await modal().innerText()).toContain('The model runs on this machine; nothing is sent.');
  await modal().getByRole('button', { name: 'Generate' }).click();
  const work = page.content.locator('[data-work="generating"]');
  await expect.poll(() => work.innerText(), slowly).toMatch(/: [2-9]\d* of [\d,]+/);
  await work.locator('vscode-button', { hasText: 'Cancel' }).click();
  await expect
    .poll(() => page.content.locator('.saidLast').innerText(), slowly)
    .toMatch(/^Samples for \d+ prompts? were generated\..* It was cancelled; what was generated is kept\.$/);
  await expect.poll(() => filter.locator('.coverage').innerText(), slowly).not.toContain('no tool-free samples');
  await workbench.screenshot('curate-generated');
});

test('nothing of ours complained', async () => {
  expect(workbench.problems).toEqual([]);
  expect(await workbench.extensionErrors()).toEqual([]);
});
