/**
 * Where VS Code enters: the session, then one line a view. Nothing here reads a file or starts a process; the engine
 * starts with the first question a view asks. Leaves out everything else.
 */
import type * as vscode from 'vscode';
import 'vscode-jsonrpc/node';
import { openSession } from './host/openSession.ts';
import { activateAnnotations } from './views/annotations/activateAnnotations.ts';
import { activateCharts } from './views/charts/activateCharts.ts';
import { registerCommands } from './views/commands.ts';
import { activateCrops } from './views/crops/activateCrops.ts';
import { activateCurate } from './views/curate/activateCurate.ts';
import { activateFieldMapping } from './views/fieldMapping/activateFieldMapping.ts';
import { activateModels } from './views/models/activateModels.ts';
import { activateRedundancy } from './views/redundancy/activateRedundancy.ts';
import { activateReplay } from './views/replay/activateReplay.ts';
import { offeredModels } from './views/replay/offeredModels.ts';
import { activateRunsTree } from './views/runsTree/activateRunsTree.ts';
import { activateStatusBar } from './views/statusBar/activateStatusBar.ts';
import { activateTranscript } from './views/transcript/activateTranscript.ts';
import { activateTokenView } from './views/transcript/tokenView.ts';

/** Called by VS Code on the first of the manifest's activation events. */
export function activate(context: vscode.ExtensionContext): void {
  const session = openSession(context);
  context.subscriptions.push(session);
  const runsTree = activateRunsTree(context, session);
  const transcripts = activateTranscript(context, session);
  const tokenView = activateTokenView(context, session, transcripts);
  const annotations = activateAnnotations(context, session, transcripts);
  activateRedundancy(context, session, transcripts);
  activateCrops(context, session, transcripts);
  activateReplay(context, session, transcripts);
  const models = offeredModels(context, session);
  activateModels(context, session, models);
  activateCharts(context, session);
  activateCurate(context, session, models);
  activateFieldMapping(context, session);
  activateStatusBar(context, session);
  registerCommands({ context, session, runsTree, transcripts, tokenView, annotations, models });
}
