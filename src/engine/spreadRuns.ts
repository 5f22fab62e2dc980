/**
 * Runs whose files lie in several folders: files of one episode each (episodeRuns.ts), and logs whose step or rank is the
 * name of a folder (`step_4/train/all/traces.jsonl`, `rank1/3.jsonl`), of which those that differ only in these are one run.
 * A run never goes above the folder that was opened. Owned by discovery. Leaves out which files are such.
 */
import { realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { episodeHome, episodePattern, isBelow } from './episodeRuns.ts';
import { compareFiles, runIdOf, type FoundFile, type FoundRun } from './foundRun.ts';
import { withoutRank } from './rankOfPath.ts';
import { stepDigits } from './stepOfPath.ts';
import { plainName } from './wrapper.ts';

/** A file that forms a run with those of other folders, and the folder the user opened, above which no run goes. */
export interface SpreadFile {
  readonly file: FoundFile;
  readonly root: string;
}

/** Where the run of a file begins, and what the paths of its files below that have in common. */
export interface SpreadPlace {
  readonly home: string;
  /** `**` for episodes; `step_#/train/all/traces.jsonl` and `step_#/**` where folders are steps, with `*` for a rank. */
  readonly pattern: string;
}

/** True for a file that forms a run with those of other folders. */
export function isSpread({ recognition, stepFolder, rankFolder }: FoundFile): boolean {
  return recognition.holds === 'episode' || stepFolder !== undefined || rankFolder !== undefined;
}

/** The run that a file belongs to. */
export function spreadPlace(file: FoundFile, root: string): SpreadPlace {
  const { path, stepFolder, rankFolder, recognition } = file;
  const inside = [stepFolder, rankFolder]
    .filter((folder) => folder !== undefined)
    .filter((folder) => folder !== root && isBelow(folder, root))
    .sort((a, b) => a.length - b.length);
  const [top] = inside;
  const isEpisode = recognition.holds === 'episode';
  if (top === undefined && isEpisode) return { home: episodeHome(path, root), pattern: episodePattern };
  const home = top === undefined ? root : dirname(top);
  const folders = foldersBelow(home, isEpisode ? (inside.at(-1) ?? home) : dirname(path));
  const shared = folders.map((folder) => sharedFolder(folder, folder === stepFolder ? file.step : null));
  return { home, pattern: [...shared, isEpisode ? episodePattern : sharedName(file)].join('/') };
}

/** The folders from below `home` down to `last`, absolute. */
function foldersBelow(home: string, last: string): readonly string[] {
  const folders: string[] = [];
  for (let folder = last; folder !== home && isBelow(folder, home); folder = dirname(folder)) folders.unshift(folder);
  return folders;
}

/** A folder's name with `*` for the rank, and `#` for the step and for the epoch that rLLM writes behind it. */
function sharedFolder(folder: string, step: number | null): string {
  const name = withoutRank(basename(folder));
  return step === null ? name : withoutStep(name.replace(/(?<=epoch[_=-]?)\d+/iu, '#'), step);
}

function withoutStep(name: string, step: number): string {
  const digits = stepDigits(name, step);
  return digits ? `${name.slice(0, digits.first)}#${name.slice(digits.end)}` : name;
}

/** A file's name, unpacked, with `#` for the step and `*` for the rank; AReaL writes a file a task, named by its number. */
function sharedName({ name, step, stepFolder }: FoundFile): string {
  const plain = plainName(name);
  if (stepFolder === undefined && step !== null) return withoutRank(withoutStep(plain, step));
  return withoutRank(plain).replace(/^\d+(?=\.[^/]*$)/u, '*');
}

/** The runs that files form. */
export async function spreadRuns(files: readonly SpreadFile[]): Promise<readonly FoundRun[]> {
  const places = new Map<string, SpreadPlace & { readonly root: string; readonly files: FoundFile[] }>();
  for (const { file, root } of files) {
    const place = spreadPlace(file, root);
    const key = [file.recognition.format, place.home, place.pattern].join('\0');
    const one = places.get(key) ?? { ...place, root, files: [] };
    one.files.push(file);
    places.set(key, one);
  }
  const all = [...places.values()];
  const runs: FoundRun[] = [];
  for (const { home, pattern, root, files: members } of all) {
    const [first] = members;
    if (!first) continue;
    const { format, producer } = first.recognition;
    const real = await realpath(home).catch(() => home);
    const others = all.filter((one) => one.home === home && one.files !== members);
    const isAlone = others.length === 0;
    const told = others.some((one) => one.pattern === pattern) || pattern === episodePattern ? producer : pattern;
    runs.push({
      id: runIdOf(real, `${format} ${pattern}`),
      name: isAlone ? basename(real) : `${basename(real)} (${told})`,
      path: home,
      folder: home,
      pattern,
      format,
      producer,
      files: members.sort(compareFiles),
      root,
    });
  }
  return runs;
}

/** A run with what was found anew in one folder: files of it elsewhere stay as they were. */
export function withFolder(run: FoundRun, folder: string, spread: readonly FoundFile[]): FoundRun {
  const { root } = run;
  if (root === undefined) return run;
  const elsewhere = run.files.filter(({ path }) => dirname(path) !== folder);
  const here = spread.filter((file) => {
    const { home, pattern } = spreadPlace(file, root);
    return file.recognition.format === run.format && home === run.folder && pattern === run.pattern;
  });
  return { ...run, files: [...elsewhere, ...here].sort(compareFiles) };
}
