// From a run down to a call in the charts of a real VS Code: the group view, the biography of its prompt, why a number is
// what it is, what if the reward were coupled, two runs compared, a link to the view, and all of it after a reload.
//
// Leaves out: densities, brushes and exports (contributions.test.ts), and what is drawn of which numbers (test/unit).
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeMetisRun } from '../generate/metisRun.mjs';
import { accessibilityIssues } from './accessibility.ts';
import { ChartsPage } from './chartsPage.ts';
import { launch, type Launched } from './launch.ts';
import { themes, type Workbench } from './workbench.ts';

/** Prompts come back every four steps; `beta` has those of the later ones, with another policy. */
const size = { promptsPerStep: 6, rolloutsPerPrompt: 8, seed: 5 } as const;

let launched: Launched;
let workbench: Workbench;
let charts: ChartsPage;
let list: Locator;
let group: Locator;
let biography: Locator;

beforeAll(async () => {
  launched = await launch({
    workspace: async (folder) => {
      await writeMetisRun({ ...size, steps: 12, directory: path.join(folder, 'alpha') });
      await writeMetisRun({ ...size, steps: 16, firstStep: 5, directory: path.join(folder, 'beta') });
    },
  });
  ({ workbench } = launched);
  charts = new ChartsPage(workbench);
  list = charts.content.locator('#chart-samples .listGrid');
  group = charts.content.locator('#chart-group');
  biography = charts.content.locator('#chart-biography');
});
afterAll(() => launched?.close());

const drillPath = async (): Promise<readonly string[]> => charts.content.locator('.crumbs li').allInnerTexts();
const crumb = (text: RegExp): string => expect.stringMatching(text) as string;
const sentence = (figure: Locator): Promise<string> => figure.locator('.sentence').first().innerText();
/** Scrolls a chart into view until it says this: charts above it that are drawn meanwhile push it out again. */
const says = async (figure: Locator, wanted: RegExp): Promise<void> => {
  const said = async (): Promise<string> => {
    await figure.scrollIntoViewIfNeeded();
    return sentence(figure);
  };
  await expect.poll(said, { timeout: 30_000 }).toMatch(wanted);
};
const press = (key: string): Promise<void> => workbench.page.keyboard.press(key);
const chartsTab = (): Promise<void> => workbench.editor.tab('Rollout Lens Charts').click();
const topOf = async (figure: Locator): Promise<number> => (await figure.boundingBox())?.y ?? NaN;
const columns = (): Locator => group.locator('.column');
const why = (): Locator => charts.content.locator('.why');

