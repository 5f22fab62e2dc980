/**
 * Draws one measure over training steps as SVG: a line a run, marks while they fit, axes, and a cursor that pointer and
 * arrow keys move. Colours are theme variables, so a theme change needs no redraw of its own.
 * Leaves out title, buttons and table (figure.ts) and where the cursor stands (main.ts): charts share one.
 */
import { axisBottom, axisLeft, extent, format, line, scaleLinear, select, symbol, symbols } from 'd3';
import type { Series, StepChart } from './chart.ts';
import type { Cursor } from './cursor.ts';
import { nearestIndex, reducePoints } from './reduce.ts';

/** What a drawing needs besides its data. */
export interface LineChartOptions {
  /** Drawn into; what it held is replaced, so that focus and listeners stay through live updates. */
  readonly node: SVGSVGElement;
  readonly chart: StepChart;
  readonly series: readonly Series[];
  readonly width: number;
  /** First and last step of all runs shown, so that charts share the x-axis. */
  readonly steps: readonly [number, number];
  readonly onPoint: (cursor: Cursor) => void;
  readonly onOpen: (cursor: Cursor) => void;
}

/** A drawn chart. */
export interface LineChart {
  /** Moves crosshair and highlighted point; null hides them. */
  setCursor(cursor: Cursor | null): void;
}

const height = 190;
const margin = { top: 8, right: 12, bottom: 24, left: 48 };
/** Marks closer than this hide the line they stand on. */
const spacePerMark = 7;

/** Dash patterns by style, the first one solid: runs differ by more than colour. */
export const dashes: readonly string[] = ['', '6 3', '2 2', '8 3 2 3', '1 4', '10 4'];

/** Path of the mark that stands for a style, `area` in square pixels. */
export function markPath(style: number, area: number): string {
  return symbol(symbols[style % symbols.length], area)() ?? '';
}

/** An empty plot for `drawLineChart`. */
export function makePlot(): SVGSVGElement {
  return document.createElementNS('http://www.w3.org/2000/svg', 'svg');
}

/** Draws a chart; give it a new width by drawing again. */
export function drawLineChart(options: LineChartOptions): LineChart {
  const { node, chart, series, width, steps } = options;
  const x = scaleLinear()
    .domain(steps[0] === steps[1] ? [steps[0] - 0.5, steps[1] + 0.5] : steps)
    .range([margin.left, Math.max(margin.left + 1, width - margin.right)]);
  const y = scaleLinear()
    .domain(limitsOf(chart, series))
    .range([height - margin.bottom, margin.top]);
  if (chart.limits === null) y.nice(4);
  node.replaceChildren();
  const svg = select(node)
    .attr('class', 'plot')
    .attr('viewBox', `0 0 ${width} ${height}`)
    .attr('width', width)
    .attr('height', height)
    .attr('tabindex', 0)
    .attr('role', 'slider')
    .attr('aria-label', `${chart.title} over training steps`)
    .attr('aria-valuemin', steps[0])
    .attr('aria-valuemax', steps[1])
    .attr('aria-valuenow', steps[1])
    .attr('aria-valuetext', 'no step chosen');

  const ticks = Math.max(2, Math.min(steps[1] - steps[0] + 1, Math.floor(width / 70)));
  svg
    .append('g')
    .attr('class', 'axis')
    .attr('transform', `translate(0,${height - margin.bottom})`)
    .call(axisBottom(x).tickValues(x.ticks(ticks).filter(Number.isInteger)).tickFormat(wholeSteps).tickSizeOuter(0));
  svg
    .append('g')
    .attr('class', 'axis grid')
    .attr('transform', `translate(${margin.left},0)`)
    .call(
      axisLeft(y)
        .ticks(4)
        .tickFormat((value) => chart.format(Number(value)))
        .tickSizeInner(-(width - margin.left - margin.right))
        .tickSizeOuter(0),
    );
  svg.selectAll('.axis').attr('aria-hidden', 'true');

  const columns = Math.max(1, Math.floor(width - margin.left - margin.right));
  for (const one of series) {
    const points = reducePoints({ x: one.step, y: one.value }, columns, (step) => x(step));
    const at = (index: number): [number, number] => [x(one.step[index] ?? 0), y(one.value[index] ?? 0)];
    const present = points.filter((index) => !Number.isNaN(one.value[index] ?? NaN));
    const run = svg.append('g').attr('class', 'run').style('--run', one.colour);
    run
      .append('path')
      .attr('class', 'line')
      .attr('stroke-dasharray', dashes[one.style % dashes.length] ?? '')
      .attr(
        'd',
        line<number>()
          .defined((index) => !Number.isNaN(one.value[index] ?? NaN))
          .x((index) => at(index)[0])
          .y((index) => at(index)[1])(points),
      );
    // A single point has no line, so it is always marked.
    if (present.length * spacePerMark <= columns || present.length === 1) {
      run
        .selectAll('path.point')
        .data(present)
        .join('path')
        .attr('class', 'point')
        .attr('data-step', (index) => one.step[index] ?? 0)
        .attr('data-run', one.run)
        .attr('d', markPath(one.style, 30))
        .attr('transform', (index) => `translate(${at(index).join(',')})`);
    }
  }

  const crosshair = svg
    .append('line')
    .attr('class', 'crosshair')
    .attr('y1', margin.top)
    .attr('y2', height - margin.bottom)
    .attr('visibility', 'hidden');
  const highlight = svg.append('circle').attr('class', 'highlight').attr('r', 6).attr('visibility', 'hidden');

  const nearest = (event: MouseEvent): Cursor | null => {
    const box = node.getBoundingClientRect();
    const scale = box.width === 0 ? 1 : width / box.width;
    const [px, py] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
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
  // d3 replaces a listener of the same name, so that drawing again leaves one of each.
  svg.on('pointermove', (event: PointerEvent) => {
    const cursor = nearest(event);
    if (cursor) options.onPoint(cursor);
  });
  svg.on('click', (event: MouseEvent) => {
    const cursor = nearest(event);
    if (cursor) options.onOpen(cursor);
  });

  return {
    setCursor: (cursor) => {
      const one = series.find(({ run }) => run === cursor?.run);
      const index = one && cursor ? one.step.indexOf(cursor.step) : -1;
      const value = one?.value[index] ?? NaN;
      const visible = cursor !== null && index >= 0;
      crosshair.attr('visibility', visible ? 'visible' : 'hidden');
      highlight.attr('visibility', visible && !Number.isNaN(value) ? 'visible' : 'hidden');
      if (!one || !visible) return;
      crosshair.attr('x1', x(cursor.step)).attr('x2', x(cursor.step));
      if (!Number.isNaN(value)) highlight.attr('cx', x(cursor.step)).attr('cy', y(value)).style('--run', one.colour);
      node.setAttribute('aria-valuenow', String(cursor.step));
      node.setAttribute('aria-valuetext', `step ${cursor.step}, ${one.name}: ${chart.format(value)}`);
    },
  };
}

function limitsOf(chart: StepChart, series: readonly Series[]): readonly [number, number] {
  if (chart.limits) return chart.limits;
  const [low, high] = extent(series.flatMap((one) => Array.from(one.value).filter(Number.isFinite)));
  if (low === undefined || high === undefined) return [0, 1];
  return low === high ? [Math.min(0, low), Math.max(1, high)] : [Math.min(0, low), high];
}

function wholeSteps(value: { valueOf(): number }): string {
  return format(',')(Number(value));
}
