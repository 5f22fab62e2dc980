// The charts of single rollouts in a real VS Code: brush, slider, list, drill-down and back, export, themes, reload; what
// is listed is what the command line computes.
//
// Leaves out: curves over steps (charts.test.ts), the arithmetic and what is drawn of it (test/unit).
import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signedText } from '../../src/base/numberText.ts';
import { writeMetisRun } from '../generate/metisRun.mjs';
import { accessibilityIssues } from './accessibility.ts';
import { ChartsPage } from './chartsPage.ts';
import { launch, type Launched } from './launch.ts';
import { themes, type Workbench } from './workbench.ts';

/** More than the 1,500 rollouts that are drawn one by one. */
const run = { steps: 12, promptsPerStep: 16, rolloutsPerPrompt: 8, seed: 3 } as const;
const perStep = run.promptsPerStep * run.rolloutsPerPrompt;

let launched: Launched;
let workbench: Workbench;
let charts: ChartsPage;
let plot: Locator;
let list: Locator;

beforeAll(async () => {
  launched = await launch({
    workspace: async (folder) => {
      await writeMetisRun({ ...run, directory: path.join(folder, 'alpha') });
    },
  });
  ({ workbench } = launched);
  charts = new ChartsPage(workbench);
  plot = charts.content.locator('#chart-contributions svg.plot');
  list = charts.content.locator('#chart-samples .listGrid');
});
afterAll(() => launched?.close());

/** A group is called by its question, and by its step where several are selected. */
const question = expect.stringMatching(/^“.*[?？…]”, step [12]$/) as string;

const said = (id: string): Promise<string> => charts.content.locator(`#chart-${id} .sentence`).innerText();
const drillPath = async (): Promise<readonly string[]> => charts.content.locator('.crumbs li').allInnerTexts();
const cells = async (row: number): Promise<readonly string[]> =>
  list.locator(`[data-index="${row}"] .cell`).allInnerTexts();

describe('what each rollout pushes', () => {
  test('is drawn as densities, and every rollout is listed', async () => {
    await workbench.runCommand('Rollout Lens: Show Charts');
    await charts.settled(/^alpha, steps 1 to 12: /);
    await plot.waitFor();
    await expect.poll(() => said('contributions')).toMatch(/^alpha, steps 1 to 12: the efficiency channel’s share/);
    await expect.poll(() => said('samples')).toBe('1,536 rollouts in all steps; largest push first.');
    expect(await list.getAttribute('aria-rowcount')).toBe('1537');
    expect(await paintedColours()).toEqual(await themeColours());
    await workbench.screenshot('contributions');
  });

  test('is that of the command line, largest first, with the question', async () => {
    await charts.content.locator('.mode', { hasText: 'plain' }).click();
    const rows = await tableOfCommandLine();
    const pushes = rows.map((row) => (row['acc_advantage'] ?? 0) + 0.15 * (row['tool_advantage'] ?? 0));
    const most = Math.max(...pushes.map(Math.abs));
    await expect.poll(async () => (await cells(0))[6]?.replace('−', '-')).toMatch(/^[+-]/);
    const first = await cells(0);
    expect(signedText(most).slice(1)).toBe(first[6]?.slice(1));
    await expect.poll(async () => (await cells(0))[0]).not.toBe('…');
    await charts.content.locator('.mode', { hasText: 'loss-weighted' }).click();
  });
});

describe('what the log lacks', () => {
  test('is said with the lines that would log it', async () => {
    const doctor = charts.content.locator('.doctor');
    await expect.poll(() => doctor.locator('summary').innerText()).toMatch(/^What these logs lack: \d+ notes?$/);
    await doctor.locator('summary').click();
    await expect.poll(() => doctor.innerText()).toContain('inferred from equal prompts');
    expect(await doctor.locator('pre').first().innerText()).toContain('reward_extra_infos_dict');
    await workbench.screenshot('charts-doctor');
    await doctor.locator('summary').click();
  });
});

