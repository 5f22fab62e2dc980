/**
 * The line of turns and calls: one button a segment, its width by tokens or time, the playhead as the part that is filled.
 * One tab stop; arrows are the page's keys. Leaves out where the playhead stands (playhead.ts).
 */
import { durationText } from '../../src/base/numberText.ts';
import type { PlayerEpisode } from '../../src/protocol/player.ts';
import { playerTexts as texts } from '../../src/protocol/playerTexts.ts';
import { redundancyText } from '../../src/protocol/texts.ts';
import { element } from '../ui/dom.ts';
import { isDecision, widthOf, type Playhead, type Segment, type WidthBy } from './playhead.ts';

/** The line on the page. */
export interface Timeline {
  readonly node: HTMLElement;
  show(episode: PlayerEpisode, segments: readonly Segment[]): void;
  setWidths(widthBy: WidthBy): void;
  setHead(head: Playhead): void;
}

/** "policy 2", "result", "answer ✓": what a turn is called, here and above its text. */
export function turnLabel(episode: PlayerEpisode, turn: number): string {
  const own = episode.turns.find((one) => one.turn === turn);
  if (own === undefined) return '';
  if (!isDecision(own)) return texts.roles[own.role];
  const decisions = episode.turns.filter(isDecision);
  const number = decisions.findIndex((one) => one.turn === turn) + 1;
  const last = number === decisions.length && own.calls.length === 0;
  return last ? texts.answerTurn(episode.correct) : texts.policyTurn(number);
}

/** Makes an empty line. */
export function makeTimeline(onPick: (index: number) => void): Timeline {
  const node = element('div', { class: 'timeline', role: 'group', 'aria-label': texts.timeline });
  let buttons: HTMLElement[] = [];
  let segments: readonly Segment[] = [];
  let current = -1;

  const label = (episode: PlayerEpisode, { turn, call }: Segment): string => {
    if (call === null) return turnLabel(episode, turn);
    const known = episode.calls.find((one) => one.call === call);
    const sign = known === undefined || known.redundant.length === 0 ? '' : texts.redundant;
    return `${texts.tool(known?.tool ?? texts.noTool)}${sign}`;
  };
  const size = (episode: PlayerEpisode, { turn, call, tokens, milliseconds }: Segment): string => {
    const estimated = episode.turns.find((one) => one.turn === turn)?.estimated ?? false;
    const time = milliseconds === null ? [] : [durationText(milliseconds)];
    return [...(call === null ? [texts.sizeTokens(tokens, estimated)] : []), ...time].join(', ');
  };
  const rules = (episode: PlayerEpisode, call: number | null): string =>
    redundancyText(episode.calls.find((one) => one.call === call)?.redundant ?? []);

  const made = (episode: PlayerEpisode, segment: Segment, index: number): HTMLElement => {
    const name = label(episode, segment);
    const kind = segment.call === null ? (segment.decision ? 'policy' : 'given') : 'call';
    const title = texts.segmentTitle(name, size(episode, segment), rules(episode, segment.call));
    const button = element(
      'button',
      { class: `segment ${kind}`, title, 'aria-label': title, tabindex: -1, 'data-index': index },
      [element('span', { class: 'passed', 'aria-hidden': 'true' }), element('span', { class: 'name' }, [name])],
    );
    button.addEventListener('click', () => {
      onPick(index);
    });
    return button;
  };

  return {
    node,
    show: (episode, next) => {
      segments = next;
      current = -1;
      buttons = next.map((segment, index) => made(episode, segment, index));
      node.replaceChildren(...buttons);
    },
    setWidths: (widthBy) => {
      for (const [index, segment] of segments.entries())
        buttons[index]?.style.setProperty('flex-grow', String(widthOf(segment, widthBy)));
    },
    setHead: ({ index, part }) => {
      if (index !== current) {
        for (const [place, button] of buttons.entries()) {
          button.toggleAttribute('data-past', place < index);
          button.setAttribute('tabindex', place === index ? '0' : '-1');
          if (place === index) button.setAttribute('aria-current', 'step');
          else button.removeAttribute('aria-current');
          button.style.setProperty('--passed', '0%');
        }
        current = index;
        buttons[index]?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      }
      buttons[index]?.style.setProperty('--passed', `${part * 100}%`);
    },
  };
}
