/**
 * One open run: its files (fileQueue.ts), the in-memory table over what is indexed of them, what is derived of it and
 * its summary. Rows become visible file by file; advantages are computed again for the steps that changed, no others.
 * Owned by the library (library.ts). Leaves out finding and watching files, and the questions asked of the table.
 */
import { relative, sep } from 'node:path';
import type { StepAggregates } from '../analysis/steps.ts';
import type { Note } from '../model/note.ts';
import type { RunId, RunState, RunSummary } from '../protocol/engine.ts';
import { defaultRuleSettings, type RuleSettings } from '../protocol/flags.ts';
import type { Database } from '../store/duckdb.ts';
import { runCounts, type RunCounts } from '../store/questions.ts';
import { siblingRule } from '../store/runFlags.ts';
import { openRunTable, type RunFile, type RunTable } from '../store/runTable.ts';
import type { ShardKey } from '../store/shardKey.ts';
import type { ShardStore } from '../store/shardStore.ts';
import { derive } from './derive.ts';
import type { FoundFile, FoundRun } from './foundRun.ts';
import type { FileEntry } from './fileEntry.ts';
import { createFileQueue, type FileQueue } from './fileQueue.ts';
import { noteCountOfRun, notesOfRun } from './runNotes.ts';
import type { UnwrappedFiles } from './unwrappedFiles.ts';
import type { ReadPool } from './workerPool.ts';

/** An open run. */
export interface RunIndex {
  readonly id: RunId;
  readonly table: RunTable;
  readonly files: FileQueue;
  readonly threshold: number;
  /** Changes whenever rows of the table did; null while they are changing. */
  version(): number | null;
  /** Which redundancy flags count. */
  readonly rules: RuleSettings;
  found(): FoundRun;
  summary(): RunSummary;
  /** One row a step, ascending. */
  steps(): readonly StepAggregates[];
  /** All notes, files in step order; `file` is absolute. */
  notes(): readonly Note[];
  /** Notes in all, also those that were only counted. */
  noteCount(): number;
  /** The files as a new look found them. */
  update(found: FoundRun): void;
  /** Leaves out all files but this one (as rows name it) and those that may hold the rest of its group. */
  readOnly(file: string): void;
  setThreshold(threshold: number): Promise<void>;
  /** Other redundancy rules: rates and advantages' evidence are computed again, no log is read. */
  setRules(rules: RuleSettings): Promise<void>;
  /** Path of a log file as rows name it ('/' separated). */
  relativePath(path: string): string;
  /** Absolute path of a file as rows name it; null if the run has none of that name. */
  absolutePath(file: string): string | null;
  /** Resolves when what the index folder already had is in the table, at the latest after `limitMs`. */
  loaded(limitMs: number): Promise<void>;
  /** Resolves when all files are read (or the indexing is paused) and the table is up to date. */
  whenSettled(): Promise<void>;
  /** Shards that the run uses. */
  shardKeys(): readonly ShardKey[];
  close(): Promise<void>;
}

/** What a run needs and tells. */
export interface RunOptions {
  readonly database: Database;
  readonly store: ShardStore;
  readonly pool: ReadPool;
  readonly contents: UnwrappedFiles;
  readonly threshold: number;
  /** Default: all rules as hdpo.md has them. */
  readonly rules?: RuleSettings;
  readonly partBytes?: number;
  /** Folder that file names are relative to; the run's own folder by default. */
  readonly base?: string;
  /** The summary changed; `steps` names the steps whose rows changed, null for none. */
  readonly changed: (run: RunIndex, steps: readonly number[] | null) => void;
  readonly failed: (error: unknown) => void;
}

/** A file that was seen to change within this time means that a training is writing; a fresh copy does not. */
const liveMs = 120_000;
/** Steps that are derived at once, so that a long run needs no more memory than a short one. */
const stepsAtOnce = 64;

const noCounts: RunCounts = {
  rollouts: 0,
  groups: 0,
  steps: 0,
  firstStep: null,
  lastStep: null,
  firstToolRate: null,
  lastToolRate: null,
};

let tables = 0;