describe('a selection', () => {
  test('of steps, by a drag over the axis', async () => {
    const box = await plot.boundingBox();
    if (!box) throw new Error('The plot is not in sight.');
    const width = box.width - 60;
    const at = (step: number): number => box.x + 48 + (width * (step - 0.5)) / run.steps;
    await workbench.page.mouse.move(at(3), box.y + 290);
    await workbench.page.mouse.down();
    await workbench.page.mouse.move(at(4), box.y + 295, { steps: 3 });
    await workbench.page.mouse.move(at(5), box.y + 295, { steps: 3 });
    await workbench.page.mouse.up();
    await expect.poll(drillPath).toEqual(['alpha', 'steps 3 to 5']);
    await expect.poll(() => said('samples')).toMatch(new RegExp(`^${3 * perStep} rollouts in steps 3 to 5;`));
    expect(await said('plane')).toMatch(/^Steps 3 to 5: /);
    await workbench.screenshot('contributions-brush');
  });

  test('narrows to a region by the keyboard, which says what it stands on', async () => {
    await plot.focus();
    await workbench.page.keyboard.press('Home');
    expect(await plot.getAttribute('aria-valuetext')).toMatch(
      /^step 1, (accuracy|efficiency) push .*: \d+ of 128 rollouts/,
    );
    await workbench.page.keyboard.down('Shift');
    await workbench.page.keyboard.press('ArrowRight');
    await workbench.page.keyboard.press('ArrowUp');
    await workbench.page.keyboard.up('Shift');
    await expect.poll(async () => (await drillPath()).length).toBe(3);
    expect((await drillPath())[1]).toBe('steps 1 to 2');
    expect((await drillPath())[2]).toMatch(/^(accuracy|efficiency) push /);
  });

  test('goes down to a group, whose members are linked', async () => {
    await charts.content.locator('.crumb', { hasText: 'steps 1 to 2' }).click();
    await list.focus();
    await workbench.page.keyboard.press('ArrowDown');
    await workbench.page.keyboard.press('g');
    await expect.poll(drillPath).toEqual(['alpha', 'steps 1 to 2', question]);
    await expect.poll(() => list.locator('[data-index]').count()).toBe(run.rolloutsPerPrompt);
    const linked = charts.content.locator('#chart-plane g.group');
    expect(await linked.getAttribute('data-members')).toBe(String(run.rolloutsPerPrompt));
    const questions = await list.locator('.cell.question').allInnerTexts();
    expect(new Set(questions.slice(1)).size).toBe(1);
    await workbench.screenshot('contributions-group');
    // All of them side by side lie further down.
    await charts.content.locator('#chart-samples .links button', { hasText: 'Side by side' }).click();
    await expect.poll(() => charts.content.locator('#chart-group:focus').count()).toBe(1);
    const head = await charts.content.locator('header.top').boundingBox();
    const group = await charts.content.locator('#chart-group').boundingBox();
    expect(group?.y).toBeGreaterThanOrEqual((head?.y ?? NaN) + (head?.height ?? NaN));
  });

  test('ends in a transcript', async () => {
    await list.focus();
    await workbench.page.keyboard.press('Enter');
    await expect.poll(async () => (await workbench.editor.tabs()).length).toBe(2);
    await expect.poll(async () => (await workbench.editor.visibleLines()).join('\n')).toMatch(/A_acc/);
    await workbench.screenshot('contributions-transcript');
    await workbench.editor.tab('Rollout Lens Charts').click();
    // The hidden page was torn down, and is where it was.
    await expect.poll(drillPath).toEqual(['alpha', 'steps 1 to 2', question]);
  });

  test('is undone step by step', async () => {
    await plot.waitFor();
    await plot.focus();
    await workbench.page.keyboard.press('Escape');
    await expect.poll(drillPath).toEqual(['alpha', 'steps 1 to 2']);
    await workbench.page.keyboard.press('Alt+ArrowLeft');
    await expect.poll(async () => (await drillPath()).length).toBe(3);
    expect(await workbench.editor.tabs()).toHaveLength(2);
    await charts.content.locator('.path vscode-button', { hasText: 'Back' }).click();
    await expect.poll(drillPath).toEqual(['alpha', 'steps 3 to 5']);
  });
});

