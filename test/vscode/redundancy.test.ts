// Redundant calls in a real VS Code: lens, hover, Problems and context menu of a transcript, verdicts and how they are
// taken back, the view of patterns, the rules' settings, crops on pictures, and the chart by rule and tool.
//
// Leaves out what is flagged, which the corpus of test/unit/analysis/redundancy holds.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { accessibilityIssues } from './accessibility.ts';
import { ChartsPage } from './chartsPage.ts';
import { launch, type Launched } from './launch.ts';
import { groupRecords, product, writeStep } from './metisLogs.ts';
import type { Tree } from './tree.ts';
import { themes, type Workbench } from './workbench.ts';

const repository = path.resolve(import.meta.dirname, '../..');
const slowly = { timeout: 30_000 };

let launched: Launched;
let workbench: Workbench;
let runs: Tree;
let redundant: Tree;

beforeAll(async () => {
  launched = await launch({
    workspace: writeLogs,
    settings: { 'workbench.editor.enablePreview': false },
    width: 1500,
    height: 1000,
  });
  ({ workbench } = launched);
  runs = workbench.tree('Runs');
  redundant = workbench.tree('Redundant Calls');
  await workbench.openContainer('Rollout Lens');
  await runs.row('zoom').waitFor();
  await redundant.open();
});
afterAll(() => launched?.close());
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await workbench.screenshot(`failed-redundancy-${task.id}`);
});

const lenses = async (): Promise<readonly string[]> => {
  const titles = workbench.editor.widget.locator('.codelens-decoration a, .codelens-decoration > span:not(.separator)');
  return (await titles.allInnerTexts())
    .map((text) => text.replaceAll('\u00a0', ' ').trim())
    .filter((text) => text !== '|');
};
const lineOf = async (start: string): Promise<number> => {
  const text = await workbench.editor.text();
  return text.split('\n').findIndex((line) => line.startsWith(start)) + 1;
};
const problems = () => workbench.page.locator('.markers-panel .monaco-list-row');

test('a flagged call says what it repeats, and can be judged where it stands', async () => {
  await openCropped();
  await workbench.editor.textContaining('▶ call 2');
  await expect
    .poll(lenses, slowly)
    .toEqual(
      expect.arrayContaining([
        'Show crops',
        expect.stringMatching(/^⚠ Redundant: nearly repeats call 1/),
        'Confirm',
        'Dismiss',
      ]),
    );
  const ruler = workbench.editor.widget.locator('.decorationsOverviewRuler');
  expect(await ruler.count()).toBe(1);
  await workbench.screenshot('redundancy-transcript');
});

test('the hover has the evidence, the siblings, the cost and links', async () => {
  const { editor } = workbench;
  const [first, second] = [await lineOf('  ▶ call 1'), await lineOf('  ▶ call 2')];
  // Behind "▶ call 2", where Problems has no hover of its own.
  const hover = (await editor.hoverAt(second, 16)).replaceAll('\u00a0', ' ');
  expect(hover).toMatch(
    /⚠ Redundant: nearly repeats call 1: the boxes overlap with IoU 0\.9\d* \(likely, near-repeat\)/,
  );
  expect(hover).toMatch(/iou: 0\.983\n/);
  expect(hover).toMatch(/It cost [\d,]+ characters\./);
  expect(hover).toMatch(/Siblings in a group of 5:\s*✓ 2 T 0 · ✓ 3 T 0 · ✓ 4 T 0/);
  expect(hover).toMatch(/without calls 1, 2 and 3 .*r_tool 0\.25 → 1, A_tool −\d/);
  await workbench.screenshot('redundancy-hover');
  await editor.hoverWidget.getByText('Show call 1').first().click();
  await expect.poll(async () => (await workbench.statusBar()).join(' '), slowly).toContain(`Ln ${first},`);
});

test('Problems lists what is flagged; a quick fix dismisses it, and it goes', async () => {
  await workbench.runCommand('View: Toggle Problems');
  await expect.poll(() => problems().count(), slowly).toBeGreaterThan(3);
  const near = problems().filter({ hasText: 'nearly repeats call 1' }).first();
  expect(await near.innerText()).toMatch(/Call 2 is redundant \(likely\): nearly repeats call 1.*near-repeat/s);
  await workbench.screenshot('redundancy-problems');
  await near.click();
  await near.locator('[class*="codicon-light"]').first().click();
  const fix = workbench.page.getByText('Dismiss as not redundant (near-repeat)').first();
  await fix.waitFor();
  await workbench.screenshot('redundancy-quick-fix');
  await fix.hover();
  await workbench.page.keyboard.press('Enter');
  await expect.poll(() => problems().filter({ hasText: 'nearly repeats call 1' }).count(), slowly).toBe(0);
  await expect.poll(lenses, slowly).toContain('Dismissed: nearly repeats call 1');
  await workbench.runCommand('View: Toggle Problems');
});

