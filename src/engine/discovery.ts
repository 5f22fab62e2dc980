/**
 * Finds runs: looks at the heads of log-like files, folder by folder, and forms runs out of what is recognised.
 * In one folder the files of one reader whose names differ only in step, rank and compression are one run; files of one
 * episode each, and of one step or rank a folder, are one run over folders (spreadRuns.ts); every other recognised file is
 * a run of its own.
 * Owned by the engine. Leaves out indexing and watching; reads nothing but heads.
 */
import { readdir, realpath, stat } from 'node:fs/promises';
import type { Dirent, Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../base/errors.ts';
import type { Note } from '../model/note.ts';
import type { RunId } from '../protocol/engine.ts';
import type { FileHeads, FileLook } from './fileHeads.ts';
import { codeOf, fileError } from './fileSource.ts';
import { compareFiles, compareNames, runIdOf, type FoundFile, type FoundRun } from './foundRun.ts';
import {
  countNamed,
  limitNote,
  loopNote,
  namedLook,
  namedNote,
  nextStep,
  unreadable,
  type NamedFiles,
  type Tried,
} from './scanNotes.ts';
import { hasRank, rankFolderOf, withoutRank } from './rankOfPath.ts';
import { isSpread, spreadRuns, type SpreadFile } from './spreadRuns.ts';
import { stepDigits } from './stepOfPath.ts';
import { plainName } from './wrapper.ts';

/** What one folder holds. */
export interface FolderScan {
  readonly folder: string;
  readonly runs: readonly FoundRun[];
  /** Files that form runs with those of other folders. */
  readonly spread: readonly FoundFile[];
  /** Folders directly below that are worth a look. */
  readonly subfolders: readonly string[];
  readonly notes: readonly Note[];
  /** Files whose heads were looked at. */
  readonly files: number;
  /** Time of the folder's last change, taken before it was listed; NaN if it may have changed since. */
  readonly mtimeMs: number;
}

/** What lies below some folders. */
export interface TreeScan {
  readonly runs: readonly FoundRun[];
  /** Every folder that was listed, with FolderScan's time. */
  readonly folders: readonly { readonly path: string; readonly mtimeMs: number }[];
  readonly files: number;
  readonly notes: readonly Note[];
}

/** How far a search goes before it stops with a note. */
export interface ScanLimits {
  readonly depth: number;
  readonly folders: number;
  readonly filesPerFolder: number;
  /** Unrecognised JSON, Parquet or compressed files of one name shape after which the rest of it is left alone. */
  readonly jsonTries: number;
}

/** Limits that keep a large workspace quick. */
export const usualLimits: ScanLimits = { depth: 12, folders: 5_000, filesPerFolder: 5_000, jsonTries: 3 };

/** What a scan needs. */
export interface ScanOptions {
  readonly heads: FileHeads;
  readonly limits?: ScanLimits;
  readonly signal?: AbortSignal;
  readonly progress?: (folders: number, files: number) => void;
  /** Above which no run goes; by default the folder that is looked below. */
  readonly root?: string;
}

/** What may be a log, and the pickles of slime and SkyRL, which are told with the reason why they are not read. */
const candidate =
  /(?:\.(?:(?:jsonl|ndjson|json|traj)(?:\.(?:gz|gzip|zst|zstd))?|eval|parquet|pt|pkl)|(?:^|[\\/])generations\.log(?:\.(?:gz|zst))?)$/iu;
/** Kinds of files of which a workspace may hold thousands that are no logs. */
const mostlyOther = /\.(?:json|parquet|gz|gzip|zst|zstd|pt|pkl)$/iu;
const skippedFolders = new Set(['node_modules', '__pycache__', 'site-packages']);
const headsAtOnce = 8;

interface Listed {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

/** Looks at one folder, not below it. Never rejects for what it finds: an unreadable folder is a note. */
export async function scanFolder(folder: string, options: ScanOptions): Promise<FolderScan> {
  const limits = options.limits ?? usualLimits;
  const notes: Note[] = [];
  let entries: Dirent[];
  let mtimeMs = Number.NaN;
  try {
    mtimeMs = settledTime((await stat(folder)).mtimeMs);
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    notes.push(unreadable(folder, error));
    return { folder, runs: [], spread: [], subfolders: [], notes, files: 0, mtimeMs };
  }
  const subfolders = entries
    .filter((entry) => !entry.name.startsWith('.') && !skippedFolders.has(entry.name))
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
  const listed = await listFiles(folder, entries, notes);
  const folders = await realFolders(folder, subfolders, notes);
  const { found: all, looked } = await lookAtFiles(listed, { ...options, limits }, notes);
  const found = withoutCopies(all, notes);
  const spread = found.filter(isSpread);
  const runs = await formRuns(
    folder,
    found.filter((file) => !isSpread(file)),
  );
  return { folder, runs, spread, subfolders: folders, notes, files: looked, mtimeMs };
}

/** A folder's time, NaN while the clock of the file system (about 10 ms a tick) could hide a second change. */
function settledTime(mtimeMs: number): number {
  return Date.now() - mtimeMs < 100 ? Number.NaN : mtimeMs;
}

async function listFiles(folder: string, entries: readonly Dirent[], notes: Note[]): Promise<readonly Listed[]> {
  const files = entries.filter((entry) => !entry.isDirectory() && candidate.test(entry.name));
  // A link to a file of the same folder must not be counted twice: real files come first.
  files.sort((a, b) => Number(a.isSymbolicLink()) - Number(b.isSymbolicLink()) || compareNames(a.name, b.name));
  const seen = new Set<string>();
  const listed: Listed[] = [];
  for (const batch of batches(files, 64)) {
    const stats = await Promise.all(batch.map((entry) => statOf(join(folder, entry.name), notes)));
    batch.forEach((entry, i) => {
      const found = stats[i];
      if (!found?.isFile()) return;
      const identity = `${found.dev}:${found.ino}`;
      if (entry.isSymbolicLink() && seen.has(identity)) return;
      seen.add(identity);
      const path = join(folder, entry.name);
      listed.push({ name: entry.name, path, sizeBytes: found.size, mtimeMs: found.mtimeMs });
    });
  }
  return listed;
}

async function statOf(path: string, notes: Note[]): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    // Gone since it was listed, or a link to nowhere: nothing that the user could want to read.
    if (codeOf(error) !== 'ENOENT') notes.push(unreadable(path, error));
    return null;
  }
}

