// The view "Models" in a real VS Code: the bundled rows, a check against the CPU (on Chromium's software GPU where it is
// there), a folder with two precisions added, removed and put back, and a download from a Hub on this machine that breaks
// off, goes on and is removed.
//
// Leaves out the layouts and the transfer (test/unit/host) and replaying with a model (replay.test.ts).
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { tinyDecoder, writeModel } from '../generate/tinyDecoder.mjs';
import { softwareGpu } from '../unit/replay/childRuns.ts';
import { accessibilityIssues } from './accessibility.ts';
import { launch, type Launched } from './launch.ts';
import type { Tree } from './tree.ts';
import type { themes } from './workbench.ts';
import { type Workbench } from './workbench.ts';

const slowly = { timeout: 60_000 };

let launched: Launched;
let workbench: Workbench;
let models: Tree;
let shelf = '';
let hub: Server;
/** The download breaks off after so many bytes of a file. */
let breaksAfter: number | null = null;

beforeAll(async () => {
  shelf = await mkdtemp(path.join(tmpdir(), 'rollout-lens-models-'));
  const tiny = path.join(shelf, 'tiny');
  await writeModel(tiny, tinyDecoder({ layers: 1 }), { data: true });
  await writeModel(tiny, tinyDecoder({ layers: 1, weights: 'q4' }), { suffix: '_q4' });
  const endpoint = await startHub(tiny);
  for (const [name, value] of Object.entries(softwareGpu() ?? {})) process.env[name] = value;
  launched = await launch({
    workspace: () => Promise.resolve(),
    settings: { 'rolloutLens.replay.hubEndpoint': endpoint },
    width: 1300,
    height: 900,
  });
  ({ workbench } = launched);
  models = workbench.tree('Models');
  await workbench.openContainer('Rollout Lens');
});
afterAll(async () => {
  await launched?.close();
  hub?.close();
  hub?.closeAllConnections();
  await rm(shelf, { recursive: true, force: true });
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await workbench.screenshot(`failed-models-${task.id}`);
});

const rows = async () => (await models.list()).map(({ label, description }) => [label, description]);
const row = async (name: string) => (await models.list()).find(({ label }) => label === name)?.description;
/** The tooltip of another row may still be there, or come first. */
const tooltip = async (name: string) => {
  await workbench.page.mouse.move(1, 1);
  await workbench.page.waitForTimeout(500);
  return models.tooltip(name);
};
const modal = () => workbench.page.locator('.monaco-dialog-box');
const actions = ['Add a folder…', 'Download…'].map((label) => [label, '']);
const size = expect.stringMatching(/^1\.9\d* MB · f32 · bundled$/);

test('only its title is shown at first; it lists the bundled models and what adds others', async () => {
  await expect.poll(() => models.pane.locator('.pane-header').getAttribute('aria-expanded')).toBe('false');
  await models.open();
  // Rows that are out of sight do not exist.
  await workbench.tree('Runs').close();
  await expect
    .poll(rows, slowly)
    .toEqual([['Policy after HDPO', size], ['Policy after GRPO', size], ['Policy at the start', size], ...actions]);
  await expect
    .poll(() => tooltip('Policy after HDPO'), slowly)
    .toMatch(/From the sample[\s\S]*checkpoints\/hdpo\/onnx\/model\.onnx[\s\S]*Not loaded on this machine yet/);
  expect(await workbench.menuItems(models.row('Policy after HDPO'))).toEqual([
    'Check Model Against the CPU…',
    'Reveal Model',
  ]);
  await workbench.screenshot('models-bundled');
});

