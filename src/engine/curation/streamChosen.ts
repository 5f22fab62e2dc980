/**
 * The rollouts of a curation that are chosen, read in file order file by file, with no more than a few in memory.
 * Leaves out which are chosen (curation.ts) and what is made of them.
 */
import type { Rollout } from '../../model/rollout.ts';
import { entryOf } from '../readEpisode.ts';
import type { UnwrappedFiles } from '../unwrappedFiles.ts';
import type { CuratedRows } from './curation.ts';
import { refOf } from './rowPages.ts';
import { streamRollouts } from './streamRollouts.ts';

/** What is read and who hears of it. */
export interface ChosenStream {
  /** Indexes of rollouts, ascending. */
  readonly chosen: readonly number[];
  readonly contents: UnwrappedFiles;
  readonly signal: AbortSignal;
  /** Once a chosen rollout, in order; those whose record has changed are left out. */
  readonly rollout: (rollout: Rollout, index: number) => void;
  readonly caughtUp: () => Promise<void>;
}

/** Reads all chosen rollouts. */
export async function streamChosen(rows: CuratedRows, options: ChosenStream): Promise<void> {
  const { chosen, contents, signal, rollout: take, caughtUp } = options;
  for (let first = 0; first < chosen.length;) {
    signal.throwIfAborted();
    const { ref, run } = refOf(rows, chosen[first] ?? 0);
    const wanted = new Map<number, number>();
    let end = first;
    for (; end < chosen.length; end += 1) {
      const index = chosen[end] ?? 0;
      const { ref: other } = refOf(rows, index);
      if (other.file !== ref.file || other.run !== ref.run) break;
      wanted.set(other.row, index);
    }
    await streamRollouts(entryOf(run, ref.file).found, {
      contents,
      signal,
      rollout: (rollout) => {
        const index = wanted.get(rollout.place.row);
        if (index !== undefined) take(rollout, index);
      },
      caughtUp,
    });
    first = end;
  }
}
