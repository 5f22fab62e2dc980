/**
 * The right side: what the model would do at the start of this turn. P(call) with its estimator and interval, the
 * counterfactuals with their samples as they are written, and the information gain of each call.
 * Leaves out the branches that are kept (branchList.ts).
 */
import type { PlayerEpisode, PlayerSide } from '../../src/protocol/player.ts';
import { playerTexts as texts } from '../../src/protocol/playerTexts.ts';
import type { CallGain, DecisionPoint, Intervention } from '../../src/protocol/replay.ts';
import { button } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import type { SidedPoint } from './decisionCurve.ts';
import { isDecision } from './playhead.ts';

/** A sample as it grows. */
export interface LiveSample {
  readonly arm: 'intervention' | 'control';
  readonly sample: number;
  readonly text: string;
}

/** What the pane shows. */
export interface ModelPaneData {
  readonly episode: PlayerEpisode;
  readonly turn: number;
  readonly points: readonly SidedPoint[];
  readonly names: Readonly<Record<PlayerSide, string>>;
  /** True where the speaking model can be asked about this turn. */
  readonly ready: boolean;
  readonly otherReady: boolean;
  /** What runs, as a sentence; null for nothing. */
  readonly running: string | null;
  readonly live: readonly LiveSample[];
  readonly gains: readonly CallGain[] | null;
}

/** What can be asked for. */
export interface ModelPaneActions {
  readonly estimate: (side: PlayerSide) => void;
  readonly branch: (intervention: Intervention) => void;
  readonly gains: () => void;
  readonly cancel: () => void;
}

/** The pane on the page. */
export interface ModelPane {
  readonly node: HTMLElement;
  show(data: ModelPaneData): void;
  /** The samples alone, many times a second. */
  showLive(live: readonly LiveSample[], running: string | null): void;
}

const mostLive = 6;

/** Makes an empty pane. */
export function makeModelPane(actions: ModelPaneActions): ModelPane {
  const heading = element('h2', {}, [texts.would]);
  const decisions = element('div', { class: 'decisions' });
  const status = element('p', { class: 'running', role: 'status' });
  const stop = button({ label: texts.cancel, title: texts.cancel, onClick: actions.cancel });
  const progressRow = element('div', { class: 'row', hidden: true }, [status, stop]);
  const asks = element('div', { class: 'row' });
  const result = element('textarea', { 'aria-label': texts.otherResultLabel, rows: 3 });
  const resultForm = element('details', {}, [
    element('summary', {}, [texts.otherResult]),
    result,
    button({
      label: texts.otherResultRun,
      title: texts.otherResultLabel,
      onClick: () => {
        actions.branch({ kind: 'other result', text: result.value });
      },
    }),
  ]);
  const live = element('div', { class: 'live', 'aria-live': 'off' });
  const gains = element('div', { class: 'gains' });
  const node = element('section', { class: 'pane would', 'aria-label': texts.would }, [
    heading,
    decisions,
    asks,
    resultForm,
    progressRow,
    live,
    gains,
  ]);

  const showLive: ModelPane['showLive'] = (samples, running) => {
    progressRow.hidden = running === null;
    if (status.textContent !== (running ?? '')) status.textContent = running ?? '';
    // The latest ones: all are among the branches when they are done.
    live.replaceChildren(
      ...samples
        .slice(-mostLive)
        .map(({ arm, sample, text }) =>
          element('div', { class: 'sample' }, [
            element('p', { class: 'subtitle' }, [texts.running(texts.armNames[arm], sample)]),
            element('pre', { tabindex: 0 }, [text]),
          ]),
        ),
    );
  };

  return {
    node,
    showLive,
    show: (data) => {
      const { episode, turn, points, names, ready } = data;
      const here = episode.turns.find((one) => one.turn === turn);
      const decides = here !== undefined && isDecision(here);
      heading.textContent = names.main === '' ? texts.wouldWithout : texts.wouldOf(names.main);
      const own = points.filter(({ point }) => point.turn === turn);
      const empty = decides ? texts.noEstimate : texts.notDecision;
      const known = decides ? own.flatMap((one) => decisionNodes(one, names)) : [];
      decisions.replaceChildren(...(known.length === 0 ? [element('p', { class: 'subtitle' }, [empty])] : known));
      const busy = data.running !== null;
      const can = decides && ready;
      const calls = here !== undefined && here.calls.length > 0;
      asks.replaceChildren(
        ...(can ? askButtons(data, actions) : []),
        ...(ready && episode.calls.length > 0
          ? [disabledWhile(busy, button({ label: texts.gains, title: texts.gainsTitle, onClick: actions.gains }))]
          : []),
      );
      resultForm.hidden = !can || !calls;
      showLive(data.live, data.running);
      gains.replaceChildren(...gainNodes(data.gains));
    },
  };
}

function askButtons(data: ModelPaneData, { estimate, branch }: ModelPaneActions): readonly HTMLElement[] {
  const busy = data.running !== null;
  const { samples } = data.episode;
  const made = [
    button({
      label: texts.counterfactual,
      title: texts.counterfactualTitle,
      onClick: () => {
        branch({ kind: 'no call' });
      },
    }),
    button({
      label: texts.noTools,
      title: texts.noToolsTitle,
      onClick: () => {
        branch({ kind: 'no tools' });
      },
    }),
    button({
      label: texts.estimate(samples),
      title: texts.estimateTitle,
      onClick: () => {
        estimate('main');
        if (data.otherReady) estimate('other');
      },
    }),
  ];

  return made.map((one) => disabledWhile(busy, one));
}

function disabledWhile(busy: boolean, made: HTMLElement): HTMLElement {
  if (busy) made.setAttribute('disabled', '');
  return made;
}

function decisionNodes(
  { side, point }: SidedPoint,
  names: Readonly<Record<PlayerSide, string>>,
): readonly HTMLElement[] {
  return [
    element('p', { class: 'decision' }, [element('strong', {}, [texts.decision(point)])]),
    element('p', { class: 'subtitle' }, [
      [texts.decisionBy(point), ...(side === null ? [] : [names[side]]), choiceOf(point)].join(' · '),
    ]),
  ];
}

function choiceOf({ called }: DecisionPoint): string {
  return called ? texts.called : texts.answered;
}

function gainNodes(gains: readonly CallGain[] | null): readonly HTMLElement[] {
  if (gains === null) return [];
  return [
    element('h3', {}, [texts.gains]),
    element('p', { class: 'subtitle' }, [texts.gainsNote]),
    element(
      'ul',
      {},
      gains.map(({ call, gain, flagged, withCall, withoutCall }) =>
        element('li', { title: texts.gainDetail(withCall, withoutCall) }, [
          texts.gain(call + 1, gain, flagged),
          element('span', { class: 'subtitle' }, [` (${texts.gainDetail(withCall, withoutCall)})`]),
        ]),
      ),
    ),
  ];
}
