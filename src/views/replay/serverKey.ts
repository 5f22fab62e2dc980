/**
 * The key of the replay server: kept in VS Code's secrets, never in a setting, never handed to a child process.
 * Leaves out the requests that carry it (host/replayerNetwork.ts).
 */
import * as vscode from 'vscode';

const secretName = 'rolloutLens.replay.serverKey';

/** The key; null where none is kept. */
export async function serverKey(context: vscode.ExtensionContext): Promise<string | null> {
  return (await context.secrets.get(secretName)) ?? null;
}

/** Asks for the key; an empty one removes it. */
export async function setServerKey(context: vscode.ExtensionContext): Promise<void> {
  const { l10n } = vscode;
  const key = await vscode.window.showInputBox({
    title: l10n.t('Key of the Replay Server'),
    prompt: l10n.t(
      'It is kept in the secrets of this editor and sent to the server of the settings alone. Empty removes it.',
    ),
    password: true,
    ignoreFocusOut: true,
  });
  if (key === undefined) return;
  if (key === '') await context.secrets.delete(secretName);
  else await context.secrets.store(secretName, key);
}
