/**
 * The models of the player for other views: known, chosen by the same question, started in a process of their own, added,
 * checked and removed. Leaves out what is asked of them, and the view that lists them (views/models).
 */
import type * as vscode from 'vscode';
import type { ReplayModels } from '../../host/replayModels.ts';
import type { Session } from '../../host/session.ts';
import { checkModel } from './checkModel.ts';
import { chooseModel } from './chooseModel.ts';
import { downloadFromHub, resumeDownload } from './downloadModel.ts';
import { onDidChangeModels } from './modelChecks.ts';
import { addFolder, addModelOf } from './modelFolders.ts';
import { choiceOf, knownModels } from './modelSources.ts';
import { removeModel } from './removeModel.ts';
import { makeReplayer } from './startReplayer.ts';

/** The models of this window. */
export function offeredModels(context: vscode.ExtensionContext, { log }: Session): ReplayModels {
  const nothing = () => undefined;
  return {
    choose: async (title) => {
      const id = await chooseModel(context, { title, current: null });
      if (id === undefined || id === null) return null;
      const { name, choice } = await choiceOf(context, id, null);
      const events = { scored: nothing, branchText: nothing, progress: nothing };
      return {
        name,
        server: choice.kind === 'remote' ? choice.endpoint : null,
        start: () => makeReplayer({ context, log, choice, events, state: nothing }),
      };
    },
    known: () => knownModels(context),
    onDidChange: onDidChangeModels,
    addFolder: () => addFolder(context),
    addPrecision: async ({ folder }) => (folder === null ? undefined : addModelOf(context, folder)),
    download: () => downloadFromHub(context),
    resume: ({ folder }) => resumeDownload(context, folder),
    remove: (model) => removeModel(context, model),
    check: (model) => checkModel({ context, log }, model),
  };
}
