/**
 * The rollout a command is about: named by its argument (a rollout's name, a tree node, a transcript's URI), else the
 * transcript in front of the user. Leaves out asking for one (openTrajectory.ts).
 */
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { asRolloutRef, asUri } from '../../host/commandTable.ts';
import { parseAddress, type RolloutAddress } from '../../host/rolloutAddress.ts';
import type { RolloutRef } from '../../protocol/engine.ts';

/** The address of the transcript in the active tab (of a diff, its right side), or null. */
export function activeAddress(): RolloutAddress | null {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  if (input instanceof vscode.TabInputText) return parseAddress(input.uri);
  if (input instanceof vscode.TabInputTextDiff) return parseAddress(input.modified);
  return null;
}

/** The rollout that the argument or the active tab names; a UserError where neither does. */
export function currentRollout(argument: unknown): RolloutRef {
  const named = asRolloutRef(argument);
  if (named !== null) return named;
  const uri = asUri(argument);
  const address = uri === null ? activeAddress() : parseAddress(uri);
  if (address !== null) return address.ref;
  throw new UserError(vscode.l10n.t('No trajectory is open.'), vscode.l10n.t('Open one with "Open Trajectory…".'));
}
