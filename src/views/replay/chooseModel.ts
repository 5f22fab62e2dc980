/**
 * Asks which model speaks: one that is there, a folder, a download, or the server of the settings. Gives the id of the
 * chosen model. Leaves out loading it.
 */
import * as vscode from 'vscode';
import { withoutIcons } from '../../host/logText.ts';
import { downloadFromHub } from './downloadModel.ts';
import { addFolder } from './modelFolders.ts';
import { knownModels } from './modelSources.ts';
import { modelDetail } from './modelWords.ts';

/** The chosen model's id; null for none, undefined where the user left. */
export async function chooseModel(
  context: vscode.ExtensionContext,
  asked: { readonly title: string; readonly current: string | null },
): Promise<string | null | undefined> {
  const { l10n } = vscode;
  const known = (await knownModels(context)).filter(({ state }) => state === 'there');
  const models = known.map((model) => ({
    label: model.id === asked.current ? `$(check) ${withoutIcons(model.name)}` : withoutIcons(model.name),
    description: withoutIcons(modelDetail(model)),
    take: () => Promise.resolve<string | null | undefined>(model.id),
  }));
  const more = [
    {
      label: l10n.t('$(folder-opened) A Folder with an ONNX Model…'),
      description: '',
      take: () => addFolder(context),
    },
    { label: l10n.t('$(cloud-download) Download from a Hub…'), description: '', take: () => downloadFromHub(context) },
    {
      label: l10n.t('$(server) A Server (OpenAI API)…'),
      description: l10n.t('its address is a setting'),
      take: async () => {
        await vscode.commands.executeCommand('workbench.action.openSettings', 'rolloutLens.replay.endpoint');
        return undefined;
      },
    },
    ...(asked.current === null
      ? []
      : [{ label: l10n.t('$(circle-slash) No Model'), description: '', take: () => Promise.resolve(null) }]),
  ];
  const items = [
    ...models,
    { label: '', description: '', kind: vscode.QuickPickItemKind.Separator, take: () => Promise.resolve(undefined) },
    ...more,
  ];
  const chosen = await vscode.window.showQuickPick(items, { title: asked.title, matchOnDescription: true });
  return chosen?.take();
}
