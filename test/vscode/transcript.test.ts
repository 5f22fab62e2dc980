// The transcript in a real VS Code: its exact text, what VS Code's own tools make of it (folding, outline, find, diff,
// restored tabs), pictures, records of many megabytes, and text that a log wrote to do harm.
//
// Leaves out the ways to a transcript (openTrajectory.test.ts) and hovers (annotations.test.ts).
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { MetisRecord } from '../generate/metisRun.mjs';
import { launch, type Launched } from './launch.ts';
import { groupRecords, product, writeStep } from './metisLogs.ts';
import type { Workbench } from './workbench.ts';

/** Grey, 30 × 20 pixels. */
const picture =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAB4AAAAUCAAAAAC/wNIYAAAAE0lEQVR42mNowAsYRqVHpaklDQBfsSwQ9im0ZAAAAABJRU5ErkJggg==';

const rule = (label: string): string => `─── ${label} ${'─'.repeat(48 - label.length - 5)}`;

/** The first rollout of `small`, character by character. */
const smallTranscript = `
step 17 · "48 × 7 = ?" · rollout 1 of 2 · small
A_acc +0.71   A_tool 0   T 3   reward 1.0 = 0.9·answer 1 + 0.1·format 1   ⚠ 1 redundant call (saves 0.61 s; r_tool 0.25 → 0.333, A_tool 0 → 0)
${rule('system')}
  You may call python, text_search or image_search. Put reasoning in <reason></reason> and the result in <answer></answer>. Generated for tests, not a real training.
${rule('user')}
  48 × 7 = ?
${rule('policy 1')}
  I will compute it with the tool.
  ▶ call 1  python  0.61 s ✓
      a = 48
      b = 7
      print(a * b + 0)
  ◀ Code execution result:
    stdout:
    \`\`\`
    336
    \`\`\`

    stderr:
    \`\`\`

    \`\`\`
${rule('policy 2')}
  I look for the product in the photo.
  ▶ call 2  image_search  0.61 s ✓
      (no arguments)
  ◀ A Google image search for the image found 1 results:

    ## Web Results
    1.
    [image 1: inline png, 64 pads]
    [title] A price tag
${rule('policy 3')}
  I search for the photo again.
  ▶ call 3  image_search  0.61 s ✗ refused                        ⚠ refused by the tool as done before (call 2)
      (no arguments)
    ✗ a repeated call, not executed
  ◀ The image search for this image was done before. Do not call image_search again.
${rule('policy 4')}
  The result is 336.
${rule('answer ✓')}
  336                                                             ground truth 336
${rule('reward and advantages')}
  r_acc = 1.0 = 0.9·answer 1 + 0.1·format 1
  right (decoded from score)
  A_acc = (1.0 − 0.55) / (0.636 + 1e-6) = +0.71
  r_tool = 1/(T+1) = 1/4 = 0.25
  Q = 1 right of 2: mean 0.25
  alone in Q: A_tool = 0
    ✓  1  T 3  r_acc 1.0  r_tool 0.25  in Q  ← this rollout
    ✗  2  T 0  r_acc 0.1  r_tool 0
  without call 3 (its answer assumed to stay right): T 3 → 2, saves 0.61 s, 146 characters, r_tool 0.25 → 0.333, A_tool 0 → 0
  whole group cleaned: A_tool 0
${rule('also logged')}
  id: (of the log)
  stop reason: model_chose_to_finish_with_eos=<|im_end|>
  verl_tool_metrics: {}
`.trimStart();

const small = groupRecords(
  product(48, 7),
  [
    { calls: ['python', 'image_search', 'deduplicated'], right: true },
    { calls: [], right: false },
  ],
  17,
).map((record) => ({ ...record, tool_interact_info: record.tool_interact_info.map(timed) }));

