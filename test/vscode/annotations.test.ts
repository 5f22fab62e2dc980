// Hovers and CodeLens in a real VS Code: on a transcript (turn, call, answer, title) and on the log itself opened as text,
// with the setting and the command that turn them off, on a line of 5 MB, and not at all on what is no log.
//
// Leaves out the text of the transcript (transcript.test.ts).
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launch, type Launched } from './launch.ts';
import { expectedRollouts, groupRecords, product, signed, writeStep } from './metisLogs.ts';
import type { Workbench } from './workbench.ts';

const records = groupRecords(
  product(48, 7),
  [
    { calls: [], right: true },
    { calls: ['python', 'repeat'], right: true },
    { calls: ['failed'], right: false },
    { calls: ['python'], right: true, formatted: false },
  ],
  17,
);
const expected = expectedRollouts(records);
/** 1/3 of mean (1 + 1/3 + 1/2) / 3 and the sample standard deviation. */
const second = expected[1];

let launched: Launched;
let workbench: Workbench;

beforeAll(async () => {
  launched = await launch({ workspace: writeLogs, settings: { 'workbench.editor.enablePreview': false } });
  workbench = launched.workbench;
  await workbench.openContainer('Rollout Lens');
  await workbench.tree('Runs').row('small').waitFor();
});
afterAll(() => launched?.close());
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await workbench.screenshot(`failed-annotations-${task.id}`);
});

test('CodeLens above the lines of a log', async () => {
  const { editor } = workbench;
  await workbench.openFile('17.jsonl');
  const wanted = expected.map(
    ({ correct, calls, accReward, accAdvantage, toolAdvantage }) =>
      `${correct ? '✓' : '✗'} T ${calls} · reward ${accReward === 1 ? '1.0' : accReward} · A_acc ${signed(accAdvantage)} · ` +
      `A_tool ${signed(toolAdvantage)} · Open trajectory`,
  );
  await expect.poll(() => editor.codeLenses()).toEqual(wanted);
  await workbench.screenshot('annotations-log-lens');
});

test('the hover of a log’s line: five lines and a link that opens its rollout', async () => {
  const { editor } = workbench;
  const text = plain(await hoverAt(2, 30));
  expect(text.split('\n').filter((line) => line.trim() !== '')).toEqual([
    '✓ 48 × 7 = ?',
    'step 17 · rollout 2 of 4 · |Q| 3',
    'T 2 · reward 1.0 = 0.9·answer 1 + 0.1·format 1',
    `A_acc = (1.0 − 0.75) / (0.436 + 1e-6) = ${signed(second?.accAdvantage ?? 0)}`,
    `A_tool = (0.333 − 0.611) / (0.347 + 1e-6) = ${signed(second?.toolAdvantage ?? 0)}`,
    'Open trajectory',
  ]);
  await workbench.screenshot('annotations-log-hover');
  await editor.hoverWidget.getByText('Open trajectory').click();
  await editor.tab('17 row 1.trajectory').waitFor();
  expect(await editor.textContaining('rollout 2 of 4')).toContain('step 17 · "48 × 7 = ?"');
});

test('the hovers of a transcript: title, turn, call, answer', async () => {
  const { editor } = workbench;
  const text = await editor.text();
  const lineOf = (start: string): number => text.split('\n').findIndex((line) => line.startsWith(start)) + 1;
  const sums = [
    'r_acc = 1.0 = 0.9·answer 1 + 0.1·format 1',
    `A_acc = (1.0 − 0.75) / (0.436 + 1e-6) = ${signed(second?.accAdvantage ?? 0)}`,
    'Q = 3 right of 4: mean 0.611, std 0.347',
    `A_tool = (0.333 − 0.611) / (0.347 + 1e-6) = ${signed(second?.toolAdvantage ?? 0)}`,
  ];
  const title = plain(await hoverAt(2, 3));
  for (const sum of sums) expect(title).toContain(sum);
  expect(title).toContain('line 2');
  await workbench.screenshot('annotations-title');
  await editor.hideHover();

  const turn = plain(await hoverAt(lineOf('─── policy 1'), 6));
  expect(turn).toMatch(/policy 1\s+role policy · (logged as assistant · )?\d+ characters/);
  await editor.hideHover();

  const call = plain(await hoverAt(lineOf('  ▶ call 1'), 8));
  expect(call).toMatch(/call 1 · python · succeeded · latency [\d.]+ (ms|s)/);
  expect(call).toContain('What came back (');
  expect(call).toContain('336');
  await workbench.screenshot('annotations-call');
  await editor.hideHover();

  const answer = plain(await hoverAt(lineOf('─── answer'), 6));
  expect(answer).toContain('Right.');
  expect(answer).toContain('Ground truth:');
  for (const sum of sums) expect(answer).toContain(sum);
  expect(answer).toContain('Group of 4, |Q| 3:');
  expect(answer).toMatch(/✗ {2}3 {2}T 1 {2}r_acc 0\.1 {2}r_tool 0\n/);
  expect(answer).toMatch(/✓ {2}4 {2}T 1 {2}r_acc 0\.9 {2}r_tool 0\.5 {2}in Q/);
  await workbench.screenshot('annotations-answer');
  await editor.hideHover();
});

