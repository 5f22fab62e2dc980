/**
 * The index of one log file: the shards that cover its beginning, and what is read to complete them. A grown file keeps
 * its shards and gets a tail shard; one whose beginning changed starts anew. Owned by runIndex.ts, one file at a time.
 * Leaves out which file is next and the in-memory table.
 */
import type { Note } from '../model/note.ts';
import type { RecordPlace } from '../model/rollout.ts';
import { readerOf } from '../readers/all.ts';
import type { RunPart } from '../store/runTable.ts';
import { headTailHash, shardKey, type ShardKey, type ShardReader } from '../store/shardKey.ts';
import type { ShardMeta, ShardStore } from '../store/shardStore.ts';
import type { FoundFile } from './discovery.ts';
import { fileError } from './fileSource.ts';
import { usualPartBytes, type ReadPart } from './readParts.ts';
import type { ReadPool } from './workerPool.ts';

/** One indexed part of a file. */
export interface IndexedPart {
  readonly key: ShardKey;
  readonly part: RunPart;
  readonly meta: ShardMeta;
}

/** How far a file is indexed. */
export interface IndexedFile {
  readonly parts: readonly IndexedPart[];
  /** The index covers the file's first bytes up to here. */
  readonly coveredBytes: number;
  /** headTailHash of those bytes: tells whether a changed file only grew. */
  readonly fingerprint: string;
  readonly next: RecordPlace;
  /** Note about a last line that is still being written. */
  readonly unfinished: Note | null;
  /** Why a part could not be written to the index folder; null if all are. */
  readonly notWritten: string | null;
}

/** What indexing needs. */
export interface IndexContext {
  readonly store: ShardStore;
  readonly pool: ReadPool;
  readonly signal: AbortSignal;
  /** True puts the file before others that wait. */
  readonly urgent: boolean;
  /** Default 256 MB. */
  readonly partBytes?: number;
  /** Called with each part that is usable before the whole file is. */
  readonly published: (indexed: IndexedFile) => void;
  readonly progress: (bytes: number) => void;
}

/** True for the rejection of completeIndex that says that the file was rewritten while it was read. */
export function isFileChanged(error: unknown): boolean {
  return error instanceof Error && error.name === changedName;
}

const changedName = 'FileChangedError';

function changed(path: string): Error {
  return Object.assign(new Error(`${path} was rewritten while it was read`), { name: changedName });
}

const nothing: IndexedFile = {
  parts: [],
  coveredBytes: 0,
  fingerprint: '',
  next: { row: 0, line: 0, bytes: { first: 0, count: 0 } },
  unfinished: null,
  notWritten: null,
};

function readerPart({ recognition }: FoundFile): ShardReader {
  const { format, variant } = recognition;
  return { reader: format, readerVersion: readerOf(format)?.version ?? 0, variant };
}

/** What the index folder already has of a file; null if nothing. Rejects with a UserError if the file is unreadable. */
export async function findIndexed(file: FoundFile, store: ShardStore): Promise<IndexedFile | null> {
  try {
    const shards = await store.find(readerPart(file), file.path, file.sizeBytes);
    const last = shards.at(-1);
    if (!last) return null;
    const coveredBytes = last.meta.range.first + last.meta.range.count;
    return {
      parts: shards.map(({ key, rolloutsPath, meta }) => ({
        key,
        part: { kind: 'shard', id: key, rolloutsPath },
        meta,
      })),
      coveredBytes,
      fingerprint: await headTailHash(file.path, coveredBytes),
      next: last.meta.next,
      unfinished: null,
      notWritten: null,
    };
  } catch (error) {
    throw fileError(file.path, error);
  }
}

/** True if the file still begins with what `indexed` covers. */
export async function stillCovers(indexed: IndexedFile, file: FoundFile): Promise<boolean> {
  if (indexed.coveredBytes > file.sizeBytes) return false;
  return indexed.coveredBytes === 0 || (await fingerprintOf(file.path, indexed.coveredBytes)) === indexed.fingerprint;
}

