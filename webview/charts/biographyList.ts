/**
 * The moments of a prompt as a list: step, solved or not, Q, T and the range of both advantages. Enter selects the group of
 * a moment, c (or its button) marks it; two that are marked open in the diff. Leaves out the curves (biographyChart.ts).
 */
import { countText, numberText, signedText } from '../../src/base/numberText.ts';
import type { BiographyMoment } from '../../src/protocol/groupView.ts';
import { element } from '../ui/dom.ts';
import { makeVirtualList } from '../ui/virtualList.ts';
import { selectMoment, typicalRollout } from './moments.ts';
import { makePair } from './pair.ts';
import type { PanelContext, PanelInput } from './panelChart.ts';

/** The list on the page. */
export interface BiographyList {
  readonly node: HTMLElement;
  update(input: PanelInput): void;
}

const rowHeightPx = 26;
const heads = ['step', 'solved', '|Q|', 'T', 'A_acc', 'A_tool', 'compare'];

/** Makes an empty list. */
export function makeBiographyList(context: PanelContext): BiographyList {
  let input: PanelInput | null = null;
  let moments: readonly BiographyMoment[] | null = null;
  let shown: unknown = null;
  let listed = '';

  const cell = (text: string | Node, label: string | null = null): HTMLElement =>
    element('div', { role: 'gridcell', class: 'cell', 'aria-label': label }, [text]);
  const head = element(
    'div',
    { role: 'row', class: 'row head', 'aria-rowindex': 1 },
    heads.map((text) => element('div', { role: 'columnheader', class: 'cell' }, [text])),
  );
  const pair = makePair(context, {
    onMarked: () => {
      list.refresh();
    },
  });
  const mark = (moment: BiographyMoment): void => {
    const typical = typicalRollout(moment);
    if (typical) pair.mark(typical.key, typical.ref);
  };
  const list = makeVirtualList(head, {
    id: 'moment',
    label: 'Steps in which the prompt was sampled; Enter selects its group there, c marks one to compare',
    rowHeightPx,
    cells: (index) => {
      const moment = moments?.[index];
      if (!moment) return [];
      const { step, correct, size, qualifying, callsMean, rollouts } = moment;
      const typical = typicalRollout(moment);
      const marked = typical !== null && pair.has(typical.key);
      const compare = element(
        'button',
        { type: 'button', tabindex: -1, class: 'crumb', 'aria-pressed': String(marked) },
        [marked ? 'marked' : 'compare'],
      );
      compare.addEventListener('click', () => {
        mark(moment);
      });
      const calls = rollouts.map((rollout) => rollout.calls);
      const own = moment.step === input?.group?.view?.step && moment.group === input.group.view.group;
      return [
        cell(`${own ? '◂ ' : ''}${countText(step)}`, own ? `${step}, the selected one` : null),
        cell(
          `${correct > 0 ? '✓' : '✗'} ${countText(correct)} of ${countText(size)}`,
          `${correct > 0 ? 'solved' : 'not solved'}, ${correct} of ${size} right`,
        ),
        cell(countText(qualifying)),
        cell(`${numberText(callsMean)} (${rangeText(calls, countText)})`),
        cell(
          rangeText(
            rollouts.map(({ accAdvantage }) => accAdvantage),
            signedText,
          ),
        ),
        cell(
          rangeText(
            rollouts.map(({ toolAdvantage }) => toolAdvantage),
            signedText,
          ),
        ),
        cell(compare),
      ];
    },
    onSight: () => undefined,
    onPick: (index) => {
      const moment = moments?.[index];
      if (moment && input) selectMoment(input, moment, context);
    },
    onKey: (key, index) => {
      const moment = moments?.[index];
      if (key !== 'c' || !moment) return false;
      mark(moment);
      return true;
    },
  });
  const body = element('div', { class: 'moments', hidden: true }, [pair.node, list.node]);

  return {
    node: element('div', { class: 'details' }, [body]),
    update: (next) => {
      input = next;
      moments = next.group?.moments ?? null;
      body.hidden = !moments || moments.length === 0;
      if (next.group === shown || !moments) return;
      shown = next.group;
      const now = moments.map(({ step, group }) => `${step} ${group}`).join('\n');
      // The same prompt at another step: place and mark stay, so that the keyboard goes on where it was.
      if (now === listed) {
        list.refresh();
        return;
      }
      listed = now;
      pair.clear();
      list.reset(moments.length);
    },
  };
}

/** "−1.08 to +0.86", or the one value they share. */
function rangeText(values: readonly (number | null)[], text: (value: number | null) => string): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return text(null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  return low === high ? text(low) : `${text(low)} to ${text(high)}`;
}
