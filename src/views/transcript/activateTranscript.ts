/**
 * Registers what makes transcripts readable: their file system, folding, outline, decorations, and the context key of
 * their menus. Leaves out commands (transcriptCommands.ts) and hovers and CodeLens (views/annotations).
 */
import * as vscode from 'vscode';
import type { OpenTranscripts } from '../../host/openTranscripts.ts';
import { rolloutScheme } from '../../host/rolloutAddress.ts';
import type { Session } from '../../host/session.ts';
import { activeAddress } from './currentRollout.ts';
import { decorateTranscripts } from './decorations.ts';
import { registerLanguageFeatures } from './languageFeatures.ts';
import { RolloutFileSystem } from './rolloutFileSystem.ts';

/** Starts serving transcripts; what it returns is disposed with the extension. */
export function activateTranscript(context: vscode.ExtensionContext, session: Session): OpenTranscripts {
  const files = new RolloutFileSystem(session);
  const setActive = () =>
    void vscode.commands.executeCommand('setContext', 'rolloutLens.transcriptActive', activeAddress() !== null);
  context.subscriptions.push(
    files,
    vscode.workspace.registerFileSystemProvider(rolloutScheme, files, { isReadonly: true, isCaseSensitive: true }),
    registerLanguageFeatures(files),
    decorateTranscripts(files),
    vscode.window.tabGroups.onDidChangeTabs(setActive),
    vscode.window.tabGroups.onDidChangeTabGroups(setActive),
  );
  setActive();
  return files;
}