describe('the way about the page', () => {
  test('leads to any chart', async () => {
    const listed = charts.content.locator('select[aria-label="Go to chart"]');
    const figure = charts.content.locator('#chart-passRate');
    await listed.selectOption({ label: 'Where each channel lives' });
    await expect.poll(() => charts.content.locator('#chart-passRate:focus').count()).toBe(1);
    // Charts on the way are drawn meanwhile, and do not push it away.
    await expect.poll(() => figure.locator('path.band').count()).toBeGreaterThan(0);
    const below = async (): Promise<number> => {
      const [head, found] = [await charts.content.locator('header.top').boundingBox(), await figure.boundingBox()];
      return (found?.y ?? NaN) - (head?.y ?? NaN) - (head?.height ?? NaN);
    };
    await expect.poll(async () => Math.abs((await below()) - 8)).toBeLessThan(6);
    await listed.selectOption({ label: 'Contributions' });
    await expect.poll(() => charts.content.locator('#chart-contributions:focus').count()).toBe(1);
  });

  test('Escape goes up, and at the top nowhere', async () => {
    await charts.content.locator('.crumb').first().click();
    await expect.poll(drillPath).toEqual(['alpha']);
    await plot.focus();
    await workbench.page.keyboard.press('Escape');
    expect(await drillPath()).toEqual(['alpha']);
    await charts.content.locator('.path vscode-button', { hasText: 'Back' }).click();
    await expect.poll(drillPath).toEqual(['alpha', 'steps 3 to 5']);
  });
});

describe('the weights', () => {
  test('change what is drawn and listed while they move', async () => {
    const range = charts.content.locator('input[type=range][aria-label="w_tool"]');
    const label = plot.locator('text', { hasText: 'w_tool·A_tool' });
    expect(await label.innerHTML()).toContain('weight 0.15');
    const before = await said('contributions');
    await range.focus();
    for (let presses = 0; presses < 5; presses += 1) await workbench.page.keyboard.press('ArrowRight');
    await expect.poll(() => label.innerHTML()).toContain('weight 0.2)');
    expect(await charts.content.locator('input[type=number][aria-label^="w_tool"]').inputValue()).toBe('0.2');
    await expect.poll(() => said('contributions')).not.toBe(before);
  });
});

