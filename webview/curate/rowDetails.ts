/**
 * One row in full: its question, the reason, the evidence, what the judge said, and the buttons that the list's keys
 * stand for. Log text is text. Leaves out the list.
 */
import { curateTexts as texts, factName, factText } from '../../src/protocol/curateTexts.ts';
import type { CurationRow } from '../../src/protocol/curation.ts';
import { button } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';

/** What the buttons do. */
export interface RowDetailsEvents {
  readonly onOpen: (row: CurationRow) => void;
  readonly onVerdict: (row: CurationRow, verdict: CurationRow['overruled']) => void;
}

/** The row on the page. */
export interface RowDetails {
  readonly node: HTMLElement;
  /** Null for a row that is not loaded: what was shown stays away. */
  show(row: CurationRow | null): void;
}

const mostCharacters = 600;

/** What stands for a reason where the filters give none. */
export function wordOf({ overruled }: CurationRow): string {
  return overruled === null ? texts.keptReason : texts.yourVerdict[overruled];
}

/** Makes the part, empty. */
export function makeRowDetails(events: RowDetailsEvents): RowDetails {
  let row: CurationRow | null = null;
  const withRow = (work: (shown: CurationRow) => void) => () => {
    if (row !== null) work(row);
  };
  const facts = element('dl', { class: 'facts' });
  const verdict = (name: 'keep' | 'drop' | 'takeBack') => {
    const [label, title] = {
      keep: [texts.keep, texts.keepTitle],
      drop: [texts.drop, texts.dropTitle],
      takeBack: [texts.takeBack, texts.takeBackTitle],
    }[name] as [string, string];
    return button({
      label,
      title,
      onClick: withRow((shown) => {
        events.onVerdict(shown, name === 'takeBack' ? null : name);
      }),
    });
  };
  const takeBack = verdict('takeBack');
  const actions = element('div', { class: 'actions' }, [
    button({ label: texts.open, title: texts.openTitle, onClick: withRow(events.onOpen) }),
    verdict('keep'),
    verdict('drop'),
    takeBack,
  ]);
  const node = element('div', { class: 'details' }, [facts, actions]);
  return {
    node,
    show: (next) => {
      row = next;
      node.classList.toggle('empty', next === null);
      takeBack.hidden = next === null || next.overruled === null;
      facts.replaceChildren(...(next === null ? [] : factsOf(next)));
    },
  };
}

function factsOf(row: CurationRow): readonly HTMLElement[] {
  const fact = (name: string, value: string): readonly HTMLElement[] => [
    element('dt', {}, [name]),
    element('dd', {}, [value]),
  ];
  return [
    ...fact(texts.columns.question, cut(row.question)),
    ...fact(texts.columns.reason, row.reason === '' ? wordOf(row) : row.reason),
    ...row.evidence.flatMap(({ name, value }) => fact(factName(name), cut(factText(value)))),
    ...(row.judgement === null ? [] : fact(texts.columns.judge, texts.judgement(row.judgement))),
  ];
}

/** The whole of it is in the transcript. */
function cut(text: string): string {
  return text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters)}…`;
}
