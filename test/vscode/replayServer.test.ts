// A policy on a server in the player of a real VS Code: the address is a setting of the machine, the key lies in the secrets,
// tokens are scored and a turn continued over HTTP; a workspace can name no server, a foreign folder asks none.
//
// Leaves out: the numbers themselves and servers that lack something (test/unit/replay/remote*.test.ts).
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FrameLocator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { sampleFolder } from '../../src/host/sampleRuns.ts';
import { launch, type Launched, type LaunchOptions } from './launch.ts';
import { startPolicyServer, type PolicyServer } from './policyServer.ts';
import type { Workbench } from './workbench.ts';

const repository = path.resolve(import.meta.dirname, '../..');
const slowly = { timeout: 60_000 };
const key = 'a-secret-of-the-tests';

let server: PolicyServer;
beforeAll(async () => {
  server = await startPolicyServer('hdpo', 'toy-policy');
});
afterAll(() => server?.stop());

let launched: Launched;
let workbench: Workbench;
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await workbench.screenshot(`failed-replay-server-${task.id}`);
});

const player = (): FrameLocator => workbench.webview();
const model = () => player().locator('.model').first().innerText();
const press = async (name: string): Promise<void> => {
  await player().locator('h1').click();
  await workbench.page.keyboard.press(name);
};

/** A window with step 17 of the sample whose folder names a server of its own, and the player of one rollout. */
async function open(options: Pick<LaunchOptions, 'workspaceTrust'>, named: Record<string, string>): Promise<void> {
  const evil = { 'rolloutLens.replay.endpoint': `${server.endpoint}/of-the-workspace` };
  launched = await launch({
    workspace: async (folder) => {
      await copyStep(folder);
      await mkdir(path.join(folder, '.vscode'), { recursive: true });
      await writeFile(path.join(folder, '.vscode', 'settings.json'), JSON.stringify(evil));
    },
    settings: { 'workbench.editor.enablePreview': false, 'rolloutLens.replay.samples': 6 },
    width: 1700,
    height: 1100,
    ...options,
  });
  ({ workbench } = launched);
  await nameServer(named);
  await workbench.openContainer('Rollout Lens');
  const runs = workbench.tree('Runs');
  await runs.row('hdpo').waitFor(slowly);
  await runs.expand('hdpo');
  await runs.row('step 17').waitFor(slowly);
  await runs.expand('step 17');
  await runs.expand(/24 \* 35/);
  await runs.click('#1');
  await workbench.editor.tab(/trajectory/).waitFor();
  await workbench.editor.clickCodeLens('Replay');
  await player().locator('.segment').first().waitFor(slowly);
}

/** Settings of the machine: those of the server's side of VS Code, which no folder can change. */
async function nameServer(settings: Record<string, string>): Promise<void> {
  const machine = path.join(launched.server.userDataDirectory, 'Machine');
  await mkdir(machine, { recursive: true });
  await writeFile(path.join(machine, 'settings.json'), JSON.stringify(settings));
  await workbench.reload();
}

const tokenizer = path.join(repository, 'media', 'sample', 'checkpoints', 'hdpo');
const ofMachine = (): Record<string, string> => ({
  'rolloutLens.replay.endpoint': server.endpoint,
  'rolloutLens.replay.endpointModel': 'toy-policy',
  'rolloutLens.replay.endpointTokenizer': tokenizer,
});

