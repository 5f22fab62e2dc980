/**
 * How a row of "Redundant Calls" looks: VS Code's tree item with icon, theme colours, tooltip and the command of a click.
 * Text of logs enters tooltips by appendText only. Leaves out the texts (patternTexts.ts).
 */
import * as vscode from 'vscode';
import type { Session } from '../../host/session.ts';
import { runColours } from '../../protocol/runColours.ts';
import type { RulePrecision } from '../../protocol/flags.ts';
import { offenderTexts, patternTexts, runTexts, type RowTexts } from './patternTexts.ts';
import type { RedundantNode } from './redundantTree.ts';

/** The item of a row. */
export function redundantItem(
  node: RedundantNode,
  session: Session,
  precision: ReadonlyMap<string, RulePrecision>,
): vscode.TreeItem {
  const { Collapsed, Expanded, None } = vscode.TreeItemCollapsibleState;
  const texts = textsOf(node, precision);
  const state = {
    run: node.kind === 'run' && node.first ? Expanded : Collapsed,
    offenders: Collapsed,
    pattern: None,
    rollout: None,
  };
  const item = new vscode.TreeItem(texts.label, state[node.kind]);
  item.id = node.id;
  item.description = texts.description;
  item.accessibilityInformation = { label: texts.spoken };
  item.contextValue = node.kind;
  const icon = iconOf(node, session);
  if (icon !== null) item.iconPath = icon;
  item.tooltip = tooltipOf(texts.tooltip);
  if (node.kind === 'pattern') {
    const { tool, rule } = node.pattern;
    item.command = {
      command: 'rolloutLens.showPattern',
      title: vscode.l10n.t('Show Rollouts of Pattern'),
      arguments: [{ run: node.run.id, tool, rule }],
    };
  }
  if (node.kind === 'rollout') {
    item.command = {
      command: 'rolloutLens.openTrajectory',
      title: vscode.l10n.t('Open Trajectory'),
      arguments: [node.row.ref],
    };
  }
  return item;
}

function textsOf(node: RedundantNode, precision: ReadonlyMap<string, RulePrecision>): RowTexts {
  const { l10n } = vscode;
  const { hasSteps } = node.run;
  switch (node.kind) {
    case 'run':
      return runTexts(node.run, node.overview, l10n);
    case 'pattern':
      return patternTexts(node.pattern, { hasSteps, precision: precision.get(node.pattern.rule) ?? null, l10n });
    case 'offenders': {
      const label = l10n.t('Worst offenders');
      const description = l10n.t('most wasted time first');
      return { label, description, spoken: `${label}, ${description}`, tooltip: [label, description] };
    }
    case 'rollout':
      return offenderTexts(node.row, { hasSteps, l10n });
  }
}

function iconOf(node: RedundantNode, session: Session): vscode.ThemeIcon | null {
  switch (node.kind) {
    case 'run': {
      const colour = runColours[session.colourOf(node.run.id) % runColours.length] ?? 'foreground';
      return new vscode.ThemeIcon('circle-filled', new vscode.ThemeColor(colour));
    }
    case 'pattern':
      return new vscode.ThemeIcon('warning', new vscode.ThemeColor('charts.yellow'));
    case 'offenders':
      return new vscode.ThemeIcon('watch');
    case 'rollout':
      return null;
  }
}

function tooltipOf(lines: readonly string[]): vscode.MarkdownString {
  const result = new vscode.MarkdownString();
  for (const line of lines) result.appendText(line).appendMarkdown('\n\n');
  return result;
}
