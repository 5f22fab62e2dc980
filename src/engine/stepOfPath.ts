/**
 * The training step that the path of a log means: by its own name as its reader understands it, else by the folders above
 * it (`step_4/train/all/traces.jsonl`, `global_step_40_evals/gsm8k.jsonl`, AReaL's `12/7.jsonl`). Pure. Owned by
 * fileHeads.ts. Leaves out the step that a record logs, which goes before this one.
 */
import { basename, dirname } from 'node:path';
import type { Reader } from '../readers/reader.ts';
import { hasRank, ofOneRank } from './rankOfPath.ts';

/** A step and where it stands. */
export interface StepOfPath {
  /** Null where the path means none. */
  readonly step: number | null;
  /** The folder whose name holds the step, absolute; null where the file's own name does, or nothing. */
  readonly folder: string | null;
}

/** Folders above a log that are looked at: prime-rl puts two between the step and the file. */
const foldersAbove = 3;
/** What a folder of one step is called, whatever wrote it. */
const usualFolder = /^(?:global[_-]?)?(?:step|iter|iteration|epoch)[_=-]?(\d{1,9})$/iu;

/** The step of the log `name` (without `.gz`) at `path`. */
export function stepOfPath(path: string, name: string, { stepOfName }: Pick<Reader, 'stepOfName'>): StepOfPath {
  const own = stepOfName(name) ?? (hasRank(name) ? stepOfRank(ofOneRank(name), stepOfName) : null);
  if (own !== null) return { step: own, folder: null };
  let folder = dirname(path);
  let tail = name;
  for (let above = 0; above < foldersAbove && folder !== dirname(folder); above += 1) {
    const called = basename(folder);
    tail = `${called}/${tail}`;
    const usual = usualFolder.exec(called)?.[1];
    const step = stepOfName(tail) ?? (usual === undefined ? null : Number(usual));
    if (step !== null) return { step, folder };
    folder = dirname(folder);
  }
  return { step: null, folder: null };
}

/** Formats know the names that their trainer writes; who cuts them by rank calls them as he likes. */
function stepOfRank(name: string, stepOfName: Reader['stepOfName']): number | null {
  const usual = /(?<![a-z])(?:step|iter|iteration)[_=-]?(\d{1,9})(?!\d)/iu.exec(name)?.[1];
  return stepOfName(name) ?? (usual === undefined ? null : Number(usual));
}

/** Whether the step of a path is the number of an epoch there, and of nothing else. */
export function isEpoch(path: string, step: number): boolean {
  const number = new RegExp(`(?<![0-9])0*${step}(?![0-9])`, 'gu');
  // The innermost name that holds it.
  const name = path.split(/[\\/]/u).findLast((segment) => segment.search(number) !== -1) ?? '';
  return [...name.matchAll(number)].every(({ index }) => /epochs?[_=-]?$/iu.test(name.slice(0, index)));
}

/**
 * Where the step's number stands in a name: behind the word that says so, else the last that equals it. In
 * `step_3_rank_3.jsonl` the first 3 is the step.
 */
export function stepDigits(name: string, step: number): { readonly first: number; readonly end: number } | null {
  const equal = [...name.matchAll(/\d+/gu)].filter((match) => Number(match[0]) === step);
  const named = equal.find(({ index }) => /(?:step|iter|iteration)[_=-]?$/iu.test(name.slice(0, index)));
  const digits = named ?? equal.at(-1);
  return digits ? { first: digits.index, end: digits.index + digits[0].length } : null;
}
