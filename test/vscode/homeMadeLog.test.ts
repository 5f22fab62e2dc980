// A log that no reader knows, in a real VS Code: its fields are mapped in the form, by keyboard and in every theme, it
// opens as a run, and what it logs of tokens is shown over its text; packed and in a table too. Non-RL logs say what they
// lack, and menus know the logs of all formats by their names.
//
// Leaves out: what a mapping means (test/unit/readers) and where tokens stand (test/unit/views/transcript).
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { writeParquetOf } from '../unit/engine/wrappedLogs.ts';
import { accessibilityIssues } from './accessibility.ts';
import { ChartsPage } from './chartsPage.ts';
import { launch, type Launched } from './launch.ts';
import { themes, type Workbench } from './workbench.ts';

const pieces = ['It', ' is', ' 42', '.'];
const records = [1, 0].map((points) => ({
  ask: 'What is 6 × 7?',
  said: { text: pieces.join(''), pieces, logps: [-0.01, -0.2, -3, -0.9] },
  points,
  round: 3,
}));
const chat = {
  messages: [
    { role: 'user', content: 'Say hello.' },
    { role: 'assistant', content: 'Hello there.' },
  ],
};
const lines = (all: readonly unknown[]): string => all.map((one) => `${JSON.stringify(one)}\n`).join('');

let launched: Launched;
let workbench: Workbench;

beforeAll(async () => {
  launched = await launch({
    workspace: async (folder) => {
      await writeFile(path.join(folder, 'own.jsonl'), lines(records));
      await writeFile(path.join(folder, 'chat.jsonl'), lines([chat, chat]));
    },
    settings: { 'workbench.editor.enablePreview': false },
  });
  ({ workbench } = launched);
});
afterAll(() => launched?.close());
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await workbench.screenshot(`failed-home-made-${task.id}`);
});

const field = (name: string) => workbench.webview().locator(`[data-field="${name}"] vscode-dropdown`);
/** What a closed list shows. */
const chosen = (name: string) => field(name).locator('.selected-value').innerText();
const preview = (name: string) => workbench.webview().locator(`[data-preview="${name}"]`);
const standing = () => workbench.webview().locator('.standing');

/** Chooses a path for a field with the keyboard alone: a closed list follows the arrows. */
async function choose(name: string, wanted: string): Promise<void> {
  const list = field(name);
  await list.focus();
  for (let presses = 0; presses < 40; presses += 1) {
    const before = await chosen(name);
    if (before === wanted) return;
    await list.press('ArrowDown');
    await expect.poll(() => chosen(name)).not.toBe(before);
  }
  throw new Error(`${name} offers no ${wanted}.`);
}

test('opening it offers to map its fields', async () => {
  await workbench.openContainer('Explorer');
  const file = workbench.explorerItem('own.jsonl');
  // The extensions' items come after the window.
  await expect.poll(() => workbench.menuItems(file)).toEqual(expect.arrayContaining(['Open Run…', 'Map Fields…']));
  await workbench.chooseFromMenu(file, 'Open Run…');
  const offer = workbench.notification(/no rollout log that is known here/);
  await offer.getByRole('button', { name: 'Map Fields…' }).click();
  await workbench.editor.tab('Map Fields').waitFor();
  const record = workbench.webview().locator('pre.record');
  await expect.poll(() => record.innerText()).toContain('"ask": "What is 6 × 7?"');
});

test('a folder of such logs offers it too, for the first of them, and the form says what it recognised', async () => {
  const folder = path.join(launched.workspace, 'mine');
  await mkdir(folder);
  await writeFile(path.join(folder, 'a.jsonl'), lines(records));
  const offer = workbench.notification(/mine holds no rollout log that can be read/);
  const { quickInput, page } = workbench;
  await workbench.runCommand('Rollout Lens: Open Run…');
  await quickInput.pick(/Folder…/);
  await quickInput.input.waitFor();
  // The dialog puts its own path over what is typed while it still lists a folder: then once more.
  const typed = async (): Promise<string> => (await quickInput.input.inputValue()).replace(/\/$/u, '');
  await expect
    .poll(async () => {
      if ((await typed()) !== folder) await quickInput.type(folder);
      await page.waitForTimeout(1_500);
      return typed();
    })
    .toBe(folder);
  // The first click may only go into the folder.
  await expect
    .poll(async () => {
      if (await offer.isVisible()) return true;
      const button = quickInput.widget.getByRole('button', { name: 'Open', exact: true });
      await button.click({ timeout: 1_000 }).catch(() => undefined);
      await page.waitForTimeout(1_000);
      return offer.isVisible();
    })
    .toBe(true);
  await offer.getByRole('button', { name: 'Map Fields…' }).click();
  await expect.poll(() => workbench.webview().locator('p.intro').innerText()).toContain('/mine ');
  expect(await standing().innerText()).toBe(
    'No field was recognised. Choose the prompt and the response, or the messages.',
  );
  await workbench.chooseFromMenu(workbench.explorerItem('own.jsonl'), 'Map Fields…');
  await expect.poll(() => workbench.webview().locator('p.intro').innerText()).not.toContain('/mine ');
});

