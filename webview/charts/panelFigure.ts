/**
 * A PanelChart on the page: head, sentence, controls, the drawing (densities on a canvas, the rest as SVG above it) or its
 * table, and what belongs below. Owns keyboard, pointer, brush and crosshair, which are the same in all charts; draws only
 * while in view, so that a slider costs what is seen: what is near follows when it rests. Leaves out what is drawn (the charts).
 */
import { element } from '../ui/dom.ts';
import { onThemeChange } from '../ui/theme.ts';
import type { FigureView } from './chart.ts';
import { csvOfRows } from './csv.ts';
import type { Cursor } from './cursor.ts';
import { inTheme, pngOf, standaloneSvg } from './exportChart.ts';
import { makeFigureHead, type ExportKind } from './figureHead.ts';
import type { Drawing, PanelChart, PanelInput, PanelView } from './panelChart.ts';
import { makePlotKeys, type PlotEvents } from './plotKeys.ts';
import { paintRasters } from './raster.ts';
import { makeRowsTable } from './rowsTable.ts';
import { watchSight } from './sight.ts';
import { toElement } from '../ui/svgNode.ts';
import { makeColourReader } from './themeColours.ts';

/** What a figure tells the page. */
export interface PanelFigureEvents {
  readonly onCursor: (cursor: Cursor) => void;
  readonly onExport: (name: string, kind: ExportKind, content: string | Uint8Array) => void;
  readonly onView: (view: FigureView) => void;
  /** It came into view for the first time: its columns are needed from now on. */
  readonly onSeen: () => void;
  readonly onWhy: PlotEvents['onWhy'];
  readonly onLeave: () => void;
  readonly onError: (error: unknown) => void;
}

/** A chart on the page. */
export interface PanelFigure {
  readonly node: HTMLElement;
  /** Draws on the spot if in view, soon if near, else as soon as it is. */
  draw(input: PanelInput): void;
  setCursor(cursor: Cursor | null): void;
}

const colourOf = makeColourReader();
const scratch = document.createElement('canvas');
/** How long a chart that is only near waits for the next drawing, which would make its own one needless. */
const restMs = 100;

/** Makes the figure of a chart as it was left; `draw` fills it. */
export function makePanelFigure(options: {
  readonly chart: PanelChart;
  readonly view: PanelView;
  readonly events: PanelFigureEvents;
  readonly begin: FigureView;
}): PanelFigure {
  const { chart, view, events } = options;
  let open = options.begin;
  let input: PanelInput | null = null;
  let drawing: Drawing | null = null;
  let width = 0;
  let cursor: Cursor | null = null;
  let dirty = false;
  let soon: ReturnType<typeof setTimeout> | null = null;

  const canvas = element('canvas', { class: 'density', 'aria-hidden': 'true' });
  const keys = makePlotKeys({
    label: chart.title,
    onCursor: events.onCursor,
    onWhy: events.onWhy,
    onLeave: events.onLeave,
  });
  const plot = element('div', { class: 'layers' }, [canvas, keys.node, keys.tooltip]);
  const table = makeRowsTable(chart.title);
  const missing = element('p', { class: 'missing' });
  const sentence = element('p', { class: 'sentence' });
  const content = element('div', { class: 'content' });
  const show = (node: Element): void => {
    // Put in place only where it is not: what is moved loses the keyboard.
    if (content.firstElementChild !== node) content.replaceChildren(node);
  };
  const setView = (change: Partial<FigureView>): void => {
    open = { ...open, ...change };
    events.onView(open);
  };
  const head = makeFigureHead({
    title: chart.title,
    about: chart.about,
    view: open,
    onTable: (shown) => {
      setView({ table: shown });
      redraw();
    },
    onAbout: (shown) => {
      setView({ about: shown });
    },
    onExport: (kind) => {
      exportAs(kind).catch(events.onError);
    },
  });

  const exportAs = async (kind: ExportKind): Promise<void> => {
    if (!drawing) return;
    const name = `${chart.id}.${kind}`;
    if (kind === 'csv') {
      events.onExport(name, kind, csvOfRows(drawing.table()));
      return;
    }
    const source = inTheme(standaloneSvg({ ...drawing, title: chart.title, width }));
    events.onExport(name, kind, kind === 'svg' ? source : await pngOf(source));
  };

  const redraw = (): void => {
    if (!input || sight() === 'out') {
      dirty = true;
      return;
    }
    dirty = false;
    head.setUnit(typeof chart.unit === 'string' ? chart.unit : chart.unit(input));
    // Asked for once: it would lay out the page anew for each figure of a frame.
    if (width === 0) width = Math.max(160, Math.floor(content.clientWidth));
    const drawn = view.draw(input, width);
    if (drawn === drawing && content.firstElementChild === plot && !open.table) return;
    if ('missing' in drawn) {
      drawing = null;
      if (missing.textContent !== drawn.missing) missing.textContent = drawn.missing;
      sentence.hidden = true;
      show(missing);
      return;
    }
    drawing = drawn;
    sentence.hidden = false;
    if (sentence.textContent !== drawn.summary) sentence.textContent = drawn.summary;
    if (open.table) {
      table.update(drawn.table());
      show(table.node);
      return;
    }
    show(plot);
    keys.update(drawn, { width, nodes: drawn.nodes.map(toElement), cursor });
    canvas.hidden = drawn.rasters.length === 0;
    if (!canvas.hidden) {
      const scale = globalThis.devicePixelRatio;
      paintRasters(canvas, drawn.rasters, { width, height: drawn.height, scale, colourOf, scratch });
    }
  };

  const node = element(
    'section',
    { class: chart.wide ? 'figure wide' : 'figure', id: `chart-${chart.id}`, 'aria-label': chart.title },
    [
      ...head.nodes,
      sentence,
      element('div', { class: 'controls' }, view.controls?.() ?? []),
      content,
      ...(view.details ? [view.details()] : []),
    ],
  );
  const sight = watchSight(node, {
    onFirst: events.onSeen,
    onView: () => {
      if (dirty) redraw();
    },
  });
  onThemeChange(() => {
    // The same drawing in other colours.
    drawing = null;
  });
  new ResizeObserver(() => {
    const next = Math.max(160, Math.floor(content.clientWidth));
    if (next === width || content.clientWidth === 0) return;
    width = next;
    redraw();
  }).observe(content);

  return {
    node,
    draw: (next) => {
      input = next;
      if (soon) clearTimeout(soon);
      soon = null;
      if (sight() !== 'near') {
        redraw();
        return;
      }
      dirty = true;
      soon = setTimeout(() => {
        if (dirty) redraw();
      }, restMs);
    },
    setCursor: (next) => {
      cursor = next;
      keys.setCursor(next);
    },
  };
}
