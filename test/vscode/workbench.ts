// One window of a real VS Code in headless Chromium: opened, looked at, closed. What is on the screen is reached through
// its parts: quickInput.ts (palette, pickers), tree.ts (the sidebar), editor.ts (text, hovers, lenses).
//
// Leaves out: starting the server (server.ts) and what tests need around it (launch.ts).
import { mkdir, readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { chromium, type Browser, type FrameLocator, type Locator, type Page } from 'playwright-core';
import { Editor } from './editor.ts';
import { findBrowser } from './install.mjs';
import { collectProblems, type PageProblem } from './problems.ts';
import { QuickInput } from './quickInput.ts';
import type { Server } from './server.ts';
import { Tree } from './tree.ts';

/** How a window is opened. */
export interface WorkbenchOptions {
  /** A folder or `.code-workspace`; none is an empty window. */
  readonly workspace?: string;
  readonly width?: number;
  readonly height?: number;
}

/** The four kinds of theme VS Code has: one that ships with it, by its label and the file that the window names it by. */
export const themes = {
  light: { label: 'Light Modern', file: 'light_modern' },
  dark: { label: 'Dark Modern', file: 'dark_modern' },
  highContrastDark: { label: 'Dark High Contrast', file: 'hc_black' },
  highContrastLight: { label: 'Light High Contrast', file: 'hc_light' },
} as const;

/** A row of VS Code's "Extension Activation Stats". */
export interface Activation {
  /** Reading and compiling the bundle: mostly the disk and the load of the machine. */
  readonly loadMs: number;
  /** activate() until it returned. */
  readonly callMs: number;
  /** What activate() still awaited. */
  readonly finishMs: number;
  readonly totalMs: number;
  /** The activation event that did it. */
  readonly event: string;
}

const chromiumFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const repository = path.resolve(import.meta.dirname, '../..');

/** Generous, because two cores may be shared with a build. */
const actionTimeoutMs = 30_000;
const openTimeoutMs = 120_000;

/** Where screenshots go: `out/screenshots` of the clone. */
export const screenshotDirectory = path.join(repository, 'out', 'screenshots');

/** Opens a window on the server and settles once the workbench is drawn. */
export async function openWorkbench(server: Server, options: WorkbenchOptions = {}): Promise<Workbench> {
  const executablePath = findBrowser();
  if (executablePath === undefined) throw new Error('No Chromium: install the package "chromium".');
  const browser = await chromium.launch({ executablePath, headless: true, args: chromiumFlags });
  try {
    const context = await browser.newContext({
      viewport: { width: options.width ?? 1400, height: options.height ?? 900 },
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const page = await context.newPage();
    page.setDefaultTimeout(actionTimeoutMs);
    const problems = await collectProblems(context, page);
    const workbench = new Workbench(server, browser, page, problems);
    await page.goto(server.url(options.workspace));
    await workbench.ready();
    return workbench;
  } catch (error) {
    await browser.close();
    throw error;
  }
}

/** A window of VS Code. `page` is there for what has no method. */
export class Workbench {
  readonly quickInput: QuickInput;
  readonly editor: Editor;

  constructor(
    readonly server: Server,
    private readonly browser: Browser,
    readonly page: Page,
    /** CSP violations, console errors and exceptions of our webviews so far; see problems.ts. */
    readonly problems: readonly PageProblem[],
  ) {
    this.quickInput = new QuickInput(page);
    this.editor = new Editor(page, this.quickInput);
  }

  /** Settles once the workbench is drawn; also after `page.reload()`. */
  async ready(): Promise<void> {
    await this.page.locator('.monaco-workbench .part.activitybar').waitFor({ timeout: openTimeoutMs });
    await this.page.locator('.monaco-workbench .part.statusbar .statusbar-item').first().waitFor();
  }

  /** Reloads the window by VS Code's own command: a reload of the page alone loses what VS Code has not stored yet. */
  async reload(): Promise<void> {
    const loaded = this.page.waitForEvent('load', { timeout: openTimeoutMs });
    // The page goes away under the command, which therefore may not see its palette close.
    const ran = this.runCommand('Developer: Reload Window').catch(() => undefined);
    await Promise.all([loaded, ran]);
    await this.ready();
  }

  /** Runs a command by its full title in the palette ("Rollout Lens: Open Run…"); throws when it is not offered. */
  async runCommand(title: string): Promise<void> {
    await this.quickInput.runCommand(title);
  }

  /** Opens a file of the workspace by the name that Quick Open knows it by. */
  async openFile(name: string): Promise<void> {
    await this.quickInput.openFile(name);
    await this.editor.tab(path.basename(name)).waitFor();
  }

  /** The icon of a container in the activity bar. */
  activityBarItem(title: string): Locator {
    const icon = this.page.locator(`[aria-label^="${title}"]`);
    return this.page.locator('.part.activitybar [role="tab"]').filter({ has: icon });
  }

  /** Shows a container of the activity bar, if it is not shown yet. */
  async openContainer(title: string): Promise<void> {
    const item = this.activityBarItem(title);
    const shown = this.page.locator('.part.sidebar .composite.title', { hasText: new RegExp(title, 'i') });
    if ((await item.getAttribute('aria-selected')) !== 'true') await item.click();
    // Away from the icon, whose tooltip would lie over the view.
    await this.page.mouse.move(1, 1);
    // A window that is just restoring its sidebar takes the click for a second one, which hides it.
    await shown.waitFor({ timeout: 5_000 }).catch(async () => {
      if (!(await shown.isVisible())) await item.click();
      await this.page.mouse.move(1, 1);
      await shown.waitFor();
    });
  }

  /** The tree of a view in the sidebar or panel, by the view's title. */
  tree(title: string): Tree {
    return new Tree(this.page, title);
  }

  /** The content of a webview: of the visible one, or of the first when several are visible. */
  webview(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready:visible').first().frameLocator('iframe#active-frame');
  }

  /** The messages of the notifications on the screen. */
  async notifications(): Promise<readonly string[]> {
    return this.page.locator('.notifications-toasts .notification-list-item-message').allInnerTexts();
  }

  /** The notification that holds this text; `getByRole('button', { name })` of it presses one of its buttons. */
  notification(text: string | RegExp): Locator {
    return this.page.locator('.notifications-toasts .notification-list-item', { hasText: text });
  }

  /** Right-clicks something and chooses an item of the menu that appears, through submenus: `'Open With…', 'Hex'`. */
  async chooseFromMenu(target: Locator, ...items: readonly string[]): Promise<void> {
    await target.click({ button: 'right' });
    for (const item of items) {
      // A menu ignores the mouse button for its first 100 ms, but not the keyboard.
      await this.menuItem(item).hover();
      await this.page.keyboard.press('Enter');
    }
    await this.page.locator('.monaco-menu').first().waitFor({ state: 'hidden' });
  }

  /** The items of the context menu of something; closes it again. */
  async menuItems(target: Locator): Promise<readonly string[]> {
    await target.click({ button: 'right' });
    const labels = this.page.locator('.monaco-menu .action-item:not(.disabled) .action-label:not(.separator)');
    await labels.first().waitFor();
    const texts = await labels.allInnerTexts();
    await this.page.keyboard.press('Escape');
    return texts.map((text) => text.trim()).filter((text) => text !== '');
  }

  /** An item of the menu that is open. */
  menuItem(name: string): Locator {
    return this.page.locator('.monaco-menu .action-item').getByRole('menuitem', { name });
  }

  /** A file or folder as the explorer shows it; `openContainer('Explorer')` first. */
  explorerItem(name: string): Locator {
    return this.page.locator('.explorer-folders-view [role="treeitem"]', { hasText: name }).first();
  }

  /** The texts of the status bar, left to right. */
  async statusBar(): Promise<readonly string[]> {
    const items = this.page.locator('.part.statusbar .statusbar-item:visible');
    return (await items.allInnerTexts()).map((text) => text.trim()).filter((text) => text !== '');
  }

  /** Switches the theme as a user does and settles once the window has it. */
  async setTheme(theme: keyof typeof themes): Promise<void> {
    const { label, file } = themes[theme];
    await this.runCommand('Preferences: Color Theme');
    await this.quickInput.type(label);
    await this.quickInput.pick(label);
    await this.page.locator(`.monaco-workbench.vscode-theme-defaults-themes-${file}-json`).waitFor();
  }

  /** Writes `out/screenshots/NAME.png` and returns its path. */
  async screenshot(name: string): Promise<string> {
    await mkdir(screenshotDirectory, { recursive: true });
    const file = path.join(screenshotDirectory, `${name}.png`);
    await this.page.screenshot({ path: file });
    return file;
  }

  /** How long an extension took to activate; undefined while it has not. From "Developer: Startup Performance". */
  async activation(extensionId = 'rollout-lens.rollout-lens'): Promise<Activation | undefined> {
    await this.runCommand('Developer: Startup Performance');
    await this.editor.tab('Startup Performance').waitFor();
    const text = await this.editor.textContaining('Extension Activation Stats');
    await this.runCommand('View: Close Editor');
    return activationOf(text, extensionId);
  }

  /** What the extension wrote into its log channel in this server's life, oldest first; '' before it logged. */
  async extensionLog(): Promise<string> {
    const logs = path.join(this.server.userDataDirectory, 'logs');
    const files = await readdir(logs, { recursive: true }).catch(() => []);
    const ours = files.filter((file) => /rollout-lens\.rollout-lens\/.*\.log$/.test(file)).sort();
    return (await Promise.all(ours.map((file) => readFile(path.join(logs, file), 'utf8')))).join('');
  }

  /** The lines of `extensionLog()` at level error. */
  async extensionErrors(): Promise<readonly string[]> {
    return (await this.extensionLog()).split('\n').filter((line) => line.includes(' [error] '));
  }

  /** Closes the window and its browser; the server goes on. */
  async close(): Promise<void> {
    await this.browser.close();
  }
}

/** The row of the table: | Extension | Eager | Load Code | Call Activate | Finish Activate | Event | By | */
function activationOf(text: string, extensionId: string): Activation | undefined {
  const table = text.slice(text.indexOf('Extension Activation Stats'));
  const row = table.split('\n').find((line) => line.startsWith(`| ${extensionId} `));
  if (row === undefined) return undefined;
  const [, , , load, call, finish, event] = row.split('|').map((cell) => cell.trim());
  const [loadMs, callMs, finishMs] = [Number(load), Number(call), Number(finish)];
  return { loadMs, callMs, finishMs, totalMs: loadMs + callMs + finishMs, event: event ?? '' };
}
