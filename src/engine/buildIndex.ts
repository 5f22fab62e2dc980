/**
 * Builds shards without a table: what `rollout-lens index` does on any machine of a cluster. Every I-th of N files of a
 * path, so that N workers share a run without talking to each other. Leaves out advantages, which need whole groups.
 */
import { relative, sep } from 'node:path';
import type { Note } from '../model/note.ts';
import type { ShardStore } from '../store/shardStore.ts';
import type { FoundFile, FoundRun } from './discovery.ts';
import { completeIndex, findIndexed, joinParts } from './indexFile.ts';
import type { ReadPool } from './workerPool.ts';

/** One log file and what became of it. */
export interface BuiltFile {
  /** Relative to the path that was opened, '/' separated. */
  readonly file: string;
  /** `present`: the folder had it already. */
  readonly state: 'written' | 'present' | 'failed';
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
  readonly base: string;
  /** 1-based: every `count`-th file from `index` on. */
  readonly share: { readonly index: number; readonly count: number };
  readonly signal: AbortSignal;
  readonly built: (file: BuiltFile) => void;
}

/** Builds the shards of a share of the files; a file that fails is reported and the others go on. */
export async function buildIndex(runs: readonly FoundRun[], options: BuildOptions): Promise<void> {
  const { share, pool } = options;
  const paths = new Map(runs.flatMap(({ files }) => files).map((file) => [file.path, file]));
  const mine = [...paths.keys()].sort().filter((_, i) => i % share.count === share.index - 1);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < mine.length && !options.signal.aborted) {
      const file = paths.get(mine[next++] ?? '');
      if (file) options.built(await buildFile(file, options));
    }
  };
  await Promise.all(Array.from({ length: pool.size }, work));
}

async function buildFile(file: FoundFile, options: BuildOptions): Promise<BuiltFile> {
  const { store, pool, signal, base } = options;
  const name = relative(base, file.path).split(sep).join('/') || file.name;
  const failed = (problem: unknown): BuiltFile => {
    return { file: name, state: 'failed', keys: [], rollouts: 0, notes: [], problem };
  };
  try {
    const before = await findIndexed(file, store);
    const read = await completeIndex(file, before, {
      store,
      pool,
      signal,
      urgent: false,
      published: () => undefined,
      progress: () => undefined,
    });
    if (read.notWritten !== null) return failed(new Error(`the index could not be written: ${read.notWritten}`));
    const { indexed, replaced } = await joinParts(file, read, store);
    for (const key of replaced) await store.remove(key);
    const notes = indexed.parts.flatMap(({ meta }) => meta.notes);
    return {
      file: name,
      state: read === before ? 'present' : 'written',
      keys: indexed.parts.map(({ key }) => key),
      rollouts: indexed.parts.reduce((sum, { meta }) => sum + meta.read, 0),
      notes: indexed.unfinished ? [...notes, indexed.unfinished] : notes,
      problem: null,
    };
  } catch (error) {
    return failed(error);
  }
}
