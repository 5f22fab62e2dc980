/**
 * "Show Group": the members of a rollout's group in reading order; choosing one opens it, the first entry reveals the
 * rollout in the sidebar. Leaves out comparing (compareWith.ts).
 */
import * as vscode from 'vscode';
import { withoutIcons } from '../../host/logText.ts';
import { currentRollout } from './currentRollout.ts';
import { memberLabel, orderedMembers, sameRollout } from './rolloutLabels.ts';
import { showTranscript, type TranscriptDependencies } from './showTranscript.ts';

/** Lists the group of a rollout. */
export async function showGroup(dependencies: TranscriptDependencies, argument: unknown): Promise<void> {
  const { l10n } = vscode;
  const ref = currentRollout(argument);
  const { row, members, qualifying } = await dependencies.session.engine.explain({ ref });
  const reveal = { label: `$(list-tree) ${l10n.t('Reveal in the sidebar')}`, description: '', ref: null };
  const items = orderedMembers(members).map((member) => {
    const { label, description } = memberLabel(member, l10n);
    const own = sameRollout(member.ref, row.ref);
    return { label, description: own ? `${description} · ${l10n.t('this one')}` : description, ref: member.ref };
  });
  const title = l10n.t('Group of {0}, |Q| {1}', row.groupSize, qualifying);
  const placeHolder = withoutIcons(row.question);
  const picked = await vscode.window.showQuickPick([reveal, ...items], { title, placeHolder });
  if (picked === undefined) return;
  if (picked.ref === null) await vscode.commands.executeCommand('rolloutLens.revealRollout', ref);
  else await showTranscript(dependencies, picked.ref);
}
