/**
 * P(call) at each decision of the episode: the speaking model solid, the other dashed, the group's share as a dot, with
 * their intervals; what the policy did stands below. Points of different provenance or estimator are never joined.
 * A drawing and a table. Pure but for the table. Leaves out how it is estimated.
 */
import { numberText } from '../../src/base/numberText.ts';
import type { PlayerEpisode, PlayerSide } from '../../src/protocol/player.ts';
import { playerTexts as texts, smallNumberText } from '../../src/protocol/playerTexts.ts';
import type { DecisionPoint } from '../../src/protocol/replay.ts';
import { element } from '../ui/dom.ts';
import { px, svg, toElement, type SvgNode } from '../ui/svgNode.ts';
import { isDecision } from './playhead.ts';
import { turnLabel } from './timeline.ts';

/** Estimates of one model; a siblings' share belongs to none. */
export interface SidedPoint {
  readonly side: PlayerSide | null;
  readonly point: DecisionPoint;
}

/** What the curve shows. */
export interface CurveData {
  readonly episode: PlayerEpisode;
  readonly points: readonly SidedPoint[];
  readonly names: Readonly<Record<PlayerSide, string>>;
  readonly turn: number;
}

const widthPx = 720;
const heightPx = 120;
const edge = { left: 34, right: 10, top: 8, bottom: 26 };

/** Turns at which the policy decided, in order. */
function decisionsOf(episode: PlayerEpisode): readonly number[] {
  return episode.turns.filter(isDecision).map(({ turn }) => turn);
}

/** The best estimate of each turn: sampled before computed along the text. */
export function shownPoints(points: readonly SidedPoint[], side: PlayerSide): readonly DecisionPoint[] {
  const order: readonly DecisionPoint['estimator'][] = ['Monte Carlo', 'hazard', 'first token'];
  const byTurn = new Map<number, DecisionPoint>();
  for (const { side: own, point } of points) {
    if (own !== side) continue;
    const known = byTurn.get(point.turn);
    if (known === undefined || order.indexOf(point.estimator) < order.indexOf(known.estimator))
      byTurn.set(point.turn, point);
  }
  return [...byTurn.values()].sort((a, b) => a.turn - b.turn);
}

/** Neighbouring points that may be joined: equal estimator and provenance. */
export function joinable(points: readonly DecisionPoint[]): readonly (readonly DecisionPoint[])[] {
  const parts: DecisionPoint[][] = [];
  for (const point of points) {
    const last = parts.at(-1)?.at(-1);
    if (last !== undefined && last.estimator === point.estimator && last.provenanceId === point.provenanceId)
      parts.at(-1)?.push(point);
    else parts.push([point]);
  }
  return parts;
}

/** The drawing. */
export function curveDrawing({ episode, points, turn }: CurveData): SvgNode {
  const turns = decisionsOf(episode);
  const inner = widthPx - edge.left - edge.right;
  const x = (one: number): number => edge.left + ((turns.indexOf(one) + 0.5) / Math.max(1, turns.length)) * inner;
  const y = (value: number): number => edge.top + (1 - value) * (heightPx - edge.top - edge.bottom);
  const line = (
    from: readonly [number, number],
    to: readonly [number, number],
    more: Readonly<Record<string, string>>,
  ) => svg('line', { x1: from[0], y1: from[1], x2: to[0], y2: to[1], ...more });
  const grid = [0, 0.5, 1].flatMap((value) => [
    line([edge.left, y(value)], [widthPx - edge.right, y(value)], { class: 'grid' }),
    svg('text', { x: edge.left - 6, y: y(value) + 4, 'text-anchor': 'end', class: 'tick' }, [numberText(value)]),
  ]);
  const interval = (point: DecisionPoint, kind: string, shift = 0): readonly SvgNode[] => {
    if (point.low === null || point.high === null) return [];
    const at = x(point.turn) + shift;
    return [line([at, y(point.low)], [at, y(point.high)], { class: `interval ${kind}` })];
  };
  // Beside the first model's points, which would hide the others.
  const aside = 9;
  const curves = (['main', 'other'] as const).flatMap((side) => {
    const shift = side === 'main' ? 0 : aside;
    const place = (point: DecisionPoint): readonly [number, number] => [
      x(point.turn) + shift,
      y(point.callProbability),
    ];
    return joinable(shownPoints(points, side)).flatMap((part) => [
      ...part
        .slice(1)
        .map((point, index) => line(place(part[index] ?? point), place(point), { class: `curveLine ${side}` })),
      ...part.flatMap((point) => [...interval(point, side, shift), mark(place(point), side)]),
    ]);
  });
  const siblings = points
    .filter(({ side }) => side === null)
    .flatMap(({ point }) => [
      ...interval(point, 'siblings', -aside),
      svg('path', {
        d: `M ${px(x(point.turn) - aside)} ${px(y(point.callProbability) - 5)} l 5 5 l -5 5 l -5 -5 z`,
        class: 'point siblings',
      }),
    ]);
  const recorded = turns.map((one) => {
    const called = (episode.turns.find((other) => other.turn === one)?.calls.length ?? 0) > 0;
    return svg(
      'text',
      {
        x: x(one),
        y: heightPx - 8,
        'text-anchor': 'middle',
        class: one === turn ? 'recordedChoice here' : 'recordedChoice',
      },
      [called ? '●' : '○'],
    );
  });
  const here = turns.includes(turn)
    ? [line([x(turn), edge.top], [x(turn), heightPx - edge.bottom], { class: 'hereLine' })]
    : [];
  return svg('svg', { viewBox: `0 0 ${widthPx} ${heightPx}`, class: 'curveSvg', 'aria-hidden': 'true' }, [
    ...grid,
    ...here,
    ...curves,
    ...siblings,
    ...recorded,
  ]);
}

