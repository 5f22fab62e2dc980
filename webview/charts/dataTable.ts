/**
 * The data-table alternative of a chart: one row a step, one column a run.
 * A page of 200 rows at a time, so that a run of any length stays a small table.
 */
import { element } from '../ui/dom.ts';
import { button } from '../ui/controls.ts';
import type { Series, StepChart } from './chart.ts';
import { stepsOf, valuesByStep } from './csv.ts';

const rowsPerPage = 200;

/** The table of one page with its pager; a fresh one each time it is shown. */
export function dataTable(chart: StepChart, series: readonly Series[]): HTMLElement {
  const steps = stepsOf(series);
  const values = valuesByStep(series);
  const body = element('tbody');
  const where = element('span', { 'aria-live': 'polite' });
  const show = (first: number): void => {
    const shown = steps.slice(first, first + rowsPerPage);
    body.replaceChildren(
      ...shown.map((step) =>
        element('tr', {}, [
          element('th', { scope: 'row' }, [String(step)]),
          ...values.map((column) => {
            const value = column.get(step) ?? NaN;
            return element('td', {}, [Number.isNaN(value) ? '' : chart.format(value)]);
          }),
        ]),
      ),
    );
    where.textContent = `rows ${first + 1} to ${first + shown.length} of ${steps.length}`;
  };
  let first = 0;
  const turn = (by: number) => (): void => {
    const next = first + by;
    if (next >= 0 && next < steps.length) show((first = next));
  };
  show(0);
  const caption = chart.unit === '' ? chart.title : `${chart.title} (${chart.unit})`;
  return element('div', { class: 'table', tabindex: 0, role: 'region', 'aria-label': `${chart.title}, table` }, [
    element('table', {}, [
      element('caption', {}, [`${caption} by training step`]),
      element('thead', {}, [
        element('tr', {}, [
          element('th', { scope: 'col' }, ['step']),
          ...series.map((one) => element('th', { scope: 'col' }, [one.name])),
        ]),
      ]),
      body,
    ]),
    ...(steps.length > rowsPerPage
      ? [
          element('p', { class: 'pager' }, [
            button({ label: 'Earlier', title: 'Earlier steps', onClick: turn(-rowsPerPage) }),
            where,
            button({ label: 'Later', title: 'Later steps', onClick: turn(rowsPerPage) }),
          ]),
        ]
      : []),
  ]);
}
