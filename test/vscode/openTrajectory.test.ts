// Every way to a trajectory in a real VS Code: the palette with nothing open, with a log in front, the explorer's menu,
// the tree by click and by Enter; and the log itself again from the transcript. Also for a JSON array of tau-bench.
//
// Leaves out what a transcript shows (transcript.test.ts).
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launch, type Launched } from './launch.ts';
import { expectedRollouts, groupRecords, product, writeStep } from './metisLogs.ts';
import type { Tree } from './tree.ts';
import type { Workbench } from './workbench.ts';

const attempts = [
  { calls: [], right: true },
  { calls: ['python', 'repeat'], right: true },
  { calls: ['python'], right: false },
] as const;
/** Line by line: two groups whose members alternate, so that a line's number says which rollout must open. */
const first = groupRecords(product(48, 7), attempts, 17);
// Words that no id can hold: ids are hexadecimal, and are searched, too.
const second = groupRecords({ ...product(31, 7), text: 'Multiply 31 by 7.' }, attempts, 17);
const step17 = first.flatMap((record, index) => [record, ...second.slice(index, index + 1)]);
const step18 = groupRecords(product(65, 9), attempts, 18);

let launched: Launched;
let workbench: Workbench;
let tree: Tree;

beforeAll(async () => {
  launched = await launch({ workspace: writeLogs, settings: { 'workbench.editor.enablePreview': false } });
  workbench = launched.workbench;
});
afterAll(() => launched?.close());
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await workbench.screenshot(`failed-open-${task.id}`);
});

/** "✓ step 17 · 48 × 7 = ?" of a row of the rollout pick. */
const shownQuestion = (text: string): string => text.replace(/^(.) ?/, '$1 ').replace(/ · \d+ of \d+ .*$/, '');

test('the palette with nothing open: a run, then a list that filters as one types', async () => {
  const { quickInput, editor } = workbench;
  await workbench.runCommand('Rollout Lens: Open Trajectory…');
  await expect
    .poll(() => quickInput.rowTexts())
    .toEqual([
      expect.stringMatching(/^airline\.json ?tau-bench · 4 rollouts · .*airline\.json$/),
      expect.stringMatching(/^training ?Metis \/ verl-tool · 9 rollouts · .*training$/),
    ]);
  await workbench.screenshot('open-pick-run');
  await quickInput.pick('training');
  await expect.poll(() => quickInput.labels()).toHaveLength(9);

  await quickInput.type('17 by mult');
  await expect
    .poll(async () => (await quickInput.rowTexts()).map(shownQuestion))
    .toEqual(['✓ step 17 · Multiply 31 by 7.', '✓ step 17 · Multiply 31 by 7.', '✗ step 17 · Multiply 31 by 7.']);
  expect((await quickInput.rowTexts())[1]).toMatch(
    /^✓ ?step 17 · Multiply 31 by 7\. · 2 of 3 · T 2 · A_acc \+0\.58 · A_tool −0\.71 · [\da-f]{32}$/,
  );
  await workbench.screenshot('open-pick-rollout');
  await quickInput.type('18');
  await expect
    .poll(async () => (await quickInput.rowTexts()).map(shownQuestion))
    .toEqual(expect.arrayContaining(['✓ step 18 · 65 × 9 = ?']));
  // Letters that stand scattered in another question must not move it up: the engine's order stays.
  await quickInput.type('step 18');
  await expect.poll(async () => (await quickInput.rowTexts()).every((text) => /^. ?step 18 ·/.test(text))).toBe(true);
  await quickInput.type('nothing of the kind');
  await expect.poll(() => quickInput.labels()).toEqual([]);
  expect(await quickInput.input.getAttribute('placeholder')).toBe('No rollout holds all these words');

  await quickInput.type('17 by mult');
  await expect.poll(() => quickInput.labels()).toHaveLength(3);
  await quickInput.input.press('ArrowDown');
  await quickInput.accept();
  const text = await editor.textContaining('Multiply 31 by 7.');
  expect(titleOf(text)).toMatch(/^step 17 · "Multiply 31 by 7\." · rollout 2 of 3 · training$/);
});

test('a log in front: the rollout under the cursor, and back to its line', async () => {
  const { editor } = workbench;
  await workbench.openFile('17.jsonl');
  for (const [line, wanted] of [
    [3, 'step 17 · "48 × 7 = ?" · rollout 2 of 3'],
    [6, 'step 17 · "Multiply 31 by 7." · rollout 3 of 3'],
  ] as const) {
    await editor.tab('17.jsonl').click();
    await editor.widget.locator('.view-line', { hasText: '"input"' }).first().waitFor();
    await editor.goTo(line);
    await workbench.runCommand('Rollout Lens: Open Trajectory…');
    const tab = editor.tab(`${line - 1}.trajectory`);
    await tab.waitFor();
    expect(titleOf(await editor.textContaining(wanted)).startsWith(wanted)).toBe(true);
    await workbench.runCommand('Rollout Lens: Open in Log');
    await expect.poll(async () => (await workbench.statusBar()).join(' ')).toContain(`Ln ${line}, Col 1`);
    expect(await editor.tab('17.jsonl').getAttribute('aria-selected')).toBe('true');
  }
});

