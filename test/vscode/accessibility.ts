// axe-core on our part of the window: a view in the sidebar, or the content of a webview.
//
// It runs inside the frame it judges: from outside, axe refuses the nested frames of VS Code's webviews.
// Leaves out: VS Code's own parts, whose issues are not ours.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Frame, Page } from 'playwright-core';

/** One rule that something breaks. */
export interface AccessibilityIssue {
  readonly rule: string;
  readonly impact: string;
  readonly help: string;
  /** The elements: their HTML, cut short. */
  readonly elements: readonly string[];
}

/** What of the window is looked at: the open webview, or the views in the sidebar. */
export type AccessibilityScope = 'webview' | 'sidebar';

/** The serious and critical issues in a part of the window; none is the aim. */
export async function accessibilityIssues(
  page: Page,
  scope: AccessibilityScope,
): Promise<readonly AccessibilityIssue[]> {
  const frame = scope === 'webview' ? await webviewFrame(page) : page.mainFrame();
  await frame.evaluate(await axeSource());
  const found: unknown = await frame.evaluate(runExpression(scope === 'webview' ? 'body' : '.part.sidebar .pane-body'));
  return JSON.parse(String(found)) as readonly AccessibilityIssue[];
}

/** The innermost frame of the visible webview, for what a FrameLocator cannot do. */
export async function webviewFrame(page: Page): Promise<Frame> {
  const outer = await page.locator('iframe.webview.ready:visible').first().elementHandle();
  const inner = await (await outer?.contentFrame())?.waitForSelector('iframe#active-frame');
  const frame = await inner?.contentFrame();
  if (!frame) throw new Error('No webview is open.');
  return frame;
}

/** The axe-core that @axe-core/playwright pins. */
async function axeSource(): Promise<string> {
  const playwright = createRequire(import.meta.url).resolve('@axe-core/playwright');
  return readFile(createRequire(playwright).resolve('axe-core/axe.min.js'), 'utf8');
}

/** Text, because tests compile without DOM types. */
function runExpression(selector: string): string {
  return `axe.run(${JSON.stringify(selector)}, { iframes: false }).then(({ violations }) => JSON.stringify(
    violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, impact, help, nodes }) => ({
        rule: id, impact, help, elements: nodes.map(({ html }) => html.slice(0, 300)),
      })),
  ))`;
}
