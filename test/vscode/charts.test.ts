// The charts panel in a real VS Code: what is drawn is what the command line computes, and it can be read, used by
// keyboard, in every theme and width, and comes back as it was left.
//
// Leaves out: the arithmetic (test/unit/analysis) and how few points draw the same line (test/unit/webview).
import { execFile } from 'node:child_process';
import { appendFile, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { numberText, percentText } from '../../src/base/numberText.ts';
import { metisLine, metisRecord, seededRandom, writeMetisRun } from '../generate/metisRun.mjs';
import { accessibilityIssues } from './accessibility.ts';
import { chartIds, ChartsPage, type ChartId } from './chartsPage.ts';
import { launch, type Launched } from './launch.ts';
import { themes, type Workbench } from './workbench.ts';

/** The columns of `steps --json` behind each chart, and how the page writes them. */
const columns = {
  accuracy: { column: 'accuracy', text: numberText },
  reward: { column: 'reward_mean', text: numberText },
  toolRate: { column: 'tool_rate', text: percentText },
  calls: { column: 'calls_mean', text: numberText },
} as const;

/** `alpha`: steps 1 to 12, the reward of 5 not known; `beta`: steps 4 to 8. */
const alphaSteps = Array.from({ length: 12 }, (_, index) => index + 1);
const knownSteps = alphaSteps.filter((step) => step !== 5);
const betaSteps = [4, 5, 6, 7, 8];

let launched: Launched;
let workbench: Workbench;
let charts: ChartsPage;

beforeAll(async () => {
  launched = await launch({ workspace: writeRuns });
  ({ workbench } = launched);
  charts = new ChartsPage(workbench);
});
afterAll(() => launched?.close());

describe('what is drawn', () => {
  test('is all runs, in a window in which nothing has looked for runs yet', async () => {
    await workbench.runCommand('Rollout Lens: Show Charts');
    await charts.settled(/^alpha, steps 1 to 12: .*^beta, steps 4 to 8: /ms);
    expect(await charts.legend()).toEqual([
      ['alpha', true],
      ['beta', true],
    ]);
  });

  test('is a mark for each step whose value is known, of every run', async () => {
    expect(await charts.marks('accuracy')).toEqual([knownSteps, betaSteps]);
    expect(await charts.marks('reward')).toEqual([knownSteps, betaSteps]);
    expect(await charts.marks('toolRate')).toEqual([alphaSteps, betaSteps]);
    expect(await charts.marks('calls')).toEqual([alphaSteps, betaSteps]);
    await workbench.screenshot('charts-two-runs');
  });

  test.each(chartIds)('%s has the values of the command line in its table', async (id) => {
    const { column, text } = columns[id];
    const [alpha, beta] = await Promise.all(['alpha', 'beta'].map(stepsOfCommandLine));
    const cell = (rows: StepValues | undefined, step: number): string => {
      const value = rows?.get(step)?.[column];
      return value === undefined || value === null ? '' : text(value);
    };
    const rows = alphaSteps.map((step) => [String(step), cell(alpha, step), cell(beta, step)]);
    expect(await charts.table(id)).toEqual([['step', 'alpha', 'beta'], ...rows]);
  });

  test('is exported with the same values', async () => {
    const file = path.join(launched.workspace, 'exported.csv');
    await charts.exportAs('reward', 'CSV');
    // The dialog is there before the name that it proposes.
    await expect.poll(() => workbench.quickInput.input.inputValue()).toMatch(/reward\.csv$/);
    await workbench.quickInput.choosePath(file);
    const text = await untilText(file);
    const alpha = await stepsOfCommandLine('alpha');
    const lines = text.trimEnd().split('\n');
    expect(lines[0]).toBe('step,alpha,beta');
    expect(lines.slice(1).map((line) => line.split(',')[0])).toEqual(alphaSteps.map(String));
    for (const line of lines.slice(1)) {
      const [step, value] = line.split(',');
      expect(value === '' ? null : Number(value)).toBe(alpha.get(Number(step))?.reward_mean ?? null);
    }
  });

  test('is one run less when its box is cleared', async () => {
    await charts.box('alpha').click();
    await expect.poll(() => charts.marks('calls')).toEqual([betaSteps]);
    expect(await charts.summary()).not.toContain('alpha');
    await charts.box('alpha').click();
    await expect.poll(() => charts.marks('calls')).toEqual([alphaSteps, betaSteps]);
  });

  test('says what it is', async () => {
    const about = charts.figure('toolRate').locator('.about');
    expect(await about.isVisible()).toBe(false);
    await charts.button('toolRate', 'About').click();
    expect(await about.innerText()).toContain('at least one tool call');
    await charts.button('toolRate', 'About').click();
    expect(await about.isVisible()).toBe(false);
  });
});

describe('going to a step', () => {
  test('by a click on a point shows it in the tree', async () => {
    await charts.figure('toolRate').locator('path.point[data-step="3"]').first().click();
    await selectedInTree('alpha', 'step 3');
  });

  test('by the keyboard: arrows, Home, End, Enter', async () => {
    const plot = charts.plot('accuracy');
    const said = (): Promise<string | null> => plot.getAttribute('aria-valuetext');
    await plot.focus();
    const steps: readonly (readonly [key: string, spoken: RegExp])[] = [
      ['Home', /^step 1, alpha: /],
      ['ArrowRight', /^step 2, alpha: /],
      ['ArrowLeft', /^step 1, alpha: /],
      ['End', /^step 12, alpha: /],
      ['ArrowDown', /^step 8, beta: /],
      ['ArrowLeft', /^step 7, beta: /],
    ];
    for (const [key, spoken] of steps) {
      await workbench.page.keyboard.press(key);
      expect(await said()).toMatch(spoken);
    }
    expect(await plot.getAttribute('aria-valuenow')).toBe('7');
    // All charts share the cursor, and the line above them says it in words.
    expect(await charts.plot('calls').getAttribute('aria-valuetext')).toMatch(/^step 7, beta: /);
    expect(await charts.content.locator('.readout').innerText()).toMatch(/^beta · step 7 · 8 rollouts · accuracy /);
    await workbench.screenshot('charts-cursor');
    await workbench.page.keyboard.press('Enter');
    await selectedInTree('beta', 'step 7');
  });

  test('Tab reaches every control and leaves the page again', async () => {
    const titles = [
      ...['Accuracy', 'Reward', 'Tool rate', 'Calls per rollout', 'Redundant calls', 'Efficiency signal'],
      ...['Effective w_tool', 'Accuracy advantage', 'Efficiency advantage'],
      ...['Response length', 'Length of model text', 'Truncated rollouts', 'Failed calls'],
    ];
    const frame = await charts.frame();
    await charts.box('alpha').focus();
    const reached: string[] = [];
    for (let presses = 0; presses < 200; presses += 1) {
      const name = String(
        await frame.evaluate(`document.activeElement === document.body || !document.hasFocus() ? '' :
          document.activeElement.getAttribute('aria-label') ?? document.activeElement.outerHTML.slice(0, 80)`),
      );
      if (name === '') break;
      reached.push(name);
      await workbench.page.keyboard.press('Tab');
    }
    expect(reached.slice(0, 4)).toEqual(['alpha', 'beta', 'Run whose rollouts are shown', 'w_acc']);
    const first = reached.indexOf('Show Accuracy as a table');
    expect(reached.slice(first, first + 4 * titles.length)).toEqual(
      titles.flatMap((title) => [
        `Show ${title} as a table`,
        `Export ${title}`,
        `What ${title} is`,
        `${title} over training steps`,
      ]),
    );
    // Only the radio button is named by its label, and the notes on logs by their text.
    const unnamed = reached.filter((name) => name.startsWith('<') && !/type="radio"|^<summary/u.test(name));
    expect(unnamed).toEqual([]);
  });
});

describe('how it looks', () => {
  test.each(Object.keys(themes) as (keyof typeof themes)[])('%s: colours follow, nothing serious', async (theme) => {
    const frame = await charts.frame();
    await frame.evaluate('window.livesOn = true');
    await workbench.setTheme(theme);
    await expect.poll(() => shownColours(theme)).toEqual({ kind: themeKinds[theme], follows: true, livesOn: true });
    await workbench.screenshot(`charts-${theme}`);
    expect(await accessibilityIssues(workbench.page, 'webview')).toEqual([]);
    expect(await contrasts()).toEqual([]);
  });

  test('with tables and explanations open nothing serious either', async () => {
    for (const id of chartIds) await charts.button(id, 'Table').click();
    await charts.button('accuracy', 'About').click();
    await workbench.screenshot('charts-tables');
    expect(await accessibilityIssues(workbench.page, 'webview')).toEqual([]);
    for (const id of chartIds) await charts.button(id, 'Table').click();
    await charts.button('accuracy', 'About').click();
  });

  test.each([
    ['a panel of 300 px', 'charts-narrow', { width: 352, height: 900 }],
    ['200 % zoom', 'charts-zoomed', { width: 700, height: 450 }],
  ] as const)('%s: all of it within the width', async (_, name, size) => {
    await workbench.runCommand('View: Toggle Primary Side Bar Visibility');
    await workbench.page.setViewportSize(size);
    await expect.poll(async () => (await overflow()).width).toBeLessThanOrEqual(size.width - 40);
    await expect.poll(async () => (await overflow()).beyond).toEqual([]);
    await workbench.screenshot(name);
    expect(await charts.marks('calls')).toEqual([alphaSteps, betaSteps]);
    await workbench.page.setViewportSize({ width: 1400, height: 900 });
    await workbench.runCommand('View: Toggle Primary Side Bar Visibility');
  });

  test('nothing moves by itself', async () => {
    const frame = await charts.frame();
    expect(await frame.evaluate(`document.body.classList.contains('vscode-reduce-motion')`)).toBe(true);
    await workbench.page.emulateMedia({ reducedMotion: 'reduce' });
    expect(
      await frame.evaluate(`document.getAnimations().filter(({ playState }) => playState === 'running').length`),
    ).toBe(0);
    await workbench.page.emulateMedia({ reducedMotion: null });
  });
});

describe('what lasts', () => {
  test('hidden behind another tab and shown again', async () => {
    await charts.box('beta').click();
    await expect.poll(() => charts.marks('calls')).toEqual([alphaSteps]);
    await workbench.openFile('alpha/1.jsonl');
    await workbench.editor.tab('Rollout Lens Charts').click();
    await charts.settled(/^alpha, steps 1 to 12/);
    expect(await charts.marks('calls')).toEqual([alphaSteps]);
    expect(await charts.legend()).toEqual([
      ['alpha', true],
      ['beta', false],
    ]);
  });

  test('a reload of the window', async () => {
    await workbench.reload();
    await charts.settled(/^alpha, steps 1 to 12/);
    await expect
      .poll(() => charts.legend())
      .toEqual([
        ['alpha', true],
        ['beta', false],
      ]);
    expect(await charts.marks('calls')).toEqual([alphaSteps]);
  });

  test('a run asked for in the tree is shown too', async () => {
    await workbench.openContainer('Rollout Lens');
    const row = workbench.tree('Runs').row('beta');
    await row.hover();
    await row.getByRole('button', { name: 'Show Charts' }).click();
    await expect.poll(() => charts.marks('calls')).toEqual([alphaSteps, betaSteps]);
    expect(await workbench.editor.tabs()).toHaveLength(2);
  });
});

describe('what comes later', () => {
  test('a step that is written appears, as typed arrays in which missing numbers are NaN', async () => {
    const frame = await charts.frame();
    await frame.evaluate(listenToMessages);
    await charts.plot('calls').focus();
    const directory = path.join(launched.workspace, 'alpha');
    await writeMetisRun({ ...small, directory, steps: 1, firstStep: 13, trainingSteps: 12 });
    await expect.poll(() => charts.marks('calls'), { timeout: 30_000 }).toEqual([[...alphaSteps, 13], betaSteps]);
    // The keyboard stays where it was.
    expect(await frame.evaluate(`document.activeElement.closest('section')?.id`)).toBe('chart-calls');

    const messages = JSON.parse(String(await frame.evaluate('JSON.stringify(window.heard)'))) as Heard[];
    const curves = messages.findLast(({ kinds }) => 'toolRate' in kinds && kinds['run'] === 'String');
    expect(curves?.kinds).toEqual({
      run: 'String',
      step: 'Int32Array',
      rollouts: 'Uint32Array',
      accuracy: 'Float64Array',
      reward: 'Float64Array',
      toolRate: 'Float64Array',
      calls: 'Float64Array',
      redundant: 'Float64Array',
      qualifyingShare: 'Float64Array',
      signalShare: 'Float64Array',
      effectiveToolWeight: 'Float64Array',
      accAdvantage: 'Float64Array',
      toolAdvantage: 'Float64Array',
      deadRightShare: 'Float64Array',
      deadWrongShare: 'Float64Array',
      failedCalls: 'Float64Array',
      responseTokens: 'Float64Array',
      responseCharacters: 'Float64Array',
      truncatedShare: 'Float64Array',
    });
    // Step 6 has no rewards, steps 3, 4 and 13 no efficiency signal, and step 13 no calls.
    const unscored = [5];
    expect(curves?.missing).toEqual({
      accuracy: unscored,
      reward: unscored,
      qualifyingShare: unscored,
      signalShare: unscored,
      accAdvantage: unscored,
      toolAdvantage: unscored,
      effectiveToolWeight: [2, 3, 5, 12],
      redundant: [12],
      deadRightShare: unscored,
      deadWrongShare: unscored,
      failedCalls: [12],
    });
    // Everything else that came survives JSON as it is, and none of it is large.
    expect(messages.filter(({ plain }) => !plain)).toEqual([]);
    expect(Math.max(...messages.map(({ size }) => size))).toBeLessThan(50_000);
  });

  test('3,000 steps draw no more than the pixels there are', async () => {
    const directory = path.join(launched.workspace, 'long');
    await mkdir(directory);
    const random = seededRandom(5);
    const lines = Array.from({ length: 3_000 }, (_, step) => metisLine(metisRecord(random, { step, calls: [] })));
    await writeFile(path.join(directory, 'all.jsonl'), `${lines.join('\n')}\n`);
    await expect
      .poll(() => charts.legend(), { timeout: 30_000 })
      .toContainEqual([expect.stringMatching(/^long|all/), false]);
    const name = (await charts.legend()).map(([run]) => run).find((run) => run !== 'alpha' && run !== 'beta') ?? '';
    for (const run of ['alpha', 'beta', name]) await charts.box(run).click();
    await charts.settled(/steps 0 to 2999/);
    await workbench.screenshot('charts-3000-steps');
    const drawn = await drawnIn('reward');
    expect(drawn.marks).toBeLessThanOrEqual(drawn.width);
    expect(drawn.vertices).toBeGreaterThan(drawn.width / 2);
    expect(drawn.vertices).toBeLessThanOrEqual(4 * drawn.width);
    // The table has all of them, a page at a time; the next page stays while the run is read on.
    await charts.button('reward', 'Table').click();
    const table = charts.figure('reward').locator('table tbody tr');
    expect(await table.count()).toBe(200);
    await charts.figure('reward').locator('vscode-button', { hasText: 'Later' }).click();
    expect(await table.first().innerText()).toMatch(/^200\s/);
    await appendFile(path.join(directory, 'all.jsonl'), `${metisLine(metisRecord(random, { step: 3_000 }))}\n`);
    await charts.settled(/steps 0 to 3000/);
    expect(await table.first().innerText()).toMatch(/^200\s/);
    await workbench.screenshot('charts-3000-table');
  });

  test('no run is left: it says what to do', async () => {
    for (let runs = 3; runs > 0; runs -= 1) {
      await workbench.runCommand('Rollout Lens: Close Run');
      if (runs > 1) await workbench.quickInput.accept();
      await expect.poll(async () => (await charts.legend()).length).toBe(runs - 1);
    }
    expect(await charts.summary()).toBe(
      'No run is open. Use “Rollout Lens: Open Run…” or “Open the Sample Run” in the command palette.',
    );
    expect(await charts.plot('accuracy').isVisible()).toBe(false);
    await workbench.screenshot('charts-empty');
  });

  test('nothing was violated, and no error was logged', async () => {
    expect(workbench.problems).toEqual([]);
    expect(await workbench.extensionErrors()).toEqual([]);
  });
});

const small = { promptsPerStep: 2, rolloutsPerPrompt: 4, seed: 3 } as const;

async function writeRuns(folder: string): Promise<void> {
  const alpha = path.join(folder, 'alpha');
  await writeMetisRun({ ...small, directory: alpha, steps: 12 });
  await writeMetisRun({ ...small, directory: path.join(folder, 'beta'), steps: 5, firstStep: 4, seed: 4 });
  // As Python writes a reward that was never computed.
  const file = path.join(alpha, '5.jsonl');
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll(/"score": [\d.e-]+/g, '"score": NaN'));
}