async function realFolders(folder: string, entries: readonly Dirent[], notes: Note[]): Promise<readonly string[]> {
  const folders: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) folders.push(path);
    else if (!candidate.test(entry.name) && (await statOf(path, notes))?.isDirectory()) folders.push(path);
  }
  return folders;
}

async function lookAtFiles(
  listed: readonly Listed[],
  options: ScanOptions & { readonly limits: ScanLimits },
  notes: Note[],
): Promise<{ readonly found: readonly FoundFile[]; readonly looked: number }> {
  const { limits, signal } = options;
  const found: FoundFile[] = [];
  const named: NamedFiles = new Map();
  const tries = new Map<string, Tried>();
  let looked = 0;
  const kept = listed.slice(0, limits.filesPerFolder);
  const over = listed.length - kept.length;
  const first = kept[0];
  if (over > 0 && first) notes.push(limitNote(dirname(first.path), `${over} further files were not looked at`));
  for (const batch of batches(kept, headsAtOnce)) {
    signal?.throwIfAborted();
    const looks = await Promise.all(
      batch.map(async (file): Promise<FileLook | null> => {
        const shape = shapeOf(file.name);
        const tried = tries.get(shape) ?? { looked: 0, hits: 0, skipped: 0, first: file.path, named: null };
        tries.set(shape, tried);
        if (mostlyOther.test(file.name) && tried.hits === 0 && tried.looked >= limits.jsonTries) {
          tried.skipped += 1;
          return null;
        }
        tried.looked += 1;
        looked += 1;
        const look = await options.heads.look(file.path, file);
        if (look.kind === 'log') tried.hits += 1;
        if (look.kind === 'other') tried.named = namedLook(look) ?? tried.named;
        return look;
      }),
    );
    batch.forEach((file, i) => {
      const look = looks[i];
      if (!look) return;
      if (look.kind === 'log') found.push(fileOf(file, look));
      else if (look.kind === 'unreadable') notes.push(unreadable(file.path, look.error));
      else countNamed(named, file.path, namedLook(look));
    });
  }
  for (const { skipped, named: look } of tries.values()) {
    const known = look === null ? undefined : named.get(look.description);
    if (known) known.count += skipped;
  }
  for (const { path, look, count } of named.values()) notes.push(namedNote(path, look, count));
  for (const { skipped, first: path, named: look } of tries.values()) {
    if (skipped > 0 && look === null)
      notes.push(limitNote(dirname(path), `${skipped} files named like ${basename(path)} were skipped`));
  }
  return { found, looked };
}

