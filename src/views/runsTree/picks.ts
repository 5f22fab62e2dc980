/**
 * The questions that the tree's commands ask: which run, which folder or file, which threshold; and the list of a
 * run's notes. Log text in a quick pick is escaped, so that it draws no icons.
 * Leaves out sorting and filtering (filterPick.ts).
 */
import * as vscode from 'vscode';
import { countText } from '../../base/numberText.ts';
import { withoutIcons } from '../../host/logText.ts';
import type { Session } from '../../host/session.ts';
import type { Note } from '../../model/note.ts';
import type { RunSummary } from '../../protocol/engine.ts';

/** A quick pick shows at most this many items. */
const mostItems = 200;

/** Asks for one of the open runs; the only one is not asked for. */
export async function pickRun(session: Session, title: string): Promise<RunSummary | undefined> {
  const [first, ...others] = session.runs;
  if (others.length === 0) return first;
  const items = session.runs.slice(0, mostItems).map((run) => ({
    label: withoutIcons(run.name),
    description: withoutIcons(run.producer),
    detail: withoutIcons(run.path),
    run,
  }));
  return (await vscode.window.showQuickPick(items, { title, matchOnDetail: true }))?.run;
}

/** Asks for a folder or a file; one dialog cannot offer both on every platform. */
export async function pickPath(): Promise<vscode.Uri | undefined> {
  const { l10n } = vscode;
  const items = [
    {
      label: `$(folder) ${l10n.t('Folder…')}`,
      description: l10n.t('a file for each step, or any tree of logs'),
      files: false,
    },
    { label: `$(file) ${l10n.t('File…')}`, description: l10n.t('one log'), files: true },
  ];
  const picked = await vscode.window.showQuickPick(items, { title: l10n.t('Open Run') });
  if (picked === undefined) return undefined;
  const chosen = await vscode.window.showOpenDialog({
    title: l10n.t('Open Run'),
    openLabel: l10n.t('Open'),
    canSelectFiles: picked.files,
    canSelectFolders: !picked.files,
    canSelectMany: false,
  });
  return chosen?.[0];
}

/** Asks for a reward threshold. */
export async function askThreshold(run: RunSummary, current: number): Promise<number | undefined> {
  const { l10n } = vscode;
  const answer = await vscode.window.showInputBox({
    title: l10n.t('Reward Threshold of {0}', run.name),
    prompt: l10n.t('A rollout whose reward is above this counts as right, where the log does not say.'),
    value: String(current),
    validateInput: (text) => (thresholdFrom(text) === null ? l10n.t('Enter a number, such as 0.5.') : undefined),
  });
  return answer === undefined ? undefined : (thresholdFrom(answer) ?? undefined);
}

function thresholdFrom(text: string): number | null {
  const value = text.trim() === '' ? Number.NaN : Number(text.trim().replace(',', '.'));
  return Number.isFinite(value) ? value : null;
}

/** Lists a run's notes; choosing one reveals its line. */
export async function showNotes(session: Session, run: RunSummary): Promise<void> {
  const { l10n } = vscode;
  const { rows, total } = await session.engine.notes({ run: run.id, first: 0, count: mostItems });
  const title =
    total > rows.length
      ? l10n.t('Notes of {0}: the first {1} of {2}', run.name, countText(rows.length), countText(total))
      : l10n.t('Notes of {0}: {1}', run.name, countText(total));
  const items = rows.map((note) => ({
    label: `${noteIcon(note)} ${withoutIcons(note.message)}`,
    detail: withoutIcons(note.line === null ? note.file : l10n.t('{0}, line {1}', note.file, note.line + 1)),
    note,
  }));
  const picked = await vscode.window.showQuickPick(items, {
    title,
    placeHolder: total === 0 ? l10n.t('Every line was read.') : l10n.t('Choose a note to reveal its line'),
    matchOnDetail: true,
  });
  if (picked !== undefined) await revealLine(picked.note);
}

function noteIcon({ severity }: Note): string {
  switch (severity) {
    case 'information':
      return '$(info)';
    case 'warning':
      return '$(warning)';
    case 'error':
      return '$(error)';
  }
}

async function revealLine(note: Note): Promise<void> {
  const line = Math.max(0, note.line ?? 0);
  await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(note.file), {
    selection: new vscode.Range(line, 0, line, 0),
  });
}
