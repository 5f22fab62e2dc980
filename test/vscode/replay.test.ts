// The player in a real VS Code: a plain replay without a model, the bundled policy scoring the sample, keyboard, token
// values, a counterfactual, two models, the diff against the record, a killed process, a reload; logged log-probs that agree
// or do not, pictures with the regions of their calls, and a log that nobody here wrote.
//
// Leaves out the numbers themselves (test/unit/replay) and providers other than the one this machine has.
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FrameLocator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { sampleFolder } from '../../src/host/sampleRuns.ts';
import { accessibilityIssues, webviewFrame } from './accessibility.ts';
import { launch, type Launched } from './launch.ts';
import { writeLoggedTokens } from './loggedTokens.ts';
import { sendSignal } from './processes.ts';
import type { Tree } from './tree.ts';
import { themes, type Workbench } from './workbench.ts';

const repository = path.resolve(import.meta.dirname, '../..');
const slowly = { timeout: 60_000 };
/** A published log of tau-bench; absent in a clone alone. */
const realLog = path.resolve(repository, '../shared/data/real/tau-bench/gpt-4o-airline.json');

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
/** Opens the first rollout of the rows that these texts name, one below the other, and plays it. */
const play = async (...rows: readonly (string | RegExp)[]): Promise<void> => {
  await workbench.runCommand('View: Close All Editors');
  await workbench.openContainer('Rollout Lens');
  await runs.clickTitleAction('Collapse All');
  for (const row of rows) {
    await runs.row(row).waitFor(slowly);
    await runs.expand(row);
  }
  await runs.click('#1');
  await workbench.editor.tab(/trajectory/).waitFor();
  await workbench.editor.clickCodeLens('Replay');
  await player().locator('.segment').first().waitFor(slowly);
};
const choose = async (model: RegExp): Promise<void> => {
  await workbench.runCommand('Rollout Lens: Choose Replay Model…');
  await workbench.quickInput.row(model).waitFor();
  await workbench.quickInput.pick(model);
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

test('the keys that cannot do anything say why; Esc closes the sheet of keys before it goes back', async () => {
  await press('ArrowLeft');
  await press('r');
  await expect.poll(() => player().locator('.notice').innerText(), slowly).toMatch(/No decision is made in this turn/);
  await press('ArrowRight');
  await expect.poll(() => player().locator('.notice').isVisible(), slowly).toBe(false);
  await press('r');
  await expect.poll(() => player().locator('.notice').innerText(), slowly).toMatch(/choose one first/);
  await press('?');
  await expect.poll(() => player().locator('.keys').isVisible(), slowly).toBe(true);
  await workbench.page.keyboard.press('Escape');
  await expect.poll(() => player().locator('.keys').isVisible(), slowly).toBe(false);
  expect(await place()).toBe('turn 5 of 5 · answer ✓');
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
    .toMatch(/probability \S+, rank \d+, entropy \S+ nats/);
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
  // Beside the player, not over it.
  expect(await player().locator('.branch').first().isVisible()).toBe(true);
  await workbench.screenshot('replay-diff');
  await workbench.runCommand('View: Close Editor');
});

test('the process of the model is killed: the player says so, and goes on', async () => {
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
    .toMatch(/— Policy after HDPO.* - - Policy at the start/);
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
  await player().locator('.branch .link', { hasText: 'diff with record' }).first().click();
  await workbench.editor.tab(/recorded ↔/).waitFor();
  await workbench.reload();
  await expect.poll(() => place().catch(() => ''), { timeout: 120_000 }).toBe(before);
  await expect.poll(() => player().locator('.branch').count(), slowly).toBe(1);
  // The diff is made again from what is kept, and so is what was sampled.
  await workbench.editor.tab(/recorded ↔/).click();
  await workbench.page
    .locator('.view-line', { hasText: /turn.3.·.policy.1/ })
    .first()
    .waitFor(slowly);
  await workbench.screenshot('replay-diff-reloaded');
  await workbench.runCommand('View: Close Editor');
  await expect.poll(() => player().locator('.speaking').count(), { timeout: 120_000 }).toBe(2);
  await expect.poll(() => player().locator('.decisions').innerText(), slowly).toMatch(/Monte Carlo/);
  await expect.poll(() => player().locator('.gains').innerText(), slowly).toMatch(/Call 1: .*nats/);
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

test('logged log-probs are compared with those of the model: its own agree, those of another do not', async () => {
  await play(/train_rollouts/, 'step 110', /82 \* 68/);
  await choose(/Policy after HDPO/);
  const verdict = () => player().locator('.verdict').innerText();
  await expect.poll(verdict, slowly).toMatch(/^= same · Policy after HDPO.* at temperature 1 /);
  expect(await player().locator('.model').first().innerText()).toMatch(/this is the policy that acted/);
  await player().locator('.verdict summary').click();
  const cells = await player().locator('.verdict tbody tr').first().locator('td').allInnerTexts();
  expect(cells).toHaveLength(6);
  expect(cells[0]).toBe('1 (fits)');
  expect(Number(cells[1])).toBeGreaterThan(10);
  await workbench.screenshot('replay-agreement');
  await choose(/Policy at the start/);
  await expect.poll(verdict, slowly).toMatch(/^(≈ near|≠ different) · Policy at the start/);
  expect(await player().locator('.model').first().innerText()).toMatch(/A stand-in/);
});

test('pictures that came back are shown, their pads in a few words; the transcript follows to another rollout', async () => {
  await play('illustrated', 'step 1', /museum/);
  await workbench.chooseFromMenu(runs.row('#2'), 'Replay Episode…');
  await expect.poll(() => player().locator('.subtitle').first().innerText(), slowly).toMatch(/ 2 of 6$/);
  await workbench.editor.tab(/1 row 1/).waitFor();
  await player().locator('.segment', { hasText: 'result' }).click();
  await player().locator('.pictures img').first().waitFor(slowly);
  expect(await player().locator('.turnText').innerText()).toMatch(/\[picture: \d+ pads\]/);
  await player().locator('.pictures').scrollIntoViewIfNeeded();
  await workbench.screenshot('replay-pictures');
});

test('a call stands with the picture that it looked at, its region boxed', async () => {
  await play(/zoom/, /museum/);
  await player().locator('.segment', { hasText: 'policy 1' }).click();
  await expect.poll(() => player().locator('.pictures .box').count(), slowly).toBe(2);
  await player().locator('.pictures img').waitFor(slowly);
  expect(await player().locator('.pictures .boxes').innerText()).toMatch(/call 1 image_zoom_in_tool/);
  await player().locator('.pictures').scrollIntoViewIfNeeded();
  await workbench.screenshot('replay-boxes');
  // A turn without a look has none.
  await player().locator('.segment', { hasText: 'result' }).first().click();
  await expect.poll(() => player().locator('.pictures .box').count(), slowly).toBe(0);
});

test.runIf(existsSync(realLog))('a published log is played; a model without room for it says so', async () => {
  await play(/gpt-4o-airline/, /mia_li/);
  expect(await player().locator('.subtitle').first().innerText()).not.toMatch(/step 0/);
  expect(await player().locator('.segment').count()).toBeGreaterThan(20);
  await choose(/Policy after HDPO/);
  const said = () => player().locator('body').innerText();
  await expect.poll(said, slowly).toMatch(/[\d.]+ % misaligned.* No token of the policy could be scored/);
  expect(await player().locator('.model').first().innerText()).toMatch(/A stand-in/);
  await press('.');
  await expect.poll(said, slowly).toMatch(/This turn lies beyond the model’s context of 256 tokens/);
  expect(await button('Continue without the tool').count()).toBe(0);
  await workbench.screenshot('replay-published');
});

test.runIf(!existsSync(realLog))('no published log is here: playing one was not tried', () => {
  console.warn(`replay: ${realLog} is not here, so no published log was played.`);
});

test('nothing of ours complained', async () => {
  expect(workbench.problems).toEqual([]);
  // The killed process is in the log, as it should be.
  const errors = await workbench.extensionErrors();
  expect(errors.filter((line) => !/The replayer ended: signal SIGKILL/.test(line))).toEqual([]);
});

/** Step 17 of the trained sample, whose policies are bundled; its last step with log-probs; pictures; a published log. */
async function copyStep(folder: string): Promise<void> {
  const storage = await mkdtemp(path.join(tmpdir(), 'rollout-lens-sample-'));
  try {
    const sample = await sampleFolder({ shipped: path.join(repository, 'media', 'sample'), storage });
    await cp(path.join(sample, 'rollout_data', 'hdpo', '17.jsonl'), path.join(folder, 'hdpo', '17.jsonl'));
    await writeLoggedTokens(sample, path.join(folder, 'logged'));
    await cp(path.join(repository, 'media', 'sample', 'illustrated'), path.join(folder, 'illustrated'), {
      recursive: true,
    });
    await writeLooks(path.join(folder, 'looked'));
    if (existsSync(realLog)) await cp(realLog, path.join(folder, 'published', path.basename(realLog)));
  } finally {
    await rm(storage, { recursive: true, force: true });
  }
}

/** A rollout whose log holds the picture of the prompt; two calls look at parts of it. */
async function writeLooks(folder: string): Promise<void> {
  const png = (await readFile(path.join(repository, 'media/sample/illustrated/sign.png'))).toString('base64');
  const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } };
  const question = { type: 'text', text: 'Until when is the museum open on Thursdays?' };
  const looks = [
    [40, 110, 520, 340],
    [300, 60, 540, 200],
  ].flatMap((box, index) => {
    const given = JSON.stringify({ bbox_2d: box, image_index: 0 });
    const called = { id: `c${index}`, type: 'function', function: { name: 'image_zoom_in_tool', arguments: given } };
    return [
      { role: 'assistant', content: 'I look closer.', tool_calls: [called] },
      { role: 'tool', tool_call_id: `c${index}`, content: `Seen: part ${index} of the sign.` },
    ];
  });
  const answer = { role: 'assistant', content: 'Until 21:00.' };
  const messages = [{ role: 'user', content: [picture, question] }, ...looks, answer];
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'zoom.jsonl'), `${JSON.stringify({ messages, reward: 1 })}\n`);
}
