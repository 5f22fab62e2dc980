/**
 * The panels of the page: made from their charts with their own state, drawn once a frame where something changed, made
 * anew where a link brings another state. Knows which were in view, since only those have their columns loaded.
 * Leaves out what they draw (the charts) and what the page knows (main.ts).
 */
import type { RunId } from '../../src/protocol/engine.ts';
import type { SampleColumn } from '../../src/protocol/samples.ts';
import type { FigureView } from './chart.ts';
import type { Cursor } from './cursor.ts';
import type { PanelChart, PanelContext, PanelInput } from './panelChart.ts';
import { makePanelFigure, type PanelFigure, type PanelFigureEvents } from './panelFigure.ts';

/** What the panels need of the page. */
export interface PagePanelsOptions extends Omit<PanelFigureEvents, 'onView' | 'onSeen'> {
  readonly charts: readonly PanelChart[];
  /** What is the same for all; their own state and redrawing is added here. */
  readonly context: Omit<PanelContext, 'saved' | 'save' | 'redraw'>;
  /** A chart's own state as it was saved. */
  readonly saved: (chart: PanelChart) => unknown;
  readonly onSave: (chart: PanelChart, own: unknown) => void;
  readonly view: (chart: PanelChart) => FigureView;
  readonly onView: (chart: PanelChart, view: FigureView) => void;
  /** A chart came into view for the first time. */
  readonly onSeen: () => void;
  /** Null while there is nothing to draw. */
  readonly input: () => PanelInput | null;
  /** Called with each frame that draws. */
  readonly onDrawn: (input: PanelInput) => void;
}

/** The panels. */
export interface PagePanels {
  nodeOf(chart: PanelChart): HTMLElement;
  /** Draws all on the next frame, or those that a weight changes. */
  drawSoon(which: 'all' | 'weighed'): void;
  setCursor(cursor: Cursor | null): void;
  /** Makes those anew whose own state is not what it was. */
  restore(before: Readonly<Record<string, unknown>>): void;
  /** Adds the columns that charts which were in view need. */
  wantColumns(
    add: (run: RunId, columns: readonly SampleColumn[]) => void,
    runs: { readonly focus: RunId | null; readonly shown: readonly RunId[] },
  ): void;
}

/** Makes all of them. */
export function makePagePanels(options: PagePanelsOptions): PagePanels {
  const { charts, input, onDrawn } = options;
  const seen = new Set<PanelChart>();
  const changed = new Set<PanelChart>();
  let frame = 0;

  const draw = (): void => {
    frame = 0;
    const now = input();
    if (now === null) return;
    for (const [chart, figure] of figures) if (changed.has(chart)) figure.draw(now);
    changed.clear();
    onDrawn(now);
  };
  const schedule = (): void => {
    if (frame === 0) frame = requestAnimationFrame(draw);
  };
  const make = (chart: PanelChart): PanelFigure => {
    const context: PanelContext = {
      ...options.context,
      saved: options.saved(chart),
      save: (own) => {
        options.onSave(chart, own);
        context.redraw();
      },
      redraw: () => {
        changed.add(chart);
        schedule();
      },
    };
    return makePanelFigure({
      chart,
      view: chart.make(context),
      events: {
        ...options,
        onView: (view) => {
          options.onView(chart, view);
        },
        onSeen: () => {
          seen.add(chart);
          options.onSeen();
        },
      },
      begin: options.view(chart),
    });
  };
  const figures = new Map(charts.map((chart) => [chart, make(chart)]));

  return {
    nodeOf: (chart) => figures.get(chart)?.node ?? document.createElement('section'),
    drawSoon: (which) => {
      for (const chart of charts) if (which === 'all' || chart.weightless !== true) changed.add(chart);
      schedule();
    },
    setCursor: (cursor) => {
      for (const figure of figures.values()) figure.setCursor(cursor);
    },
    restore: (before) => {
      for (const [chart, figure] of [...figures]) {
        if (JSON.stringify(before[chart.id]) === JSON.stringify(options.saved(chart))) continue;
        const made = make(chart);
        figure.node.replaceWith(made.node);
        figures.set(chart, made);
      }
    },
    wantColumns: (add, { focus, shown }) => {
      for (const { columns, columnsOf } of seen) {
        for (const run of columnsOf === 'shown' ? shown : []) add(run, columns);
        if (focus !== null) add(focus, columns);
      }
    },
  };
}
