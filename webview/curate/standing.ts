/**
 * The top of the page: which runs are curated, what is being done and how far it is (with Cancel), what went wrong, and
 * what to do where there is nothing to show. Leaves out doing it.
 */
import { curateTexts as texts } from '../../src/protocol/curateTexts.ts';
import type { CurateProgress, CurateRun, CurateRuns, CurateWork } from '../../src/protocol/curatePage.ts';
import type { RunId } from '../../src/protocol/engine.ts';
import { button } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';

/** What its buttons do. */
export interface StandingEvents {
  readonly onChoose: () => void;
  readonly onOpen: () => void;
  readonly onCancel: (what: CurateWork) => void;
  readonly onAgain: () => void;
}

/** The top of the page. */
export interface Standing {
  readonly node: HTMLElement;
  /** All open runs, the ids that were chosen, and those of them that are open. */
  setRuns(open: Omit<CurateRuns, 'asked'>, wanted: readonly RunId[], chosen: readonly CurateRun[]): void;
  setWork(progress: CurateProgress): void;
  endWork(what: CurateWork): void;
  /** Nothing is shown yet and counts are on their way. */
  setCounting(counting: boolean): void;
  /** Reading was cancelled by the user. */
  setStopped(): void;
  /** A sentence with what to do; null for none. */
  setProblem(sentence: string | null): void;
  /** Says what was just done. */
  say(sentence: string): void;
}

/** Makes the top of the page. */
export function makeStanding(events: StandingEvents): Standing {
  const runs = element('p', { class: 'runs' }, [texts.searching]);
  const note = element('p', { class: 'note', hidden: true });
  const choose = button({ label: texts.chooseRuns, title: texts.chooseRunsTitle, onClick: events.onChoose });
  const openRun = button({ label: texts.openRun, title: texts.openRunTitle, onClick: events.onOpen });
  openRun.hidden = true;
  const works = element('div', { class: 'works' });
  const shown = new Map<CurateWork, { readonly node: HTMLElement; readonly text: HTMLElement }>();
  const counting = element('p', { class: 'note', role: 'status', hidden: true }, [texts.computing]);
  const stopped = element('div', { class: 'work', hidden: true }, [
    element('span', {}, [texts.stopped]),
    button({ label: texts.readOn, title: texts.readOnTitle, onClick: events.onAgain }),
  ]);
  const sentence = element('span', {});
  const problem = element('div', { class: 'problem', role: 'alert', hidden: true }, [
    sentence,
    button({ label: texts.tryAgain, title: texts.tryAgainTitle, onClick: events.onAgain }),
  ]);
  const said = element('p', { class: 'saidLast', role: 'status' });
  const node = element('div', { class: 'standing' }, [
    element('div', { class: 'line' }, [runs, choose, openRun]),
    note,
    works,
    stopped,
    counting,
    problem,
    said,
  ]);

  return {
    node,
    setRuns: (open, wanted, chosen) => {
      const none = open.runs.length === 0;
      choose.hidden = none;
      openRun.hidden = !none || open.searching;
      runs.textContent = runsSentence(open, wanted, chosen);
      const indexing = chosen.filter((run) => run.indexing).map(({ name }) => name);
      note.hidden = indexing.length === 0;
      note.textContent = indexing.length === 0 ? '' : texts.indexing(indexing);
    },
    setWork: (progress) => {
      const { what } = progress;
      stopped.hidden = true;
      const known = shown.get(what);
      if (known) {
        known.text.textContent = texts.working(progress);
        return;
      }
      const text = element('span', { role: 'status' }, [texts.working(progress)]);
      const cancel = button({
        label: texts.cancel,
        title: texts.cancelTitle(what),
        onClick: () => {
          events.onCancel(what);
        },
      });
      const made = element('div', { class: 'work', 'data-work': what }, [text, cancel]);
      shown.set(what, { node: made, text });
      works.append(made);
    },
    endWork: (what) => {
      shown.get(what)?.node.remove();
      shown.delete(what);
    },
    setCounting: (busy) => {
      counting.hidden = !busy || shown.has('reading');
      if (busy) stopped.hidden = true;
    },
    setStopped: () => {
      stopped.hidden = false;
    },
    setProblem: (text) => {
      problem.hidden = text === null;
      sentence.textContent = text ?? '';
    },
    say: (text) => {
      said.textContent = text;
    },
  };
}

function runsSentence(
  { runs, searching }: Omit<CurateRuns, 'asked'>,
  wanted: readonly RunId[],
  chosen: readonly CurateRun[],
): string {
  if (chosen.length > 0) {
    const rollouts = chosen.reduce((sum, run) => sum + run.rollouts, 0);
    return texts.curated(
      chosen.map(({ name }) => name),
      rollouts,
    );
  }
  if (searching) return texts.searching;
  if (runs.length === 0) return texts.noRuns;
  return wanted.length > 0 ? texts.gone : texts.noneChosen;
}
