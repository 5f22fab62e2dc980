/**
 * Files beside a log that a reader may ask for (Source.beside): plain names, at most one folder up, never through a link
 * that leads out of that folder, at most 8 MB; or all files of a folder that fit a pattern, joined. Also what they were
 * when a log was read, since its index depends on them. Leaves out when that is looked at again (fileQueue.ts).
 */
import { createHash } from 'node:crypto';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { Neighbour } from '../store/shardMeta.ts';

const mostBytes = 8 * 1024 * 1024;
/** Of files that are joined. */
const mostJoinedBytes = 64 * 1024 * 1024;
const mostJoinedFiles = 100_000;
/** Stands behind each of them: no text has it, so that a torn one costs only itself. */
const separator = Buffer.of(0);
const digestDigits = 24;

/** The bytes of a file beside `path`; null where it is not there, too large, not a file, or elsewhere in truth. */
export async function readBeside(path: string, relativeName: string): Promise<Uint8Array | null> {
  if (relativeName.includes('*')) return readJoined(path, relativeName);
  try {
    const found = await placeOf(path, relativeName);
    if (found === null) return null;
    const file = await open(found, 'r');
    try {
      const { size } = await file.stat();
      if (size > mostBytes) return null;
      const buffer = Buffer.allocUnsafeSlow(size);
      let filled = 0;
      while (filled < size) {
        const { bytesRead } = await file.read(buffer, filled, size - filled, filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}

/** The files that fit a pattern, one after the other; null where there is none or they are too many. */
async function readJoined(path: string, pattern: string): Promise<Uint8Array | null> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for (const name of await namesLike(path, pattern)) {
    const piece = await readBeside(path, name);
    if (piece === null) continue;
    pieces.push(piece, separator);
    bytes += piece.length + separator.length;
    if (bytes > mostJoinedBytes) return null;
  }
  return pieces.length === 0 ? null : Buffer.concat(pieces);
}

/** Names in the folder of `path` that fit a pattern with one `*`, numbers in them by value. */
async function namesLike(path: string, pattern: string): Promise<readonly string[]> {
  const [before = '', after = ''] = pattern.split('*', 2);
  const names = await readdir(dirname(path)).catch(() => []);
  const found = names.filter(
    (name) => name.length >= before.length + after.length && name.startsWith(before) && name.endsWith(after),
  );
  if (found.length > mostJoinedFiles) return [];
  return found.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** Where a name leads; null where it may not lead. */
async function placeOf(path: string, relativeName: string): Promise<string | null> {
  const { up, name } = /^(?<up>\.\.\/)?(?<name>[^/\\:\0]+)$/u.exec(relativeName)?.groups ?? {};
  if (name === undefined || name === '.' || name === '..') return null;
  const folder = up === undefined ? dirname(path) : dirname(dirname(path));
  const allowed = await realpath(folder);
  const real = await realpath(join(folder, name));
  const inside = relative(allowed, real);
  // Absolute: another drive.
  if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) return null;
  // Not a pipe or a device, which would block for ever.
  return (await stat(real)).isFile() ? real : null;
}

/** What was read of a neighbour, as far as its content is concerned. */
export function neighbourOf(name: string, bytes: Uint8Array | null): Neighbour {
  const digest = bytes === null ? '' : createHash('sha256').update(bytes).digest('hex').slice(0, digestDigits);
  return { name, digest };
}

/** True if all neighbours are still what they were. */
export async function sameNeighbours(path: string, neighbours: readonly Neighbour[]): Promise<boolean> {
  for (const { name, digest } of neighbours) {
    if (neighbourOf(name, await readBeside(path, name)).digest !== digest) return false;
  }
  return true;
}

/** Size and time of the neighbours, to see cheaply whether one has changed. */
export async function neighbourStamp(path: string, neighbours: readonly Neighbour[]): Promise<string> {
  const stamps = neighbours.map(async ({ name }) => {
    if (name.includes('*')) return joinedStamp(path, name);
    const found = await placeOf(path, name)
      .then((place) => (place === null ? null : stat(place)))
      .catch(() => null);
    return found === null ? '' : `${found.size}:${found.mtimeMs}`;
  });
  return (await Promise.all(stamps)).join(' ');
}

/** Events are written once: how many there are and the last one's stamp tell whether something came. */
async function joinedStamp(path: string, pattern: string): Promise<string> {
  const names = await namesLike(path, pattern);
  const last = names.at(-1);
  const found = last === undefined ? null : await stat(join(dirname(path), last)).catch(() => null);
  return `${names.length} ${found === null ? '' : `${found.size}:${found.mtimeMs}`}`;
}
