/**
 * Notices that folders changed. A watcher alone is only a hint (`mkdir -p a/b` plus a file reports only `a`, symlinks
 * and other machines' writes raise nothing), so every tick also asks for times: of the newest files of the runs that
 * are open and, in turn, of all known folders. Owned by the library, which lists a folder again when told.
 */
import { watch as watchFolder, type FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { FileStamp } from './fileHeads.ts';

/** Watches folders, each for itself. */
export interface FolderWatch {
  /** Watches a folder; `mtimeMs` is its time before it was listed, NaN if unknown (then it is listed once more). */
  add(folder: string, mtimeMs: number): void;
  /** The log files in a folder: their sizes and times are asked every tick. Empty for none. */
  setFiles(folder: string, files: readonly (FileStamp & { readonly path: string })[]): void;
  has(folder: string): boolean;
  /** One round of asking; the timer calls it, tests may. */
  tick(): Promise<void>;
  dispose(): void;
}

/** How to watch. */
export interface WatchOptions {
  /** Lists the folder again and answers with its time before that (`add`'s mtimeMs). */
  readonly changed: (folder: string) => Promise<void>;
  /** Called after each round. */
  readonly ticked: () => Promise<void>;
  readonly failed: (error: unknown) => void;
  /** Default 2,000 ms. */
  readonly intervalMs?: number;
  /** Native watchers at most, default 1,000; folders beyond are only asked for their time. */
  readonly watchers?: number;
}

interface Watched {
  mtimeMs: number;
  watcher: FSWatcher | null;
  files: readonly (FileStamp & { readonly path: string })[];
  /** When it was last listed in full, 0 if it was not since it was added. */
  listedAtMs: number;
  hint: NodeJS.Timeout | undefined;
}

/** Newest files asked for every tick; older ones come with the full listing. */
const newestFiles = 64;
const foldersPerTick = 200;
/** Folders with log files that are asked for every tick; the others in turn. */
const newestFolders = 64;
const fullListingMs = 15_000;
const hintDelayMs = 100;
const hintGapMs = 1_000;

/** Makes a watch over no folders; its timer does not keep the process alive. */
export function createFolderWatch(options: WatchOptions): FolderWatch {
  const folders = new Map<string, Watched>();
  const limit = options.watchers ?? 1_000;
  let watchers = 0;
  let turn = 0;
  let ticking: Promise<void> | null = null;
  let disposed = false;

  const closeWatcher = (watched: Watched): void => {
    clearTimeout(watched.hint);
    watched.hint = undefined;
    if (!watched.watcher) return;
    watched.watcher.close();
    watched.watcher = null;
    watchers -= 1;
  };

  /** Lists a folder soon, but not again and again while a training writes into it. */
  const hint = (folder: string): void => {
    const watched = folders.get(folder);
    if (!watched || watched.hint) return;
    const delay = Math.max(hintDelayMs, watched.listedAtMs + hintGapMs - Date.now());
    watched.hint = setTimeout(() => {
      watched.hint = undefined;
      void listAgain(folder);
    }, delay).unref();
  };

  const openWatcher = (folder: string): FSWatcher | null => {
    if (watchers >= limit) return null;
    try {
      const watcher = watchFolder(folder, { persistent: false }, () => {
        hint(folder);
      });
      // Out of watches, or the folder is gone: asking for its time goes on without.
      watcher.on('error', () => {
        const watched = folders.get(folder);
        if (watched?.watcher === watcher) closeWatcher(watched);
      });
      watchers += 1;
      return watcher;
    } catch {
      return null;
    }
  };

  const listAgain = async (folder: string): Promise<void> => {
    const watched = folders.get(folder);
    if (!watched || disposed) return;
    watched.listedAtMs = Date.now();
    try {
      await options.changed(folder);
    } catch (error) {
      options.failed(error);
    }
  };

  const hasChanged = async (folder: string, watched: Watched): Promise<boolean> => {
    const now = await stat(folder).catch(() => null);
    // A folder that cannot be asked is listed once, which takes its runs away, and is then left alone.
    if (!now) return !Number.isNaN(watched.mtimeMs) || watched.files.length > 0;
    if (now.mtimeMs !== watched.mtimeMs) return true;
    if (watched.files.length === 0) return false;
    if (Date.now() - watched.listedAtMs > fullListingMs) return true;
    const newest = watched.files.slice(0, newestFiles);
    const stats = await Promise.all(newest.map(({ path }) => stat(path).catch(() => null)));
    return stats.some((found, i) => found?.size !== newest[i]?.sizeBytes || found?.mtimeMs !== newest[i]?.mtimeMs);
  };

  const round = async (): Promise<void> => {
    // Newest first: of a run with a folder an episode only the folders that were written last change.
    const all = [...folders].sort(([, a], [, b]) => newestOf(b) - newestOf(a));
    const withFiles = all.filter(([, watched]) => watched.files.length > 0).slice(0, newestFolders);
    const others = all.filter((one) => !withFiles.includes(one));
    const some = others.slice(turn, turn + foldersPerTick);
    turn = turn + foldersPerTick >= others.length ? 0 : turn + foldersPerTick;
    for (const [folder, watched] of [...withFiles, ...some]) {
      if (disposed) return;
      if (await hasChanged(folder, watched)) await listAgain(folder);
    }
    await options.ticked();
  };

  const tick = (): Promise<void> => {
    // A slow disk must not pile rounds up.
    ticking ??= round()
      .catch(options.failed)
      .finally(() => {
        ticking = null;
      });
    return ticking;
  };
  const timer = setInterval(() => void tick(), options.intervalMs ?? 2_000).unref();

  return {
    add: (folder, mtimeMs) => {
      if (disposed) return;
      const known = folders.get(folder);
      if (known) {
        known.mtimeMs = mtimeMs;
        known.watcher ??= openWatcher(folder);
        return;
      }
      folders.set(folder, { mtimeMs, watcher: openWatcher(folder), files: [], listedAtMs: 0, hint: undefined });
    },
    setFiles: (folder, files) => {
      const watched = folders.get(folder);
      if (watched) watched.files = [...files].sort((a, b) => b.mtimeMs - a.mtimeMs);
    },
    has: (folder) => folders.has(folder),
    tick,
    dispose: () => {
      disposed = true;
      clearInterval(timer);
      for (const watched of folders.values()) closeWatcher(watched);
      folders.clear();
    },
  };
}

/** Time of the newest log file in a folder, 0 without one. */
function newestOf({ files }: Watched): number {
  return files[0]?.mtimeMs ?? 0;
}
