// The Curate panel as one sees it: sentence, bars, rows, parts.
//
// Expressions are text, because tests compile without DOM types. Leaves out: opening the panel.
import type { FrameLocator, Locator } from 'playwright-core';
import { expect } from 'vitest';
import { webviewFrame } from './accessibility.ts';
import type { Workbench } from './workbench.ts';

const readTimeoutMs = 60_000;

/** A bar as it is drawn: name and numbers. */
export type Bars = Readonly<Record<string, string>>;

/** The page of the visible Curate panel. */
export class CuratePage {
  constructor(private readonly workbench: Workbench) {}

  get content(): FrameLocator {
    return this.workbench.webview();
  }

  bar(name: string): Locator {
    return this.content.locator('g.bar', { hasText: name });
  }

  button(label: string): Locator {
    return this.content.locator('vscode-button:visible', { hasText: label });
  }

  /** The box of a filter, by what it is called. */
  box(label: string): Locator {
    return this.content.locator('vscode-checkbox', { hasText: label });
  }

  list(): Locator {
    return this.content.locator('.listGrid');
  }

  /** The names and numbers of all bars. */
  async bars(): Promise<Bars> {
    const frame = await webviewFrame(this.workbench.page);
    const found = await frame.evaluate(`Object.fromEntries([...document.querySelectorAll('g.bar')].map((bar) =>
      [bar.querySelector('.name').textContent, bar.querySelector('.short').textContent]))`);
    return found as Bars;
  }

  /** The sentence above the bars. */
  async sentence(): Promise<string> {
    return (await this.content.locator('#funnel .sentence').innerText()).trim();
  }

  /** Waits for a sentence like this. */
  async settled(wanted: RegExp): Promise<void> {
    await expect
      .poll(() => this.sentence().catch((error: unknown) => String(error)), { timeout: readTimeoutMs })
      .toMatch(wanted);
  }

  /** The texts of the rows that are drawn, a list of cells each. */
  async rows(): Promise<readonly (readonly string[])[]> {
    const frame = await webviewFrame(this.workbench.page);
    const found = await frame.evaluate(`[...document.querySelectorAll('.listGrid .spacer .row')]
      .sort((one, other) => Number(one.dataset.index) - Number(other.dataset.index))
      .map((row) => [...row.children].map((cell) => cell.textContent))`);
    return found as readonly (readonly string[])[];
  }

  /** What stands above the list. */
  async standing(): Promise<string> {
    return (await this.content.locator('#rows .standing').innerText()).trim();
  }

  /** Presses Tab until what matches a selector has the keyboard; throws where nothing does. */
  async tabTo(selector: string): Promise<void> {
    const frame = await webviewFrame(this.workbench.page);
    for (let presses = 0; presses < 80; presses += 1) {
      await this.workbench.page.keyboard.press('Tab');
      if (await frame.evaluate(`document.activeElement?.closest(${JSON.stringify(selector)}) !== null`)) return;
    }
    throw new Error(`Tab does not lead to ${selector}.`);
  }
}
