/**
 * The tokens of a turn as a strip: a column a pixel at most, its height and colour the strength of what it stands for.
 * A slider for the keyboard and for screen readers: arrows move from token to token, the token is spoken.
 * Leaves out what is said of a token (tokenDetail.ts).
 */
import { playerTexts as texts } from '../../src/protocol/playerTexts.ts';
import { element } from '../ui/dom.ts';
import { onThemeChange } from '../ui/theme.ts';
import type { TokenFacts } from './episodeTokens.ts';
import { heatColumns, type Measure } from './heat.ts';

/** The strip on the page. */
export interface TokenStrip {
  readonly node: HTMLElement;
  show(tokens: readonly TokenFacts[], measure: Measure): void;
  /** Marks a token by its place in the turn, −1 for none; `spoken` is what a screen reader says. */
  mark(place: number, spoken: string): void;
}

const heightPx = 36;

/** Makes an empty strip. */
export function makeTokenStrip(onPlace: (place: number) => void): TokenStrip {
  const canvas = element('canvas', { height: heightPx, 'aria-hidden': 'true' });
  const node = element('div', { class: 'strip', role: 'slider', tabindex: 0, 'aria-valuemin': 1 }, [canvas]);
  let tokens: readonly TokenFacts[] = [];
  let measure: Measure = 'logprob';
  let at = -1;

  const draw = (): void => {
    const width = Math.max(1, Math.floor(node.clientWidth));
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.floor(width * ratio);
    canvas.height = Math.floor(heightPx * ratio);
    const context = canvas.getContext('2d');
    if (!context) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, heightPx);
    const style = getComputedStyle(node);
    const colours = ['--strip-none', '--strip-weak', '--strip-middle', '--strip-strong'].map((name) =>
      style.getPropertyValue(name).trim(),
    );
    const columns = heatColumns(measure, tokens, width);
    const columnWidth = width / Math.max(1, columns.length);
    for (const [index, { level, height, scored }] of columns.entries()) {
      context.fillStyle = colours[scored ? level : 0] ?? '';
      const tall = scored ? Math.max(2, height * (heightPx - 4)) : 1;
      context.fillRect(
        index * columnWidth,
        heightPx - tall,
        Math.max(1, columnWidth - (columnWidth > 4 ? 1 : 0)),
        tall,
      );
    }
    if (at >= 0 && tokens.length > 0) {
      context.strokeStyle = style.getPropertyValue('--strip-mark').trim();
      context.lineWidth = 2;
      const wide = Math.max(3, width / tokens.length);
      context.strokeRect((at / tokens.length) * width + 1, 1, Math.max(2, wide - 2), heightPx - 2);
    }
  };
  const placeOf = (event: MouseEvent): number => {
    const box = node.getBoundingClientRect();
    return Math.max(
      0,
      Math.min(tokens.length - 1, Math.floor(((event.clientX - box.left) / box.width) * tokens.length)),
    );
  };
  const pointed = (event: MouseEvent): void => {
    if (tokens.length > 0) onPlace(placeOf(event));
  };
  node.addEventListener('pointermove', pointed);
  node.addEventListener('click', pointed);
  node.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || tokens.length === 0) return;
    const targets: Readonly<Record<string, number>> = {
      ArrowLeft: at - 1,
      ArrowDown: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at + 1,
      PageDown: at + 20,
      PageUp: at - 20,
      Home: 0,
      End: tokens.length - 1,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    onPlace(Math.max(0, Math.min(tokens.length - 1, target)));
    event.preventDefault();
    event.stopPropagation();
  });
  new ResizeObserver(draw).observe(node);
  onThemeChange(draw);

  return {
    node,
    show: (next, by) => {
      tokens = next;
      measure = by;
      at = Math.min(at, next.length - 1);
      node.hidden = next.length === 0;
      node.setAttribute('aria-valuemax', String(Math.max(1, next.length)));
      const scored = next.filter((token) => !Number.isNaN(token.logprob)).length;
      node.setAttribute('aria-label', texts.strip(scored, next.length));
      if (at < 0) {
        node.setAttribute('aria-valuenow', '1');
        node.setAttribute('aria-valuetext', texts.strip(scored, next.length));
      }
      draw();
    },
    mark: (place, spoken) => {
      at = place;
      node.setAttribute('aria-valuenow', String(Math.max(1, place + 1)));
      node.setAttribute('aria-valuetext', spoken);
      draw();
    },
  };
}
