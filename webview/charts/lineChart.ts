/**
 * One measure over training steps in the page: the drawing of lineNodes.ts with a cursor that pointer and arrow keys
 * move, and a drag that selects steps. Colours are theme variables, so a theme change needs no redraw of its own.
 * Leaves out title, buttons and table (figure.ts) and where cursor and selection stand (main.ts): charts share them.
 */
import { foreground } from './axes.ts';
import type { Series, StepChart } from './chart.ts';
import type { Cursor } from './cursor.ts';
import { lineChartHeight, lineChartMargin, lineNodes, stepScale, valueScale } from './lineNodes.ts';
import { nearestIndex } from './reduce.ts';
import { svg, toElement } from '../ui/svgNode.ts';

/** First and last step, inclusive. */
export type StepRange = readonly [first: number, last: number];

/** What a drawing needs besides its data. */
export interface LineChartOptions {
  /** Drawn into; what it held is replaced, so that focus and listeners stay through live updates. */
  readonly node: SVGSVGElement;
  readonly chart: StepChart;
  readonly series: readonly Series[];
  readonly width: number;
  readonly steps: StepRange;
  readonly onPoint: (cursor: Cursor) => void;
  readonly onOpen: (cursor: Cursor) => void;
  readonly onBrush: (steps: StepRange) => void;
}

/** A drawn chart. */
export interface LineChart {
  /** Moves crosshair and highlighted point; null hides them. */
  setCursor(cursor: Cursor | null): void;
  /** Shades the selected steps; null for none. */
  setBrush(steps: StepRange | null): void;
  /** Where a point is in the window; null where it is not drawn. */
  boxOf(cursor: Cursor): DOMRect | null;
}

/** A pointer that moved less has clicked. */
const clickSlackPx = 4;

/** An empty plot for `drawLineChart`. */
export function makePlot(): SVGSVGElement {
  return document.createElementNS('http://www.w3.org/2000/svg', 'svg');
}

/** Draws a chart; give it a new width by drawing again. */
export function drawLineChart(options: LineChartOptions): LineChart {
  const { node, chart, series, width, steps } = options;
  const { top, bottom } = lineChartMargin;
  const [x, y] = [stepScale(steps, width), valueScale(chart, series)];
  const set = (shape: Element, attributes: Readonly<Record<string, string | number>>): void => {
    for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, String(value));
  };
  set(node, {
    class: 'plot',
    viewBox: `0 0 ${width} ${lineChartHeight}`,
    width,
    height: lineChartHeight,
    tabindex: 0,
    role: 'slider',
    'aria-label': `${chart.title} over training steps`,
    'aria-valuemin': steps[0],
    'aria-valuemax': steps[1],
    'aria-valuenow': steps[1],
    'aria-valuetext': 'no step chosen',
  });
  const plotHeight = lineChartHeight - top - bottom;
  const hidden = { visibility: 'hidden', 'pointer-events': 'none' };
  const band = toElement(
    svg('rect', { class: 'band', y: top, height: plotHeight, fill: foreground, 'fill-opacity': 0.12, ...hidden }),
  );
  const crosshair = toElement(svg('line', { class: 'crosshair', y1: top, y2: lineChartHeight - bottom, ...hidden }));
  const highlight = toElement(svg('circle', { class: 'highlight', r: 6, fill: 'none', ...hidden }));
  node.replaceChildren(band, ...lineNodes({ chart, series, width, steps }).map(toElement), crosshair, highlight);

  let brush: StepRange | null = null;
  const showBand = (range: StepRange | null): void => {
    band.setAttribute('visibility', range ? 'visible' : 'hidden');
    if (!range) return;
    const [from, to] = [x(range[0] - 0.5), x(range[1] + 0.5)];
    set(band, { x: from, width: Math.max(2, to - from) });
  };
  const pointOf = (event: MouseEvent): readonly [number, number] => {
    const box = node.getBoundingClientRect();
    const scale = box.width === 0 ? 1 : width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  };
  const nearest = (event: MouseEvent): Cursor | null => {
    const [px, py] = pointOf(event);
    let best: Cursor | null = null;
    let distance = Infinity;
    for (const one of series) {
      const index = nearestIndex(one.step, x.invert(px));
      const value = one.value[index] ?? NaN;
      if (index < 0 || Number.isNaN(value)) continue;
      const step = one.step[index] ?? 0;
      const far = Math.hypot(x(step) - px, y(value) - py);
      if (far < distance) [best, distance] = [{ run: one.run, step }, far];
    }
    return best;
  };
  const rangeBetween = (a: number, b: number): StepRange => {
    const inside = (step: number): number => Math.max(steps[0], Math.min(steps[1], step));
    const [low, high] = [x.invert(Math.min(a, b)), x.invert(Math.max(a, b))];
    const first = inside(Math.ceil(low - 0.5));
    return [first, Math.max(first, inside(Math.floor(high + 0.5)))];
  };
  let from: number | null = null;
  let dragged: StepRange | null = null;
  // Properties, not listeners: drawing again leaves one of each.
  node.onpointerdown = (event) => {
    if (event.button !== 0) return;
    [from] = pointOf(event);
    dragged = null;
    node.setPointerCapture(event.pointerId);
  };
  node.onpointermove = (event) => {
    const [px] = pointOf(event);
    if (from !== null && (dragged || Math.abs(px - from) > clickSlackPx)) {
      dragged = rangeBetween(from, px);
      showBand(dragged);
      return;
    }
    const cursor = nearest(event);
    if (cursor) options.onPoint(cursor);
  };
  node.onpointerup = (event) => {
    const wasDown = from !== null;
    from = null;
    if (dragged) {
      const range = dragged;
      dragged = null;
      options.onBrush(range);
      return;
    }
    const cursor = wasDown ? nearest(event) : null;
    if (cursor) options.onOpen(cursor);
  };
  node.onpointercancel = () => {
    from = dragged = null;
    showBand(brush);
  };

  return {
    setCursor: (cursor) => {
      const one = series.find(({ run }) => run === cursor?.run);
      const index = one && cursor ? one.step.indexOf(cursor.step) : -1;
      const value = one?.value[index] ?? NaN;
      const visible = cursor !== null && index >= 0;
      crosshair.setAttribute('visibility', visible ? 'visible' : 'hidden');
      highlight.setAttribute('visibility', visible && !Number.isNaN(value) ? 'visible' : 'hidden');
      if (!one || !visible) return;
      set(crosshair, { x1: x(cursor.step), x2: x(cursor.step) });
      if (!Number.isNaN(value)) set(highlight, { cx: x(cursor.step), cy: y(value) });
      set(node, {
        'aria-valuenow': cursor.step,
        'aria-valuetext': `step ${cursor.step}, ${one.name}: ${chart.format(value)}`,
      });
    },
    setBrush: (range) => {
      brush = range;
      showBand(range);
    },
    boxOf: (cursor) => {
      const one = series.find(({ run }) => run === cursor.run);
      const value = one?.value[one.step.indexOf(cursor.step)] ?? NaN;
      if (Number.isNaN(value)) return null;
      const frame = node.getBoundingClientRect();
      const scale = width === 0 ? 1 : frame.width / width;
      return new DOMRect(frame.left + x(cursor.step) * scale - 6, frame.top + y(value) * scale - 6, 12, 12);
    },
  };
}
