/**
 * The models that can be chosen: those that come with the extension, folders the user picked, downloaded ones and the
 * server of the settings; each under an id that a run remembers. Turns an id into what a replayer loads.
 * Leaves out choosing (chooseModel.ts) and downloading (downloadModel.ts).
 */
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import { sizeText } from '../../base/numberText.ts';
import { setting } from '../../host/config.ts';
import { cudaLibraries, installedCuda } from '../../host/replayerCuda.ts';
import { downloadedModels } from '../../host/replayerHub.ts';
import type { RunId } from '../../protocol/engine.ts';
import type { PlayerSide } from '../../protocol/player.ts';
import type { ModelChoice, ProviderName } from '../../protocol/replay.ts';

/** A model under its id: `bundled:hdpo`, `folder:/path`, `downloaded:/path`, `server`. */
export interface KnownModel {
  readonly id: string;
  readonly name: string;
  /** Where it is and how large. */
  readonly detail: string;
}

const foldersKey = 'replay.folders';
const runsKey = 'replay.models';
const mostFolders = 30;
const mostRuns = 200;

/** Folder of ours for everything of replays. */
export function replayStorage(context: vscode.ExtensionContext): string {
  return path.join(context.globalStorageUri.fsPath, 'replay');
}

/** Folder of ours for downloaded models. */
export function modelStorage(context: vscode.ExtensionContext): string {
  return path.join(replayStorage(context), 'models');
}

/** Folder of ours for CUDA's libraries. */
export function cudaStorage(context: vscode.ExtensionContext): string {
  return path.join(replayStorage(context), 'cuda');
}

function bundledFolder(context: vscode.ExtensionContext, name: string): string {
  return path.join(context.extensionPath, 'media', 'sample', 'checkpoints', name);
}

function bundledNames(): Readonly<Record<string, string>> {
  const { l10n } = vscode;
  return {
    hdpo: l10n.t('Policy after HDPO (bundled)'),
    grpo: l10n.t('Policy after GRPO (bundled)'),
    start: l10n.t('Policy at the start (bundled)'),
  };
}

/** The bundled model that fits a run best: the run's own policy where it is one of the sample. */
export function bundledFor(runName: string): string {
  return `bundled:${runName === 'grpo' ? 'grpo' : 'hdpo'}`;
}

/** All models that are there, bundled ones first. */
export async function knownModels(context: vscode.ExtensionContext): Promise<readonly KnownModel[]> {
  const { l10n } = vscode;
  const bundled = await Promise.all(
    Object.entries(bundledNames()).map(async ([name, title]) => {
      const { size } = await stat(path.join(bundledFolder(context, name), 'onnx', 'model.onnx'));
      return { id: `bundled:${name}`, name: title, detail: l10n.t('a toy policy of the sample, {0}', sizeText(size)) };
    }),
  ).catch(() => []);
  const downloaded = (await downloadedModels(modelStorage(context))).map(
    ({ folder, repository, suffix, sizeBytes }) => ({
      id: `downloaded:${folder}`,
      name: `${repository}${suffix}`,
      detail: l10n.t('downloaded, {0}', sizeText(sizeBytes)),
    }),
  );
  const folders = pickedFolders(context).map((folder) => ({
    id: `folder:${folder}`,
    name: path.basename(folder),
    detail: folder,
  }));
  const endpoint = setting('replay.endpoint');
  const server = { id: 'server', name: setting('replay.endpointModel') || endpoint, detail: endpoint };
  return [...bundled, ...folders, ...downloaded, ...(endpoint === '' ? [] : [server])];
}

function pickedFolders(context: vscode.ExtensionContext): readonly string[] {
  const value: unknown = context.globalState.get(foldersKey);
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

/** Remembers a folder and gives its id. */
export async function rememberFolder(context: vscode.ExtensionContext, folder: string): Promise<string> {
  const others = pickedFolders(context).filter((one) => one !== folder);
  await context.globalState.update(foldersKey, [folder, ...others].slice(0, mostFolders));
  return `folder:${folder}`;
}

/** What a run remembers: a model for each side, null where none was chosen. */
export function rememberedModel(context: vscode.ExtensionContext, run: RunId, side: PlayerSide): string | null {
  const all: unknown = context.workspaceState.get(runsKey);
  const own = isObject(all) ? all[run] : null;
  const id = isObject(own) ? own[side] : null;
  return typeof id === 'string' ? id : null;
}

/** Keeps the model of a side for a run. */
export async function rememberModel(
  context: vscode.ExtensionContext,
  run: RunId,
  chosen: Readonly<Partial<Record<PlayerSide, string | null>>>,
): Promise<void> {
  const all: unknown = context.workspaceState.get(runsKey);
  const known = isObject(all) ? all : {};
  const own = isObject(known[run]) ? known[run] : {};
  const others = Object.entries(known).filter(([id]) => id !== run);
  const next = Object.fromEntries([...others, [run, { ...own, ...chosen }]].slice(-mostRuns));
  await context.workspaceState.update(runsKey, next);
}

/** A model as a replayer loads it, with its name; UserError where it is gone. */
export async function choiceOf(
  context: vscode.ExtensionContext,
  id: string,
  provider: ProviderName | null,
): Promise<{ readonly name: string; readonly choice: ModelChoice }> {
  const { l10n } = vscode;
  const known = (await knownModels(context)).find((one) => one.id === id);
  const gone = (): never => {
    throw new UserError(l10n.t('The model that this run remembers is gone.'), l10n.t('Choose another model.'));
  };
  if (known === undefined) return gone();
  if (id === 'server') {
    return {
      name: known.name,
      choice: {
        kind: 'remote',
        endpoint: setting('replay.endpoint').replace(/\/+$/, ''),
        model: setting('replay.endpointModel'),
        tokenizerFolder: setting('replay.endpointTokenizer') || null,
        concurrency: setting('replay.endpointConcurrency'),
      },
    };
  }
  const separator = id.indexOf(':');
  const place = id.slice(separator + 1);
  const folder = id.startsWith('bundled:') ? bundledFolder(context, place) : place;
  if (!(await isFolder(folder))) return gone();
  const storage = replayStorage(context);
  await mkdir(storage, { recursive: true });
  const libraries = cudaLibraries(process.platform, process.arch);
  const megabytes = setting('replay.memoryBudgetMegabytes');
  const chunk = setting('replay.chunk');
  return {
    name: known.name,
    choice: {
      kind: 'local',
      folder,
      variant: null,
      provider: provider ?? providerOf(setting('replay.provider')),
      chunk: chunk > 0 ? Math.floor(chunk) : null,
      memoryBudget: megabytes > 0 ? megabytes * 1_000_000 : null,
      cudaFolder: libraries === null ? null : await installedCuda(cudaStorage(context), libraries),
      storage,
    },
  };
}

function providerOf(text: string): ProviderName | null {
  const all: readonly ProviderName[] = ['cpu', 'webgpu', 'cuda', 'dml', 'coreml'];
  return all.find((one) => one === text) ?? null;
}

async function isFolder(folder: string): Promise<boolean> {
  return stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
