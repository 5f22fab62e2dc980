/**
 * Writing what was curated: asks for a file, lets the engine write it under a notification with Cancel, and says where it
 * is. Also the settings as a file, which the command line takes as `--config`.
 * Leaves out what is written (the engine's: to another name, renamed when whole).
 */
import * as vscode from 'vscode';
import { isAbort, UserError } from '../../base/errors.ts';
import { pluralText } from '../../base/numberText.ts';
import { withoutLinks } from '../../host/logText.ts';
import { notify } from '../../host/notify.ts';
import type { Session } from '../../host/session.ts';
import { curationFrom, misread } from '../../protocol/curateConfig.ts';
import type { CurateQuestion } from '../../protocol/curatePage.ts';
import type { CurationConfig, CurationExport, CurationExported } from '../../protocol/curation.ts';
import type { Works } from './works.ts';

/** Asks for a file and writes the kept rows; false where none was chosen or it was cancelled. */
export async function exportRows(
  { runs, config, target }: CurateQuestion & { readonly target: Omit<CurationExport, 'path'> },
  session: Session,
  works: Works,
): Promise<boolean> {
  const { l10n } = vscode;
  const kind = target.format === 'jsonl' ? l10n.t('JSON lines') : 'Parquet';
  const file = await vscode.window.showSaveDialog({
    title: l10n.t('Export Curated Rows'),
    saveLabel: l10n.t('Export'),
    defaultUri: startOf(`curated-${config.stage}.${target.format}`),
    filters: { [kind]: [target.format] },
  });
  if (file === undefined) return false;
  if (file.scheme !== 'file') {
    throw new UserError(l10n.t('Curated rows can only be written to a disk.'), l10n.t('Choose a local folder.'));
  }
  try {
    const written = await works.run('exporting', l10n.t('Writing {0}', file.fsPath), (signal) =>
      session.engine.exportCuration({ runs, config, target: { ...target, path: file.fsPath } }, signal),
    );
    // The page must not wait until a notification is closed.
    offer(written, target.format).catch((error: unknown) => {
      notify(error, session.log);
    });
    return true;
  } catch (error) {
    if (isAbort(error)) return false;
    throw error;
  }
}

async function offer(
  { path, rows, images, manifest }: CurationExported,
  format: CurationExport['format'],
): Promise<void> {
  const { l10n } = vscode;
  const [open, reveal] = [l10n.t('Open'), l10n.t('Reveal')];
  const what = pluralText(rows, 'row');
  const message =
    images === 0
      ? l10n.t('{0} written to {1}.', what, path)
      : l10n.t('{0} with {1} written to {2}.', what, pluralText(images, 'picture'), path);
  const chosen = await vscode.window.showInformationMessage(withoutLinks(message), open, reveal);
  if (chosen === open) {
    // No editor shows a table of bytes; its manifest says what is in it.
    await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(format === 'jsonl' ? path : manifest));
  }
  if (chosen === reveal) await revealFile(vscode.Uri.file(path));
}

async function revealFile(file: vscode.Uri): Promise<void> {
  const inside = vscode.workspace.getWorkspaceFolder(file) !== undefined;
  try {
    await vscode.commands.executeCommand(inside ? 'revealInExplorer' : 'revealFileInOS', file);
  } catch {
    // In a browser there is no file manager to show.
    throw new UserError(vscode.l10n.t('This window cannot show the folder of {0}.', file.fsPath));
  }
}

/** Writes settings to a file the user chooses; false where none was chosen. */
export async function exportConfig(config: CurationConfig): Promise<boolean> {
  const file = await vscode.window.showSaveDialog({
    title: vscode.l10n.t('Save Curation Settings'),
    filters: { JSON: ['json'] },
    defaultUri: startOf(`curation-${config.stage}.json`),
  });
  if (file) await vscode.workspace.fs.writeFile(file, Buffer.from(`${JSON.stringify(config, null, 2)}\n`, 'utf8'));
  return file !== undefined;
}

/** Reads settings from a file the user chooses; null where none was chosen. */
export async function importConfig(): Promise<CurationConfig | null> {
  const chosen = await vscode.window.showOpenDialog({
    title: vscode.l10n.t('Import Curation Settings'),
    filters: { JSON: ['json'] },
    defaultUri: startOf(''),
  });
  const [file] = chosen ?? [];
  if (file === undefined) return null;
  const value = parsed(new TextDecoder().decode(await vscode.workspace.fs.readFile(file)));
  const config = curationFrom(value);
  const wrong = config === null ? [] : misread(value, config);
  if (wrong.length > 0) {
    throw new UserError(
      vscode.l10n.t('{0} holds settings that are unknown or outside their limits: {1}.', file.fsPath, wrong.join(', ')),
      vscode.l10n.t('Correct them and try again.'),
    );
  }
  if (config !== null) return config;
  throw new UserError(
    vscode.l10n.t('{0} holds no settings of a curation.', file.fsPath),
    vscode.l10n.t('Choose a file that "Save Settings…" wrote, or that the command line takes as --config.'),
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function startOf(name: string): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(process.cwd());
  return vscode.Uri.joinPath(folder, name);
}