/** A point: round for the speaking model, square for the other. */
function mark([cx, cy]: readonly [number, number], side: PlayerSide): SvgNode {
  return side === 'main'
    ? svg('circle', { cx, cy, r: 4, class: 'point main' })
    : svg('rect', { x: cx - 3.5, y: cy - 3.5, width: 7, height: 7, class: 'point other' });
}

/** What the drawing says, in one sentence; it is what a screen reader hears. */
export function curveSentence({ episode, points, names }: CurveData): string {
  const other = shownPoints(points, 'other');
  // With one model it is clear who says it.
  const named = (side: PlayerSide) => (point: DecisionPoint) => ({
    point,
    model: other.length === 0 ? '' : names[side],
  });
  const known = [
    ...points.filter(({ side }) => side === null).map(({ point }) => ({ point, model: '' })),
    ...shownPoints(points, 'main').map(named('main')),
    ...other.map(named('other')),
  ].sort((a, b) => a.point.turn - b.point.turn);
  if (known.length === 0) return texts.curveEmpty;
  const said = known.map(({ point, model }) => texts.curvePoint(turnLabel(episode, point.turn), point, model));
  return `${said.join('. ')}.`;
}

/** The same as a table, all estimates in it. */
export function curveTable({ episode, points, names }: CurveData): HTMLElement {
  const rows = [...points]
    .sort((a, b) => a.point.turn - b.point.turn)
    .map(({ side, point }) => [
      turnLabel(episode, point.turn),
      texts.interval(point),
      smallNumberText(1 - point.callProbability),
      point.estimator,
      point.given === '' ? texts.unconditional : point.given,
      point.called ? texts.called : texts.answered,
      side === null ? texts.noModelNeeded : names[side],
    ]);
  return tableOf(texts.curveHead, rows);
}

/** The figure: drawing, sentence and table. */
export function curveNodes(data: CurveData): readonly Node[] {
  const { points, names } = data;
  const has = (side: PlayerSide | null): boolean => points.some((one) => one.side === side);
  const legend = [
    ...(has('main') ? [texts.solid(names.main)] : []),
    ...(has('other') ? [texts.dashed(names.other)] : []),
    ...(has(null) ? [texts.dots] : []),
    texts.choices,
  ];
  return [
    element('figcaption', {}, [element('strong', {}, [texts.curve]), ` ${legend.join(' · ')}`]),
    toElement(curveDrawing(data)),
    element('p', { class: 'subtitle sentence' }, [curveSentence(data)]),
    element('details', {}, [element('summary', {}, [texts.table]), curveTable(data)]),
  ];
}

/** The share of the group that called in its first turn, from the log alone; nothing for a group of one. */
export function siblingsPoint(episode: PlayerEpisode): readonly SidedPoint[] {
  const first = episode.turns.find(isDecision);
  const { siblings } = episode;
  if (first === undefined || siblings === null || siblings.count < 2) return [];
  const point: DecisionPoint = {
    turn: first.turn,
    estimator: 'siblings',
    callProbability: siblings.calledFirst / siblings.count,
    low: null,
    high: null,
    n: siblings.count,
    temperature: episode.temperature ?? 1,
    given: '',
    called: first.calls.length > 0,
    provenanceId: null,
  };
  return [{ side: null, point }];
}

/** A table of texts; without a head where it names no columns. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): HTMLElement {
  const heads = element(
    'tr',
    {},
    head.map((name) => element('th', { scope: 'col' }, [name])),
  );
  return element('table', {}, [
    ...(head.length === 0 ? [] : [element('thead', {}, [heads])]),
    element(
      'tbody',
      {},
      rows.map((row) =>
        element(
          'tr',
          {},
          row.map((cell) => element('td', {}, [cell])),
        ),
      ),
    ),
  ]);
}
