/**
 * The table of all commands: the tables of the views, merged, and registered with one way of handling what they throw.
 * A test holds that these ids are the manifest's. Leaves out what a command does (each view's table).
 */
import * as vscode from 'vscode';
import type { CommandTable } from '../host/commandTable.ts';
import { notify } from '../host/notify.ts';
import type { OpenTranscripts } from '../host/openTranscripts.ts';
import type { ReplayModels } from '../host/replayModels.ts';
import type { Session } from '../host/session.ts';
import { annotationsCommands, type AnnotationsControls } from './annotations/activateAnnotations.ts';
import { chartsCommands } from './charts/activateCharts.ts';
import { cropsCommands } from './crops/activateCrops.ts';
import { curateCommands } from './curate/activateCurate.ts';
import { fieldMappingCommands } from './fieldMapping/activateFieldMapping.ts';
import { modelsCommands } from './models/activateModels.ts';
import { redundancyCommands } from './redundancy/activateRedundancy.ts';
import { replayCommands } from './replay/activateReplay.ts';
import { runsTreeCommands, type RunsTreeControls } from './runsTree/runsTreeCommands.ts';
import type { TokenViewControls } from './transcript/tokenView.ts';
import { transcriptCommands } from './transcript/transcriptCommands.ts';

/** What the tables are made from. */
export interface CommandDependencies {
  readonly context: vscode.ExtensionContext;
  readonly session: Session;
  readonly runsTree: RunsTreeControls;
  readonly transcripts: OpenTranscripts;
  readonly tokenView: TokenViewControls;
  readonly annotations: AnnotationsControls;
  readonly models: ReplayModels;
}

/** Registers every command of the extension. */
export function registerCommands(dependencies: CommandDependencies): void {
  const { context, session } = dependencies;
  const table: CommandTable = {
    ...runsTreeCommands(dependencies),
    ...transcriptCommands(dependencies),
    ...annotationsCommands(dependencies),
    ...redundancyCommands(dependencies),
    ...cropsCommands(dependencies),
    ...replayCommands(dependencies),
    ...modelsCommands(dependencies),
    ...chartsCommands(dependencies),
    ...curateCommands(dependencies),
    ...fieldMappingCommands(dependencies),
  };
  for (const [id, handler] of Object.entries(table)) {
    context.subscriptions.push(
      vscode.commands.registerCommand(id, async (...args: readonly unknown[]) => {
        try {
          return await handler(...args);
        } catch (error) {
          notify(error, session.log);
          return undefined;
        }
      }),
    );
  }
}
