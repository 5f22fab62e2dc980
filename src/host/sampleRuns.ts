/**
 * The runs that come with the extension, on the disk of this machine: the trained ones are shipped as an archive and
 * unpacked on first use, beside the index; the one written by hand is copied to them. A folder that is there is whole:
 * it is filled under another name and renamed, and it names the content it was filled from, so that an update fills anew.
 * Leaves out their index, which the engine reads where it is shipped, opening them (views/runsTree) and what they hold
 * (media/sample/README.md).
 */
import { createHash, randomUUID } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { unpackZip, type UnpackOptions } from './unpackZip.ts';

/** Where the sample comes from and where it goes. */
export interface SampleFolders {
  /** `media/sample` of the extension. */
  readonly shipped: string;
  /** A folder of ours that outlives the window; need not exist. */
  readonly storage: string;
}

/** The folder of the sample runs in the storage, as `sampleFolder` fills it. */
const folderName = 'sample';
/** Starts with a dot, so that no search for logs looks at it. */
const contentFile = '.content';
/** The run that is shown first: what the others are compared with. */
const firstRun = 'hdpo';
/** By name the run written by hand would come first; below this folder it comes last. */
const handwritten = { from: 'illustrated', to: path.join('written_by_hand', 'illustrated') };
/** Older than any unpacking takes: its window is gone. */
const abandonedMs = 10 * 60_000;
const mostTries = 10;
const betweenTriesMs = 100;

/** Whether the runs lie unpacked in the storage, in the version that is shipped. */
export async function sampleIsThere(folders: SampleFolders): Promise<boolean> {
  return (await filledFrom(targetOf(folders))) === (await shippedContent(folders.shipped));
}

/** The folder that holds all sample runs, filled first where it is missing or of another version; rejects on abort. */
export async function sampleFolder(folders: SampleFolders, options: UnpackOptions = {}): Promise<string> {
  const target = targetOf(folders);
  const content = await shippedContent(folders.shipped);
  if ((await filledFrom(target)) === content) return target;
  await mkdir(folders.storage, { recursive: true });
  await removeAbandoned(folders.storage);
  const partial = path.join(folders.storage, `${folderName}.${randomUUID()}.partial`);
  try {
    await unpackZip(path.join(folders.shipped, 'trained.zip'), partial, options);
    await cp(path.join(folders.shipped, handwritten.from), path.join(partial, handwritten.to), { recursive: true });
    await writeFile(path.join(partial, contentFile), content);
    options.signal?.throwIfAborted();
    await replace(target, partial, content);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return target;
}

/** The path of the run to show first, below the folder of `sampleFolder`. */
export function firstRunOf(folder: string): string {
  return path.join(folder, 'rollout_data', firstRun);
}

function targetOf({ storage }: SampleFolders): string {
  return path.join(storage, folderName);
}

async function filledFrom(folder: string): Promise<string | null> {
  return readFile(path.join(folder, contentFile), 'utf8').catch(() => null);
}

/** Hash of what is shipped and where it goes: 20 ms for 10 MB, and right whatever the version number says. */
async function shippedContent(shipped: string): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(path.join(shipped, 'trained.zip')))
    .update(handwritten.to);
  const entries = await readdir(path.join(shipped, handwritten.from), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  for (const file of files.sort()) hash.update(`\0${path.basename(file)}\0`).update(await readFile(file));
  return hash.digest('hex');
}

/**
 * Puts the partial folder in the target's place, unless another window was quicker. Another one that looked before may take
 * ours away to put its own there, of the same content: then it is waited for.
 */
async function replace(target: string, partial: string, content: string): Promise<void> {
  const old = `${partial.slice(0, -'.partial'.length)}.old.partial`;
  let placed = false;
  for (let tries = 1; (await filledFrom(target)) !== content; tries += 1) {
    if (placed) {
      if (tries > mostTries) throw new Error(`${target} was taken away`);
      await delay(betweenTriesMs);
      continue;
    }
    // Missing the first time; held open by somebody where this fails on Windows, and then the next rename says so.
    await rename(target, old).catch(() => undefined);
    try {
      await rename(partial, target);
      placed = true;
    } catch (error) {
      // Between the two another window may have put its own there.
      if (tries === mostTries) throw error;
    } finally {
      await rm(old, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

/** What windows left that were closed while they unpacked. */
async function removeAbandoned(storage: string): Promise<void> {
  for (const name of await readdir(storage)) {
    if (!name.startsWith(`${folderName}.`) || !name.endsWith('.partial')) continue;
    const file = path.join(storage, name);
    const changed = await stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    );
    if (Date.now() - changed > abandonedMs) await rm(file, { recursive: true, force: true });
  }
}
