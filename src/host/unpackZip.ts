/**
 * Unpacks a zip archive of ours into a folder, a few files at a time, each inflated in one go: a step file of the sample
 * is a quarter of a megabyte of 5 KB packed, and streams of 16 KB take three times as long for it.
 * Names that lead out of the folder are refused by yauzl. Leaves out where the folder lies and what happens to one that
 * is left half done (sampleRuns.ts).
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { openPromise, type Entry, type ZipFile } from 'yauzl';

/** What may stop an unpacking, and who is told how far it is. */
export interface UnpackOptions {
  readonly signal?: AbortSignal;
  /** Called after each file with the share that is done, 0 to 1. */
  readonly progress?: (share: number) => void;
}

const inflate = promisify(inflateRaw);
/** Inflating and writing both wait for threads of the pool, of which Node has four. */
const filesAtOnce = 4;
const deflated = 8;

/** Writes every file of the archive below the folder, which is made where it is missing; rejects on abort. */
export async function unpackZip(archive: string, folder: string, options: UnpackOptions = {}): Promise<void> {
  const { signal, progress } = options;
  const zip = await openPromise(archive, { autoClose: false });
  try {
    const entries = await filesOf(zip);
    const folders = new Set(entries.map((entry) => path.dirname(path.join(folder, entry.fileName))));
    for (const each of folders) await mkdir(each, { recursive: true });
    const waiting = entries.values();
    let done = 0;
    let stopped = false;
    const lane = async (): Promise<void> => {
      for (const entry of waiting) {
        if (stopped) return;
        signal?.throwIfAborted();
        await writeFile(path.join(folder, entry.fileName), await contentOf(zip, entry));
        done += 1;
        progress?.(done / entries.length);
      }
    };
    const lanes = Array.from({ length: filesAtOnce }, () =>
      lane().finally(() => {
        stopped = true;
      }),
    );
    // All of them, so that nobody writes into the folder or reads the archive once this has ended.
    const failure = (await Promise.allSettled(lanes)).find((outcome) => outcome.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    signal?.throwIfAborted();
  } finally {
    zip.close();
  }
}

/** Archivers write an entry for a folder, too; the folders of files come with the files. */
async function filesOf(zip: ZipFile): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of zip.eachEntry()) if (!entry.fileName.endsWith('/')) entries.push(entry);
  return entries;
}

async function contentOf(zip: ZipFile, entry: Entry): Promise<Buffer> {
  if (entry.compressionMethod !== deflated) return buffer(await zip.openReadStreamPromise(entry));
  const packed = await buffer(await zip.openReadStreamPromise(entry, { decompress: false }));
  const content = await inflate(packed, { maxOutputLength: Math.max(1, entry.uncompressedSize) });
  if (content.length !== entry.uncompressedSize) throw new Error(`${entry.fileName} is not whole in the archive`);
  return content;
}
