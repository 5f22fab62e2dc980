/**
 * "Open Image": a picture of a rollout in VS Code's own preview, beside the transcript. Bytes that are no picture are
 * not shown, whatever the log calls them. Leaves out fetching all bytes (the file system does it for the preview).
 */
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import { asIndex } from '../../host/commandTable.ts';
import { parseAddress } from '../../host/rolloutAddress.ts';
import type { Session } from '../../host/session.ts';
import { currentRollout } from './currentRollout.ts';
import { imageExtension } from './imageKind.ts';
import { imageUri, runNameOf } from './rolloutUri.ts';
import { uriOf } from './showTranscript.ts';

/** Opens picture `image` of a rollout; the argument is its name with an `image` index. */
export async function openImage(session: Session, argument: unknown): Promise<void> {
  const { l10n } = vscode;
  const ref = currentRollout(argument);
  const image = isObject(argument) ? asIndex(argument.image) : null;
  if (image === null) throw new UserError(l10n.t('This command opens a picture from its place in a transcript.'));
  const transcript = uriOf(session, ref);
  const address = parseAddress(transcript);
  if (address === null) return;
  const { bytes } = await session.engine.image({ ref, path: address.path, image, first: 0 });
  const extension = imageExtension(bytes);
  if (extension === null) {
    throw new UserError(l10n.t('Picture {0} of this rollout is not a picture that can be shown.', image + 1));
  }
  const uri = vscode.Uri.from(imageUri({ ...address, image }, runNameOf(transcript.path), extension));
  await vscode.commands.executeCommand('vscode.open', uri, { viewColumn: vscode.ViewColumn.Beside, preview: true });
}
