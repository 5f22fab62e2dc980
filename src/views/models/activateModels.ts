/**
 * The "Models" view: the models that can speak for a policy, what was learnt of each on this machine, and what adds, checks
 * and removes them. Its commands take a row, or ask which model. Asked while it is visible and when models change.
 * Leaves out the rows (modelItems.ts) and what the commands do (the replay view's, through host/replayModels.ts).
 */
import * as vscode from 'vscode';
import { isObject } from '../../base/json.ts';
import { UserError } from '../../base/errors.ts';
import type { CommandTable } from '../../host/commandTable.ts';
import { onSettingChange } from '../../host/config.ts';
import { withoutIcons, withoutLinks } from '../../host/logText.ts';
import type { KnownModel, ReplayModels } from '../../host/replayModels.ts';
import type { Session } from '../../host/session.ts';
import { modelItem, type ModelNode } from './modelItems.ts';
import { modelTexts } from './modelTexts.ts';

/** Id of the view, as the manifest has it. */
const viewId = 'rolloutLens.models';

/** What an empty view says. */
export type ModelsWelcome = 'none' | 'rows';

/** Opens the view; it looks at no folder before it is visible. */
export function activateModels(context: vscode.ExtensionContext, session: Session, models: ReplayModels): void {
  const changed = new vscode.EventEmitter<undefined>();
  let stale = false;
  const provider: vscode.TreeDataProvider<ModelNode> = {
    onDidChangeTreeData: changed.event,
    getTreeItem: modelItem,
    getChildren: async (node) => {
      if (node !== undefined) return [];
      const known = await models.known().catch((error: unknown) => {
        session.log.warn(`models: ${String(error)}`);
        return [];
      });
      const welcome: ModelsWelcome = known.length === 0 ? 'none' : 'rows';
      void vscode.commands.executeCommand('setContext', 'rolloutLens.modelsWelcome', welcome);
      // The welcome has these two as links, and only a view without rows shows it.
      if (welcome === 'none') return [];
      return [
        ...known.map((model) => ({ kind: 'model', model }) as const),
        { kind: 'addFolder' },
        { kind: 'download' },
      ];
    },
  };
  const view = vscode.window.createTreeView(viewId, { treeDataProvider: provider });
  const refresh = () => {
    stale = !view.visible;
    if (view.visible) changed.fire(undefined);
  };
  context.subscriptions.push(
    view,
    changed,
    models.onDidChange(refresh),
    onSettingChange(['replay.endpoint', 'replay.endpointModel'], refresh),
    view.onDidChangeVisibility(() => {
      if (view.visible && stale) refresh();
    }),
    // Another window, or the user, may have changed folders: they are looked at again with the window.
    vscode.window.onDidChangeWindowState(({ focused }) => {
      if (focused) refresh();
    }),
  );
}

/** What the commands of the view work with. */
export interface ModelsDependencies {
  readonly models: ReplayModels;
}

/** The commands of the view. */
export function modelsCommands({ models }: ModelsDependencies): CommandTable {
  const { l10n } = vscode;
  /** Runs a command for the row it was given, or for a model that the user picks among those it fits. */
  const forModel =
    (fits: (model: KnownModel) => boolean, title: string, run: (model: KnownModel) => Promise<unknown>) =>
    async (target: unknown): Promise<void> => {
      const model = (await modelOf(models, target)) ?? (await pickModel(models, fits, title));
      if (model !== undefined) await run(model);
    };
  const isLocal = ({ folder, state }: KnownModel): boolean => folder !== null && state === 'there';
  return {
    'rolloutLens.addModelFolder': () => models.addFolder(),
    'rolloutLens.downloadModel': () => models.download(),
    'rolloutLens.checkModel': forModel(isLocal, l10n.t('Check Which Model?'), (model) => models.check(model)),
    'rolloutLens.revealModel': forModel(isLocal, l10n.t('Reveal Which Model?'), reveal),
    'rolloutLens.addModelPrecision': forModel(
      ({ kind, others }) => kind === 'folder' && others > 0,
      l10n.t('Add a Precision of Which Model?'),
      (model) => models.addPrecision(model),
    ),
    'rolloutLens.resumeModelDownload': forModel(
      ({ state }) => state === 'partial',
      l10n.t('Resume Which Download?'),
      (model) => models.resume(model),
    ),
    'rolloutLens.removeModel': forModel(
      ({ kind }) => kind === 'folder' || kind === 'downloaded',
      l10n.t('Remove Which Model?'),
      (model) => models.remove(model),
    ),
  };
}

/** The model of a row as it is now; undefined where the command was run without one. */
async function modelOf(models: ReplayModels, target: unknown): Promise<KnownModel | undefined> {
  if (!isObject(target) || !isObject(target['model'])) return undefined;
  const { id } = target['model'];
  const known = (await models.known()).find((model) => model.id === id);
  if (known === undefined) throw new UserError(vscode.l10n.t('This model is not listed any more.'));
  return known;
}

async function pickModel(
  models: ReplayModels,
  fits: (model: KnownModel) => boolean,
  title: string,
): Promise<KnownModel | undefined> {
  const fitting = (await models.known()).filter(fits);
  if (fitting.length === 0) {
    throw new UserError(
      vscode.l10n.t('There is no model that this can be done with.'),
      vscode.l10n.t('Add one with "Add Model Folder…" or "Download Model…".'),
    );
  }
  const items = fitting.map((model) => {
    const { label, description } = modelTexts(model, vscode.l10n);
    return { label: withoutIcons(label), description: withoutIcons(description), detail: model.folder ?? '', model };
  });
  return (await vscode.window.showQuickPick(items, { title, matchOnDescription: true, matchOnDetail: true }))?.model;
}

/** In the explorer where it is part of the workspace, else in the system's own; where that is another machine, its path. */
async function reveal({ file, folder }: KnownModel): Promise<void> {
  const place = file ?? folder;
  if (place === null) return;
  const uri = vscode.Uri.file(place);
  if (vscode.workspace.getWorkspaceFolder(uri) !== undefined) {
    await vscode.commands.executeCommand('revealInExplorer', uri);
    return;
  }
  if (vscode.env.remoteName === undefined && vscode.env.uiKind === vscode.UIKind.Desktop) {
    await vscode.commands.executeCommand('revealFileInOS', uri);
    return;
  }
  const copy = vscode.l10n.t('Copy Path');
  if ((await vscode.window.showInformationMessage(withoutLinks(place), copy)) === copy) {
    await vscode.env.clipboard.writeText(place);
  }
}
