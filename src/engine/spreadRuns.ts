/**
 * Runs whose files lie in several folders: files of one episode each (episodeRuns.ts), and logs whose step is the name of
 * a folder (`step_4/train/all/traces.jsonl`), of which those that differ only in the step are one run. A run never goes
 * above the folder that was opened. Owned by discovery. Leaves out which files are such.
 */
import { realpath } from 'node:fs/promises';
import { basename, dirname, relative, sep } from 'node:path';
import { episodeHome, episodePattern, isBelow } from './episodeRuns.ts';
import { compareFiles, runIdOf, type FoundFile, type FoundRun } from './foundRun.ts';
import { stepDigits } from './stepOfPath.ts';

/** A file that forms a run with those of other folders, and the folder the user opened, above which no run goes. */
export interface SpreadFile {
  readonly file: FoundFile;
  readonly root: string;
}

/** Where the run of a file begins, and what the paths of its files below that have in common. */
export interface SpreadPlace {
  readonly home: string;
  /** `**` for episodes; `step_#/train/all/traces.jsonl` and `step_#/**` where folders are steps. */
  readonly pattern: string;
}

/** True for a file that forms a run with those of other folders. */
export function isSpread({ recognition, stepFolder }: FoundFile): boolean {
  return recognition.holds === 'episode' || stepFolder !== undefined;
}

/** The run that a file belongs to. */
export function spreadPlace(file: FoundFile, root: string): SpreadPlace {
  const { path, stepFolder, recognition, step } = file;
  const isEpisode = recognition.holds === 'episode';
  if (stepFolder === undefined || stepFolder === root || !isBelow(stepFolder, root)) {
    if (isEpisode) return { home: episodeHome(path, root), pattern: episodePattern };
    return { home: root, pattern: sharedPath(relative(root, path)) };
  }
  const rest = isEpisode ? episodePattern : sharedPath(relative(stepFolder, path));
  return { home: dirname(stepFolder), pattern: `${sharedFolder(basename(stepFolder), step)}/${rest}` };
}

/** A folder's name with `#` for the step, and for the epoch that rLLM writes behind it. */
function sharedFolder(name: string, step: number | null): string {
  const shared = name.replace(/(?<=epoch[_=-]?)\d+/iu, '#');
  const digits = step === null ? null : stepDigits(shared, step);
  return digits ? `${shared.slice(0, digits.first)}#${shared.slice(digits.end)}` : shared;
}

/** A path below a step's folder; AReaL writes a file a task, named by its number. */
function sharedPath(path: string): string {
  return path
    .split(sep)
    .join('/')
    .replace(/(?<=^|\/)\d+(?=\.[^/]*$)/u, '*');
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
