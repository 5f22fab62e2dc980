/**
 * Opening a file that no reader knows: where it has records (JSON lines, a Parquet table), the field mapping form is
 * offered instead of an error alone. Leaves out the form (views/fieldMapping).
 */
import * as vscode from 'vscode';
import { UserError } from '../base/errors.ts';
import type { RunSummary } from '../protocol/engine.ts';
import { withoutLinks } from './logText.ts';
import type { Session } from './session.ts';

/** Opens a path as `session.open` does; empty where the user was offered to map its fields instead. */
export async function openOrMap(session: Session, path: string): Promise<readonly RunSummary[]> {
  try {
    return await session.open(path);
  } catch (error) {
    if (!(error instanceof UserError) || !(await isMappable(session, path))) throw error;
    offer(error.message, path).then(undefined, (failed: unknown) => session.log.error(String(failed)));
    return [];
  }
}

async function isMappable(session: Session, path: string): Promise<boolean> {
  try {
    await session.engine.mappingForm({ path });
    return true;
  } catch {
    // Why it cannot be opened is said by the first error.
    return false;
  }
}

async function offer(message: string, path: string): Promise<void> {
  const map = vscode.l10n.t('Map Fields…');
  if ((await vscode.window.showWarningMessage(withoutLinks(message), map)) !== map) return;
  await vscode.commands.executeCommand('rolloutLens.mapFields', vscode.Uri.file(path));
}