test('the form shows the first rollout as the chosen fields read it', async () => {
  await choose('prompt', 'ask');
  await choose('response', 'said.text');
  await choose('reward', 'points');
  await choose('step', 'round');
  await choose('tokens', 'said.pieces');
  await choose('logprobs', 'said.logps');
  await expect.poll(() => preview('question').innerText()).toBe('What is 6 × 7?');
  await expect.poll(() => preview('response').innerText()).toBe('It is 42.');
  await expect.poll(() => preview('reward').innerText()).toMatch(/^1/);
  await expect.poll(() => preview('step').innerText()).toBe('3');
  expect(await standing().innerText()).toBe('Changed, not saved yet.');
});

test.each(Object.keys(themes) as (keyof typeof themes)[])('the form in %s: nothing serious', async (theme) => {
  await workbench.setTheme(theme);
  await workbench.screenshot(`field-mapping-${theme}`);
  expect(await accessibilityIssues(workbench.page, 'webview')).toEqual([]);
});

test('what was edited is still there after another tab was looked at', async () => {
  await workbench.openFile('chat.jsonl');
  await workbench.editor.tab('Map Fields').click();
  await expect.poll(() => preview('question').innerText()).toBe('What is 6 × 7?');
  expect(await chosen('reward')).toBe('points');
  expect(await chosen('group')).toBe('(none)');
});

test('saved, it is a run, and nothing was written into its folder', async () => {
  await workbench.webview().locator('vscode-button', { hasText: 'Save' }).click();
  await expect.poll(() => standing().innerText()).toMatch(/^The mapping was kept for /);
  await workbench.openContainer('Rollout Lens');
  const tree = workbench.tree('Runs');
  await expect
    .poll(async () => (await tree.list()).find(({ label }) => label === 'own.jsonl')?.description)
    .toMatch(/1 step · 2 rollouts/);
  expect(await readFile(path.join(launched.workspace, 'own.jsonl'), 'utf8')).toBe(lines(records));
});

test('its transcript shows token values on demand', async () => {
  // High contrast draws dotted lines of its own around what is highlighted.
  await workbench.setTheme('dark');
  await workbench.openFile('own.jsonl');
  await workbench.editor.goTo(1);
  await workbench.runCommand('Rollout Lens: Open Trajectory…');
  await workbench.editor.textContaining('· tokens: mean log-prob −1.03');
  await workbench.editor.clickCodeLens('Token values…');
  await workbench.quickInput.pick('log-prob');
  const drawn = () =>
    workbench.page.evaluate(`[...document.querySelectorAll('.editor-group-container.active .view-overlays .cdr')]
      .sort((one, other) => one.getBoundingClientRect().left - other.getBoundingClientRect().left)
      .map((token) => getComputedStyle(token).borderTopStyle).filter((style) => style !== 'none')`);
  // p of " is" is below 0.9, of " 42" below 0.1, of "." below 0.5; "It" is as probable as can be.
  await expect.poll(drawn).toEqual(['dotted', 'solid', 'dashed']);
  // VS Code writes spaces of our text as no-break spaces.
  const hover = (await workbench.editor.hover('42')).replaceAll('\u00a0', ' ');
  expect(hover).toMatch(/token 3 of 4[\s\S]*" 42"[\s\S]*log-prob −3 \(p 0\.0498\)/);
  await workbench.screenshot('token-values-dark');
  await workbench.setTheme('light');
  await workbench.screenshot('token-values-light');
});

test('a chat is neither right nor wrong, and the charts say what it lacks', async () => {
  const tree = workbench.tree('Runs');
  await workbench.openContainer('Rollout Lens');
  await expect
    .poll(async () => (await tree.list()).find(({ label }) => label === 'chat.jsonl')?.description)
    .toMatch(/2 rollouts.* no rewards/);
  await workbench.runCommand('Rollout Lens: Show Charts');
  const charts = new ChartsPage(workbench);
  await charts.settled(/chat\.jsonl.*names no training steps, so it is shown as one.*This log has no rewards/s);
  await charts.box('own\\.jsonl').click();
  const missing = charts.figure('reward').locator('.missing');
  await expect.poll(() => missing.innerText()).toMatch(/^These logs have no rewards/);
  await workbench.screenshot('charts-no-rewards');
});

const exported = (): string => path.join(launched.workspace, 'mapping.json');
const pressed = (label: string) => workbench.webview().locator('vscode-button', { hasText: label }).click();
const described = async (label: string): Promise<string | undefined> => {
  await workbench.openContainer('Rollout Lens');
  return (await workbench.tree('Runs').list()).find((row) => row.label === label)?.description;
};

/** Opens the form on a log below a folder of its own, by the explorer's menu. */
async function mapFromExplorer(folder: string, name: string): Promise<void> {
  await workbench.openContainer('Explorer');
  if (!(await workbench.explorerItem(name).isVisible())) await workbench.explorerItem(folder).click();
  await workbench.chooseFromMenu(workbench.explorerItem(name), 'Map Fields…');
  await workbench.editor.tab('Map Fields').waitFor();
}

