/**
 * The folders with models that the user added: asked for, with the precision where a folder holds several (remembered by
 * folder), kept in the extension's own state, forgotten again.
 * Leaves out the other models (modelSources.ts) and what a folder holds (host/modelsInFolder.ts).
 */
import path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import { defaultModel, folderName, modelsIn } from '../../host/modelsInFolder.ts';
import { modelsChanged } from './modelChecks.ts';
import { pickPrecision } from './pickPrecision.ts';

/** A folder that was added. */
export interface AddedModel {
  /** `folder+_q4:/path`; `folder:/path` where the best precision is taken that is there. */
  readonly id: string;
  readonly name: string;
}

const foldersKey = 'replay.folders';
const lastKey = 'replay.precisions';
const mostFolders = 30;

/** The id of a folder's model in one precision. */
export function folderId(folder: string, variant: string | null): string {
  return variant === null ? `folder:${folder}` : `folder+${variant}:${folder}`;
}

/** The parts of an id; null for a server's. */
export function partsOfId(
  id: string,
): { readonly kind: string; readonly variant: string | null; readonly place: string } | null {
  const [, kind, variant, place] = /^(bundled|downloaded|folder)(?:\+(\w*))?:(.*)$/s.exec(id) ?? [];
  return kind === undefined || place === undefined ? null : { kind, variant: variant ?? null, place };
}

/** The folders, the latest first. */
export function addedModels(context: vscode.ExtensionContext): readonly AddedModel[] {
  const value: unknown = context.globalState.get(foldersKey);
  return (Array.isArray(value) ? value : []).flatMap((one: unknown) => {
    if (typeof one === 'string') return [{ id: folderId(one, null), name: folderName(one) }];
    return isObject(one) && typeof one['id'] === 'string' && typeof one['name'] === 'string'
      ? [{ id: one['id'], name: one['name'] }]
      : [];
  });
}

/** Asks for a folder, and for one of its models where there are several; the id, or undefined where the user left. */
export async function addFolder(context: vscode.ExtensionContext): Promise<string | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    canSelectFiles: false,
    canSelectFolders: true,
    openLabel: vscode.l10n.t('Choose Model'),
    title: vscode.l10n.t('Folder with tokenizer.json and an ONNX model'),
  });
  const folder = chosen?.[0]?.fsPath;
  return folder === undefined ? undefined : addModelOf(context, folder);
}

/** The same for a folder that is known. UserError where it holds no model. */
export async function addModelOf(context: vscode.ExtensionContext, folder: string): Promise<string | undefined> {
  const { l10n } = vscode;
  const models = await modelsIn(folder);
  if (models.length === 0) {
    throw new UserError(
      l10n.t('{0} holds no ONNX model that can be replayed.', folder),
      l10n.t('Choose a folder with tokenizer.json and onnx/model.onnx, model.onnx or genai_config.json.'),
    );
  }
  const all: unknown = context.globalState.get(lastKey);
  const lastId = isObject(all) ? all[folder] : undefined;
  const shown = models.map((model) => ({ ...model, folder: path.relative(folder, model.folder), at: model.folder }));
  const idOf = ({ at, suffix }: (typeof shown)[number]): string => folderId(at, suffix);
  const standard = defaultModel(models);
  const picked = await pickPrecision(shown, {
    title: l10n.t('Which Model of {0}?', folderName(folder)),
    standard: shown.find(({ file }) => file === standard?.file),
    last: shown.find((model) => idOf(model) === lastId),
  });
  if (picked === undefined) return undefined;
  const id = idOf(picked);
  const name = [folderName(folder), ...(picked.folder.startsWith('..') ? [] : [picked.folder])]
    .filter((part) => part !== '')
    .join('/');
  await keep(context, [
    { id, name: `${name}${picked.suffix}` },
    ...addedModels(context).filter((one) => one.id !== id),
  ]);
  const others = isObject(all) ? Object.entries(all).filter(([own]) => own !== folder) : [];
  await context.globalState.update(lastKey, Object.fromEntries([...others.slice(-mostFolders), [folder, id]]));
  return id;
}

/** Takes a folder off the list; its files stay. Gives what puts it back where it was. */
export async function forgetFolder(context: vscode.ExtensionContext, id: string): Promise<() => Promise<void>> {
  const before = addedModels(context);
  await keep(
    context,
    before.filter((one) => one.id !== id),
  );
  return async () => {
    const now = addedModels(context);
    const at = before.findIndex((one) => one.id === id);
    const own = before.slice(at, at + 1).filter(() => !now.some((one) => one.id === id));
    await keep(context, [...now.slice(0, at), ...own, ...now.slice(at)]);
  };
}

async function keep(context: vscode.ExtensionContext, models: readonly AddedModel[]): Promise<void> {
  await context.globalState.update(foldersKey, models.slice(0, mostFolders));
  modelsChanged();
}
