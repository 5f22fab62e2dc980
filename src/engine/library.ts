/**
 * The runs that are open: found below folders, opened by path, kept up to date by watching, closed. Owns the database,
 * the index folder and the read pool that all runs share. Used by the engine process and the command line alike.
 * Leaves out the questions asked of a run (engine.ts) and how results are shown.
 */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../base/errors.ts';
import { pluralText } from '../base/numberText.ts';
import type { Note } from '../model/note.ts';
import type { RunId } from '../protocol/engine.ts';
import { defaultRuleSettings, type RuleSettings } from '../protocol/flags.ts';
import { createParquetTables } from '../store/parquetRows.ts';
import type { ShardStore } from '../store/shardStore.ts';
import { scanFile, scanFolder, scanTree, type ScanOptions, type TreeScan } from './discovery.ts';
import { isBelow } from './episodeRuns.ts';
import type { FieldMapping } from '../readers/fieldMapping.ts';
import { mappedHeads, oneMapping, openFieldMappings, type FieldMappings } from './fieldMappings.ts';
import { createFileHeads, type FileHeads } from './fileHeads.ts';
import { fileError } from './fileSource.ts';
import type { FoundFile, FoundRun } from './foundRun.ts';
import { foldersOf, sameFiles, singleFileOf, withFolders } from './runFiles.ts';
import { openRun, type RunIndex } from './runIndex.ts';
import { openShared, temporaryFolderOf, type SharedOptions } from './sharedParts.ts';
import { spreadRuns, withFolder } from './spreadRuns.ts';
import type { UnwrappedFiles } from './unwrappedFiles.ts';
import { createFolderWatch, type FolderWatch } from './watch.ts';
import type { ReadPool } from './workerPool.ts';

/** How a library is opened; also what `engineMain` takes from its command line. */
export interface LibraryOptions extends SharedOptions {
  /** What rows name files relative to: the run's own folder (default) or the path that was opened. */
  readonly namesRelativeTo?: 'run' | 'opened';
  /** Reward above which a rollout counts as right where the log is silent; default 0.5. */
  readonly rewardThreshold?: number;
  /** Which field of a home-made log means what, in every folder; by default as kept for each in the storage. */
  readonly mapping?: FieldMapping;
  /** Size of a part of a large file; default 256 MB. */
  readonly partBytes?: number;
  /** `poll` notices changes; `never` for the command line. */
  readonly watch: 'poll' | 'never';
  /** Default 2,000 ms. */
  readonly watchIntervalMs?: number;
  readonly events: LibraryEvents;
}

/** What a library tells; not coalesced. */
export interface LibraryEvents {
  /** A run appeared, changed or went away. */
  readonly changed: (run: RunIndex | null, steps: readonly number[] | null) => void;
  readonly failed: (error: unknown) => void;
  readonly log: (level: 'debug' | 'info' | 'warn', message: string) => void;
}

/** The open runs. */
export interface Library {
  readonly heads: FileHeads;
  /** Which field means what, by folder, as users said. */
  readonly mappings: FieldMappings;
  readonly store: ShardStore;
  readonly pool: ReadPool;
  readonly contents: UnwrappedFiles;
  readonly temporaryFolder: string;
  /** What is at a path (a folder with everything below, or a file), without opening it. UserError as `open`. */
  find(path: string, signal?: AbortSignal): Promise<TreeScan>;
  runs(): readonly RunIndex[];
  /** UserError if there is no such run. */
  run(id: RunId): RunIndex;
  /** The first log below a folder, by path, whose fields can be mapped and are not yet; null where none is. */
  mappableLog(folder: string): Promise<string | null>;
  /** Looks below folders; what is found is opened and indexed. */
  discover(roots: readonly string[], signal?: AbortSignal): Promise<TreeScan>;
  /** Opens a folder (with everything below) or a file. UserError if nothing in it is a rollout log. */
  open(path: string, signal?: AbortSignal): Promise<OpenedPath>;
  close(id: RunId): Promise<void>;
  /** The run that holds a log file; null if none does. */
  runOfFile(path: string): Promise<{ readonly run: RunIndex; readonly path: string } | null>;
  /** Other redundancy rules, for the open runs and those to come. */
  setRules(rules: RuleSettings): Promise<void>;
  /** One round of watching now. */
  tick(): Promise<void>;
  /** Removes the least recently used shards above the limit. */
  evict(): Promise<void>;
  dispose(): Promise<void>;
}

