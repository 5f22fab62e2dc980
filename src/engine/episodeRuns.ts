/**
 * Files that hold one episode each (ATIF, SWE-agent, …): all of one format below one folder are one run. Which folder that
 * is follows from where producers put them: `jobs/<job>/<trial>/agent/trajectory.json` belongs to <job>,
 * `<run>/<instance>/<instance>.traj` to <run>, a folder full of `x.traj` is a run itself. Pure. Owned by spreadRuns.ts.
 * Leaves out which files are episodes (Recognition.holds).
 */
import { basename, dirname, isAbsolute, relative, sep } from 'node:path';

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