function fileOf(listed: Listed, look: FileLook & { readonly kind: 'log' }): FoundFile {
  const { recognition, step, stepFolder, wrapper } = look;
  const rankFolder = rankFolderOf(listed.path);
  return {
    ...listed,
    recognition,
    step,
    ...(stepFolder === null ? {} : { stepFolder }),
    ...(rankFolder === null ? {} : { rankFolder }),
    ...(wrapper === null ? {} : { wrapper }),
  };
}

/** A file name with every number replaced, so that names that differ only in numbers share it. */
function shapeOf(name: string): string {
  return name.replaceAll(/\d+/gu, '#');
}

/** Leaves out what is compressed and lies beside its original (`gzip -k`), of which each rollout would count twice. */
function withoutCopies(files: readonly FoundFile[], notes: Note[]): readonly FoundFile[] {
  const names = new Set(files.filter(({ name }) => plainName(name) === name).map(({ name }) => name));
  return files.filter(({ path, name }) => {
    const plain = plainName(name);
    if (plain === name || !names.has(plain)) {
      names.add(plain);
      return true;
    }
    const message = `not read, since ${plain} lies beside it, unpacked or in another packing`;
    notes.push({ severity: 'information', code: 'folder-limit', file: path, line: null, message });
    return false;
  });
}

/** A file name with `#` for the step's number and `*` for the rank, unpacked; null where the name holds neither. */
function patternOf(name: string, step: number | null): string | null {
  const plain = plainName(name);
  const digits = step === null ? null : stepDigits(plain, step);
  if (digits === null) return hasRank(plain) ? withoutRank(plain) : null;
  return withoutRank(`${plain.slice(0, digits.first)}#${plain.slice(digits.end)}`);
}

async function formRuns(folder: string, files: readonly FoundFile[]): Promise<readonly FoundRun[]> {
  const first = files[0];
  if (!first) return [];
  const clusters = new Map<string, { readonly pattern: string | null; readonly files: FoundFile[] }>();
  for (const file of files) {
    const pattern = patternOf(file.name, file.step);
    const key = pattern === null ? file.path : `${file.recognition.format}\0${pattern}`;
    const cluster = clusters.get(key) ?? { pattern, files: [] };
    cluster.files.push(file);
    clusters.set(key, cluster);
  }
  const real = await realpath(folder).catch(() => folder);
  const several = [...clusters.values()].filter((cluster) => cluster.pattern !== null).length > 1;
  return [...clusters.values()].map(({ pattern, files: members }) => {
    const sorted = members.sort(compareFiles);
    const head = sorted[0] ?? first;
    const { format, producer } = head.recognition;
    if (pattern === null) return runOfFile(head, join(real, head.name));
    const name = several ? `${basename(real)} (${pattern})` : basename(real);
    return {
      id: runIdOf(real, `${format} ${pattern}`),
      name,
      path: folder,
      folder,
      pattern,
      format,
      producer,
      files: sorted,
    };
  });
}

