/**
 * A short list of which one row can be picked: one tab stop, arrows move, Enter or a click picks. Rows are text that may
 * come from logs, so they are text nodes. Leaves out lists of any length (ui/virtualList.ts).
 */
import { element } from '../ui/dom.ts';

/** A row: its parts stand in columns; `bad` ones in the error colour would say nothing, so there are none. */
export interface PickRow {
  /** Unique in the list, so that the row the keyboard stands on stays where rows change. */
  readonly key: string;
  readonly cells: readonly string[];
}

/** What a list needs. */
export interface PickListOptions {
  readonly label: string;
  /** Unique in the page: rows are named after it. */
  readonly id: string;
  readonly onPick: (key: string) => void;
}

/** A list on the page. */
export interface PickList {
  readonly node: HTMLElement;
  /** Shows rows, of which the first cell takes the room that the others leave. */
  update(rows: readonly PickRow[]): void;
}

/** Makes an empty list. */
export function makePickList({ label, id, onPick }: PickListOptions): PickList {
  const node = element('div', { class: 'picks', role: 'listbox', tabindex: 0, 'aria-label': label });
  let rows: readonly PickRow[] = [];
  let at = 0;
  const mark = (): void => {
    Array.from(node.children).forEach((child, index) => {
      child.classList.toggle('current', index === at);
      child.setAttribute('aria-selected', String(index === at));
    });
    if (rows.length === 0) node.removeAttribute('aria-activedescendant');
    else node.setAttribute('aria-activedescendant', `${id}-${at}`);
  };
  const pick = (): void => {
    const row = rows[at];
    if (row) onPick(row.key);
  };
  node.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || rows.length === 0) return;
    const last = rows.length - 1;
    const moves: Readonly<Record<string, number>> = {
      ArrowUp: Math.max(0, at - 1),
      ArrowDown: Math.min(last, at + 1),
      PageUp: Math.max(0, at - 8),
      PageDown: Math.min(last, at + 8),
      Home: 0,
      End: last,
    };
    const to = moves[event.key];
    if (to !== undefined) {
      at = to;
      mark();
      node.children[at]?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter' || event.key === ' ') pick();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  node.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target.closest('[role=option]') : null;
    const index = target ? Array.from(node.children).indexOf(target) : -1;
    if (index < 0) return;
    at = index;
    mark();
    pick();
  });
  return {
    node,
    update: (next) => {
      if (JSON.stringify(next) === JSON.stringify(rows)) return;
      const key = rows[at]?.key;
      rows = next;
      at = Math.max(
        0,
        rows.findIndex((row) => row.key === key),
      );
      node.replaceChildren(
        ...rows.map(({ cells }, index) =>
          element(
            'div',
            { role: 'option', id: `${id}-${index}`, class: 'pick' },
            cells.map((cell) => element('span', { title: cell }, [cell])),
          ),
        ),
      );
      node.hidden = rows.length === 0;
      mark();
    },
  };
}