describe('why a number is what it is', () => {
  test('by the pointer that rests on an advantage: the sum and its members', async () => {
    await workbench.runCommand('Rollout Lens: Show Charts');
    await charts.settled(/^alpha, steps 1 to 12: .*^beta, steps 5 to 20: /ms);
    await list.locator('[data-index="0"] .cell.push').hover();
    await expect.poll(() => why().innerText()).toMatch(/A_acc = \(.*\) \/ \(.*1e-6\) = [+−]/);
    const text = await why().innerText();
    expect(text).toMatch(/accuracy push = w_acc·A_acc·L\/mean\(L\) = 1 × /);
    expect(text).toMatch(/push = [+−][\d.]+ \(loss-weighted\)/);
    expect(text.match(/ r_acc /g)).toHaveLength(size.rolloutsPerPrompt);
    expect(text).toContain('← this rollout');
    // The push is that of the row.
    expect(text).toContain(await list.locator('[data-index="0"] .cell.push').innerText());
    await workbench.screenshot('why-pointer');
    await workbench.page.mouse.move(5, 5);
    await expect.poll(() => why().isVisible()).toBe(false);
  });

  test('by the key w, with the keyboard in it; Escape gives it back', async () => {
    await list.focus();
    await press('w');
    await expect.poll(() => why().getAttribute('role')).toBe('dialog');
    await expect.poll(() => why().locator('button.crumb').count()).toBe(size.rolloutsPerPrompt);
    expect(await accessibilityIssues(workbench.page, 'webview')).toEqual([]);
    await press('Escape');
    await expect.poll(() => why().isVisible()).toBe(false);
    await press('ArrowDown');
    expect(await list.getAttribute('aria-activedescendant')).toBe('sample-1');
  });

  test('a point of a chart of groups is a mean over their rollouts, by the pointer and by the key w', async () => {
    const passRate = charts.content.locator('#chart-passRate');
    const sum = /mean \|w_(acc|tool)·A_(acc|tool)\| = [\d.]+ \/ \d+ rollouts = [\d.]+/;
    await says(passRate, /^alpha: the accuracy channel is /);
    const plot = passRate.locator('svg.plot');
    const rested = async (): Promise<string> => {
      await plot.hover();
      return why().innerText();
    };
    await expect.poll(rested).toMatch(sum);
    expect(await why().getAttribute('aria-hidden')).toBe('true');
    await workbench.screenshot('why-point');
    await workbench.page.mouse.move(5, 5);
    await expect.poll(() => why().isVisible()).toBe(false);
    await plot.focus();
    await press('Home');
    await press('w');
    await expect.poll(() => why().getAttribute('role')).toBe('dialog');
    await expect.poll(() => why().innerText()).toMatch(sum);
    expect(await why().innerText()).toMatch(/They are those of \d+ groups? with \d of 8 right\./);
    expect(await why().locator('button.crumb').count()).toBe(8);
    await press('Escape');
    await expect.poll(() => why().isVisible()).toBe(false);
  });

  test('a value at a step is a sum over its rollouts, of any run that is shown', async () => {
    const plot = charts.plot('accuracy');
    await plot.focus();
    await press('Home');
    for (let presses = 0; presses < 4; presses += 1) await press('ArrowRight');
    await press('ArrowDown');
    await expect.poll(() => plot.getAttribute('aria-valuetext')).toMatch(/^step 5, beta: /);
    const value = /: ([\d.]+)$/.exec((await plot.getAttribute('aria-valuetext')) ?? '')?.[1] ?? '';
    await press('w');
    // Its rollouts are read when the sum is asked for.
    await expect
      .poll(() => why().innerText())
      .toMatch(new RegExp(`accuracy = \\d+ right / 48 rollouts of known correctness = ${value}\\n`));
    expect(await why().locator('button.crumb').count()).toBe(8);
    await workbench.screenshot('why-step');
    await press('Escape');
  });

  test.each([
    ['curriculum', /= \d+ groups? with .* \/ 6 groups with verdicts = \d+ %|= 0\.15 × 48 \/ \d+ = [\d.]+/],
    ['coupled', /= \d+ (pushed the other way|that .*) \/ 48 rollouts .* = \d+ %|= .* \/ √\(.*\) = [+−\d.]+/],
    ['negativePush', /= \d+ with w_acc·A_acc \+ w_tool·A_tool < 0 \/ \d+ rollouts that are right = [\d.]+ %/],
    ['selectivity', /= \d+ (right|with T ≥ 1) \/ \d+ rollouts .* = [\d.]+ %/],
  ])('so does each point of %s', async (id, sum) => {
    const figure = charts.content.locator(`#chart-${id}`);
    await says(figure, /^alpha/);
    const plot = figure.locator('svg.plot').first();
    await plot.focus();
    await press('Home');
    await press('w');
    await expect.poll(() => why().innerText()).toMatch(sum);
    await press('Escape');
    await expect.poll(() => why().isVisible()).toBe(false);
  });

  test('a value at a step names its rollouts and selects them', async () => {
    const plot = charts.plot('accuracy');
    await plot.focus();
    // From beta to alpha.
    await press('ArrowUp');
    await press('Home');
    await press('w');
    await expect.poll(() => why().innerText()).toMatch(/accuracy = \d+ right \/ 48 rollouts of known correctness = /);
    await workbench.screenshot('why-step');
    await why().locator('vscode-button', { hasText: 'Select 48 rollouts' }).click();
    await expect.poll(drillPath).toEqual(['alpha', 'step 1']);
  });
});

