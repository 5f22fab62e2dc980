/**
 * Every flag of a run with its evidence, rollout by rollout in file order: what the command line prints. Records are read
 * again one at a time by the places the index knows; siblings come out of the table, a few groups at a time.
 * Leaves out opening the run and printing.
 */
import type { Rollout } from '../model/rollout.ts';
import type { ShownFlag } from '../protocol/flags.ts';
import { membersOfGroup, rolloutsOfFile, type StoredRollout } from '../store/questions.ts';
import type { FileEntry } from './fileEntry.ts';
import { allFlags } from './flagReport.ts';
import { createRolloutReader, type RolloutReader } from './rolloutReader.ts';
import { placeOfStored } from './readEpisode.ts';
import type { RunIndex } from './runIndex.ts';
import type { UnwrappedFiles } from './unwrappedFiles.ts';

/** The flags of one rollout; null where its record has changed since it was indexed. */
export interface FoundFlags {
  readonly file: string;
  readonly row: number;
  readonly step: number;
  readonly flags: readonly ShownFlag[] | null;
}

const rowsAtOnce = 500;
/** Groups kept: their members mostly follow each other. */
const groupsKept = 64;

/** The flags of all rollouts that have calls, by the run's rules; rollouts without any flag are left out. */
export async function* flagsOfRun(run: RunIndex, contents: UnwrappedFiles): AsyncGenerator<FoundFlags> {
  const reader = createRolloutReader(contents);
  const groups = new Map<string, readonly StoredRollout[]>();
  const membersOf = async ({ step, group }: StoredRollout): Promise<readonly StoredRollout[]> => {
    const key = `${step} ${group}`;
    const known = groups.get(key) ?? (await membersOfGroup(run.table, step, group));
    groups.delete(key);
    groups.set(key, known);
    const oldest = groups.keys().next();
    if (groups.size > groupsKept && !oldest.done) groups.delete(oldest.value);
    return known;
  };
  for (const entry of run.files.entries()) {
    const file = run.relativePath(entry.found.path);
    for (let first = 0; ; first += rowsAtOnce) {
      const page = await rolloutsOfFile(run.table, { file, first, count: rowsAtOnce });
      for (const stored of page.rows) {
        if (stored.calls === 0) continue;
        const { row, step } = stored;
        const rollout = await read(reader, entry, stored);
        if (rollout === null) {
          yield { file, row, step, flags: null };
          continue;
        }
        // Only right rollouts are judged by their siblings.
        const group = stored.correct === true ? { own: stored, members: await membersOf(stored) } : null;
        const flags = allFlags(rollout, { run: run.id, rules: run.rules, group, verdictOf: () => null });
        if (flags.length > 0) yield { file, row, step, flags };
      }
      if (first + rowsAtOnce >= page.total) break;
    }
  }
}

async function read(reader: RolloutReader, { found }: FileEntry, stored: StoredRollout): Promise<Rollout | null> {
  return reader.at(found, placeOfStored(stored));
}
