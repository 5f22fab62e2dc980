/**
 * Rows of a chart as a table on the page, as people read them. A page of 200 rows at a time, so that any number stays a
 * small table. Leaves out CSV (csv.ts), which has the same rows with full precision.
 */
import { countText } from '../../src/base/numberText.ts';
import { button } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import type { TableData } from './panelChart.ts';

const rowsPerPage = 200;

/** A table on the page. */
export interface RowsTable {
  readonly node: HTMLElement;
  /** Shows other rows; page, scroll position and focus stay. */
  update(data: TableData): void;
}

/** Makes an empty table, named for a screen reader by the chart it belongs to. */
export function makeRowsTable(title: string): RowsTable {
  let data: TableData = { caption: '', rows: 0, columns: [] };
  let first = 0;
  const caption = element('caption');
  const head = element('tr');
  const body = element('tbody');
  const where = element('span', { 'aria-live': 'polite' });
  const showRows = (): void => {
    const count = Math.min(rowsPerPage, data.rows - first);
    body.replaceChildren(...Array.from({ length: Math.max(0, count) }, (_, index) => row(first + index)));
    where.textContent = `rows ${countText(first + 1)} to ${countText(first + count)} of ${countText(data.rows)}`;
  };
  const row = (index: number): HTMLElement =>
    element(
      'tr',
      {},
      data.columns.map((column, place) =>
        place === 0
          ? element('th', { scope: 'row' }, [column.text(index)])
          : element('td', {}, [column.value(index) === null ? '' : column.text(index)]),
      ),
    );
  const turn = (by: number) => (): void => {
    const next = first + by;
    if (next < 0 || next >= data.rows) return;
    first = next;
    showRows();
  };
  const pager = element('p', { class: 'pager' }, [
    button({ label: 'Earlier', title: 'Earlier rows', onClick: turn(-rowsPerPage) }),
    where,
    button({ label: 'Later', title: 'Later rows', onClick: turn(rowsPerPage) }),
  ]);
  const node = element('div', { class: 'table' }, [
    // A region that scrolls must be reachable by the keyboard.
    element('div', { class: 'rows', tabindex: 0, role: 'region', 'aria-label': `${title}, table` }, [
      element('table', {}, [caption, element('thead', {}, [head]), body]),
    ]),
    pager,
  ]);
  return {
    node,
    update: (next) => {
      data = next;
      if (first >= data.rows) first = 0;
      caption.textContent = data.caption;
      head.replaceChildren(...data.columns.map(({ title: text }) => element('th', { scope: 'col' }, [text])));
      pager.hidden = data.rows <= rowsPerPage;
      showRows();
    },
  };
}
