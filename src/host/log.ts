/**
 * The one log of the extension: an output channel with levels. Everything that goes wrong and everything a child
 * process prints ends up here; there is no console.log. Leaves out what the user is shown (notify.ts).
 */
import * as vscode from 'vscode';

/** Opens the log; VS Code keeps it in its own logs folder and applies its log level. */
export function openLog(): vscode.LogOutputChannel {
  return vscode.window.createOutputChannel('Rollout Lens', { log: true });
}
