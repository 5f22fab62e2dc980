/**
 * The data-table alternative of a chart: one row a step, one column a run.
 * A page of 200 rows at a time, so that a run of any length stays a small table.
 */
import { countText } from '../../src/base/numberText.ts';
import { element } from '../ui/dom.ts';
import { button } from '../ui/controls.ts';
import type { Series, StepChart } from './chart.ts';
import { stepsOf, valuesByStep } from './csv.ts';

const rowsPerPage = 200;

/** A table on the page. */
export interface DataTable {
  readonly node: HTMLElement;
  /** Shows other series; page, scroll position and focus stay. */
  update(series: readonly Series[]): void;
}

/** Makes the table of a chart. */
export function makeDataTable(chart: StepChart): DataTable {
  let steps: readonly number[] = [];
  let values: readonly ReadonlyMap<number, number>[] = [];
  let first = 0;
  const head = element('tr');
  const body = element('tbody');
  const where = element('span', { 'aria-live': 'polite' });
  const showRows = (): void => {
    const shown = steps.slice(first, first + rowsPerPage);
    body.replaceChildren(...shown.map(row));
    where.textContent = `rows ${countText(first + 1)} to ${countText(first + shown.length)} of ${countText(steps.length)}`;
  };
  const row = (step: number): HTMLElement =>
    element('tr', {}, [
      element('th', { scope: 'row' }, [String(step)]),
      ...values.map((column) => {
        const value = column.get(step) ?? NaN;
        return element('td', {}, [Number.isNaN(value) ? '' : chart.format(value)]);
      }),
    ]);
  const turn = (by: number) => (): void => {
    const next = first + by;
    if (next < 0 || next >= steps.length) return;
    first = next;
    showRows();
  };
  const pager = element('p', { class: 'pager' }, [
    button({ label: 'Earlier', title: 'Earlier steps', onClick: turn(-rowsPerPage) }),
    where,
    button({ label: 'Later', title: 'Later steps', onClick: turn(rowsPerPage) }),
  ]);
  const caption = chart.unit === '' ? chart.title : `${chart.title} (${chart.unit})`;
  const node = element('div', { class: 'table' }, [
    // A region that scrolls must be reachable by the keyboard.
    element('div', { class: 'rows', tabindex: 0, role: 'region', 'aria-label': `${chart.title}, table` }, [
      element('table', {}, [
        element('caption', {}, [`${caption} by training step`]),
        element('thead', {}, [head]),
        body,
      ]),
    ]),
    pager,
  ]);
  return {
    node,
    update: (series) => {
      steps = stepsOf(series);
      values = valuesByStep(series);
      if (first >= steps.length) first = 0;
      head.replaceChildren(
        element('th', { scope: 'col' }, ['step']),
        ...series.map((one) => element('th', { scope: 'col' }, [one.name])),
      );
      pager.hidden = steps.length <= rowsPerPage;
      showRows();
    },
  };
}