/** The fingerprint of a file's first bytes, '' where it has become shorter or unreadable. */
async function fingerprintOf(path: string, sizeBytes: number): Promise<string> {
  return headTailHash(path, sizeBytes).catch(() => '');
}

/**
 * Reads what `base` does not cover and writes it as shards. Rejects with a UserError if the file cannot be read, with an
 * error of which isFileChanged is true if it was rewritten meanwhile, or on abort; what was published stays usable.
 */
export async function completeIndex(
  file: FoundFile,
  base: IndexedFile | null,
  context: IndexContext,
): Promise<IndexedFile> {
  let indexed = base ?? nothing;
  if (indexed.coveredBytes === file.sizeBytes) return indexed;
  const before = await fingerprintOf(file.path, file.sizeBytes);
  const checkUnchanged = async (): Promise<void> => {
    if (before === '' || (await fingerprintOf(file.path, file.sizeBytes)) !== before) throw changed(file.path);
  };
  // Parts arrive faster than they are written; one after another keeps them in file order.
  let writing: Promise<void> = Promise.resolve();
  const { signal, urgent, progress, partBytes = usualPartBytes } = context;
  const request = {
    path: file.path,
    recognition: file.recognition,
    from: indexed.parts.length === 0 ? null : indexed.next,
    partBytes,
  };
  try {
    const end = await context.pool.read(request, {
      signal,
      urgent,
      progress,
      part: (part) => {
        writing = writing.then(async () => {
          // Before anything is written: a shard must never carry the name of other bytes than its own.
          await checkUnchanged();
          indexed = await writePart(file, indexed, part, context.store);
          context.published(indexed);
        });
        // Its failure is seen below; until then it must not count as unhandled.
        writing.catch(() => undefined);
      },
    });
    await writing;
    return { ...indexed, unfinished: end.unfinished };
  } finally {
    await writing.catch(() => undefined);
  }
}

async function writePart(
  file: FoundFile,
  indexed: IndexedFile,
  part: ReadPart,
  store: ShardStore,
): Promise<IndexedFile> {
  const { columns, ...sums } = part;
  if (part.lines === 0) return indexed;
  const coveredBytes = part.range.first + part.range.count;
  const fingerprint = await fingerprintOf(file.path, coveredBytes);
  if (fingerprint === '') throw changed(file.path);
  const identity = readerPart(file);
  const firstByte = part.range.first;
  const key = shardKey({ ...identity, sizeBytes: coveredBytes, headTailHash: fingerprint, firstByte });
  const meta: ShardMeta = { ...identity, ...sums, previous: indexed.parts.at(-1)?.key ?? null };
  const result = await store.write(key, columns, meta);
  const runPart: RunPart = result.written
    ? { kind: 'shard', id: key, rolloutsPath: result.shard.rolloutsPath }
    : { kind: 'columns', id: key, columns };
  return {
    parts: [...indexed.parts, { key, part: runPart, meta }],
    coveredBytes,
    fingerprint,
    next: part.next,
    unfinished: null,
    notWritten: result.written ? indexed.notWritten : result.reason,
  };
}

/** Joins the parts of a file into one shard; gives the file unchanged where that is not possible. */
export async function joinParts(
  file: FoundFile,
  indexed: IndexedFile,
  store: ShardStore,
): Promise<{ readonly indexed: IndexedFile; readonly replaced: readonly ShardKey[] }> {
  const kept = { indexed, replaced: [] };
  const first = indexed.parts[0];
  const last = indexed.parts.at(-1);
  const allStored = indexed.parts.every(({ part }) => part.kind === 'shard');
  if (!first || !last || first === last || !allStored) return kept;
  const { coveredBytes, fingerprint } = indexed;
  const key = shardKey({ ...readerPart(file), sizeBytes: coveredBytes, headTailHash: fingerprint });
  const keys = indexed.parts.map((part) => part.key);
  const result = await store.mergeShards(keys, key);
  if (!result.written) return kept;
  const { rolloutsPath, meta } = result.shard;
  const joined: IndexedPart = { key, part: { kind: 'shard', id: key, rolloutsPath }, meta };
  return { indexed: { ...indexed, parts: [joined] }, replaced: keys.filter((old) => old !== key) };
}
