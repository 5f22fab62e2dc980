// The active text editor as one sees it: its text, hovers, lenses, decorations, folding marks.
//
// Monaco draws only the lines on the screen; `text()` therefore goes through the clipboard, which holds all of it.
// Leaves out: diff editors have two of everything (pass `original` or `modified` locators of `page` yourself).
import type { Locator, Page } from 'playwright-core';
import type { QuickInput } from './quickInput.ts';

const pollTimeoutMs = 30_000;

/** The text editor that has, or last had, the focus. */
export class Editor {
  /** The editor widget of the active group. */
  readonly widget: Locator;

  constructor(
    private readonly page: Page,
    private readonly quickInput: QuickInput,
  ) {
    this.widget = page.locator('.editor-group-container.active .editor-instance .monaco-editor').last();
  }

  /** A tab by its label. */
  tab(name: string | RegExp): Locator {
    return this.page.locator('.tabs-container .tab', { hasText: name }).first();
  }

  /** The labels of the open tabs, left to right. */
  async tabs(): Promise<readonly string[]> {
    const tabs = await this.page.locator('.tabs-container .tab').all();
    // The name and its extension are two elements.
    const parts = await Promise.all(tabs.map((tab) => tab.locator('.label-name, .label-suffix').allInnerTexts()));
    return parts.map((texts) => texts.join(''));
  }

  /** The whole text, however long: selects all, copies, and reads the clipboard. */
  async text(): Promise<string> {
    await this.focus();
    await this.page.evaluate('navigator.clipboard.writeText("")');
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.press('Control+C');
    await this.page.waitForTimeout(50);
    const text = await this.page.evaluate('navigator.clipboard.readText()');
    await this.page.keyboard.press('Control+Home');
    return String(text).replaceAll('\r\n', '\n');
  }

  /** As `text()`, once it holds this; throws with the last text where that does not come. */
  async textContaining(wanted: string | RegExp): Promise<string> {
    const deadline = Date.now() + pollTimeoutMs;
    for (;;) {
      const text = await this.text();
      if (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)) return text;
      if (Date.now() > deadline) throw new Error(`The editor never held ${wanted}. It holds:\n${text.slice(0, 4000)}`);
      await this.page.waitForTimeout(250);
    }
  }

  /** The lines on the screen, top to bottom. */
  async visibleLines(): Promise<readonly string[]> {
    // Read at once: lines that are drawn anew between two questions would be waited for in vain.
    const read = await this.widget.locator('.view-lines .view-line').evaluateAll(readLines);
    // Monaco draws spaces as no-break spaces.
    return read.sort((a, b) => a.top - b.top).map(({ text }) => text.replaceAll('\u00a0', ' '));
  }

  /** Moves the cursor (both from 1) and scrolls there. */
  async goTo(line: number, column = 1): Promise<void> {
    await this.widget.locator('.view-line').first().waitFor();
    await this.quickInput.openPalette();
    await this.quickInput.accept(`:${line}:${column}`);
    await this.quickInput.widget.waitFor({ state: 'hidden' });
  }

  /** Gives it the focus without moving the cursor by a click. */
  async focus(): Promise<void> {
    await this.widget.waitFor();
    await this.quickInput.runCommand('View: Focus Active Editor Group');
  }

  /** The hover of the place where this text is drawn, by the mouse as a user would; throws when none appears. */
  async hover(text: string): Promise<string> {
    const place = await this.placeOf(text);
    // From elsewhere, so that the editor sees the pointer move even when it rests there already.
    await this.page.mouse.move(place.x + 3, place.y + 200);
    await this.page.mouse.move(place.x, place.y, { steps: 3 });
    return this.shownHover();
  }

  /** The hover at the cursor (both from 1), by the keyboard command. */
  async hoverAt(line: number, column: number): Promise<string> {
    await this.goTo(line, column);
    await this.quickInput.runCommand('Show or Focus Hover');
    return this.shownHover();
  }

  /** The hover that is open: a locator for its links and buttons. */
  get hoverWidget(): Locator {
    return this.page.locator('.monaco-editor .monaco-hover:visible, .monaco-hover:visible').first();
  }

  /** The texts of the CodeLens lines on the screen; waits for the first. */
  async codeLenses(): Promise<readonly string[]> {
    const lenses = this.widget.locator('.codelens-decoration');
    await lenses.filter({ hasText: /\S/ }).first().waitFor();
    return (await lenses.allInnerTexts()).map((text) => text.replaceAll('\u00a0', ' ').trim());
  }

  /** Clicks a lens by its text; the first where several are the same. */
  async clickCodeLens(text: string | RegExp): Promise<void> {
    await this.hideHover();
    await this.widget.locator('.codelens-decoration a', { hasText: text }).first().click();
  }

  /** Closes the hover, which would lie over what a test clicks next. */
  async hideHover(): Promise<void> {
    if (!(await this.hoverWidget.isVisible())) return;
    // Esc closes it only where it has the focus; a pointer far away closes it in any case.
    await this.page.keyboard.press('Escape');
    await this.page.mouse.move(1, 1);
    await this.hoverWidget.waitFor({ state: 'hidden' });
  }

  private async shownHover(): Promise<string> {
    await this.hoverWidget.waitFor();
    // The first content may be "Loading…".
    await this.page.waitForFunction(
      `![...document.querySelectorAll('.monaco-hover')].some((hover) => /^Loading/.test(hover.innerText))`,
    );
    return (await this.hoverWidget.innerText()).trim();
  }

  /** The middle of a text on the screen: lines are cut into spans by colour, so it is found across them. */
  private async placeOf(text: string): Promise<{ readonly x: number; readonly y: number }> {
    await this.widget.locator('.view-line').first().waitFor();
    const found: unknown = await this.page.evaluate(placeExpression(text));
    if (isPlace(found)) return found;
    throw new Error(`"${text}" is not on the screen. Lines on it:\n${(await this.visibleLines()).join('\n')}`);
  }
}

/** Made from text, because tests compile without DOM types. */
const readLines = new Function(
  'lines',
  'return lines.map((line) => ({ top: line.getBoundingClientRect().top, text: line.innerText }))',
) as (lines: unknown[]) => { top: number; text: string }[];

/** Text, because tests compile without DOM types. Monaco draws spaces as no-break spaces. */
function placeExpression(text: string): string {
  return `(() => {
    const wanted = ${JSON.stringify(text)};
    const plain = (text) => text.replaceAll('\\u00a0', ' ');
    for (const line of document.querySelectorAll('.editor-group-container.active .monaco-editor .view-line')) {
      const first = plain(line.textContent).indexOf(wanted);
      if (first < 0) continue;
      const middle = first + Math.floor(wanted.length / 2);
      const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
      for (let before = 0; walker.nextNode(); before += walker.currentNode.length) {
        if (middle >= before + walker.currentNode.length) continue;
        const range = document.createRange();
        range.setStart(walker.currentNode, middle - before);
        range.setEnd(walker.currentNode, middle - before + 1);
        const box = range.getBoundingClientRect();
        return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
      }
    }
    return null;
  })()`;
}

function isPlace(value: unknown): value is { readonly x: number; readonly y: number } {
  return typeof value === 'object' && value !== null && 'x' in value && 'y' in value;
}