describe('down to a call', () => {
  test('the group stands side by side, largest push first, with what is common folded', async () => {
    await list.focus();
    await press('Home');
    await press('g');
    await expect.poll(drillPath).toEqual(['alpha', 'step 1', crumb(/^“.*”$/)]);
    await says(group, /^Step 1, “.*”: \d of 8 right \(\|Q\| \d\); .*pushes from/);
    await columns().first().waitFor();
    await expect.poll(() => group.locator('.prefix summary').innerText()).toMatch(/^The same in all 8: system, user/);
    const labels = await Promise.all((await columns().all()).map((column) => column.getAttribute('aria-label')));
    const numbers = labels.map((label) => Number(/, push ([+−]?[\d.]+)/.exec(label ?? '')?.[1]?.replace('−', '-')));
    expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
    expect(await columns().first().innerText()).toMatch(
      /r_acc[\s\S]*r_tool[\s\S]*T[\s\S]*A_acc[\s\S]*A_tool[\s\S]*push/,
    );
    await workbench.screenshot('group-view');
  });

  test('by the keyboard along the columns to a rollout', async () => {
    await group.locator('.column[tabindex="0"]').focus();
    await press('End');
    const last = group.locator('.column:focus');
    await expect.poll(() => last.getAttribute('aria-posinset')).toBe('8');
    expect(await last.getAttribute('aria-label')).toMatch(
      /^rollout \d of 8, (right|wrong), T \d+.*A_acc .*A_tool .*push /,
    );
    await press('Home');
    await press('Enter');
    await expect.poll(drillPath).toEqual(['alpha', 'step 1', crumb(/^“/), crumb(/^rollout \d of 8$/)]);
    const detail = group.locator('.rollout');
    await expect.poll(() => detail.innerText()).toMatch(/A_acc = /);
    await expect.poll(() => detail.locator('ul.members li').count()).toBe(8);
  });

  test('and to one of its calls, in the transcript', async () => {
    const detail = group.locator('.rollout');
    // One that calls: along the columns until there is one.
    for (let moves = 0; moves < 7 && (await detail.locator('[role=option]').count()) === 0; moves += 1) {
      await group.locator('.column[tabindex="0"]').focus();
      await press('ArrowRight');
      const label = (await group.locator('.column:focus').getAttribute('aria-label')) ?? '';
      await press('Enter');
      await expect.poll(() => detail.locator('h3').innerText()).toContain(label.split(',')[0]);
      await expect.poll(() => detail.innerText()).toMatch(/It calls no tool|Calls; Enter/);
    }
    await detail.scrollIntoViewIfNeeded();
    await workbench.screenshot('group-rollout');
    const named = await detail.locator('h3').innerText();
    await detail.locator('[role=listbox]').focus();
    const before = await topOf(group);
    await press('Enter');
    await expect.poll(async () => (await workbench.editor.tabs()).length).toBe(2);
    await expect.poll(transcriptText).toMatch(/▶ call 1 {2}/);
    await workbench.screenshot('group-call');
    await chartsTab();
    // The page was torn down meanwhile, and is where it was.
    await expect.poll(async () => (await drillPath()).length, { timeout: 30_000 }).toBe(4);
    await expect.poll(async () => (await drillPath())[3]).toBe(named.split(':')[0]);
    // Scrolled to where it was, with the keyboard in the list of calls.
    await expect.poll(async () => Math.abs((await topOf(group)) - before), { timeout: 30_000 }).toBeLessThan(30);
    await expect.poll(() => detail.locator('[role=listbox]:focus').count()).toBe(1);
  });

  test('and back, step by step', async () => {
    const back = charts.content.locator('.path vscode-button', { hasText: 'Back' });
    for (let length = (await drillPath()).length; length > 1; length = (await drillPath()).length) await back.click();
    await expect.poll(drillPath).toEqual(['alpha']);
    expect(await back.isVisible()).toBe(false);
  });
});

describe('the biography of a prompt', () => {
  test('lists every step in which it was sampled', async () => {
    await list.focus();
    await press('Home');
    await press('g');
    await expect.poll(async () => (await drillPath()).length).toBe(2);
    await says(biography, /^“.*” was sampled 3 times, .*From step \d+ to \d+: /);
    const rows = biography.locator('.row[data-index]');
    await expect.poll(() => rows.count()).toBe(3);
    const steps = (await rows.locator('.cell:first-child').allInnerTexts()).map((text) =>
      Number(text.replace('◂ ', '')),
    );
    expect(steps.map((step) => step - (steps[0] ?? 0))).toEqual([0, 4, 8]);
    expect(await rows.first().innerText()).toMatch(/[✓✗] \d of 8/);
    await workbench.screenshot('biography');
  });

  test('two moments open in the diff', async () => {
    await biography.locator('.listGrid').focus();
    await press('Home');
    await press('c');
    await expect.poll(() => biography.locator('[role=status]').innerText()).toContain('One is marked');
    await press('End');
    await press('c');
    await expect.poll(async () => (await workbench.editor.tabs()).join()).toContain(' ↔ ');
    const [left, right] = await steppedSides();
    expect(right).toBeGreaterThan(left ?? Infinity);
    await workbench.screenshot('biography-diff');
    await workbench.runCommand('View: Close Editor');
    await chartsTab();
  });

  test('a moment selects its group', async () => {
    await says(biography, /was sampled 3 times/);
    await biography.locator('.row[data-index]').first().waitFor();
    await biography.locator('.listGrid').focus();
    await press('End');
    await press('Enter');
    await expect.poll(async () => (await drillPath())[1]).toMatch(/^step \d+$/);
    await expect.poll(() => biography.locator('[data-index="2"]').innerText()).toMatch(/^◂/);
    // The list is the same prompt's, and keeps the keyboard where it was.
    expect(await biography.locator('.listGrid').getAttribute('aria-activedescendant')).toBe('moment-2');
  });
});

