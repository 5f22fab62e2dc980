/**
 * "Open in Log": the log file as text, at the line where the rollout was logged. Files above VS Code's limit for
 * extensions, compressed and binary ones are not opened but shown in the explorer. Leaves out everything about the content.
 */
import * as vscode from 'vscode';
import { sizeText } from '../../base/numberText.ts';
import { withoutLinks } from '../../host/logText.ts';
import type { OpenTranscripts } from '../../host/openTranscripts.ts';
import { parseAddress } from '../../host/rolloutAddress.ts';
import type { Session } from '../../host/session.ts';
import { currentRollout } from './currentRollout.ts';
import { uriOf } from './showTranscript.ts';

/** Files above this size are not synchronised with extensions: no cursor can be set, nothing of ours works there. */
const largestEditorBytes = 50_000_000;

/** Opens the log of a rollout. */
export async function openInLog(
  { session, transcripts }: { readonly session: Session; readonly transcripts: OpenTranscripts },
  argument: unknown,
): Promise<void> {
  const { l10n } = vscode;
  const ref = currentRollout(argument);
  const { file, line } = await placeOf(session, transcripts, uriOf(session, ref));
  const uri = vscode.Uri.file(file);
  const { text } = await session.engine.fileKind({ path: file });
  if (!text) {
    const name = vscode.workspace.asRelativePath(uri);
    const why = l10n.t(
      '{0} is compressed or binary; no editor shows it. This is rollout {1} of it.',
      name,
      ref.row + 1,
    );
    await offerReveal(uri, why);
    return;
  }
  const { size } = await vscode.workspace.fs.stat(uri);
  if (size <= largestEditorBytes) {
    const start = new vscode.Position(line, 0);
    await vscode.window.showTextDocument(uri, { selection: new vscode.Range(start, start) });
    return;
  }
  const message = l10n.t(
    '{0} has {1}, more than an editor works with. The rollout is on line {2}.',
    vscode.workspace.asRelativePath(uri),
    sizeText(size),
    line + 1,
  );
  await offerReveal(uri, message);
}

async function offerReveal(uri: vscode.Uri, message: string): Promise<void> {
  const reveal = vscode.l10n.t('Reveal');
  if ((await vscode.window.showInformationMessage(withoutLinks(message), reveal)) !== reveal) return;
  const inside = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  await vscode.commands.executeCommand(inside ? 'revealInExplorer' : 'revealFileInOS', uri);
}

async function placeOf(
  session: Session,
  transcripts: OpenTranscripts,
  uri: vscode.Uri,
): Promise<{ readonly file: string; readonly line: number }> {
  const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  const shown = open === undefined ? null : await transcripts.shown(open);
  if (shown !== null) return shown;
  return session.engine.transcript(addressParams(uri));
}

function addressParams(uri: vscode.Uri) {
  const address = parseAddress(uri);
  if (address === null) throw new Error(`not a transcript: ${uri.path}`);
  return { ref: address.ref, path: address.path, rest: null };
}
