/**
 * A Source over one file descriptor: positioned reads, one descriptor a reader, closed by whoever opened it.
 * Owned by the engine, the only place where readers meet paths. Turns system errors into sentences (UserError).
 * Leaves out watching and hashing.
 */
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { messageOf, UserError } from '../base/errors.ts';
import type { Source } from '../readers/source.ts';
import { readBeside } from './neighbours.ts';
import { innerName, type Wrapper } from './wrapper.ts';

/** A Source that holds a descriptor until it is closed. */
export interface FileSource extends Source {
  readonly path: string;
  beside(relativeName: string): Promise<Uint8Array | null>;
  close(): Promise<void>;
}

/** Whose bytes a plain copy holds: its name, its neighbours and its errors are those of the original. */
export interface CopyOf {
  readonly original: string;
  readonly wrapper: Wrapper | null;
}

/** The system's code of an error ("ENOENT"), '' where it has none. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** What went wrong with a file, as a sentence with the file in it and what to do next. */
export function fileError(path: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  switch (codeOf(error)) {
    case 'ENOENT':
      return new UserError(`${path} does not exist.`, 'Check the path, or wait until the training has written it.');
    case 'EACCES':
    case 'EPERM':
      return new UserError(`${path} may not be read.`, 'Give yourself read permission and open it again.');
    case 'EISDIR':
      return new UserError(`${path} is a folder, not a log file.`, 'Open the folder, or a file in it.');
    case 'ELOOP':
      return new UserError(`${path} is a symbolic link that leads to itself.`, 'Remove or correct the link.');
    case 'EMFILE':
    case 'ENFILE':
      return new UserError(
        `${path} could not be opened: too many open files.`,
        'Raise the limit (ulimit -n) and retry.',
      );
    default:
      return new UserError(`${path} could not be read: ${messageOf(error)}.`, 'Check the disk or the network share.');
  }
}

/** Opens a file for positioned reads. Rejects with a UserError if it cannot be opened or is no regular file. */
export async function openFileSource(path: string, copyOf: CopyOf | null = null): Promise<FileSource> {
  const shown = copyOf?.original ?? path;
  const found = await stat(path).catch((error: unknown) => {
    throw fileError(shown, error);
  });
  if (found.isDirectory()) throw fileError(shown, Object.assign(new Error('is a folder'), { code: 'EISDIR' }));
  // A pipe or a device would block for ever.
  if (!found.isFile()) throw new UserError(`${shown} is not a regular file.`, 'Copy its content into a file first.');
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw fileError(shown, error);
  });
  return {
    name: innerName(basename(shown), copyOf?.wrapper ?? null),
    path: shown,
    sizeBytes: found.size,
    beside: (relativeName) => readBeside(shown, relativeName),
    read: async (first, count, target) => {
      try {
        const buffer = target ?? Buffer.allocUnsafeSlow(count);
        let filled = 0;
        // Slow disks and network shares may return less than asked for before the end.
        while (filled < count) {
          const { bytesRead } = await handle.read(buffer, filled, count - filled, first + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return buffer.subarray(0, filled);
      } catch (error) {
        throw fileError(shown, error);
      }
    },
    close: () => handle.close(),
  };
}

/** Opens a file, hands its Source to `use` and closes it whatever happens. */
export async function withFile<T>(
  path: string,
  use: (source: FileSource) => Promise<T>,
  copyOf: CopyOf | null = null,
): Promise<T> {
  const source = await openFileSource(path, copyOf);
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}