test('"Clear Annotations" hides all of them, and shows them again', async () => {
  const { editor, page } = workbench;
  await editor.tab('17.jsonl').click();
  await expect.poll(() => editor.codeLenses()).toHaveLength(4);
  await workbench.runCommand('Rollout Lens: Clear Annotations');
  await expect.poll(() => editor.widget.locator('.codelens-decoration', { hasText: 'T ' }).count()).toBe(0);
  await editor.goTo(2, 30);
  await workbench.runCommand('Show or Focus Hover');
  await page.waitForTimeout(1000);
  expect(await page.locator('.monaco-hover:visible', { hasText: 'A_acc' }).count()).toBe(0);
  await workbench.runCommand('Rollout Lens: Clear Annotations');
  await expect.poll(() => editor.codeLenses()).toHaveLength(4);
});

test('the setting turns CodeLens off', async () => {
  const { editor } = workbench;
  const lenses = editor.widget.locator('.codelens-decoration', { hasText: 'Open trajectory' });
  await launched.setWorkspaceSettings({ 'rolloutLens.codeLens.enabled': false });
  await expect.poll(() => lenses.count()).toBe(0);
  expect(plain(await hoverAt(2, 30))).toContain('A_acc = ');
  await editor.hideHover();
  await launched.setWorkspaceSettings({});
  await expect.poll(() => lenses.count()).toBe(4);
});

test('a line of 5 MB: the hover answers, or declines in time', async () => {
  const { editor, page } = workbench;
  await workbench.openFile('5.jsonl');
  await editor.goTo(1, 5);
  const times: number[] = [];
  let answered = 0;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await editor.hideHover();
    await page.keyboard.press('Control+K');
    const started = Date.now();
    await page.keyboard.press('Control+I');
    const shown = page.locator('.monaco-hover:visible', { hasText: 'rollout 1 of 1' });
    if (
      await shown.waitFor({ timeout: 3000 }).then(
        () => true,
        () => false,
      )
    )
      answered += 1;
    times.push(Date.now() - started);
  }
  console.log(`hover on a line of 5 MB, from the key to the widget: ${times.join(', ')} ms, ${answered} of 3 answered`);
  await workbench.screenshot('annotations-5-mb');
  expect(answered).toBeGreaterThan(0);
  await editor.hideHover();
});

test('lines that are no rollouts have nothing', async () => {
  const { editor, page } = workbench;
  await workbench.openFile('metrics.jsonl');
  await editor.goTo(1, 5);
  await workbench.runCommand('Show or Focus Hover');
  await page.waitForTimeout(1500);
  expect(await page.locator('.monaco-hover:visible', { hasText: 'A_acc' }).count()).toBe(0);
  expect(await editor.widget.locator('.codelens-decoration').count()).toBe(0);
});

test('logs no error', async () => {
  expect(await workbench.extensionErrors()).toEqual([]);
  expect(workbench.problems).toEqual([]);
});

/** By the keyboard, the pointer far away; asked again, since a hover of a log declines rather than come late. */
async function hoverAt(line: number, column: number): Promise<string> {
  const { editor, page } = workbench;
  await editor.goTo(line, column);
  await page.mouse.move(1, 1);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await page.keyboard.press('Control+K');
    await page.keyboard.press('Control+I');
    const shown = page.locator('.monaco-hover:visible', { hasText: /\S/ }).first();
    const came = await shown.waitFor({ timeout: 2000 }).then(
      () => true,
      () => false,
    );
    if (came) return shown.innerText();
  }
  throw new Error(`No hover at ${line}:${column}.`);
}

function plain(text: string): string {
  return text.replaceAll('\u00a0', ' ').replaceAll('\r\n', '\n');
}

async function writeLogs(folder: string): Promise<void> {
  await writeStep(path.join(folder, 'small'), 17, records);
  const [record] = groupRecords(product(6, 7), [{ calls: ['python'], right: true }], 5);
  if (record === undefined) throw new Error('no record');
  const output = record.output.replace('<reason>', `<reason>${'A thought that goes on and on. '.repeat(165_000)}`);
  await writeStep(path.join(folder, 'large'), 5, [{ ...record, output }]);
  await writeFile(path.join(folder, 'metrics.jsonl'), '{"step": 1, "loss": 0.5}\n{"step": 2, "loss": 0.4}\n');
}
