// What the extension costs its host: time to activate, memory for a large run. Printed and written to
// `out/measures.json`; only bounds are asserted that hold on a machine that does other things as well.
//
// Leaves out: the engine's own speed and memory (test/bench).
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { metisLine, metisRecord, seededRandom } from '../generate/metisRun.mjs';
import { launch, type Launched } from './launch.ts';
import type { RunningProcess } from './processes.ts';
import type { Tree } from './tree.ts';
import type { Activation, Workbench } from './workbench.ts';

/** Aim and what is asserted, since other work on the machine is measured too. */
const aims = { activationMs: 50, hostGrowthBytes: 30e6 } as const;
const slack = 4;

const figuresFile = path.resolve(import.meta.dirname, '../../out/measures.json');

let launched: Launched | undefined;
afterEach(async () => {
  await launched?.close();
  launched = undefined;
});

test('activation, median of three windows', async () => {
  launched = await launch({ workspace: (folder) => writeRollouts(path.join(folder, 'run'), 1, 8) });
  const measured: Activation[] = [];
  for (let windows = 0; windows < 3; windows += 1) {
    const workbench = windows === 0 ? launched.workbench : await launched.openAnother();
    await workbench.openContainer('Rollout Lens');
    await workbench.tree('Runs').rows.first().waitFor();
    const activation = await workbench.activation();
    if (activation !== undefined) measured.push(activation);
    if (windows > 0) await workbench.close();
  }
  expect(measured).toHaveLength(3);
  const median = measured.sort((a, b) => a.totalMs - b.totalMs)[1];
  await report('activation', { aimMs: aims.activationMs, median, all: measured.map(({ totalMs }) => totalMs) });
  expect(median?.totalMs).toBeLessThan(slack * aims.activationMs);
});

test('memory of the extension host, 100,000 rollouts indexed and looked at', async () => {
  const steps = 50;
  const perStep = 2_000;
  launched = await launch({ workspace: (folder) => writeRollouts(path.join(folder, 'run'), 1, 8) });
  const { workbench, workspace } = launched;
  const tree = workbench.tree('Runs');
  await workbench.openContainer('Rollout Lens');
  await expect.poll(async () => (await tree.list())[0]?.description).toMatch(/8 rollouts/);
  await settle();
  const before = host(launched);
  await writeRollouts(path.join(workspace, 'large'), steps, perStep);
  await expect
    .poll(async () => (await tree.list()).map(({ description }) => description).join('\n'), { timeout: 120_000 })
    .toContain(`${steps} steps · 100,000 rollouts`);
  await settle();
  const indexed = host(launched);
  await browse(workbench, tree);
  await settle();
  const browsed = host(launched);
  // A process that died would make the growth look small.
  expect(browsed.pid).toBe(before.pid);
  const growth = (after: RunningProcess): number => after.residentBytes - before.residentBytes;
  await report('extensionHost', {
    aimBytes: aims.hostGrowthBytes,
    beforeBytes: before.residentBytes,
    growthIndexedBytes: growth(indexed),
    growthBrowsedBytes: growth(browsed),
    engineBytes: launched.server.processes(/engineMain\.cjs/)[0]?.residentBytes,
  });
  expect(growth(browsed)).toBeLessThan(slack * aims.hostGrowthBytes);
  expect(await workbench.extensionErrors()).toEqual([]);
});

/** Opens ten steps, a group in each, sorts and clears: what the tree keeps of a run that is looked through. */
async function browse(workbench: Workbench, tree: Tree): Promise<void> {
  await tree.expand(/^large/);
  await tree.expand(/^steps 1–/);
  for (let step = 1; step <= 10; step += 1) {
    const row = new RegExp(`^step ${step}(?!\\d)`);
    await tree.expand(row);
    await tree.expand(/G \d+/);
    await tree.collapse(row);
  }
  await workbench.runCommand('Rollout Lens: Show Charts');
  await workbench.webview().locator('svg.plot path.line').first().waitFor({ state: 'attached' });
  await workbench.runCommand('View: Close Editor');
}

/** The extension host of the only window: of code-server's processes the one that our engine's parent is. */
function host({ server }: Launched): RunningProcess {
  const parent = server.processes(/engineMain\.cjs/)[0]?.parent;
  const found = server.processes(/./).find(({ pid }) => pid === parent);
  if (found === undefined) throw new Error('No extension host runs our engine.');
  return found;
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3_000));
}

/** Small lines: 2 KB a rollout, groups of 8. */
async function writeRollouts(directory: string, steps: number, perStep: number): Promise<void> {
  await mkdir(directory, { recursive: true });
  const random = seededRandom(steps);
  const records = Array.from({ length: 64 }, (_, index) =>
    metisLine(metisRecord(random, { step: 1, calls: index % 2 === 0 ? ['python'] : [], right: index % 3 !== 0 })),
  );
  for (let step = 1; step <= steps; step += 1) {
    const lines = Array.from({ length: perStep }, (_, index) => {
      const line = records[Math.floor(index / 8) % records.length] ?? '';
      return line.replace('"step": 1', `"step": ${step}`).replace(/"input": "/, `$&${step} ${Math.floor(index / 8)} `);
    });
    const file = await open(path.join(directory, `${step}.jsonl`), 'w');
    await file.write(`${lines.join('\n')}\n`);
    await file.close();
  }
}

async function report(name: string, figures: Readonly<Record<string, unknown>>): Promise<void> {
  const before: unknown = JSON.parse(await readFile(figuresFile, 'utf8').catch(() => '{}'));
  await mkdir(path.dirname(figuresFile), { recursive: true });
  await writeFile(figuresFile, `${JSON.stringify({ ...Object(before), [name]: figures }, undefined, 2)}\n`);
  console.log(`${name}: ${JSON.stringify(figures)}`);
}
