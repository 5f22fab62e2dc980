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
import type { FoundFile } from './discovery.ts';
import { withFile, type FileSource } from './fileSource.ts';

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
export function createRolloutReader(): RolloutReader {
  const recent = new Map<string, Rollout>();
  const remember = (key: string, rollout: Rollout): void => {
    if (rollout.place.bytes.count > keptBytes) return;
    recent.delete(key);
    recent.set(key, rollout);
    const oldest = recent.keys().next();
    if (recent.size > kept && !oldest.done) recent.delete(oldest.value);
  };
  return {
    at: async (file, place) => {
      const key = `${file.path}\0${file.sizeBytes}\0${file.mtimeMs}\0${place.bytes.first}\0${place.item ?? ''}`;
      const known = recent.get(key);
      if (known) return known;
      const rollout = await withFile(file.path, (source) => readerFor(file).readOne(source, place, file.recognition));
      if (rollout) remember(key, rollout);
      return rollout;
    },
    find: (file, wanted, signal) =>
      withFile(file.path, async (source) => {
        const { container } = await readHead(source);
        if (container !== 'jsonl') return findByReading(file, source, { wanted, signal });
        const place = await placeInLines(source, wanted, signal);
        return place && readerFor(file).readOne(source, place, file.recognition);
      }),
    container: (file) => withFile(file.path, async (source) => (await readHead(source)).container),
  };
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

/** Reads records until the wanted one: an array has no line ends to count. */
async function findByReading(
  file: FoundFile,
  source: FileSource,
  { wanted, signal }: { readonly wanted: Wanted; readonly signal: AbortSignal },
): Promise<Rollout | null> {
  const stop = new AbortController();
  let hit: Rollout | null = null;
  try {
    await readerFor(file).read(source, {
      recognition: file.recognition,
      from: null,
      signal: AbortSignal.any([signal, stop.signal]),
      note: () => undefined,
      rollout: (rollout) => {
        if (stop.signal.aborted) return;
        const { row, line } = rollout.place;
        if ('row' in wanted ? row <= wanted.row : line <= wanted.line) hit = rollout;
        if ('row' in wanted ? row >= wanted.row : line > wanted.line) stop.abort();
      },
    });
  } catch (error) {
    if (!stop.signal.aborted || signal.aborted) throw error;
  }
  return hit !== null && 'row' in wanted && rowOf(hit) !== wanted.row ? null : hit;
}

function rowOf(rollout: Rollout): number {
  return rollout.place.row;
}
