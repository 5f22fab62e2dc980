// The player in a real VS Code: a plain replay without a model, the bundled policy scoring the sample, keyboard, token
// values, a counterfactual, two models, the diff against the record, a killed process, a reload.
//
// Leaves out the numbers themselves (test/unit/replay) and providers other than the one this machine has.
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FrameLocator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { sampleFolder } from '../../src/host/sampleRuns.ts';
import { accessibilityIssues, webviewFrame } from './accessibility.ts';
import { launch, type Launched } from './launch.ts';
import { sendSignal } from './processes.ts';
import type { Tree } from './tree.ts';
import { themes, type Workbench } from './workbench.ts';

const repository = path.resolve(import.meta.dirname, '../..');
const slowly = { timeout: 60_000 };

let launched: Launched;
let workbench: Workbench;
let runs: Tree;

beforeAll(async () => {
  launched = await launch({
    workspace: copyStep,
    settings: { 'workbench.editor.enablePreview': false, 'rolloutLens.replay.samples': 6 },
    width: 1700,
    height: 1100,
  });
  ({ workbench } = launched);
  runs = workbench.tree('Runs');
  await workbench.openContainer('Rollout Lens');
  await runs.row('hdpo').waitFor();
});
afterAll(() => launched?.close());
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await workbench.screenshot(`failed-replay-${task.id}`);
});

const player = (): FrameLocator => workbench.webview();
const place = () => player().locator('.place').innerText();
const button = (name: string | RegExp) => player().locator('vscode-button', { hasText: name }).first();
const replayers = () => launched.server.processes(/replayMain/);
/** The line of the transcript that the cursor stands in, as the editor marks it. */
const cursorLine = async (): Promise<string> => {
  const number = workbench.page.locator('.margin .active-line-number').first();
  const top = (await number.boundingBox())?.y ?? 0;
  for (const line of await workbench.page.locator('.view-lines .view-line').all()) {
    if (Math.abs(((await line.boundingBox())?.y ?? -1) - top) < 4) return line.innerText();
  }
  return `line ${await number.innerText()}`;
};
/** The page itself has the keyboard: nothing in it does. */
const press = async (key: string): Promise<void> => {
  await player().locator('h1').click();
  await workbench.page.keyboard.press(key);
};

test('is opened by "Replay" above a transcript, beside it, and plays without a model', async () => {
  await expect
    .poll(async () => (await runs.list()).map(({ description }) => description).join(), slowly)
    .toMatch(/1 step/);
  await runs.expand('hdpo');
  await runs.row('step 17').waitFor();
  await runs.expand('step 17');
  await runs.expand(/24 \* 35/);
  await runs.click('#1');
  await workbench.editor.tab(/trajectory/).waitFor();
  await workbench.editor.clickCodeLens('Replay');
  await player().locator('.segment').first().waitFor(slowly);
  expect(await player().locator('.segment').allInnerTexts()).toEqual([
    'system',
    'user',
    'policy 1',
    '▶ python',
    'result',
    expect.stringMatching(/^answer ✓$/),
  ]);
  expect(await player().locator('.model').first().innerText()).toMatch(/Without a model this is a plain replay/);
  expect(await place()).toBe('turn 1 of 5 · system');
  await workbench.screenshot('replay-plain');
});

test('the keyboard walks turns, calls and decisions; the transcript follows', async () => {
  await press('ArrowRight');
  await expect.poll(place, slowly).toBe('turn 2 of 5 · user');
  await press('.');
  await expect.poll(place, slowly).toBe('turn 3 of 5 · policy 1');
  await press('ArrowDown');
  await expect.poll(() => player().locator('.segment[aria-current]').innerText(), slowly).toBe('▶ python');
  await press('ArrowRight');
  await expect.poll(place, slowly).toBe('turn 4 of 5 · result');
  await press('ArrowLeft');
  await expect.poll(place, slowly).toBe('turn 3 of 5 · policy 1');
  await press('ArrowRight');
  await press('ArrowLeft');
  // The transcript keeps its cursor line while the player has the keyboard.
  await expect.poll(() => cursorLine(), slowly).toMatch(/policy.1/);
});

test('the cursor in the transcript moves the player', async () => {
  await workbench.page
    .locator('.view-line', { hasText: /Now.it.is.known/ })
    .first()
    .click();
  await expect.poll(place, slowly).toBe('turn 5 of 5 · answer ✓');
});