/** Opens a run and starts indexing it. */
export async function openRun(first: FoundRun, options: RunOptions): Promise<RunIndex> {
  tables += 1;
  const table = await openRunTable(options.database, `run_${tables}_${first.id}`);
  const base = options.base ?? first.folder;
  const steps = new Map<number, StepAggregates>();
  /** The same in step order; null after a change. */
  let ordered: readonly StepAggregates[] | null = null;
  const decided = new Map<number, number>();
  const goneNotes = new Map<string, readonly Note[]>();
  /** Files whose rows in the table are not what they should be; a null entry is gone. */
  const stale = new Map<string, FileEntry | null>();
  let found = first;
  let counts = noCounts;
  let writtenAtMs = Number.NEGATIVE_INFINITY;
  let threshold = options.threshold;
  let rules = options.rules ?? defaultRuleSettings;
  let rulesOfTable = defaultRuleSettings;
  let deriveAll = false;
  let applying: Promise<void> | null = null;
  /** Files are read whose rows cannot be asked for yet: the run is not ready before they can. */
  let rowsPending = false;
  let version = 0;
  let closed = false;

  const relativePath = (path: string): string => relative(base, path).split(sep).join('/');

  const runFile = (file: string, entry: FileEntry | null): RunFile => ({
    file,
    stepFromName: entry?.found.step ?? null,
    parts: entry?.indexed?.parts.map(({ part }) => part) ?? [],
  });

  const deriveSteps = async (changed: readonly number[]): Promise<void> => {
    for (let from = 0; from < changed.length && !closed; from += stepsAtOnce) {
      const some = changed.slice(from, from + stepsAtOnce);
      const batch = await table.columnsForAdvantages(some);
      const derived = derive(batch, threshold, siblingLikelyFrom(rules));
      await table.setDerived(batch, derived.columns);
      for (const step of some) {
        steps.delete(step);
        decided.delete(step);
      }
      for (const row of derived.steps) steps.set(row.step, row);
      ordered = null;
      for (const [step, count] of derived.decidedByThreshold) decided.set(step, count);
    }
  };

  /** Loads files into the table; one whose shards are damaged, or were removed by another process, is read anew. */
  const load = async (round: readonly (readonly [string, FileEntry | null])[]): Promise<readonly number[]> => {
    try {
      return await table.setFiles(round.map(([file, entry]) => runFile(file, entry)));
    } catch (error) {
      if (closed) throw error;
      const [only, ...others] = round;
      if (others.length === 0 && only) {
        const path = only[1]?.found.path;
        if (path === undefined) throw error;
        files.dropIndex(path, error);
        return [];
      }
      const changed = new Set<number>();
      for (const one of round) for (const step of await load([one])) changed.add(step);
      return [...changed].sort((a, b) => a - b);
    }
  };

  /** Brings the table up to date; changes that arrive meanwhile go into the next round. */
  const apply = async (): Promise<void> => {
    while (!closed && (stale.size > 0 || deriveAll)) {
      const round = [...stale];
      stale.clear();
      rowsPending = true;
      version += 1;
      const everything = deriveAll;
      deriveAll = false;
      if (rulesOfTable !== rules) {
        rulesOfTable = rules;
        // A shard that cannot be read is found out again when it is loaded, and then read anew.
        await table.setRules(rules).catch(options.failed);
      }
      const changed = await load(round);
      const wanted = everything ? [...new Set([...steps.keys(), ...changed])].sort((a, b) => a - b) : changed;
      await deriveSteps(wanted);
      counts = await runCounts(table);
      rowsPending = false;
      options.changed(run, wanted);
    }
  };
  const startApply = (): Promise<void> => {
    if (closed) return Promise.resolve();
    applying ??= apply()
      .catch((error: unknown) => {
        rowsPending = false;
        if (!closed) options.failed(error);
      })
      .finally(() => {
        applying = null;
        if (stale.size > 0 || deriveAll) void startApply();
      });
    return applying;
  };

  const files = createFileQueue({
    store: options.store,
    pool: options.pool,
    contents: options.contents,
    ...(options.partBytes === undefined ? {} : { partBytes: options.partBytes }),
    changed: (entry, what) => {
      if (what === 'content') {
        goneNotes.delete(entry.found.path);
        stale.set(relativePath(entry.found.path), entry);
        void startApply();
      }
      options.changed(run, null);
    },
    gone: (entry) => {
      goneNotes.set(entry.found.path, entry.notes);
      stale.set(relativePath(entry.found.path), null);
      void startApply();
    },
    failed: options.failed,
  });

  const stateOf = (entries: readonly FileEntry[]): RunState => {
    const open = entries.some(({ state }) => state === 'waiting' || state === 'reading');
    if (open && files.paused) return 'partial';
    if (open || rowsPending || stale.size > 0) return 'indexing';
    return entries.some(({ state }) => state === 'failed') ? 'partial' : 'ready';
  };

  const run: RunIndex = {
    id: first.id,
    table,
    files,
    get threshold() {
      return threshold;
    },
    get rules() {
      return rules;
    },
    version: () => (rowsPending ? null : version),
    found: () => found,
    summary: () => {
      const entries = files.entries();
      const { id, name, path, producer, format } = found;
      return {
        id,
        name,
        path,
        producer,
        format,
        state: stateOf(entries),
        files: entries.length,
        filesRead: entries.filter(({ state }) => state === 'done').length,
        bytes: entries.reduce((sum, entry) => sum + entry.found.sizeBytes, 0),
        bytesRead: entries.reduce((sum, entry) => sum + Math.min(entry.bytesRead, entry.found.sizeBytes), 0),
        ...counts,
        notes: run.noteCount(),
        live: Date.now() - writtenAtMs < liveMs,
        hasSteps:
          counts.steps > 1 || (counts.firstStep ?? 0) !== 0 || entries.some(({ found: { step } }) => step !== null),
        hasRewards:
          counts.rollouts === 0 || run.steps().some((row) => row.accuracy !== null || row.reward_mean !== null),
        rewardThreshold: decided.size > 0 ? threshold : null,
      };
    },
    steps: () => (ordered ??= [...steps.values()].sort((a, b) => a.step - b.step)),
    notes: () => notesOfRun(files.entries(), [...goneNotes.values()].flat()),
    noteCount: () => noteCountOfRun(files.entries(), [...goneNotes.values()].flat()),
    update: (next) => {
      const before = new Map(found.files.map((file) => [file.path, file]));
      const isNews = ({ path, sizeBytes, mtimeMs }: FoundFile): boolean =>
        before.get(path)?.sizeBytes !== sizeBytes || before.get(path)?.mtimeMs !== mtimeMs;
      if (next.files.some(isNews)) writtenAtMs = Date.now();
      found = { ...next, name: found.name };
      files.update(next.files);
      options.changed(run, null);
    },
    readOnly: (file) => {
      const entries = files.entries().map((entry) => entry.found);
      const one = entries.find(({ path }) => relativePath(path) === file);
      // Of episodes, any file may be of the same task.
      if (!one || (one.recognition.holds === 'episode' && one.step === null)) return;
      files.update(entries.filter((entry) => entry === one || (one.step !== null && entry.step === one.step)));
    },
    setThreshold: async (next) => {
      if (next === threshold) return;
      threshold = next;
      deriveAll = true;
      await startApply();
    },
    setRules: async (next) => {
      if (JSON.stringify(next) === JSON.stringify(rules)) return;
      rules = next;
      deriveAll = true;
      await startApply();
    },
    relativePath,
    absolutePath: (file) =>
      files.entries().find((entry) => relativePath(entry.found.path) === file)?.found.path ?? null,
    loaded: async (limitMs) => {
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, limitMs).unref();
      });
      await Promise.race([files.loaded().then(() => applying ?? Promise.resolve()), limit]);
      clearTimeout(timer);
    },
    whenSettled: async () => {
      do {
        await files.whenIdle();
        await applying;
      } while (applying !== null);
    },
    shardKeys: () => files.entries().flatMap(({ indexed }) => indexed?.parts.map(({ key }) => key) ?? []),
    close: async () => {
      closed = true;
      await files.close();
      await applying;
      await table.close();
    },
  };
  files.update(first.files);
  return run;
}

/** Threshold of the rule `sibling`; null where it is off. */
function siblingLikelyFrom({ off, siblingLikelyFrom: from }: RuleSettings): number | null {
  return off.includes(siblingRule) ? null : from;
}
