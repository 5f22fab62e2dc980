/**
 * ONNX Runtime's CUDA libraries, which no package of the extension carries: where onnxruntime-node's own install step
 * would get them (feed, package, version, files), how large that is, and their download or copy into a folder of ours.
 * A download is resumed where it broke and checked by the hash that the feed names. Linux x64 only; CUDA 12 itself is the machine's.
 * Leaves out asking the user (views/replay).
 */
import metadata from 'onnxruntime-node/script/install-metadata.js';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';
import { isObject, type JsonObject } from '../base/json.ts';
import { appendBody, hashOf, sizeOf } from './partialDownload.ts';

/** Which libraries, and where they come from. */
export interface CudaLibraries {
  readonly packageName: string;
  /** Version of ONNX Runtime, exactly ours. */
  readonly version: string;
  readonly feed: string;
  /** Path in the package by file name. */
  readonly files: Readonly<Record<string, string>>;
}

/** A package that can be downloaded. */
export interface CudaPackage {
  readonly url: string;
  readonly sizeBytes: number;
  /** Base 64, as the feed names it. */
  readonly sha512: string;
}

/** What a download is made with. */
export interface CudaDownload {
  readonly libraries: CudaLibraries;
  readonly from: CudaPackage;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly progress: (done: number, of: number) => void;
}

/** Why the libraries could not be had; the view says it in the user's language. */
export class CudaProblem extends Error {
  override readonly name = 'CudaProblem';
  constructor(
    readonly kind: 'no feed' | 'no package' | 'wrong hash' | 'missing file',
    readonly what: string,
  ) {
    super(`${kind}: ${what}`);
  }
}

const markFile = '.installed.json';
const manifestName = 'linux/x64:cuda12';

/** The libraries for a platform; null where CUDA is none of its providers. */
export function cudaLibraries(platform: string, architecture: string): CudaLibraries | null {
  if (`${platform}/${architecture}` !== 'linux/x64') return null;
  const manifest = metadata.manifests[manifestName];
  const [entry] = Object.values(manifest ?? {});
  const source = entry === undefined ? undefined : metadata.packages[entry.package];
  const version = source?.versions[0];
  const feed = version === undefined ? undefined : metadata.feeds[version.feed];
  if (manifest === undefined || source === undefined || version === undefined || feed === undefined) return null;
  const files = Object.entries(manifest).map(([name, { path: inside }]) => [path.posix.basename(name), inside]);
  return {
    packageName: source.name,
    version: version.version,
    feed: feed.index,
    files: Object.fromEntries(files) as Record<string, string>,
  };
}