/** What `open` found at a path. */
export interface OpenedPath {
  readonly runs: readonly RunIndex[];
  readonly notes: readonly Note[];
}

const runsKept = 1_000;
const fewFiles = 20;
const evictEveryMs = 300_000;

/** Opens an empty library. */
export async function openLibrary(options: LibraryOptions): Promise<Library> {
  const { events } = options;
  const { mapping } = options;
  const mappings = mapping === undefined ? await openFieldMappings(options.storage) : oneMapping(mapping);
  const tables = createParquetTables(temporaryFolderOf(options));
  const heads = mappedHeads(createFileHeads(tables), mappings);
  const shared = await openShared(options, tables);
  const runs = new Map<RunId, RunIndex>();
  const opening = new Map<RunId, Promise<RunIndex>>();
  const closedByUser = new Set<RunId>();
  /** Folders in which new runs are taken up by themselves. */
  const adopting = new Set<string>();
  /** Folders that were opened or searched: no run goes above. */
  const roots = new Set<string>();
  /** Links below them that lead to one of them. */
  const knownLinks = new Set<string>();
  const scanOptions: ScanOptions = { heads };
  const wasLive = new Map<RunId, boolean>();
  let evictedAtMs = Date.now();
  let disposed = false;
  let rules = defaultRuleSettings;

  const take = async (found: FoundRun, base: string | null = null): Promise<RunIndex | null> => {
    const known = runs.get(found.id) ?? (await opening.get(found.id));
    if (known) {
      // One folder may be reached by two paths (links): following both in turn would drop and reread its files for ever.
      if (known.found().folder === found.folder) known.update(found);
      return known;
    }
    if (disposed || runs.size >= runsKept) return null;
    const promise = openRun(found, {
      ...shared,
      threshold: options.rewardThreshold ?? 0.5,
      rules,
      ...(base === null ? {} : { base }),
      ...(options.partBytes === undefined ? {} : { partBytes: options.partBytes }),
      changed: events.changed,
      failed: events.failed,
    });
    opening.set(found.id, promise);
    try {
      const run = await promise;
      runs.set(found.id, run);
      events.log('info', `run ${found.id}: ${found.path}, ${found.files.length} files, ${found.producer}`);
      events.changed(run, null);
      return run;
    } finally {
      opening.delete(found.id);
    }
  };

  const takeAll = async (found: readonly FoundRun[], base: string | null = null): Promise<readonly RunIndex[]> => {
    const taken: RunIndex[] = [];
    for (const one of found) {
      const run = closedByUser.has(one.id) ? null : await take(one, base);
      if (run) taken.push(run);
    }
    watchFiles(found.flatMap(foldersOf));
    return taken;
  };

  /** Has the log files in these folders asked for their times. */
  const watchFiles = (folders: readonly string[]): void => {
    const byFolder = new Map<string, FoundFile[]>(folders.map((folder) => [folder, []]));
    for (const run of runs.values()) for (const file of run.found().files) byFolder.get(dirname(file.path))?.push(file);
    for (const [folder, files] of byFolder) watch?.setFiles(folder, files);
  };

  /** The topmost folder the user opened that a folder lies in. */
  const rootOf = (folder: string): string => {
    const above = [...roots].filter((root) => isBelow(folder, root));
    return above.sort((a, b) => a.length - b.length)[0] ?? folder;
  };

  const watchTree = (scan: TreeScan): void => {
    for (const { path, mtimeMs } of scan.folders) {
      adopting.add(path);
      watch?.add(path, mtimeMs);
    }
  };

  /** Lists a folder again: changed files, new and vanished ones, and folders that appeared in it. */
  const rescan = async (folder: string): Promise<void> => {
    const scan = await scanFolder(folder, scanOptions);
    watch?.add(folder, scan.mtimeMs);
    for (const run of runs.values()) {
      const found = run.found();
      if (found.root !== undefined) {
        const next = isBelow(folder, found.folder) ? withFolder(found, folder, scan.spread) : found;
        if (!sameFiles(found.files, next.files)) run.update(next);
      } else if (found.folder === folder) {
        run.update(scan.runs.find(({ id }) => id === run.id) ?? singleFileOf(found, scan));
      }
    }
    if (adopting.has(folder)) {
      const root = rootOf(folder);
      const ofFolders = await spreadRuns(scan.spread.map((file) => ({ file, root })));
      await takeAll([...scan.runs, ...ofFolders].filter(({ id }) => !runs.has(id)));
      for (const sub of scan.subfolders) {
        if (watch?.has(sub) === false && !(await leadsToAdopted(sub))) await adoptFolder(sub);
      }
    }
    watchFiles([folder]);
  };

  /** Whether a folder is a link to one that is looked at already: followed, a circle of links would never end. */
  const leadsToAdopted = async (folder: string): Promise<boolean> => {
    if (knownLinks.has(folder)) return true;
    const real = await realpath(folder).catch(() => folder);
    if (real === join(await realpath(dirname(folder)).catch(() => dirname(folder)), basename(folder))) return false;
    for (const one of adopting) {
      if ((await realpath(one).catch(() => one)) !== real) continue;
      knownLinks.add(folder);
      return true;
    }
    return false;
  };

  const adoptFolder = async (folder: string): Promise<void> => {
    // Watched before it is listed, so that nothing is missed in between.
    adopting.add(folder);
    watch?.add(folder, Number.NaN);
    const scan = await scanTree([folder], { ...scanOptions, root: rootOf(folder) });
    watchTree(scan);
    const looked = new Set(scan.folders.map(({ path }) => path));
    for (const one of scan.runs) {
      const known = runs.get(one.id);
      // Only what lies below this folder was looked at.
      if (known && one.root !== undefined) known.update(withFolders(known.found(), looked, one.files));
    }
    await takeAll(scan.runs.filter(({ id, root }) => root === undefined || !runs.has(id)));
    watchFiles(scan.runs.flatMap(foldersOf));
  };

  const evict = async (): Promise<void> => {
    const used = new Set([...runs.values()].flatMap((run) => run.shardKeys()));
    const { removed } = await shared.store.evict(used);
    await shared.contents.evict();
    if (removed.length > 0) events.log('info', `${removed.length} shards were removed from the index`);
  };

  /** After a round: shards are joined, a run that has come to rest is told, now and then the index is cut to its limit. */
  const ticked = async (): Promise<void> => {
    for (const run of runs.values()) {
      await run.files.tidy();
      const { live } = run.summary();
      if (wasLive.get(run.id) !== live) events.changed(run, null);
      wasLive.set(run.id, live);
    }
    if (Date.now() - evictedAtMs < evictEveryMs) return;
    evictedAtMs = Date.now();
    await evict();
  };

  const watch: FolderWatch | null =
    options.watch === 'never'
      ? null
      : createFolderWatch({
          changed: rescan,
          ticked,
          failed: events.failed,
          ...(options.watchIntervalMs === undefined ? {} : { intervalMs: options.watchIntervalMs }),
        });

  const scanBelow = async (path: string, signal: AbortSignal | undefined): Promise<TreeScan> => {
    const scan = await scanTree([path], { ...scanOptions, ...(signal ? { signal } : {}) });
    if (scan.runs.length > 0) return scan;
    const looked = `looked at: ${pluralText(scan.files, 'file')} in ${pluralText(scan.folders.length, 'folder')}`;
    throw new UserError(`${path} holds no rollout log that can be read (${looked}).`, reasonIn(scan));
  };

  const openFolder = async (path: string, signal: AbortSignal | undefined): Promise<OpenedPath> => {
    const scan = await scanBelow(path, signal);
    for (const { id } of scan.runs) closedByUser.delete(id);
    roots.add(path);
    watchTree(scan);
    const taken = await takeAll(scan.runs, options.namesRelativeTo === 'opened' ? path : null);
    return { runs: taken, notes: scan.notes };
  };

  const openFile = async (path: string): Promise<OpenedPath> => {
    const found = await scanFile(path, scanOptions);
    closedByUser.delete(found.id);
    watch?.add(found.folder, Number.NaN);
    const run = await take(found);
    if (!run) throw new UserError(`${runsKept} runs are open; close some first.`);
    watchFiles([found.folder]);
    return { runs: [run], notes: [] };
  };

  return {
    heads,
    mappings,
    store: shared.store,
    pool: shared.pool,
    contents: shared.contents,
    temporaryFolder: temporaryFolderOf(options),
    find: async (given, signal) => {
      const path = resolve(given);
      return (await isFolder(path)) ? scanBelow(path, signal) : treeOfFile(await scanFile(path, scanOptions));
    },
    mappableLog: async (folder) => {
      const { notes } = await scanTree([resolve(folder)], scanOptions);
      const unknown = notes.filter(({ code }) => code === 'unknown-format').map(({ file }) => file);
      return unknown.sort()[0] ?? null;
    },
    runs: () => [...runs.values()],
    run: (id) => {
      const run = runs.get(id);
      if (!run) throw new UserError('This run is not open any more.', 'Open its folder or file again.');
      return run;
    },
    discover: async (given, signal) => {
      const paths = given.map((root) => resolve(root));
      const scan = await scanTree(paths, { ...scanOptions, ...(signal ? { signal } : {}) });
      for (const path of paths) roots.add(path);
      watchTree(scan);
      await takeAll(scan.runs);
      return scan;
    },
    open: async (given, signal) => {
      const path = resolve(given);
      return (await isFolder(path)) ? openFolder(path, signal) : openFile(path);
    },
    close: async (id) => {
      const run = runs.get(id);
      if (!run) return;
      closedByUser.add(id);
      runs.delete(id);
      watchFiles(foldersOf(run.found()));
      await run.close();
      events.changed(null, null);
    },
    runOfFile: async (given) => {
      for (const path of new Set([given, await realFileOf(given)])) {
        const holders = [...runs.values()].filter((run) =>
          run.files.entries().some(({ found }) => found.path === path),
        );
        // A folder's run knows the steps around the file; a run of the file alone does not.
        const run = holders.find((holder) => holder.found().pattern !== null) ?? holders[0];
        if (run) return { run, path };
      }
      return null;
    },
    setRules: async (next) => {
      rules = next;
      await Promise.all([...runs.values()].map((run) => run.setRules(next)));
    },
    tick: async () => watch?.tick(),
    evict,
    dispose: async () => {
      disposed = true;
      watch?.dispose();
      // Closed first, so that nothing counts what the pool then rejects as a failure.
      const closing = [...runs.values()].map((run) => run.close().catch(events.failed));
      await shared.pool.dispose();
      await Promise.all(closing);
      runs.clear();
      await tables.close();
      await shared.database.close();
    },
  };
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: unknown) => {
    throw fileError(path, error);
  });
  return found.isDirectory();
}

function treeOfFile(run: FoundRun): TreeScan {
  return { runs: [run], folders: [], files: 1, notes: [] };
}

/** A path with the links of its folder resolved, since a file may be named through a linked folder. */
async function realFileOf(path: string): Promise<string> {
  const folder = await realpath(dirname(path)).catch(() => dirname(path));
  return join(folder, basename(path));
}

/** What stands in the way: in a folder of logs the first file that is named but not read; elsewhere that says nothing. */
function reasonIn({ notes, files }: TreeScan): string {
  const unknown = notes.find(({ code }) => code === 'unknown-format');
  const other = notes.find(({ code }) => code === 'format-not-read-yet' || code === 'unreadable-file');
  const note = unknown ?? (files <= fewFiles ? other : undefined);
  return note ? `${note.file}: ${note.message}` : 'Choose a log file, or the folder with the dumps of each step.';
}
