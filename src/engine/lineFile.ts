/**
 * A small file of lines that several windows share: changed under a lock file, appended to, rewritten by a temporary name,
 * and read again when it changed. Shared by verdicts and kept gains. Leaves out what a line means.
 */
import { appendFile, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Appends whole lines, or gives the file these lines instead where `rewrite` says so; under the file's lock. */
export async function addLines(
  path: string,
  { lines, rewrite }: { readonly lines: string; readonly rewrite: () => Promise<string | null> },
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await withLock(`${path}.lock`, async () => {
    const whole = await rewrite();
    if (whole !== null) await replaceFile(path, whole);
    // A line that was cut off by a crash must not take the next one with it.
    else await appendFile(path, `${(await endsInLine(path)) ? '' : '\n'}${lines}`);
  });
}

async function endsInLine(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return true;
  try {
    const { size } = await file.stat();
    if (size === 0) return true;
    const last = Buffer.alloc(1);
    await file.read(last, 0, 1, size - 1);
    return last[0] === newline;
  } finally {
    await file.close();
  }
}

const newline = 0x0a;

/** Writes a file by a temporary name beside it, then renames it. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Tells whether the file is the one that was read; 'none' where there is none. */
export async function stampOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  return found === null ? 'none' : `${found.ino} ${found.size} ${found.mtimeNs}`;
}

const lockTries = 100;
const lockWaitMs = 20;
/** Older locks were left by a process that died: a change takes milliseconds. */
const lockStaleMs = 10_000;

/** Runs `body` while the lock file is ours. */
async function withLock<T>(lock: string, body: () => Promise<T>): Promise<T> {
  for (let left = lockTries; ; left -= 1) {
    try {
      await (await open(lock, 'wx')).close();
      break;
    } catch (error) {
      const held = await stat(lock).catch(() => null);
      if (held !== null && Date.now() - held.mtimeMs > lockStaleMs) await rm(lock, { force: true });
      else if (left === 0 || held === null) {
        // No lock and yet none to be made: the folder cannot be written.
        if (left === 0 || !isExisting(error)) throw error;
      } else await wait(lockWaitMs);
    }
  }
  try {
    return await body();
  } finally {
    await rm(lock, { force: true });
  }
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
