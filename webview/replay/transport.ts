/**
 * The row of buttons above the line: to the start, back, play or pause, on, to the end, speed, widths, keys; and the sheet
 * of keys. Leaves out what they do.
 */
import { playerTexts as texts } from '../../src/protocol/playerTexts.ts';
import { button } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import { select } from '../ui/select.ts';
import { speeds } from './pageState.ts';
import type { Move, WidthBy } from './playhead.ts';

/** What the row asks for. */
export interface TransportOptions {
  readonly speed: number;
  readonly widthBy: WidthBy;
  readonly onMove: (move: Move) => void;
  readonly onPlay: () => void;
  readonly onSpeed: (speed: number) => void;
  readonly onWidth: (widthBy: WidthBy) => void;
}

/** The row on the page. */
export interface Transport {
  readonly node: HTMLElement;
  setPlaying(playing: boolean): void;
  setPlace(text: string): void;
  toggleKeys(): void;
  /** Hides the sheet; false where it was not shown. */
  hideKeys(): boolean;
}

/** Makes the row. */
export function makeTransport(options: TransportOptions): Transport {
  const move = (label: string, title: string, to: Move): HTMLElement =>
    button({
      label,
      title,
      onClick: () => {
        options.onMove(to);
      },
    });
  const play = button({ label: texts.play, title: texts.playTitle, onClick: options.onPlay });
  play.classList.add('play');
  const place = element('span', { class: 'place', role: 'status' });
  const sheet = element('dl', { class: 'keys', hidden: true, 'aria-label': texts.keys });
  for (const [key, meaning] of texts.keySheet)
    sheet.append(element('div', {}, [element('dt', {}, [element('kbd', {}, [key])]), element('dd', {}, [meaning])]));
  const keys = button({
    label: texts.keys,
    title: texts.keysTitle,
    onClick: () => {
      toggleKeys();
    },
  });
  keys.setAttribute('aria-expanded', 'false');
  const toggleKeys = (): void => {
    sheet.hidden = !sheet.hidden;
    keys.setAttribute('aria-expanded', String(!sheet.hidden));
  };
  const speed = select<string>({
    label: texts.speed,
    // By their texts: names that are whole numbers would come first, whatever their order here.
    choices: Object.fromEntries(speeds.map((one) => [texts.speedOf(one), texts.speedOf(one)])),
    chosen: texts.speedOf(options.speed),
    onChange: (value) => {
      options.onSpeed(speeds.find((one) => texts.speedOf(one) === value) ?? 1);
    },
  });
  const width = select<WidthBy>({
    label: texts.width,
    choices: texts.widths,
    chosen: options.widthBy,
    onChange: options.onWidth,
  });
  const row = element('div', { class: 'row transport' }, [
    move('▮◀', texts.first, 'first'),
    move('◀', texts.previousTurn, 'previousTurn'),
    play,
    move('▶', texts.nextTurn, 'nextTurn'),
    move('▶▮', texts.last, 'last'),
    speed,
    width,
    place,
    keys,
  ]);
  return {
    node: element('div', {}, [row, sheet]),
    setPlaying: (playing) => {
      play.textContent = playing ? texts.pause : texts.play;
    },
    setPlace: (text) => {
      if (place.textContent !== text) place.textContent = text;
    },
    toggleKeys,
    hideKeys: () => {
      const shown = !sheet.hidden;
      if (shown) toggleKeys();
      return shown;
    },
  };
}
