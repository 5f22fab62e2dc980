/**
 * The files of one run and how far each is indexed: which is read next, what happens when one grows, shrinks, is
 * rewritten, fails or goes away. Files with shards come in at once, then the first, the last and the rest in step order.
 * Owned by runIndex.ts. Leaves out the in-memory table and how a file is noticed to have changed (watch.ts).
 */
import { stat } from 'node:fs/promises';
import { isAbort, messageOf, UserError } from '../base/errors.ts';
import type { ShardStore } from '../store/shardStore.ts';
import { addNote, newEntry, type FileEntry, type OpenEntry } from './fileEntry.ts';
import { compareFiles, type FoundFile } from './foundRun.ts';
import {
  besideOf,
  completeIndex,
  coverageOf,
  findIndexed,
  isFileChanged,
  joinParts,
  type IndexedFile,
} from './indexFile.ts';
import { neighbourStamp, sameNeighbours } from './neighbours.ts';
import type { UnwrappedFiles } from './unwrappedFiles.ts';
import type { ReadPool } from './workerPool.ts';

/** The files of one run. */
export interface FileQueue {
  /** In step order. */
  entries(): readonly FileEntry[];
  /** Resolves when what the index folder already has of the files is reported. */
  loaded(): Promise<void>;
  /** Makes these the files of the run: new ones are queued, changed ones again, missing ones are gone. */
  update(files: readonly FoundFile[]): void;
  /** The shards of a file turned out to be damaged or gone: reads it anew, and gives up after a few times. */
  dropIndex(path: string, why: unknown): void;
  /** Reads this file before the others. */
  prioritise(path: string): void;
  pause(): void;
  resume(): void;
  readonly paused: boolean;
  /** Resolves when nothing is waiting or being read, or the queue is paused. */
  whenIdle(): Promise<void>;
  /** Joins the shards of files that were quiet for a minute; reads those again whose neighbours changed. */
  tidy(): Promise<void>;
  close(): Promise<void>;
}

/** What a queue needs and tells. */
export interface QueueOptions {
  readonly store: ShardStore;
  readonly pool: ReadPool;
  readonly contents: UnwrappedFiles;
  readonly partBytes?: number;
  /** The index, the state or the progress of a file changed; `content` where its rows did. */
  readonly changed: (entry: FileEntry, what: 'content' | 'progress') => void;
  /** A file is gone; its entry is not listed any more. */
  readonly gone: (entry: FileEntry) => void;
  /** Something went wrong that is nobody's content: a bug. */
  readonly failed: (error: unknown) => void;
}

const quietMs = 60_000;
const partsBeforeJoin = 32;
const rewritesTolerated = 5;
const dropsTolerated = 2;
/** Logs whose neighbours are looked at in one round of tidying. */
const besideChecks = 200;

