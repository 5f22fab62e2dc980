/**
 * The left side: the turn as recorded, its text with the heat of its tokens, what is known of the token that is looked at,
 * and its pictures with the regions that calls looked at. Leaves out which turn it is.
 */
import type { PlayerEpisode } from '../../src/protocol/player.ts';
import { playerTexts as texts } from '../../src/protocol/playerTexts.ts';
import { croppedFigure, pictureAddress, type PictureBytes } from '../ui/croppedFigure.ts';
import { element } from '../ui/dom.ts';
import { select } from '../ui/select.ts';
import type { EpisodeTokens, TokenFacts } from './episodeTokens.ts';
import type { Measure } from './heat.ts';
import { isDecision } from './playhead.ts';
import { beyondText } from './scoringText.ts';
import { turnLabel } from './timeline.ts';
import { tokenLines, type TokenLines } from './tokenDetail.ts';
import { makeTokenStrip } from './tokenStrip.ts';
import { makeTokenText } from './tokenText.ts';

/** What the pane needs of the page. */
export interface RecordedPaneOptions {
  readonly measure: Measure;
  readonly onMeasure: (measure: Measure) => void;
  readonly onCall: (call: number) => void;
  readonly bytesOf: PictureBytes;
}

/** What the pane shows. */
export interface RecordedTurn {
  readonly episode: PlayerEpisode;
  readonly turn: number;
  readonly tokens: EpisodeTokens | null;
  readonly measure: Measure;
  /** Names the model that scored. */
  readonly model: string;
}

/** The pane on the page. */
export interface RecordedPane {
  readonly node: HTMLElement;
  show(shown: RecordedTurn): void;
}

/** Makes an empty pane. */
export function makeRecordedPane(options: RecordedPaneOptions): RecordedPane {
  const heading = element('h2', {});
  const note = element('p', { class: 'subtitle' });
  const legend = element('p', { class: 'subtitle' });
  const detail = element('div', { class: 'detail', 'aria-live': 'off' });
  const pictures = element('div', { class: 'pictures' });
  let shown: RecordedTurn | null = null;
  let turnTokens: readonly TokenFacts[] = [];
  let drawnTurn = '';
  let place = -1;
  let addresses: string[] = [];

  const point = (next: number): void => {
    const token = turnTokens[next];
    if (token === undefined || shown === null) return;
    place = next;
    const lines = tokenLines(token, shown.model);
    detail.replaceChildren(...detailNodes(lines));
    text.mark(next);
    strip.mark(next, [lines.name, ...lines.lines, ...lines.alternatives].join(', '));
  };
  const strip = makeTokenStrip(point);
  const text = makeTokenText(point);
  const measures = select<Measure>({
    label: texts.measure,
    choices: texts.measures,
    chosen: options.measure,
    onChange: options.onMeasure,
  });
  const heat = element('div', { class: 'heat' }, [measures, strip.node, legend]);
  const node = element('section', { class: 'pane recorded', 'aria-live': 'off' }, [
    heading,
    note,
    heat,
    text.node,
    detail,
    pictures,
  ]);

  const showPictures = async ({ episode, turn }: RecordedTurn): Promise<void> => {
    const images = picturesOf(episode, turn);
    for (const address of addresses) URL.revokeObjectURL(address);
    addresses = [];
    pictures.replaceChildren();
    if (images.length === 0) return;
    const made = await Promise.all(
      images.map(async (image) => ({
        address: await pictureAddress(image, options.bytesOf).catch(() => null),
        picture: episode.pictures.find((one) => one.image === image) ?? { image, boxes: [], overlaps: [] },
      })),
    );
    const own = made.flatMap(({ address }) => address ?? []);
    if (shown?.turn !== turn) {
      for (const address of own) URL.revokeObjectURL(address);
      return;
    }
    addresses = own;
    pictures.replaceChildren(
      element('h3', {}, [texts.pictures]),
      ...made.map(({ picture, address }) => croppedFigure({ picture, address, onCall: options.onCall })),
    );
  };

  return {
    node,
    show: (next) => {
      const key = `${next.episode.kept.ref.file}#${next.episode.kept.ref.row}#${next.turn}`;
      const other = key !== drawnTurn;
      shown = next;
      drawnTurn = key;
      const turn = next.episode.turns.find((one) => one.turn === next.turn);
      if (turn === undefined) return;
      turnTokens = (next.tokens?.ofTurn(next.turn) ?? []).flatMap((index) => next.tokens?.token(index) ?? []);
      heading.textContent = texts.recorded(turnLabel(next.episode, next.turn));
      const given = isDecision(turn) ? '' : texts.givenNote;
      const cut = turn.cut > 0 ? texts.cut(turn.cut) : '';
      const beyond = beyondText(next.tokens, next.turn);
      note.textContent = [given, beyond, turnTokens.length === 0 ? cut : ''].filter((part) => part !== '').join(' ');
      note.hidden = note.textContent === '';
      node.classList.toggle('givenTurn', !isDecision(turn));
      heat.hidden = turnTokens.every(({ scored }) => !scored);
      detail.hidden = heat.hidden;
      legend.textContent = texts.heatLegend[next.measure];
      if (turnTokens.length === 0) text.showPlain(withoutPads(turn.text));
      else text.showTokens(turnTokens, next.measure, turn.cut > 0 ? '' : turn.text);
      strip.show(turnTokens, next.measure);
      text.node.setAttribute('aria-label', heading.textContent);
      if (other) {
        place = -1;
        text.node.scrollTop = 0;
        text.mark(-1);
        strip.mark(-1, texts.tokenHint);
        detail.replaceChildren(...(heat.hidden ? [] : [element('p', { class: 'subtitle' }, [texts.tokenHint])]));
        void showPictures(next);
      } else if (place >= 0) point(place);
      else detail.replaceChildren(...(heat.hidden ? [] : [element('p', { class: 'subtitle' }, [texts.tokenHint])]));
    },
  };
}

/** Pictures that the turn holds, and those that its calls looked at, in their order. */
export function picturesOf(
  { turns, pictures }: Pick<PlayerEpisode, 'turns' | 'pictures'>,
  turn: number,
): readonly number[] {
  const own = turns.find((one) => one.turn === turn);
  if (own === undefined) return [];
  const looked = pictures.filter(({ boxes }) => boxes.some(({ call }) => own.calls.includes(call)));
  return [...new Set([...own.images, ...looked.map(({ image }) => image)])].sort((a, b) => a - b);
}

/** Pads stand for a picture that is shown below: a run of them in a few words. */
export function withoutPads(text: string): string {
  return text.replaceAll(padRun, (run) => texts.pads(run.split('<|image_pad|>').length - 1));
}

const padRun = /(?:<\|vision_start\|>)?(?:<\|image_pad\|>){2,}(?:<\|vision_end\|>)?/g;

function detailNodes({ name, lines, alternatives }: TokenLines): readonly Node[] {
  const list = alternatives.map((line) => element('li', {}, [line]));
  return [
    element('p', {}, [element('strong', {}, [name]), ` ${lines.join(' · ')}`]),
    ...(list.length === 0 ? [] : [element('p', { class: 'subtitle' }, [texts.alternatives]), element('ul', {}, list)]),
  ];
}
