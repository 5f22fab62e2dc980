/**
 * One folder a process for DuckDB's temporary files: two processes must not share one, since its file names are fixed.
 * Folders that a crash left behind on this machine are removed when the next process opens its own.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

const prefix = (): string => `work-${hostname().replaceAll(/[^A-Za-z0-9]/g, '_')}-`;

/** Creates a folder for this process below `parent` and removes those of dead ones; null if `parent` cannot be written. */
export async function createTemporaryFolder(parent: string): Promise<string | null> {
  const folder = join(parent, `${prefix()}${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    await mkdir(folder, { recursive: true });
  } catch {
    return null;
  }
  for (const name of await readdir(parent).catch(() => [])) {
    if (isLeftBehind(name)) await removeTemporaryFolder(join(parent, name));
  }
  return folder;
}

/** Removes such a folder; one that is gone or cannot be removed is left. */
export async function removeTemporaryFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true }).catch(() => undefined);
}

function isLeftBehind(name: string): boolean {
  // The process id of another machine on a shared folder says nothing here, hence the host's name.
  const pid = name.startsWith(prefix()) ? Number.parseInt(name.slice(prefix().length), 10) : Number.NaN;
  return Number.isInteger(pid) && pid !== process.pid && !isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, but belongs to someone else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