test('space plays and pauses; it never starts by itself', async () => {
  await press('ArrowLeft');
  await press('ArrowLeft');
  const before = await place();
  await workbench.page.waitForTimeout(1_000);
  expect(await place()).toBe(before);
  await press(' ');
  await expect.poll(() => button('Pause').count(), slowly).toBe(1);
  await expect.poll(place, slowly).toBe('turn 5 of 5 · answer ✓');
  await expect.poll(() => button('Play').count(), slowly).toBe(1);
});

test('the bundled policy says who it is, and scores every token of the policy', async () => {
  await button('Use the bundled model').click();
  await player().locator('.speaking').first().waitFor(slowly);
  expect(await player().locator('.speaking').first().innerText()).toMatch(/^Policy after HDPO \(bundled\) · f32 · cpu/);
  await expect.poll(() => player().locator('.said').count(), slowly).toBe(1);
  expect(await player().locator('.model').first().innerText()).toMatch(/A stand-in|this is the policy that acted/);
  await press('ArrowLeft');
  await press('ArrowLeft');
  await expect.poll(place, slowly).toBe('turn 3 of 5 · policy 1');
  await expect
    .poll(() => player().locator('.strip').getAttribute('aria-label'), slowly)
    .toMatch(/^Tokens of this turn: [1-9]\d* of \d+ tokens scored/);
  expect(await player().locator('.decisions').innerText()).toMatch(/call [\d.]+ \([\d.]+–1, n = 16\).*siblings/s);
  expect(await player().locator('.curve .sentence').innerText()).toMatch(/policy 1: P\(call\) 0\.[5-9]\d*, hazard/);
  await workbench.screenshot('replay-scored');
});

test('a token says its probability, rank, entropy and alternatives, from the keyboard and under the pointer', async () => {
  const strip = player().locator('.strip');
  await strip.focus();
  for (let step = 0; step < 6; step += 1) await workbench.page.keyboard.press('ArrowRight');
  await expect
    .poll(() => strip.getAttribute('aria-valuetext'), slowly)
    .toMatch(/probability [\d.]+, rank \d+, entropy [\d.]+ nats/);
  const detail = await player().locator('.detail').innerText();
  expect(detail).toMatch(/replayed log-prob .*Policy after HDPO/);
  expect(detail).toMatch(/no log-prob is logged/);
  expect(await player().locator('.detail li').count()).toBeGreaterThan(3);
  // Turns did not move under the strip's own arrows.
  expect(await place()).toBe('turn 3 of 5 · policy 1');
  const box = await strip.boundingBox();
  await workbench.page.mouse.move((box?.x ?? 0) + (box?.width ?? 0) * 0.8, (box?.y ?? 0) + 10);
  await expect.poll(() => player().locator('.detail').innerText(), slowly).not.toBe(detail);
  const marks = await (
    await webviewFrame(workbench.page)
  ).evaluate(
    `[...CSS.highlights].map(([name, marks]) => [name, marks.size]).filter(([, size]) => size > 0).map(([name]) => name)`,
  );
  expect(marks).toContain('replay-current');
  await workbench.screenshot('replay-token');
});

