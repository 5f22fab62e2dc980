/**
 * One column of the group view: the numbers of a rollout, each with the sum it comes from when it is rested on, and its
 * text from the first turn that differs, its calls as links. Log text: text nodes only.
 */
import { numberText, rewardText, signedText } from '../../src/base/numberText.ts';
import { rewardSum } from '../../src/protocol/arithmetic.ts';
import type { RolloutText } from '../../src/protocol/charts.ts';
import { verdictSign } from '../../src/protocol/texts.ts';
import { element } from '../ui/dom.ts';
import type { OrderedMember } from './groupOrder.ts';
import { linesOfTurns } from './rolloutTexts.ts';

/** Characters of a column's text: the transcript has all of it. */
const mostCharacters = 12_000;

/** The numbers of a rollout as a list of names and values; `onWhy` where one is rested on or pressed. */
export function memberNumbers(
  one: OrderedMember,
  onWhy: (from: HTMLElement, how: 'rest' | 'pin') => void,
): HTMLElement {
  const { member, acc, tool, push } = one;
  const { row } = member;
  const redundant = row.redundantCalls === 0 ? '' : `  ⚠ ${row.redundantCalls}`;
  const lines: readonly (readonly [name: string, value: string])[] = [
    ['right', `${verdictSign(row.correct)} ${row.correct === null ? 'not known' : row.correct ? 'right' : 'wrong'}`],
    ['r_acc', rewardSum(member, row.accReward)],
    ['r_tool', row.toolReward === null ? numberText(null) : rewardText(row.toolReward)],
    ['T', `${row.calls}${redundant}`],
    ['A_acc', signedText(row.accAdvantage)],
    ...(row.loggedAdvantage === null ? [] : [['logged', signedText(row.loggedAdvantage)] as const]),
    ['A_tool', signedText(row.toolAdvantage)],
    [
      'push',
      `${signedText(push)} = ${signedText(acc)} ${tool < 0 ? '−' : '+'} ${signedText(Math.abs(tool)).replace('+', '')}`,
    ],
    ...(member.masked ? [['loss', 'none on this rollout'] as const] : []),
  ];
  const list = element(
    'dl',
    {},
    lines.flatMap(([name, value]) => [element('dt', {}, [name]), element('dd', {}, [value])]),
  );
  list.addEventListener('pointermove', (event) => {
    const value = event.target instanceof Element ? event.target.closest('dd') : null;
    if (value instanceof HTMLElement) onWhy(value, 'rest');
  });
  list.addEventListener('click', (event) => {
    const value = event.target instanceof Element ? event.target.closest('dd') : null;
    if (value instanceof HTMLElement) onWhy(value, 'pin');
  });
  return list;
}

/** What a text is shown with. */
export interface TextOptions {
  /** Turns before this one are folded. */
  readonly first: number;
  readonly onCall: (call: number) => void;
}

/** The text from a turn on: headings of calls are links to the call in the transcript. */
export function textNodes(text: RolloutText, { first, onCall }: TextOptions): HTMLElement {
  const { line, lines } = linesOfTurns(text, { first, end: text.turns.length });
  const node = element('div', { class: 'text' });
  if (lines.length === 0) {
    node.textContent = text.turns.length === 0 ? '(no turns)' : '(nothing that differs)';
    return node;
  }
  const calls = new Map(text.calls.map((call) => [call.line - line, call.call]));
  let [plain, characters] = ['', 0];
  const flush = (): void => {
    if (plain !== '') node.append(plain);
    plain = '';
  };
  for (const [index, content] of lines.entries()) {
    characters += content.length + 1;
    if (characters > mostCharacters) {
      plain += '… more in its transcript';
      break;
    }
    const call = calls.get(index);
    if (call === undefined) {
      // The rule of a heading would wrap.
      plain += `${content.replace(/ ?─{4,}$/, '')}\n`;
      continue;
    }
    flush();
    const link = element('button', { type: 'button', class: 'crumb', title: 'Open the transcript at this call' }, [
      content.trim(),
    ]);
    link.addEventListener('click', () => {
      onCall(call);
    });
    node.append(link, '\n');
  }
  flush();
  return node;
}
