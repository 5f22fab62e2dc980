/**
 * The list of the selected rollouts, largest push first: numbers come from the columns at once, the question of the rows
 * in sight is asked for by key. Enter or a click opens the transcript, g (or the button) selects the group.
 * Leaves out which rows are selected and their order (selection.ts).
 */
import { countText, notKnown, rewardText, signedText } from '../../src/base/numberText.ts';
import { verdictSign } from '../../src/protocol/texts.ts';
import type { SampleColumn } from '../../src/protocol/samples.ts';
import { button } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import { makeVirtualList } from '../ui/virtualList.ts';
import { goToSection } from './pageHead.ts';
import { contributionColumnNames, contributionsOfSamples, pushOf } from './contributionColumns.ts';
import type { PanelContext, PanelInput, Selection, Why } from './panelChart.ts';
import { placesOfSamples } from './planeColumns.ts';
import { csvOfRows } from './csv.ts';
import { listedByPush, type ListSort } from './sampleOrder.ts';
import { hasColumns } from './samples.ts';
import { makeSampleTexts } from './sampleTexts.ts';
import {
  modeOf,
  partText,
  regionText,
  rolloutsText,
  sampleSorts,
  selectedRows,
  sortedRows,
  stepsText,
  type SampleSort,
} from './selection.ts';
import { watchSight } from './sight.ts';
import { modeNames } from './weights.ts';
import { rolloutWhy } from './whySums.ts';

/** Columns of the list; those of the contributions too, since it is sorted by push. */
export const listColumnNames = [
  ...contributionColumnNames,
  'key',
  'group',
  'correct',
  'calls',
  'redundantCalls',
  'accReward',
] as const satisfies readonly SampleColumn[];

/** What the list asks of the page. */
export interface SampleListEvents extends Pick<
  PanelContext,
  'api' | 'select' | 'open' | 'showWhy' | 'leaveWhy' | 'showError'
> {
  readonly onSort: (sort: ListSort) => void;
  readonly onExport: (name: string, csv: string) => void;
  readonly onSeen: () => void;
}

/** The list on the page. */
export interface SampleList {
  readonly node: HTMLElement;
  update(input: PanelInput, sort: ListSort): void;
}

const rowHeightPx = 26;
/** Cells whose number is a sum that can be shown. */
const explained = '.cell.reward, .cell.accAdvantage, .cell.toolAdvantage, .cell.push';
/** Sorting anew while a slider moves would shuffle rows under the pointer. */
const settleMs = 120;
const heads: Readonly<Record<SampleSort, string>> = {
  step: 'step',
  calls: 'T',
  reward: 'r',
  accAdvantage: 'A_acc',
  toolAdvantage: 'A_tool',
  push: 'push',
  redundant: '⚠',
};
const spokenHeads: Readonly<Record<SampleSort, string>> = {
  step: 'training step',
  calls: 'T, calls',
  reward: 'reward',
  accAdvantage: 'A_acc',
  toolAdvantage: 'A_tool',
  push: 'size of the push',
  redundant: 'redundant calls',
};

