/**
 * Whoever asks why on the page, and the card that answers: marks of charts, points over steps, numbers of lists.
 * Leaves out the card (whyCard.ts) and the sums (whySums.ts, explanations.ts).
 */
import type { ChartsHostApi } from '../../src/protocol/charts.ts';
import type { RunId } from '../../src/protocol/engine.ts';
import type { Client } from '../../src/protocol/rpc.ts';
import type { FigureEvents } from './figure.ts';
import { makeExplanations, type Explanations } from './explanations.ts';
import type { SampleColumn } from '../../src/protocol/samples.ts';
import type { PanelContext, PanelInput, Selection, WhyRequest } from './panelChart.ts';
import type { PlotEvents } from './plotKeys.ts';
import { wholeRun } from './selection.ts';
import type { StepValue } from './stepValues.ts';
import { makeWhyCard, type WhyCard } from './whyCard.ts';
import { stepWhy } from './whySums.ts';

/** What the page gives and does. */
export interface PageWhyOptions {
  readonly api: Client<ChartsHostApi>;
  readonly input: () => PanelInput;
  readonly openKey: (run: RunId, key: number) => void;
  /** Looks at another run and selection. */
  readonly goTo: (focus: RunId, selection: Selection) => void;
  /** Columns are needed that were not before: `wantColumns`. */
  readonly onNeed: () => void;
  readonly showError: (error: unknown) => void;
}

/** The card of the page and its askers. */
export interface PageWhy extends Pick<PanelContext, 'whyStep' | 'showWhy' | 'leaveWhy'> {
  readonly node: HTMLElement;
  readonly explanations: Explanations;
  readonly dismiss: WhyCard['dismiss'];
  readonly onSpot: PlotEvents['onWhy'];
  /** For a chart over steps, whose values are made so. */
  onPoint(value: StepValue): FigureEvents['onWhy'];
  /** Adds the columns that sums were asked for. */
  wantColumns(add: (run: RunId, columns: readonly SampleColumn[]) => void): void;
  /** Rollouts were read, or what is looked at changed: the open card tells them. */
  readonly renew: WhyCard['renew'];
}

/** What is asked why, beside what. */
interface Question extends Omit<WhyRequest, 'from'> {
  readonly box: DOMRect;
  readonly from: HTMLElement | SVGElement;
}

/** Makes it with the card closed. */
export function makePageWhy({ api, input, openKey, goTo, onNeed, showError }: PageWhyOptions): PageWhy {
  const explanations = makeExplanations(api);
  const card = makeWhyCard(explanations, {
    onOpen: openKey,
    onOpenRef: (ref) => {
      api.openRollout({ ref }).catch(showError);
    },
  });
  const ask = ({ how, title, box, from, make }: Question): void => {
    const asked = () => {
      const why = make();
      return why && { title, why, box, from };
    };
    if (how === 'rest') card.rest(asked, `${title} ${Math.round(box.left)} ${Math.round(box.top)}`);
    else card.pin(asked);
  };
  const whyStep: PanelContext['whyStep'] = (run, at) => {
    const shown = input();
    const found = shown.runs.find(({ id }) => id === run);
    if (!found) return null;
    need(run, at.value.columns);
    const select = (): void => {
      goTo(run, { ...wholeRun, steps: [at.step, at.step] });
    };
    return stepWhy(shown, found, { ...at, select });
  };
  const needed = new Map<RunId, Set<SampleColumn>>();
  const need = (run: RunId, columns: readonly SampleColumn[]): void => {
    const known = needed.get(run) ?? new Set();
    needed.set(run, known);
    const before = known.size;
    for (const column of ['key', 'step', ...columns] as const) known.add(column);
    // After the card is shown, which waits for them.
    if (known.size > before) queueMicrotask(onNeed);
  };
  return {
    node: card.node,
    explanations,
    dismiss: card.dismiss,
    leaveWhy: card.leave,
    whyStep,
    showWhy: (asked) => {
      ask({ ...asked, box: asked.from.getBoundingClientRect() });
    },
    onSpot: ({ why, spoken }, asked) => {
      if (why) ask({ ...asked, title: spoken, make: why });
      else card.leave();
    },
    onPoint:
      (value) =>
      ({ run, step }, { drawn, ...asked }) => {
        ask({ ...asked, make: () => whyStep(run, { step, value, drawn }) });
      },
    wantColumns: (add) => {
      for (const [run, columns] of needed) add(run, [...columns]);
    },
    renew: card.renew,
  };
}
