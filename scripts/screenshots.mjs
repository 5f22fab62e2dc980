// `npm run screenshots [-- --vsix FILE]`: the pictures of the README, taken in the real VS Code with the sample open.
//
// An empty window, as a newcomer has it: the sample is opened by its command, the charts are shown, and a rollout is
// opened beside them. Written to media/screenshots. Leaves out the VSIX, whose README carries its pictures (package.mjs).
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { installVisualStudioCode } from '../test/vscode/install.mjs';
import { packagePath, platformTarget } from './targets.mjs';

const repository = path.resolve(import.meta.dirname, '..');
const folder = path.join(repository, 'media', 'screenshots');
const size = { width: 1600, height: 1000 };
const sidebarWidth = 440;
const readMs = 120_000;

/** A rollout of the first step that called the tool and was right: where a training begins. */
const step = 'step 1';
const rollout = /✓ T [23]\b/;

const { values } = parseArgs({ options: { vsix: { type: 'string' } } });
const { startServer, openWorkbench } = await loadDriver();
const directory = await mkdtemp(path.join(tmpdir(), 'rollout-lens-screenshots-'));
const installation = await installVisualStudioCode({ browser: true });
const vsix = values.vsix === undefined ? await makePackage() : path.resolve(values.vsix);
const settings = {
  'workbench.reduceMotion': 'on',
  'workbench.colorTheme': 'Default Dark Modern',
  'window.commandCenter': false,
};
const server = await startServer({ installation, vsix, directory, settings });
try {
  const workbench = await openWorkbench(server, size);
  await mkdir(folder, { recursive: true });
  await takePictures(workbench);
  await workbench.close();
} finally {
  await server.stop();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}

async function takePictures(workbench) {
  const { page } = workbench;
  await workbench.openContainer('Rollout Lens');
  await widenSidebar(page, sidebarWidth);
  await workbench.runCommand('Rollout Lens: Open the Sample Run');
  const runs = workbench.tree('Runs');
  await runs.row(/^hdpo/).waitFor({ timeout: readMs });
  await page.locator('.notifications-toasts .notification-list-item').waitFor({ state: 'detached' });
  await untilRead(runs);

  await workbench.runCommand('Rollout Lens: Show Charts');
  const charts = workbench.webview();
  await charts.locator('svg.plot path.line').first().waitFor({ state: 'attached', timeout: readMs });
  for (const run of ['grpo', 'coupled-mild', 'coupled-aggressive']) {
    const box = charts.locator('.legend vscode-checkbox', { hasText: new RegExp(`^\\s*${run}\\s*$`) });
    if ((await box.getAttribute('aria-checked')) !== 'true') await box.click();
  }
  await until(async () => !(await charts.locator('.summary').innerText()).includes('reading'), 'the charts are read');
  await save(workbench, 'charts');

  await runs.expand(/^hdpo/);
  await runs.expand(/^steps 1–/);
  await runs.expand(new RegExp(`^${step}(?!\\d)`));
  await openRollout(workbench, runs);
  await workbench.runCommand('View: Move Editor into Right Group');
  await page.locator('.editor-group-container').nth(1).locator('.view-line').first().waitFor();
  await page.mouse.move(size.width / 2, size.height - 4);
  // Charts that moved to the side ask for their rollouts again.
  const reading = workbench.webview().getByText('Reading the rollouts…').filter({ visible: true });
  await until(async () => (await reading.count()) === 0, 'the rollouts are read');
  await save(workbench, 'charts-and-transcript');
}

/** Opens groups until one has a rollout of the wanted kind, and opens that. */
async function openRollout(workbench, runs) {
  const isGroup = ({ description }) => /^\s*G \d/.test(description);
  await until(async () => (await runs.list()).some(isGroup), 'the groups are shown');
  const groups = (await runs.list()).filter(isGroup).map(({ label }) => label);
  for (const group of groups) {
    await runs.expand(group);
    await runs.rows.filter({ hasText: /A_acc/ }).first().waitFor();
    const found = runs.rows.filter({ hasText: rollout }).first();
    if ((await found.count()) > 0) {
      await found.locator('.label-name').first().click();
      await workbench.page.locator('.tabs-container .tab', { hasText: '.trajectory' }).first().waitFor();
      return;
    }
    await runs.collapse(group);
  }
  throw new Error(`No rollout of ${step} is like ${rollout}: ${JSON.stringify(await runs.list())}`);
}

/** Settles once every run says how often it called the tool, which it does when it is read. */
async function untilRead(runs) {
  await until(async () => {
    const rows = (await runs.list()).filter(({ level }) => level === 1);
    return rows.length > 1 && rows.every(({ description }) => / tool \d/.test(description));
  }, 'the runs are read');
}

async function until(holds, what) {
  const deadline = Date.now() + readMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Waited in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Drags the edge of the sidebar, as a user does. */
async function widenSidebar(page, width) {
  const sidebar = await page.locator('.part.sidebar').boundingBox();
  const edge = sidebar.x + sidebar.width;
  await page.mouse.move(edge, 300);
  await page.mouse.down();
  await page.mouse.move(sidebar.x + width, 300, { steps: 5 });
  await page.mouse.up();
}

async function save(workbench, name) {
  const file = path.join(folder, `${name}.png`);
  // What was drawn last may still move; a second picture of the same is the proof that nothing does.
  let bytes = await workbench.page.screenshot();
  for (let next; !(next = await workbench.page.screenshot()).equals(bytes); bytes = next);
  await writeFile(file, bytes);
  console.log(`${path.relative(repository, file)}: ${(bytes.length / 1e3).toFixed(0)} kB`);
}

async function makePackage() {
  execFileSync(process.execPath, [path.join(import.meta.dirname, 'package.mjs')], { stdio: 'inherit' });
  const manifest = JSON.parse(await readFile(path.join(repository, 'package.json'), 'utf8'));
  return path.join(repository, packagePath(manifest, platformTarget()));
}

/** The driver of the tests is TypeScript; Node 20 does not read it as it is. */
async function loadDriver() {
  const outfile = path.join(repository, 'out', 'screenshots', 'driver.mjs');
  const tests = path.join(repository, 'test', 'vscode');
  await build({
    stdin: {
      contents: `export { startServer } from './server.ts'; export { openWorkbench } from './workbench.ts';`,
      resolveDir: tests,
      loader: 'ts',
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['playwright-core'],
    logLevel: 'warning',
  });
  return import(pathToFileURL(outfile).href);
}
