// The box at the top of the window: command palette, Quick Open, our own pickers and input boxes.
//
// Leaves out: what the commands do.
import type { Locator, Page } from 'playwright-core';

const openTimeoutMs = 30_000;
const retryMs = 2_000;

/** The quick input of one window. */
export class QuickInput {
  readonly widget: Locator;
  readonly input: Locator;
  readonly rows: Locator;

  constructor(private readonly page: Page) {
    this.widget = page.locator('.quick-input-widget:visible');
    this.input = this.widget.locator('.quick-input-box input');
    this.rows = this.widget.locator('.quick-input-list .monaco-list-row');
  }

  /** Opens the command palette. F1 works wherever the focus is, webviews included. */
  async openPalette(): Promise<void> {
    const deadline = Date.now() + openTimeoutMs;
    for (;;) {
      await this.page.keyboard.press('F1');
      // A window that is just opening an editor or closing another picker swallows the key.
      if (await this.becomes((value) => value?.startsWith('>') === true, retryMs)) return;
      if (Date.now() > deadline) throw new Error('The command palette does not open.');
    }
  }

  /** Runs a command by its full title, category included; settles when the palette is gone, throws when it is not offered. */
  async runCommand(title: string): Promise<void> {
    const deadline = Date.now() + openTimeoutMs;
    for (;;) {
      await this.openPalette();
      // An editor that is just opening takes the focus, which closes the palette: then once more from the start.
      const ran = await this.tryCommand(title).then(
        () => true,
        () => false,
      );
      if (ran) break;
      if (Date.now() > deadline) throw new Error(`The palette offers no "${title}", only: ${await this.offered()}`);
      // An open palette does not notice commands that are registered later (the extension host starts after the window).
      await this.page.keyboard.press('Escape');
    }
    // The command may open a picker of its own, so what must be gone is the palette, not the box.
    if (!(await this.becomes((value) => value?.startsWith('>') !== true, openTimeoutMs))) {
      throw new Error(`The command palette stays open after "${title}".`);
    }
  }

  /** The command titles that the palette offers for this text. */
  async commandsFor(text: string): Promise<readonly string[]> {
    await this.openPalette();
    await this.input.fill(`>${text}`);
    await this.rows.first().waitFor();
    const labels = await this.labels();
    await this.cancel();
    return labels.filter((label) => label !== 'No matching commands');
  }

  /** Opens a file through Quick Open. */
  async openFile(name: string): Promise<void> {
    await this.openPalette();
    await this.input.fill(name);
    await this.rows
      .filter({ hasText: name.split('/').at(-1) ?? name })
      .first()
      .click();
    await this.widget.waitFor({ state: 'hidden' });
  }

  /** Types into the box that is open now. */
  async type(text: string): Promise<void> {
    await this.input.fill(text);
  }

  /** Types and presses Enter: for input boxes, and to take the focused row. */
  async accept(text?: string): Promise<void> {
    if (text !== undefined) await this.input.fill(text);
    await this.input.press('Enter');
  }

  /** Picks the row with exactly this label (ignoring the dots of an ellipsis), or one that matches. */
  async pick(label: string | RegExp): Promise<void> {
    await this.row(label).click();
  }

  /** The row with this label; its own locator because descriptions and details belong to the row, not to the label. */
  row(label: string | RegExp): Locator {
    const name = this.page.locator('.quick-input-list-entry .quick-input-list-row:first-child .label-name', {
      hasText: typeof label === 'string' ? exactly(label) : label,
    });
    return this.rows.filter({ has: name }).first();
  }

  /** The labels of the rows that are drawn (the list is virtual: some 15 to 20). */
  async labels(): Promise<readonly string[]> {
    return this.rows.locator('.quick-input-list-row:first-child .label-name').allInnerTexts();
  }

  /** Everything each drawn row says: label, description, detail. */
  async rowTexts(): Promise<readonly string[]> {
    return (await this.rows.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' ').trim());
  }

  /** Types a path into VS Code's own file dialog (the one without a native window) and confirms it by its button. */
  async choosePath(path: string, button = 'OK'): Promise<void> {
    await this.input.waitFor();
    for (let tries = 0; tries < 5; tries += 1) {
      await this.input.fill(path);
      // A dialog that still lists a folder puts its own path over what was typed.
      await this.page.waitForTimeout(700);
      if ((await this.input.inputValue()) !== path) continue;
      await this.widget.getByRole('button', { name: button }).click();
      const closed = this.widget.waitFor({ state: 'hidden', timeout: 5_000 });
      if (await closed.then(() => true).catch(() => false)) return;
    }
    throw new Error(`The dialog does not take ${path}.`);
  }

  /** Closes it as Esc does. */
  async cancel(): Promise<void> {
    await this.page.keyboard.press('Escape');
    await this.widget.waitFor({ state: 'hidden' });
  }

  private async tryCommand(title: string): Promise<void> {
    await this.input.fill(`>${title}`, { timeout: retryMs });
    await this.row(title).click({ timeout: 2 * retryMs });
  }

  private async offered(): Promise<string> {
    return (await this.labels()).join(', ') || 'nothing';
  }

  /** Polls what stands in the box (undefined: none is shown) until it is as wanted; whether that came in time. */
  private async becomes(wanted: (value: string | undefined) => boolean, timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const value: unknown = await this.page.evaluate(shownValue);
      if (wanted(typeof value === 'string' ? value : undefined)) return true;
      if (Date.now() > deadline) return false;
      await this.page.waitForTimeout(25);
    }
  }
}

/** Text, because tests compile without DOM types. */
const shownValue = `(() => {
  const widget = document.querySelector('.quick-input-widget');
  // Inert while it fades out.
  if (widget === null || widget.style.display === 'none' || widget.inert) return null;
  return widget.querySelector('.quick-input-box input')?.value ?? null;
})()`;

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
}
