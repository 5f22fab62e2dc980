/**
 * The models that can be chosen: those that come with the extension, folders the user picked, downloaded ones and the
 * server of the settings; each under an id that a run remembers. Turns an id into what a replayer loads.
 * Leaves out choosing (chooseModel.ts), folders (modelFolders.ts) and downloading (downloadModel.ts).
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import { setting } from '../../host/config.ts';
import { defaultModel, modelsOf } from '../../host/modelsInFolder.ts';
import type { KnownModel } from '../../host/replayModels.ts';
import { cudaLibraries, installedCuda } from '../../host/replayerCuda.ts';
import { downloadedModels, type DownloadedModel } from '../../host/replayerHub.ts';
import type { RunId } from '../../protocol/engine.ts';
import type { PlayerSide } from '../../protocol/player.ts';
import type { ModelChoice, ProviderName } from '../../protocol/replay.ts';
import { checkOf } from './modelChecks.ts';
import { addedModels, partsOfId, type AddedModel } from './modelFolders.ts';

const runsKey = 'replay.models';
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

function bundledLabels(): Readonly<Record<string, string>> {
  const { l10n } = vscode;
  return {
    hdpo: l10n.t('Policy after HDPO'),
    grpo: l10n.t('Policy after GRPO'),
    start: l10n.t('Policy at the start'),
  };
}

/** The bundled model that fits a run best: the run's own policy where it is one of the sample. */
export function bundledFor(runName: string): string {
  return `bundled:${runName === 'grpo' ? 'grpo' : 'hdpo'}`;
}

/** All models that are known, bundled ones first. */
export async function knownModels(context: vscode.ExtensionContext): Promise<readonly KnownModel[]> {
  const bundled = Object.entries(bundledLabels()).map(([name, label]) => bundledModel(context, name, label));
  const added = addedModels(context).map((one) => addedModel(context, one));
  const downloads = (await downloadedModels(modelStorage(context))).map((one) => downloaded(context, one));
  // A build without local models has no bundled ones.
  const there = (await Promise.all(bundled)).filter(({ state }) => state === 'there');
  const models = [...there, ...(await Promise.all([...added, ...downloads]))];
  const endpoint = setting('replay.endpoint');
  return endpoint === '' ? models : [...models, serverModel(endpoint)];
}

async function bundledModel(context: vscode.ExtensionContext, name: string, label: string): Promise<KnownModel> {
  const folder = bundledFolder(context, name);
  const { l10n } = vscode;
  const names = { name: l10n.t('{0} (bundled)', label), label, from: l10n.t('the sample') };
  return { id: `bundled:${name}`, kind: 'bundled', ...names, ...(await lying(context, { folder, variant: null })) };
}

async function addedModel(context: vscode.ExtensionContext, { id, name }: AddedModel): Promise<KnownModel> {
  const parts = partsOfId(id);
  const folder = parts?.place ?? id;
  const place = await lying(context, { folder, variant: parts?.variant ?? null });
  return { id, kind: 'folder', name, label: name, from: folder, ...place };
}

async function downloaded(context: vscode.ExtensionContext, model: DownloadedModel): Promise<KnownModel> {
  const { folder, repository, inside, suffix, precision, endpoint, sizeBytes, whole } = model;
  const name = `${repository}${inside === '' ? '' : `/${inside}`}${suffix}`;
  const place = await lying(context, { folder, variant: null });
  return {
    id: `downloaded:${folder}`,
    kind: 'downloaded',
    name,
    label: name,
    from: `${repository}, ${hubName(endpoint)}`,
    ...place,
    precision: place.check?.precision ?? precision ?? place.precision,
    ...(!whole && { state: 'partial', sizeBytes }),
  };
}

function serverModel(endpoint: string): KnownModel {
  const unknown = { state: 'there', folder: null, file: null, sizeBytes: null, precision: null, check: null } as const;
  const name = setting('replay.endpointModel') || endpoint;
  return { id: 'server', kind: 'server', name, label: name, from: endpoint, ...unknown, others: 0 };
}

/** What of a model lies on this machine, and what was learnt of it. */
async function lying(
  context: vscode.ExtensionContext,
  { folder, variant }: { readonly folder: string; readonly variant: string | null },
): Promise<Pick<KnownModel, 'state' | 'folder' | 'file' | 'sizeBytes' | 'precision' | 'check' | 'others'>> {
  const models = await modelsOf(folder);
  const model = variant === null ? defaultModel(models) : models.find(({ suffix }) => suffix === variant);
  if (model === undefined) {
    return { state: 'gone', folder, file: null, sizeBytes: null, precision: null, check: null, others: models.length };
  }
  const { file, sizeBytes } = model;
  const check = await checkOf(context, { folder, variant }, file);
  const precision = check?.precision ?? model.precision;
  return { state: 'there', folder, file, sizeBytes, precision, check, others: models.length - 1 };
}

/** A Hub as people name it. */
export function hubName(endpoint: string): string {
  return endpoint === '' ? 'huggingface.co' : endpoint;
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
  const { folder } = known;
  if (folder === null || known.state === 'gone') return gone();
  if (known.state === 'partial') {
    throw new UserError(
      l10n.t('{0} is not downloaded whole.', known.name),
      l10n.t('Go on with it in the view Models.'),
    );
  }
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
      variant: partsOfId(id)?.variant ?? null,
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