describe('what if the reward were coupled', () => {
  const coupled = (): Locator => charts.content.locator('#chart-coupled');
  test('α moves the shares, and their bands come when it rests', async () => {
    await says(coupled(), /^alpha, unconditional with α 0\.3: /);
    const before = await sentence(coupled());
    const slider = coupled().locator('input[type=range]');
    await slider.focus();
    for (let presses = 0; presses < 20; presses += 1) await press('ArrowRight');
    await expect.poll(() => sentence(coupled())).toMatch(/α 0\.7: /);
    expect(await sentence(coupled())).not.toBe(before.replace('0.3', '0.7'));
    await expect.poll(() => coupled().locator('path.band').count()).toBeGreaterThan(0);
    await workbench.screenshot('coupled-slider');
  });

  test('an ambiguity pair opens side by side', async () => {
    // Where a wrong answer without calls is worth a right one with one.
    await coupled().locator('input[type=number]').fill('1.8');
    await expect.poll(() => coupled().locator('[role=option]').count()).toBeGreaterThan(0);
    await coupled().locator('[role=listbox]').focus();
    await press('Enter');
    await expect.poll(async () => (await workbench.editor.tabs()).join()).toContain(' ↔ ');
    await expect.poll(diffText).toMatch(/^step \d+ ·/m);
    await workbench.screenshot('coupled-pair');
    await workbench.runCommand('View: Close Editor');
    await chartsTab();
  });
});

describe('two runs', () => {
  const changed = (): Locator => charts.content.locator('#chart-changedPrompts');
  test('are compared prompt by prompt, and can be swapped', async () => {
    await says(changed(), /^alpha against beta, .* both have/);
    await workbench.screenshot('changed-prompts');
    const second = changed().locator('select[aria-label="Second run"]');
    const alpha = await second.locator('option', { hasText: 'alpha' }).getAttribute('value');
    await second.selectOption(alpha);
    await says(changed(), /^beta against alpha, /);
  });

  test('a prompt opens a rollout of either run side by side', async () => {
    await expect.poll(() => changed().locator('[role=option]').count()).toBeGreaterThan(0);
    await changed().locator('[role=listbox]').focus();
    await press('Enter');
    await expect.poll(async () => (await workbench.editor.tabs()).join()).toContain(' ↔ ');
    await expect.poll(diffText).toMatch(/rollout \d of 8 ·\s*alpha/);
    await expect.poll(diffText).toMatch(/rollout \d of 8 ·\s*beta/);
    await workbench.screenshot('changed-diff');
    await workbench.runCommand('View: Close Editor');
    await chartsTab();
  });

  test('a change is the difference of what is counted in either run, whose rollouts open', async () => {
    await says(changed(), /^beta against alpha, /);
    await changed().locator('svg.plot').focus();
    await press('Home');
    await press('w');
    await expect
      .poll(() => why().innerText())
      .toMatch(/beta: \d+ right \/ \d+ rollouts = \d+ %\s+alpha: \d+ right \/ \d+ rollouts = \d+ %\s+change = /);
    expect(await why().locator('button.crumb').count()).toBe(8);
    await workbench.screenshot('why-changed');
    await why().locator('button.crumb', { hasText: 'alpha' }).last().click();
    await expect.poll(transcriptText).toMatch(/rollout \d of 8 ·\s*alpha/);
    await workbench.runCommand('View: Close Editor');
    await chartsTab();
  });
});