describe('a file', () => {
  test.each(['SVG', 'PNG', 'CSV'] as const)('%s', async (kind) => {
    const file = path.join(launched.workspace, `exported.${kind.toLowerCase()}`);
    await charts.exportAs('contributions', kind);
    await expect.poll(() => workbench.quickInput.input.inputValue()).toMatch(/contributions\.(svg|png|csv)$/);
    await workbench.quickInput.choosePath(file);
    await expect
      .poll(
        () =>
          readFile(file).then(
            ({ length }) => length,
            () => 0,
          ),
        { timeout: 15_000 },
      )
      .toBeGreaterThan(500);
    const bytes = await readFile(file);
    if (kind === 'PNG') expect([...bytes.subarray(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47]);
    else if (kind === 'SVG') {
      expect(bytes.toString()).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
      expect(bytes.toString()).not.toContain('var(');
    } else expect(bytes.toString().trimEnd().split('\n')).toHaveLength(run.steps + 1);
  });
});

describe('how it looks', () => {
  test.each(Object.keys(themes) as (keyof typeof themes)[])('%s: canvases follow, nothing serious', async (theme) => {
    await workbench.setTheme(theme);
    // Once the page has the theme: VS Code sets it after the workbench has it.
    await expect.poll(() => furthest()).toBeLessThanOrEqual(2);
    await workbench.screenshot(`contributions-${theme}`);
    expect(await unseenLines()).toEqual([]);
    expect(await accessibilityIssues(workbench.page, 'webview')).toEqual([]);
  });
});

describe('what lasts', () => {
  test('selection, weights and the way back survive a reload of the window', async () => {
    await workbench.reload();
    await charts.settled(/^alpha, steps 1 to 12/);
    await expect.poll(drillPath).toEqual(['alpha', 'steps 3 to 5']);
    expect(await charts.content.locator('input[type=range][aria-label="w_tool"]').inputValue()).toBe('0.2');
    await expect.poll(() => said('samples')).toMatch(/^384 rollouts in steps 3 to 5;/);
    await charts.content.locator('.path vscode-button', { hasText: 'Back' }).click();
    await expect.poll(drillPath).toEqual(['alpha']);
  });

  test('nothing was violated, and no error was logged', async () => {
    expect(workbench.problems).toEqual([]);
    expect(await workbench.extensionErrors()).toEqual([]);
  });
});

/** The densest colour of either strip, as the canvas has it. */
async function paintedColours(): Promise<unknown> {
  const frame = await charts.frame();
  return frame.evaluate(`(() => {
    const canvas = document.querySelector('#chart-contributions canvas');
    const context = canvas.getContext('2d');
    const scale = devicePixelRatio;
    return [18, 136].map((top) => {
      const { data } = context.getImageData(0, top * scale, canvas.width, 96 * scale);
      for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) return [...data.slice(at, at + 3)];
      return null;
    });
  })()`);
}

/** How far the painted colours are from the theme's, in the byte that differs most; a translucent colour rounds. */
async function furthest(): Promise<number> {
  const [painted, wanted] = [JSON.stringify(await paintedColours()), JSON.stringify(await themeColours())];
  const numbers = (text: string): number[] => text.match(/\d+/g)?.map(Number) ?? [];
  const [a, b] = [numbers(painted), numbers(wanted)];
  return a.length === b.length ? Math.max(...a.map((value, at) => Math.abs(value - (b[at] ?? 0)))) : 255;
}

/** The theme's colours of the two channels. */
async function themeColours(): Promise<unknown> {
  const frame = await charts.frame();
  return frame.evaluate(`['blue', 'orange'].map((name) => {
    const probe = document.createElement('i');
    probe.style.setProperty('color', 'var(--vscode-charts-' + name + ', var(--vscode-foreground))');
    document.body.append(probe);
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d');
    context.fillStyle = getComputedStyle(probe).color;
    context.fillRect(0, 0, 1, 1);
    const colour = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    probe.remove();
    return colour;
  })`);
}

/** Lines of the two charts that no colour of the theme draws. */
async function unseenLines(): Promise<unknown> {
  const frame = await charts.frame();
  return frame.evaluate(`[...document.querySelectorAll('#chart-contributions path[stroke], #chart-plane path[stroke]')]
    .filter((line) => getComputedStyle(line).stroke === 'none').map((line) => line.getAttribute('class'))`);
}

/** What the command line of the installed extension says of every rollout. */
async function tableOfCommandLine(): Promise<readonly Readonly<Record<string, number | null>>[]> {
  const extensions = path.join(path.dirname(launched.server.userDataDirectory), 'extensions');
  const installed = (await readdir(extensions)).find((name) => name.startsWith('rollout-lens.')) ?? '';
  const cli = path.join(extensions, installed, 'dist', 'cli.cjs');
  const columns = 'step,acc_advantage,tool_advantage';
  const argv = [cli, 'table', path.join(launched.workspace, 'alpha'), '--columns', columns, '--format', 'jsonl'];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { maxBuffer: 64e6 });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Readonly<Record<string, number | null>>);
}