test('r continues the turn without the tool, beside a control arm; the branch is kept', async () => {
  await press('r');
  await player().locator('.branch').first().waitFor({ timeout: 120_000 });
  const text = await player().locator('.branch').first().innerText();
  expect(text).toMatch(/no call, turn 3 #1/);
  expect(text).toMatch(/without the call: (right \d of \d times|0 of 6 could be judged)/);
  expect(text).toMatch(/as recorded: right \d of \d times \(\d+ % to \d+ %\)/);
  expect(text).toMatch(/answer check agrees with the run’s own grader on \d+ of \d+/);
  expect(text).toMatch(/Policy after HDPO \(bundled\) · f32 · cpu/);
  await player().locator('.branch summary').first().click();
  await player().locator('.branch').first().scrollIntoViewIfNeeded();
  await workbench.screenshot('replay-branch');
  await player().locator('.branch .link', { hasText: 'diff with record' }).first().click();
  await workbench.editor.tab(/recorded ↔/).waitFor();
  await workbench.screenshot('replay-diff');
  await workbench.runCommand('View: Close Editor');
});

test('the process of the model is killed: the player says so, and goes on', async () => {
  // The page came back from behind the diff, and takes up what was scored.
  const strip = () => player().locator('.strip').getAttribute('aria-label');
  await expect.poll(strip, slowly).toMatch(/[1-9]\d* of \d+ tokens scored/);
  const [first] = replayers();
  expect(first).toBeDefined();
  sendSignal(first?.pid ?? 0, 'SIGKILL');
  await expect
    .poll(
      () =>
        player()
          .locator('.model .problem')
          .innerText()
          .catch(() => ''),
      slowly,
    )
    .toMatch(/The process of the model ended \(signal SIGKILL\)/);
  await workbench.screenshot('replay-died');
  // What was scored is still there.
  expect(await strip()).toMatch(/[1-9]\d* of \d+ tokens scored/);
  await button('Start again').click();
  await player().locator('.speaking').first().waitFor(slowly);
  await press('m');
  await expect.poll(() => player().locator('.decisions').innerText(), slowly).toMatch(/Monte Carlo/);
  expect(replayers()[0]?.pid).not.toBe(first?.pid);
});

test('a second model is compared beside the first, in its own process', async () => {
  await workbench.runCommand('Rollout Lens: Compare Replay Models…');
  await workbench.quickInput.row(/Policy at the start/).waitFor();
  await workbench.screenshot('replay-models');
  await workbench.quickInput.pick(/Policy at the start/);
  await expect.poll(() => player().locator('.speaking').count(), slowly).toBe(2);
  expect(replayers()).toHaveLength(2);
  await expect
    .poll(() => player().locator('.curve figcaption').innerText(), slowly)
    .toMatch(/— Policy after HDPO.*- - Policy at the start/);
  await button('Information gain').click();
  await expect.poll(() => player().locator('.gains').innerText(), slowly).toMatch(/Call 1: .*nats/);
  await workbench.screenshot('replay-compared');
});

test.each(Object.keys(themes) as (keyof typeof themes)[])('%s: nothing serious', async (theme) => {
  await workbench.setTheme(theme);
  await workbench.page.waitForTimeout(500);
  await player().locator('h1').scrollIntoViewIfNeeded();
  await workbench.screenshot(`replay-${theme}`);
  expect(await accessibilityIssues(workbench.page, 'webview')).toEqual([]);
});

test('a reload brings back the episode, the place, the models and the branch', async () => {
  await workbench.setTheme('dark');
  const before = await place();
  await workbench.reload();
  await expect.poll(() => place().catch(() => ''), { timeout: 120_000 }).toBe(before);
  await expect.poll(() => player().locator('.branch').count(), slowly).toBe(1);
  await expect.poll(() => player().locator('.speaking').count(), { timeout: 120_000 }).toBe(2);
  await press('Escape');
  await expect.poll(async () => (await workbench.statusBar()).join(' '), slowly).toMatch(/Ln \d+,/);
});

test('a group is replayed in the background, and its gains are kept', async () => {
  await workbench.openContainer('Rollout Lens');
  await runs.row('hdpo').waitFor(slowly);
  await runs.expand('hdpo');
  await runs.row('step 17').waitFor(slowly);
  await runs.expand('step 17');
  await runs.row(/24 \* 35/).waitFor(slowly);
  await workbench.chooseFromMenu(runs.row(/24 \* 35/), 'Replay Step in Background…');
  await workbench.quickInput.row(/Policy after HDPO/).waitFor();
  await workbench.quickInput.pick(/Policy after HDPO/);
  await workbench.notification(/Replayed \d+ of 16 rollouts/).waitFor({ timeout: 180_000 });
  await workbench.screenshot('replay-step');
});

test('nothing of ours complained', async () => {
  expect(workbench.problems).toEqual([]);
  // The killed process is in the log, as it should be.
  const errors = await workbench.extensionErrors();
  expect(errors.filter((line) => !/The replayer ended: signal SIGKILL/.test(line))).toEqual([]);
});

/** Step 17 of the trained sample: the bundled policies are of this training. */
async function copyStep(folder: string): Promise<void> {
  const storage = await mkdtemp(path.join(tmpdir(), 'rollout-lens-sample-'));
  try {
    const sample = await sampleFolder({ shipped: path.join(repository, 'media', 'sample'), storage });
    await cp(path.join(sample, 'rollout_data', 'hdpo', '17.jsonl'), path.join(folder, 'hdpo', '17.jsonl'));
  } finally {
    await rm(storage, { recursive: true, force: true });
  }
}
