/**
 * The index of one log file: the shards that cover its beginning, and what is read to complete them. A grown file keeps
 * its shards and gets a tail shard; one whose beginning changed starts anew. Shards of a wrapped file carry the name of the
 * file as it lies there, their ranges are those of what is inside: reopening it unpacks nothing. Owned by runIndex.ts, one file at a time.
 * Leaves out which file is next and the in-memory table.
 */
import { rulesVersion } from '../analysis/redundancy/all.ts';
import type { Note } from '../model/note.ts';
import type { RecordPlace } from '../model/rollout.ts';
import { readerOf } from '../readers/all.ts';
import type { RunPart } from '../store/runTable.ts';
import {
  headTailHash,
  parseShardKey,
  shardKey,
  unfinishedFingerprint,
  type ShardKey,
  type ShardReader,
} from '../store/shardKey.ts';
import type { Neighbour } from '../store/shardMeta.ts';
import type { ShardMeta, ShardStore } from '../store/shardStore.ts';
import type { FoundFile } from './foundRun.ts';
import { fileError } from './fileSource.ts';
import { sameNeighbours } from './neighbours.ts';
import { usualPartBytes, type ReadPart } from './readParts.ts';
import type { Content, UnwrappedFiles } from './unwrappedFiles.ts';
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
  /** The index covers the file's first bytes up to here; 0 while a wrapped file is being read. */
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
  readonly contents: UnwrappedFiles;
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
  return { reader: format, readerVersion: readerOf(format)?.version ?? 0, variant, rulesVersion };
}

