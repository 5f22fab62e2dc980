// What goes wrong outside: files that cannot be read, an engine that is killed, a log that vanishes, a cancelled
// indexing. Each says what happened and what to do; what was read stays usable.
//
// Leaves out: bad lines inside a log (test/unit/readers).
import { copyFile, mkdir, open, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { metisLine, metisRecord, seededRandom, writeMetisRun } from '../generate/metisRun.mjs';
import { launch, type Launched } from './launch.ts';
import { sendSignal, type RunningProcess } from './processes.ts';
import type { Tree, TreeRow } from './tree.ts';
import type { Workbench } from './workbench.ts';

const readMs = 60_000;

let launched: Launched;
let workbench: Workbench;
let tree: Tree;
let good: string;

beforeAll(async () => {
  launched = await launch({ workspace: writeBadWorkspace });
  ({ workbench } = launched);
  tree = workbench.tree('Runs');
  good = path.join(launched.workspace, 'good');
});
afterAll(() => launched?.close());

describe('files that cannot be read', () => {
  test('leave the others readable, and each is named', async () => {
    await workbench.openContainer('Rollout Lens');
    await described('good', /2 steps · 8 rollouts .* 1 note$/);
    await workbench.runCommand('Rollout Lens: Show Notes…');
    await workbench.quickInput.pick(/^good$/);
    await expect
      .poll(() => workbench.quickInput.rowTexts())
      .toEqual([expect.stringMatching(/the last line is not complete \(700 bytes\).*7\.jsonl, line 1$/)]);
    await workbench.screenshot('failures-notes');
    await workbench.quickInput.cancel();
    const log = await workbench.extensionLog();
    expect(log).toContain(`${good}/self.jsonl is a symbolic link that leads to itself. Remove or correct the link.`);
    expect(log).toContain(`${good}/loop: this link leads back to ${launched.workspace}, which holds it`);
  });

  test.each([
    ['5.jsonl', 'Folder…', '5.jsonl holds no rollout log that can be read'],
    [
      '8.jsonl',
      'File…',
      '8.jsonl is no rollout log that is known here. Open a log of one of the formats in the README.',
    ],
    ['9.jsonl', 'File…', '9.jsonl is empty. Open it again when something was written to it.'],
  ])('%s says why it does not open', async (name, kind, message) => {
    const said = workbench.notification(message);
    // The dialog proposes a path, and may put it over one that is typed while it still looks around: then once more.
    for (let tries = 0; tries < 3 && !(await said.isVisible()); tries += 1) {
      await workbench.runCommand('Rollout Lens: Open Run…');
      await workbench.quickInput.pick(new RegExp(`${kind}$`));
      await expect.poll(() => workbench.quickInput.input.inputValue()).toMatch(/^\//);
      await workbench.page.waitForTimeout(500);
      await workbench.quickInput.type(path.join(good, name));
      await workbench.page.waitForTimeout(500);
      await workbench.quickInput.widget.getByRole('button', { name: 'Open', exact: true }).click();
      await said.waitFor({ timeout: 4_000 }).catch(() => workbench.page.keyboard.press('Escape'));
    }
    expect(await said.isVisible()).toBe(true);
    await workbench.screenshot(`failures-open-${name}`);
    await workbench.runCommand('Notifications: Clear All Notifications');
  });
});

describe('the engine killed', () => {
  test('says so, keeps what is open, and answers the next question anew', async () => {
    await tree.expand('good');
    await tree.expand(/^step 1(?!\d)/);
    await tree.expand(/G 4/);
    await tree.click('#1');
    const before = await workbench.editor.textContaining('rollout 1 of 4');
    // Not by a way through the link that leads back, which would be longer each time the folder is looked at.
    expect(await workbench.page.locator('.breadcrumbs-control').first().innerText()).not.toContain('loop');
    const [killed] = engines();
    expect(engines()).toHaveLength(1);
    sendSignal(killed?.pid ?? 0, 'SIGKILL');
    await expect.poll(() => tree.message()).toContain('The engine that reads logs ended unexpectedly.');
    await workbench.screenshot('failures-killed');
    expect(await workbench.editor.text()).toBe(before);

    await tree.expand(/^step 2(?!\d)/);
    await expect
      .poll(async () => (await tree.list()).filter(({ description }) => /^\s*G 4/.test(description)).length)
      .toBe(2);
    expect(engines().map(({ pid }) => pid)).not.toContain(killed?.pid);
    expect(engines()).toHaveLength(1);
    await expect.poll(() => tree.message().catch(() => '')).not.toContain('ended unexpectedly');
    await described('good', /2 steps · 8 rollouts/);
    expect(await workbench.editor.text()).toBe(before);
  });

  test('is noticed again, also by a refresh', async () => {
    sendSignal(engines()[0]?.pid ?? 0, 'SIGKILL');
    await expect.poll(() => tree.message()).toContain('ended unexpectedly');
    await tree.clickTitleAction('Refresh Runs');
    await expect.poll(() => tree.message().catch(() => '')).not.toContain('ended unexpectedly');
    await described('good', /2 steps · 8 rollouts/);
  });
});

describe('two windows on one run', () => {
  test('both work, each with an engine of its own', async () => {
    const second = await launched.openAnother();
    try {
      await second.openContainer('Rollout Lens');
      const other = second.tree('Runs');
      await expect.poll(async () => (await other.list()).map(({ label }) => label)).toContain('good');
      await other.expand('good');
      await other.expand(/^step 2(?!\d)/);
      await other.expand(/G 4/);
      await other.click('#2');
      await second.editor.textContaining('rollout 2 of 4');
      expect(engines()).toHaveLength(2);
      await writeMetisRun({
        directory: good,
        steps: 1,
        firstStep: 3,
        promptsPerStep: 1,
        rolloutsPerPrompt: 4,
        seed: 1,
      });
      await described('good', /3 steps · 12 rollouts/);
      await expect
        .poll(async () => (await other.list())[0]?.description, { timeout: readMs })
        .toMatch(/3 steps · 12 rollouts/);
      expect(second.problems).toEqual([]);
    } finally {
      await second.close();
    }
  });
});

describe('a log', () => {
  test('deleted while its transcript is open leaves its text, and goes from the tree', async () => {
    const before = await workbench.editor.textContaining('rollout 1 of 4');
    await rm(path.join(good, '1.jsonl'));
    await described('good', /2 steps · 8 rollouts/);
    expect(await workbench.editor.text()).toBe(before);
  });
});

describe('settings', () => {
  test('the reward threshold decides what is right, and nonsense is the default', async () => {
    const accuracy = async (): Promise<string> => (await rowOf(/^step 40$/)).description;
    await tree.collapse('good');
    await tree.expand('plain');
    await expect.poll(accuracy, { timeout: readMs }).toMatch(/^acc 0\.25/);
    await launched.setWorkspaceSettings({ 'rolloutLens.rewardThreshold': 0.15 });
    await expect.poll(accuracy, { timeout: readMs }).toMatch(/^acc 0\.75/);
    await launched.setWorkspaceSettings({ 'rolloutLens.rewardThreshold': 'much' });
    await expect.poll(accuracy, { timeout: readMs }).toMatch(/^acc 0\.25/);
    await tree.collapse('plain');
  });
});

// Large enough that Cancel is pressed long before the end, also on a quick and quiet machine.
describe('indexing 0.8 GB', () => {
  const files = 32;
  const perFile = 3_072;
  let attempt = 0;

  test('stops by Cancel, what was read is usable, and Resume goes on', async () => {
    const outside = `${launched.workspace}-large`;
    await rm(path.join(launched.workspace, 'large'), { recursive: true, force: true });
    try {
      attempt += 1;
      await writeLargeRun(outside, { files, perFile, seed: attempt * 1_000 });
      await rename(outside, path.join(launched.workspace, 'large'));
    } finally {
      await rm(outside, { recursive: true, force: true });
    }
    // Both are there only while something is read.
    await expect.poll(() => tree.message(), { timeout: readMs, interval: 20 }).toMatch(/^Indexing large: \d+ %/);
    // The title's action gets the focused row, which is another run: what is being indexed stops all the same.
    await tree.row(/^good/).click();
    await tree.clickTitleAction('Cancel Indexing');
    await described('large', /partly read/);
    await workbench.screenshot('failures-cancelled');
    const read = rolloutsIn(await rowOf(/^large$/));
    expect(read).toBeLessThan(files * perFile);
    await tree.expand('large');
    if (read > 0) {
      await tree.expand(/^step \d/);
      await expect
        .poll(async () => (await tree.list()).some(({ description }) => /^\s*G \d/.test(description)))
        .toBe(true);
      await tree.collapse(/^step \d/);
    }
    // Nothing goes on behind one's back.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(rolloutsIn(await rowOf(/^large$/))).toBe(read);

    const row = tree.row(/^large/);
    await row.hover();
    await row.getByRole('button', { name: 'Resume Indexing' }).click();
    await expect.poll(async () => rolloutsIn(await rowOf(/^large$/)), { timeout: readMs }).toBe(files * perFile);
    expect((await rowOf(/^large$/)).description).not.toContain('partly read');
  });
});

test('the only errors in the log are those of the killed engines', async () => {
  const errors = await workbench.extensionErrors();
  expect(errors.filter((line) => !line.includes('The engine ended'))).toEqual([]);
  // Two are killed; a test that is tried again kills one more.
  expect(errors.length).toBeGreaterThanOrEqual(2);
  expect(workbench.problems).toEqual([]);
});

/** A run of two good steps among a folder, links that lead nowhere or in a circle, a cut, a binary and an empty file. */
async function writeBadWorkspace(folder: string): Promise<void> {
  const directory = path.join(folder, 'good');
  await writeMetisRun({ directory, steps: 2, promptsPerStep: 1, rolloutsPerPrompt: 4, seed: 1 });
  const at = (name: string): string => path.join(directory, name);
  await mkdir(at('5.jsonl'));
  await symlink('/nowhere/6.jsonl', at('6.jsonl'));
  await symlink('..', at('loop'));
  await symlink('self.jsonl', at('self.jsonl'));
  await writeFile(at('7.jsonl'), (await readFile(at('1.jsonl'))).subarray(0, 700));
  const random = seededRandom(1);
  await writeFile(at('8.jsonl'), Buffer.from(Array.from({ length: 5_000 }, () => Math.floor(random() * 256))));
  await writeFile(at('9.jsonl'), '');
  // A dump whose score is any number, so that a threshold decides what is right.
  const lines = [0.1, 0.2, 0.3, 0.9].map((score) =>
    JSON.stringify({ input: 'user\nHow much is 6 × 7?\nassistant\n', output: '42', gts: '42', score, step: 40 }),
  );
  await mkdir(path.join(folder, 'plain'));
  await writeFile(path.join(folder, 'plain', '40.jsonl'), `${lines.join('\n')}\n`);
}

/** 25 MB a file; each begins with a rollout of its own, since files of equal content share their index (as would a retry). */
async function writeLargeRun(
  directory: string,
  { files, perFile, seed }: { readonly files: number; readonly perFile: number; readonly seed: number },
): Promise<void> {
  const base = path.join(directory, 'base');
  const lineBytes = { min: 7_500, max: 8_500 };
  await writeMetisRun({
    directory: base,
    steps: 1,
    promptsPerStep: perFile / 16,
    rolloutsPerPrompt: 16,
    seed: 2,
    lineBytes,
  });
  const body = path.join(base, '1.jsonl');
  const first = (await readFile(body)).indexOf('\n');
  for (let step = 1; step <= files; step += 1) {
    const file = path.join(directory, `${step}.jsonl`);
    await copyFile(body, file);
    const line = metisLine(metisRecord(seededRandom(seed + step), { step: 1, calls: [] }));
    const handle = await open(file, 'r+');
    await handle.write(`${line}${' '.repeat(Math.max(0, first - Buffer.byteLength(line)))}`, 0);
    await handle.close();
  }
  await rm(base, { recursive: true });
}

function engines(): readonly RunningProcess[] {
  return launched.server.processes(/engineMain\.cjs/);
}

async function rowOf(label: RegExp): Promise<TreeRow> {
  const found = (await tree.list()).find((row) => label.test(row.label));
  if (found === undefined) throw new Error(`No row ${label}`);
  return found;
}

async function described(run: string, wanted: RegExp): Promise<void> {
  const said = async (): Promise<string> => {
    const found = (await tree.list()).find(({ level, label }) => level === 1 && label === run);
    return found?.description ?? `no run "${run}"`;
  };
  await expect.poll(said, { timeout: readMs }).toMatch(wanted);
}

function rolloutsIn({ description }: TreeRow): number {
  return Number(/([\d,]+) rollouts/.exec(description)?.[1]?.replaceAll(',', '') ?? 0);
}
