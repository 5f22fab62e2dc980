/**
 * Unpacks a zip archive of ours into a folder, file by file, so that memory stays flat whatever its size.
 * Names that lead out of the folder are refused by yauzl. Leaves out where the folder lies and what happens to one that
 * is left half done (sampleRuns.ts).
 */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';

/** What may stop an unpacking, and who is told how far it is. */
export interface UnpackOptions {
  readonly signal?: AbortSignal;
  /** Called after each file with the share that is done, 0 to 1. */
  readonly progress?: (share: number) => void;
}

/** Writes every file of the archive below the folder, which is made where it is missing; rejects on abort. */
export async function unpackZip(archive: string, folder: string, options: UnpackOptions = {}): Promise<void> {
  const { signal, progress } = options;
  const zip = await openPromise(archive);
  let done = 0;
  for await (const entry of zip.eachEntry()) {
    signal?.throwIfAborted();
    const target = path.join(folder, entry.fileName);
    // Archivers write an entry for a folder, too; the folders of files come with the files.
    if (!entry.fileName.endsWith('/')) {
      await mkdir(path.dirname(target), { recursive: true });
      const content = await zip.openReadStreamPromise(entry);
      await pipeline(content, createWriteStream(target), { ...(signal && { signal }) });
    }
    done += 1;
    progress?.(done / zip.entryCount);
  }
}
