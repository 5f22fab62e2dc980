/**
 * The rollouts of a curation that are chosen, in their order, with no more than a few in memory: a file is read once from
 * its start to its end where its rows stand together, and row by row where steps go across several files.
 * Leaves out which are chosen (curation.ts) and what is made of them.
 */
import type { Rollout } from '../../model/rollout.ts';
import { entryOf, placeOfStored } from '../readEpisode.ts';
import type { UnwrappedFiles } from '../unwrappedFiles.ts';
import { rolloutAt } from '../../store/questions.ts';
import type { RolloutReader } from '../rolloutReader.ts';
import type { CuratedRows } from './curation.ts';
import { refOf } from './rowPages.ts';
import { streamRollouts } from './streamRollouts.ts';

/** What is read and who hears of it. */
export interface ChosenStream {
  /** Indexes of rollouts, ascending. */
  readonly chosen: readonly number[];
  readonly contents: UnwrappedFiles;
  readonly reader: RolloutReader;
  readonly signal: AbortSignal;
  /** Once a chosen rollout, in order; those whose record has changed are left out. */
  readonly rollout: (rollout: Rollout, index: number) => void;
  readonly caughtUp: () => Promise<void>;
}

/** Reads all chosen rollouts. */
export async function streamChosen(rows: CuratedRows, options: ChosenStream): Promise<void> {
  const { contents, signal, rollout: take, caughtUp } = options;
  for (const { indexes, rowNumbers, isWhole } of stretchesOf(rows, options.chosen)) {
    signal.throwIfAborted();
    const [index = 0] = indexes;
    if (!isWhole) {
      await oneByOne(rows, indexes, options);
      continue;
    }
    const { ref, run } = refOf(rows, index);
    await streamRollouts(entryOf(run, ref.file).found, {
      contents,
      signal,
      rollout: (rollout) => {
        const chosen = rowNumbers.get(rollout.place.row);
        if (chosen !== undefined) take(rollout, chosen);
      },
      caughtUp,
    });
  }
}

/** Chosen rollouts that follow each other and are of one file. */
interface Stretch {
  readonly indexes: number[];
  /** Index by row of the file. */
  readonly rowNumbers: Map<number, number>;
  /** Whether these are all of the file that are chosen, in its order. */
  isWhole: boolean;
}

function stretchesOf(rows: CuratedRows, chosen: readonly number[]): readonly Stretch[] {
  const stretches: Stretch[] = [];
  const ofFile = new Map<string, Stretch>();
  let [file, last] = ['', -1];
  for (const index of chosen) {
    const { ref } = refOf(rows, index);
    const name = `${ref.run} ${ref.file}`;
    let stretch = stretches.at(-1);
    if (stretch === undefined || name !== file) {
      const before = ofFile.get(name);
      if (before) before.isWhole = false;
      stretch = { indexes: [], rowNumbers: new Map(), isWhole: before === undefined };
      stretches.push(stretch);
      ofFile.set(name, stretch);
      [file, last] = [name, -1];
    }
    if (ref.row < last) stretch.isWhole = false;
    last = ref.row;
    stretch.indexes.push(index);
    stretch.rowNumbers.set(ref.row, index);
  }
  return stretches;
}

async function oneByOne(
  rows: CuratedRows,
  indexes: readonly number[],
  { reader, signal, rollout: take, caughtUp }: ChosenStream,
): Promise<void> {
  for (const index of indexes) {
    signal.throwIfAborted();
    const { ref, run } = refOf(rows, index);
    const stored = await rolloutAt(run.table, ref.file, ref.row);
    const rollout = stored && (await reader.at(entryOf(run, ref.file).found, placeOfStored(stored)));
    if (rollout) take(rollout, index);
    await caughtUp();
  }
}
