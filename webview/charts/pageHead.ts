/**
 * The head of the page, which stays while the rest scrolls: runs, weights, the drill path and the list of charts to go to.
 * Tells the page its height, so that what is scrolled to, or gets the keyboard, is not below it. Leaves out its parts.
 */
import { element } from '../ui/dom.ts';
import { holdWhile } from './pagePlace.ts';

/** What the head is made of. */
export interface PageHeadOptions {
  readonly legend: HTMLElement;
  readonly weights: HTMLElement;
  readonly path: HTMLElement;
  readonly readout: HTMLElement;
  /** Sections of the page in their order: id of the element, title. */
  readonly sections: readonly { readonly id: string; readonly title: string }[];
}

/** Makes the head. */
export function makePageHead({ legend, weights, path, readout, sections }: PageHeadOptions): HTMLElement {
  const list = element('select', { 'aria-label': 'Go to chart', title: 'Go to a chart of this page' }, [
    element('option', { value: '' }, ['Go to chart…']),
    ...sections.map(({ id, title }) => element('option', { value: id }, [title])),
  ]);
  list.addEventListener('change', () => {
    const id = list.value;
    list.value = '';
    if (id !== '') goToSection(id);
  });
  const node = element('header', { class: 'top' }, [
    element('h1', {}, ['Charts']),
    legend,
    weights,
    element('div', { class: 'where' }, [path, list]),
    readout,
  ]);
  new ResizeObserver(() => {
    // Where there is little room it scrolls with the page and covers nothing.
    const covers = getComputedStyle(node).position === 'sticky';
    document.documentElement.style.setProperty('--head-height', `${covers ? node.offsetHeight : 0}px`);
  }).observe(node);
  return node;
}

/** Scrolls to a section of the page and gives it the keyboard. */
export function goToSection(id: string): void {
  const section = document.getElementById(id);
  if (!section) return;
  section.tabIndex = -1;
  section.focus({ preventScroll: true });
  holdWhile(section, () => {
    section.scrollIntoView({ block: 'start' });
  });
}