/** Makes an empty list. */
export function makeSampleList(events: SampleListEvents): SampleList {
  let input: PanelInput | null = null;
  let sort = listedByPush;
  let rows: Uint32Array = new Uint32Array(0);
  let dirty = false;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let key: readonly unknown[] = [];

  const texts = makeSampleTexts(events.api, {
    onTexts: () => {
      fillQuestions();
    },
    onError: events.showError,
  });
  const sentence = element('p', { class: 'sentence', 'aria-live': 'polite' });
  const sortButtons = sampleSorts.map((by) => {
    const made = element('button', { type: 'button', class: 'sort' }, [heads[by]]);
    made.addEventListener('click', () => {
      events.onSort({ by, order: sort.by === by && sort.order === 'down' ? 'up' : 'down' });
    });
    return { by, made, cell: element('div', { role: 'columnheader', class: `cell ${by}` }, [made]) };
  });
  const cellOf = (by: SampleSort): HTMLElement =>
    sortButtons.find((one) => one.by === by)?.cell ?? element('div', { role: 'columnheader' });
  const order: readonly SampleSort[] = [
    'step',
    'calls',
    'reward',
    'accAdvantage',
    'toolAdvantage',
    'push',
    'redundant',
  ];
  const head = element('div', { role: 'row', class: 'row head', 'aria-rowindex': 1 }, [
    element('div', { role: 'columnheader', class: 'cell question' }, ['question']),
    ...order.map(cellOf),
    element(
      'div',
      { role: 'columnheader', class: 'cell members', 'aria-label': 'group', title: 'Select its group (g)' },
      ['▸'],
    ),
  ]);

  const columns = () => {
    const found = input?.focus?.samples?.columns;
    return found && hasColumns(found, listColumnNames) ? found : null;
  };
  const cell = (name: string, text: string, label: string | null = null): HTMLElement =>
    element(
      'div',
      { role: 'gridcell', class: `cell ${name}`, title: name === 'question' ? text : null, 'aria-label': label },
      [text],
    );
  const why = (index: number, how: 'rest' | 'pin', from: HTMLElement): void => {
    const [row, of] = [rows[index], columns()];
    if (row === undefined || !of) return;
    const title = `${texts.of(of.key[row] ?? NaN) ?? 'rollout'}, step ${of.step[row] ?? 0}`;
    const make = (): Why | null => (input?.focus ? rolloutWhy(input, input.focus, row) : null);
    events.showWhy({ how, from, title, make });
  };
  const list = makeVirtualList(head, {
    id: 'sample',
    label: 'Rollouts in the selection; Enter opens one, g selects its group, w says why its numbers are what they are',
    rowHeightPx,
    cells: (index) => {
      const [row, of] = [rows[index] ?? 0, columns()];
      const contributions = input ? contributionsOfSamples(input.focus?.samples ?? null, input.mode) : null;
      if (!of || !contributions || !input) return [];
      const verdict = of.correct[row] === 2 ? null : of.correct[row] === 1;
      const redundant = of.redundantCalls[row] ?? 0;
      const members = element(
        'button',
        { type: 'button', tabindex: -1, title: 'Select its group (g)', 'aria-label': 'Select its group' },
        ['▸'],
      );
      members.addEventListener('click', () => {
        events.select({ group: of.group[row] ?? null });
      });
      const right = verdict === null ? 'not known' : verdict ? 'right' : 'wrong';
      return [
        cell('question', texts.of(of.key[row] ?? NaN) ?? '…'),
        cell('step', String(of.step[row] ?? '')),
        cell('calls', countText(of.calls[row] ?? 0)),
        cell(
          'reward',
          `${verdictSign(verdict)} ${rewardText(of.accReward[row] ?? NaN)}`,
          `${right}, ${rewardText(of.accReward[row] ?? NaN)}`,
        ),
        cell('accAdvantage', signedText(of.accAdvantage[row] ?? NaN)),
        cell('toolAdvantage', signedText(of.toolAdvantage[row] ?? NaN)),
        cell('push', signedText(pushOf(contributions, input.weights, row))),
        cell(
          'redundant',
          redundant === 0 ? '' : `⚠ ${redundant}`,
          redundant === 0 ? 'no redundant calls' : `${redundant} redundant`,
        ),
        element('div', { role: 'gridcell', class: 'cell members' }, [members]),
      ];
    },
    onSight: (first, end) => {
      const of = columns();
      const run = input?.focus?.id;
      if (of && run !== undefined)
        texts.want(
          run,
          Array.from(rows.subarray(first, end), (row) => of.key[row] ?? NaN),
        );
    },
    onPick: (index) => {
      const row = rows[index];
      if (row !== undefined) events.open(row);
    },
    onKey: (pressed, index) => {
      const [row, of] = [rows[index], columns()];
      if (row === undefined || !of) return false;
      if (pressed === 'w') why(index, 'pin', list.node);
      else if (pressed === 'g') events.select({ group: of.group[row] ?? null });
      else return false;
      return true;
    },
  });
  list.node.addEventListener('pointermove', (event) => {
    const number = event.target instanceof Element ? event.target.closest(explained) : null;
    const index = Number(number?.closest('[data-index]')?.getAttribute('data-index') ?? NaN);
    if (number instanceof HTMLElement && !Number.isNaN(index)) why(index, 'rest', number);
    else events.leaveWhy();
  });
  list.node.addEventListener('pointerleave', events.leaveWhy);
  list.node.addEventListener('scroll', events.leaveWhy);
  const fillQuestions = (): void => {
    const of = columns();
    if (!of) return;
    for (const shown of list.node.querySelectorAll<HTMLElement>('.row[data-index]')) {
      const text = texts.of(of.key[rows[Number(shown.dataset['index'])] ?? 0] ?? NaN);
      const question = shown.querySelector('.question');
      if (text === null || !question || question.textContent === text) continue;
      question.textContent = text;
      question.setAttribute('title', text);
    }
  };

  const update = (): void => {
    timer = null;
    if (!input) return;
    dirty = sight() === 'out';
    if (dirty) return;
    const of = columns();
    const contributions = contributionsOfSamples(input.focus?.samples ?? null, input.mode);
    list.node.hidden = !of || !contributions;
    if (!of || !contributions) {
      sentence.textContent = input.focus ? 'Reading the rollouts…' : 'Choose a run above.';
      return;
    }
    const { selection, weights, focus } = input;
    const next = [focus?.samples, selection, weights.acc, weights.tool, input.mode, sort.by, sort.order];
    if (next.every((part, index) => part === key[index])) return;
    key = next;
    const plane = selection.part === null ? null : placesOfSamples(focus?.samples ?? null);
    const chosenIn = contributionsOfSamples(focus?.samples ?? null, modeOf(selection, input.mode)) ?? contributions;
    const found = selectedRows(selection, { contributions: chosenIn, weights, group: of.group, plane });
    const keys: Readonly<Record<SampleSort, (row: number) => number>> = {
      push: (row) => Math.abs(pushOf(contributions, weights, row)),
      step: (row) => of.step[row] ?? NaN,
      calls: (row) => of.calls[row] ?? NaN,
      reward: (row) => of.accReward[row] ?? NaN,
      accAdvantage: (row) => of.accAdvantage[row] ?? NaN,
      toolAdvantage: (row) => of.toolAdvantage[row] ?? NaN,
      redundant: (row) => of.redundantCalls[row] ?? NaN,
    };
    rows = sortedRows(found, keys[sort.by], sort.order);
    for (const { by, cell: shown, made } of sortButtons) {
      const sorted = sort.by === by ? (sort.order === 'down' ? 'descending' : 'ascending') : 'none';
      shown.setAttribute('aria-sort', sorted);
      made.setAttribute('aria-label', `${spokenHeads[by]}, sort`);
      made.textContent = `${heads[by]}${sort.by === by ? (sort.order === 'down' ? ' ▾' : ' ▴') : ''}`;
    }
    sentence.textContent = listSentence(selection, rows.length, list.most, sort);
    links.hidden = selection.group === null;
    list.reset(rows.length);
  };

  const links = element('p', { class: 'links', hidden: true }, [
    linkTo('chart-group', 'Side by side', 'Go to all rollouts of this group as columns'),
    linkTo('chart-biography', 'Its prompt over the steps', 'Go to the biography of its prompt'),
  ]);
  const exportRows = (): void => {
    const of = columns();
    if (!of || !input?.focus) return;
    const contributions = contributionsOfSamples(input.focus.samples, input.mode);
    if (!contributions) return;
    const { acc, tool } = input.weights;
    const numbers: readonly (readonly [title: string, value: (row: number) => number])[] = [
      ['step', (row) => of.step[row] ?? NaN],
      ['key', (row) => of.key[row] ?? NaN],
      ['group', (row) => of.group[row] ?? NaN],
      ['correct', (row) => (of.correct[row] === 2 ? NaN : (of.correct[row] ?? NaN))],
      ['calls', (row) => of.calls[row] ?? NaN],
      ['redundant_calls', (row) => of.redundantCalls[row] ?? NaN],
      ['acc_reward', (row) => of.accReward[row] ?? NaN],
      ['acc_advantage', (row) => of.accAdvantage[row] ?? NaN],
      ['tool_advantage', (row) => of.toolAdvantage[row] ?? NaN],
      ['acc_push', (row) => (contributions.acc[row] ?? NaN) * acc],
      ['tool_push', (row) => (contributions.tool[row] ?? NaN) * tool],
    ];
    const value = (of_: (row: number) => number) => (index: number) => {
      const number = of_(rows[index] ?? 0);
      return Number.isNaN(number) ? null : number;
    };
    const table = {
      caption: '',
      rows: rows.length,
      columns: numbers.map(([title, of_]) => ({ title, value: value(of_), text: () => notKnown })),
    };
    events.onExport('samples.csv', csvOfRows(table));
  };

  const node = element('section', { class: 'figure samples', id: 'chart-samples', 'aria-label': 'Selected rollouts' }, [
    element('header', {}, [
      element('h2', {}, ['Selected rollouts']),
      button({ label: 'Export', title: 'Export selected rollouts as CSV', onClick: exportRows }),
    ]),
    sentence,
    links,
    list.node,
  ]);
  const sight = watchSight(node, {
    onFirst: events.onSeen,
    onView: () => {
      if (dirty) update();
    },
  });

  return {
    node,
    update: (nextInput, nextSort) => {
      const weightsOnly =
        input !== null && input.weights !== nextInput.weights && input.selection === nextInput.selection;
      [input, sort] = [nextInput, nextSort];
      if (timer) clearTimeout(timer);
      if (weightsOnly) timer = setTimeout(update, settleMs);
      else update();
    },
  };
}

function linkTo(id: string, label: string, title: string): HTMLElement {
  const made = element('button', { type: 'button', class: 'crumb', title }, [label]);
  made.addEventListener('click', () => {
    goToSection(id);
  });
  return made;
}

/** "1,536 rollouts in steps 15 to 20, accuracy push +0.80 to +1.07; largest push first." */
function listSentence(selection: Selection, count: number, most: number, sort: ListSort): string {
  const { steps, region, part, group } = selection;
  const where = [
    steps === null ? 'all steps' : stepsText(steps),
    ...(region === null ? [] : [`${regionText(region)} (${modeNames[region.mode]})`]),
    ...(part === null ? [] : [partText(part)]),
    ...(group === null ? [] : ['one group']),
  ].join(', ');
  const cut = count > most ? `; the first ${countText(most)} are listed` : '';
  const how =
    sort.by === 'push' && sort.order === 'down'
      ? 'largest push first'
      : `by ${spokenHeads[sort.by]}, ${sort.order === 'down' ? 'largest' : 'smallest'} first`;
  return `${rolloutsText(count)} in ${where}; ${how}${cut}.`;
}
