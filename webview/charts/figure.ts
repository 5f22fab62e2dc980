/**
 * One chart over training steps on the page: head, the plot or its table. Owns the keyboard of the plot: arrows move the
 * cursor between points and runs, Home and End jump, Enter opens, w asks why, Shift with arrows selects steps.
 */
import { element } from '../ui/dom.ts';
import type { FigureView, Series, StepChart } from './chart.ts';
import { csvOf } from './csv.ts';
import { lastPoint, moved, type Cursor } from './cursor.ts';
import { makeDataTable } from './dataTable.ts';
import { inTheme, pngOf, standaloneSvg } from './exportChart.ts';
import { makeFigureHead, type ExportKind } from './figureHead.ts';
import { drawLineChart, makePlot, type LineChart, type StepRange } from './lineChart.ts';
import { lineChartHeight, lineNodes } from './lineNodes.ts';
import { summariseSeries } from './summary.ts';

/** What a figure tells the page. */
export interface FigureEvents {
  readonly onCursor: (cursor: Cursor) => void;
  readonly onOpen: (cursor: Cursor) => void;
  readonly onBrush: (steps: StepRange) => void;
  readonly onExport: (name: string, kind: ExportKind, content: string | Uint8Array) => void;
  /** A point is rested on, or its rollouts are asked for by the key w. */
  readonly onWhy: (
    cursor: Cursor,
    asked: {
      readonly how: 'rest' | 'pin';
      readonly title: string;
      readonly drawn: number;
      readonly box: DOMRect;
      readonly from: SVGSVGElement;
    },
  ) => void;
  readonly onLeave: () => void;
  /** Table or About was opened or closed: kept, since a hidden page is torn down. */
  readonly onView: (view: FigureView) => void;
  readonly onError: (error: unknown) => void;
}

/** A chart on the page. */
export interface Figure {
  readonly node: HTMLElement;
  draw(series: readonly Series[], steps: StepRange): void;
  setCursor(cursor: Cursor | null): void;
  setBrush(steps: StepRange | null): void;
}

/** Makes the figure of one chart as it was left; `draw` fills it. */
export function makeFigure(chart: StepChart, events: FigureEvents, begin: FigureView): Figure {
  let series: readonly Series[] = [];
  let steps: StepRange = [0, 0];
  let cursor: Cursor | null = null;
  let brush: StepRange | null = null;
  /** Step at which a selection by keyboard began. */
  let anchor: number | null = null;
  let drawn: LineChart | null = null;
  let view = begin;
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
  // A background tab has no width yet; the resize observer of the page draws again when it has.
  const width = (): number => Math.max(160, Math.floor(content.clientWidth));

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
    const { onOpen, onBrush } = events;
    const onPoint = (at: Cursor): void => {
      events.onCursor(at);
      askWhy('rest', at);
    };
    drawn = drawLineChart({ node: plot, chart, series, width: width(), steps, onPoint, onOpen, onBrush });
    drawn.setCursor(cursor);
    drawn.setBrush(brush);
  };

  const exportAs = async (kind: ExportKind): Promise<void> => {
    const name = `${chart.id}.${kind}`;
    if (kind === 'csv') {
      events.onExport(name, kind, csvOf(series));
      return;
    }
    const source = inTheme(
      standaloneSvg({
        title: chart.unit === '' ? chart.title : `${chart.title} (${chart.unit})`,
        summary: summariseSeries(chart, series),
        width: width(),
        height: lineChartHeight,
        rasters: [],
        nodes: lineNodes({ chart, series, width: width(), steps }),
      }),
    );
    events.onExport(name, kind, kind === 'svg' ? source : await pngOf(source));
  };

  const askWhy = (how: 'rest' | 'pin', at: Cursor): void => {
    const one = series.find(({ run }) => run === at.run);
    const value = one?.value[one.step.indexOf(at.step)] ?? NaN;
    const box = drawn?.boxOf(at);
    if (!one || !box || Number.isNaN(value)) return;
    const title = `${one.name}, step ${at.step}: ${chart.title.toLowerCase()} ${chart.format(value)}`;
    events.onWhy(at, { how, title, drawn: value, box, from: plot });
  };
  plot.addEventListener('pointerleave', events.onLeave);
  plot.addEventListener('blur', events.onLeave);

  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const from = cursor ?? lastPoint(series);
    if (!from) return;
    if (event.key === 'Enter' || event.key === ' ') events.onOpen(from);
    else if (event.key === 'w') askWhy('pin', from);
    else {
      const next = moved(series, from, event.key);
      if (!next) return;
      if (event.shiftKey) {
        anchor ??= from.step;
        drawn?.setBrush([Math.min(anchor, next.step), Math.max(anchor, next.step)]);
      }
      events.onCursor(next);
      if (!event.shiftKey) askWhy('rest', next);
    }
    event.preventDefault();
    event.stopPropagation();
  };
  plot.addEventListener('keydown', onKey);
  plot.addEventListener('keyup', (event) => {
    if (event.key !== 'Shift' || anchor === null || !cursor) return;
    // The selection is made when Shift is let go, as a drag is when the button is.
    events.onBrush([Math.min(anchor, cursor.step), Math.max(anchor, cursor.step)]);
    anchor = null;
  });
  plot.addEventListener('focus', () => {
    const start = cursor ?? lastPoint(series);
    if (start) events.onCursor(start);
  });

  const head = makeFigureHead({
    title: chart.title,
    about: chart.about,
    view,
    onTable: (open) => {
      setView({ table: open });
      drawn = null;
      redraw();
    },
    onAbout: (open) => {
      setView({ about: open });
    },
    onExport: (kind) => {
      exportAs(kind).catch(events.onError);
    },
  });
  head.setUnit(chart.unit);
  const node = element('section', { class: 'figure', id: `chart-${chart.id}`, 'aria-label': chart.title }, [
    ...head.nodes,
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
    setBrush: (next) => {
      brush = next;
      drawn?.setBrush(next);
    },
  };
}
