/**
 * Plain copies of wrapped logs (gzip, zstd, Parquet), made when one is read and kept while there is room: everything
 * that reads bytes reads the copy, every path that is shown is the original's. Named by path, size and time of the
 * original, written under another name and renamed; the least recently used go above the limit, never one in use.
 * Owned by the library. Leaves out decoding (unwrapFile.ts in a worker, store/parquetRows.ts).
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { ParquetError, type ParquetTables } from '../store/parquetRows.ts';
import { refusalOf } from '../store/shardFolder.ts';
import type { FoundFile } from './foundRun.ts';
import {
  checkRoom,
  checkSize,
  usualUnwrapLimits,
  type Unwrapped,
  type UnwrapHandlers,
  type UnwrapLimits,
  type UnwrapRequest,
} from './unwrapFile.ts';

/** The bytes that a reader reads of a log file. */
export interface Content {
  /** The file itself, or its plain copy. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Why the copy does not hold all (half a sentence); null where it does. */
  readonly cut: string | null;
}

/** Plain copies. */
export interface UnwrappedFiles {
  /** Hands the plain bytes of a file to `body`, decoding it first if need be. UserError where that is not possible. */
  use<T>(file: FoundFile, handlers: UnwrapHandlers, body: (content: Content) => Promise<T>): Promise<T>;
  /** Removes the least recently used copies above the limit, and what a crash left. */
  evict(): Promise<void>;
}

/** Where copies lie and who makes them. */
export interface UnwrappedOptions {
  readonly folder: string;
  /** Default 4 GB. */
  readonly limitBytes?: number;
  readonly limits?: UnwrapLimits;
  readonly tables: ParquetTables;
  /** Decodes gzip and zstd: unwrapFile, in a worker. */
  readonly decode: (request: UnwrapRequest, handlers: UnwrapHandlers) => Promise<Unwrapped>;
}

const defaultLimitBytes = 4_000_000_000;
/** Raise when the same bytes give another copy. */
const version = 1;
const wholeEnd = '.whole';
const cutEnd = '.cut';
const temporaryStart = '.writing-';
const leftoverAfterMs = 60 * 60 * 1000;
const watchEveryMs = 250;

/** A copy that is being made for one or several who wait for it. */
interface Making {
  readonly promise: Promise<Content>;
  readonly controller: AbortController;
  readonly progress: Set<(bytes: number) => void>;
  waiting: number;
}

