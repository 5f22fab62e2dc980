/**
 * Writes what a gzip or zstd file decodes to into a plain file, within limits: a bomb and a full disk end it with a
 * sentence, a damaged stream with what could be decoded. A plain function over paths: the read worker calls it in its
 * thread. Leaves out where copies lie and how long they are kept (unwrappedFiles.ts).
 */
import { createReadStream } from 'node:fs';
import { open, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../base/errors.ts';
import { sizeText } from '../base/numberText.ts';
import { DamagedError, decompress } from '../readers/decompress.ts';
import { fileError } from './fileSource.ts';
import { wrapperName, type Wrapper } from './wrapper.ts';

/** How much a copy may take. */
export interface UnwrapLimits {
  readonly mostBytes: number;
  /** Above `ratioFromBytes`, bytes out for a byte in. */
  readonly mostRatio: number;
  readonly ratioFromBytes: number;
  /** Left free on the disk. */
  readonly reserveBytes: number;
}

/** Generous for logs, of which 100:1 is much. */
export const usualUnwrapLimits: UnwrapLimits = {
  mostBytes: 64e9,
  mostRatio: 1_000,
  ratioFromBytes: 1e9,
  reserveBytes: 500e6,
};

/** What to decode and where to; structured-cloneable. */
export interface UnwrapRequest {
  readonly path: string;
  readonly wrapper: Wrapper;
  readonly sizeBytes: number;
  /** Overwritten; removed where this rejects. */
  readonly target: string;
  readonly limits: UnwrapLimits;
}

/** What came out. */
export interface Unwrapped {
  /** Why this is not all (half a sentence); null where it is. */
  readonly cut: string | null;
}

/** What happens meanwhile. */
export interface UnwrapHandlers {
  readonly signal: AbortSignal;
  /** Bytes of the wrapped file that are done. */
  readonly progress: (bytes: number) => void;
}

const chunkBytes = 256 * 1024;
/** The disk is asked for its room this often. */
const bytesBetweenChecks = 64e6;
const writeBytes = 1024 * 1024;

/** Decodes a file. Rejects with a UserError on unreadable files, bombs and full disks, or on abort. */
export async function unwrapFile(request: UnwrapRequest, handlers: UnwrapHandlers): Promise<Unwrapped> {
  const { path, wrapper, target } = request;
  if (wrapper === 'parquet') throw new Error('a Parquet table is not a stream');
  try {
    return await decode(request, wrapper, handlers);
  } catch (error) {
    await rm(target, { force: true }).catch(() => undefined);
    handlers.signal.throwIfAborted();
    throw codeIsNoSpace(error) ? noRoom(path) : fileError(path, error);
  }
}

async function decode(
  request: UnwrapRequest,
  wrapper: 'gzip' | 'zstd',
  { signal, progress }: UnwrapHandlers,
): Promise<Unwrapped> {
  await checkRoom(request, 0);
  const file = await open(request.target, 'w');
  let read = 0;
  let written = 0;
  let checkAt = bytesBetweenChecks;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  const flush = async (): Promise<void> => {
    if (waitingBytes === 0) return;
    await file.writev(waiting);
    waiting = [];
    waitingBytes = 0;
  };
  const chunks = async function* (): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of createReadStream(request.path, { highWaterMark: chunkBytes })) {
      if (!(chunk instanceof Uint8Array)) continue;
      yield chunk;
      read += chunk.length;
      progress(read);
    }
  };
  try {
    for await (const bytes of decompress(chunks(), wrapper)) {
      signal.throwIfAborted();
      waiting.push(bytes);
      waitingBytes += bytes.length;
      written += bytes.length;
      if (waitingBytes < writeBytes) continue;
      await flush();
      if (written < checkAt) continue;
      checkAt = written + bytesBetweenChecks;
      checkSize(request, written, read);
      await checkRoom(request, bytesBetweenChecks);
    }
    await flush();
    checkSize(request, written, read);
    return { cut: null };
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    await flush();
    return { cut: `${wrapperName(wrapper)} that is damaged (${error.message})` };
  } finally {
    await file.close();
  }
}

/** Throws a UserError where so much came out of so little that it can be no log. */
export function checkSize(
  { path, wrapper, limits }: Omit<UnwrapRequest, 'target'>,
  written: number,
  read: number,
): void {
  const { mostBytes, mostRatio, ratioFromBytes } = limits;
  const bomb = written > ratioFromBytes && written > mostRatio * Math.max(1, read);
  if (!bomb && written <= mostBytes) return;
  const why = bomb ? `${sizeText(read)} of it give ${sizeText(written)}` : `it gives more than ${sizeText(mostBytes)}`;
  throw new UserError(
    `${path} is ${wrapperName(wrapper)} that is not read: ${why}.`,
    'Unpack it yourself if it is a log.',
  );
}

/** Throws a UserError where the disk of the target has no room for so much more. */
export async function checkRoom({ path, target, limits }: UnwrapRequest, moreBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(target));
  if (bavail * bsize < limits.reserveBytes + moreBytes) throw noRoom(path);
}

function noRoom(path: string): UserError {
  return new UserError(`There is not enough room on the disk to unpack ${path}.`, 'Free some space and open it again.');
}

function codeIsNoSpace(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