test('the status bar shows the open rollout only', async () => {
  const { editor } = workbench;
  await editor.tab('17 row 2.trajectory').click();
  const [, repeated] = expectedRollouts(first);
  expect(repeated?.toolAdvantage).toBeCloseTo(-0.7071, 4);
  await expect.poll(() => workbench.statusBar()).toContain('A_tool −0.71 · T 2');
  await workbench.screenshot('open-status-bar');
  await editor.tab('17.jsonl').click();
  await expect.poll(async () => (await workbench.statusBar()).join(' ')).not.toContain('A_tool');
});

test('the menu of the explorer, on logs only', async () => {
  const { quickInput, editor } = workbench;
  await workbench.runCommand('View: Close All Editors');
  await workbench.openContainer('Explorer');
  for (const folder of ['desk', 'training']) {
    if ((await workbench.explorerItem(folder).getAttribute('aria-expanded')) !== 'true')
      await workbench.explorerItem(folder).click();
  }
  expect(await workbench.menuItems(workbench.explorerItem('notes.json'))).not.toContain('Open Trajectory…');
  expect(await workbench.menuItems(workbench.explorerItem('airline.json'))).toContain('Open Trajectory…');
  await workbench.chooseFromMenu(workbench.explorerItem('18.jsonl'), 'Open Trajectory…');
  await expect
    .poll(async () => (await quickInput.rowTexts()).map(shownQuestion))
    .toEqual(['✓ step 18 · 65 × 9 = ?', '✓ step 18 · 65 × 9 = ?', '✗ step 18 · 65 × 9 = ?']);
  await quickInput.rows.nth(2).click();
  expect(titleOf(await editor.textContaining('65 × 9'))).toContain('rollout 3 of 3');
});

test('a JSON array: task and trial, calls and their arguments', async () => {
  const { quickInput, editor } = workbench;
  await workbench.runCommand('View: Close All Editors');
  await workbench.openFile('airline.json');
  await workbench.runCommand('Rollout Lens: Open Trajectory…');
  // The cursor is on the array's first line, which belongs to no rollout or to the first one.
  if (await quickInput.widget.isVisible()) await quickInput.rows.first().click();
  const text = await editor.textContaining('▶ call 1  find_flight');
  expect(titleOf(text)).toContain('rollout 1 of 2');
  expect(text).toContain('      {"from": "FRA", "to": "OSL"}');
  expect(text).toContain('  ◀ {"flight": "LH 860", "seats": 3}');
  expect(text).toContain('  One more question: is there a seat by the window?');
  await workbench.screenshot('open-tau');
});

test('the tree, by click and by Enter', async () => {
  const { editor, page } = workbench;
  await workbench.runCommand('View: Close All Editors');
  await workbench.openContainer('Rollout Lens');
  tree = workbench.tree('Runs');
  await tree.expand(/^training/);
  await tree.expand(/^step 17/);
  await tree.expand(/^48 × 7/);
  await tree.click(/^#2/);
  expect(titleOf(await editor.textContaining('48 × 7'))).toContain('rollout 2 of 3');
  await workbench.runCommand('Rollout Lens: Focus on Runs View');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await editor.tab('17 row 4.trajectory').waitFor();
  expect(titleOf(await editor.textContaining('rollout 3 of 3'))).toContain('"48 × 7 = ?"');
});

test('logs no error', async () => {
  expect(await workbench.extensionErrors()).toEqual([]);
  expect(workbench.problems).toEqual([]);
});

function titleOf(transcript: string): string {
  return transcript.split('\n')[0] ?? '';
}

async function writeLogs(folder: string): Promise<void> {
  await writeStep(path.join(folder, 'training'), 17, step17);
  await writeStep(path.join(folder, 'training'), 18, step18);
  await mkdir(path.join(folder, 'desk'));
  await writeFile(path.join(folder, 'desk', 'airline.json'), JSON.stringify(desk(), undefined, 2));
  await writeFile(path.join(folder, 'notes.json'), '{"title": "Groceries", "items": ["milk"]}\n');
}

/** Results of tau-bench as its runner writes them: two tasks, two trials each. */
function desk(): readonly object[] {
  return [0, 1].flatMap((trial) =>
    [0, 1].map((task) => ({
      task_id: task,
      reward: trial === 0 ? 1 : 0,
      info: {
        task: {
          user_id: `ada_${task}`,
          actions: [],
          instruction: `You are ada_${task}. You want a flight.`,
          outputs: [],
        },
        source: 'user',
        user_cost: 0.002,
      },
      traj: [
        { role: 'system', content: '# Flight desk policy' },
        { role: 'user', content: 'I want to fly from FRA to OSL.' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            {
              id: 'call_1',
              type: 'function',
              function: { name: 'find_flight', arguments: '{"from": "FRA", "to": "OSL"}' },
            },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', name: 'find_flight', content: '{"flight": "LH 860", "seats": 3}' },
        { role: 'assistant', content: 'There are three seats on LH 860.' },
        { role: 'user', content: 'One more question: is there a seat by the window?' },
        { role: 'assistant', content: 'Yes, 14 A.' },
        { role: 'user', content: '###STOP###' },
      ],
      trial,
    })),
  );
}
