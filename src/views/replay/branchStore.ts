/**
 * The counterfactuals of a rollout that are kept: a JSON file a rollout in our storage, named by a hash of which rollout
 * it is. At most 50 a rollout; the oldest go first. Foreign data by the time it is read again, so it is checked.
 * Leaves out showing them.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isObject } from '../../base/json.ts';
import type { KeptBranch, PlayerKept } from '../../protocol/player.ts';

const mostBranches = 50;
const version = 1;

/** The branches of rollouts. */
export interface BranchStore {
  all(of: PlayerKept): Promise<readonly KeptBranch[]>;
  add(of: PlayerKept, branch: KeptBranch): Promise<void>;
  rename(of: PlayerKept, id: string, name: string): Promise<void>;
  remove(of: PlayerKept, id: string): Promise<void>;
}

/** Opens the store in a folder, which need not exist. */
export function openBranchStore(folder: string): BranchStore {
  const fileOf = ({ ref, path: run }: PlayerKept): string => {
    const name = createHash('sha256')
      .update(JSON.stringify([run, ref.file, ref.row]))
      .digest('hex');
    return path.join(folder, `${name.slice(0, 32)}.json`);
  };
  const all = async (of: PlayerKept): Promise<readonly KeptBranch[]> => {
    const text = await readFile(fileOf(of), 'utf8').catch(() => null);
    return text === null ? [] : branchesIn(text);
  };
  // One write after the other: two at once would lose a branch.
  let writing: Promise<unknown> = Promise.resolve();
  const change = (of: PlayerKept, next: (known: readonly KeptBranch[]) => readonly KeptBranch[]): Promise<void> => {
    const write = async (): Promise<void> => {
      const branches = next(await all(of)).slice(-mostBranches);
      await mkdir(folder, { recursive: true });
      const partial = `${fileOf(of)}.${randomUUID()}.partial`;
      await writeFile(partial, JSON.stringify({ version, branches }));
      await rename(partial, fileOf(of));
    };
    const done = writing.then(write, write);
    writing = done.catch(() => undefined);
    return done;
  };
  return {
    all,
    add: (of, branch) => change(of, (known) => [...known, branch]),
    rename: (of, id, name) =>
      change(of, (known) => known.map((one) => (one.result.id === id ? { ...one, name } : one))),
    remove: (of, id) => change(of, (known) => known.filter(({ result }) => result.id !== id)),
  };
}

function branchesIn(text: string): readonly KeptBranch[] {
  try {
    const value: unknown = JSON.parse(text);
    // Written by us, and by no other version; a file that was changed by hand is not guessed at.
    if (!isObject(value) || value.version !== version || !Array.isArray(value.branches)) return [];
    const list: readonly unknown[] = value.branches;
    return list.filter(isBranch);
  } catch {
    return [];
  }
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
