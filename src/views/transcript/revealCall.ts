/**
 * "Reveal Call": shows a rollout's transcript at one of its calls or turns, the cursor on its heading. For links of
 * hovers, CodeLens and pictures. Leaves out how a rollout is chosen (its name is the argument).
 */
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import { asIndex } from '../../host/commandTable.ts';
import { parseAddress } from '../../host/rolloutAddress.ts';
import type { Mark } from '../../protocol/transcript.ts';
import { currentRollout } from './currentRollout.ts';
import { sameRollout } from './rolloutLabels.ts';
import { showTranscript, uriOf, type TranscriptDependencies } from './showTranscript.ts';

/** Reveals call `call` or turn `turn` (0-based) of the rollout that the argument names. */
export async function revealCall(dependencies: TranscriptDependencies, argument: unknown): Promise<void> {
  const ref = currentRollout(argument);
  const call = isObject(argument) ? asIndex(argument.call) : null;
  const turn = isObject(argument) ? asIndex(argument.turn) : null;
  // Beside a picture the transcript may stand in another group: there it is shown, not opened again.
  const shownIn = vscode.window.visibleTextEditors.find(({ document }) => {
    const address = parseAddress(document.uri);
    return address !== null && address.rest === null && sameRollout(address.ref, ref);
  });
  await showTranscript(dependencies, ref, shownIn?.viewColumn === undefined ? {} : { viewColumn: shownIn.viewColumn });
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.uri.toString() !== uriOf(dependencies.session, ref).toString()) return;
  const shown = await dependencies.transcripts.shown(editor.document);
  const mark = shown?.marks.find((one) => isWanted(one, { call, turn }));
  if (mark === undefined) throw new UserError(vscode.l10n.t('This place is not in the transcript (any more).'));
  const start = new vscode.Position(mark.line, 0);
  editor.selection = new vscode.Selection(start, start);
  editor.revealRange(new vscode.Range(start, start), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

function isWanted(mark: Mark, { call, turn }: { readonly call: number | null; readonly turn: number | null }): boolean {
  return call === null ? mark.kind === 'turn' && mark.turn === turn : mark.kind === 'call' && mark.call === call;
}
