/**
 * Reads single rollouts again out of their logs: by the place the index knows, else by looking for the row or the line,
 * so that a transcript opens while its file is still being indexed. Keeps the last few for pictures and rests.
 * Owned by engine.ts. Leaves out which run a file belongs to.
 */
import { UserError } from '../base/errors.ts';
import type { RecordPlace, Rollout } from '../model/rollout.ts';
import { readHead } from '../readers/head.ts';
import { readerOf } from '../readers/all.ts';
import type { Head, Reader } from '../readers/reader.ts';
import type { Source } from '../readers/source.ts';
import type { Neighbour } from '../store/shardMeta.ts';
import type { FoundFile } from './foundRun.ts';
import { withFile, type FileSource } from './fileSource.ts';
import { neighbourStamp } from './neighbours.ts';
import type { UnwrappedFiles } from './unwrappedFiles.ts';

/** What to look for where the index does not know the place. */
export type Wanted = { readonly row: number } | { readonly line: number };

/** Reads single rollouts. */
export interface RolloutReader {
  /** The rollout at a place; null if those bytes are no record any more. */
  at(file: FoundFile, place: RecordPlace): Promise<Rollout | null>;
  /** The rollout with this row, or logged at this line (the nearest before it in an array); null if there is none. */
  find(file: FoundFile, wanted: Wanted, signal: AbortSignal): Promise<Rollout | null>;
  /** Whether the records of a file are lines. */
  container(file: FoundFile): Promise<Head['container']>;
}

const chunkBytes = 1024 * 1024;
const newline = 0x0a;
const byteOrderMarkBytes = 3;
/** Rollouts kept: a picture is asked for in slices. */
const kept = 2;
/** A larger record is read again rather than kept. */
const keptBytes = 64 * 1024 * 1024;

/** Makes a reader that remembers nothing yet. */
export function createRolloutReader(contents: UnwrappedFiles): RolloutReader {
  const recent = new Map<string, Recent>();
  const remember = (key: string, one: Recent): void => {
    if (one.rollout.place.bytes.count > keptBytes) return;
    recent.delete(key);
    recent.set(key, one);
    const oldest = recent.keys().next();
    if (recent.size > kept && !oldest.done) recent.delete(oldest.value);
  };
  return {
    at: async (file, place) => {
      const key = `${file.path}\0${file.sizeBytes}\0${file.mtimeMs}\0${place.bytes.first}\0${place.item ?? ''}`;
      const known = recent.get(key);
      if (known && known.stamp === (await neighbourStamp(file.path, known.beside))) return known.rollout;
      const { signal } = new AbortController();
      const beside: Neighbour[] = [];
      const rollout = await withContent(contents, { file, signal }, (source) =>
        readerFor(file).readOne(noting(source, beside), place, file.recognition),
      );
      if (rollout) remember(key, { rollout, beside, stamp: await neighbourStamp(file.path, beside) });
      return rollout;
    },
    find: (file, wanted, signal) =>
      withContent(contents, { file, signal }, async (source) => {
        const { container } = await readHead(source);
        // Where a record holds several rollouts, lines tell nothing of rows.
        if (container !== 'jsonl' || (await holdsSeveral(file, source, signal))) {
          return findByReading(file, source, { wanted, signal });
        }
        const place = await placeInLines(source, wanted, signal);
        return place && readerFor(file).readOne(source, place, file.recognition);
      }),
    container: (file) => {
      const { signal } = new AbortController();
      return withContent(contents, { file, signal }, async (source) => (await readHead(source)).container);
    },
  };
}

/** A rollout that was read, and what it depends on beside its file. */
interface Recent {
  readonly rollout: Rollout;
  readonly beside: readonly Neighbour[];
  readonly stamp: string;
}

/** The source, with the files beside it that are asked for put into `beside`. */
function noting(source: FileSource, beside: Neighbour[]): Source {
  return {
    name: source.name,
    sizeBytes: source.sizeBytes,
    read: (first, count, target) => source.read(first, count, target),
    beside: (name) => {
      beside.push({ name, digest: '' });
      return source.beside(name);
    },
  };
}

interface Opened {
  readonly file: FoundFile;
  readonly signal: AbortSignal;
}

/** The plain bytes of a log, wrapped or not. */
function withContent<T>(
  contents: UnwrappedFiles,
  { file, signal }: Opened,
  use: (source: FileSource) => Promise<T>,
): Promise<T> {
  const handlers = { signal, progress: () => undefined };
  return contents.use(file, handlers, ({ path }) =>
    withFile(path, use, file.wrapper ? { original: file.path, wrapper: file.wrapper } : null),
  );
}