describe('in a trusted folder', () => {
  beforeAll(() => open({}, {}));
  afterAll(() => launched?.close());

  test('a workspace cannot name a server', async () => {
    await workbench.runCommand('Rollout Lens: Choose Replay Model…');
    await workbench.quickInput.row(/A Server \(OpenAI API\)/).waitFor();
    expect((await workbench.quickInput.rowTexts()).join('\n')).not.toContain('of-the-workspace');
    await workbench.quickInput.cancel();
    expect((await server.behaviour()).requests).toBe(0);
  });

  test('the server of the machine’s settings is offered by its name and address', async () => {
    await nameServer(ofMachine());
    await player().locator('.segment').first().waitFor(slowly);
    await workbench.runCommand('Rollout Lens: Choose Replay Model…');
    await workbench.quickInput.row('toy-policy').waitFor();
    expect((await workbench.quickInput.rowTexts()).find((text) => text.startsWith('toy-policy'))).toContain(
      server.endpoint,
    );
    await workbench.screenshot('replay-server-offered');
  });

  test('without its key the server refuses, and the player says how to give it', async () => {
    await server.behaviour({ key });
    await workbench.quickInput.pick('toy-policy');
    await expect.poll(model, slowly).toMatch(/answered 401: no such key/);
    expect(await model()).toMatch(/Set Replay Server Key…/);
    await workbench.screenshot('replay-server-refused');
  });

  test('the key is asked for without being shown, kept as a secret, and the model is loaded with it', async () => {
    await workbench.runCommand('Rollout Lens: Set Replay Server Key…');
    await workbench.quickInput.input.waitFor();
    expect(await workbench.quickInput.input.getAttribute('type')).toBe('password');
    expect(await workbench.quickInput.widget.innerText()).toContain(new URL(server.endpoint).origin);
    await workbench.quickInput.accept(key);
    await expect.poll(() => player().locator('.speaking').count(), slowly).toBe(1);
    expect(await player().locator('.speaking').innerText()).toBe(
      `toy-policy · server at ${new URL(server.endpoint).host}`,
    );
    expect(await model()).toMatch(/The server does not say in which precision it runs/);
    await player().locator('.model summary', { hasText: 'Where these numbers come from' }).first().click();
    expect(await model()).toContain(server.endpoint);
    // The process of the model asks through the window, and never sees the key.
    const [replayer] = launched.server.processes(/replayMain/);
    const seen = await readFile(`/proc/${replayer?.pid}/environ`, 'utf8');
    expect(seen).toContain('PATH=');
    expect(`${seen} ${replayer?.command}`).not.toContain(key);
  });

  test('tokens are scored by the server, without entropy', async () => {
    await press('ArrowRight');
    await press('ArrowRight');
    await expect
      .poll(() => player().locator('.strip').getAttribute('aria-label'), slowly)
      .toMatch(/^Tokens of this turn: [1-9]\d* of \d+ tokens scored/);
    expect(await player().locator('.curve .sentence').innerText()).toMatch(/policy 1: P\(call\) 0\.[5-9]\d*, hazard/);
    const strip = player().locator('.strip');
    await strip.focus();
    for (let step = 0; step < 6; step += 1) await workbench.page.keyboard.press('ArrowRight');
    await expect.poll(() => strip.getAttribute('aria-valuetext'), slowly).toMatch(/probability [\d.]+, rank \d+/);
    expect(await strip.getAttribute('aria-valuetext')).not.toMatch(/NaN/);
    await workbench.screenshot('replay-server-scored');
  });

  test('a turn is continued by the server, and the branch says how it was asked', async () => {
    await press('r');
    await player().locator('.branch').first().waitFor({ timeout: 120_000 });
    await player().locator('.branch summary').first().click();
    const text = await player().locator('.branch').first().innerText();
    expect(text).toMatch(/toy-policy/);
    expect(text).toMatch(/asked by tokens \(\/completions\)/);
    await player().locator('.branch').first().scrollIntoViewIfNeeded();
    await workbench.screenshot('replay-server-branch');
    const { paths, mostInFlight } = await server.behaviour();
    expect(paths.filter((asked) => asked === '/v1/completions').length).toBeGreaterThan(12);
    expect(mostInFlight).toBeGreaterThan(1);
  });

  test('the key outlives a reload, lies in no file of settings, and nothing of ours complained', async () => {
    await workbench.reload();
    await expect.poll(() => player().locator('.speaking').count(), { timeout: 120_000 }).toBe(1);
    expect(await player().locator('.speaking').innerText()).toMatch(/^toy-policy/);
    for (const place of ['Machine', 'User']) {
      const file = path.join(launched.server.userDataDirectory, place, 'settings.json');
      expect(await readFile(file, 'utf8')).not.toContain(key);
    }
    expect(workbench.problems).toEqual([]);
    expect(await workbench.extensionErrors()).toEqual([]);
  });
});

describe('in a folder that nobody trusted', () => {
  beforeAll(() => open({ workspaceTrust: 'asked' }, ofMachine()));
  afterAll(() => launched?.close());

  test('no server is asked, neither the folder’s nor the machine’s', async () => {
    const before = (await server.behaviour()).requests;
    await expect.poll(model, slowly).toMatch(/In Restricted Mode no model is loaded/);
    await workbench.page.waitForTimeout(1_000);
    expect((await server.behaviour()).requests).toBe(before);
    await workbench.screenshot('replay-server-restricted');
    expect(workbench.problems).toEqual([]);
    expect(await workbench.extensionErrors()).toEqual([]);
  });
});

async function copyStep(folder: string): Promise<void> {
  const storage = await mkdtemp(path.join(tmpdir(), 'rollout-lens-sample-'));
  try {
    const sample = await sampleFolder({ shipped: path.join(repository, 'media', 'sample'), storage });
    await cp(path.join(sample, 'rollout_data', 'hdpo', '17.jsonl'), path.join(folder, 'hdpo', '17.jsonl'));
  } finally {
    await rm(storage, { recursive: true, force: true });
  }
}
