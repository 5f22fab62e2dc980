/**
 * Takes a model off the list: a folder is forgotten (its files stay; undo puts it back), a download's files are removed after
 * a confirmation. Leaves out the bundled ones, which stay.
 */
import * as vscode from 'vscode';
import { messageOf, UserError } from '../../base/errors.ts';
import { sizeText } from '../../base/numberText.ts';
import { withoutLinks } from '../../host/logText.ts';
import { removeModel as removeFiles } from '../../host/replayerHub.ts';
import type { KnownModel } from '../../host/replayModels.ts';
import { modelsChanged } from './modelChecks.ts';
import { forgetFolder } from './modelFolders.ts';

/** Removes a model; nothing happens where the user does not confirm. */
export async function removeModel(context: vscode.ExtensionContext, model: KnownModel): Promise<void> {
  switch (model.kind) {
    case 'folder':
      return forget(context, model);
    case 'downloaded':
      return removeDownload(model);
    case 'bundled':
    case 'server':
      throw new UserError(
        vscode.l10n.t('{0} cannot be removed.', model.name),
        model.kind === 'server'
          ? vscode.l10n.t('Clear the setting rolloutLens.replay.endpoint instead.')
          : vscode.l10n.t('It comes with the extension.'),
      );
  }
}

async function forget(context: vscode.ExtensionContext, { id, name }: KnownModel): Promise<void> {
  const { l10n } = vscode;
  const putBack = await forgetFolder(context, id);
  const undo = l10n.t('Undo');
  const said = l10n.t('{0} is no longer listed; its files stay where they are.', name);
  void vscode.window.showInformationMessage(withoutLinks(said), undo).then((chosen) => {
    if (chosen === undo) return putBack();
    return undefined;
  });
}

async function removeDownload({ name, folder, sizeBytes }: KnownModel): Promise<void> {
  const { l10n } = vscode;
  if (folder === null) return;
  const remove = l10n.t('Remove');
  const question = l10n.t('Remove {0} and its files?', name);
  const detail = [sizeBytes === null ? '' : sizeText(sizeBytes), folder].filter((line) => line !== '').join('\n');
  const agreed = await vscode.window.showWarningMessage(withoutLinks(question), { modal: true, detail }, remove);
  if (agreed !== remove) return;
  try {
    await removeFiles(folder);
  } catch (error) {
    // On Windows files cannot be removed while a process has them open.
    throw new UserError(
      l10n.t('{0} could not be removed ({1}).', name, messageOf(error)),
      l10n.t('Close the replays that use it, and try again.'),
    );
  } finally {
    modelsChanged();
  }
}
