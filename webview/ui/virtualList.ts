/**
 * A list of any length of which only the rows in sight are elements, by @tanstack/virtual-core: the only file that knows
 * it. The list has the keyboard (one tab stop), the row it stands on is its active descendant, so that recycled rows
 * never lose the focus. Leaves out what a row shows.
 */
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualItem,
} from '@tanstack/virtual-core';
import { element } from './dom.ts';

/** Browsers lose rows beyond some 16 million px. */
const mostPx = 15_000_000;

/** What a virtual list needs. */
export interface VirtualListOptions {
  readonly label: string;
  /** Unique in the page: rows are named after it. */
  readonly id: string;
  /** Of the head too. */
  readonly rowHeightPx: number;
  /** Cells of a row: elements with role gridcell; they may change until the row is drawn again. */
  readonly cells: (index: number) => readonly HTMLElement[];
  /** Rows in sight, whenever they changed. */
  readonly onSight: (first: number, end: number) => void;
  readonly onPick: (index: number) => void;
  /** A click, where it is less than a pick; left out, it picks. */
  readonly onClick?: (index: number) => void;
  /** The row the keyboard stands on, whenever keys or a click moved it. */
  readonly onCurrent?: (index: number) => void;
  /** Keys that are not of the list itself; answers whether it used one. */
  readonly onKey: (key: string, index: number) => boolean;
}

/** A list on the page: a grid whose header row is `head`. */
export interface VirtualList {
  readonly node: HTMLElement;
  /** Shows so many rows from the start on; at most `most`. */
  reset(count: number): void;
  /** Shows so many rows; place and scroll position stay as far as there are rows. */
  resize(count: number, at?: number): void;
  /** Draws the rows in sight again. */
  refresh(): void;
  /** The row the keyboard stands on; −1 for none. */
  current(): number;
  readonly most: number;
}

/** Makes an empty list below a header row (role row, with cells of role columnheader). */
export function makeVirtualList(head: HTMLElement, options: VirtualListOptions): VirtualList {
  const { id, rowHeightPx } = options;
  const spacer = element('div', { class: 'spacer', role: 'rowgroup' });
  const columns = head.childElementCount;
  const node = element('div', {
    class: 'listGrid',
    role: 'grid',
    tabindex: 0,
    'aria-label': options.label,
    'aria-colcount': columns,
  });
  // The list itself scrolls, since it is what has the keyboard; its head stays in sight.
  node.append(element('div', { class: 'heads', role: 'rowgroup' }, [head]), spacer);
  let count = 0;
  let at = 0;
  let drawn = new Map<number, HTMLElement>();

  const virtualizer = new Virtualizer<HTMLElement, HTMLElement>({
    count: 0,
    getScrollElement: () => node,
    estimateSize: () => rowHeightPx,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    scrollMargin: rowHeightPx,
    scrollPaddingStart: rowHeightPx,
    overscan: 6,
    onChange: () => {
      draw();
    },
  });

  const row = ({ index, start }: VirtualItem): HTMLElement => {
    const made = element(
      'div',
      { role: 'row', class: 'row', id: `${id}-${index}`, 'aria-rowindex': index + 2, 'data-index': index },
      options.cells(index),
    );
    made.style.setProperty('transform', `translateY(${start - rowHeightPx}px)`);
    made.style.setProperty('height', `${rowHeightPx}px`);
    return made;
  };
  const mark = (): void => {
    for (const [index, shown] of drawn) {
      shown.classList.toggle('current', index === at);
      shown.setAttribute('aria-selected', String(index === at));
    }
    if (drawn.has(at)) node.setAttribute('aria-activedescendant', `${id}-${at}`);
    else node.removeAttribute('aria-activedescendant');
  };
  let sight = '';
  const draw = (anew = false): void => {
    const items = virtualizer.getVirtualItems();
    spacer.style.setProperty('height', `${virtualizer.getTotalSize()}px`);
    const next = new Map<number, HTMLElement>();
    for (const item of items) next.set(item.index, (anew ? undefined : drawn.get(item.index)) ?? row(item));
    for (const [index, shown] of drawn) if (next.get(index) !== shown) shown.remove();
    for (const [index, shown] of next)
      if (!anew && drawn.get(index) === shown) continue;
      else spacer.append(shown);
    drawn = next;
    mark();
    const [first, end] = [items[0]?.index ?? 0, (items.at(-1)?.index ?? -1) + 1];
    if (anew || sight !== `${first} ${end}`) {
      sight = `${first} ${end}`;
      if (end > first) options.onSight(first, end);
    }
  };
  const goTo = (index: number): void => {
    at = Math.max(0, Math.min(count - 1, index));
    virtualizer.scrollToIndex(at, { align: 'auto' });
    draw();
    options.onCurrent?.(at);
  };
  node.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== node || count === 0) return;
    const page = Math.max(1, Math.floor(node.clientHeight / rowHeightPx) - 1);
    const moves: Readonly<Record<string, number>> = {
      ArrowUp: at - 1,
      ArrowDown: at + 1,
      PageUp: at - page,
      PageDown: at + page,
      Home: 0,
      End: count - 1,
    };
    const target = moves[event.key];
    if (target !== undefined) goTo(target);
    else if (event.key === 'Enter' || event.key === ' ') options.onPick(at);
    else if (!options.onKey(event.key, at)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  spacer.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const index = Number(target?.closest('[data-index]')?.getAttribute('data-index') ?? NaN);
    if (Number.isNaN(index) || target?.closest('button')) return;
    at = index;
    mark();
    options.onCurrent?.(index);
    (options.onClick ?? options.onPick)(index);
  });
  virtualizer._didMount();
  const most = Math.floor(mostPx / rowHeightPx);
  const setCount = (next: number): void => {
    count = Math.min(next, most);
    virtualizer.setOptions({ ...virtualizer.options, count });
    node.setAttribute('aria-rowcount', String(count + 1));
    virtualizer._willUpdate();
  };
  return {
    node,
    most,
    reset: (next) => {
      at = 0;
      setCount(next);
      node.scrollTop = 0;
      virtualizer.measure();
      draw(true);
    },
    resize: (next, wanted = at) => {
      setCount(next);
      at = Math.max(0, Math.min(count - 1, wanted));
      virtualizer.measure();
      if (count > 0 && wanted !== 0) virtualizer.scrollToIndex(at, { align: 'auto' });
      draw(true);
    },
    refresh: () => {
      draw(true);
    },
    current: () => (count === 0 ? -1 : at),
  };
}