/** What the index folder already has of a file; null if nothing. Rejects with a UserError if the file is unreadable. */
export async function findIndexed(file: FoundFile, store: ShardStore): Promise<IndexedFile | null> {
  try {
    const shards = await store.find(readerPart(file), file.path, file.sizeBytes);
    const last = shards.at(-1);
    // A log whose neighbour has changed (a result was written) is read again.
    if (!last || !(await sameNeighbours(file.path, last.meta.beside))) return null;
    // The key tells of the file as it lies there, the range of what may be inside a wrapper.
    const coveredBytes = parseShardKey(last.key)?.sizeBytes ?? 0;
    if (isOneGrowingEpisode(file, coveredBytes)) return null;
    return {
      parts: shards.map(({ key, rolloutsPath, callsPath, meta }) => ({
        key,
        part: { kind: 'shard', id: partId(key, meta), rolloutsPath, callsPath },
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

/**
 * Whether the index is still that of the file: `rewritten` where the file does not begin with what is covered, `elsewhere`
 * where a file beside it changed, or where a wrapped file was not read to its end.
 */
export async function coverageOf(indexed: IndexedFile, file: FoundFile): Promise<'holds' | 'rewritten' | 'elsewhere'> {
  if (indexed.coveredBytes > file.sizeBytes) return 'rewritten';
  if (!(await sameNeighbours(file.path, besideOf(indexed)))) return 'elsewhere';
  if (indexed.coveredBytes === 0) return indexed.parts.length === 0 ? 'holds' : 'elsewhere';
  if (isOneGrowingEpisode(file, indexed.coveredBytes)) return 'rewritten';
  return (await fingerprintOf(file.path, indexed.coveredBytes)) === indexed.fingerprint ? 'holds' : 'rewritten';
}

/** True where a file that is one rollout has grown: what came belongs to the rollout that is indexed, so all is read again. */
function isOneGrowingEpisode({ recognition, sizeBytes }: FoundFile, coveredBytes: number): boolean {
  return recognition.holds === 'episode' && coveredBytes < sizeBytes;
}

/** The files beside the log that its rollouts depend on. */
export function besideOf({ parts }: IndexedFile): readonly Neighbour[] {
  return parts.at(-1)?.meta.beside ?? [];
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
  if (base?.coveredBytes === file.sizeBytes) return base;
  // A wrapped file that has grown is unpacked as a whole anyway, and what its notes said of its end may not hold.
  let indexed = file.wrapper === undefined ? (base ?? nothing) : nothing;
  if (file.sizeBytes === 0) return indexed;
  const before = await fingerprintOf(file.path, file.sizeBytes);
  const checkUnchanged = async (): Promise<void> => {
    if (before === '' || (await fingerprintOf(file.path, file.sizeBytes)) !== before) throw changed(file.path);
  };
  // Parts arrive faster than they are written; one after another keeps them in file order.
  let writing: Promise<void> = Promise.resolve();
  /** Of a wrapped file: a part is written when the next one comes, since only the last may carry the file's name. */
  let held: ReadPart | null = null;
  const write = (part: ReadPart, state: PartState): void => {
    writing = writing.then(async () => {
      // Before anything is written: a shard must never carry the name of other bytes than its own.
      await checkUnchanged();
      indexed = await writePart(file, indexed, part, { store: context.store, state, fingerprint: before });
      context.published(indexed);
    });
    // Its failure is seen below; until then it must not count as unhandled.
    writing.catch(() => undefined);
  };
  const { signal, urgent, progress, contents, partBytes = usualPartBytes } = context;
  const from = indexed.parts.length === 0 ? null : indexed.next;
  const { wrapper } = file;
  try {
    if (wrapper === undefined) {
      const request = { path: file.path, copyOf: null, recognition: file.recognition, from, partBytes };
      const part = (one: ReadPart): void => {
        write(one, 'plain');
      };
      const end = await context.pool.read(request, { signal, urgent, progress, part });
      await writing;
      return { ...indexed, unfinished: end.unfinished };
    }
    // Half of the way is unpacking it; a copy that is there already makes that half short.
    const unpacking = { signal, progress: (bytes: number) => progress(bytes / 2) };
    return await contents.use(file, unpacking, async (content) => {
      const copyOf = { original: file.path, wrapper };
      const request = { path: content.path, copyOf, recognition: file.recognition, from, partBytes };
      const half = (bytes: number): number => (file.sizeBytes / 2) * (1 + bytes / Math.max(1, content.sizeBytes));
      const end = await context.pool.read(request, {
        signal,
        urgent,
        progress: (bytes) => progress(Math.min(file.sizeBytes, half(bytes))),
        part: (one) => {
          if (held) write(held, 'more to come');
          held = one;
        },
      });
      if (held) write(withNotes(held, wrappedNotes(file, content, end.unfinished)), 'last');
      await writing;
      return indexed;
    });
  } finally {
    await writing.catch(() => undefined);
  }
}

/** Notes about a wrapped file as a whole; an unfinished last line belongs to them, since all of the file is covered. */
function wrappedNotes({ name, wrapper }: FoundFile, content: Content, unfinished: Note | null): readonly Note[] {
  const notes: Note[] = unfinished ? [unfinished] : [];
  if (content.cut === null || !wrapper) return notes;
  const message = `the ${wrapper} data is damaged or cut off; what could be decompressed before that was read`;
  return [...notes, { severity: 'warning', code: 'damaged-file', file: name, line: null, message }];
}

function withNotes(part: ReadPart, notes: readonly Note[]): ReadPart {
  return { ...part, notes: [...notes, ...part.notes] };
}

/** `plain`: bytes of the file as it lies there. The others are of a wrapped file, whose copy has its own bytes. */
type PartState = 'plain' | 'more to come' | 'last';

interface PartTarget {
  readonly store: ShardStore;
  readonly state: PartState;
  /** Of the whole file. */
  readonly fingerprint: string;
}

async function writePart(
  file: FoundFile,
  indexed: IndexedFile,
  part: ReadPart,
  { store, state, fingerprint: ofFile }: PartTarget,
): Promise<IndexedFile> {
  const { columns, ...sums } = part;
  // Nothing in it is a reason not to write it only where the file may grow.
  if (part.lines === 0 && (state === 'plain' || part.notes.length === 0)) return indexed;
  const endByte = part.range.first + part.range.count;
  const coveredBytes = state === 'plain' ? endByte : file.sizeBytes;
  const fingerprint = state === 'plain' ? await fingerprintOf(file.path, endByte) : ofFile;
  if (fingerprint === '') throw changed(file.path);
  const named = state === 'more to come' ? unfinishedFingerprint(fingerprint, endByte) : fingerprint;
  const identity = readerPart(file);
  const firstByte = part.range.first;
  const key = shardKey({ ...identity, sizeBytes: coveredBytes, headTailHash: named, firstByte });
  const previous = indexed.parts.at(-1)?.key ?? null;
  const meta: ShardMeta = { ...identity, ...sums, rollouts: columns.rollouts.count, previous };
  const result = await store.write(key, columns, meta);
  const id = partId(key, meta);
  const runPart: RunPart = result.written
    ? { kind: 'shard', id, rolloutsPath: result.shard.rolloutsPath, callsPath: result.shard.callsPath }
    : { kind: 'columns', id, columns };
  const complete = state !== 'more to come';
  return {
    parts: [...indexed.parts, { key, part: runPart, meta }],
    coveredBytes: complete ? coveredBytes : 0,
    fingerprint: complete ? fingerprint : '',
    next: part.next,
    unfinished: null,
    notWritten: result.written ? indexed.notWritten : result.reason,
  };
}

/** Names the content of a part: of two with one key, read beside other neighbours, each is loaded. */
function partId(key: ShardKey, { beside }: ShardMeta): string {
  return beside.length === 0 ? key : `${key} ${beside.map(({ name, digest }) => `${name}:${digest}`).join(' ')}`;
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
  const { rolloutsPath, callsPath, meta } = result.shard;
  const joined: IndexedPart = { key, part: { kind: 'shard', id: partId(key, meta), rolloutsPath, callsPath }, meta };
  return { indexed: { ...indexed, parts: [joined] }, replaced: keys.filter((old) => old !== key) };
}