/** Opens the folder; it is created with the first copy. */
export function createUnwrappedFiles(options: UnwrappedOptions): UnwrappedFiles {
  const { folder, limitBytes = defaultLimitBytes, limits = usualUnwrapLimits } = options;
  const making = new Map<string, Making>();
  const inUse = new Map<string, number>();
  /** A copy was made since copies were last evicted. */
  let grown = false;

  const find = async (name: string): Promise<Content | null> => {
    for (const end of [wholeEnd, cutEnd]) {
      const path = join(folder, name + end);
      const found = await stat(path).catch(() => null);
      if (!found?.isFile()) continue;
      const now = new Date();
      await utimes(path, now, now).catch(() => undefined);
      return { path, sizeBytes: found.size, cut: end === cutEnd ? 'it is damaged or cut off' : null };
    }
    return null;
  };

  const make = async (file: FoundFile, name: string, handlers: UnwrapHandlers): Promise<Content> => {
    const target = join(folder, `${temporaryStart}${process.pid}-${randomBytes(6).toString('hex')}`);
    const request = { path: file.path, wrapper: file.wrapper ?? 'gzip', sizeBytes: file.sizeBytes, target, limits };
    try {
      await mkdir(folder, { recursive: true });
      const { cut } =
        file.wrapper === 'parquet'
          ? await copyTable(options.tables, request, handlers)
          : await options.decode(request, handlers);
      const path = join(folder, name + (cut === null ? wholeEnd : cutEnd));
      await rename(target, path);
      grown = true;
      return { path, sizeBytes: (await stat(path)).size, cut };
    } catch (error) {
      handlers.signal.throwIfAborted();
      if (error instanceof UserError) throw error;
      const refusal = refusalOf(error);
      if (refusal === null) throw error;
      const message = `${file.path} could not be unpacked: ${refusal}.`;
      throw new UserError(message, 'Free some space, or check the folder of the index.');
    } finally {
      await rm(target, { force: true }).catch(() => undefined);
    }
  };

  const start = (file: FoundFile, name: string): Making => {
    const controller = new AbortController();
    const progress = new Set<(bytes: number) => void>();
    const handlers = {
      signal: controller.signal,
      progress: (bytes: number) => {
        for (const tell of progress) tell(bytes);
      },
    };
    // The look belongs to it: between a look and a making that begins later, another one could have ended.
    const promise = find(name).then((found) => found ?? make(file, name, handlers));
    const one: Making = { promise, controller, progress, waiting: 0 };
    // Whoever waits sees a failure; it must not count as unhandled where all have left.
    promise
      .catch(() => undefined)
      .finally(() => {
        forget(name, one);
      });
    return one;
  };

  const forget = (name: string, one: Making): void => {
    if (making.get(name) === one) making.delete(name);
  };

  /** The copy, made by whoever asks first; the making stops when nobody waits for it any more. */
  const contentOf = async (file: FoundFile, name: string, handlers: UnwrapHandlers): Promise<Content> => {
    const { signal, progress } = handlers;
    signal.throwIfAborted();
    const one = making.get(name) ?? start(file, name);
    making.set(name, one);
    one.waiting += 1;
    one.progress.add(progress);
    try {
      return await untilAborted(one.promise, signal);
    } finally {
      one.progress.delete(progress);
      one.waiting -= 1;
      if (one.waiting === 0) {
        forget(name, one);
        one.controller.abort();
      }
    }
  };

  const evict = async (): Promise<void> => {
    const copies: { readonly path: string; readonly sizeBytes: number; readonly usedMs: number }[] = [];
    for (const name of await readdir(folder).catch(() => [])) {
      const path = join(folder, name);
      const found = await stat(path).catch(() => null);
      if (!found?.isFile()) continue;
      if (name.endsWith(wholeEnd) || name.endsWith(cutEnd)) {
        copies.push({ path, sizeBytes: found.size, usedMs: found.mtimeMs });
      } else if (name.startsWith(temporaryStart) && Date.now() - found.mtimeMs > leftoverAfterMs) {
        await rm(path, { force: true }).catch(() => undefined);
      }
    }
    let total = copies.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    for (const { path, sizeBytes } of copies.sort((a, b) => a.usedMs - b.usedMs)) {
      if (total <= limitBytes) return;
      if (inUse.has(path)) continue;
      await rm(path, { force: true }).catch(() => undefined);
      total -= sizeBytes;
    }
  };

  return {
    use: async (file, handlers, body) => {
      if (!file.wrapper) return body({ path: file.path, sizeBytes: file.sizeBytes, cut: null });
      const name = nameOf(file);
      const content = await contentOf(file, name, handlers);
      inUse.set(content.path, (inUse.get(content.path) ?? 0) + 1);
      try {
        if (grown) {
          grown = false;
          await evict();
        }
        return await body(content);
      } finally {
        const others = (inUse.get(content.path) ?? 1) - 1;
        if (others > 0) inUse.set(content.path, others);
        else inUse.delete(content.path);
      }
    },
    evict,
  };
}

function nameOf({ path, sizeBytes, mtimeMs, wrapper }: FoundFile): string {
  const identity = JSON.stringify([version, path, sizeBytes, mtimeMs, wrapper]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 32);
}

/** Copies a table; its growing copy is looked at now and then, since DuckDB knows no limits. */
async function copyTable(
  tables: ParquetTables,
  request: UnwrapRequest,
  { signal, progress }: UnwrapHandlers,
): Promise<Unwrapped> {
  await checkRoom(request, 0);
  const stop = new AbortController();
  let why: Error | null = null;
  const timer = setInterval(() => {
    void (async () => {
      const written = (await stat(request.target).catch(() => null))?.size ?? 0;
      checkSize(request, written, request.sizeBytes);
      await checkRoom(request, 0);
      // How far it is nobody tells; JSON takes about four times the room.
      progress(Math.min(request.sizeBytes * 0.95, written / 4));
    })().catch((error: unknown) => {
      why = error instanceof Error ? error : new Error(String(error));
      stop.abort();
    });
  }, watchEveryMs);
  try {
    await tables.copyRows(request.path, request.target, AbortSignal.any([signal, stop.signal]));
    checkSize(request, (await stat(request.target)).size, request.sizeBytes);
    return { cut: null };
  } catch (error) {
    signal.throwIfAborted();
    // The timer sets it.
    const limit = why as Error | null;
    if (limit !== null) throw limit;
    if (!(error instanceof ParquetError)) throw error;
    const action = 'If other programs read it, report it with its schema.';
    throw new UserError(`${request.path} is a Parquet table that cannot be read: ${error.message}.`, action);
  } finally {
    clearInterval(timer);
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      const reason: unknown = signal.reason;
      reject(reason instanceof Error ? reason : Object.assign(new Error('cancelled'), { name: 'AbortError' }));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}

/** The folder of the copies in a storage folder. */
export function unwrappedFolder(storage: string): string {
  return join(storage, 'unwrapped');
}
