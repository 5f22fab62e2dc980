/**
 * Any number of equally wide columns side by side, of which only those in sight (and the one with the keyboard) are
 * elements. One column has the keyboard: arrows move along, Home and End jump; columns scroll up and down together.
 * Leaves out what a column shows.
 */
import { element } from './dom.ts';

/** What the columns need. */
export interface VirtualColumnsOptions {
  readonly label: string;
  readonly columnPx: number;
  /** What a screen reader hears of a column. */
  readonly name: (index: number) => string;
  readonly content: (index: number) => readonly Node[];
  /** Columns in sight, whenever they changed. */
  readonly onSight: (first: number, end: number) => void;
  readonly onPick: (index: number) => void;
  /** Keys that are not of the columns themselves; answers whether it used one. */
  readonly onKey: (key: string, index: number, column: HTMLElement) => boolean;
}

/** Columns on the page. */
export interface VirtualColumns {
  readonly node: HTMLElement;
  /** Shows so many columns, all drawn again; the keyboard stands on `current`. */
  reset(count: number, current: number): void;
  /** Draws one column again if it is in sight. */
  refresh(index: number): void;
}

/** Makes no columns yet. */
export function makeVirtualColumns(options: VirtualColumnsOptions): VirtualColumns {
  const { columnPx } = options;
  const track = element('div', { class: 'track', role: 'list', 'aria-label': options.label });
  const node = element('div', { class: 'columns' }, [track]);
  let count = 0;
  let at = 0;
  let drawn = new Map<number, HTMLElement>();
  let sight = '';

  const column = (index: number): HTMLElement => {
    const made = element(
      'div',
      {
        role: 'listitem',
        class: 'column',
        tabindex: index === at ? 0 : -1,
        'data-index': index,
        'aria-posinset': index + 1,
        'aria-setsize': count,
        'aria-label': options.name(index),
      },
      options.content(index),
    );
    made.style.setProperty('left', `${index * columnPx}px`);
    made.style.setProperty('width', `${columnPx}px`);
    return made;
  };
  const range = (): readonly [first: number, end: number] => {
    const first = Math.max(0, Math.floor(node.scrollLeft / columnPx) - 1);
    return [first, Math.min(count, Math.ceil((node.scrollLeft + node.clientWidth) / columnPx) + 1)];
  };
  const draw = (anew = false): void => {
    const [first, end] = range();
    const wanted = new Set(Array.from({ length: Math.max(0, end - first) }, (_, place) => first + place));
    if (at < count) wanted.add(at);
    const next = new Map<number, HTMLElement>();
    for (const index of [...wanted].sort((a, b) => a - b)) {
      const known = anew ? undefined : drawn.get(index);
      next.set(index, known ?? column(index));
    }
    for (const [index, shown] of drawn) if (next.get(index) !== shown) shown.remove();
    for (const [index, shown] of next) if (drawn.get(index) !== shown) track.append(shown);
    drawn = next;
    // Columns stand beside each other by their place: the track is as tall as the tallest.
    const tall = Math.max(0, ...[...drawn.values()].map((shown) => shown.offsetHeight));
    track.style.setProperty('height', `${tall}px`);
    if (anew || sight !== `${first} ${end}`) {
      sight = `${first} ${end}`;
      if (end > first) options.onSight(first, end);
    }
  };
  const intoSight = (): void => {
    const [left, right] = [at * columnPx, (at + 1) * columnPx];
    if (left < node.scrollLeft) node.scrollLeft = left;
    else if (right > node.scrollLeft + node.clientWidth) node.scrollLeft = right - node.clientWidth;
  };
  const goTo = (index: number): void => {
    const before = drawn.get(at);
    at = Math.max(0, Math.min(count - 1, index));
    if (before) before.tabIndex = -1;
    intoSight();
    draw();
    const now = drawn.get(at);
    if (!now) return;
    now.tabIndex = 0;
    now.focus({ preventScroll: true });
  };

  node.addEventListener('scroll', () => {
    draw();
  });
  new ResizeObserver(() => {
    draw();
  }).observe(node);
  track.addEventListener('keydown', (event) => {
    const own = event.target instanceof HTMLElement && event.target.classList.contains('column') ? event.target : null;
    if (event.ctrlKey || event.metaKey || event.altKey || !own || count === 0) return;
    const page = Math.max(1, Math.floor(node.clientWidth / columnPx) - 1);
    const moves: Readonly<Record<string, number>> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      PageUp: at - page,
      PageDown: at + page,
      Home: 0,
      End: count - 1,
    };
    const target = moves[event.key];
    if (target !== undefined) goTo(target);
    else if (event.key === 'ArrowDown') node.scrollTop += 40;
    else if (event.key === 'ArrowUp') node.scrollTop -= 40;
    else if (event.key === 'Enter') options.onPick(at);
    else if (!options.onKey(event.key, at, own)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  track.addEventListener('focusin', (event) => {
    const shown = event.target instanceof Element ? event.target.closest('.column') : null;
    const index = Number(shown?.getAttribute('data-index') ?? NaN);
    if (Number.isNaN(index) || index === at) return;
    const before = drawn.get(at);
    if (before) before.tabIndex = -1;
    at = index;
    const now = drawn.get(at);
    if (now) now.tabIndex = 0;
  });

  return {
    node,
    reset: (next, current) => {
      const hadFocus = node.contains(document.activeElement);
      count = next;
      at = Math.max(0, Math.min(count - 1, current));
      track.style.setProperty('width', `${count * columnPx}px`);
      intoSight();
      draw(true);
      if (hadFocus) drawn.get(at)?.focus({ preventScroll: true });
    },
    refresh: (index) => {
      const shown = drawn.get(index);
      if (!shown) return;
      // What is replaced loses the keyboard: the same button of the new content gets it.
      const place = [...shown.querySelectorAll('button')].findIndex((button) => button === document.activeElement);
      shown.replaceChildren(...options.content(index));
      shown.setAttribute('aria-label', options.name(index));
      shown.querySelectorAll('button')[place]?.focus({ preventScroll: true });
      draw();
    },
  };
}
