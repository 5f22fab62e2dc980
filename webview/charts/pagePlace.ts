/**
 * Where on the page one is: the section below the head, how far it is scrolled, and what of it had the keyboard. VS Code
 * tears a hidden page down: who comes back from a transcript is where the click was. Charts are drawn when they come into
 * view, so the place is kept until the page stands still or the reader moves. Leaves out the rest of the state (pageState.ts).
 */

/** A place on the page. */
export interface PagePlace {
  /** Id of the section's element. */
  readonly section: string;
  /** px of the window from its top to that of the section. */
  readonly top: number;
  /** Selector, inside the section, of what had the keyboard; '' for nothing. */
  readonly keyboard: string;
}

/** What can have the keyboard and is there again after a while. */
const keepers = ['.listGrid', '.column[tabindex="0"]', '[role=listbox]', 'svg.plot'] as const;

/** So much of a section is in sight, in px. */
const leastPx = 60;

/** The charts above need this long at most to be drawn. */
const settleMs = 8_000;

/** Checks a place that was saved. */
export function placeOnPage(saved: unknown): PagePlace | null {
  const { section, top, keyboard }: Partial<Record<keyof PagePlace, unknown>> =
    typeof saved === 'object' && saved !== null ? saved : {};
  if (typeof section !== 'string' || typeof top !== 'number' || !Number.isFinite(top)) return null;
  return { section, top, keyboard: keepers.find((known) => known === keyboard) ?? '' };
}

/** Goes to the saved place as the page grows, then tells each new one. */
export function keepPlace(
  page: HTMLElement,
  saved: PagePlace | null,
  keep: (change: { readonly place: PagePlace }) => void,
): void {
  let wanted = saved;
  const restore = (): void => {
    const section = wanted && document.getElementById(wanted.section);
    if (!wanted || !section || page.hidden) return;
    const { top, height } = section.getBoundingClientRect();
    // One that is not drawn yet is low: its end stays in sight, else it would not be drawn.
    const off = top - Math.max(wanted.top, headPx() + leastPx - height);
    if (Math.abs(off) > 1) scrollBy(0, off);
    const keeper = wanted.keyboard === '' ? null : section.querySelector<HTMLElement>(wanted.keyboard);
    if (keeper && (document.activeElement === null || document.activeElement === document.body)) {
      keeper.focus({ preventScroll: true });
    }
  };
  if (wanted) {
    holdWhile(page, restore, () => {
      wanted = null;
    });
  }
  const tell = (): void => {
    if (wanted || page.hidden) return;
    const place = placeNow(page);
    if (place) keep({ place });
  };
  addEventListener('scroll', tell, { passive: true });
  addEventListener('focusin', tell);
}

/** Only one place is held at a time. */
let letGo: (() => void) | null = null;

/** Goes to a place now and whenever charts on the way are drawn, until the page stands still or the reader moves. */
export function holdWhile(part: HTMLElement, go: () => void, onEnd?: () => void): void {
  letGo?.();
  const watch = new ResizeObserver(go);
  const events = ['wheel', 'keydown', 'pointerdown'] as const;
  const stop = (): void => {
    watch.disconnect();
    clearTimeout(timer);
    for (const event of events) removeEventListener(event, stop, true);
    letGo = null;
    onEnd?.();
  };
  const timer = setTimeout(stop, settleMs);
  for (const event of events) addEventListener(event, stop, { capture: true, passive: true });
  letGo = stop;
  watch.observe(part.closest('main') ?? part);
  go();
}

/** What the head of the page covers, in px of the window. */
function headPx(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || 0;
}

function placeNow(page: HTMLElement): PagePlace | null {
  const sections = [...page.querySelectorAll<HTMLElement>(':scope > section')];
  const focused = sections.find((section) => section.contains(document.activeElement));
  const head = headPx();
  const boxOf = (section: HTMLElement): DOMRect => section.getBoundingClientRect();
  const inSight = (section: HTMLElement): boolean => boxOf(section).bottom > head && boxOf(section).top < innerHeight;
  // What has the keyboard, where it is in sight: charts beside and above it may be of other heights when it is drawn again.
  const here = focused && inSight(focused) ? focused : sections.find(inSight);
  if (!here) return null;
  const keyboard =
    here === focused ? (keepers.find((known) => document.activeElement?.matches(known) === true) ?? '') : '';
  return { section: here.id, top: Math.round(boxOf(here).top), keyboard };
}
