/**
 * One chart on the page: title, the three buttons every chart has (table, export, about), the plot or its table.
 * Owns the keyboard of the plot: arrows move the cursor between points and runs, Home and End jump, Enter opens.
 */
import { button, toggleButton } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import type { FigureView, Series, StepChart } from './chart.ts';
import { csvOf } from './csv.ts';
import { makeDataTable } from './dataTable.ts';
import { lastPoint, moved, type Cursor } from './cursor.ts';
import { drawLineChart, makePlot, type LineChart } from './lineChart.ts';

/** What a figure tells the page. */
export interface FigureEvents {
  readonly onCursor: (cursor: Cursor) => void;
  readonly onOpen: (cursor: Cursor) => void;
  readonly onExport: (name: string, text: string) => void;
  /** Table or About was opened or closed: kept, since a hidden page is torn down. */
  readonly onView: (view: FigureView) => void;
}

/** A chart on the page. */
export interface Figure {
  readonly node: HTMLElement;
  draw(series: readonly Series[], steps: readonly [number, number]): void;
  setCursor(cursor: Cursor | null): void;
}

/** Makes the figure of one chart as it was left; `draw` fills it. */
export function makeFigure(chart: StepChart, events: FigureEvents, begin: FigureView): Figure {
  let series: readonly Series[] = [];
  let steps: readonly [number, number] = [0, 0];
  let cursor: Cursor | null = null;
  let drawn: LineChart | null = null;
  let view = begin;
  const about = element('p', { class: 'about', hidden: !view.about }, [chart.about]);
  const plot = makePlot();
  const table = makeDataTable(chart);
  const missing = element('p', { class: 'missing' }, [chart.missing]);
  const content = element('div', { class: 'content' }, [view.table ? table.node : plot]);
  /** The table, the plot, or the sentence that says why there is neither. */
  const show = (node: Element): void => {
    // Put in place only where it is not: what is moved loses the keyboard.
    if (content.firstElementChild !== node) content.replaceChildren(node);
  };
  const setView = (change: Partial<FigureView>): void => {
    view = { ...view, ...change };
    events.onView(view);
  };

  const redraw = (): void => {
    if (series.length > 0 && series.every(({ value }) => value.every(Number.isNaN))) {
      drawn = null;
      show(missing);
      return;
    }
    show(view.table ? table.node : plot);
    if (view.table) {
      table.update(series);
      return;
    }
    // A background tab has no width yet; the resize observer of the page draws again when it has.
    const width = Math.max(160, Math.floor(content.clientWidth));
    drawn = drawLineChart({ node: plot, chart, series, width, steps, onPoint: events.onCursor, onOpen: events.onOpen });
    drawn.setCursor(cursor);
  };

  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const from = cursor ?? lastPoint(series);
    if (!from) return;
    if (event.key === 'Enter' || event.key === ' ') events.onOpen(from);
    else {
      const next = moved(series, from, event.key);
      if (!next) return;
      events.onCursor(next);
    }
    event.preventDefault();
  };

  plot.addEventListener('keydown', onKey);
  plot.addEventListener('focus', () => {
    const start = cursor ?? lastPoint(series);
    if (start) events.onCursor(start);
  });

  const node = element('section', { class: 'figure', id: `chart-${chart.id}`, 'aria-label': chart.title }, [
    element('header', {}, [
      element('h2', {}, [chart.title, element('span', { class: 'unit' }, [chart.unit])]),
      toggleButton({
        label: 'Table',
        title: `Show ${chart.title} as a table`,
        pressed: view.table,
        onToggle: (pressed) => {
          setView({ table: pressed });
          drawn = null;
          redraw();
        },
      }),
      button({
        label: 'Export',
        title: `Export ${chart.title} as CSV`,
        onClick: () => {
          events.onExport(`${chart.id}.csv`, csvOf(series));
        },
      }),
      toggleButton({
        label: 'About',
        title: `What ${chart.title} is`,
        pressed: view.about,
        onToggle: (pressed) => {
          setView({ about: pressed });
          about.hidden = !pressed;
        },
      }),
    ]),
    about,
    content,
  ]);

  return {
    node,
    draw: (nextSeries, nextSteps) => {
      [series, steps] = [nextSeries, nextSteps];
      redraw();
    },
    setCursor: (next) => {
      cursor = next;
      drawn?.setCursor(next);
    },
  };
}
