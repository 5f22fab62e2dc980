/**
 * The path of a rollout's run, which the engine wants beside the rollout's name, so that a restored tab opens before
 * its run was found again. Leaves out URIs of transcripts (views/transcript/rolloutUri.ts).
 */
import * as vscode from 'vscode';
import { UserError } from '../base/errors.ts';
import type { RunId } from '../protocol/engine.ts';
import { parseAddress } from './rolloutAddress.ts';
import type { Session } from './session.ts';

/** Absolute path of an open run, or of one that an open transcript names; a UserError where neither knows it. */
export function runPathOf(session: Session, run: RunId): string {
  const open = session.run(run);
  if (open !== undefined) return open.path;
  for (const { uri } of vscode.workspace.textDocuments) {
    const address = parseAddress(uri);
    if (address?.ref.run === run) return address.path;
  }
  throw new UserError(
    vscode.l10n.t('The run of this rollout is not open.'),
    vscode.l10n.t('Open it with "Open Run…".'),
  );
}
