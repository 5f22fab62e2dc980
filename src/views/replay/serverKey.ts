/**
 * The key of the replay server: kept in VS Code's secrets for the origin of the settings' address, never in a setting, never
 * handed to a child process. Leaves out the requests that carry it (host/replayerNetwork.ts).
 */
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { setting } from '../../host/config.ts';
import { endpointKey, setEndpointKey } from '../../host/endpointKey.ts';

/** The key for a server's address; null where none is kept for its origin. */
export async function serverKey(context: vscode.ExtensionContext, address: string): Promise<string | null> {
  return URL.canParse(address) ? endpointKey(context.secrets, 'replay', address) : null;
}

/** Asks for the key of the server of the settings; an empty one removes it. False where the user left. */
export async function setServerKey(context: vscode.ExtensionContext): Promise<boolean> {
  const { l10n } = vscode;
  const address = setting('replay.endpoint');
  if (!URL.canParse(address)) {
    throw new UserError(
      l10n.t('No replay server is set.'),
      l10n.t('Name its address in the setting rolloutLens.replay.endpoint first.'),
    );
  }
  const { origin } = new URL(address);
  const key = await vscode.window.showInputBox({
    title: l10n.t('Key of the Replay Server'),
    prompt: l10n.t('It is kept in the secrets of this editor and sent to {0} alone. Empty removes it.', origin),
    password: true,
    ignoreFocusOut: true,
  });
  if (key === undefined) return false;
  await setEndpointKey(context.secrets, { owner: 'replay', address, key: key === '' ? null : key });
  return true;
}
