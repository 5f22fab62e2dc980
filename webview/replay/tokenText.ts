/**
 * The text of a turn, its tokens marked by heat: CSS highlights over one text node, only for tokens that are in sight, so
 * that a turn of any length has no more marks than the screen has places. Log text is only ever a text node.
 * Leaves out the values (episodeTokens.ts) and what is said of a token.
 */
import { element } from '../ui/dom.ts';
import type { TokenFacts } from './episodeTokens.ts';
import { heatLevel, type Measure } from './heat.ts';

/** The text on the page. */
export interface TokenText {
  readonly node: HTMLElement;
  /** Text without tokens. */
  showPlain(text: string): void;
  /** `whole` is the turn's text: shown around the tokens where these are a part of it. */
  showTokens(tokens: readonly TokenFacts[], measure: Measure, whole: string): void;
  /** Marks the token that is looked at; −1 for none. */
  mark(place: number): void;
}

const names = ['heat1', 'heat2', 'heat3', 'given', 'current'] as const;

/** Makes an empty text; `onPlace` hears the place of the token under the pointer. */
export function makeTokenText(onPlace: (place: number) => void): TokenText {
  const text = document.createTextNode('');
  // Focusable, so that a long turn can be scrolled by the keyboard.
  const node = element('pre', { class: 'turnText', tabindex: 0 }, [text]);
  const highlights = new Map(names.map((name) => [name, new Highlight()]));
  for (const [name, highlight] of highlights) CSS.highlights.set(`replay-${name}`, highlight);
  let tokens: readonly TokenFacts[] = [];
  let starts: number[] = [];
  let measure: Measure = 'logprob';
  let marked = -1;

  const rangeOf = (place: number): Range => {
    const range = new Range();
    const start = starts[place] ?? 0;
    range.setStart(text, Math.min(start, text.length));
    range.setEnd(text, Math.min(start + (tokens[place]?.text.length ?? 0), text.length));
    return range;
  };
  /** The last token that starts at or before an offset. */
  const placeAt = (offset: number): number => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return starts.length === 0 ? -1 : low;
  };
  const offsetAt = (x: number, y: number): number | null => {
    const range = document.caretRangeFromPoint(x, y);
    return range?.startContainer === text ? range.startOffset : null;
  };
  const draw = (): void => {
    for (const highlight of highlights.values()) highlight.clear();
    if (tokens.length === 0) return;
    const box = node.getBoundingClientRect();
    const top = Math.max(box.top, 0);
    const bottom = Math.min(box.bottom, window.innerHeight);
    if (bottom <= top) return;
    const first = placeAt(offsetAt(box.left + 12, top + 10) ?? 0);
    const end = offsetAt(box.right - 24, bottom - 6);
    // Below the last line there is no caret: the rest of a short text is in sight.
    const last = end === null ? tokens.length - 1 : placeAt(end);
    const most = 4_000;
    for (let place = Math.max(0, first); place <= Math.min(last, first + most); place += 1) {
      const token = tokens[place];
      if (token === undefined) break;
      const level = heatLevel(measure, token);
      const name = token.scored ? names[level - 1] : 'given';
      if (name !== undefined) highlights.get(name)?.add(rangeOf(place));
    }
    if (marked >= 0) highlights.get('current')?.add(rangeOf(marked));
  };
  let asked = 0;
  const drawSoon = (): void => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(draw);
  };
  node.addEventListener('scroll', drawSoon);
  window.addEventListener('scroll', drawSoon);
  new ResizeObserver(drawSoon).observe(node);
  node.addEventListener('pointermove', (event) => {
    const offset = tokens.length === 0 ? null : offsetAt(event.clientX, event.clientY);
    if (offset !== null) onPlace(placeAt(offset));
  });

  return {
    node,
    showPlain: (plain) => {
      tokens = [];
      starts = [];
      marked = -1;
      if (text.data !== plain) text.data = plain;
      drawSoon();
    },
    showTokens: (next, by, turn) => {
      tokens = next;
      measure = by;
      const said = next.map((token) => token.text).join('');
      // A token may begin in the markers before a turn, and a turn may reach beyond the model's context.
      const at = turn.indexOf(said);
      let length = Math.max(0, at);
      starts = next.map((token) => {
        const start = length;
        length += token.text.length;
        return start;
      });
      marked = Math.min(marked, next.length - 1);
      const whole = at < 0 ? said : turn;
      if (text.data !== whole) text.data = whole;
      drawSoon();
    },
    mark: (place) => {
      marked = place;
      drawSoon();
    },
  };
}