test('a verdict is taken back by its lens and by the command', async () => {
  await workbench.editor.clickCodeLens('Undo');
  await expect.poll(lenses, slowly).toContain('⚠ Redundant: nearly repeats call 1');
  await workbench.editor.clickCodeLens('Confirm');
  await expect.poll(async () => (await lenses()).join(), slowly).toMatch(/⚠ Confirmed: /);
  await workbench.screenshot('redundancy-confirmed');
  await workbench.runCommand('Rollout Lens: Undo Verdict');
  await expect.poll(async () => (await lenses()).join(), slowly).not.toMatch(/Confirmed/);
});

test('the context menu of a flagged line judges it', async () => {
  const { editor, page } = workbench;
  await editor.goTo(await lineOf('  ▶ call 2'), 6);
  const line = page.locator('.view-line', { hasText: 'call 2' }).first();
  await workbench.chooseFromMenu(line, 'Dismiss Redundant Call');
  // Two rules flag this call: which one is meant is asked.
  await workbench.quickInput.row('call 2').waitFor();
  expect((await workbench.quickInput.rowTexts()).join('\n')).toMatch(/near-repeat[\s\S]*sibling/);
  await workbench.screenshot('redundancy-which');
  await workbench.quickInput.accept();
  await expect.poll(lenses, slowly).toContain('Dismissed: nearly repeats call 1');
});

test('verdicts are exported, taken back, and imported', async () => {
  const file = path.join(launched.workspace, 'verdicts.jsonl');
  await workbench.runCommand('Rollout Lens: Export Verdicts…');
  await workbench.quickInput.row('zoom.jsonl').waitFor();
  await workbench.quickInput.choosePath(file);
  await workbench.notification(/Verdicts written to .*: 1\./).waitFor();
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ rule: 'near-repeat', verdict: 'dismissed' });
  await workbench.editor.clickCodeLens('Undo');
  await expect.poll(lenses, slowly).toContain('⚠ Redundant: nearly repeats call 1');
  await workbench.runCommand('Rollout Lens: Import Verdicts…');
  // A dialog that still lists the folder puts its own path over what is typed.
  await workbench.quickInput.row('verdicts.jsonl').waitFor();
  await workbench.quickInput.choosePath(file);
  await expect.poll(lenses, slowly).toContain('Dismissed: nearly repeats call 1');
});

test('the view of patterns: how many, by tool and rule, with the precision of a rule that was judged', async () => {
  // Rows that are out of sight do not exist.
  await runs.close();
  await expect
    .poll(
      async () => (await redundant.list()).map(({ label, description, level }) => [level, label, description]),
      slowly,
    )
    .toEqual([
      [1, 'training', '6 of 18 (33 %)'],
      [2, 'Worst offenders', 'most wasted time first'],
      [2, 'python · repeats an earlier call', expect.stringMatching(/^6 · steps 1–3 · [\d.]+ s$/)],
      [1, 'zoom.jsonl', '3 of 3 (100 %)'],
    ]);
  await redundant.expand('zoom');
  const near = redundant.row(/image_zoom_in_tool · nearly repeats/);
  await expect.poll(() => near.innerText(), slowly).toMatch(/1 · step 1 · precision 0 %/);
  await workbench.screenshot('redundancy-view');
});

test('a pattern lists its rollouts, the most wasted time first', async () => {
  await redundant.click(/nearly repeats/);
  await runs.open();
  await expect.poll(() => runs.message(), slowly).toMatch(/Shown: .*nearly repeats an earlier call · Wasted latency ↓/);
  await expect.poll(async () => (await runs.list()).map(({ label }) => label), slowly).toContain('step 1 #1');
  await workbench.screenshot('redundancy-pattern');
  await workbench.runCommand('Rollout Lens: Clear Sort and Filter');
  await workbench.runCommand('Rollout Lens: Show Redundant Calls…');
  await workbench.quickInput.row(/repeats an earlier call/).waitFor();
  await workbench.screenshot('redundancy-pick');
  await workbench.quickInput.cancel();
});

test('crops: the picture with numbered boxes; one of them shows its call', async () => {
  await workbench.editor.clickCodeLens('Show crops');
  const page = workbench.webview();
  await page.locator('.stage img').waitFor();
  await expect.poll(() => page.locator('.box').count(), slowly).toBe(3);
  expect(await page.locator('.overlaps').innerText()).toMatch(/^1 and 2: intersection over union 0\.98/);
  const box = await page.locator('.box').first().boundingBox();
  const stage = await page.locator('.stage').boundingBox();
  expect(((box?.x ?? 0) - (stage?.x ?? 0)) / (stage?.width ?? 1)).toBeCloseTo(40 / 560, 1);
  // The second box from the keyboard: each is a button.
  await page.locator('.box[data-call="1"]').press('Enter');
  const second = await lineOf('  ▶ call 2');
  await workbench.page.waitForTimeout(500);
  await page.locator('.box[data-call="1"]').press('Enter');
  await expect.poll(async () => (await workbench.statusBar()).join(' '), slowly).toContain(`Ln ${second},`);
});

