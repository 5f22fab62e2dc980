/**
 * Models from a Hugging Face Hub: what files a repository has, which of them are one model, and their download into a
 * folder: resumed where it stopped, each file checked against the hash that the Hub names, the folder marked whole at the
 * end. Nothing is asked of the network before a function here is called. Leaves out asking the user (views/replay).
 */
import { downloadFile, listFiles } from '@huggingface/hub';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../base/errors.ts';
import { isObject } from '../base/json.ts';

/** Where a repository is; '' for the client's usual Hub. */
export interface HubAddress {
  readonly endpoint: string;
  /** "owner/name" */
  readonly repository: string;
}

/** One file of a repository. */
export interface HubFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** SHA-256 where the Hub stores it apart (large files); else null. */
  readonly sha256: string | null;
  /** Git's hash of a small file; null where the Hub names none. */
  readonly gitHash: string | null;
}

/** Files that together are one model in one precision. */
export interface ModelVariant {
  /** "", "_q4", "_fp16" */
  readonly suffix: string;
  readonly files: readonly HubFile[];
  readonly sizeBytes: number;
}

/** What is there of a downloaded model. */
export interface DownloadedModel {
  readonly folder: string;
  readonly repository: string;
  readonly suffix: string;
  readonly sizeBytes: number;
}

/** The sentences that the owner says, in its language. */
export interface HubMessages {
  readonly wrongHash: (file: string) => { readonly message: string; readonly action: string };
  readonly missing: (file: string) => { readonly message: string; readonly action: string };
}

const markFile = '.downloaded.json';
/** Starts with what no file of a repository does. */
const partialEnding = '.partial-download';

/** All files of a repository. */
export async function listHubFiles({ endpoint, repository }: HubAddress): Promise<readonly HubFile[]> {
  const files: HubFile[] = [];
  const where = { repo: { type: 'model' as const, name: repository }, ...(endpoint !== '' && { hubUrl: endpoint }) };
  for await (const entry of listFiles({ ...where, recursive: true })) {
    if (entry.type !== 'file') continue;
    files.push({
      path: entry.path,
      sizeBytes: entry.lfs?.size ?? entry.size,
      sha256: entry.lfs === undefined ? null : entry.lfs.oid.replace(/^sha256:/, ''),
      gitHash: entry.lfs === undefined ? (entry.oid ?? null) : null,
    });
  }
  return files;
}

/** The models among the files, smallest first: `onnx/model<suffix>.onnx`, or `model<suffix>.onnx` beside the texts. */
export function variantsOf(files: readonly HubFile[]): readonly ModelVariant[] {
  const texts = files.filter(({ path: name }) => /^[\w.-]+\.(json|jinja|txt|model)$/.test(name));
  const variants = files.flatMap(({ path: name }) => {
    const match = /^(onnx\/)?model(_[a-z0-9_]+)?\.onnx$/.exec(name);
    if (match === null) return [];
    // Weights lie beside their graph: model.onnx_data, model.onnx_data_1, model.onnx.data.
    const own = files.filter(
      ({ path: other }) =>
        other === name || (/^[_.]data(_\d+)?$/.test(other.slice(name.length)) && other.startsWith(name)),
    );
    const all = [...own, ...texts];
    return [{ suffix: match[2] ?? '', files: all, sizeBytes: all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }];
  });
  return variants.sort((a, b) => a.sizeBytes - b.sizeBytes);
}

/** What a download needs. */
export interface DownloadOptions {
  readonly from: HubAddress;
  readonly variant: ModelVariant;
  /** A folder of ours for this model; need not exist. */
  readonly folder: string;
  readonly messages: HubMessages;
  readonly signal: AbortSignal;
  /** Bytes that are there, of all. */
  readonly progress: (done: number, of: number) => void;
}

/** Downloads what is missing; rejects on abort and leaves what was loaded for the next time. */
export async function downloadModel(options: DownloadOptions): Promise<void> {
  const { variant, folder, from } = options;
  let before = 0;
  for (const file of variant.files) {
    options.signal.throwIfAborted();
    await downloadOne(file, options, (bytes) => {
      options.progress(before + bytes, variant.sizeBytes);
    });
    before += file.sizeBytes;
  }
  const mark = { repository: from.repository, suffix: variant.suffix, sizeBytes: variant.sizeBytes };
  await writeFile(path.join(folder, markFile), JSON.stringify(mark));
}

