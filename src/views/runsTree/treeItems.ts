/**
 * How a node looks: VS Code's tree item with icon, colours of the theme, context value and the command of a click, and
 * its tooltip, made when it is first hovered. Log text enters by appendText and appendCodeblock only.
 * Leaves out the texts themselves (labels.ts, tooltips.ts).
 */
import * as vscode from 'vscode';
import { isAbort, messageOf } from '../../base/errors.ts';
import { runColours } from '../../protocol/runColours.ts';
import type { RolloutRow, RunSummary } from '../../protocol/engine.ts';
import type { Session } from '../../host/session.ts';
import {
  groupTexts,
  isUnrewarded,
  pageTexts,
  rolloutTexts,
  runTexts,
  stepRangeTexts,
  stepTexts,
  type NodeTexts,
  type Rewards,
  type RolloutPlace,
} from './labels.ts';
import type { NodeContent, TreeNode } from './nodes.ts';
import { badgeResource } from './rolloutBadges.ts';
import { doctorBlocks, groupTooltip, rolloutTooltip, runTooltip, stepTooltip, type TooltipBlock } from './tooltips.ts';

/** The reader whose fields are guessed or mapped by the user. */
const genericFormat = 'generic';

const { Collapsed, None } = vscode.TreeItemCollapsibleState;

/** The item of a node, without its tooltip. */
export function treeItem(node: TreeNode, session: Session): vscode.TreeItem {
  const { content } = node;
  const { label, description, spoken } = textsOf(content, session, rewardsOf(node, session));
  const item = new vscode.TreeItem(label, content.kind === 'rollout' ? None : Collapsed);
  item.id = node.id;
  item.description = description;
  item.accessibilityInformation = { label: spoken };
  item.contextValue = contextValue(content);
  const icon = iconOf(content, session);
  if (icon !== null) item.iconPath = icon;
  if (content.kind === 'rollout') {
    const resource = badgeResource(content.row);
    if (resource !== null) item.resourceUri = resource;
    item.command = {
      command: 'rolloutLens.openTrajectory',
      title: vscode.l10n.t('Open Trajectory'),
      arguments: [content.row.ref],
    };
  }
  return item;
}

function placeOf({ place, row }: Extract<NodeContent, { kind: 'rollout' }>, session: Session): RolloutPlace {
  return place === 'flat' && session.run(row.ref.run)?.hasSteps === false ? 'flat without steps' : place;
}

function rewardsOf({ run }: TreeNode, session: Session): Rewards {
  return session.run(run)?.hasRewards === false ? 'no rewards' : 'rewards';
}

function textsOf(content: NodeContent, session: Session, rewards: Rewards): NodeTexts {
  const { l10n } = vscode;
  switch (content.kind) {
    case 'run':
      return runTexts(content.run, l10n);
    case 'steps':
      return stepRangeTexts(content.firstRow, content.lastRow, l10n);
    case 'step':
      return stepTexts(content.row, l10n);
    case 'group':
      return groupTexts(content.row, l10n, rewards);
    case 'rollout':
      return rolloutTexts(content.row, placeOf(content, session), l10n);
    case 'groups':
    case 'rollouts':
      return pageTexts(content.kind, content.range, l10n);
  }
}

/** Words that menus look for with `viewItem =~ /\bword\b/`. */
function contextValue(content: NodeContent): string {
  if (content.kind !== 'run') return content.kind;
  const { state, notes, rewardThreshold, format } = content.run;
  const mapped = format === genericFormat ? 'mapped' : '';
  return ['run', state, notes > 0 ? 'noted' : '', rewardThreshold === null ? '' : 'threshold', mapped]
    .filter((word) => word !== '')
    .join(' ');
}

function iconOf(content: NodeContent, session: Session): vscode.ThemeIcon | null {
  switch (content.kind) {
    case 'run':
      return runIcon(content.run, session);
    case 'rollout':
      return rolloutIcon(content.row);
    case 'steps':
    case 'step':
    case 'groups':
    case 'group':
    case 'rollouts':
      return null;
  }
}

function runIcon(run: RunSummary, session: Session): vscode.ThemeIcon {
  const colour = runColours[session.colourOf(run.id) % runColours.length] ?? 'foreground';
  const name = run.live || run.state === 'indexing' ? 'sync~spin' : 'circle-filled';
  return new vscode.ThemeIcon(name, new vscode.ThemeColor(colour));
}

function rolloutIcon(row: RolloutRow): vscode.ThemeIcon {
  const { correct } = row;
  if (isUnrewarded(row)) return new vscode.ThemeIcon('comment-discussion');
  if (correct === null) return new vscode.ThemeIcon('question');
  return correct
    ? new vscode.ThemeIcon('pass', new vscode.ThemeColor('testing.iconPassed'))
    : new vscode.ThemeIcon('error', new vscode.ThemeColor('testing.iconFailed'));
}

/** The tooltip of a node; undefined where its label says it all. Asks the engine for a rollout's arithmetic. */
export async function tooltipOf(
  node: TreeNode,
  session: Session,
  token: vscode.CancellationToken,
): Promise<vscode.MarkdownString | undefined> {
  const { content } = node;
  const { l10n } = vscode;
  switch (content.kind) {
    case 'run':
      return markdown([...runTooltip(content.run, l10n), ...(await doctorOf(content.run, session, token))]);
    case 'step':
      return markdown(stepTooltip(content.row, l10n));
    case 'group':
      return markdown(groupTooltip(content.row, l10n, rewardsOf(node, session)));
    case 'rollout': {
      const abort = new AbortController();
      const subscription = token.onCancellationRequested(() => abort.abort());
      try {
        const explanation = await session.engine.explain({ ref: content.row.ref }, abort.signal);
        return markdown(rolloutTooltip(explanation, { hasSteps: session.run(node.run)?.hasSteps ?? true }, l10n));
      } finally {
        subscription.dispose();
      }
    }
    case 'steps':
    case 'groups':
    case 'rollouts':
      return undefined;
  }
}

/** The doctor's findings; none while he cannot be asked, since the rest of the tooltip needs no engine. */
async function doctorOf(
  run: RunSummary,
  session: Session,
  token: vscode.CancellationToken,
): Promise<readonly TooltipBlock[]> {
  const abort = new AbortController();
  const subscription = token.onCancellationRequested(() => abort.abort());
  try {
    const { findings } = await session.engine.doctor({ run: run.id }, abort.signal);
    return doctorBlocks(findings, vscode.l10n);
  } catch (error) {
    if (!isAbort(error)) session.log.debug(messageOf(error));
    return [];
  } finally {
    subscription.dispose();
  }
}

function markdown(blocks: readonly TooltipBlock[]): vscode.MarkdownString {
  const result = new vscode.MarkdownString();
  for (const block of blocks) {
    if (block.kind === 'code') result.appendCodeblock(block.text, 'text');
    else result.appendText(block.text).appendMarkdown('\n\n');
  }
  return result;
}
