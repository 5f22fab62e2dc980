/**
 * Lists that are kept of a rollout (counterfactuals, estimates): a JSON file a rollout in a folder of ours, named by a hash
 * of which rollout it is; the oldest entries go first. Foreign data by the time it is read again, so each entry is checked.
 * Leaves out what the entries are (branchStore.ts, estimateStore.ts).
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isObject } from '../../base/json.ts';
import type { PlayerKept } from '../../protocol/player.ts';

const version = 1;

/** Lists of rollouts in one folder. */
export interface KeptLists<Entry> {
  /** In the order in which they were added; damaged ones are left out. */
  all(of: PlayerKept): Promise<readonly Entry[]>;
  /** One change after the other: two at once would lose an entry. */
  change(of: PlayerKept, next: (known: readonly Entry[]) => readonly Entry[]): Promise<void>;
}

/** What kind of list it is. */
export interface KeptListOptions<Entry> {
  /** Need not exist. */
  readonly folder: string;
  /** Name of the list in its file. */
  readonly name: string;
  readonly most: number;
  readonly isEntry: (value: unknown) => value is Entry;
}

/** Opens the lists of a folder. */
export function openKeptLists<Entry>({ folder, name, most, isEntry }: KeptListOptions<Entry>): KeptLists<Entry> {
  const fileOf = ({ ref, path: run }: PlayerKept): string => {
    const hash = createHash('sha256')
      .update(JSON.stringify([run, ref.file, ref.row]))
      .digest('hex');
    return path.join(folder, `${hash.slice(0, 32)}.json`);
  };
  const all = async (of: PlayerKept): Promise<readonly Entry[]> => {
    const text = await readFile(fileOf(of), 'utf8').catch(() => null);
    return text === null ? [] : entriesIn(text, name).filter(isEntry);
  };
  let writing: Promise<unknown> = Promise.resolve();
  return {
    all,
    change: (of, next) => {
      const write = async (): Promise<void> => {
        const entries = next(await all(of)).slice(-most);
        await mkdir(folder, { recursive: true });
        const partial = `${fileOf(of)}.${randomUUID()}.partial`;
        await writeFile(partial, JSON.stringify({ version, [name]: entries }));
        await rename(partial, fileOf(of));
      };
      const done = writing.then(write, write);
      writing = done.catch(() => undefined);
      return done;
    },
  };
}

function entriesIn(text: string, name: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    // Written by us, and by no other version; a file that was changed by hand is not guessed at.
    if (!isObject(value) || value.version !== version) return [];
    const list: unknown = value[name];
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}
