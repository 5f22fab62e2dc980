/**
 * Downloads a model from a Hub, on a click only: asks for the repository, lists its models with their sizes, and loads the
 * chosen one with progress; a cancelled download goes on the next time. Also removes downloaded models.
 * Leaves out the transfer itself (host/replayerHub.ts).
 */
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
  variantsOf,
  type HubAddress,
  type HubMessages,
  type ModelVariant,
} from '../../host/replayerHub.ts';
import { modelStorage } from './modelSources.ts';

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
  const from = { endpoint, repository: repository.trim() };
  const variant = await chooseVariant(from);
  if (variant === undefined) return undefined;
  const folder = folderOfModel(modelStorage(context), from.repository, variant.suffix);
  const done = await download(from, variant, folder);
  return done ? `downloaded:${folder}` : undefined;
}

function hubName(endpoint: string): string {
  return endpoint === '' ? 'huggingface.co' : endpoint;
}

async function chooseVariant(from: HubAddress): Promise<ModelVariant | undefined> {
  const { l10n } = vscode;
  const location = { location: vscode.ProgressLocation.Notification, title: l10n.t('Asking the Hub for its files') };
  const files = await vscode.window.withProgress(location, () =>
    listHubFiles(from).catch((error: unknown) => failed(from, error)),
  );
  const variants = variantsOf(files);
  if (variants.length === 0) {
    throw new UserError(
      l10n.t('{0} holds no ONNX model that can be replayed.', from.repository),
      l10n.t('Choose a repository with onnx/model.onnx and tokenizer.json.'),
    );
  }
  const items = variants.map((variant) => ({
    label: `model${variant.suffix}.onnx`,
    description: sizeText(variant.sizeBytes),
    detail: l10n.t('{0} files from {1}', variant.files.length, hubName(from.endpoint)),
    variant,
  }));
  const options = { title: l10n.t('Download Which Model of {0}?', from.repository), ignoreFocusOut: true };
  return (await vscode.window.showQuickPick(items, options))?.variant;
}

async function download(from: HubAddress, variant: ModelVariant, folder: string): Promise<boolean> {
  const { l10n } = vscode;
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: l10n.t('Downloading {0}', `${from.repository}${variant.suffix}`),
    cancellable: true,
  };
  return vscode.window.withProgress(options, async (progress, token) => {
    const controller = new AbortController();
    token.onCancellationRequested(() => controller.abort());
    let reported = 0;
    try {
      await downloadModel({
        from,
        variant,
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
  const items = models.map(({ folder, repository, suffix, sizeBytes }) => ({
    label: `${repository}${suffix}`,
    description: sizeText(sizeBytes),
    detail: folder,
    folder,
  }));
  const options = { title: l10n.t('Remove Downloaded Models'), canPickMany: true as const };
  const chosen = (await vscode.window.showQuickPick(items, options)) ?? [];
  for (const { folder } of chosen) await removeModel(folder);
}
