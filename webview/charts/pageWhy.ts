/**
 * Whoever asks why on the page, and the card that answers: marks of charts, points over steps, numbers of lists.
 * Leaves out the card (whyCard.ts) and the sums (whySums.ts, explanations.ts).
 */
import type { ChartsHostApi } from '../../src/protocol/charts.ts';
import type { RunId } from '../../src/protocol/engine.ts';
import type { Client } from '../../src/protocol/rpc.ts';
import type { FigureEvents } from './figure.ts';
import { makeExplanations, type Explanations } from './explanations.ts';
import type { PanelContext, PanelInput, Selection, Why, WhyRequest } from './panelChart.ts';
import type { PlotEvents } from './plotKeys.ts';
import { wholeRun } from './selection.ts';
import { makeWhyCard, type WhyCard } from './whyCard.ts';
import { stepWhy } from './whySums.ts';

/** What the page gives and does. */
export interface PageWhyOptions {
  readonly api: Client<ChartsHostApi>;
  readonly input: () => PanelInput;
  readonly openKey: (run: RunId, key: number) => void;
  /** Looks at another run and selection. */
  readonly goTo: (focus: RunId, selection: Selection) => void;
  readonly showError: (error: unknown) => void;
}

/** The card of the page and its askers. */
export interface PageWhy extends Pick<PanelContext, 'whyStep' | 'showWhy' | 'leaveWhy'> {
  readonly node: HTMLElement;
  readonly explanations: Explanations;
  readonly dismiss: WhyCard['dismiss'];
  readonly onSpot: PlotEvents['onWhy'];
  /** For a chart over steps, whose formula is told. */
  onPoint(about: string): FigureEvents['onWhy'];
}

/** What is asked why, beside what. */
interface Question extends Omit<WhyRequest, 'from'> {
  readonly box: DOMRect;
  readonly from: HTMLElement | SVGElement;
}

/** Makes it with the card closed. */
export function makePageWhy({ api, input, openKey, goTo, showError }: PageWhyOptions): PageWhy {
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
    if (how === 'rest') {
      card.rest(asked, `${title} ${Math.round(box.left)} ${Math.round(box.top)}`);
      return;
    }
    const now = asked();
    if (now) card.pin(now);
  };
  const whyStep = (run: RunId, step: number): Why | null => {
    const shown = input();
    const found = shown.runs.find(({ id }) => id === run);
    if (!found) return null;
    const select = (): void => {
      goTo(run, { ...wholeRun, steps: [step, step] });
    };
    return stepWhy(shown, found, { step, select });
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
      (about) =>
      ({ run, step }, { title, ...asked }) => {
        ask({ ...asked, title: `${title}: ${about}`, make: () => whyStep(run, step) });
      },
  };
}
