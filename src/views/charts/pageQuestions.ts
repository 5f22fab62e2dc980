/**
 * What the charts page asks beside curves: samples, groups and the doctor go to the engine as they are; transcripts are
 * opened by the commands of the transcript view. Leaves out the panel (activateCharts.ts).
 */
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import type { Session } from '../../host/session.ts';
import type { ChartsHostApi } from '../../protocol/charts.ts';
import type { RolloutRef, RunId } from '../../protocol/engine.ts';
import type { Handlers } from '../../protocol/rpc.ts';

type PageQuestions = Pick<
  ChartsHostApi,
  | 'samples'
  | 'rowsOf'
  | 'groupOf'
  | 'biography'
  | 'promptKeys'
  | 'doctor'
  | 'redundancyCurves'
  | 'openRollout'
  | 'compareRollouts'
  | 'rolloutText'
>;

/** Characters of a transcript that the page shows beside another one. */
const mostCharacters = 200_000;

/** The handlers over a session. */
export function pageQuestions(session: Session): Handlers<PageQuestions> {
  const { engine } = session;
  return {
    samples: (params, signal) => engine.samples(params, signal),
    rowsOf: (params, signal) => engine.rowsOf(params, signal),
    groupOf: (params, signal) => engine.groupOf(params, signal),
    promptKeys: (params, signal) => engine.promptKeys(params, signal),
    biography: (params, signal) => engine.biography(params, signal),
    doctor: (params, signal) => engine.doctor(params, signal),
    redundancyCurves: (params, signal) => engine.redundancyCurves(params, signal),
    openRollout: async ({ run, ref }) => {
      await vscode.commands.executeCommand('rolloutLens.openTrajectory', refIn(run, ref));
      return null;
    },
    compareRollouts: async ({ run, left, right }) => {
      const argument = { ...refIn(run, left), other: refIn(run, right) };
      await vscode.commands.executeCommand('rolloutLens.compareWith', argument);
      return null;
    },
    rolloutText: async ({ run, ref }, signal) => {
      const path = session.run(run)?.path;
      if (path === undefined) throw new UserError(vscode.l10n.t('The run of this rollout is not open.'));
      const { bytes } = await engine.transcript({ ref: refIn(run, ref), path, rest: null }, signal);
      const text = new TextDecoder().decode(bytes);
      return { text: text.slice(0, mostCharacters), cut: text.length > mostCharacters };
    },
  };
}

function refIn(run: RunId, { file, row }: RolloutRef): RolloutRef {
  return { run, file, row };
}
