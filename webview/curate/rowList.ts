/**
 * The rows behind a bar: a virtual list with reason, judge's score and the user's verdict, and below it the row that the
 * keyboard stands on in full. Enter opens its transcript; k, d and u keep it, drop it, take the verdict back.
 * Leaves out where rows come from (rowPages.ts) and keeping verdicts.
 */
import { countText, numberText } from '../../src/base/numberText.ts';
import { curateTexts as texts, filterTexts } from '../../src/protocol/curateTexts.ts';
import type { CurationRow, CurationStage } from '../../src/protocol/curation.ts';
import { element } from '../ui/dom.ts';
import { makeVirtualList } from '../ui/virtualList.ts';
import type { RowList } from './pageState.ts';
import { makeRowDetails, wordOf } from './rowDetails.ts';
import type { RowPages } from './rowPages.ts';

/** What a verdict can become. */
export type Verdict = CurationRow['overruled'];

/** What the list asks of the page. */
export interface RowListEvents {
  readonly pages: RowPages;
  /** What the last verdict did, with its Undo: stands below the rows, also when none is left. */
  readonly status: HTMLElement;
  readonly onOpen: (row: CurationRow) => void;
  readonly onVerdict: (row: CurationRow, verdict: Verdict) => void;
  readonly onAt: (index: number) => void;
}

/** The list on the page. */
export interface RowListView {
  readonly node: HTMLElement;
  /** Shows another list, from its start or from where an earlier life of the page stood. */
  show(list: RowList | null, stage: CurationStage, at: number): void;
  /** Rows came in; place and scroll position stay. */
  filled(): void;
  /** Gives it the keyboard. */
  focus(): void;
}

const rowHeightPx = 26;

/** Makes the list, empty. */
export function makeRowList(events: RowListEvents): RowListView {
  const { pages } = events;
  let list: RowList | null = null;
  let stage: CurationStage = 'sft';
  /** Where an earlier life stood, until rows are there. */
  let wanted: number | null = null;

  const heading = element('h2', { tabindex: -1 }, []);
  const standing = element('p', { class: 'standing', 'aria-live': 'polite' }, [texts.chooseBar]);
  const columns = ['question', 'step', 'right', 'calls', 'reason', 'judge', 'verdict'] as const;
  const head = element(
    'div',
    { role: 'row', class: 'row head', 'aria-rowindex': 1 },
    columns.map((column) => element('div', { role: 'columnheader', class: `cell ${column}` }, [texts.columns[column]])),
  );
  const details = makeRowDetails({
    onOpen: events.onOpen,
    onVerdict: (row, verdict) => {
      events.onVerdict(row, verdict);
      grid.node.focus();
    },
  });
  const cell = (column: (typeof columns)[number], text: string, label: string | null = null): HTMLElement =>
    element(
      'div',
      { role: 'gridcell', class: `cell ${column}`, 'aria-label': label, title: text === '' ? null : text },
      [text],
    );
  const cells = (index: number): readonly HTMLElement[] => {
    const row = pages.row(index);
    if (row === null) return columns.map((column) => cell(column, column === 'question' ? texts.notLoaded : ''));
    return [
      cell('question', row.question),
      cell('step', String(row.step)),
      cell('right', rightText(row), rightSpoken(row)),
      cell('calls', countText(row.calls)),
      cell('reason', row.reason === '' ? wordOf(row) : row.reason),
      cell('judge', row.judgement === null ? '' : numberText(row.judgement.score)),
      cell('verdict', row.overruled === null ? '' : texts.verdicts[row.overruled]),
    ];
  };
  const verdictOf: Readonly<Record<string, Verdict>> = { k: 'keep', d: 'drop', u: null };
  const grid = makeVirtualList(head, {
    id: 'curated',
    label: texts.listLabel(''),
    rowHeightPx,
    cells,
    onSight: (first, end) => {
      pages.want(first, end);
    },
    onPick: (index) => {
      const row = pages.row(index);
      if (row !== null) events.onOpen(row);
    },
    onClick: () => undefined,
    onCurrent: (index) => {
      events.onAt(index);
      details.show(pages.row(index));
    },
    onKey: (key, index) => {
      const row = pages.row(index);
      if (!(key in verdictOf) || row === null) return false;
      events.onVerdict(row, verdictOf[key] ?? null);
      return true;
    },
  });
  grid.node.addEventListener('dblclick', () => {
    const row = pages.row(grid.current());
    if (row !== null) events.onOpen(row);
  });
  const hint = element('p', { class: 'hint', 'aria-hidden': 'true' }, [texts.listHint]);
  const node = element('section', { class: 'rowList', id: 'rows', 'aria-label': texts.rowsOf('') }, [
    heading,
    standing,
    grid.node,
    hint,
    events.status,
    details.node,
  ]);
  const nameOf = (): string => (list === null ? '' : listName(list));
  const setEmpty = (empty: boolean): void => {
    grid.node.hidden = empty;
    hint.hidden = empty;
    details.node.hidden = empty;
  };
  setEmpty(true);

  return {
    node,
    focus: () => {
      (grid.node.hidden ? heading : grid.node).focus();
    },
    show: (nextList, nextStage, at) => {
      [list, stage, wanted] = [nextList, nextStage, at];
      heading.textContent = list === null ? '' : texts.rowsOf(nameOf());
      node.setAttribute('aria-label', texts.rowsOf(nameOf()));
      grid.node.setAttribute('aria-label', texts.listLabel(nameOf()));
      if (list === null) {
        standing.textContent = texts.chooseBar;
        setEmpty(true);
      } else standing.textContent = texts.computing;
    },
    filled: () => {
      if (list === null) return;
      const { total } = pages;
      const said = total === 0 ? texts.noRows(nameOf()) : texts.listed(stage, total, nameOf());
      if (standing.textContent !== said) standing.textContent = said;
      const had = document.activeElement === grid.node;
      setEmpty(total === 0);
      // A list that is emptied by a verdict must not lose the keyboard.
      if (had && total === 0) heading.focus();
      // A short list leaves its room to the row below it.
      grid.node.style.setProperty('height', `${(total + 1) * rowHeightPx + 2}px`);
      if (wanted === null) grid.resize(total);
      else grid.resize(total, wanted);
      wanted = null;
      details.show(total === 0 ? null : pages.row(grid.current()));
    },
  };
}

function listName(list: RowList): string {
  if (list === 'kept') return texts.kept;
  return list === 'by hand' ? texts.byHand : filterTexts[list].name;
}

function rightText({ correct, rollouts }: CurationRow): string {
  if (correct === null) return '?';
  if (rollouts === 1) return correct === 1 ? '✓' : '✗';
  return `${countText(correct)}/${countText(rollouts)}`;
}

function rightSpoken({ correct, rollouts }: CurationRow): string {
  if (correct === null) return 'not known';
  if (rollouts === 1) return correct === 1 ? 'right' : 'wrong';
  return `${countText(correct)} of ${countText(rollouts)} right`;
}
