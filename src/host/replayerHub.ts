/**
 * Models from a Hugging Face Hub: what files a repository has, and the download of those that are one model into a folder:
 * resumed where it stopped, each file checked against the hash that the Hub names, the folder marked whole at the end.
 * Nothing is asked of the network before a function here is called. Leaves out which files are one model
 * (protocol/modelFiles.ts) and asking the user (views/replay).
 */
import { downloadFile, listFiles } from '@huggingface/hub';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { isObject } from '../base/json.ts';
import type { ListedModel } from '../protocol/modelFiles.ts';
import { appendBody, hashOf, sizeOf } from './partialDownload.ts';

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

/** A model of a repository. */
export type HubModel = ListedModel<HubFile>;

/** What is there of a downloaded model. */
export interface DownloadedModel {
  readonly folder: string;
  readonly repository: string;
  /** Folder within the repository, '' for its own. */
  readonly inside: string;
  readonly suffix: string;
  /** As the names of its files say it; null where none does. */
  readonly precision: string | null;
  readonly sizeBytes: number;
  /** Hub that it came from, '' for the usual one. */
  readonly endpoint: string;
  /** False where a download broke or was cancelled: the next one of the same model goes on. */
  readonly whole: boolean;
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

/** What a download needs. */
export interface DownloadOptions {
  readonly from: HubAddress;
  readonly model: HubModel;
  /** A folder of ours for this model; need not exist. */
  readonly folder: string;
  readonly messages: HubMessages;
  readonly signal: AbortSignal;
  /** Bytes that are there, of all. */
  readonly progress: (done: number, of: number) => void;
}

/** Downloads what is missing; rejects on abort and leaves what was loaded for the next time. */
export async function downloadModel(options: DownloadOptions): Promise<void> {
  const { model, folder, from } = options;
  const { suffix, precision, sizeBytes, folder: inside } = model;
  const mark = (whole: boolean): Promise<void> => {
    const { endpoint, repository } = from;
    const content = { endpoint, repository, inside, suffix, precision, sizeBytes, whole };
    return writeFile(path.join(folder, markFile), JSON.stringify(content));
  };
  await mkdir(folder, { recursive: true });
  await mark(false);
  let before = 0;
  for (const file of model.files) {
    options.signal.throwIfAborted();
    await downloadOne(file, options, (bytes) => {
      options.progress(before + bytes, model.sizeBytes);
    });
    before += file.sizeBytes;
  }
  await mark(true);
}

async function downloadOne(
  file: HubFile,
  { from, model, folder, messages, signal }: DownloadOptions,
  progress: (bytes: number) => void,
): Promise<void> {
  // The folder of a model is the one with its texts, however deep in the repository that is.
  const target = placeIn(folder, model.folder === '' ? file.path : path.posix.relative(model.folder, file.path));
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
    await appendBody(partial, blob.slice(first).stream(), { first, signal, progress });
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
  if (sha256 !== null) return (await hashOf(file, 'sha256')).toString('hex') === sha256;
  if (gitHash !== null && /^[0-9a-f]{40}$/.test(gitHash)) {
    return (await hashOf(file, 'sha1', `blob ${sizeBytes}\0`)).toString('hex') === gitHash;
  }
  return true;
}

/** Where a repository's model is kept below a folder of ours. */
export function folderOfModel(root: string, repository: string, model: Pick<HubModel, 'folder' | 'suffix'>): string {
  const inside = model.folder === '' ? '' : `/${model.folder}`;
  const name = `${repository}${inside}${model.suffix}`.replaceAll(/[^\w.-]+/g, '__');
  return path.join(root, name.replace(/^\.+/, ''));
}

/** The models below a folder of ours, also those of which a part is there. */
export async function downloadedModels(root: string): Promise<readonly DownloadedModel[]> {
  const names = await readdir(root).catch(() => []);
  const found = await Promise.all(
    names.sort().map(async (name): Promise<DownloadedModel | null> => {
      const folder = path.join(root, name);
      const text = await readFile(path.join(folder, markFile), 'utf8').catch(() => null);
      const mark = text === null ? null : parsed(text);
      if (!isObject(mark) || typeof mark.repository !== 'string' || typeof mark.suffix !== 'string') return null;
      const { repository, suffix, inside, precision, sizeBytes, endpoint, whole } = mark;
      return {
        folder,
        repository,
        suffix,
        inside: typeof inside === 'string' ? inside : '',
        precision: typeof precision === 'string' ? precision : null,
        sizeBytes: typeof sizeBytes === 'number' ? sizeBytes : 0,
        endpoint: typeof endpoint === 'string' ? endpoint : '',
        whole: whole !== false,
      };
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