const numberedLines = 40_000;
const hostileText = [
  '<script>globalThis.rolloutLensHarmed = 1</script><img src=x onerror="globalThis.rolloutLensHarmed = 1">',
  '[click me](command:workbench.action.closeWindow) $(zap) **bold** <a href="command:workbench.action.quit">a</a>',
  'red \u001b[31mtext\u001b[0m, right to left \u202egnirts\u202c, a tag \u{e0041}\u{e0042}, \u2028 and \u0000',
].join('\n');

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
  if (task.result?.state === 'fail') await workbench.screenshot(`failed-transcript-${task.id}`);
});

test('the text, character by character', async () => {
  await openRollout('small', 'step 17', '#1');
  const text = await workbench.editor.textContaining('A_acc +0.71');
  const id = String(small[0]?.tool_interact_info[0]?.['trajectory_id']);
  expect(withoutTrailingSpace(text)).toBe(smallTranscript.replace('(of the log)', id));
});

test('looks right in every kind of theme', async () => {
  for (const theme of ['light', 'dark', 'highContrastDark', 'highContrastLight'] as const) {
    await workbench.setTheme(theme);
    await workbench.page.waitForTimeout(500);
    await workbench.screenshot(`transcript-${theme}`);
  }
  await workbench.setTheme('dark');
});

test('the outline lists turns with their calls, and the answer', async () => {
  const { quickInput } = workbench;
  await quickInput.openPalette();
  await quickInput.type('@');
  await expect
    // Each label begins with its icon.
    .poll(async () => (await quickInput.labels()).map((label) => label.replace(/^[^a-z]+/, '')))
    .toEqual([
      'system',
      'user',
      'policy 1',
      'call 1 python',
      'policy 2',
      'call 2 image_search',
      'policy 3',
      'call 3 image_search',
      'policy 4',
      'answer',
    ]);
  await quickInput.pick(/call 2 image_search$/);
  await expect.poll(async () => (await workbench.statusBar()).join(' ')).toContain('Ln 25, Col 1');
});

test('every turn folds', async () => {
  await workbench.runCommand('Fold All');
  await expect
    .poll(async () => (await shownText()).split('\n').map((line) => line.replace(/ ─+.*$/, '')))
    .toEqual(
      expect.arrayContaining(['─── system', '─── user', '─── policy 1', '─── policy 2', '─── reward and advantages']),
    );
  const folded = await shownText();
  expect(folded).not.toContain('I will compute it');
  expect(folded).not.toContain('r_acc = ');
  await workbench.screenshot('transcript-folded');
  await workbench.runCommand('Unfold All');
  await expect.poll(shownText).toContain('I will compute it');
});

test('find finds', async () => {
  const { page } = workbench;
  await workbench.editor.focus();
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('Control+F');
  await page.locator('.find-widget.visible textarea').first().fill('image_search');
  // In the system's line, in the headings of two calls, and in what came back from the second.
  await expect.poll(() => page.locator('.find-widget .matchesCount').innerText()).toMatch(/^\d of 4$/);
  await page.keyboard.press('Escape');
});

test('a picture opens in the preview of VS Code, with its own size', async () => {
  const { editor } = workbench;
  expect(await editor.text()).not.toContain('image_pad');
  await editor.goTo(30);
  await editor.widget.locator('.codelens-decoration a', { hasText: 'Open image' }).waitFor();
  await editor.clickCodeLens('Open image');
  await editor.tab('image-1.png').waitFor();
  await expect.poll(async () => (await workbench.statusBar()).join(' ')).toContain('30x20');
  await workbench.screenshot('transcript-image');
  await workbench.runCommand('View: Close Editor');
});

test('compares with a sibling in VS Code’s diff', async () => {
  const { page, quickInput, editor } = workbench;
  await workbench.runCommand('Rollout Lens: Compare with…');
  await quickInput.pick('A sibling of its group');
  await quickInput.pick(/rollout 2/);
  await editor.tab('17.jsonl row 0 ↔ 17.jsonl row 1').waitFor();
  const original = page.locator('.monaco-diff-editor .editor.original');
  const modified = page.locator('.monaco-diff-editor .editor.modified');
  await expect.poll(async () => plain(await original.locator('.view-lines').innerText())).toContain('▶ call 1  python');
  expect(plain(await modified.locator('.view-lines').innerText())).not.toContain('call 1');
  await expect.poll(() => original.locator('.line-delete').count()).toBeGreaterThan(5);
  expect(await modified.locator('.char-insert, .line-insert').count()).toBeGreaterThan(0);
  await workbench.screenshot('transcript-diff');
  await workbench.runCommand('View: Close Editor');
});

