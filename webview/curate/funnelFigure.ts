/**
 * The funnel on the page: head, sentence, bars drawn by d3 (kept solid, dropped hatched, undecided dotted) or their table.
 * Bars are buttons of one tab stop: arrows go from bar to bar, Enter or a click lists its rows. Bars stay the same
 * elements when counts change, so that nothing flickers and the keyboard stays where it is.
 * Leaves out counting and listing.
 */
import { scaleLinear, select } from 'd3';
import { countText, percentText } from '../../src/base/numberText.ts';
import { curateTexts as texts } from '../../src/protocol/curateTexts.ts';
import type { CurationConfig, Funnel } from '../../src/protocol/curation.ts';
import { toggleButton } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import { svg, toElement } from '../ui/svgNode.ts';
import { barsOf, funnelSentence, type FunnelBar } from './funnelBars.ts';
import type { PageState, RowList } from './pageState.ts';

/** What the figure tells. */
export interface FunnelEvents {
  readonly onList: (list: RowList) => void;
  readonly onView: (view: PageState['view']) => void;
}

/** The figure on the page. */
export interface FunnelFigure {
  readonly node: HTMLElement;
  update(funnel: Funnel, config: CurationConfig): void;
  /** Marks the bar whose rows are listed. */
  mark(list: RowList | null): void;
  /** Dims nothing, but tells assistive technology that new counts are on their way. */
  setBusy(busy: boolean): void;
}

const rowHeightPx = 42;
const barTopPx = 18;
const barHeightPx = 16;
const leastWidthPx = 200;

/** Makes the figure, empty. */
export function makeFunnelFigure(begin: PageState['view'], events: FunnelEvents): FunnelFigure {
  let view = begin;
  let shown: { readonly funnel: Funnel; readonly bars: readonly FunnelBar[] } | null = null;
  let marked: RowList | null = null;
  /** The bar that Tab leads to. */
  let current: RowList | null = null;
  let width = 0;

  const sentence = element('p', { class: 'sentence', 'aria-live': 'polite' });
  const about = element('p', { class: 'about', hidden: !view.about }, [texts.funnelAbout]);
  const plot = toElement(
    svg('svg', { class: 'funnel', role: 'group', 'aria-label': texts.funnel }, [hatch('curate'), dots('curate')]),
  );
  const body = element('tbody');
  const heads = [texts.heads.filter, texts.heads.entered, texts.heads.dropped, texts.heads.share, texts.heads.matches];
  const table = element('table', {}, [
    element('caption', {}, [texts.funnel]),
    element('thead', {}, [
      element(
        'tr',
        {},
        [...heads, texts.heads.undecided, texts.heads.left].map((head) => element('th', { scope: 'col' }, [head])),
      ),
    ]),
    body,
  ]);
  const rows = element('div', { class: 'rows', tabindex: 0, role: 'region', 'aria-label': `${texts.funnel}, table` }, [
    table,
  ]);
  const content = element('div', { class: 'content' });
  const setView = (change: Partial<PageState['view']>): void => {
    view = { ...view, ...change };
    events.onView(view);
    about.hidden = !view.about;
    draw();
  };

  const goTo = (index: number): void => {
    const target = shown?.bars[Math.max(0, Math.min(shown.bars.length - 1, index))];
    if (!target) return;
    current = target.list;
    draw();
    [...plot.querySelectorAll<SVGGElement>('g.bar')].find((bar) => bar.dataset['list'] === target.list)?.focus();
  };
  const onKey = (event: KeyboardEvent, bar: FunnelBar): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || !shown) return;
    const at = shown.bars.indexOf(bar);
    const moves: Readonly<Record<string, number>> = {
      ArrowUp: at - 1,
      ArrowDown: at + 1,
      Home: 0,
      End: shown.bars.length - 1,
    };
    const target = moves[event.key];
    if (target !== undefined) goTo(target);
    else if (event.key === 'Enter' || event.key === ' ') events.onList(bar.list);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const draw = (): void => {
    if (!shown) return;
    const { funnel, bars } = shown;
    if (view.table) {
      body.replaceChildren(...bars.map(tableRow));
      if (content.firstElementChild !== rows) content.replaceChildren(rows);
      return;
    }
    if (content.firstElementChild !== plot) content.replaceChildren(plot);
    if (width === 0) width = Math.max(leastWidthPx, Math.floor(content.clientWidth));
    const height = bars.length * rowHeightPx;
    const x = scaleLinear([0, Math.max(1, funnel.rows)], [0, width - 2]);
    const at = (value: number): number => Math.round(x(value) * 100) / 100 + 1;
    if (!bars.some(({ list }) => list === current)) current = marked ?? bars[0]?.list ?? null;
    select(plot).attr('viewBox', `0 0 ${width} ${height}`).attr('width', width).attr('height', height);
    const groups = select(plot)
      .selectAll<SVGGElement, FunnelBar>('g.bar')
      .data(bars, ({ list }) => list)
      .join((enter) => {
        const made = enter.append('g').attr('class', 'bar').attr('role', 'button');
        made.append('rect').attr('class', 'hit').attr('fill', 'transparent');
        made.append('text').attr('class', 'name').attr('x', 2).attr('y', 12);
        made.append('text').attr('class', 'short').attr('y', 12).attr('text-anchor', 'end');
        for (const part of ['track', 'kept', 'undecided', 'dropped', 'hatch']) made.append('rect').attr('class', part);
        return made;
      })
      .attr('data-list', ({ list }) => list)
      .attr('tabindex', ({ list }) => (list === current ? 0 : -1))
      .attr('aria-pressed', ({ list }) => String(list === marked))
      .attr('aria-label', ({ spoken }) => spoken)
      .classed('off', ({ off }) => off)
      .classed('last', ({ list }) => list === 'kept')
      .attr('transform', (_, index) => `translate(0 ${index * rowHeightPx})`)
      .on('click', (_event: MouseEvent, bar) => {
        current = bar.list;
        events.onList(bar.list);
      })
      .on('keydown', (event: KeyboardEvent, bar) => {
        onKey(event, bar);
      });
    groups
      .select('.hit')
      .attr('x', 0.5)
      .attr('y', 0.5)
      .attr('width', width - 1)
      .attr('height', rowHeightPx - 4);
    groups.select('.name').text(({ name }) => name);
    groups
      .select('.short')
      .attr('x', width - 2)
      .text(({ short }) => short);
    const part = (name: string, from: (bar: FunnelBar) => number, to: (bar: FunnelBar) => number): void => {
      groups
        .select(`.${name}`)
        .attr('y', barTopPx)
        .attr('height', barHeightPx)
        .attr('x', (bar) => at(from(bar)))
        .attr('width', (bar) => Math.max(0, at(to(bar)) - at(from(bar))));
    };
    const kept = (bar: FunnelBar): number => bar.entered - bar.dropped;
    part(
      'track',
      () => 0,
      () => funnel.rows,
    );
    part('kept', () => 0, kept);
    part('undecided', (bar) => Math.max(0, kept(bar) - bar.undecided), kept);
    part('dropped', kept, ({ entered }) => entered);
    part('hatch', kept, ({ entered }) => entered);
    groups.select('.undecided').attr('fill', 'url(#curate-dots)');
    groups.select('.hatch').attr('fill', 'url(#curate-hatch)');
  };

  const node = element('section', { class: 'figure', id: 'funnel', 'aria-label': texts.funnel }, [
    element('header', {}, [
      element('h2', {}, [texts.funnel]),
      toggleButton({
        label: texts.table,
        title: texts.tableTitle,
        pressed: view.table,
        onToggle: (pressed) => {
          setView({ table: pressed });
        },
      }),
      toggleButton({
        label: texts.about,
        title: texts.aboutTitle,
        pressed: view.about,
        onToggle: (pressed) => {
          setView({ about: pressed });
        },
      }),
    ]),
    about,
    sentence,
    element('p', { class: 'keys', 'aria-hidden': 'true' }, [
      key('kept', texts.keys.kept),
      key('dropped', texts.keys.dropped),
      key('undecided', texts.keys.undecided),
    ]),
    content,
  ]);
  new ResizeObserver(() => {
    const next = Math.max(leastWidthPx, Math.floor(content.clientWidth));
    if (next === width || content.clientWidth === 0) return;
    width = next;
    draw();
  }).observe(content);

  return {
    node,
    update: (funnel, config) => {
      shown = { funnel, bars: barsOf(funnel, config) };
      const said = [funnelSentence(funnel), ...funnel.notes].join(' ');
      if (sentence.textContent !== said) sentence.textContent = said;
      draw();
    },
    mark: (list) => {
      marked = list;
      draw();
    },
    setBusy: (busy) => {
      node.setAttribute('aria-busy', String(busy));
    },
  };
}