/** Asks the feed for address, size and hash of the package (NuGet's protocol, version 3). */
export async function findCudaPackage(libraries: CudaLibraries, signal: AbortSignal): Promise<CudaPackage> {
  const name = libraries.packageName.toLowerCase();
  const version = libraries.version.toLowerCase();
  const resources = (await jsonAt(libraries.feed, signal)).resources;
  const addressOf = (type: RegExp): string => {
    const found = (Array.isArray(resources) ? resources : []).find(
      (one) => isObject(one) && typeof one['@type'] === 'string' && type.test(one['@type']),
    );
    if (!isObject(found) || typeof found['@id'] !== 'string') throw new CudaProblem('no feed', libraries.feed);
    return found['@id'].replace(/\/*$/, '/');
  };
  const leaf = await jsonAt(`${addressOf(/^RegistrationsBaseUrl(\/|$)/)}${name}/${version}.json`, signal);
  // The leaf links to the catalogue's entry, which has size and hash.
  const entry = typeof leaf.catalogEntry === 'string' ? await jsonAt(leaf.catalogEntry, signal) : leaf.catalogEntry;
  if (!isObject(entry)) throw new CudaProblem('no package', `${libraries.packageName} ${libraries.version}`);
  const { packageHash, packageHashAlgorithm, packageSize } = entry;
  if (typeof packageHash !== 'string' || packageHashAlgorithm !== 'SHA512' || typeof packageSize !== 'number') {
    throw new CudaProblem('no package', `${libraries.packageName} ${libraries.version}`);
  }
  const url = `${addressOf(/^PackageBaseAddress\/3/)}${name}/${version}/${name}.${version}.nupkg`;
  return { url, sizeBytes: packageSize, sha512: packageHash };
}

async function jsonAt(url: string, signal: AbortSignal): Promise<JsonObject> {
  const answer = await fetch(url, { signal });
  if (!answer.ok) throw new CudaProblem('no feed', `${url} (${answer.status})`);
  const value: unknown = await answer.json();
  if (!isObject(value)) throw new CudaProblem('no feed', url);
  return value;
}

/**
 * Downloads the package, checks it, and keeps the libraries in the folder; rejects on abort. What was loaded of a download
 * that broke or was cancelled is kept, and the next one goes on from there.
 */
export async function downloadCuda({ libraries, from, folder, signal, progress }: CudaDownload): Promise<void> {
  await mkdir(folder, { recursive: true });
  const archive = path.join(folder, partialName(from));
  await removeOthers(folder, path.basename(archive));
  if ((await sizeOf(archive)) !== from.sizeBytes) await loadRest(archive, { from, signal, progress });
  signal.throwIfAborted();
  if ((await hashOf(archive, 'sha512')).toString('base64') !== from.sha512) {
    await rm(archive, { force: true });
    throw new CudaProblem('wrong hash', from.url);
  }
  try {
    await unpack(archive, libraries, folder);
  } catch (error) {
    // It is what the feed says it is: loading it again would change nothing.
    await rm(archive, { force: true });
    throw error;
  }
  await mark(folder, libraries, from.url);
  await rm(archive, { force: true });
}

const partialEnding = '.nupkg.partial';

/** Named by what it will be, so that another version's beginning is never taken for this one's. */
function partialName({ sha512 }: CudaPackage): string {
  return `${createHash('sha256').update(sha512).digest('hex').slice(0, 16)}${partialEnding}`;
}

async function removeOthers(folder: string, kept: string): Promise<void> {
  const names = await readdir(folder);
  const others = names.filter((name) => name.endsWith(partialEnding) && name !== kept);
  await Promise.all(others.map((name) => rm(path.join(folder, name), { force: true })));
}

/** Loads what is missing behind what is there, or all of it where the server gives no parts. */
async function loadRest(
  archive: string,
  { from, signal, progress }: Pick<CudaDownload, 'from' | 'signal' | 'progress'>,
): Promise<void> {
  const there = (await sizeOf(archive)) ?? 0;
  const first = there < from.sizeBytes ? there : 0;
  const answer = await fetch(from.url, { signal, headers: first === 0 ? {} : { range: `bytes=${first}-` } });
  if (!answer.ok || answer.body === null) throw new CudaProblem('no feed', `${from.url} (${answer.status})`);
  const goesOn = answer.status === 206 && (answer.headers.get('content-range') ?? '').startsWith(`bytes ${first}-`);
  const kept = goesOn ? first : 0;
  const tell = (bytes: number): void => progress(bytes, from.sizeBytes);
  tell(kept);
  await appendBody(archive, answer.body, { first: kept, signal, progress: tell });
}

async function unpack(archive: string, { files }: CudaLibraries, folder: string): Promise<void> {
  const wanted = new Map(Object.entries(files).map(([name, inside]) => [inside, name]));
  const zip = await openPromise(archive);
  try {
    for await (const entry of zip.eachEntry()) {
      const name = wanted.get(entry.fileName);
      if (name === undefined) continue;
      const target = path.join(folder, name);
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(`${target}.partial`));
      await rename(`${target}.partial`, target);
      wanted.delete(entry.fileName);
    }
  } finally {
    zip.close();
  }
  const [missing] = wanted.keys();
  if (missing !== undefined) throw new CudaProblem('missing file', missing);
}

/** Takes the libraries from a folder of the user's (a machine without network); they carry no hash to check. */
export async function copyCuda(libraries: CudaLibraries, from: string, folder: string): Promise<void> {
  const there = await readdir(from);
  const needed = Object.keys(libraries.files).filter((name) => !name.includes('tensorrt'));
  const missing = needed.find((name) => !there.includes(name));
  if (missing !== undefined) throw new CudaProblem('missing file', path.join(from, missing));
  await mkdir(folder, { recursive: true });
  for (const name of Object.keys(libraries.files).filter((one) => there.includes(one))) {
    await copyFile(path.join(from, name), path.join(folder, `${name}.partial`));
    await rename(path.join(folder, `${name}.partial`), path.join(folder, name));
  }
  await mark(folder, libraries, from);
}

async function mark(folder: string, { version }: CudaLibraries, source: string): Promise<void> {
  await writeFile(path.join(folder, markFile), JSON.stringify({ version, source }));
}

/** The folder where libraries of exactly this version are there whole; null otherwise. */
export async function installedCuda(folder: string, { version }: CudaLibraries): Promise<string | null> {
  const text = await readFile(path.join(folder, markFile), 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && value.version === version ? folder : null;
  } catch {
    return null;
  }
}