test.each(Object.keys(themes) as (keyof typeof themes)[])('crops in %s: nothing serious', async (theme) => {
  await workbench.setTheme(theme);
  await workbench.page.waitForTimeout(500);
  await workbench.screenshot(`redundancy-crops-${theme}`);
  expect(await accessibilityIssues(workbench.page, 'webview')).toEqual([]);
  expect(await accessibilityIssues(workbench.page, 'sidebar')).toEqual([]);
});

test('a rule that is turned off flags nothing any more, until it is on again', async () => {
  await workbench.setTheme('dark');
  await launched.setWorkspaceSettings({ 'rolloutLens.redundancy.off': ['near-repeat'] });
  await expect.poll(async () => (await lenses()).join(), slowly).not.toMatch(/nearly repeats/);
  expect(await workbench.editor.text()).not.toContain('nearly repeats');
  await launched.setWorkspaceSettings({ 'rolloutLens.redundancy.problems': 'warning' });
  await expect.poll(async () => (await lenses()).join(), slowly).toMatch(/nearly repeats/);
  // Errors and warnings, as the status bar counts them.
  const counted = async () => (await workbench.statusBar()).join(' ').replaceAll(/\s+/g, ' ');
  await expect.poll(counted, slowly).toMatch(/^0 3 0 /);
  await launched.setWorkspaceSettings({ 'rolloutLens.redundancy.problems': 'off' });
  await expect.poll(counted, slowly).toMatch(/^0 0 0 /);
});

test('the chart by rule and tool, with the drop over the run', async () => {
  // The crops would be the first page on the screen.
  await workbench.runCommand('View: Close All Editors');
  await workbench.runCommand('Rollout Lens: Show Charts');
  const charts = new ChartsPage(workbench);
  await charts.settled(/redundant calls/);
  // The run that is selected in the sidebar is shown alone.
  if (!(await charts.summary()).includes('training')) await charts.box('training').click();
  await charts.settled(/redundant calls 43\s% → 20\s% \(down 23 points\)/);
  const figure = workbench.webview().locator('#chart-redundancy');
  // Charts above it are drawn as they come into view, and push it down.
  const sentence = async () => {
    await figure.scrollIntoViewIfNeeded();
    return figure.locator('.sentence').innerText();
  };
  await expect.poll(sentence, slowly).toMatch(/^training, .*: repeats an earlier call .*\(down 23 points\); python /);
  await figure.locator('svg').first().scrollIntoViewIfNeeded();
  await workbench.screenshot('redundancy-chart');
});

test('nothing of ours complained', async () => {
  expect(workbench.problems).toEqual([]);
  expect(await workbench.extensionErrors()).toEqual([]);
});

async function openCropped(): Promise<void> {
  // What is still being read is drawn again, and may close what was just opened.
  await expect
    .poll(async () => (await runs.list()).map(({ description }) => description).join(), slowly)
    .toMatch(/3 steps · 12 rollouts.*1 step · 5 rollouts/);
  await runs.expand('zoom');
  await runs.row('step 1').waitFor();
  await runs.expand('step 1');
  await runs.row(/museum/).waitFor();
  await runs.expand(/museum/);
  await runs.click('#1');
  await workbench.editor.tab(/trajectory/).waitFor();
}

/** A group of five: four answer at once, the first looks three times, twice at nearly the same part of the picture. */
async function zoomed(): Promise<readonly unknown[]> {
  const png = (await readFile(path.join(repository, 'media/sample/illustrated/sign.png'))).toString('base64');
  const prompt = {
    role: 'user',
    content: [
      { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
      { type: 'text', text: 'Until when is the museum open on Thursdays?' },
    ],
  };
  const boxes = [
    [40, 110, 520, 340],
    [44, 112, 520, 340],
    [300, 60, 540, 200],
  ];
  const calls = boxes.flatMap((box, index) => {
    const given = JSON.stringify({ bbox_2d: box, image_index: 0 });
    const called = { id: `c${index}`, type: 'function', function: { name: 'image_zoom_in_tool', arguments: given } };
    return [
      { role: 'assistant', content: 'I look closer.', tool_calls: [called] },
      { role: 'tool', tool_call_id: `c${index}`, content: `Seen: part ${index} of the sign.` },
    ];
  });
  const answer = { role: 'assistant', content: 'Until 21:00.' };
  const direct = Array.from({ length: 4 }, () => ({ messages: [prompt, answer], reward: 1, step: 1 }));
  return [{ messages: [prompt, ...calls, answer], reward: 1, step: 1 }, ...direct];
}

async function writeLogs(folder: string): Promise<void> {
  const records = await zoomed();
  await writeFile(path.join(folder, 'zoom.jsonl'), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  for (const step of [1, 2, 3]) {
    const wasteful = Array.from({ length: 4 - step }, () => ({ calls: ['python', 'repeat'] as const, right: false }));
    const lean = Array.from({ length: step }, () => ({ calls: ['python'] as const, right: true }));
    await writeStep(path.join(folder, 'training'), step, groupRecords(product(48, step), [...wasteful, ...lean], step));
  }
}
