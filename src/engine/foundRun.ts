/**
 * What discovery finds: recognised log files and the runs they form, with the id and the order that all share.
 * Plain data. Leaves out how they are found (discovery.ts, spreadRuns.ts).
 */
import { createHash } from 'node:crypto';
import type { RunId } from '../protocol/engine.ts';
import type { Recognition } from '../readers/reader.ts';
import type { Wrapper } from './wrapper.ts';

/** A recognised log file. */
export interface FoundFile {
  /** Absolute. */
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly recognition: Recognition;
  /** Step that its name or a folder above it means, null if none. */
  readonly step: number | null;
  /** The folder whose name is the step; absent where the file's own name holds it, or nothing. */
  readonly stepFolder?: string;
  /** The topmost folder right above whose name is the rank that wrote it; absent where none is. */
  readonly rankFolder?: string;
  /** What it is wrapped in as a whole; absent for a log that is read as it is. */
  readonly wrapper?: Wrapper;
}

/** A run as discovery forms it; files are in step order, then by name. */
export interface FoundRun {
  readonly id: RunId;
  readonly name: string;
  /** The folder for a run of step files, else the file. */
  readonly path: string;
  /** Folder that holds the files. */
  readonly folder: string;
  /**
   * File name with `#` for the step number and `*` for the rank, or what the paths below `folder` have in common where the files lie in
   * several (spreadRuns.ts); null for a run that is one file.
   */
  readonly pattern: string | null;
  readonly format: string;
  readonly producer: string;
  readonly files: readonly FoundFile[];
  /** Of a run with files in several folders: the folder that was opened, above which it does not go. */
  readonly root?: string;
}

/** Id of a run: the first 16 hexadecimal digits of SHA-256 over its real path and its file pattern. */
export function runIdOf(realPath: string, pattern: string | null): RunId {
  return createHash('sha256')
    .update(`${realPath}\0${pattern ?? ''}`)
    .digest('hex')
    .slice(0, 16);
}

/** The order of files in a run: by step, by name, by path. */
export function compareFiles(a: FoundFile, b: FoundFile): number {
  return (a.step ?? -1) - (b.step ?? -1) || compareNames(a.name, b.name) || compareNames(a.path, b.path);
}

/** By code unit, as files are listed. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
