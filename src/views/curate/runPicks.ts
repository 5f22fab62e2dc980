/**
 * The questions about runs that the Curate view asks: which of the open ones, and which log is the base model's. Names and
 * paths are escaped, so that they draw no icons. Leaves out opening runs by hand (views/runsTree).
 */
import * as vscode from 'vscode';
import { pluralText } from '../../base/numberText.ts';
import { withoutIcons } from '../../host/logText.ts';
import type { Session } from '../../host/session.ts';
import type { RunId, RunSummary } from '../../protocol/engine.ts';

/** A quick pick shows at most this many items. */
const mostItems = 200;

/** Asks which runs to curate; null where the question was closed or none was ticked. */
export async function pickRuns(session: Session, chosen: readonly RunId[]): Promise<readonly RunId[] | null> {
  const items = session.runs.slice(0, mostItems).map((run) => ({
    label: withoutIcons(run.name),
    description: pluralText(run.rollouts, 'rollout'),
    detail: withoutIcons(run.path),
    picked: chosen.includes(run.id),
    run: run.id,
  }));
  const title = vscode.l10n.t('Curate Run');
  const placeHolder = vscode.l10n.t('Tick the runs whose rollouts are curated together');
  const options = { title, placeHolder, canPickMany: true as const, matchOnDetail: true };
  const picked = await vscode.window.showQuickPick(items, options);
  return picked === undefined || picked.length === 0 ? null : picked.map(({ run }) => run);
}

/** Opens the log of a base model, chosen in a dialog; null where none was. */
export async function openBaseLog(session: Session): Promise<RunSummary | null> {
  const chosen = await vscode.window.showOpenDialog({
    title: vscode.l10n.t('Choose a Log of the Base Model'),
    openLabel: vscode.l10n.t('Open'),
    canSelectFiles: true,
  });
  const [file] = chosen ?? [];
  if (file === undefined) return null;
  const [run] = await session.open(file.fsPath);
  return run ?? null;
}