describe('a link', () => {
  test('opens the same view, after the user agreed', async () => {
    await expect.poll(async () => (await drillPath())[2], { timeout: 30_000 }).toMatch(/^“/);
    const wanted = await drillPath();
    await workbench.runCommand('Rollout Lens: Copy Link to These Charts');
    const link = async (): Promise<string> => String(await workbench.page.evaluate('navigator.clipboard.readText()'));
    await expect.poll(link).toMatch(/^[\w-]+:\/\/rollout-lens\.rollout-lens\/open\?view=/);
    const address = await link();
    await charts.content.locator('.crumb').first().click();
    await expect.poll(drillPath).toEqual([wanted[0]]);
    await openAddress(address);
    const dialog = workbench.page.locator('.monaco-dialog-box', { hasText: 'asks to open logs' });
    await dialog.waitFor();
    expect(await dialog.innerText()).toContain(path.join(launched.workspace, 'alpha'));
    await workbench.screenshot('link-question');
    await dialog.getByRole('button', { name: 'Open' }).click();
    await expect.poll(drillPath).toEqual(wanted);
  });

  test('to what is not on this machine is refused with a sentence', async () => {
    const view = { paths: ['/nowhere/run'], view: '{}' };
    await openAddress(`${linkStart}view=${Buffer.from(JSON.stringify(view)).toString('base64url')}`);
    await expect
      .poll(() => workbench.notifications())
      .toEqual([expect.stringContaining('/nowhere/run is not on this machine')]);
    await workbench.runCommand('Notifications: Clear All Notifications');
  });
});

describe('what lasts', () => {
  test('group, rollout, α, form and the pair of runs survive a reload of the window', async () => {
    const wanted = await drillPath();
    await workbench.reload();
    await charts.settled(/^alpha, steps 1 to 12/);
    await expect.poll(drillPath).toEqual(wanted);
    await says(group, /^Step \d+, “/);
    await columns().first().waitFor();
    await says(charts.content.locator('#chart-coupled'), /α 1\.8: /);
    await says(charts.content.locator('#chart-changedPrompts'), /^beta against alpha, /);
  });
});

describe('how it looks', () => {
  test.each(Object.keys(themes) as (keyof typeof themes)[])('%s: nothing serious', async (theme) => {
    await workbench.setTheme(theme);
    await says(group, /^Step \d+, “/);
    await group.locator('.column[tabindex="0"]').focus();
    await workbench.page.waitForTimeout(300);
    await workbench.screenshot(`group-view-${theme}`);
    expect(await accessibilityIssues(workbench.page, 'webview')).toEqual([]);
    await says(biography, /was sampled/);
    await workbench.screenshot(`biography-${theme}`);
  });

  test('nothing was violated, and no error was logged', async () => {
    expect(workbench.problems).toEqual([]);
    const errors = await workbench.extensionErrors();
    expect(errors.filter((line) => !line.includes('/nowhere/run'))).toEqual([]);
  });
});

let linkStart = '';

/** Opens an address as the operating system would hand it to VS Code, and lets the extension have it. */
async function openAddress(address: string): Promise<void> {
  linkStart = address.replace(/view=.*$/, '');
  await workbench.runCommand('Developer: Open URL');
  await workbench.quickInput.accept(address);
  const allow = workbench.page.locator('.monaco-dialog-box', { hasText: 'extension to open this URI' });
  const asked = await allow.waitFor({ timeout: 10_000 }).then(
    () => true,
    () => false,
  );
  if (asked) await allow.getByRole('button', { name: 'Open' }).click();
}

/** The lines of the diff that is shown, both sides. */
async function diffText(): Promise<string> {
  const text = await workbench.page.locator('.monaco-diff-editor').first().innerText();
  return text.replaceAll('\u00a0', ' ');
}

/** What is on the screen of a transcript; read at once, since lines that are drawn anew meanwhile are waited for in vain. */
async function transcriptText(): Promise<string> {
  const text = await workbench.editor.widget.locator('.view-lines').first().innerText();
  return text.replaceAll('\u00a0', ' ');
}

/** The steps of the two sides of the diff that is shown, by their title lines. */
async function steppedSides(): Promise<readonly number[]> {
  const steps = async (): Promise<readonly number[]> =>
    [...(await diffText()).matchAll(/^step (\d+) ·/gm)].map(([, step]) => Number(step));
  await expect.poll(async () => (await steps()).length).toBe(2);
  return steps();
}