async function downloadOne(
  file: HubFile,
  { from, folder, messages, signal }: DownloadOptions,
  progress: (bytes: number) => void,
): Promise<void> {
  const target = placeIn(folder, file.path);
  const there = await sizeOf(target);
  if (there === file.sizeBytes && (await isRight(target, file))) {
    progress(there);
    return;
  }
  const partial = `${target}${partialEnding}`;
  await mkdir(path.dirname(target), { recursive: true });
  const have = (await sizeOf(partial)) ?? 0;
  const first = have > file.sizeBytes ? 0 : have;
  if (first < file.sizeBytes || file.sizeBytes === 0) {
    const blob = await downloadFile({
      repo: { type: 'model', name: from.repository },
      path: file.path,
      ...(from.endpoint !== '' && { hubUrl: from.endpoint }),
      // Whole files by ranges resume anywhere, and their hash is that of the listing.
      xet: false,
    });
    if (blob === null) throw new UserError(...sentences(messages.missing(file.path)));
    let done = first;
    const counted = async function* (source: AsyncIterable<Uint8Array>) {
      for await (const bytes of source) {
        done += bytes.length;
        progress(done);
        yield bytes;
      }
    };
    const stream = Readable.fromWeb(blob.slice(first).stream() as Parameters<typeof Readable.fromWeb>[0]);
    await pipeline(stream, counted, createWriteStream(partial, { flags: first === 0 ? 'w' : 'a' }), { signal });
  }
  if (!(await isRight(partial, file))) {
    await rm(partial, { force: true });
    throw new UserError(...sentences(messages.wrongHash(file.path)));
  }
  await rename(partial, target);
  progress(file.sizeBytes);
}

function sentences({ message, action }: { readonly message: string; readonly action: string }): [string, string] {
  return [message, action];
}

/** A name of the listing inside the folder: it is foreign, so nothing that leads out is taken. */
function placeIn(folder: string, name: string): string {
  const target = path.resolve(folder, name);
  const inside = path.relative(folder, target);
  if (inside === '' || inside.startsWith('..') || path.isAbsolute(inside))
    throw new Error(`${name} leads out of its folder`);
  return target;
}

async function isRight(file: string, { sizeBytes, sha256, gitHash }: HubFile): Promise<boolean> {
  if ((await sizeOf(file)) !== sizeBytes) return false;
  if (sha256 !== null) return (await hashOf(file, 'sha256', '')) === sha256;
  if (gitHash !== null && /^[0-9a-f]{40}$/.test(gitHash)) {
    return (await hashOf(file, 'sha1', `blob ${sizeBytes}\0`)) === gitHash;
  }
  return true;
}

/** Hash of a file in hexadecimal digits, as Git and the Hub write them. */
async function hashOf(file: string, algorithm: 'sha256' | 'sha1', start: string): Promise<string> {
  const hash = createHash(algorithm).update(start);
  for await (const bytes of createReadStream(file)) hash.update(bytes as Buffer);
  return hash.digest('hex');
}

async function sizeOf(file: string): Promise<number | null> {
  return stat(file).then(
    ({ size }) => size,
    () => null,
  );
}

/** Where a repository's model is kept below a folder of ours. */
export function folderOfModel(root: string, repository: string, suffix: string): string {
  const name = `${repository}${suffix}`.replaceAll(/[^\w.-]+/g, '__');
  return path.join(root, name.replace(/^\.+/, ''));
}

/** The models below a folder of ours that are there whole. */
export async function downloadedModels(root: string): Promise<readonly DownloadedModel[]> {
  const names = await readdir(root).catch(() => []);
  const found = await Promise.all(
    names.sort().map(async (name): Promise<DownloadedModel | null> => {
      const folder = path.join(root, name);
      const text = await readFile(path.join(folder, markFile), 'utf8').catch(() => null);
      const mark = text === null ? null : parsed(text);
      if (!isObject(mark) || typeof mark.repository !== 'string' || typeof mark.suffix !== 'string') return null;
      const sizeBytes = typeof mark.sizeBytes === 'number' ? mark.sizeBytes : 0;
      return { folder, repository: mark.repository, suffix: mark.suffix, sizeBytes };
    }),
  );
  return found.filter((model) => model !== null);
}

/** Removes a model, also one that is there in part. */
export async function removeModel(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