function runOfFile(file: FoundFile, real: string): FoundRun {
  const { format, producer } = file.recognition;
  const { path, name } = file;
  return { id: runIdOf(real, null), name, path, folder: dirname(path), pattern: null, format, producer, files: [file] };
}

/** One file as a run of its own. UserError if it cannot be read or is no rollout log. */
export async function scanFile(path: string, options: ScanOptions): Promise<FoundRun> {
  const found = await stat(path).catch((error: unknown) => {
    throw fileError(path, error);
  });
  const stamp = { sizeBytes: found.size, mtimeMs: found.mtimeMs };
  const look = await options.heads.look(path, stamp);
  if (look.kind === 'unreadable') throw look.error;
  if (look.kind === 'other') {
    if (found.size === 0) throw new UserError(`${path} is empty.`, 'Open it again when something was written to it.');
    const what = look.known ? `is ${look.description}` : 'is no rollout log that is known here';
    throw new UserError(`${path} ${what}.`, nextStep(look));
  }
  // As formRuns does: a link to a file is the same run whether the file or its folder is opened.
  const real = join(await realpath(dirname(path)).catch(() => dirname(path)), basename(path));
  return runOfFile(fileOf({ path, name: basename(path), ...stamp }, look), real);
}

/** Looks at folders and everything below them, each real folder once. Rejects only on abort. */
export async function scanTree(roots: readonly string[], options: ScanOptions): Promise<TreeScan> {
  const limits = options.limits ?? usualLimits;
  const runs = new Map<RunId, FoundRun>();
  const notes: Note[] = [];
  const folders: { readonly path: string; readonly mtimeMs: number }[] = [];
  const spread: SpreadFile[] = [];
  const seen = new Set<string>();
  let files = 0;
  let waiting: readonly Visit[] = roots.map((folder) => ({
    folder,
    root: options.root ?? folder,
    depth: 0,
    above: [],
  }));
  const result = async (): Promise<TreeScan> => {
    for (const run of await spreadRuns(spread)) runs.set(run.id, run);
    return { runs: sortRuns(runs), folders, files, notes };
  };
  while (waiting.length > 0) {
    const next: Visit[] = [];
    for (const visit of waiting) {
      options.signal?.throwIfAborted();
      if (folders.length >= limits.folders) {
        notes.push(limitNote(visit.folder, `looked at ${folders.length} folders and stopped here`));
        return result();
      }
      const real = await realpath(visit.folder).catch(() => visit.folder);
      if (visit.above.includes(real)) notes.push(loopNote(visit.folder, real));
      if (seen.has(real)) continue;
      seen.add(real);
      const scan = await scanFolder(visit.folder, options);
      folders.push({ path: visit.folder, mtimeMs: scan.mtimeMs });
      files += scan.files;
      notes.push(...scan.notes);
      for (const run of scan.runs) runs.set(run.id, run);
      for (const file of scan.spread) spread.push({ file, root: visit.root });
      options.progress?.(folders.length, files);
      if (visit.depth >= limits.depth && scan.subfolders.length > 0) {
        notes.push(limitNote(visit.folder, `folders more than ${limits.depth} levels down were not looked at`));
        continue;
      }
      const above = [...visit.above, real];
      for (const folder of scan.subfolders) next.push({ folder, root: visit.root, depth: visit.depth + 1, above });
    }
    waiting = next;
  }
  return result();
}

interface Visit {
  readonly folder: string;
  readonly root: string;
  readonly depth: number;
  /** Real paths of the folders above, to tell a loop from a second way to the same folder. */
  readonly above: readonly string[];
}

function sortRuns(runs: ReadonlyMap<RunId, FoundRun>): readonly FoundRun[] {
  return [...runs.values()].sort((a, b) => compareNames(a.path, b.path) || compareNames(a.name, b.name));
}

function* batches<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let first = 0; first < items.length; first += size) yield items.slice(first, first + size);
}
