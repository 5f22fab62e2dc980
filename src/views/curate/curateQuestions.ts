/**
 * What the Curate page asks: rows and counts go to the engine as they are; dialogs, judging and files are done here;
 * transcripts and settings are opened by commands. Leaves out the panel (activateCurate.ts).
 */
import * as vscode from 'vscode';
import type { CurateHostApi } from '../../protocol/curatePage.ts';
import type { ReplayModels } from '../../host/replayModels.ts';
import type { Handlers } from '../../protocol/rpc.ts';
import { curateRun } from './curateRuns.ts';
import { exportConfig, exportRows, importConfig } from './exporting.ts';
import { generateToolFree } from './generating.ts';
import { judgeRows, keepPrompt, promptOf, type JudgingDependencies } from './judging.ts';
import { openBaseLog, pickRuns } from './runPicks.ts';

/** What the answers are made from. */
export interface QuestionsDependencies extends JudgingDependencies {
  readonly models: ReplayModels;
}

/** The handlers over a session. */
export function curateQuestions(dependencies: QuestionsDependencies): Handlers<Omit<CurateHostApi, 'runs'>> {
  const { context, session, works } = dependencies;
  const { engine } = session;
  return {
    prepareCuration: (params, signal) => engine.prepareCuration(params, signal),
    funnel: (params, signal) => engine.funnel(params, signal),
    curationRows: (params, signal) => engine.curationRows(params, signal),
    overrule: (params, signal) => engine.overrule(params, signal),
    judgeAgreement: (params, signal) => engine.judgeAgreement(params, signal),
    chooseRuns: ({ chosen }) => pickRuns(session, chosen),
    openBase: async () => {
      const run = await openBaseLog(session);
      return run === null ? null : curateRun(run);
    },
    openRollout: async ({ ref }) => {
      await vscode.commands.executeCommand('rolloutLens.openTrajectory', ref);
      return null;
    },
    judges: () => session.judge.choices(),
    judgePrompt: ({ stage }) => promptOf({ context }, stage),
    setJudgePrompt: ({ stage, text }) => keepPrompt({ context }, stage, text),
    judge: (question) => judgeRows(question, dependencies),
    generate: (question) => generateToolFree(question, dependencies),
    exportRows: (question) => exportRows(question, session, works),
    cancel: ({ what }) => {
      works.cancel(what);
      return null;
    },
    exportConfig: ({ config }) => exportConfig(config),
    importConfig: () => importConfig(),
    run: async ({ command }) => {
      await runCommand(command);
      return null;
    },
  };
}

async function runCommand(command: Parameters<CurateHostApi['run']>[0]['command']): Promise<void> {
  switch (command) {
    case 'open a run':
      await vscode.commands.executeCommand('rolloutLens.openRun');
      return;
    case 'set the key':
      await vscode.commands.executeCommand('rolloutLens.setJudgeKey');
      return;
    case 'remove the key':
      await vscode.commands.executeCommand('rolloutLens.removeJudgeKey');
      return;
    case 'judge settings':
      await vscode.commands.executeCommand('workbench.action.openSettings', 'rolloutLens.judge');
      return;
  }
}
