/**
 * Context keys of the transcript in front of the user: whether it has flags to judge, verdicts, and crops. Menus show on
 * the whole transcript, since a right click opens its menu before a key about the clicked line could arrive.
 * Leaves out the commands (verdicts.ts), which look for the flag at the cursor.
 */
import * as vscode from 'vscode';
import type { OpenTranscripts, ShownTranscript } from '../../host/openTranscripts.ts';

/** Keeps the keys until disposed. */
export function setFlagKeys(open: OpenTranscripts): vscode.Disposable {
  const update = async () => {
    const editor = vscode.window.activeTextEditor;
    const shown = editor === undefined ? null : await open.shown(editor.document);
    if (vscode.window.activeTextEditor !== editor) return;
    const { openFlags, verdicts, crops } = flagFacts(shown);
    await vscode.commands.executeCommand('setContext', 'rolloutLens.openFlags', openFlags);
    await vscode.commands.executeCommand('setContext', 'rolloutLens.verdicts', verdicts);
    await vscode.commands.executeCommand('setContext', 'rolloutLens.crops', crops);
  };
  const changed = () => void update();
  changed();
  return vscode.Disposable.from(
    vscode.window.onDidChangeActiveTextEditor(changed),
    open.onDidChange(changed),
    vscode.workspace.onDidChangeTextDocument(changed),
  );
}

function flagFacts(shown: ShownTranscript | null): Readonly<Record<'openFlags' | 'verdicts' | 'crops', boolean>> {
  const flags = shown?.flags.flags ?? [];
  return {
    openFlags: flags.some(({ confidence, verdict }) => confidence !== 'hint' && verdict === null),
    verdicts: flags.some(({ verdict }) => verdict !== null),
    crops: (shown?.flags.crops ?? []).length > 0,
  };
}
