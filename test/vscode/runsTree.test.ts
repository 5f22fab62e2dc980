// The tree "Runs" in a real VS Code: what its rows say against the arithmetic worked out from the written records, levels
// of at most 500, order and filter, welcome views, runs opened from elsewhere and closed again.
//
// Leaves out opening a trajectory (openTrajectory.test.ts) and runs that grow (another file).
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { flagCalls } from '../../src/analysis/redundancy/all.ts';
import { isVerlRecord, verlRollout } from '../../src/readers/verlRecord.ts';
import { metisLine, metisRecord, seededRandom, writeMetisRun, type MetisRecord } from '../generate/metisRun.mjs';
import { launch, type Launched } from './launch.ts';
import { channels, expectedRollouts, groupRecords, product, signed, type ExpectedRollout } from './metisLogs.ts';
import { writeStep } from './metisLogs.ts';
import type { Tree, TreeRow } from './tree.ts';
import type { Workbench } from './workbench.ts';

const longSteps = 1200;

/** Two groups of step 17, their members interleaved as a log has them: hand-made, so that every sum can be followed. */
const byHand = interleaved(
  groupRecords(
    product(48, 7),
    [
      { calls: [], right: true },
      { calls: ['python', 'repeat'], right: true },
      { calls: ['python'], right: false },
      { calls: ['python'], right: true, formatted: false },
      { calls: [], right: false, formatted: false },
      { calls: ['failed', 'python', 'verify'], right: true },
    ],
    17,
  ),
  groupRecords(
    product(31, 12),
    [
      { calls: ['python'], right: true },
      { calls: ['python'], right: true },
      { calls: ['image_search', 'deduplicated'], right: false },
      { calls: [], right: false },
    ],
    17,
  ),
);

let launched: Launched;
let workbench: Workbench;
let tree: Tree;
/** The rollouts of the run "training", by step. */
let training: ReadonlyMap<number, readonly ExpectedRollout[]>;

beforeAll(async () => {
  launched = await launch({ workspace: writeRuns });
  workbench = launched.workbench;
  await workbench.openContainer('Rollout Lens');
  tree = workbench.tree('Runs');
});
afterAll(() => launched?.close());
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await workbench.screenshot(`failed-tree-${task.id}`);
});

