/**
 * The counterfactuals that are kept: both arms with their shares, the picture of their difference, the check of the check,
 * and each sample with its end and its diff against the record. Newest first. Leaves out running one.
 */
import type { KeptBranch } from '../../src/protocol/player.ts';
import { playerTexts as texts } from '../../src/protocol/playerTexts.ts';
import type { BranchSample } from '../../src/protocol/replay.ts';
import { button } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import { toElement } from '../ui/svgNode.ts';
import { alike } from './sampleGroups.ts';
import { shareBars } from './shareBars.ts';

/** What can be done with a branch. */
export interface BranchActions {
  readonly diff: (id: string, sample: Pick<BranchSample, 'arm' | 'sample'>) => void;
  readonly rename: (id: string) => void;
  readonly remove: (id: string) => void;
  readonly goTo: (turn: number) => void;
}

/** The nodes of all branches. */
export function branchNodes(branches: readonly KeptBranch[], actions: BranchActions): readonly HTMLElement[] {
  if (branches.length === 0) return [element('p', { class: 'subtitle' }, [texts.noBranches])];
  return [...branches].reverse().map((branch) => branchNode(branch, actions));
}

function branchNode({ name, model, result }: KeptBranch, actions: BranchActions): HTMLElement {
  const { id, request, label, intervention, control, difference, calibration, warnings, samples } = result;
  const lines = [
    texts.changedArm(request.intervention, intervention),
    texts.controlArm(control),
    ...(difference === null ? [] : [texts.difference(difference)]),
  ];
  const details = [
    `${label} · ${model} · ${texts.settingsOf(request.temperature, request.topP, request.seed)}`,
    texts.calibration(calibration),
    ...warnings,
  ];
  const picture = element('div', { role: 'img', 'aria-label': `${texts.sharesPicture}: ${lines.join('; ')}` }, [
    toElement(shareBars(result)),
  ]);
  const list = alike(samples).map((some) => sampleNode(id, some, actions));
  const act = (words: string, onClick: () => void): HTMLElement =>
    button({ label: words, title: `${words} (${name})`, onClick });
  return element('article', { class: 'branch', 'aria-label': name, 'data-branch': id }, [
    element('h3', {}, [
      link(name, () => {
        actions.goTo(request.turn);
      }),
    ]),
    picture,
    ...lines.map((line) => element('p', {}, [line])),
    ...details.map((line) => element('p', { class: 'subtitle' }, [line])),
    element('div', { class: 'row' }, [
      act(texts.rename, () => {
        actions.rename(id);
      }),
      act(texts.remove, () => {
        actions.remove(id);
      }),
    ]),
    element('details', {}, [
      element('summary', {}, [texts.samples(samples.length)]),
      element('ul', { class: 'samples' }, list),
    ]),
  ]);
}

function sampleNode(id: string, some: readonly BranchSample[], actions: BranchActions): HTMLElement {
  const [sample] = some;
  if (sample === undefined) return element('li', {});
  const numbers = some.map((one) => one.sample);
  const title = texts.sampleTitles(sample.arm, numbers);
  return element('li', {}, [
    `${title} ${texts.sampleEnd(sample)} · `,
    link(
      texts.diff,
      () => {
        actions.diff(id, sample);
      },
      `${texts.diff}: ${title}`,
    ),
    element('pre', { tabindex: 0, 'aria-label': title }, [sample.text]),
  ]);
}

function link(words: string, onClick: () => void, spoken = words): HTMLElement {
  const made = element('button', { class: 'link', 'aria-label': spoken }, [words]);
  made.addEventListener('click', onClick);
  return made;
}
