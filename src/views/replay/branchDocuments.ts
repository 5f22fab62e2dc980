/**
 * A branch beside the record: two documents that are the same up to the turn where the branch begins, shown in VS Code's
 * diff. The texts live as long as the window. Log text and the model's text are plain text there.
 * Leaves out keeping branches (branchStore.ts).
 */
import * as vscode from 'vscode';
import type { KeptBranch } from '../../protocol/player.ts';
import type { BranchSample, ReplayEpisode } from '../../protocol/replay.ts';
import { branchTexts } from './branchTexts.ts';

/** Scheme of the documents. */
const scheme = 'rollout-branch';
const mostDocuments = 40;
const texts = new Map<string, string>();

/** Registers the documents. */
export function registerBranchDocuments(context: vscode.ExtensionContext): void {
  context.subscriptions.push(
    vscode.workspace.registerTextDocumentContentProvider(scheme, {
      provideTextDocumentContent: (uri) => texts.get(uri.toString()) ?? '',
    }),
  );
}

/** Opens the diff. */
export async function showBranchDiff(
  episode: Pick<ReplayEpisode, 'turns'>,
  { name, result }: KeptBranch,
  sample: BranchSample,
): Promise<void> {
  const { recorded, branched } = branchTexts(episode, result, sample);
  const label = `${name}, ${sample.arm === 'control' ? 'control' : 'changed'} #${sample.sample + 1}`;
  const left = document('recorded', `${result.id}/${result.request.turn}`, recorded);
  const right = document(label, `${result.id}/${sample.arm}/${sample.sample}`, branched);
  const title = vscode.l10n.t('recorded ↔ {0}', label);
  await vscode.commands.executeCommand('vscode.diff', left, right, title, { viewColumn: vscode.ViewColumn.Active });
}

function document(name: string, key: string, text: string): vscode.Uri {
  const file = name.replaceAll(/[^\w #,.-]+/g, '_');
  const uri = vscode.Uri.from({ scheme, path: `/${file}.txt`, query: key });
  texts.set(uri.toString(), text);
  for (const oldest of texts.keys()) if (texts.size > mostDocuments) texts.delete(oldest);
  return uri;
}
