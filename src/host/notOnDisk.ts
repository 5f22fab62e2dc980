/**
 * The error for a file that is not on this disk (a virtual workspace, a remote that only shows files): the engine reads
 * files where they are. Owned by every command that takes a Uri. Leaves out which schemes a view registers for.
 */
import * as vscode from 'vscode';
import { UserError } from '../base/errors.ts';

/** The sentence for a Uri whose scheme is not `file`, with what to do instead. */
export function notOnDisk(uri: vscode.Uri): UserError {
  return new UserError(
    vscode.l10n.t('{0} is not on this disk, and Rollout Lens reads files where they are.', uri.toString(true)),
    vscode.l10n.t('Open its folder on the machine that has it (Remote - SSH, a container), or copy it here.'),
  );
}
