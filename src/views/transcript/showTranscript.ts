/**
 * Shows the transcript of a rollout in an editor: its URI, the tab, and observations over 30 lines folded the first time
 * in this window (later VS Code remembers what is folded). Leaves out how a rollout is chosen.
 */
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import type { OpenTranscripts } from '../../host/openTranscripts.ts';
import { parseAddress, type RolloutAddress } from '../../host/rolloutAddress.ts';
import type { Session } from '../../host/session.ts';
import type { RolloutRef } from '../../protocol/engine.ts';
import { foldedAtFirst } from './foldingRanges.ts';
import { runNameOf, transcriptUri } from './rolloutUri.ts';

/** What the commands of transcripts work with. */
export interface TranscriptDependencies {
  readonly session: Session;
  readonly transcripts: OpenTranscripts;
}

/** URIs whose long observations were folded in this window; the oldest are forgotten. */
const folded = new Set<string>();
const mostFolded = 500;

/** The URI of a rollout's transcript; a UserError where its run is not open. */
export function uriOf(session: Session, ref: RolloutRef, rest: RolloutAddress['rest'] = null): vscode.Uri {
  const run = session.run(ref.run);
  if (run !== undefined) return vscode.Uri.from(transcriptUri({ ref, path: run.path, rest }, run.name));
  // A restored tab knows the path of a run that was not found again yet.
  for (const { uri } of vscode.workspace.textDocuments) {
    const address = parseAddress(uri);
    if (address?.ref.run === ref.run) {
      return vscode.Uri.from(transcriptUri({ ref, path: address.path, rest }, runNameOf(uri.path)));
    }
  }
  throw new UserError(
    vscode.l10n.t('The run of this rollout is not open.'),
    vscode.l10n.t('Open it with "Open Run…".'),
  );
}

/** Opens a transcript in an editor. */
export async function showTranscript(
  { session, transcripts }: TranscriptDependencies,
  ref: RolloutRef,
  options: vscode.TextDocumentShowOptions = {},
): Promise<void> {
  const editor = await vscode.window.showTextDocument(uriOf(session, ref), options);
  if (options.preserveFocus !== true) await foldLongObservations(editor, transcripts);
}

async function foldLongObservations(editor: vscode.TextEditor, transcripts: OpenTranscripts): Promise<void> {
  const key = editor.document.uri.toString();
  if (folded.has(key)) return;
  folded.add(key);
  for (const oldest of folded) if (folded.size > mostFolded) folded.delete(oldest);
  const shown = await transcripts.shown(editor.document);
  const lines = foldedAtFirst(shown?.marks ?? []);
  if (lines.length === 0 || vscode.window.activeTextEditor?.document.uri.toString() !== key) return;
  await vscode.commands.executeCommand('editor.fold', { selectionLines: lines, levels: 1, direction: 'down' });
}
