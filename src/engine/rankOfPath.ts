/**
 * Which part of one step a log is: trainers of several processes write a file or a folder a rank
 * (`step_3_rank_0.jsonl`, `rank1/3.jsonl`), and tables are cut into `train-00000-of-00008`. Files that differ in it alone
 * are one run, so that a prompt's rollouts meet in one group. Pure. Leaves out the step (stepOfPath.ts).
 */
import { basename, dirname } from 'node:path';

/** Behind a letter it is another word ("crank1"); GPUs and nodes are left out, since sweeps put whole runs there. */
const rankDigits = /(?<=(?<![a-z])(?:rank|worker|shard)[_.=-]?)\d{1,6}(?!\d)|(?<!\d)\d{1,6}(?=-of-\d{1,6}(?!\d))/giu;
const foldersAbove = 3;

/** A name with `*` for its rank. */
export function withoutRank(name: string): string {
  return name.replaceAll(rankDigits, '*');
}

const rankPart =
  /[._-]?(?<![a-z])(?:(?:dp|local|global)[_-]?)?(?:rank|worker|shard)[_.=-]?\d{1,6}(?!\d)|[._-]?(?<!\d)\d{1,6}-of-\d{1,6}/giu;

/** A name as it would be with one rank: `3_rank_0.jsonl` is `3.jsonl`. */
export function ofOneRank(name: string): string {
  return name.replaceAll(rankPart, '').replace(/^[._-]+/u, '');
}

/** Whether a name holds a rank. */
export function hasRank(name: string): boolean {
  return withoutRank(name) !== name;
}

/** The topmost of the folders right above a log whose name is a rank; null where none is. */
export function rankFolderOf(path: string): string | null {
  let found: string | null = null;
  let folder = dirname(path);
  for (let above = 0; above < foldersAbove && folder !== dirname(folder); above += 1) {
    if (hasRank(basename(folder))) found = folder;
    folder = dirname(folder);
  }
  return found;
}