test('a mapping is exported', async () => {
  await workbench.editor.tab('Map Fields').click();
  await expect.poll(() => preview('question').innerText()).toBe('What is 6 × 7?');
  await pressed('Export…');
  await workbench.quickInput.choosePath(exported());
  await expect.poll(() => standing().innerText()).toBe('The mapping was written.');
  const written = JSON.parse(await readFile(exported(), 'utf8')) as { readonly fields: object };
  expect(written.fields).toMatchObject({ prompt: 'ask', response: 'said.text', reward: 'points', step: 'round' });
});

test.each([
  ['packed', 'packed.jsonl.gz'],
  ['tables', 'table.parquet'],
])('and imported for a log in %s/%s, which it opens', async (folder, name) => {
  const file = path.join(launched.workspace, folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  if (folder === 'packed') await writeFile(file, gzipSync(lines(records)));
  else await writeParquetOf(file, lines(records));
  await mapFromExplorer(folder, name);
  await expect.poll(() => workbench.webview().locator('p.intro').innerText()).toContain(`/${folder} `);
  expect(await workbench.webview().locator('pre.record').innerText()).toContain('"ask": "What is 6 × 7?"');
  expect(await chosen('response')).not.toBe('said.text');
  await pressed('Import…');
  await workbench.quickInput.choosePath(exported());
  await expect.poll(() => preview('response').innerText()).toBe('It is 42.');
  expect(await standing().innerText()).toBe('The mapping was read; save it to use it.');
  await pressed('Save');
  await expect.poll(() => standing().innerText()).toMatch(/^The mapping was kept for /);
  await expect.poll(() => described(name)).toMatch(/1 step · 2 rollouts/);
});

test('the form is back after a reload, and Use Guess forgets the mapping', async () => {
  await workbench.reload();
  await workbench.editor.tab('Map Fields').click();
  await expect.poll(() => standing().innerText()).toBe('A mapping is kept for this folder.');
  await expect.poll(() => workbench.webview().locator('p.intro').innerText()).toContain('/tables ');
  expect(await chosen('response')).toBe('said.text');
  await expect.poll(() => described('table.parquet')).toMatch(/2 rollouts/);
  await workbench.editor.tab('Map Fields').click();
  await pressed('Use Guess');
  await expect.poll(() => standing().innerText()).toMatch(/^The mapping of .*\/tables was removed/);
  await expect.poll(() => described('table.parquet')).toBeUndefined();
  await expect.poll(() => described('packed.jsonl.gz')).toMatch(/2 rollouts/);
});

test('menus know logs by their names, episodes by their runs, and offer nothing on other files', async () => {
  const fixtures = path.resolve(import.meta.dirname, '../fixtures');
  const put = async (fixture: string, ...target: readonly string[]): Promise<void> => {
    const file = path.join(launched.workspace, ...target);
    await mkdir(path.dirname(file), { recursive: true });
    await copyFile(path.join(fixtures, fixture), file);
  };
  await put('swe-agent/swe-agent-1.1/calc-1.traj', 'calc-1.traj');
  await put('inspect/inspect-0.3.150-zstd/log.eval', 'log.eval');
  await put('atif/harbor-1.6/log.json', 'job', 'task__a', 'agent', 'trajectory.json');
  await put('atif/harbor-1.6/log.json', 'job', 'task__b', 'agent', 'trajectory.json');
  await expect.poll(() => described('job')).toMatch(/2 rollouts/);
  await workbench.openContainer('Explorer');
  const ours = ['Open Trajectory…', 'Open Run…'];
  const offered = async (name: string): Promise<readonly string[]> => {
    const items = await workbench.menuItems(workbench.explorerItem(name));
    return items.filter((item) => [...ours, 'Map Fields…'].includes(item));
  };
  for (const name of ['calc-1.traj', 'log.eval']) {
    await expect.poll(() => offered(name), { message: name }).toEqual(ours);
  }
  expect(await offered('chat.jsonl')).toEqual([...ours, 'Map Fields…']);
  expect(await offered('mapping.json')).toEqual([]);
  await workbench.explorerItem('job').click();
  await workbench.explorerItem('task__a').click();
  await expect.poll(() => offered('trajectory.json')).toEqual(ours);
});

test('"Open Trajectory" opens what no editor shows as text', async () => {
  await workbench.chooseFromMenu(workbench.explorerItem('calc-1.traj'), 'Open Trajectory…');
  await workbench.editor.textContaining('ISSUE: add() subtracts.');
  await workbench.chooseFromMenu(workbench.explorerItem('log.eval'), 'Open Trajectory…');
  await workbench.editor.textContaining('Write a haiku about rain.');
});

test('nothing of ours complained', async () => {
  expect(workbench.problems).toEqual([]);
  expect(await workbench.extensionErrors()).toEqual([]);
});
