/**
 * "Open Trajectory": from a rollout's name (tree, links, CodeLens), from a log file (menus of explorer and tabs), from
 * the log in the active editor or tab, else by asking for a run and then for a rollout.
 * Leaves out the quick picks (rolloutPick.ts) and showing the transcript (showTranscript.ts).
 */
import * as vscode from 'vscode';
import { asRolloutRef, asUri } from '../../host/commandTable.ts';
import { withoutLinks } from '../../host/logText.ts';
import { notOnDisk } from '../../host/notOnDisk.ts';
import { openOrMap } from '../../host/offerMapping.ts';
import type { Session } from '../../host/session.ts';
import { noFilter, type RolloutRef, type RunSummary } from '../../protocol/engine.ts';
import { mayBeLog } from './rolloutLabels.ts';
import { mostItems, pickRollout, pickRun, type RolloutQuery } from './rolloutPick.ts';
import { showTranscript, type TranscriptDependencies } from './showTranscript.ts';

/** A log file, and the line the cursor is on where an editor shows it. */
interface LogPlace {
  readonly uri: vscode.Uri;
  readonly line: number | null;
}

/** Opens the trajectory that the argument, the active editor or the user names. */
export async function openTrajectory(dependencies: TranscriptDependencies, argument: unknown): Promise<void> {
  const { session } = dependencies;
  const named = asRolloutRef(argument);
  if (named !== null) return showTranscript(dependencies, named);
  const given = asUri(argument);
  const place = given === null ? activeLog() : { uri: given, line: lineInEditor(given) };
  const ref = place === null ? await pickFromRuns(session) : await rolloutAt(session, place, given !== null);
  if (ref !== undefined) await showTranscript(dependencies, ref);
}

/** The log in front of the user: also one that is too large for an editor, of which only the tab knows. */
function activeLog(): LogPlace | null {
  const active = vscode.window.activeTextEditor;
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  const uri = input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom ? input.uri : undefined;
  const chosen = uri ?? active?.document.uri;
  if (chosen === undefined || chosen.scheme !== 'file' || !mayBeLog(chosen.path)) return null;
  return { uri: chosen, line: lineInEditor(chosen) };
}

function lineInEditor(uri: vscode.Uri): number | null {
  const active = vscode.window.activeTextEditor;
  return active?.document.uri.toString() === uri.toString() ? active.selection.active.line : null;
}

/** The rollout under the cursor, else one that the user picks from the file. */
async function rolloutAt(session: Session, { uri, line }: LogPlace, chosen: boolean): Promise<RolloutRef | undefined> {
  if (uri.scheme !== 'file') throw notOnDisk(uri);
  const path = uri.fsPath;
  if (line !== null) {
    const row = await session.engine.locate({ path, line });
    if (row !== null) return row.ref;
  }
  const known = await session.engine.linesOf({ path, first: 0, count: 2 });
  if (known.total > 0) return pickFromFile(session, path);
  if (!chosen) {
    // Any .json may be the active editor: what is no rollout log does not stand in the way of the palette's pick.
    const kind = await session.engine.fileKind({ path });
    if (kind.format === null) return pickFromRuns(session);
  }
  const runs = await openAndWait(session, path);
  // The user was offered to map the fields of this log.
  if (runs === null) return undefined;
  if (line !== null) {
    const row = await session.engine.locate({ path, line });
    if (row !== null) return row.ref;
  }
  const now = await session.engine.linesOf({ path, first: 0, count: 2 });
  return now.total > 0 ? pickFromFile(session, path) : pickFromRuns(session, runs);
}

/** Opens a log and waits until its first rollouts are read, or reading has ended; null where it is no known log. */
async function openAndWait(session: Session, path: string): Promise<readonly RunSummary[] | null> {
  const opened = await openOrMap(session, path);
  if (opened.length === 0) return null;
  const ids = new Set(opened.map(({ id }) => id));
  const current = () => session.runs.filter(({ id }) => ids.has(id));
  const settled = (runs: readonly RunSummary[]) =>
    runs.length > 0 && runs.every(({ state }) => state === 'ready' || state === 'partial');
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: withoutLinks(vscode.l10n.t('Reading {0}', vscode.workspace.asRelativePath(path))),
    cancellable: true,
  };
  if (settled(current()) || settled(opened)) return current();
  await vscode.window.withProgress(options, async (_, token) => {
    const listeners: vscode.Disposable[] = [];
    await new Promise<void>((resolve) => {
      const check = () => {
        if (settled(current())) resolve();
      };
      listeners.push(session.onDidChangeRuns(check));
      listeners.push(
        token.onCancellationRequested(() => {
          resolve();
        }),
      );
      check();
    });
    for (const listener of listeners) listener.dispose();
  });
  return current();
}

async function pickFromFile(session: Session, path: string): Promise<RolloutRef | undefined> {
  const { rows, total } = await session.engine.linesOf({ path, first: 0, count: mostItems });
  const [first] = rows;
  if (first === undefined || total === 1) return first?.ref;
  const { run, file } = first.ref;
  const query: RolloutQuery = async (text, signal) => {
    if (text.trim() === '') return rows;
    const filter = { ...noFilter, text };
    const steps = new Set(rows.map(({ step }) => step));
    const step = steps.size === 1 ? first.step : null;
    const page = await session.engine.rollouts({ run, step, group: null, filter, first: 0, count: 500 }, signal);
    return page.rows.filter(({ ref }) => ref.file === file);
  };
  return (await pickRollout(session, vscode.l10n.t('Open Trajectory of {0}', file), query))?.ref;
}

/** Asks for a run (one of `among`, where there are any) and then for a rollout; with no run at all, offers to open one. */
async function pickFromRuns(session: Session, among: readonly RunSummary[] = []): Promise<RolloutRef | undefined> {
  const { l10n } = vscode;
  if (session.runs.length === 0 && session.searchState.state !== 'done') {
    const location = vscode.ProgressLocation.Window;
    await vscode.window.withProgress({ location, title: l10n.t('Looking for rollout logs') }, () => session.search());
  }
  if (session.runs.length === 0) await vscode.commands.executeCommand('rolloutLens.openRun');
  const ids = new Set(among.map(({ id }) => id));
  const offered = () => session.runs.filter(({ id }) => ids.size === 0 || ids.has(id));
  const run = await pickRun(session, l10n.t('Open Trajectory: Run'), offered);
  if (run === undefined) return undefined;
  const query: RolloutQuery = (text, signal) => session.engine.search({ run: run.id, text, limit: mostItems }, signal);
  return (await pickRollout(session, l10n.t('Open Trajectory of {0}', run.name), query))?.ref;
}
