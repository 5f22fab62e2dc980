/**
 * What the charts page asks beside curves: samples, groups, sums and the doctor go to the engine as they are; transcripts
 * are opened by the commands of the transcript view. Leaves out the panel (activateCharts.ts).
 */
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import type { Session } from '../../host/session.ts';
import type { ChartsHostApi, RolloutText } from '../../protocol/charts.ts';
import type { Handlers } from '../../protocol/rpc.ts';
import type { TranscriptMessage } from '../../protocol/transcript.ts';

type PageQuestions = Pick<
  ChartsHostApi,
  | 'samples'
  | 'rowsOf'
  | 'groupOf'
  | 'biography'
  | 'promptKeys'
  | 'explain'
  | 'doctor'
  | 'redundancyCurves'
  | 'openRollout'
  | 'openCall'
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
    explain: (params, signal) => engine.explain(params, signal),
    doctor: (params, signal) => engine.doctor(params, signal),
    redundancyCurves: (params, signal) => engine.redundancyCurves(params, signal),
    openRollout: async ({ ref }) => {
      await vscode.commands.executeCommand('rolloutLens.openTrajectory', ref);
      return null;
    },
    openCall: async ({ ref, call }) => {
      await vscode.commands.executeCommand('rolloutLens.revealCall', { ...ref, call });
      return null;
    },
    compareRollouts: async ({ left, right }) => {
      await vscode.commands.executeCommand('rolloutLens.compareWith', { ...left, other: right });
      return null;
    },
    rolloutText: async ({ ref }, signal) => {
      const path = session.run(ref.run)?.path;
      if (path === undefined) throw new UserError(vscode.l10n.t('The run of this rollout is not open.'));
      return textOf(await engine.transcript({ ref, path, rest: null }, signal));
    },
  };
}

function textOf({ bytes, marks }: TranscriptMessage): RolloutText {
  const whole = new TextDecoder().decode(bytes);
  const text = whole.slice(0, mostCharacters);
  const lines = text.split('\n').length;
  return {
    text,
    cut: whole.length > text.length,
    turns: marks.flatMap((mark) =>
      mark.kind === 'turn' && mark.line < lines ? [{ line: mark.line, count: mark.count, label: mark.label }] : [],
    ),
    calls: marks.flatMap((mark) => {
      if (mark.kind !== 'call' || mark.line >= lines) return [];
      const { call, line, tool, latencyMs, redundant } = mark;
      return [{ call, line, tool, latencyMs, redundant }];
    }),
  };
}
