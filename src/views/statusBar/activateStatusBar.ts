/**
 * The status bar's one item, only while a transcript is the active editor: its efficiency advantage and its calls. A
 * click shows the rollout in the tree. Leaves out everything for other editors.
 */
import * as vscode from 'vscode';
import { isAbort, messageOf } from '../../base/errors.ts';
import { countText, signedText } from '../../base/numberText.ts';
import { parseAddress } from '../../host/rolloutAddress.ts';
import type { Session } from '../../host/session.ts';
import type { RolloutRef, RolloutRow } from '../../protocol/engine.ts';
import { statusText } from './statusText.ts';

/** Shows the item for the transcript in the active tab. */
export function activateStatusBar(context: vscode.ExtensionContext, session: Session): void {
  const item = vscode.window.createStatusBarItem('rolloutLens.rollout', vscode.StatusBarAlignment.Right, 90);
  item.name = vscode.l10n.t('Open Rollout');
  let asking = new AbortController();

  const update = async () => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const ref = activeRollout();
    if (ref === null) {
      item.hide();
      return;
    }
    try {
      const { row } = await session.engine.explain({ ref }, signal);
      if (!signal.aborted) show(item, row);
    } catch (error) {
      // The transcript itself says what is wrong with this rollout; here it only has no numbers.
      if (!isAbort(error)) session.log.debug(`status bar: ${messageOf(error)}`);
      item.hide();
    }
  };
  const changed = () => void update();
  context.subscriptions.push(
    item,
    vscode.window.tabGroups.onDidChangeTabs(changed),
    vscode.window.tabGroups.onDidChangeTabGroups(changed),
    session.onDidChangeSteps(({ run }) => {
      if (activeRollout()?.run === run) changed();
    }),
  );
  changed();
}

function show(item: vscode.StatusBarItem, row: RolloutRow): void {
  item.text = statusText(row);
  item.tooltip = vscode.l10n.t(
    'Step {0}, rollout {1} of {2}: A_acc {3}, A_tool {4}, {5} calls. Click to show it in the tree.',
    row.step,
    row.member,
    row.groupSize,
    signedText(row.accAdvantage),
    signedText(row.toolAdvantage),
    countText(row.calls),
  );
  item.command = { command: 'rolloutLens.revealRollout', title: vscode.l10n.t('Reveal'), arguments: [row.ref] };
  item.show();
}

/** The rollout of the active tab, or null; of a diff its right side. */
function activeRollout(): RolloutRef | null {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  if (input instanceof vscode.TabInputText) return parseAddress(input.uri)?.ref ?? null;
  if (input instanceof vscode.TabInputTextDiff) return parseAddress(input.modified)?.ref ?? null;
  return null;
}
