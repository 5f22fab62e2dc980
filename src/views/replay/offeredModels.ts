/**
 * The models of the player for other views: chosen by the same question, started in a process of their own.
 * Leaves out what is asked of them.
 */
import type * as vscode from 'vscode';
import type { ReplayModels } from '../../host/replayModels.ts';
import type { Session } from '../../host/session.ts';
import { chooseModel } from './chooseModel.ts';
import { choiceOf } from './modelSources.ts';
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
  };
}
