// A tree view as one sees it: rows with a label, a description, a depth.
//
// The list is virtual: only rows on the screen exist. Leaves out: which tree it is about.
import type { Locator, Page } from 'playwright-core';

/** A row of a tree as drawn. */
export interface TreeRow {
  readonly label: string;
  readonly description: string;
  /** 1 for the roots. */
  readonly level: number;
  /** undefined for a leaf. */
  readonly expanded: boolean | undefined;
  /** What a screen reader hears. */
  readonly spoken: string;
}

/** The tree of one view, found by the view's title. */
export class Tree {
  readonly pane: Locator;
  readonly rows: Locator;

  constructor(
    private readonly page: Page,
    title: string,
  ) {
    const heading = page.locator('.pane-header', { hasText: new RegExp(`^\\s*${title}`, 'i') });
    this.pane = page.locator('.pane', { has: heading });
    this.rows = this.pane.locator('.pane-body [role="treeitem"]');
  }

  /** The first row whose label or description holds this text. */
  row(text: string | RegExp): Locator {
    return this.rows.filter({ hasText: text }).first();
  }

  /** The rows that are drawn now, top to bottom; read at once, since a live tree changes between two questions. */
  async list(): Promise<readonly TreeRow[]> {
    return this.rows.evaluateAll(readRows);
  }

  /** Opens the view itself, which may be only its title. */
  async open(): Promise<void> {
    const title = this.pane.locator('.pane-header');
    if ((await title.getAttribute('aria-expanded')) === 'false') await title.click();
    await this.pane.locator('.pane-body').waitFor();
  }

  /** Leaves only the title of the view, which gives its room to the others. */
  async close(): Promise<void> {
    const title = this.pane.locator('.pane-header');
    if ((await title.getAttribute('aria-expanded')) === 'true') await title.click();
    await this.pane.locator('.pane-header[aria-expanded="false"]').waitFor();
  }

  /** Opens a row's children, if they are not open yet, and waits for them. */
  async expand(text: string | RegExp): Promise<void> {
    const row = this.row(text);
    if ((await row.getAttribute('aria-expanded')) === 'true') return;
    await row.locator('.monaco-tl-twistie').click();
    await this.row(text).and(this.page.locator('[aria-expanded="true"]')).waitFor();
  }

  /** Closes a row's children. */
  async collapse(text: string | RegExp): Promise<void> {
    const row = this.row(text);
    if ((await row.getAttribute('aria-expanded')) === 'true') await row.locator('.monaco-tl-twistie').click();
  }

  /** Clicks a row, which runs its command where it has one. */
  async click(text: string | RegExp): Promise<void> {
    await this.row(text).locator('.label-name').first().click();
  }

  /** The text of the tooltip that appears on a row. */
  async tooltip(text: string | RegExp): Promise<string> {
    await this.row(text).locator('.label-name').first().hover();
    const hover = this.page.locator('.workbench-hover-container:visible, .monaco-hover:visible').first();
    await hover.waitFor();
    return hover.innerText();
  }

  /** The message above the rows (TreeView.message). */
  async message(): Promise<string> {
    return this.pane.locator('.tree-explorer-viewlet-tree-view .message').innerText();
  }

  /** The welcome text that stands in the view while it has no rows. */
  welcome(): Locator {
    return this.pane.locator('.welcome-view-content');
  }

  /** Clicks a button in the view's title, which shows only while the mouse is over the view. */
  async clickTitleAction(name: string): Promise<void> {
    await this.pane.locator('.pane-header').hover();
    await this.titleAction(name).click();
  }

  /** A button in the view's title, by its tooltip. The only view of a container has its title in the container's. */
  titleAction(name: string): Locator {
    const own = this.pane.locator('.pane-header:not(.hidden) .actions');
    const merged = this.page.locator('.part.sidebar .composite.title .title-actions');
    return own.or(merged).getByRole('button', { name });
  }
}

/** Made from text, because tests compile without DOM types. */
const readRows = new Function(
  'rows',
  `return rows
    .map((row) => ({ row, top: row.getBoundingClientRect().top }))
    .sort((a, b) => a.top - b.top)
    .map(({ row }) => ({
      label: row.querySelector('.label-name')?.innerText ?? '',
      description: [...row.querySelectorAll('.label-description')].map((part) => part.innerText).join(' '),
      level: Number(row.getAttribute('aria-level')),
      expanded: row.hasAttribute('aria-expanded') ? row.getAttribute('aria-expanded') === 'true' : undefined,
      spoken: row.getAttribute('aria-label') ?? '',
    }));`,
) as (rows: unknown[]) => readonly TreeRow[];
