/**
 * What a file is, by its head alone, remembered by (path, size, mtime) so that looking again costs one stat.
 * Owned by the engine; discovery, `fileKind` and opening a single file all ask here.
 * Leaves out which files are worth looking at (discovery.ts).
 */
import type { UserError } from '../base/errors.ts';
import type { NoteCode } from '../model/note.ts';
import { readHead } from '../readers/head.ts';
import { recognise } from '../readers/all.ts';
import type { Recognition } from '../readers/reader.ts';
import { fileError, openFileSource } from './fileSource.ts';

/** What a look at the head of one file gave. */
export type FileLook =
  | { readonly kind: 'log'; readonly recognition: Recognition; readonly step: number | null }
  /** Recognised as something that no reader reads ("a TRL parquet: not read yet"), or "unknown". */
  | { readonly kind: 'other'; readonly known: boolean; readonly code: NoteCode; readonly description: string }
  | { readonly kind: 'unreadable'; readonly error: UserError };

/** Identity of a file's content as far as one stat tells. */
export interface FileStamp {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

/** Looks at heads and remembers. */
export interface FileHeads {
  look(path: string, stamp: FileStamp): Promise<FileLook>;
}

/** Entries kept; the oldest go first. */
const remembered = 50_000;

/** An empty memory of heads. */
export function createFileHeads(): FileHeads {
  const cache = new Map<string, { readonly stamp: FileStamp; readonly look: FileLook }>();
  return {
    look: async (path, stamp) => {
      const hit = cache.get(path);
      if (hit && hit.stamp.sizeBytes === stamp.sizeBytes && hit.stamp.mtimeMs === stamp.mtimeMs) return hit.look;
      const look = await lookAt(path);
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

async function lookAt(path: string): Promise<FileLook> {
  try {
    const source = await openFileSource(path);
    try {
      const head = await readHead(source);
      const found = recognise(head);
      if (found.kind === 'read') {
        return { kind: 'log', recognition: found.recognition, step: found.reader.stepOfName(source.name) };
      }
      const { code, description } = found;
      return { kind: 'other', known: found.kind === 'named', code, description };
    } finally {
      await source.close();
    }
  } catch (error) {
    return { kind: 'unreadable', error: fileError(path, error) };
  }
}
