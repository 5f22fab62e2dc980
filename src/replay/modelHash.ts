/**
 * What produced a number: the hash of the model's files. Large files are hashed once as a stream and remembered by size and
 * time, since a gigabyte takes seconds. Owned by local.ts.
 * Leaves out the tokenizer and its template (provenance.ts), and seeds and settings, which stand with a result.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { NamedValue } from '../model/rollout.ts';

/** SHA-256 of a file in hex; remembered below `storage` by path, size and time of change. */
export async function hashFile(file: string, storage: string): Promise<string> {
  const { size, mtimeMs } = await stat(file);
  const identity = createHash('sha256')
    .update(JSON.stringify([file, size, mtimeMs]))
    .digest('hex');
  const remembered = join(storage, 'hashes', `${identity.slice(0, 32)}.txt`);
  const known = await readFile(remembered, 'utf8').catch(() => null);
  if (known !== null && /^[0-9a-f]{64}$/.test(known)) return known;
  const hash = createHash('sha256');
  for await (const part of createReadStream(file, { highWaterMark: 1 << 20 })) {
    if (part instanceof Uint8Array) hash.update(part);
  }
  const digest = hash.digest('hex');
  await writeWhole(remembered, digest);
  return digest;
}

/** Hash of several files as one, in the order given. */
export async function hashFiles(files: readonly string[], storage: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(await hashFile(file, storage));
  return hash.digest('hex');
}

/** Writes a small file so that it is there whole or not at all; a storage that cannot be written is no failure. */
export async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(temporary, text);
    await rename(temporary, file);
  } catch {
    // It is computed again next time.
  }
}

/** Identity of a provenance: equal where numbers may be compared. */
export function provenanceIdOf(provenance: readonly NamedValue[]): string {
  return createHash('sha256')
    .update(JSON.stringify(provenance.map(({ name, value }) => [name, value])))
    .digest('hex')
    .slice(0, 16);
}