test('a check says where a model runs and whether its numbers are right, in its row too', async () => {
  await workbench.chooseFromMenu(models.row('Policy after HDPO'), 'Check Model Against the CPU…');
  const outcome = softwareGpu() === null ? /^cpu · / : /^cpu · webgpu ✓ agrees with CPU, but is slower · /;
  await expect.poll(() => row('Policy after HDPO'), { timeout: 120_000 }).toMatch(outcome);
  await workbench.notification(/Policy after HDPO \(bundled\) runs on the CPU/).waitFor();
  await workbench.screenshot('models-checked');
  await workbench.runCommand('Notifications: Clear All Notifications');
  await expect
    .poll(() => tooltip('Policy after HDPO'), slowly)
    .toMatch(
      /Runs on cpu, precision f32\.[\s\S]*webgpu: [\s\S]*ONNX Runtime 1\.[\s\S]*SHA-256 of its files: [0-9a-f]{64}/,
    );
  await workbench.screenshot('models-tooltip');
});

test('a folder with two precisions: asked which, the default marked', async () => {
  await models.click('Add a folder…');
  await workbench.quickInput.choosePath(path.join(shelf, 'tiny'), 'Choose Model');
  await workbench.quickInput.row('q4').waitFor();
  expect(await workbench.quickInput.rowTexts()).toEqual([
    expect.stringMatching(/^f32 ?[\d.]+ [KM]?B · default model\.onnx$/),
    expect.stringMatching(/^q4 ?[\d.]+ [KM]?B model_q4\.onnx$/),
  ]);
  await workbench.screenshot('models-precision');
  await workbench.quickInput.pick('q4');
  await expect.poll(() => row('tiny_q4'), slowly).toMatch(/^[\d.]+ [KM]?B · q4$/);
});

test('another precision of it is listed beside; what was chosen last time comes first', async () => {
  await workbench.chooseFromMenu(models.row('tiny_q4'), 'Add Another Precision of a Model…');
  await workbench.quickInput.row('q4').waitFor();
  expect((await workbench.quickInput.rowTexts())[0]).toMatch(/^q4 ?.* · chosen last time model_q4\.onnx$/);
  await workbench.quickInput.pick('f32');
  await expect
    .poll(async () => (await models.list()).map(({ label }) => label), slowly)
    .toEqual([
      expect.stringMatching(/HDPO/),
      expect.stringMatching(/GRPO/),
      expect.stringMatching(/start/),
      'tiny',
      'tiny_q4',
      'Add a folder…',
      'Download…',
    ]);
});

test('a folder that is removed is forgotten, its files stay, and undo puts it back where it was', async () => {
  await workbench.chooseFromMenu(models.row('tiny_q4'), 'Remove Model…');
  await expect.poll(() => row('tiny_q4'), slowly).toBeUndefined();
  expect(await readdir(path.join(shelf, 'tiny', 'onnx'))).toContain('model_q4.onnx');
  const undo = workbench.notification(/tiny_q4 is no longer listed/);
  await workbench.screenshot('models-removed');
  await undo.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(() => row('tiny_q4'), slowly).toMatch(/q4/);
  expect((await models.list()).map(({ label }) => label).slice(3, 5)).toEqual(['tiny', 'tiny_q4']);
});

test('a folder without a model is refused with what to choose instead', async () => {
  await models.clickTitleAction('Add Model Folder…');
  await workbench.quickInput.choosePath(launched.workspace, 'Choose Model');
  await workbench
    .notification(/holds no ONNX model that can be replayed\. Choose a folder with tokenizer\.json/)
    .waitFor();
  await workbench.runCommand('Notifications: Clear All Notifications');
});

