/**
 * Builds shards without a table: what `rollout-lens index` does on any machine of a cluster. Every I-th of N files of a
 * path, so that N workers share a run without talking to each other. Leaves out advantages, which need whole groups.
 */
import { relative, sep } from 'node:path';
import { UserError } from '../base/errors.ts';
import type { Note } from '../model/note.ts';
import type { ShardStore } from '../store/shardStore.ts';
import type { FoundFile, FoundRun } from './foundRun.ts';
import { completeIndex, findIndexed, joinParts } from './indexFile.ts';
import type { UnwrappedFiles } from './unwrappedFiles.ts';
import type { ReadPool } from './workerPool.ts';

/** One log file and what became of it. */
export interface BuiltFile {
  /** Relative to the path that was opened, '/' separated. */
  readonly file: string;
  /** `present`: the folder had it already; `not written`: the folder takes no more, so nothing after it was tried. */
  readonly state: 'written' | 'present' | 'failed' | 'not written';
  readonly keys: readonly string[];
  readonly rollouts: number;
  readonly notes: readonly Note[];
  /** Why it failed; null where it did not. */
  readonly problem: unknown;
}

/** What to build. */
export interface BuildOptions {
  readonly store: ShardStore;
  readonly pool: ReadPool;
  readonly contents: UnwrappedFiles;
  readonly base: string;
  /** 1-based: every `count`-th file from `index` on. */
  readonly share: { readonly index: number; readonly count: number };
  readonly signal: AbortSignal;
  readonly built: (file: BuiltFile) => void;
}

/** Builds the shards of a share of the files; a file that fails is reported and the others go on, a full disk ends it. */
export async function buildIndex(runs: readonly FoundRun[], options: BuildOptions): Promise<void> {
  const { share, pool } = options;
  const paths = new Map(runs.flatMap(({ files }) => files).map((file) => [file.path, file]));
  const mine = [...paths.keys()].sort().filter((_, i) => i % share.count === share.index - 1);
  let next = 0;
  let full = false;
  const work = async (): Promise<void> => {
    while (next < mine.length && !options.signal.aborted && !full) {
      const file = paths.get(mine[next++] ?? '');
      const built = file && (await buildFile(file, options));
      if (built?.state === 'not written') full = true;
      if (built) options.built(built);
    }
  };
  await Promise.all(Array.from({ length: pool.size }, work));
}

async function buildFile(file: FoundFile, options: BuildOptions): Promise<BuiltFile> {
  const { store, pool, contents, signal, base } = options;
  const name = relative(base, file.path).split(sep).join('/') || file.name;
  const failed = (problem: unknown): BuiltFile => {
    return { file: name, state: 'failed', keys: [], rollouts: 0, notes: [], problem };
  };
  try {
    const before = await findIndexed(file, store);
    const read = await completeIndex(file, before, {
      store,
      pool,
      contents,
      signal,
      urgent: false,
      published: () => undefined,
      progress: () => undefined,
    });
    if (read.notWritten !== null) {
      const action = 'Free some space or choose another folder, then run it again: it goes on where it stopped.';
      const problem = new UserError(`the index could not be written (${read.notWritten}).`, action);
      return { ...failed(problem), state: 'not written' };
    }
    const { indexed, replaced } = await joinParts(file, read, store);
    for (const key of replaced) await store.remove(key);
    const notes = indexed.parts.flatMap(({ meta }) => meta.notes);
    return {
      file: name,
      state: read === before ? 'present' : 'written',
      keys: indexed.parts.map(({ key }) => key),
      rollouts: indexed.parts.reduce((sum, { meta }) => sum + meta.rollouts, 0),
      notes: indexed.unfinished ? [...notes, indexed.unfinished] : notes,
      problem: null,
    };
  } catch (error) {
    return failed(error);
  }
}