describe('run, step, group, rollout', () => {
  test('runs say what they are', async () => {
    await tree.row('by-hand').waitFor();
    await workbench.screenshot('tree-indexing');
    const counts = async () => (await tree.list()).map(({ description }) => /(\d+) rollouts/.exec(description)?.[1]);
    await expect.poll(async () => (await counts()).filter((_, index) => index !== 1), slowly).toEqual(['10', '96']);
    const rows = await tree.list();
    expect(rows.map(({ label }) => label)).toEqual(['by-hand', 'long', 'training']);
    const rate = (step: number) => percent(shareWithCalls(training.get(step) ?? []));
    expect(rows[0]?.description).toMatch(/ · 1 step · 10 rollouts · tool 70 %$/);
    expect(rows[2]?.description).toMatch(new RegExp(` · 3 steps · 96 rollouts · tool ${rate(1)} → ${rate(3)}$`));
  });

  test('a rollout shows ✓ T A_acc A_tool as worked out from the log', async () => {
    await tree.expand('by-hand');
    await tree.expand(/^step 17/);
    // 1 of 0 + 2 + 1 + 1 + 0 + 3 calls, since #2 runs the same code twice, and 1 of 1 + 1 + 2 + 0, since one is refused.
    expect(describedAt(await tree.list(), 'step 17')).toBe('acc 0.6 · tool 70 % · redundant 18 %');
    await tree.expand('48 × 7 = ?');
    await childCount('48 × 7 = ?', 6);
    const rows = await tree.list();
    expect(describedAt(rows, '48 × 7 = ?')).toBe('G 6 · 4 ✓ · |Q| 4');
    expect(describedAt(rows, '31 × 12 = ?')).toBe('G 4 · 2 ✓ · |Q| 2 · merged or cut');
    const members = expectedRollouts(byHand).filter(({ groupSize }) => groupSize === 6);
    const shown = childrenOf(rows, '48 × 7 = ?');
    expect(shown.map(({ label }) => label)).toEqual(['#1', '#2', '#3', '#4', '#5', '#6']);
    expect(shown.map(({ description }) => description)).toEqual(
      members.map((member, at) => `${channels(member)}${at === 1 ? ' ⚠ 1' : ''} · reward ${member.accReward}`),
    );
    await workbench.screenshot('tree-rollouts');
  });

  test('a refused call is a redundant one', async () => {
    await tree.collapse('48 × 7 = ?');
    await tree.expand('31 × 12 = ?');
    await childCount('31 × 12 = ?', 4);
    const refused = childrenOf(await tree.list(), '31 × 12 = ?')[2];
    expect(refused?.description).toMatch(/^✗ T 2 A_acc −0\.87 A_tool 0 ⚠ 1 · reward 0\.1$/);
    expect(refused?.spoken).toMatch(
      /Rollout 3 of 4, wrong, 2 calls, reward 0\.1, accuracy advantage −0\.87.*, 1 redundant call/,
    );
  });

  test('the tooltip shows the sums', async () => {
    await tree.collapse('31 × 12 = ?');
    await tree.expand('48 × 7 = ?');
    const [, second] = expectedRollouts(byHand).filter(({ groupSize }) => groupSize === 6);
    const tooltip = (await tree.tooltip('#2')).replaceAll('\u00a0', ' ');
    expect(tooltip).toContain('48 × 7 = ?');
    expect(tooltip).toContain('step 17 · rollout 2 of 6');
    expect(tooltip).toContain('r_acc = 1.0 = 0.9·answer 1 + 0.1·format 1');
    // (1 + 1 + 0.1 + 0.9 + 0 + 1) / 6 = 4 / 6; r_tool over Q: (1 + 1/3 + 1/2 + 1/4) / 4
    expect(tooltip).toContain(`A_acc = (1.0 − 0.667) / (0.48 + 1e-6) = ${signed(second?.accAdvantage ?? Number.NaN)}`);
    expect(tooltip).toContain('r_tool = 1/(T+1) = 1/3 = 0.333');
    expect(tooltip).toContain(
      `A_tool = (0.333 − 0.521) / (0.336 + 1e-6) = ${signed(second?.toolAdvantage ?? Number.NaN)}`,
    );
    expect(tooltip).toContain('17.jsonl, line 3');
    await workbench.screenshot('tree-tooltip');
    await workbench.page.mouse.move(700, 600);
  });

  test('a generated group, too', async () => {
    await tree.collapse('by-hand');
    await tree.expand('training');
    await tree.expand(/^step 2/);
    const rollouts = training.get(2) ?? [];
    const question = questionOf(rollouts[0]);
    await tree.expand(question);
    const members = rollouts.filter((rollout) => questionOf(rollout) === question);
    await childCount(question, 8);
    const shown = childrenOf(await tree.list(), question);
    for (const [index, member] of members.entries()) expect(shown[index]?.description).toContain(channels(member));
  });
});

describe('levels of at most 500', () => {
  test('1,200 steps come in ranges of 20', async () => {
    await collapseAll(tree);
    const counted = async () => describedAt(await tree.list(), 'long') ?? '';
    await expect.poll(counted, slowly).toMatch(/1,200 steps · 1,200 rollouts/);
    await tree.expand('long');
    await expect.poll(() => setSizes(tree, 2)).toEqual([60]);
    expect((await tree.list()).find(({ level }) => level === 2)?.label).toBe('steps 1–20');
    await tree.expand('steps 41–60');
    await expect.poll(() => setSizes(tree, 3)).toEqual([20]);
    const steps = (await tree.list()).filter(({ level }) => level === 3).map(({ label }) => label);
    expect(steps.slice(0, 3)).toEqual(['step 41', 'step 42', 'step 43']);
    await workbench.screenshot('tree-ranges');
  });

  test('1,200 rollouts in one list come in pages of 500', async () => {
    await sort(workbench, tree, /Calls/, 'lowest first');
    await collapseAll(tree);
    await tree.expand('long');
    const pages = async () => (await tree.list()).filter(({ level }) => level === 2).map(({ label }) => label);
    await expect.poll(pages).toEqual(['rollouts 1–500', 'rollouts 501–1,000', 'rollouts 1,001–1,200']);
    await tree.expand('rollouts 501–1,000');
    await expect.poll(() => setSizes(tree, 3)).toEqual([500]);
    await clear(workbench, tree);
    await collapseAll(tree);
  });
});

