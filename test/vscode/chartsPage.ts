// The charts panel as one sees it: sentences, legend, marks, tables.
//
// Expressions are text, because tests compile without DOM types. Leaves out: opening the panel.
import type { Frame, FrameLocator, Locator } from 'playwright-core';
import { expect } from 'vitest';
import { webviewFrame } from './accessibility.ts';
import type { Workbench } from './workbench.ts';

/** The ids of the charts, as `webview/charts/all.ts` lists them. */
export const chartIds = ['accuracy', 'reward', 'toolRate', 'calls'] as const;

/** One of the charts. */
export type ChartId = (typeof chartIds)[number];

const readTimeoutMs = 60_000;

/** The page of the visible charts panel. */
export class ChartsPage {
  constructor(private readonly workbench: Workbench) {}

  get content(): FrameLocator {
    return this.workbench.webview();
  }

  /** The innermost frame, for expressions. */
  frame(): Promise<Frame> {
    return webviewFrame(this.workbench.page);
  }

  /** The figure of one chart. */
  figure(id: ChartId): Locator {
    return this.content.locator(`#chart-${id}`);
  }

  /** What has the keyboard in one chart. */
  plot(id: ChartId): Locator {
    return this.figure(id).locator('svg.plot');
  }

  /** One of the three buttons of a chart. */
  button(id: ChartId, label: 'Table' | 'Export' | 'About'): Locator {
    return this.figure(id).locator('vscode-button', { hasText: label });
  }

  /** Exports a chart: opens the row of kinds, chooses one, closes it. */
  async exportAs(id: string, kind: 'SVG' | 'PNG' | 'CSV'): Promise<void> {
    const figure = this.content.locator(`#chart-${id}`);
    const open = figure.locator('header vscode-button', { hasText: 'Export' });
    await open.click();
    await figure.locator('.exports vscode-button', { hasText: kind }).click();
    await open.click();
  }

  /** The box of a run in the legend. */
  box(run: string): Locator {
    return this.content.locator('.legend vscode-checkbox', { hasText: new RegExp(`^\\s*${run}\\s*$`) });
  }

  /** The names in the legend, each with whether it is shown; read at once, since it changes with the runs. */
  async legend(): Promise<readonly (readonly [name: string, shown: boolean])[]> {
    const frame = await this.frame();
    const found = await frame.evaluate(`[...document.querySelectorAll('.legend vscode-checkbox')].map((box) =>
      [box.innerText.trim(), box.getAttribute('aria-checked') === 'true'])`);
    return found as readonly (readonly [string, boolean])[];
  }

  /** The sentences at the top. */
  async summary(): Promise<string> {
    return (await this.content.locator('.summary').innerText()).trim();
  }

  /** Waits for sentences like this, with nothing left to read. */
  async settled(wanted: RegExp): Promise<void> {
    await expect
      .poll(() => this.summary().catch((error: unknown) => String(error)), { timeout: readTimeoutMs })
      .toMatch(wanted);
    await expect.poll(() => this.summary(), { timeout: readTimeoutMs }).not.toContain('reading…');
  }

  /** The steps that have a mark in a chart, a list a run, in the order of the runs. */
  async marks(id: ChartId): Promise<readonly (readonly number[])[]> {
    const frame = await this.frame();
    const found = (await frame.evaluate(`[...document.querySelectorAll('#chart-${id} g.run')].map((run) =>
      [...run.querySelectorAll('path.point[data-run]')].map((point) => Number(point.dataset.step)))`)) as number[][];
    return found;
  }

  /** The rows of a chart's table, header first; shows the table for as long as it reads. */
  async table(id: ChartId): Promise<readonly (readonly string[])[]> {
    await this.button(id, 'Table').click();
    const rows = await this.figure(id).locator('table tr').all();
    const texts = await Promise.all(rows.map((row) => row.locator('th, td').allInnerTexts()));
    await this.button(id, 'Table').click();
    return texts;
  }
}
