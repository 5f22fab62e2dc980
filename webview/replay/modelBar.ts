/**
 * Which models speak, how they run and whether their numbers are trusted: always on the page (invariant 10). Also what
 * went wrong, and what can be done about it. Leaves out what they say.
 */
import type { PlayerModel, PlayerSide } from '../../src/protocol/player.ts';
import { playerTexts as texts } from '../../src/protocol/playerTexts.ts';
import type { BackendFacts, LogprobVerdict } from '../../src/protocol/replay.ts';
import { button, progress } from '../ui/controls.ts';
import { element, type Child } from '../ui/dom.ts';
import { tableOf } from './decisionCurve.ts';

/** What a side's model can be asked to do. */
export interface ModelBarActions {
  readonly choose: (side: PlayerSide, which: 'ask' | 'bundled' | 'none') => void;
  readonly restart: (side: PlayerSide, on: 'same' | 'cpu') => void;
  readonly trust: () => void;
}

/** What the bar shows of one side. */
export interface ShownModel {
  readonly side: PlayerSide;
  readonly model: PlayerModel;
  readonly verdict: LogprobVerdict | null;
}

/** "policy after HDPO · f32 · webgpu ✓ checked against the CPU": a model in one line. */
export function speakingText(model: PlayerModel): string {
  if (model.state !== 'ready') return model.state === 'none' ? '' : model.name;
  return `${texts.speaking(model.name, model.facts)}${testedText(model.facts)}`;
}

function testedText({ selfTest }: BackendFacts): string {
  switch (selfTest?.verdict) {
    case 'same':
      return texts.tested;
    case 'different':
      return texts.untrusted;
    case 'slow':
      return texts.slow;
    case 'not needed':
    case undefined:
      return '';
  }
}

/** The nodes of one side. */
export function modelNodes({ side, model, verdict }: ShownModel, actions: ModelBarActions): readonly Child[] {
  const main = side === 'main';
  const choose = button({
    label: main ? texts.choose : texts.chooseOther,
    title: main ? texts.chooseTitle : texts.chooseOtherTitle,
    onClick: () => {
      actions.choose(side, 'ask');
    },
  });
  switch (model.state) {
    case 'none':
      if (!main) return [choose];
      if (model.reason !== null)
        return [
          element('p', {}, [model.reason]),
          button({ label: texts.trust, title: texts.trust, onClick: actions.trust }),
        ];
      return [
        element('p', {}, [texts.noModel]),
        button({
          label: texts.bundled,
          title: texts.bundled,
          onClick: () => {
            actions.choose(side, 'bundled');
          },
        }),
        choose,
      ];
    case 'loading':
      return [progress(texts.loading(model.name)), choose];
    case 'failed':
    case 'died':
      return [
        element('p', { class: 'problem', role: 'alert' }, [
          `${model.name}: `,
          [model.message, model.action ?? ''].filter((part) => part !== '').join(' '),
        ]),
        button({
          label: texts.restart,
          title: texts.restart,
          onClick: () => {
            actions.restart(side, 'same');
          },
        }),
        ...(model.offerCpu
          ? [
              button({
                label: texts.onCpu,
                title: texts.onCpu,
                onClick: () => {
                  actions.restart(side, 'cpu');
                },
              }),
            ]
          : []),
        choose,
      ];
    case 'ready':
      return [
        element('p', {}, [
          `${main ? texts.model : texts.compare}: `,
          element('strong', { class: 'speaking' }, [speakingText(model)]),
        ]),
        choose,
        ...(main
          ? []
          : [
              button({
                label: texts.dropOther,
                title: texts.dropOther,
                onClick: () => {
                  actions.choose(side, 'none');
                },
              }),
            ]),
        element('p', { class: 'subtitle' }, [standingOf(side, verdict)]),
        ...warningsOf(model.facts),
        factsOf(model.facts),
      ];
  }
}

/** Whether it is the policy that acted; of the second model in few words, since the first one's stand above. */
function standingOf(side: PlayerSide, verdict: LogprobVerdict | null): string {
  if (verdict?.verdict === 'same') return texts.samePolicy;
  return side === 'main' ? texts.standIn : texts.alsoStandIn;
}

function warningsOf(facts: BackendFacts): readonly HTMLElement[] {
  const untested = facts.selfTest === null || facts.selfTest.verdict === 'not needed' ? [] : [facts.selfTest.sentence];
  const slow = facts.slowPath === null ? [] : [facts.slowPath];
  return [...untested, ...slow, ...facts.warnings].map((line) => element('p', { class: 'subtitle' }, [line]));
}

function factsOf(facts: BackendFacts): HTMLElement {
  const rows = facts.provenance.map(({ name, value }) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  const failed = facts.attempts.map(({ provider, failure }) => element('li', {}, [texts.attempt(provider, failure)]));
  return element('details', {}, [
    element('summary', {}, [texts.provenance]),
    tableOf([], rows),
    ...(failed.length === 0 ? [] : [element('p', {}, [texts.attempts]), element('ul', {}, failed)]),
  ]);
}