function readerFor({ path, recognition }: FoundFile): Reader {
  const reader = readerOf(recognition.format);
  if (!reader) throw new UserError(`There is no reader for ${recognition.format} (${path}).`);
  return reader;
}

/** The place of a line by counting line ends, without parsing what is between. */
async function placeInLines(source: FileSource, wanted: Wanted, signal: AbortSignal): Promise<RecordPlace | null> {
  let row = 0;
  let line = 0;
  let lineFirst = 0;
  let blank = true;
  for (let first = 0; ; first += chunkBytes) {
    signal.throwIfAborted();
    const bytes = await source.read(first, chunkBytes);
    let from = 0;
    if (first === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
      from = byteOrderMarkBytes;
      lineFirst = from;
    }
    while (from < bytes.length) {
      const found = bytes.indexOf(newline, from);
      const end = found < 0 ? bytes.length : found;
      blank = blank && isBlank(bytes, from, end);
      if (found < 0) break;
      if (!blank && isWanted(wanted, row, line)) return placeOf(row, line, lineFirst, first + end);
      if ('line' in wanted && line >= wanted.line) return null;
      if (!blank) row += 1;
      line += 1;
      blank = true;
      from = found + 1;
      lineFirst = first + from;
    }
    if (bytes.length < chunkBytes) {
      const end = first + bytes.length;
      return !blank && isWanted(wanted, row, line) ? placeOf(row, line, lineFirst, end) : null;
    }
  }
}

function isWanted(wanted: Wanted, row: number, line: number): boolean {
  return 'row' in wanted ? wanted.row === row : wanted.line === line;
}

function placeOf(row: number, line: number, first: number, end: number): RecordPlace {
  return { row, line, bytes: { first, count: end - first } };
}

/** As the readers see it: carriage returns, tabs and spaces make no record. */
function isBlank(bytes: Uint8Array, from: number, end: number): boolean {
  for (let at = from; at < end; at += 1) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x0d && byte !== 0x09) return false;
  }
  return true;
}

/** Records that are read to see whether one holds several rollouts. */
const recordsToTry = 3;

/** True if one of the first records holds several rollouts, or says which of them it is. */
async function holdsSeveral(file: FoundFile, source: FileSource, signal: AbortSignal): Promise<boolean> {
  let several = false;
  const records = new Set<number>();
  await readUntil(file, source, {
    signal,
    rollout: ({ place }) => {
      several ||= place.item !== undefined || records.has(place.bytes.first);
      records.add(place.bytes.first);
      return several || records.size > recordsToTry;
    },
  });
  return several;
}

/** Reads records until the wanted one: an array has no line ends to count. */
async function findByReading(
  file: FoundFile,
  source: FileSource,
  { wanted, signal }: { readonly wanted: Wanted; readonly signal: AbortSignal },
): Promise<Rollout | null> {
  let hit: Rollout | null = null;
  await readUntil(file, source, {
    signal,
    rollout: (rollout) => {
      const { row, line } = rollout.place;
      // Of several on one line, the first.
      const nearer = hit === null || 'row' in wanted || line > lineOf(hit);
      if (nearer && ('row' in wanted ? row <= wanted.row : line <= wanted.line)) hit = rollout;
      return 'row' in wanted ? row >= wanted.row : line > wanted.line;
    },
  });
  return hit !== null && 'row' in wanted && rowOf(hit) !== wanted.row ? null : hit;
}

/** Reads rollouts in file order until `rollout` says that it has what it wants. */
async function readUntil(
  file: FoundFile,
  source: FileSource,
  { signal, rollout: take }: { readonly signal: AbortSignal; readonly rollout: (rollout: Rollout) => boolean },
): Promise<void> {
  const stop = new AbortController();
  try {
    await readerFor(file).read(source, {
      recognition: file.recognition,
      from: null,
      signal: AbortSignal.any([signal, stop.signal]),
      note: () => undefined,
      rollout: (rollout) => {
        if (!stop.signal.aborted && take(rollout)) stop.abort();
      },
    });
  } catch (error) {
    if (!stop.signal.aborted || signal.aborted) throw error;
  }
}

function rowOf(rollout: Rollout): number {
  return rollout.place.row;
}

function lineOf(rollout: Rollout): number {
  return rollout.place.line;
}