describe('order and filter', () => {
  const orders = [
    { name: /A_acc/, key: 'accAdvantage', prefix: 'A_acc ' },
    { name: /A_tool/, key: 'toolAdvantage', prefix: 'A_tool ' },
    { name: /Calls/, key: 'calls', prefix: 'T ' },
  ] as const;
  for (const { name, key, prefix } of orders) {
    for (const direction of ['highest first', 'lowest first'] as const) {
      test(`sorts by ${key}, ${direction}`, async () => {
        await sort(workbench, tree, name, direction);
        await collapseAll(tree);
        await tree.expand('training');
        const rising = all(training)
          .map((rollout) => rollout[key])
          .sort((a, b) => a - b);
        const wanted = (direction === 'highest first' ? rising.reverse() : rising).map((value) =>
          key === 'calls' ? String(value) : signed(value),
        );
        await expect.poll(() => valuesShown(tree, prefix)).toEqual(wanted.slice(0, 20));
      });
    }
  }

  test('the message names the order, and clearing brings the tree back', async () => {
    expect(await tree.message()).toBe('Shown: Calls (T) ↑');
    await workbench.screenshot('tree-sorted');
    await clear(workbench, tree);
    await collapseAll(tree);
    await tree.expand('training');
    await expect
      .poll(async () => childrenOf(await tree.list(), 'training').map(({ label }) => label))
      .toEqual(['step 1', 'step 2', 'step 3']);
    await expect.poll(() => tree.titleAction('Clear Sort and Filter').count()).toBe(0);
  });

  const conditions = [
    { label: 'Wrong', holds: (rollout: ExpectedRollout) => !rollout.correct, shown: /^✗/ },
    { label: 'With calls', holds: (rollout: ExpectedRollout) => rollout.calls > 0, shown: /^[✓✗] T [1-9]/ },
    { label: 'With redundant calls', holds: isFlagged, shown: /⚠ [1-9]/ },
  ];
  for (const { label, holds, shown } of conditions) {
    test(`filters: ${label.toLowerCase()}`, async () => {
      await filter(workbench, tree, label);
      await collapseAll(tree);
      await tree.expand('training');
      const count = all(training).filter(holds).length;
      expect(count).toBeGreaterThan(0);
      expect(count).toBeLessThan(96);
      await expect.poll(() => setSizes(tree, 2)).toEqual([count]);
      for (const row of (await tree.list()).filter(({ level }) => level === 2)) expect(row.description).toMatch(shown);
      await clear(workbench, tree);
    });
  }

  test('filters: words of the question', async () => {
    const question = questionOf(training.get(1)?.[0]);
    const words = question.replace(/[?？]/, '');
    await filter(workbench, tree, 'Text…', words);
    await expect.poll(() => tree.message()).toBe(`Shown: "${words}"`);
    await collapseAll(tree);
    await tree.expand('training');
    const found = all(training).filter((rollout) => questionOf(rollout) === question);
    await expect.poll(() => setSizes(tree, 2)).toEqual([found.length]);
    for (const row of childrenOf(await tree.list(), 'training')) expect(row.description).toContain(question);
    await workbench.screenshot('tree-filtered');
    await clear(workbench, tree);
  });
});

