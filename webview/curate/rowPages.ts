/**
 * The rows of a list, by pages, as far as they were looked at. New settings ask anew; what was there stays until the
 * first answer, so that a list does not flicker while a threshold moves. Leaves out showing rows.
 */
import { isAbort } from '../../src/base/errors.ts';
import type { CurationRow } from '../../src/protocol/curation.ts';
import type { Page } from '../../src/protocol/engine.ts';

/** Where rows come from, and who hears of them. */
export interface RowPagesOptions {
  /** At most `count` rows from `first` on; null while nothing is listed. */
  readonly ask: (first: number, count: number, signal: AbortSignal) => Promise<Page<CurationRow>>;
  /** Other rows are there than before: `total` in all. */
  readonly onRows: (total: number) => void;
  readonly onError: (error: unknown) => void;
}

/** Rows of one list. */
export interface RowPages {
  row(index: number): CurationRow | null;
  readonly total: number;
  /** Rows that are in sight, end exclusive: asked for where they are not there. */
  want(first: number, end: number): void;
  /** Asks anew for what is in sight. */
  renew(): void;
  /** Forgets everything. */
  clear(): void;
}

const pageRows = 100;

/** Makes an empty list of rows. */
export function makeRowPages({ ask, onRows, onError }: RowPagesOptions): RowPages {
  let pages = new Map<number, readonly CurationRow[]>();
  let total = 0;
  let sight: readonly [first: number, end: number] = [0, 0];
  let life = new AbortController();
  let asked = new Set<number>();
  /** True until the first answer to new settings. */
  let stale = false;

  const load = (page: number): void => {
    if (asked.has(page)) return;
    asked.add(page);
    const { signal } = life;
    ask(page * pageRows, pageRows, signal).then(
      (found) => {
        if (signal.aborted) return;
        if (stale) pages = new Map();
        stale = false;
        pages.set(page, found.rows);
        total = found.total;
        onRows(total);
      },
      (error: unknown) => {
        if (signal.aborted) return;
        asked.delete(page);
        if (!isAbort(error)) onError(error);
      },
    );
  };
  const loadSight = (): void => {
    const last = Math.floor(Math.max(sight[0], sight[1] - 1) / pageRows);
    for (let page = Math.floor(sight[0] / pageRows); page <= last; page += 1) load(page);
  };
  const begin = (): void => {
    life.abort();
    life = new AbortController();
    asked = new Set();
  };
  return {
    row: (index) => pages.get(Math.floor(index / pageRows))?.[index % pageRows] ?? null,
    get total() {
      return total;
    },
    want: (first, end) => {
      sight = [first, end];
      loadSight();
    },
    renew: () => {
      begin();
      stale = true;
      // Where fewer rows are left than were in sight, the first page says so.
      if (sight[0] >= total) sight = [0, 0];
      loadSight();
    },
    clear: () => {
      begin();
      pages = new Map();
      total = 0;
      sight = [0, 0];
      stale = false;
    },
  };
}
