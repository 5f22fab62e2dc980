/**
 * The interactive layer of a drawing: an SVG that has the keyboard and the pointer. Arrows move between spots and speak
 * them, Enter or a click picks one (g or Shift and click its group), w asks why, a drag or Shift with arrows brushes, the
 * crosshair follows the cursor all charts share. Escape ends a brush that is being made; else it is left to the page, where it means Back.
 */
import { element } from '../ui/dom.ts';
import { foreground } from './axes.ts';
import type { Cursor } from './cursor.ts';
import type { Box, BrushArea, Drawing, Spot } from './panelChart.ts';
import { svg, toElement } from '../ui/svgNode.ts';

/** A drawing's interactive layer. */
export interface PlotKeys {
  readonly node: SVGSVGElement;
  readonly tooltip: HTMLElement;
  /** Shows another drawing; where the keyboard stood stays as far as it is still there. */
  update(drawing: Drawing, shown: { width: number; nodes: readonly SVGElement[]; cursor: Cursor | null }): void;
  setCursor(cursor: Cursor | null): void;
}

/** What a layer tells the page. */
export interface PlotEvents {
  readonly onCursor: (cursor: Cursor) => void;
  /** A spot is rested on, or its sums are asked for by the key w. */
  readonly onWhy: (
    spot: Spot,
    asked: { readonly how: 'rest' | 'pin'; readonly box: DOMRect; readonly from: SVGSVGElement },
  ) => void;
  /** Nothing is rested on any more. */
  readonly onLeave: () => void;
}

/** A pointer that moved less has clicked. */
const clickSlackPx = 4;