test('a download shows sizes first; one that breaks off is listed, and a click goes on with it', async () => {
  breaksAfter = 20_000;
  await models.click('Download…');
  await workbench.quickInput.accept('owner/tiny');
  await workbench.quickInput.row('q4').waitFor();
  expect((await workbench.quickInput.rowTexts())[0]).toMatch(/^f32 ?[\d.]+ [KM]?B · default model\.onnx$/);
  // VS Code shows at most three notifications in 0.8 s; a Hub on this machine is quicker than that.
  await workbench.page.waitForTimeout(1_000);
  await workbench.quickInput.pick('q4');
  await workbench.notification(/owner\/tiny could not be loaded/).waitFor(slowly);
  await expect.poll(() => row('owner/tiny_q4'), slowly).toMatch(/^download broke off · /);
  await workbench.screenshot('models-broken-off');
  await workbench.runCommand('Notifications: Clear All Notifications');
  breaksAfter = null;
  await models.click('owner/tiny_q4');
  await workbench.quickInput.row('q4').waitFor();
  expect((await workbench.quickInput.rowTexts())[0]).toMatch(/^q4 ?.*chosen last time/);
  await workbench.quickInput.pick('q4');
  await expect.poll(() => row('owner/tiny_q4'), slowly).toMatch(/^[\d.]+ [KM]?B · q4$/);
});

test.each(['dark', 'light'] as const)('in %s: nothing serious', async (theme: keyof typeof themes) => {
  await workbench.setTheme(theme);
  await workbench.page.waitForTimeout(500);
  await workbench.screenshot(`models-${theme}`);
  expect(await accessibilityIssues(workbench.page, 'sidebar')).toEqual([]);
});

test('a download is removed with its files, after a question; from the keyboard', async () => {
  await models.row('owner/tiny_q4').click();
  await workbench.runCommand('Rollout Lens: Remove Model…');
  await workbench.quickInput.row('owner/tiny_q4').waitFor();
  await workbench.quickInput.pick('owner/tiny_q4');
  await modal().waitFor();
  expect(await modal().innerText()).toMatch(/Remove owner\/tiny_q4 and its files\?/);
  await workbench.screenshot('models-remove');
  await modal().getByRole('button', { name: 'Remove' }).click();
  await expect.poll(() => row('owner/tiny_q4'), slowly).toBeUndefined();
});

test('a reload brings the list back', async () => {
  await workbench.reload();
  await workbench.openContainer('Rollout Lens');
  await models.open();
  await expect.poll(() => row('tiny_q4'), slowly).toMatch(/q4/);
  expect(await row('Policy after HDPO')).toMatch(/^cpu · /);
});

test('nothing of ours complained', async () => {
  expect(workbench.problems).toEqual([]);
  expect(await workbench.extensionErrors()).toEqual([]);
});

/** A Hub of one repository, with the files of a folder; gives its address. */
async function startHub(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map<string, Buffer>();
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = path.join(entry.parentPath, entry.name);
    files.set(path.relative(folder, file), await readFile(file));
  }
  hub = createServer((request, answer) => {
    const url = new URL(request.url ?? '', 'http://hub');
    const name = /^\/owner\/tiny\/resolve\/main\/(.+)$/.exec(decodeURIComponent(url.pathname))?.[1];
    const bytes = files.get(name ?? '');
    if (url.pathname === '/api/models/owner/tiny/tree/main') {
      answer.setHeader('content-type', 'application/json');
      answer.end(JSON.stringify([...files].map(([file, content]) => entryOf(file, content))));
    } else if (bytes !== undefined) give(bytes, request, answer);
    else answer.writeHead(404).end();
  });
  await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve));
  const address = hub.address();
  return `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
}

function entryOf(file: string, bytes: Buffer): object {
  const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  return { type: 'file', path: file, size: bytes.length, oid };
}

function give(bytes: Buffer, request: IncomingMessage, answer: ServerResponse): void {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const first = Number(range?.[1] ?? 0);
  const last = range?.[2] ? Math.min(Number(range[2]), bytes.length - 1) : bytes.length - 1;
  if (range) answer.writeHead(206, { 'content-range': `bytes ${first}-${last}/${bytes.length}`, etag: '"e"' });
  else answer.setHeader('etag', '"e"');
  const part = bytes.subarray(first, last + 1);
  if (breaksAfter === null || part.length <= breaksAfter) answer.end(part);
  else answer.write(part.subarray(0, breaksAfter), () => setTimeout(() => answer.destroy(), 50));
}