function tableRow({ name, entered, dropped, undecided, matches, off }: FunnelBar): HTMLElement {
  const cells = off
    ? [texts.off, '', '', '', '', '']
    : [
        countText(entered),
        countText(dropped),
        percentText(entered === 0 ? 0 : dropped / entered),
        matches === null ? '' : countText(matches),
        countText(undecided),
        countText(entered - dropped),
      ];
  return element('tr', {}, [
    element('th', { scope: 'row' }, [name]),
    ...cells.map((cell) => element('td', {}, [cell])),
  ]);
}

/** What the fills mean, drawn with fills of its own: those of the bars are gone while the table is shown. */
function key(part: 'kept' | 'dropped' | 'undecided', label: string): HTMLElement {
  const box = (kind: string, fill: string | null) =>
    svg('rect', { class: kind, x: 0.5, y: 0.5, width: 21, height: 11, fill });
  const drawn = {
    kept: [box('kept', null)],
    dropped: [hatch('key'), box('dropped', null), box('hatch', 'url(#key-hatch)')],
    undecided: [dots('key'), box('kept', null), box('undecided', 'url(#key-dots)')],
  }[part];
  return element('span', { class: 'key' }, [
    toElement(svg('svg', { class: 'swatch', width: 22, height: 12, viewBox: '0 0 22 12' }, drawn)),
    label,
  ]);
}

const patternSize = { patternUnits: 'userSpaceOnUse', width: 6, height: 6 };

/** The fills, under names that begin with `owner`: each drawing has its own. */
function hatch(owner: 'curate' | 'key') {
  return svg('defs', {}, [
    svg('pattern', { id: `${owner}-hatch`, ...patternSize, patternTransform: 'rotate(45)' }, [
      svg('line', { class: 'mark', x1: 0, y1: 0, x2: 0, y2: 6 }),
    ]),
  ]);
}

function dots(owner: 'curate' | 'key') {
  return svg('defs', {}, [
    svg('pattern', { id: `${owner}-dots`, ...patternSize }, [svg('circle', { class: 'dot', cx: 3, cy: 3, r: 1.6 })]),
  ]);
}