/** Makes an empty queue. */
export function createFileQueue(options: QueueOptions): FileQueue {
  const { store, pool } = options;
  const entries = new Map<string, OpenEntry>();
  const urgent = new Set<string>();
  const idleWaiters: (() => void)[] = [];
  let order: OpenEntry[] | null = null;
  let controller = new AbortController();
  let paused = false;
  let closed = false;
  let reading = 0;
  let loading: Promise<void> = Promise.resolve();
  let loadsWaiting = 0;
  let besideTurn = 0;

  const ordered = (): OpenEntry[] => (order ??= [...entries.values()].sort((a, b) => compareFiles(a.found, b.found)));

  const isIdle = (): boolean => {
    if (reading > 0 || loadsWaiting > 0) return false;
    if (paused || closed) return true;
    for (const entry of entries.values()) if (entry.state === 'waiting') return false;
    return true;
  };
  const tellIdle = (): void => {
    if (isIdle()) for (const resolve of idleWaiters.splice(0)) resolve();
  };

  const next = (): OpenEntry | null => {
    const list = ordered();
    for (const entry of list) if (entry.state === 'waiting' && urgent.has(entry.found.path)) return entry;
    const last = list.at(-1);
    if (list[0]?.state !== 'waiting' && last?.state === 'waiting') return last;
    return list.find((entry) => entry.state === 'waiting') ?? null;
  };

  const pump = (): void => {
    while (!paused && !closed && loadsWaiting === 0 && reading < pool.size + 1) {
      const entry = next();
      if (!entry) break;
      entry.state = 'reading';
      reading += 1;
      void readEntry(entry)
        .catch(options.failed)
        .finally(() => {
          reading -= 1;
          pump();
        });
    }
    tellIdle();
  };

  const readEntry = async (entry: OpenEntry): Promise<void> => {
    const { found } = entry;
    const { signal } = controller;
    try {
      const base = await baseOf(entry, found);
      const indexed = await completeIndex(found, base, {
        store,
        pool,
        contents: options.contents,
        signal,
        urgent: urgent.has(found.path),
        ...(options.partBytes === undefined ? {} : { partBytes: options.partBytes }),
        published: (partly) => {
          if (!isCurrent(entry)) return;
          entry.indexed = partly;
          entry.changedAtMs = Date.now();
          options.changed(entry, 'content');
        },
        progress: (bytes) => {
          entry.bytesRead = bytes;
          options.changed(entry, 'progress');
        },
      });
      if (!isCurrent(entry)) return;
      finish(entry, indexed);
    } catch (error) {
      if (!isCurrent(entry)) return;
      await fail(entry, error, signal);
    }
  };

  /** The part of the index that still holds, null to start from the beginning. */
  const baseOf = async (entry: OpenEntry, found: FoundFile): Promise<IndexedFile | null> => {
    // Shards that turned out to be useless are written again.
    if (!entry.indexed) return entry.drops > 0 ? null : findIndexed(found, store);
    const coverage = await coverageOf(entry.indexed, found);
    if (coverage === 'holds') return entry.indexed;
    // A file beside it changed: what is shown stays until the log is read again.
    if (coverage === 'elsewhere') return findIndexed(found, store);
    addNote(entry, {
      severity: 'information',
      code: 'file-changed',
      message: 'the file was rewritten; it is read again',
    });
    entry.indexed = null;
    options.changed(entry, 'content');
    return findIndexed(found, store);
  };

  const finish = (entry: OpenEntry, indexed: IndexedFile): void => {
    if (indexed !== entry.indexed) entry.changedAtMs = Date.now();
    entry.indexed = indexed;
    entry.besideStamp = null;
    entry.rewrites = 0;
    entry.bytesRead = entry.found.sizeBytes;
    entry.state = entry.again ? 'waiting' : 'done';
    entry.again = false;
    urgent.delete(entry.found.path);
    options.changed(entry, 'content');
  };

  const fail = async (entry: OpenEntry, error: unknown, signal: AbortSignal): Promise<void> => {
    const { path } = entry.found;
    if (isAbort(error) || signal.aborted) {
      entry.state = 'waiting';
      return;
    }
    if (isFileChanged(error) && entry.rewrites < rewritesTolerated) {
      entry.rewrites += 1;
      const now = await stat(path).catch(() => null);
      if (now) entry.found = { ...entry.found, sizeBytes: now.size, mtimeMs: now.mtimeMs };
      entry.state = 'waiting';
      return;
    }
    entry.state = entry.again ? 'waiting' : 'failed';
    entry.again = false;
    if (error instanceof UserError) {
      const message = error.action === null ? error.message : `${error.message} ${error.action}`;
      addNote(entry, { severity: 'error', code: 'unreadable-file', message });
    } else if (isFileChanged(error)) {
      addNote(entry, {
        severity: 'warning',
        code: 'file-changed',
        message: 'the file changes all the time; it is read when it rests',
      });
    } else {
      addNote(entry, { severity: 'error', code: 'unreadable-file', message: `reading stopped: ${messageOf(error)}` });
      options.failed(error);
    }
    options.changed(entry, 'progress');
  };

  const isCurrent = (entry: OpenEntry): boolean => !closed && entries.get(entry.found.path) === entry;

  /** Takes what the index folder has of new files, many at a time, before anything is read. */
  const load = async (fresh: readonly OpenEntry[]): Promise<void> => {
    const lookAt = async (entry: OpenEntry): Promise<void> => {
      try {
        const indexed = await findIndexed(entry.found, store);
        if (!indexed || !isCurrent(entry) || entry.state !== 'waiting') return;
        entry.indexed = indexed;
        entry.bytesRead = indexed.coveredBytes;
        if (indexed.coveredBytes === entry.found.sizeBytes) entry.state = 'done';
        options.changed(entry, 'content');
      } catch {
        // Reading it will say why.
      }
    };
    for (let first = 0; first < fresh.length && !closed; first += 16) {
      await Promise.all(fresh.slice(first, first + 16).map(lookAt));
    }
  };

  const addFile = (found: FoundFile): OpenEntry => {
    const entry = newEntry(found);
    entries.set(found.path, entry);
    order = null;
    return entry;
  };

  const changeFile = (entry: OpenEntry, found: FoundFile): void => {
    const { sizeBytes, mtimeMs } = entry.found;
    if (sizeBytes === found.sizeBytes && mtimeMs === found.mtimeMs) return;
    entry.found = found;
    if (entry.state === 'reading') entry.again = true;
    else entry.state = 'waiting';
  };

  const removeFile = (entry: OpenEntry): void => {
    entries.delete(entry.found.path);
    urgent.delete(entry.found.path);
    order = null;
    const message = 'the file is gone or no rollout log any more; its rollouts were taken out';
    addNote(entry, { severity: 'information', code: 'file-changed', message });
    options.gone(entry);
  };

  /** Queues logs whose neighbours have changed: a result is often written after the log it belongs to. */
  const checkBeside = async (): Promise<void> => {
    const depending = ordered().filter(
      ({ state, indexed }) => state === 'done' && indexed && besideOf(indexed).length > 0,
    );
    const some = depending.slice(besideTurn, besideTurn + besideChecks);
    besideTurn = besideTurn + besideChecks >= depending.length ? 0 : besideTurn + besideChecks;
    for (const entry of some) {
      const { indexed, found, besideStamp } = entry;
      if (closed || paused || !indexed) return;
      const beside = besideOf(indexed);
      const stamp = await neighbourStamp(found.path, beside);
      const changed = besideStamp === null ? !(await sameNeighbours(found.path, beside)) : stamp !== besideStamp;
      if (entry.indexed !== indexed || !isCurrent(entry) || entry.state !== 'done') continue;
      entry.besideStamp = stamp;
      if (changed) entry.state = 'waiting';
    }
    pump();
  };

  return {
    entries: ordered,
    loaded: () => loading,
    update: (files) => {
      if (closed) return;
      const present = new Set(files.map((file) => file.path));
      for (const entry of [...entries.values()]) if (!present.has(entry.found.path)) removeFile(entry);
      const fresh: OpenEntry[] = [];
      for (const file of files) {
        const known = entries.get(file.path);
        if (known) changeFile(known, file);
        else fresh.push(addFile(file));
      }
      if (fresh.length > 0) {
        loadsWaiting += 1;
        loading = loading
          .then(() => load(fresh))
          .catch(options.failed)
          .finally(() => {
            loadsWaiting -= 1;
            pump();
          });
      }
      pump();
    },
    dropIndex: (path, why) => {
      const entry = entries.get(path);
      if (!entry || closed) return;
      entry.indexed = null;
      entry.drops += 1;
      if (entry.drops > dropsTolerated) {
        entry.state = 'failed';
        addNote(entry, {
          severity: 'error',
          code: 'index-not-written',
          message: `its index cannot be read: ${messageOf(why)}`,
        });
        return;
      }
      if (entry.state === 'reading') entry.again = true;
      else entry.state = 'waiting';
      pump();
    },
    prioritise: (path) => {
      urgent.add(path);
      pump();
    },
    pause: () => {
      paused = true;
      controller.abort();
      controller = new AbortController();
      tellIdle();
    },
    resume: () => {
      paused = false;
      for (const entry of entries.values()) if (entry.state === 'failed') entry.state = 'waiting';
      pump();
    },
    get paused() {
      return paused;
    },
    whenIdle: () =>
      new Promise((resolve) => {
        idleWaiters.push(resolve);
        tellIdle();
      }),
    tidy: async () => {
      await checkBeside();
      for (const entry of ordered()) {
        if (closed) return;
        const { indexed, found } = entry;
        if (!indexed || entry.state !== 'done' || indexed.parts.length < 2 || paused) continue;
        if (Date.now() - entry.changedAtMs < quietMs && indexed.parts.length < partsBeforeJoin) continue;
        entry.state = 'reading';
        reading += 1;
        try {
          const joined = await joinParts(found, indexed, store);
          entry.changedAtMs = Date.now();
          if (!isCurrent(entry) || joined.replaced.length === 0) continue;
          entry.indexed = joined.indexed;
          options.changed(entry, 'content');
          for (const key of joined.replaced) await store.remove(key);
        } catch (error) {
          options.failed(error);
        } finally {
          entry.state = entry.again ? 'waiting' : 'done';
          entry.again = false;
          reading -= 1;
          pump();
        }
      }
    },
    close: async () => {
      closed = true;
      controller.abort();
      await new Promise<void>((resolve) => {
        idleWaiters.push(resolve);
        tellIdle();
      });
    },
  };
}
