/**
 * Asks which of several models that lie together: precisions of one model, or exports for several machines; each with its
 * size, the one that would be taken by itself marked, and the one that was taken last time first.
 * Leaves out where they lie (a folder or a repository).
 */
import * as vscode from 'vscode';
import { sizeText } from '../../base/numberText.ts';
import { withoutIcons } from '../../host/logText.ts';
import type { ListedModel } from '../../protocol/modelFiles.ts';

/** How the question is put. */
export interface PrecisionQuestion<Model> {
  readonly title: string;
  readonly standard: Model | undefined;
  /** What was taken last time. */
  readonly last: Model | undefined;
  /** True: asked even where there is one only (its size is to be seen before a download). */
  readonly always?: boolean;
}

/** What is shown of a model. */
export type PickedModel = Pick<ListedModel, 'folder' | 'suffix' | 'graph' | 'precision' | 'sizeBytes'>;

/** The chosen one; undefined where the user left. */
export async function pickPrecision<Model extends PickedModel>(
  models: readonly Model[],
  { title, standard, last, always = false }: PrecisionQuestion<Model>,
): Promise<Model | undefined> {
  const { l10n } = vscode;
  const [only, second] = models;
  if (second === undefined && !always) return only;
  const folders = new Set(models.map(({ folder }) => folder));
  const items = models.map((model) => {
    const words = [
      sizeText(model.sizeBytes),
      ...(model === standard ? [l10n.t('default')] : []),
      ...(model === last ? [l10n.t('chosen last time')] : []),
    ];
    const item = { label: withoutIcons(model.precision ?? model.graph), description: words.join(' · '), model };
    const place = folders.size > 1 && model.folder !== '' ? `${model.folder}/${model.graph}` : model.graph;
    return { ...item, detail: withoutIcons(place) };
  });
  const first = last ?? standard;
  const ordered = [...items.filter(({ model }) => model === first), ...items.filter(({ model }) => model !== first)];
  const options = { title, ignoreFocusOut: true, matchOnDescription: true, matchOnDetail: true };
  return (await vscode.window.showQuickPick(ordered, options))?.model;
}