type StepValues = ReadonlyMap<number, Readonly<Record<string, number | null>>>;

/** What the command line of the installed extension says of a run of the workspace. */
async function stepsOfCommandLine(run: string): Promise<StepValues> {
  const extensions = path.join(path.dirname(launched.server.userDataDirectory), 'extensions');
  const installed = (await readdir(extensions)).find((name) => name.startsWith('rollout-lens.')) ?? '';
  const cli = path.join(extensions, installed, 'dist', 'cli.cjs');
  const argv = [cli, 'steps', path.join(launched.workspace, run), '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  const rows = JSON.parse(stdout) as readonly Readonly<Record<string, number | null>>[];
  return new Map(rows.map((row) => [row['step'] ?? -1, row]));
}

async function untilText(file: string): Promise<string> {
  await expect.poll(() => readFile(file, 'utf8').catch(() => ''), { timeout: 15_000 }).toMatch(/\n$/);
  return readFile(file, 'utf8');
}

/** Waits until the row of a step is selected: the one below its run's row. */
async function selectedInTree(run: string, step: string): Promise<void> {
  const { rows } = workbench.tree('Runs');
  const chosen = async (): Promise<readonly string[]> => {
    const all = await rows.all();
    const read = await Promise.all(
      all.map(async (row) => ({
        label: await row.locator('.label-name').first().innerText(),
        level: await row.getAttribute('aria-level'),
        selected: (await row.getAttribute('aria-selected')) === 'true',
        top: (await row.boundingBox())?.y ?? 0,
      })),
    );
    const sorted = read.sort((a, b) => a.top - b.top);
    const at = sorted.findIndex(({ selected }) => selected);
    return [sorted.slice(0, at).findLast(({ level }) => level === '1')?.label ?? '', sorted[at]?.label ?? ''];
  };
  await expect.poll(() => chosen().catch(() => [])).toEqual([run, step]);
}

const themeKinds = {
  light: 'vscode-light',
  dark: 'vscode-dark',
  highContrastDark: 'vscode-high-contrast',
  highContrastLight: 'vscode-high-contrast vscode-high-contrast-light',
} as const;

/** Whether the page is of this theme, the lines have its chart colours, and the page was not loaded again. */
async function shownColours(theme: keyof typeof themes): Promise<unknown> {
  const frame = await charts.frame();
  const kinds = themeKinds[theme].split(' ');
  return frame.evaluate(`(() => {
    const resolve = (value) => {
      const probe = document.createElement('i');
      probe.style.setProperty('color', value);
      document.body.append(probe);
      const colour = getComputedStyle(probe).color;
      probe.remove();
      return colour;
    };
    const body = getComputedStyle(document.body);
    const lines = [...document.querySelectorAll('#chart-calls path.line')].map((line) => getComputedStyle(line).stroke);
    const wanted = ['green', 'purple'].map((name) => resolve('var(--vscode-charts-' + name + ')'));
    const classes = ${JSON.stringify(kinds)}.filter((name) => document.body.classList.contains(name));
    return {
      kind: classes.join(' '),
      follows: JSON.stringify(lines) === JSON.stringify(wanted)
        && body.backgroundColor === resolve('var(--vscode-editor-background)'),
      livesOn: window.livesOn === true,
    };
  })()`);
}

/** Lines and marks against the background below 3:1, texts in plots below 4.5:1: as "what: ratio". */
async function contrasts(): Promise<unknown> {
  const frame = await charts.frame();
  return frame.evaluate(`(() => {
    const channels = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
    const luminance = (colour) => channels(colour)
      .map((value) => value / 255)
      .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
      .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
    const ground = luminance(getComputedStyle(document.body).backgroundColor);
    const ratio = (colour) => {
      const one = luminance(colour);
      return (Math.max(one, ground) + 0.05) / (Math.min(one, ground) + 0.05);
    };
    const low = [];
    for (const line of document.querySelectorAll('path.line')) {
      const found = ratio(getComputedStyle(line).stroke);
      if (found < 3) low.push('line: ' + found.toFixed(2));
    }
    for (const text of document.querySelectorAll('svg.plot text')) {
      const found = ratio(getComputedStyle(text).fill);
      if (found < 4.5) low.push('text: ' + found.toFixed(2));
    }
    return [...new Set(low)];
  })()`);
}

/** The width of the page, and what reaches beyond it or lies over its neighbour. */
async function overflow(): Promise<{ readonly width: number; readonly beyond: readonly string[] }> {
  const frame = await charts.frame();
  const found = await frame.evaluate(`(() => {
    const width = document.documentElement.clientWidth;
    const parts = [...document.querySelectorAll('svg.plot, h2, vscode-button, vscode-checkbox, .summary')]
      .filter((part) => part.checkVisibility());
    const beyond = parts.filter((part) => {
      const { left, right } = part.getBoundingClientRect();
      return left < 0 || right > width + 0.5;
    });
    const scrolls = document.scrollingElement.scrollWidth > width;
    const widest = [...document.querySelectorAll('body *')].filter((part) => part.checkVisibility())
      .reduce((most, part) => part.getBoundingClientRect().right > most.getBoundingClientRect().right
        && !part.closest('.listGrid, .rows, svg') ? part : most);
    const page = scrolls ? ['the page, for ' + widest.outerHTML.slice(0, 120)] : [];
    return { width, beyond: [...beyond.map((part) => part.outerHTML.slice(0, 60)), ...page] };
  })()`);
  return found as { readonly width: number; readonly beyond: readonly string[] };
}

/** What came over the message channel: kinds of the result's fields, where it is NaN, whether the rest is plain JSON. */
interface Heard {
  readonly kinds: Readonly<Record<string, string>>;
  readonly missing: Readonly<Record<string, readonly number[]>>;
  readonly plain: boolean;
  readonly size: number;
}

const listenToMessages = `(() => {
  window.heard = [];
  addEventListener('message', ({ data }) => {
    const of = data?.result ?? data?.params ?? {};
    const content = Array.isArray(of) && of.length === 1 ? of[0] : of;
    const kinds = {};
    const missing = {};
    let size = 0;
    let rest = data;
    const typed = (value) => ArrayBuffer.isView(value);
    for (const [key, value] of Object.entries(content)) {
      kinds[key] = value === null ? 'null' : value.constructor.name;
      if (!typed(value)) continue;
      size += value.byteLength;
      const steps = [...value.keys()].filter((index) => Number.isNaN(value[index])).map((index) => content.step[index]);
      if (steps.length > 0) missing[key] = steps;
    }
    const text = JSON.stringify(data, (_, value) => (typed(value) ? undefined : value));
    const same = (a, b) => typed(a) || Object.is(a, b) || (typeof a === 'object' && a !== null && b !== null
      && Object.keys(a).filter((key) => !typed(a[key])).every((key) => same(a[key], b?.[key])));
    heard.push({ kinds, missing, plain: same(rest, JSON.parse(text)), size: size + text.length });
  });
})()`;

/** Pixels, marks and the corners of the lines of a chart. */
async function drawnIn(id: ChartId): Promise<{ width: number; marks: number; vertices: number }> {
  const frame = await charts.frame();
  const found = await frame.evaluate(`(() => {
    const plot = document.querySelector('#chart-${id} svg.plot');
    const lines = [...plot.querySelectorAll('g.run path.line')].map((line) => line.getAttribute('d') ?? '');
    return {
      width: plot.clientWidth,
      marks: plot.querySelectorAll('path.point').length,
      vertices: lines.join('').split(/[ML]/).length - 1,
    };
  })()`);
  return found as { width: number; marks: number; vertices: number };
}
