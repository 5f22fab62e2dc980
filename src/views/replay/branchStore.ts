/**
 * The counterfactuals of a rollout that are kept, at most 50 a rollout, the oldest go first. Leaves out the files
 * (keptLists.ts) and showing them.
 */
import { isObject } from '../../base/json.ts';
import type { KeptBranch, PlayerKept } from '../../protocol/player.ts';
import { openKeptLists } from './keptLists.ts';

const mostBranches = 50;

/** The branches of rollouts. */
export interface BranchStore {
  all(of: PlayerKept): Promise<readonly KeptBranch[]>;
  add(of: PlayerKept, branch: KeptBranch): Promise<void>;
  rename(of: PlayerKept, id: string, name: string): Promise<void>;
  remove(of: PlayerKept, id: string): Promise<void>;
}

/** Opens the store in a folder, which need not exist. */
export function openBranchStore(folder: string): BranchStore {
  const { all, change } = openKeptLists({ folder, name: 'branches', most: mostBranches, isEntry: isBranch });
  return {
    all,
    add: (of, branch) => change(of, (known) => [...known, branch]),
    rename: (of, id, name) =>
      change(of, (known) => known.map((one) => (one.result.id === id ? { ...one, name } : one))),
    remove: (of, id) => change(of, (known) => known.filter(({ result }) => result.id !== id)),
  };
}

function isBranch(value: unknown): value is KeptBranch {
  if (!isObject(value) || typeof value.name !== 'string' || typeof value.model !== 'string') return false;
  const { result } = value;
  return (
    isObject(result) &&
    typeof result.id === 'string' &&
    isObject(result.request) &&
    isObject(result.intervention) &&
    isObject(result.control) &&
    Array.isArray(result.samples)
  );
}
