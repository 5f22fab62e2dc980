/**
 * Which files a run has after some of its folders were looked at again. Pure. Owned by the library, which watches.
 * Leaves out which run a file belongs to (discovery.ts, spreadRuns.ts).
 */
import { dirname } from 'node:path';
import type { FolderScan } from './discovery.ts';
import { compareFiles, type FoundFile, type FoundRun } from './foundRun.ts';

/** What is left of a run of one file, which a folder scan may count to another run or not find at all. */
export function singleFileOf(run: FoundRun, { runs, spread }: FolderScan): FoundRun {
  const paths = new Set(run.pattern === null ? [run.path] : []);
  const found = [...runs.flatMap(({ files }) => files), ...spread];
  return { ...run, files: found.filter(({ path }) => paths.has(path)) };
}

/** The folders whose change concerns a run. */
export function foldersOf({ folder, files }: FoundRun): readonly string[] {
  return [...new Set([folder, ...files.map(({ path }) => dirname(path))])];
}

/** The folders that hold `.json` files of a run: at most 2,000, which is 200 KB of paths. */
export function jsonFoldersOf({ files }: FoundRun): readonly string[] {
  const json = files.filter(({ name }) => /\.json$/iu.test(name));
  return [...new Set(json.map(({ path }) => dirname(path)))].slice(0, 2_000);
}

/** A run of several folders with what was found anew in some of them. */
export function withFolders(run: FoundRun, folders: ReadonlySet<string>, files: readonly FoundFile[]): FoundRun {
  const elsewhere = run.files.filter(({ path }) => !folders.has(dirname(path)));
  return { ...run, files: [...elsewhere, ...files].sort(compareFiles) };
}

/** True if nothing is new, gone or changed. */
export function sameFiles(a: readonly FoundFile[], b: readonly FoundFile[]): boolean {
  return a.length === b.length && a.every((file, i) => isSameFile(file, b[i]));
}

function isSameFile(a: FoundFile, b: FoundFile | undefined): boolean {
  return a.path === b?.path && a.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs;
}
