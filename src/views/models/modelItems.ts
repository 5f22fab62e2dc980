/**
 * How a row of "Models" looks: VS Code's tree item with icon, tooltip, the words that its menus look for, and the command
 * of a click. Leaves out the texts (modelTexts.ts).
 */
import * as vscode from 'vscode';
import type { KnownModel } from '../../host/replayModels.ts';
import { modelTexts } from './modelTexts.ts';

/** One row: a model, or what adds one. */
export type ModelNode =
  | { readonly kind: 'model'; readonly model: KnownModel }
  | { readonly kind: 'addFolder' }
  | { readonly kind: 'download' };

/** The item of a row. */
export function modelItem(node: ModelNode): vscode.TreeItem {
  const { l10n } = vscode;
  switch (node.kind) {
    case 'model':
      return itemOf(node.model);
    case 'addFolder':
      return actionItem('add', l10n.t('Add a folder…'), 'rolloutLens.addModelFolder');
    case 'download':
      return actionItem('cloud-download', l10n.t('Download…'), 'rolloutLens.downloadModel');
  }
}

function itemOf(model: KnownModel): vscode.TreeItem {
  const texts = modelTexts(model, vscode.l10n);
  const item = new vscode.TreeItem(texts.label);
  item.id = model.id;
  item.description = texts.description;
  item.accessibilityInformation = { label: texts.spoken };
  item.contextValue = wordsOf(model).join(' ');
  item.iconPath = new vscode.ThemeIcon(...iconOf(model));
  item.tooltip = tooltipOf(texts.tooltip);
  if (model.state === 'partial') {
    const title = vscode.l10n.t('Resume Model Download…');
    item.command = { command: 'rolloutLens.resumeModelDownload', title, arguments: [node(model)] };
  }
  return item;
}

/** Word by word: spaces that appendText writes never break a line, and sentences here are long. */
function tooltipOf(lines: readonly string[]): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString();
  for (const line of lines) {
    for (const word of line.split(' ')) tooltip.appendText(word).appendMarkdown(' ');
    tooltip.appendMarkdown('\n\n');
  }
  return tooltip;
}

function node(model: KnownModel): ModelNode {
  return { kind: 'model', model };
}

function actionItem(icon: string, label: string, command: string): vscode.TreeItem {
  const item = new vscode.TreeItem(label);
  item.id = command;
  item.iconPath = new vscode.ThemeIcon(icon);
  item.command = { command, title: label };
  return item;
}

/** What the menus look for in viewItem. */
function wordsOf({ kind, state, folder, others }: KnownModel): readonly string[] {
  return [
    ...(folder !== null && state !== 'gone' ? ['revealable'] : []),
    ...(folder !== null && state === 'there' ? ['checkable'] : []),
    ...(kind === 'folder' && others > 0 ? ['severalPrecisions'] : []),
    ...(state === 'partial' ? ['partialDownload'] : []),
    ...(kind === 'folder' || kind === 'downloaded' ? ['removable'] : []),
  ];
}

function iconOf({ kind, state, check }: KnownModel): [id: string, colour?: vscode.ThemeColor] {
  if (state === 'partial') return ['debug-pause'];
  const verdict = check?.selfTest?.verdict;
  if (state === 'gone' || verdict === 'different') return ['warning', new vscode.ThemeColor('charts.yellow')];
  if (verdict === 'same') return ['pass', new vscode.ThemeColor('charts.green')];
  return [{ bundled: 'package', folder: 'folder', downloaded: 'cloud', server: 'server' }[kind]];
}
