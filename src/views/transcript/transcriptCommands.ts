/**
 * The commands of transcripts as a table: id and what it does. Errors are shown by views/commands.ts.
 * Leaves out the providers (activateTranscript.ts).
 */
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import { asIndex, type CommandTable } from '../../host/commandTable.ts';
import { compareWith } from './compareWith.ts';
import { currentRollout } from './currentRollout.ts';
import { openImage } from './openImage.ts';
import { openInLog } from './openInLog.ts';
import { openTrajectory } from './openTrajectory.ts';
import { revealCall } from './revealCall.ts';
import { showGroup } from './showGroup.ts';
import type { TokenViewControls } from './tokenView.ts';
import { uriOf, type TranscriptDependencies } from './showTranscript.ts';

/** What the commands of transcripts work with. */
export interface TranscriptCommandDependencies extends TranscriptDependencies {
  readonly tokenView: TokenViewControls;
}

/** The handlers of transcripts by command id. */
export function transcriptCommands(dependencies: TranscriptCommandDependencies): CommandTable {
  const { session, tokenView } = dependencies;
  return {
    'rolloutLens.openTrajectory': (target) => openTrajectory(dependencies, target),
    'rolloutLens.compareWith': (target) => compareWith(session, target),
    'rolloutLens.showGroup': (target) => showGroup(dependencies, target),
    'rolloutLens.openInLog': (target) => openInLog(dependencies, target),
    'rolloutLens.showTokenValues': () => tokenView.choose(),
    'rolloutLens.openImage': (target) => openImage(session, target),
    'rolloutLens.revealCall': (target) => revealCall(dependencies, target),
    'rolloutLens.openRest': async (target) => {
      const ref = currentRollout(target);
      const turn = isObject(target) ? asIndex(target.turn) : null;
      const part = isObject(target) ? asIndex(target.part) : null;
      if (turn === null)
        throw new UserError(vscode.l10n.t('This command opens what a transcript leaves out of a turn.'));
      await vscode.window.showTextDocument(uriOf(session, ref, { turn, part: part ?? 0 }));
    },
  };
}
