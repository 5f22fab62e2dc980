/**
 * The branches of the episode on the page: kept ones and new ones, drawn anew only when they change. Renaming, removing and
 * the diff are the host's. Leaves out how one branch looks (branchList.ts) and running one (main.ts).
 */
import type { KeptBranch, PlayerHostApi } from '../../src/protocol/player.ts';
import { playerTexts as texts } from '../../src/protocol/playerTexts.ts';
import type { Client } from '../../src/protocol/rpc.ts';
import { element } from '../ui/dom.ts';
import { branchNodes } from './branchList.ts';

/** The section on the page. */
export interface BranchSection {
  readonly node: HTMLElement;
  set(branches: readonly KeptBranch[]): void;
  /** Adds one that was just made, and brings it into view. */
  add(branch: KeptBranch): void;
}

/** What it tells the page. */
export interface BranchSectionListeners {
  readonly goTo: (turn: number) => void;
  readonly failed: (error: unknown) => void;
}

/** Makes an empty section. */
export function makeBranchSection(
  api: Pick<Client<PlayerHostApi>, 'diffBranch' | 'renameBranch' | 'removeBranch'>,
  { goTo, failed }: BranchSectionListeners,
): BranchSection {
  const node = element('section', { class: 'branches', 'aria-label': texts.branches });
  let branches: readonly KeptBranch[] = [];
  let drawn = '';

  const set = (next: readonly KeptBranch[]): void => {
    branches = next;
    const key = JSON.stringify(branches.map(({ name, result }) => [name, result.id]));
    if (key === drawn) return;
    drawn = key;
    node.replaceChildren(element('h2', {}, [texts.branches]), ...branchNodes(branches, actions));
  };
  const actions: Parameters<typeof branchNodes>[1] = {
    diff: (id, { arm, sample }) => {
      api.diffBranch({ id, arm, sample }).catch(failed);
    },
    rename: (id) => {
      api
        .renameBranch({ id })
        .then((name) => {
          if (name !== null) set(branches.map((one) => (one.result.id === id ? { ...one, name } : one)));
        })
        .catch(failed);
    },
    remove: (id) => {
      api
        .removeBranch({ id })
        .then(() => {
          set(branches.filter(({ result }) => result.id !== id));
        })
        .catch(failed);
    },
    goTo,
  };
  return {
    node,
    set,
    add: (branch) => {
      set([...branches, branch]);
      node.querySelector('.branch')?.scrollIntoView({ block: 'nearest' });
    },
  };
}
