/**
 * Runs whose files hold one episode each (ATIF, SWE-agent, …): all of one format below one folder are one run. Which
 * folder that is follows from where producers put them: `jobs/<job>/<trial>/agent/trajectory.json` belongs to <job>,
 * `<run>/<instance>/<instance>.traj` to <run>, a folder full of `x.traj` is a run itself. Pure but for real paths.
 * Owned by discovery. Leaves out which files are episodes (Recognition.holds).
 */
import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, relative, sep } from 'node:path';
import { compareFiles, runIdOf, type FoundFile, type FoundRun } from './foundRun.ts';

/** A file of one episode, and the folder the user opened, above which no run goes. */
export interface FoundEpisode {
  readonly file: FoundFile;
  readonly root: string;
}

/** Pattern of a run of episodes: files of any name in any folder below. */
export const episodePattern = '**';

/** Folders that producers put an episode's logs into, below the folder of the episode. */
const insideFolders: ReadonlySet<string> = new Set(['agent', 'logs', 'events', 'output']);
/** Names that tell nothing of the episode. */
const genericStems: ReadonlySet<string> = new Set(['trajectory', 'output', 'result', 'metadata']);

/** The folder whose run an episode belongs to, never above `root`. */
export function episodeHome(path: string, root: string): string {
  let folder = dirname(path);
  const up = (): void => {
    if (folder !== root && isBelow(folder, root)) folder = dirname(folder);
  };
  // OpenHands: `<conversations>/<id>/events/event-00000-….json`, one folder an episode.
  const isEvent = basename(folder).toLowerCase() === 'events' && /^(event-)?0+\b/u.test(basename(path));
  if (insideFolders.has(basename(folder).toLowerCase())) up();
  if (isEvent) up();
  const stem = stemOf(basename(path));
  if (genericStems.has(stem.toLowerCase()) || stem === basename(folder)) up();
  return folder;
}

/** A file name without its kind: `a.traj`, `a.trajectory.json`, `a_atif.json` and `a.traj.json.gz` are all `a`. */
function stemOf(name: string): string {
  const stem = name.replace(/\.(gz|zst)$/iu, '').replace(/(?<=.)\.[^.]+$/u, '');
  return stem.replace(/(?<=.)([._-](traj|trajectory|atif))+$/iu, '');
}

/** True if a path is the folder or lies in it, at any depth. */
export function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** The runs that episodes form. */
export async function episodeRuns(episodes: readonly FoundEpisode[]): Promise<readonly FoundRun[]> {
  const homes = new Map<string, { readonly home: string; readonly root: string; readonly files: FoundFile[] }>();
  for (const { file, root } of episodes) {
    const home = episodeHome(file.path, root);
    const key = `${file.recognition.format}\0${home}`;
    const one = homes.get(key) ?? { home, root, files: [] };
    one.files.push(file);
    homes.set(key, one);
  }
  const names = [...homes.values()].map(({ home }) => home);
  const runs: FoundRun[] = [];
  for (const { home, root, files } of homes.values()) {
    const [first] = files;
    if (!first) continue;
    const { format, producer } = first.recognition;
    const real = await realpath(home).catch(() => home);
    const several = names.filter((one) => one === home).length > 1;
    runs.push({
      id: runIdOf(real, `${format} ${episodePattern}`),
      name: several ? `${basename(real)} (${producer})` : basename(real),
      path: home,
      folder: home,
      pattern: episodePattern,
      format,
      producer,
      files: files.sort(compareFiles),
      root,
    });
  }
  return runs;
}

/** A run with what was found anew in one folder: files of it elsewhere stay as they were. */
export function withFolder(run: FoundRun, folder: string, episodes: readonly FoundFile[]): FoundRun {
  const { root } = run;
  if (root === undefined) return run;
  const elsewhere = run.files.filter(({ path }) => dirname(path) !== folder);
  const here = episodes.filter(
    ({ path, recognition }) => recognition.format === run.format && episodeHome(path, root) === run.folder,
  );
  return { ...run, files: [...elsewhere, ...here].sort(compareFiles) };
}