test('long observations are folded at first', async () => {
  await openRollout('folds', 'step 9', '#1');
  await expect.poll(shownText).toMatch(/◀ row 1\n[^]*─── policy 2/);
  const lines = await shownText();
  expect(lines).toContain('◀ row 1');
  expect(lines).not.toContain('row 30');
  await workbench.runCommand('Unfold All');
  // Line 40 is inside the observation; the window is too small to show all of it.
  await workbench.editor.goTo(40);
  await expect.poll(shownText).toContain('row 30');
});

test('the tabs come back after a reload, with their text', async () => {
  const { editor } = workbench;
  const tabs = await editor.tabs();
  expect(tabs).toEqual(['17 row 0.trajectory', '9 row 0.trajectory']);
  await workbench.reload();
  await expect.poll(() => editor.tabs()).toEqual(tabs);
  expect(await editor.textContaining('row 45')).toContain('step 9 · ');
  await workbench.openContainer('Rollout Lens');
});

test('a record of 12 MB: the first line soon, 1 MB of text, and the rest behind a lens', async () => {
  const { editor } = workbench;
  await reachRollout('large', 'step 5', '#1');
  const started = Date.now();
  await workbench.tree('Runs').click(/^#1/);
  await editor.widget.locator('.view-line', { hasText: 'step 5' }).waitFor();
  const firstLineMs = Date.now() - started;
  console.log(`12 MB record: first line after ${firstLineMs} ms`);
  expect(firstLineMs).toBeLessThan(5000);

  const text = await editor.text();
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1_000_000);
  expect(Buffer.byteLength(text)).toBeGreaterThan(200_000);
  const shown = numbersIn(text);
  expect(shown[0]).toBe(1);
  expect(shown.length).toBeLessThan(numberedLines);
  expect(isContiguous(shown)).toBe(true);
  expect(text).toMatch(/… [\d,]+ characters more/);
  expect(text).toContain('A_acc ');

  await workbench.screenshot('transcript-large');
  await editor.widget.locator('.codelens-decoration a', { hasText: /Open the rest \([\d.]+ MB\)/ }).waitFor();
  await editor.clickCodeLens(/Open the rest/);
  await editor.tab(/turn-3\.part-1/).waitFor();
  const rest = await editor.textContaining('continued: part 1 of');
  const further = numbersIn(rest);
  expect(Math.abs((further[0] ?? 0) - ((shown.at(-1) ?? 0) + 1))).toBeLessThanOrEqual(1);
  expect(isContiguous(further)).toBe(true);
  expect(Buffer.byteLength(rest)).toBeLessThanOrEqual(1_000_000);
  await workbench.screenshot('transcript-rest');
  await editor.clickCodeLens('Next part');
  const next = numbersIn(await editor.textContaining('continued: part 2 of'));
  expect(Math.abs((next[0] ?? 0) - ((further.at(-1) ?? 0) + 1))).toBeLessThanOrEqual(1);
});

