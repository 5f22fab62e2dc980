/**
 * Verdicts on flags: confirm, dismiss, undo, export and import. A flag is named by the argument of a link, else it is
 * looked for at the cursor, else it is asked for. Undo without a name takes back the last verdict of this window.
 * Leaves out keeping verdicts (the engine's) and showing them (lenses, hovers, Problems).
 */
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { countText } from '../../base/numberText.ts';
import { isObject } from '../../base/json.ts';
import { asRolloutRef, type CommandTable } from '../../host/commandTable.ts';
import { withoutIcons, withoutLinks } from '../../host/logText.ts';
import { notOnDisk } from '../../host/notOnDisk.ts';
import type { OpenTranscripts, ShownTranscript } from '../../host/openTranscripts.ts';
import { runPathOf } from '../../host/runPath.ts';
import { flagsAt } from '../../host/shownFlags.ts';
import type { Session } from '../../host/session.ts';
import type { RolloutRef } from '../../protocol/engine.ts';
import type { ShownFlag, Verdict } from '../../protocol/flags.ts';

/** What the commands work with. */
export interface VerdictDependencies {
  readonly session: Session;
  readonly transcripts: OpenTranscripts;
}

/** A flag of a rollout. */
interface NamedFlag {
  readonly ref: RolloutRef;
  readonly flag: string;
}

/** Verdicts that can be taken back one after the other. */
const mostRemembered = 100;

/** The handlers of verdicts by command id. */
export function verdictHandlers(dependencies: VerdictDependencies): CommandTable {
  const { session, transcripts } = dependencies;
  const given: NamedFlag[] = [];

  const set = async ({ ref, flag }: NamedFlag, verdict: Verdict | null) => {
    await session.engine.setVerdict({ ref, path: runPathOf(session, ref.run), flag, verdict });
    const before = given.findIndex((one) => one.flag === flag);
    if (before >= 0) given.splice(before, 1);
    if (verdict !== null) given.push({ ref, flag });
    given.splice(0, given.length - mostRemembered);
    await transcripts.refresh(ref);
  };
  const judge = async (target: unknown, verdict: Verdict) => {
    const title =
      verdict === 'confirmed' ? vscode.l10n.t('Confirm Redundant Call') : vscode.l10n.t('Dismiss Redundant Call');
    const named = namedFlag(target) ?? (await findFlag(transcripts, title, (flag) => flag.verdict !== verdict));
    if (named !== undefined) await set(named, verdict);
  };
  return {
    'rolloutLens.confirmFlag': (target) => judge(target, 'confirmed'),
    'rolloutLens.dismissFlag': (target) => judge(target, 'dismissed'),
    'rolloutLens.undoVerdict': async (target) => {
      const judged = (flag: ShownFlag) => flag.verdict !== null;
      const named =
        namedFlag(target) ??
        (await flagAtCursor(transcripts, judged)) ??
        given.at(-1) ??
        (await findFlag(transcripts, vscode.l10n.t('Undo Verdict'), judged));
      if (named !== undefined) await set(named, null);
    },
    'rolloutLens.exportVerdicts': () => exportVerdicts(session),
    'rolloutLens.importVerdicts': async () => {
      if (await importVerdicts(session)) await transcripts.refresh(null);
    },
  };
}

function namedFlag(target: unknown): NamedFlag | null {
  const ref = asRolloutRef(target);
  if (ref === null || !isObject(target) || typeof target.flag !== 'string') return null;
  return { ref, flag: target.flag };
}

type Wanted = (flag: ShownFlag) => boolean;

async function activeTranscript(
  transcripts: OpenTranscripts,
): Promise<{ readonly shown: ShownTranscript; readonly line: number } | null> {
  const editor = vscode.window.activeTextEditor;
  const shown = editor === undefined ? null : await transcripts.shown(editor.document);
  return editor === undefined || shown === null ? null : { shown, line: editor.selection.active.line };
}

/** The flag at the cursor where there is exactly one that is wanted. */
async function flagAtCursor(transcripts: OpenTranscripts, wanted: Wanted): Promise<NamedFlag | undefined> {
  const active = await activeTranscript(transcripts);
  if (active === null) return undefined;
  const [flag, ...others] = flagsAt(active.shown, active.line).filter(wanted);
  return flag === undefined || others.length > 0 ? undefined : { ref: active.shown.address.ref, flag: flag.id };
}

/** The flag at the cursor; asks where there are several, or none there but some elsewhere in the transcript. */
async function findFlag(transcripts: OpenTranscripts, title: string, wanted: Wanted): Promise<NamedFlag | undefined> {
  const active = await activeTranscript(transcripts);
  const { l10n } = vscode;
  if (active === null)
    throw new UserError(l10n.t('No trajectory is open.'), l10n.t('Open one with "Open Trajectory…".'));
  const { shown, line } = active;
  const here = flagsAt(shown, line).filter(wanted);
  // A hint is judged where it stands; a list of the whole transcript holds what counts.
  const offered =
    here.length > 0 ? here : shown.flags.flags.filter((flag) => flag.confidence !== 'hint' && wanted(flag));
  if (offered.length === 0)
    throw new UserError(l10n.t('Nothing in this trajectory is flagged as redundant, or all of it is judged.'));
  const { ref } = shown.address;
  const [only] = offered;
  if (here.length === 1 && only !== undefined) return { ref, flag: only.id };
  const items = offered.map((flag) => ({
    label: flag.call === null ? l10n.t('the rollout') : l10n.t('call {0}', flag.call + 1),
    description: withoutIcons(flag.sentence),
    detail: flag.rule,
    id: flag.id,
  }));
  const picked = await vscode.window.showQuickPick(items, { title });
  return picked === undefined ? undefined : { ref, flag: picked.id };
}

const jsonLines = (): Record<string, string[]> => ({ [vscode.l10n.t('JSON lines')]: ['jsonl'] });

async function exportVerdicts(session: Session): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const target = await vscode.window.showSaveDialog({
    ...(folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder, 'verdicts.jsonl') }),
    filters: jsonLines(),
    title: vscode.l10n.t('Export Verdicts'),
  });
  if (target === undefined) return;
  if (target.scheme !== 'file') throw notOnDisk(target);
  const count = await session.engine.exportVerdicts({ path: target.fsPath });
  const message = vscode.l10n.t('Verdicts written to {0}: {1}.', target.fsPath, countText(count));
  void vscode.window.showInformationMessage(withoutLinks(message));
}

/** True where a file was read. */
async function importVerdicts(session: Session): Promise<boolean> {
  const chosen = await vscode.window.showOpenDialog({ filters: jsonLines(), title: vscode.l10n.t('Import Verdicts') });
  const [file] = chosen ?? [];
  if (file === undefined) return false;
  if (file.scheme !== 'file') throw notOnDisk(file);
  const { added, badLines } = await session.engine.importVerdicts({ path: file.fsPath });
  const read = vscode.l10n.t('Verdicts read from {0}: {1}.', file.fsPath, countText(added));
  const bad = badLines === 0 ? '' : ` ${vscode.l10n.t('Lines that hold no verdict: {0}.', countText(badLines))}`;
  void vscode.window.showInformationMessage(withoutLinks(`${read}${bad}`));
  return true;
}
