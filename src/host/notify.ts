/**
 * What the user sees when something goes wrong. A UserError is a sentence with its next action; anything else is a bug:
 * logged with its stack and shown once; a cancelled call is nothing. Handle once: who notifies does not pass it on.
 * Leaves out bad content of logs (notes, shown by the runs tree).
 */
import * as vscode from 'vscode';
import { isAbort, messageOf, UserError } from '../base/errors.ts';
import { withoutLinks } from './logText.ts';

/** Bugs shown in this window, by message: the same bug in a loop must not cover the editor. */
const shown = new Set<string>();

/** Shows an error as its kind deserves; never throws. */
export function notify(error: unknown, log: vscode.LogOutputChannel): void {
  if (isAbort(error) || error instanceof vscode.CancellationError) return;
  if (error instanceof UserError) {
    log.warn(`${error.message} ${error.action ?? ''}`.trim());
    void show(error.action === null ? error.message : `${error.message} ${error.action}`, log);
    return;
  }
  log.error(error instanceof Error ? (error.stack ?? error.message) : messageOf(error));
  const message = firstLine(messageOf(error));
  if (shown.has(message)) return;
  shown.add(message);
  void show(vscode.l10n.t('Something in Rollout Lens went wrong: {0}', message), log);
}

async function show(message: string, log: vscode.LogOutputChannel): Promise<void> {
  const showLog = vscode.l10n.t('Show Log');
  if ((await vscode.window.showErrorMessage(withoutLinks(message), showLog)) === showLog) log.show();
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
