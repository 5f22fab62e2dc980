/**
 * One rollout of an open run with all that is known of it: the record read again out of its log, its row in the table,
 * the sums behind its advantages and its transcript. Shared by the engine process and the command line.
 * Leaves out opening the run and waiting for its index.
 */
import { UserError } from '../base/errors.ts';
import type { RecordPlace, Rollout } from '../model/rollout.ts';
import type { Explanation, RolloutRef } from '../protocol/engine.ts';
import type { KeptGain } from '../protocol/replay.ts';
import { membersOfGroup, rolloutAt, type StoredRollout } from '../store/questions.ts';
import type { TranscriptContext } from '../transcript/renderTranscript.ts';
import type { FileEntry } from './fileEntry.ts';
import { flagReport, type ReportContext } from './flagReport.ts';
import type { RolloutReader } from './rolloutReader.ts';
import { explanationOf } from './rows.ts';
import type { RunIndex } from './runIndex.ts';
import type { KeptVerdict } from './verdicts.ts';

/** A rollout with all that is known of it; `explanation` is null while its group is not indexed. */
export interface Episode {
  readonly rollout: Rollout;
  readonly stored: StoredRollout | null;
  readonly explanation: Explanation | null;
  /** What its flags are judged by. */
  readonly report: ReportContext;
  readonly context: TranscriptContext;
}

/** How a rollout is read. */
export interface EpisodeOptions {
  readonly reader: RolloutReader;
  readonly signal: AbortSignal;
  /** The user's verdicts by flag; none by default. */
  readonly verdicts?: ReadonlyMap<string, KeptVerdict>;
  /** What models said of calls, by `contentHash`; nothing by default. */
  readonly gains?: ReadonlyMap<string, readonly KeptGain[]>;
}

/** The file of a run by the name rows give it. UserError if it is gone. */
export function entryOf(run: RunIndex, file: string): FileEntry {
  const path = run.absolutePath(file);
  const entry = path === null ? undefined : run.files.entries().find(({ found }) => found.path === path);
  if (entry) return entry;
  throw new UserError(`${file} is not in ${run.found().path} (any more).`, 'Choose another rollout.');
}

/** The sums behind the advantages of a rollout; null while its group is not derived. */
export async function explain(run: RunIndex, stored: StoredRollout): Promise<Explanation | null> {
  if (stored.member === 0) return null;
  const members = await groupOf(run, stored);
  return explanationOf(run.id, stored, { members, threshold: run.threshold });
}

function groupOf(run: RunIndex, stored: StoredRollout): Promise<readonly StoredRollout[]> {
  return membersOfGroup(run.table, stored.step, stored.group);
}

/** Reads one rollout; UserError if there is none at that place. */
export async function readEpisode(
  run: RunIndex,
  ref: RolloutRef,
  { reader, signal, verdicts, gains }: EpisodeOptions,
): Promise<Episode> {
  const entry = entryOf(run, ref.file);
  const { rollout, stored } = await findRollout(run, ref, { entry, reader, signal });
  const members = stored === null || stored.member === 0 ? null : await groupOf(run, stored);
  const explanation = stored && members && explanationOf(run.id, stored, { members, threshold: run.threshold });
  const report: ReportContext = {
    run: run.id,
    rules: run.rules,
    group: stored && members && { own: stored, members },
    verdictOf: (flag) => verdicts?.get(flag)?.verdict ?? null,
    gainsOf: (content) => gains?.get(content) ?? [],
  };
  const context = {
    ref,
    runName: run.found().name,
    file: entry.found.path,
    explanation,
    flags: flagReport(rollout, report),
  };
  return { rollout, stored, explanation, report, context };
}

/** Where the index says that a rollout was logged. */
export function placeOfStored({ row, line, byteFirst: first, byteCount: count, item }: StoredRollout): RecordPlace {
  return { row, line, bytes: { first, count }, ...(item === null ? {} : { item }) };
}

interface Search {
  readonly entry: FileEntry;
  readonly reader: RolloutReader;
  readonly signal: AbortSignal;
}

async function findRollout(
  run: RunIndex,
  ref: RolloutRef,
  { entry, reader, signal }: Search,
): Promise<{ readonly rollout: Rollout; readonly stored: StoredRollout | null }> {
  const stored = await rolloutAt(run.table, ref.file, ref.row);
  if (stored) {
    const rollout = await reader.at(entry.found, placeOfStored(stored));
    if (rollout) return { rollout, stored };
    // Rewritten since it was indexed: here the file itself decides, the watcher brings the index up to date.
  } else {
    run.files.prioritise(entry.found.path);
  }
  const rollout = await reader.find(entry.found, { row: ref.row }, signal);
  if (rollout) return { rollout, stored: null };
  const where = `${entry.found.path}, record ${ref.row + 1}`;
  throw new UserError(`There is no rollout at ${where}.`, 'If the file was rewritten, choose another rollout.');
}