describe('runs that come and go', () => {
  test('nothing open: says what to do', async () => {
    const other = await launched.openAnother({});
    try {
      await other.openContainer('Rollout Lens');
      const welcome = other.tree('Runs').welcome();
      await welcome.getByRole('button', { name: 'Open Run…' }).waitFor();
      expect(await welcome.innerText()).toContain('Open a folder that holds rollout logs');
      await other.screenshot('tree-no-folder');
    } finally {
      await other.close();
    }
  });

  test('nothing found: the sample run is one click away; a run from elsewhere is remembered until it is closed', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'rollout-lens-elsewhere-'));
    const workspace = path.join(folder, 'workspace');
    const outside = path.join(folder, 'outside');
    await mkdir(workspace);
    await writeFile(path.join(workspace, 'notes.txt'), 'Buy milk.\n');
    await writeStep(outside, 17, byHand);
    const other = await launched.openAnother({ workspace });
    try {
      await other.openContainer('Rollout Lens');
      const runs = other.tree('Runs');
      const sample = runs.welcome().getByRole('button', { name: 'Open the Sample Run' });
      await sample.waitFor();
      expect(await runs.welcome().innerText()).toContain('No rollout logs were found.');
      await other.screenshot('tree-nothing-found');
      await sample.click();
      await runs.row('hdpo').waitFor();

      await other.runCommand('Rollout Lens: Open Run…');
      await other.quickInput.pick(/Folder…/);
      await chooseFolder(other, outside);
      await other.screenshot('tree-opened');
      await expect
        .poll(async () => describedAt(await runs.list(), 'outside') ?? '')
        .toMatch(/ · 10 rollouts · tool 70 %/);
      await other.screenshot('tree-opened');

      await other.reload();
      await other.openContainer('Rollout Lens');
      await expect.poll(async () => describedAt(await runs.list(), 'outside') ?? '', slowly).toMatch(/ · 10 rollouts/);
      expect(
        (await runs.list())
          .filter(({ level }) => level === 1)
          .map(({ label }) => label)
          .sort(),
      ).toEqual([
        'coupled-aggressive',
        'coupled-mild',
        'grpo',
        'hdpo',
        'illustrated',
        'outside',
        'several-calls-a-turn',
      ]);

      await other.chooseFromMenu(runs.row('outside'), 'Close Run');
      await expect.poll(async () => (await runs.list()).map(({ label }) => label)).not.toContain('outside');
      await other.reload();
      await other.openContainer('Rollout Lens');
      await runs.row('hdpo').waitFor();
      expect((await runs.list()).map(({ label }) => label)).not.toContain('outside');
      expect(other.problems).toEqual([]);
    } finally {
      await other.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

test('looks right in every kind of theme', async () => {
  await tree.expand('by-hand').catch(() => undefined);
  for (const theme of ['light', 'highContrastDark', 'highContrastLight', 'dark'] as const) {
    await workbench.setTheme(theme);
    await workbench.screenshot(`tree-${theme}`);
  }
});

test('logs no error', async () => {
  expect(await workbench.extensionErrors()).toEqual([]);
  expect(workbench.problems).toEqual([]);
});

const slowly = { timeout: 60_000 };

async function writeRuns(folder: string): Promise<void> {
  await writeStep(path.join(folder, 'by-hand'), 17, byHand);
  const trained = path.join(folder, 'training');
  const { files } = await writeMetisRun({
    directory: trained,
    steps: 3,
    promptsPerStep: 4,
    rolloutsPerPrompt: 8,
    seed: 5,
  });
  const read = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  training = new Map(
    read.map((text, index) => {
      const records = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as MetisRecord);
      return [index + 1, expectedRollouts(records)];
    }),
  );
  const long = path.join(folder, 'long');
  await mkdir(long);
  for (let step = 1; step <= longSteps; step += 1) {
    const calls = step % 3 === 0 ? (['python'] as const) : [];
    const record = metisRecord(seededRandom(step), { step, question: product(step, 3), calls, right: step % 2 === 0 });
    await writeFile(path.join(long, `${step}.jsonl`), `${metisLine({ ...record, verl_tool_metrics: {} })}\n`);
  }
}

function interleaved(longer: readonly MetisRecord[], shorter: readonly MetisRecord[]): readonly MetisRecord[] {
  return longer.flatMap((record, index) => [record, ...shorter.slice(index, index + 1)]);
}

function all(steps: ReadonlyMap<number, readonly ExpectedRollout[]>): readonly ExpectedRollout[] {
  return [...steps.values()].flat();
}

/** By the rules themselves, which have tests of their own: what is tested here is the way to the tree. */
function isFlagged({ record }: ExpectedRollout): boolean {
  const json: unknown = JSON.parse(metisLine(record));
  if (!isVerlRecord(json)) throw new Error('not a record');
  const place = { row: 0, line: 0, bytes: { first: 0, count: 0 } };
  return flagCalls(verlRollout(json, place, 'metis')).some((rules) => rules.length > 0);
}

function shareWithCalls(rollouts: readonly ExpectedRollout[]): number {
  return rollouts.filter(({ calls }) => calls > 0).length / rollouts.length;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** The question inside a generated prompt. */
function questionOf(rollout: ExpectedRollout | undefined): string {
  const user = rollout?.record.input.split('<|im_start|>user\n')[1] ?? '';
  return (user.split('<|im_end|>')[0] ?? '').replace(/<\|vision_start\|>.*<\|vision_end\|>/, '');
}

function describedAt(rows: readonly TreeRow[], label: string): string | undefined {
  return rows.find((row) => row.label === label)?.description;
}

/** The rows directly below the row with this label, as far as they are on the screen. */
function childrenOf(rows: readonly TreeRow[], label: string): readonly TreeRow[] {
  const at = rows.findIndex((row) => row.label === label);
  const level = (rows[at]?.level ?? 0) + 1;
  const rest = rows.slice(at + 1);
  const end = rest.findIndex((row) => row.level < level);
  return rest.slice(0, end < 0 ? rest.length : end).filter((row) => row.level === level);
}

/** How many siblings the rows of a level have, as VS Code tells assistive technology: rows off the screen count, too. */
async function setSizes(runs: Tree, level: number): Promise<readonly number[]> {
  const rows = await runs.pane.locator(`[role="treeitem"][aria-level="${level}"]`).all();
  const sizes = await Promise.all(rows.map((row) => row.getAttribute('aria-setsize')));
  return [...new Set(sizes.map(Number))];
}

async function childCount(label: string, count: number): Promise<void> {
  await expect.poll(async () => childrenOf(await tree.list(), label).length).toBe(count);
}

async function valuesShown(runs: Tree, prefix: string): Promise<readonly string[]> {
  const rows = (await runs.list()).filter(({ level }) => level === 2).slice(0, 20);
  return rows.map(({ description }) => new RegExp(`${prefix}(\\S+)`).exec(description)?.[1] ?? description);
}

async function collapseAll(runs: Tree): Promise<void> {
  await runs.clickTitleAction('Collapse All');
  await expect.poll(async () => (await runs.list()).every(({ level }) => level === 1)).toBe(true);
}

async function sort(window: Workbench, runs: Tree, key: RegExp, direction: string): Promise<void> {
  await runs.clickTitleAction('Sort Rollouts…');
  await window.quickInput.rows.filter({ hasText: key }).filter({ hasText: direction }).click();
  await runs.titleAction('Clear Sort and Filter').waitFor();
}

async function filter(window: Workbench, runs: Tree, condition: string, words?: string): Promise<void> {
  await runs.clickTitleAction('Filter Rollouts…');
  await window.quickInput.row(condition).click();
  await window.quickInput.accept();
  if (words !== undefined) {
    await window.quickInput.widget.getByText('Words that must all occur').waitFor();
    await window.quickInput.accept(words);
  }
  await runs.titleAction('Clear Sort and Filter').waitFor();
}

/** VS Code's dialog without a native window; its button says what our command calls it. */
async function chooseFolder(window: Workbench, folder: string): Promise<void> {
  await window.quickInput.input.waitFor();
  const { input } = window.quickInput;
  // The dialog takes a typed path over a moment later, and opens its first folder until then; while it still lists that
  // one, it puts its own path over what was typed.
  await expect
    .poll(async () => {
      if (withoutSlash(await input.inputValue()) !== folder) await window.quickInput.type(folder);
      await window.page.waitForTimeout(1_500);
      return withoutSlash(await input.inputValue());
    })
    .toBe(folder);
  await window.screenshot('tree-open-run');
  await window.quickInput.widget.getByRole('button', { name: 'Open', exact: true }).click();
  await window.quickInput.widget.waitFor({ state: 'hidden' });
}

const withoutSlash = (text: string): string => text.replace(/\/$/u, '');

async function clear(window: Workbench, runs: Tree): Promise<void> {
  await runs.clickTitleAction('Clear Sort and Filter');
  await window.page.mouse.move(700, 600);
  await runs.titleAction('Clear Sort and Filter').waitFor({ state: 'hidden' });
}