/** Makes the layer of one chart. */
export function makePlotKeys(options: PlotEvents & { readonly label: string }): PlotKeys {
  const node = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const tooltip = element('div', { class: 'tooltip', 'aria-hidden': 'true', hidden: true });
  const crosshair = toElement(svg('line', { class: 'crosshair', visibility: 'hidden' }));
  const highlight = toElement(
    svg('rect', {
      class: 'highlight',
      fill: 'none',
      'stroke-width': 2,
      visibility: 'hidden',
      'pointer-events': 'none',
    }),
  );
  const band = toElement(
    svg('rect', {
      class: 'band',
      fill: foreground,
      'fill-opacity': 0.12,
      stroke: foreground,
      visibility: 'hidden',
      'pointer-events': 'none',
    }),
  );
  let drawing: Drawing | null = null;
  let width = 0;
  let at = -1;
  /** Where a brush by keyboard began. */
  let anchor: number | null = null;
  let drag: { readonly area: BrushArea; readonly x: number; readonly y: number; box: Box | null } | null = null;

  const place = (shape: SVGElement, box: Box | null): void => {
    shape.setAttribute('visibility', box ? 'visible' : 'hidden');
    if (!box) return;
    for (const [name, value] of Object.entries(box)) shape.setAttribute(name, String(value));
  };
  const spot = (): Spot | null => (drawing && at >= 0 && at < drawing.spots.count ? drawing.spots.at(at) : null);
  const showSpot = (): void => {
    const here = spot();
    place(highlight, here ? boxOf(here, 4) : null);
    node.setAttribute('aria-valuenow', String(Math.max(0, at)));
    node.setAttribute('aria-valuetext', here?.spoken ?? 'nothing chosen');
  };
  const goTo = (next: number, tell: boolean): void => {
    at = next;
    showSpot();
    const here = spot();
    if (tell && here?.cursor) options.onCursor(here.cursor);
  };
  const askWhy = (how: 'rest' | 'pin'): void => {
    const here = spot();
    if (!here) return;
    const [frame, own] = [node.getBoundingClientRect(), boxOf(here, 4)];
    const scale = width === 0 ? 1 : frame.width / width;
    const box = new DOMRect(
      frame.left + own.x * scale,
      frame.top + own.y * scale,
      own.width * scale,
      own.height * scale,
    );
    options.onWhy(here, { how, box, from: node });
  };
  const showCrosshair = (cursor: Cursor | null): void => {
    const x = cursor && drawing?.crosshair ? drawing.crosshair(cursor.step) : NaN;
    crosshair.setAttribute('visibility', Number.isFinite(x) ? 'visible' : 'hidden');
    if (!Number.isFinite(x)) return;
    const ends = { x1: x, x2: x, y1: 0, y2: drawing?.height ?? 0 };
    for (const [name, value] of Object.entries(ends)) crosshair.setAttribute(name, String(value));
  };
  const pointOf = (event: MouseEvent): readonly [x: number, y: number] => {
    const box = node.getBoundingClientRect();
    const scale = box.width === 0 ? 1 : width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  };
  const areaAt = (x: number, y: number): BrushArea | null =>
    drawing?.brushes.find((area) => contains(area, x, y)) ?? null;

  node.addEventListener('pointerdown', (event) => {
    const [x, y] = pointOf(event);
    const area = event.button === 0 ? areaAt(x, y) : null;
    drag = area ? { area, x, y, box: null } : null;
    if (drag) node.setPointerCapture(event.pointerId);
  });
  node.addEventListener('pointermove', (event) => {
    const [x, y] = pointOf(event);
    if (drag && (drag.box || Math.hypot(x - drag.x, y - drag.y) > clickSlackPx)) {
      drag.box = brushed(drag.area, [drag.x, drag.y], [x, y]);
      place(band, drag.box);
      tooltip.hidden = true;
      options.onLeave();
      return;
    }
    if (!drawing || drawing.spots.count === 0) return;
    const nearest = drawing.spots.nearest(x, y);
    if (nearest < 0) return;
    if (nearest !== at) goTo(nearest, true);
    showTooltip();
    askWhy('rest');
  });
  const showTooltip = (): void => {
    const here = spot();
    tooltip.hidden = here === null;
    if (!here) return;
    tooltip.textContent = here.spoken;
    const side = here.x > width / 2 ? 'right' : 'left';
    tooltip.style.setProperty('left', side === 'left' ? `${here.x + 12}px` : 'auto');
    tooltip.style.setProperty('right', side === 'right' ? `${width - here.x + 12}px` : 'auto');
    tooltip.style.setProperty('top', `${here.y + 8}px`);
  };
  node.addEventListener('pointerleave', () => {
    tooltip.hidden = true;
    options.onLeave();
  });
  node.addEventListener('pointerup', (event) => {
    const ended = drag;
    drag = null;
    place(band, null);
    const here = spot();
    if (ended?.box) ended.area.select(ended.box);
    else if (event.shiftKey && here?.pickGroup) here.pickGroup();
    else here?.pick?.();
  });
  node.addEventListener('pointercancel', () => {
    drag = null;
    place(band, null);
  });
  node.addEventListener('focus', () => {
    if (!drawing || drawing.spots.count === 0) return;
    goTo(at < 0 || at >= drawing.spots.count ? drawing.spots.count - 1 : at, true);
  });
  node.addEventListener('blur', () => {
    place(highlight, null);
    tooltip.hidden = true;
    options.onLeave();
  });
  node.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !drawing || drawing.spots.count === 0) return;
    if (event.key === 'Escape') {
      if (anchor === null && drag === null) return;
      anchor = drag = null;
      place(band, null);
    } else if (event.key === 'Enter' || event.key === ' ') {
      if (anchor === null) spot()?.pick?.();
      else endKeyBrush();
    } else if (event.key === 'g' && spot()?.pickGroup) spot()?.pickGroup?.();
    else if (event.key === 'w' && spot()?.why) askWhy('pin');
    else {
      const next = drawing.spots.next(Math.max(0, at), event.key);
      if (next === null) return;
      if (event.shiftKey) anchor ??= Math.max(0, at);
      else if (anchor !== null) endKeyBrush();
      goTo(next, true);
      if (event.shiftKey) {
        options.onLeave();
        place(band, keyBox()?.box ?? null);
      } else {
        showTooltip();
        askWhy('rest');
      }
    }
    event.preventDefault();
    event.stopPropagation();
  });
  node.addEventListener('keyup', (event) => {
    // The selection is made when Shift is let go, as a drag is when the button is.
    if (event.key === 'Shift' && anchor !== null) endKeyBrush();
  });
  const keyBox = (): { area: BrushArea; box: Box } | null => {
    const here = spot();
    if (!drawing || anchor === null || !here) return null;
    const from = drawing.spots.at(anchor);
    const area = areaAt(from.x, from.y);
    if (!area) return null;
    const [a, b] = [boxOf(from, 0), boxOf(here, 0)];
    const corner = [Math.min(a.x, b.x), Math.min(a.y, b.y)] as const;
    const far = [Math.max(a.x + a.width, b.x + b.width), Math.max(a.y + a.height, b.y + b.height)] as const;
    return { area, box: brushed(area, corner, far) };
  };
  const endKeyBrush = (): void => {
    const made = keyBox();
    anchor = null;
    place(band, null);
    if (made) made.area.select(made.box);
  };

  return {
    node,
    tooltip,
    update: (next, shown) => {
      drawing = next;
      ({ width } = shown);
      const { height, spots, summary } = next;
      const attributes = {
        class: 'plot',
        viewBox: `0 0 ${width} ${height}`,
        width,
        height,
        ...(spots.count > 0
          ? { tabindex: 0, role: 'slider', 'aria-valuemin': 0, 'aria-valuemax': Math.max(0, spots.count - 1) }
          : { role: 'img' }),
        'aria-label': spots.count > 0 ? `${options.label}, ${summary}` : summary,
      };
      for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
      if (spots.count === 0) for (const name of ['tabindex', 'aria-valuetext']) node.removeAttribute(name);
      node.replaceChildren(...shown.nodes, crosshair, highlight, band);
      if (at >= spots.count) at = spots.count - 1;
      if (spots.count > 0) showSpot();
      if (document.activeElement !== node) place(highlight, null);
      showCrosshair(shown.cursor);
    },
    setCursor: showCrosshair,
  };
}

function boxOf({ x, y, width = 0, height = 0 }: Spot, around: number): Box {
  const [wide, tall] = [Math.max(width, 2 * around), Math.max(height, 2 * around)];
  return { x: x - wide / 2, y: y - tall / 2, width: wide, height: tall };
}

function contains(box: Box, x: number, y: number): boolean {
  return x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
}

/** The rectangle between two corners, cut to an area. */
function brushed(area: BrushArea, from: readonly [number, number], to: readonly [number, number]): Box {
  const cut = (value: number, low: number, size: number): number => Math.max(low, Math.min(low + size, value));
  const xs = [from[0], to[0]].map((x) => cut(x, area.x, area.width));
  const ys = [from[1], to[1]].map((y) => cut(y, area.y, area.height));
  const [x, y] = [Math.min(...xs), area.axis === 'x' ? area.y : Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: area.axis === 'x' ? area.height : Math.max(...ys) - y };
}
