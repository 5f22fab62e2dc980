/**
 * What a file is, by its head alone, remembered by (path, size, mtime) so that looking again costs one stat.
 * Owned by the engine; discovery, `fileKind` and opening a single file all ask here.
 * Leaves out which files are worth looking at (discovery.ts).
 */
import type { UserError } from '../base/errors.ts';
import type { NoteCode } from '../model/note.ts';
import { readHead } from '../readers/head.ts';
import { recognise } from '../readers/all.ts';
import { mayBeMapped } from '../readers/mayBeMapped.ts';
import type { Head, Reader, Recognition } from '../readers/reader.ts';
import type { ParquetTables } from '../store/parquetRows.ts';
import { fileError, withFile } from './fileSource.ts';
import { stepOfPath } from './stepOfPath.ts';
import { readWrappedHead } from './wrappedHead.ts';
import { wrapperName, wrapperOf, type Wrapper } from './wrapper.ts';

/** What a look at the head of one file gave. */
export type FileLook =
  | {
      readonly kind: 'log';
      readonly recognition: Recognition;
      readonly step: number | null;
      /** The folder whose name is the step; null where the file's own name holds it, or nothing. */
      readonly stepFolder: string | null;
      /** What it is wrapped in as a whole; null for a log that is read as it is. */
      readonly wrapper: Wrapper | null;
      /** It is text, whose lines an editor can show. */
      readonly text: boolean;
    }
  /** Recognised as something that no reader reads ("a TRL parquet: not read yet"), or "unknown". */
  | {
      readonly kind: 'other';
      readonly known: boolean;
      readonly code: NoteCode;
      readonly description: string;
      /** Its records are unknown and hold texts, so that a mapping of their fields may make a log of it. */
      readonly mappable: boolean;
    }
  | { readonly kind: 'unreadable'; readonly error: UserError };

/** Identity of a file's content as far as one stat tells. */
export interface FileStamp {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

/** Looks at heads and remembers. */
export interface FileHeads {
  look(path: string, stamp: FileStamp): Promise<FileLook>;
  /** The head itself, its wrapper taken off; null where that cannot be done. Rejects with a UserError if unreadable. */
  head(path: string): Promise<Head | null>;
}

const magicBytes = 8;
/** A NUL this early is no text. */
const binaryBytes = 512;
/** Entries kept; the oldest go first. */
const remembered = 50_000;

/** An empty memory of heads; Parquet tables are looked into by `tables`. */
export function createFileHeads(tables: ParquetTables): FileHeads {
  const cache = new Map<string, { readonly stamp: FileStamp; readonly look: FileLook }>();
  return {
    head: async (path) => (await headOf(path, tables)).head,
    look: async (path, stamp) => {
      const hit = cache.get(path);
      if (hit && hit.stamp.sizeBytes === stamp.sizeBytes && hit.stamp.mtimeMs === stamp.mtimeMs) return hit.look;
      const look = await lookAt(path, tables);
      cache.delete(path);
      // An unreadable file may become readable without a change of size or time.
      if (look.kind !== 'unreadable') cache.set(path, { stamp, look });
      if (cache.size > remembered) {
        const oldest = cache.keys().next();
        if (!oldest.done) cache.delete(oldest.value);
      }
      return look;
    },
  };
}

async function lookAt(path: string, tables: ParquetTables): Promise<FileLook> {
  try {
    const { head, reason } = await headOf(path, tables);
    if (head) return lookOf(path, head);
    const description = reason ?? 'unreadable';
    return { kind: 'other', known: true, code: 'format-not-read-yet', description, mappable: false };
  } catch (error) {
    return { kind: 'unreadable', error: fileError(path, error) };
  }
}

/** The head of a file, its wrapper taken off; null with a reason where that cannot be done. */
function headOf(
  path: string,
  tables: ParquetTables,
): Promise<{ readonly head: Head | null; readonly reason: string | null }> {
  return withFile(path, async (source) => {
    const wrapper = wrapperOf(await source.read(0, magicBytes));
    if (wrapper === null) return { head: await readHead(source), reason: null };
    return readWrappedHead(path, wrapper, tables);
  });
}

/** Who reads a log, and as what. */
export interface ClaimedLog {
  readonly recognition: Recognition;
  readonly reader: Pick<Reader, 'stepOfName'>;
}

/** The look at a log that a reader claims with this recognition. */
export function logLook(path: string, head: Head, { recognition, reader }: ClaimedLog): FileLook {
  const { name, wrapper = null, bytes } = head;
  const text = wrapper === null && !bytes.subarray(0, binaryBytes).includes(0);
  const { step, folder } = stepOfPath(path, name, reader);
  return { kind: 'log', recognition, step, stepFolder: folder, wrapper, text };
}

function lookOf(path: string, head: Head): FileLook {
  const found = recognise(head);
  if (found.kind === 'read') return logLook(path, head, found);
  const { wrapper = null } = head;
  const { code, description } = found;
  const inside = wrapper === null ? description : `${wrapperName(wrapper)} around ${description}`;
  const mappable = found.kind === 'unknown' && mayBeMapped(head);
  return { kind: 'other', known: found.kind === 'named', code, description: inside, mappable };
}
