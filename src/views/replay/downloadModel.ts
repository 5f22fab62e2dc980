/**
 * Downloads a model from a Hub, on a click only: asks for the repository, lists its models with their sizes, and loads the
 * chosen one with progress; a cancelled download goes on the next time. Also removes downloaded models.
 * Leaves out the transfer itself (host/replayerHub.ts).
 */
import { totalmem } from 'node:os';
import * as vscode from 'vscode';
import { isAbort, messageOf, UserError } from '../../base/errors.ts';
import { sizeText } from '../../base/numberText.ts';
import { setting } from '../../host/config.ts';
import { withoutLinks } from '../../host/logText.ts';
import {
  downloadedModels,
  downloadModel,
  folderOfModel,
  listHubFiles,
  removeModel,
  type HubAddress,
  type HubMessages,
  type HubModel,
} from '../../host/replayerHub.ts';
import { defaultOf, modelsAmong } from '../../protocol/modelFiles.ts';
import { modelsChanged } from './modelChecks.ts';
import { hubName, modelStorage } from './modelSources.ts';
import { pickPrecision } from './pickPrecision.ts';

/** Asks for a repository and downloads a model of it; the model's id, or undefined where the user left. */
export async function downloadFromHub(context: vscode.ExtensionContext): Promise<string | undefined> {
  const { l10n } = vscode;
  const endpoint = setting('replay.hubEndpoint').replace(/\/+$/, '');
  const repository = await vscode.window.showInputBox({
    title: l10n.t('Download a Model'),
    prompt: l10n.t('Repository with an ONNX export of a text model, as owner/name, from {0}.', hubName(endpoint)),
    placeHolder: 'owner/name',
    ignoreFocusOut: true,
    validateInput: (text) =>
      /^[\w.-]+\/[\w.-]+$/.test(text.trim()) ? null : l10n.t('A repository is written as owner/name.'),
  });
  if (repository === undefined) return undefined;
  return downloadRepository(context, { endpoint, repository: repository.trim() });
}

/** The same for a repository that is known; one that broke off goes on where it stopped. */
export async function downloadRepository(
  context: vscode.ExtensionContext,
  from: HubAddress,
): Promise<string | undefined> {
  const model = await chooseModelOf(context, from);
  if (model === undefined) return undefined;
  const folder = folderOfModel(modelStorage(context), from.repository, model);
  try {
    return (await download(from, model, folder)) ? `downloaded:${folder}` : undefined;
  } finally {
    modelsChanged();
  }
}

/** Goes on with the download into a folder of ours that broke off. */
export async function resumeDownload(
  context: vscode.ExtensionContext,
  folder: string | null,
): Promise<string | undefined> {
  const begun = (await downloadedModels(modelStorage(context))).find((one) => one.folder === folder);
  if (begun === undefined) return undefined;
  const { endpoint, repository } = begun;
  return downloadRepository(context, { endpoint, repository });
}

async function chooseModelOf(context: vscode.ExtensionContext, from: HubAddress): Promise<HubModel | undefined> {
  const { l10n } = vscode;
  const location = { location: vscode.ProgressLocation.Notification, title: l10n.t('Asking the Hub for its files') };
  const files = await vscode.window.withProgress(location, () =>
    listHubFiles(from).catch((error: unknown) => failed(from, error)),
  );
  const models = modelsAmong(files);
  if (models.length === 0) {
    throw new UserError(
      l10n.t('{0} holds no ONNX model that can be replayed.', from.repository),
      l10n.t('Choose a repository with tokenizer.json and onnx/model.onnx, model.onnx or genai_config.json.'),
    );
  }
  const there = await downloadedModels(modelStorage(context));
  const [first] = models;
  return pickPrecision(models, {
    title: l10n.t('Download Which Model of {0}?', from.repository),
    standard: defaultOf(
      models.filter((model) => model.folder === first?.folder),
      totalmem(),
    ),
    // The one that was begun.
    last: models.find((model) =>
      there.some(
        ({ repository, inside, suffix, whole }) =>
          !whole && repository === from.repository && inside === model.folder && suffix === model.suffix,
      ),
    ),
    always: true,
  });
}

async function download(from: HubAddress, model: HubModel, folder: string): Promise<boolean> {
  const { l10n } = vscode;
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: l10n.t(
      'Downloading {0}',
      [from.repository, model.folder, model.graph].filter((part) => part !== '').join('/'),
    ),
    cancellable: true,
  };
  return vscode.window.withProgress(options, async (progress, token) => {
    const controller = new AbortController();
    token.onCancellationRequested(() => controller.abort());
    let reported = 0;
    try {
      await downloadModel({
        from,
        model,
        folder,
        messages: hubMessages(),
        signal: controller.signal,
        progress: (done, of) => {
          const percent = of === 0 ? 100 : Math.floor((done / of) * 100);
          if (percent <= reported) return;
          progress.report({
            increment: percent - reported,
            message: l10n.t('{0} of {1}', sizeText(done), sizeText(of)),
          });
          reported = percent;
        },
      });
      return true;
    } catch (error) {
      if (isAbort(error) || controller.signal.aborted) return false;
      return failed(from, error);
    }
  });
}

function hubMessages(): HubMessages {
  const { l10n } = vscode;
  return {
    wrongHash: (file) => ({
      message: l10n.t('{0} is not what the Hub says it is: its hash differs.', file),
      action: l10n.t('It was removed. Download it again.'),
    }),
    missing: (file) => ({
      message: l10n.t('The Hub has no {0} any more.', file),
      action: l10n.t('Choose the model again.'),
    }),
  };
}

function failed(from: HubAddress, error: unknown): never {
  if (error instanceof UserError) throw error;
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  throw new UserError(
    vscode.l10n.t('{0} could not be loaded from {1} ({2}).', from.repository, hubName(from.endpoint), messageOf(cause)),
    vscode.l10n.t('Check the name and the network; what was loaded is kept, and the download goes on from there.'),
  );
}

/** Asks which downloaded models to remove, and removes them. */
export async function removeDownloaded(context: vscode.ExtensionContext): Promise<void> {
  const { l10n } = vscode;
  const models = await downloadedModels(modelStorage(context));
  if (models.length === 0) {
    void vscode.window.showInformationMessage(withoutLinks(l10n.t('No model was downloaded.')));
    return;
  }
  const items = models.map(({ folder, repository, inside, suffix, sizeBytes, whole }) => ({
    label: `${repository}${inside === '' ? '' : `/${inside}`}${suffix}`,
    description: whole ? sizeText(sizeBytes) : l10n.t('{0}, not whole', sizeText(sizeBytes)),
    detail: folder,
    folder,
  }));
  const options = { title: l10n.t('Remove Downloaded Models'), canPickMany: true as const };
  const chosen = (await vscode.window.showQuickPick(items, options)) ?? [];
  for (const { folder } of chosen) await removeModel(folder);
  if (chosen.length > 0) modelsChanged();
}