test('hostile text is text', async () => {
  const { editor, page } = workbench;
  await openRollout('hostile', 'step 2', '#1');
  const text = await editor.textContaining('<script>');
  expect(text).toContain('  <script>globalThis.rolloutLensHarmed = 1</script><img src=x onerror=');
  expect(text).toContain('  [click me](command:workbench.action.closeWindow) $(zap) **bold** <a href=');
  expect(text).toContain('red ␛[31mtext␛[0m, right to left [U+202E]gnirts[U+202C]');
  expect(text).toContain('[U+2028] and ␀');
  for (const character of ['\u001b', '\u202e', '\u2028', '\u0000', '\u{e0041}']) expect(text).not.toContain(character);
  await workbench.screenshot('transcript-hostile');
  await editor.hover('click me');
  expect(await editor.hoverWidget.locator('a').count()).toBe(0);
  const rows = workbench.tree('Runs');
  const tooltip = await rows.tooltip(/^#1/);
  expect(tooltip).toContain('<script>');
  await workbench.screenshot('tree-hostile');
  expect(await page.evaluate('globalThis.rolloutLensHarmed')).toBeUndefined();
  expect(await page.locator('.monaco-hover script, .monaco-hover img, .pane-body script, .pane-body img').count()).toBe(
    0,
  );
});

test('logs no error, and nothing broke the policy of a page', async () => {
  expect(await workbench.extensionErrors()).toEqual([]);
  expect(workbench.problems).toEqual([]);
});

/** Opens a rollout by the tree; its group is the only one of the step. */
async function openRollout(run: string, step: string, member: string): Promise<void> {
  await reachRollout(run, step, member);
  await workbench.tree('Runs').click(new RegExp(`^${member}`));
  await workbench.page.mouse.move(1, 1);
}

async function reachRollout(run: string, step: string, member: string): Promise<void> {
  const tree = workbench.tree('Runs');
  await tree.clickTitleAction('Collapse All');
  await expect.poll(async () => (await tree.list()).every(({ level }) => level === 1)).toBe(true);
  await tree.expand(new RegExp(`^${run}`));
  await tree.expand(new RegExp(`^${step}`));
  await tree.expand(/ · \|Q\| /);
  await tree.row(new RegExp(`^${member}`)).waitFor();
}

/** The lines on the screen. */
async function shownText(): Promise<string> {
  return plain(await workbench.editor.widget.locator('.view-lines').first().innerText());
}

function plain(text: string): string {
  return text.replaceAll('\u00a0', ' ');
}

function withoutTrailingSpace(text: string): string {
  return text.replaceAll(/ +$/gm, '');
}

/** The numbers of the lines "numbered line 17 of a long thought". */
function numbersIn(text: string): readonly number[] {
  return [...text.matchAll(/numbered line (\d+) of/g)].map(([, number]) => Number(number));
}

function isContiguous(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number === (numbers[index - 1] ?? 0) + 1);
}

/** A fixed latency, which the generator draws. */
function timed(entry: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const isSearch = entry.obs !== undefined && String(entry.obs).startsWith('A Google image search');
  return { ...entry, interact_time_ms: 610, processing_time_ms: 600, ...(isSearch ? { image: [picture] } : {}) };
}

async function writeLogs(folder: string): Promise<void> {
  await writeStep(path.join(folder, 'small'), 17, small);
  const [plainRollout] = groupRecords(product(6, 7), [{ calls: ['python'], right: true }], 9);
  if (plainRollout === undefined) throw new Error('no record');
  const rows = Array.from({ length: 45 }, (_, index) => `row ${index + 1}`).join('\n');
  await writeStep(path.join(folder, 'folds'), 9, [replaced(plainRollout, rows)]);
  await writeStep(path.join(folder, 'hostile'), 2, [
    { ...plainRollout, input: plainRollout.input.replace('6 × 7 = ?', hostileText), step: 2 },
  ]);
  const thought = Array.from({ length: numberedLines }, (_, index) => `numbered line ${index + 1} of a long thought.`);
  const output = plainRollout.output.replace('<reason>', `<reason>${thought.join('\n')}\n`);
  const large = { ...plainRollout, output, step: 5, tool_interact_info: plainRollout.tool_interact_info.map(heavy) };
  await writeStep(path.join(folder, 'large'), 5, [large]);
}

/** Ten pictures of 1 MB each, of which only the first bytes are one. */
function heavy(entry: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return { ...entry, image: Array.from({ length: 10 }, () => picture + 'A'.repeat(1_020_000)) };
}

/** The record with another observation, as the model read it and as it was logged. */
function replaced(record: MetisRecord, observation: string): MetisRecord {
  const old = String(record.tool_interact_info[0]?.obs ?? '');
  return {
    ...record,
    output: record.output.replace(old, observation),
    tool_interact_info: record.tool_interact_info.map((entry) => ({ ...entry, obs: observation })),
  };
}
