/**
 * The models in a folder that a user picks: the folder of a model, one with several precisions or exports below it, or a
 * model's folder in a Hub cache. Looks at names and sizes only, at few folders and not deep: a home folder may be picked by
 * mistake. Leaves out what the names mean (protocol/modelFiles.ts) and the graphs (the replayer's look at the folder).
 */
import { readdir, stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import path from 'node:path';
import {
  defaultOf,
  modelsAmong,
  precisionOfFolder,
  type ListedFile,
  type ListedModel,
} from '../protocol/modelFiles.ts';

/** A model on this machine. */
export interface FoundModel extends Omit<ListedModel, 'folder' | 'files'> {
  /** Absolute path of the folder with its texts. */
  readonly folder: string;
  /** Absolute path of its decoder. */
  readonly file: string;
}

/** snapshots/<revision>/cpu_and_mobile/<export> of a Hub cache. */
const deepest = 5;
const mostFolders = 300;
/** Files that can be of a model. */
const needed = /\.(onnx|json|jinja|txt|model|data)$|\.onnx_data(_\d+)?$/;

/** The models in a folder and below it; empty where there is none. */
export async function modelsIn(folder: string): Promise<readonly FoundModel[]> {
  return found(await rootOf(folder), deepest);
}

/** The models of one folder itself; empty where it is gone. */
export async function modelsOf(folder: string): Promise<readonly FoundModel[]> {
  // A transformers.js export has its graphs one folder below.
  return (await found(folder, 1)).filter((model) => model.folder === folder);
}

/** The one that is taken where nobody chooses, as the replayer would; undefined for none. */
export function defaultModel(models: readonly FoundModel[]): FoundModel | undefined {
  const [first] = models;
  return defaultOf(
    models.filter((model) => model.folder === first?.folder),
    totalmem(),
  );
}

/** The name of a model's folder for people: in a Hub cache two levels up ("models--owner--name"). */
export function folderName(folder: string): string {
  const parts = folder.split(path.sep);
  const cache = parts.findLastIndex((part) => part.startsWith('models--'));
  const name = cache < 0 ? undefined : parts[cache]?.slice('models--'.length).replaceAll('--', '/');
  if (name === undefined || parts[cache + 1] !== 'snapshots') return path.basename(folder);
  return [name, ...parts.slice(cache + 3)].join('/');
}

/** Graphs may be picked by their own folder. */
async function rootOf(folder: string): Promise<string> {
  if (path.basename(folder) !== 'onnx') return folder;
  const above = path.dirname(folder);
  const isModel = await stat(path.join(above, 'config.json')).then(
    () => true,
    () => false,
  );
  return isModel ? above : folder;
}

async function found(folder: string, depth: number): Promise<readonly FoundModel[]> {
  const files: ListedFile[] = [];
  let folders = 0;
  const walk = async (below: string, left: number): Promise<void> => {
    folders += 1;
    const entries = await readdir(path.join(folder, below), { withFileTypes: true }).catch(() => []);
    const names = entries
      .filter((entry) => (entry.isFile() ? needed.test(entry.name) : !/^\.|^(blobs|node_modules)$/.test(entry.name)))
      .map(({ name }) => name);
    for (const name of names.sort()) {
      const at = below === '' ? name : `${below}/${name}`;
      // Files of a Hub cache are links.
      const one = await stat(path.join(folder, at)).catch(() => null);
      if (one?.isFile()) files.push({ path: at, sizeBytes: one.size });
      else if (one?.isDirectory() && left > 0 && folders < mostFolders) await walk(at, left - 1);
    }
  };
  await walk('', depth);
  return modelsAmong(files).map(({ files: own, folder: inside, ...model }) => {
    const place = path.join(folder, inside);
    // The listing's own folder has no name in it.
    const precision = model.precision ?? precisionOfFolder(path.basename(place));
    return { ...model, precision, folder: place, file: path.join(folder, own[0]?.path ?? '') };
  });
}
