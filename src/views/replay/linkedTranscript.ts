/**
 * Player and transcript on the same turn: a transcript that is visible moves to the player's turn without taking the
 * focus, and the cursor in a transcript moves the player. A transcript is opened beside the player, never over it.
 * Leaves out the transcript itself (the transcript view).
 */
import * as vscode from 'vscode';
import type { OpenTranscripts } from '../../host/openTranscripts.ts';
import { parseAddress } from '../../host/rolloutAddress.ts';
import type { RolloutRef } from '../../protocol/engine.ts';

/** Shows a turn, or one of its calls, in the transcripts of the rollout that are visible. */
export async function followTurn(
  transcripts: OpenTranscripts,
  ref: RolloutRef,
  { turn, call }: { readonly turn: number; readonly call: number | null },
): Promise<void> {
  for (const editor of vscode.window.visibleTextEditors) {
    if (!isOf(editor.document.uri, ref)) continue;
    const shown = await transcripts.shown(editor.document);
    const mark = shown?.marks.find((one) =>
      call === null ? one.kind === 'turn' && one.turn === turn : one.kind === 'call' && one.call === call,
    );
    if (mark === undefined) continue;
    const start = new vscode.Position(mark.line, 0);
    editor.selection = new vscode.Selection(start, start);
    editor.revealRange(new vscode.Range(start, start), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }
}

/** Where the transcript of the old episode stands beside the player, that of the new one takes its place. */
export async function followEpisode(
  transcripts: OpenTranscripts,
  before: RolloutRef | null,
  next: RolloutRef,
): Promise<void> {
  if (before === null || visibleOf(next) !== undefined) return;
  const viewColumn = visibleOf(before)?.viewColumn;
  if (viewColumn === undefined) return;
  await vscode.window.showTextDocument(transcripts.uriOf(next), { viewColumn, preserveFocus: true });
}

/** Opens the transcript of a rollout in another column than the player's, where none is visible. */
export async function openBeside(
  transcripts: OpenTranscripts,
  ref: RolloutRef,
  panel: vscode.WebviewPanel,
): Promise<void> {
  if (visibleOf(ref) !== undefined) return;
  const viewColumn = columnBeside(panel);
  await vscode.window.showTextDocument(transcripts.uriOf(ref), { viewColumn, preserveFocus: true });
}

/** A column that does not hide the player: one that is there, else a new one. */
export function columnBeside(panel: vscode.WebviewPanel): vscode.ViewColumn {
  const other = vscode.window.tabGroups.all.find(({ viewColumn }) => viewColumn !== panel.viewColumn);
  return other?.viewColumn ?? vscode.ViewColumn.Beside;
}

function visibleOf(ref: RolloutRef): vscode.TextEditor | undefined {
  return vscode.window.visibleTextEditors.find(({ document }) => isOf(document.uri, ref));
}

/** Calls back with the turn in which the cursor of a transcript of the rollout stands. */
export function watchTurns(
  transcripts: OpenTranscripts,
  current: () => RolloutRef | null,
  told: (turn: number) => void,
): vscode.Disposable {
  return vscode.window.onDidChangeTextEditorSelection(({ textEditor, selections, kind }) => {
    // A selection that code has set (followTurn) has no kind; the user's is by mouse, keyboard or command.
    if (kind === undefined) return;
    const ref = current();
    const line = selections[0]?.active.line;
    if (ref === null || line === undefined || !isOf(textEditor.document.uri, ref)) return;
    transcripts.shown(textEditor.document).then(
      (shown) => {
        const mark = shown?.marks.find((one) => one.kind === 'turn' && one.line <= line && line < one.line + one.count);
        if (mark?.kind === 'turn') told(mark.turn);
      },
      () => undefined,
    );
  });
}

function isOf(uri: vscode.Uri, ref: RolloutRef): boolean {
  const address = parseAddress(uri);
  return (
    address !== null && address.ref.run === ref.run && address.ref.file === ref.file && address.ref.row === ref.row
  );
}
