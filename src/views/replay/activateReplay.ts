/**
 * The player as VS Code sees it: its commands, its one panel that comes back after a reload, and the documents of
 * branches. Leaves out what happens in the panel (playerPanel.ts).
 */
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { asRolloutRef, asUri, type CommandTable } from '../../host/commandTable.ts';
import { onSettingChange } from '../../host/config.ts';
import { webviewOptions } from '../../host/panel.ts';
import { parseAddress } from '../../host/rolloutAddress.ts';
import { runPathOf } from '../../host/runPath.ts';
import type { OpenTranscripts } from '../../host/openTranscripts.ts';
import type { Session } from '../../host/session.ts';
import type { SettingKey } from '../../host/settings.ts';
import type { RolloutRef } from '../../protocol/engine.ts';
import type { PlayerKept } from '../../protocol/player.ts';
import { registerBranchDocuments } from './branchDocuments.ts';
import { installCuda } from './cudaSupport.ts';
import { removeDownloaded } from './downloadModel.ts';
import { followEpisode } from './linkedTranscript.ts';
import { adoptPlayer, keptBranches, type PlayerDependencies, type PlayerPanel } from './playerPanel.ts';
import { setServerKey } from './serverKey.ts';
import { replayStep } from './stepReplay.ts';

/** View type of the panel, as `onWebviewPanel:` in the manifest names it. */
const viewType = 'rolloutLens.replay';

/** The settings that a model is loaded with: a change loads it again. */
const modelSettings: readonly SettingKey[] = [
  'replay.provider',
  'replay.chunk',
  'replay.memoryBudgetMegabytes',
  'replay.nodePath',
  'replay.endpoint',
  'replay.endpointModel',
  'replay.endpointTokenizer',
  'replay.endpointConcurrency',
];

let open: PlayerPanel | null = null;

/** Registers the serializer, so that an open player comes back after a reload, and the documents of branches. */
export function activateReplay(context: vscode.ExtensionContext, session: Session, transcripts: OpenTranscripts): void {
  registerBranchDocuments(context, { engine: session.engine, branches: keptBranches(context) });
  context.subscriptions.push(
    onSettingChange(modelSettings, () => {
      open?.reload().catch((error: unknown) => session.log.error(String(error)));
    }),
  );
  context.subscriptions.push(
    vscode.window.registerWebviewPanelSerializer(viewType, {
      deserializeWebviewPanel: (restored) => {
        adopt(restored, { context, session, transcripts }, null);
        return Promise.resolve();
      },
    }),
  );
}

/** The commands of replays, merged into the table of views/commands.ts. */
export function replayCommands(dependencies: PlayerDependencies): CommandTable {
  const { context } = dependencies;
  return {
    'rolloutLens.replayEpisode': (target) => replayEpisode(dependencies, target),
    'rolloutLens.replayStep': (target) => replayStep(dependencies, target),
    'rolloutLens.chooseReplayModel': () => player().choose('main'),
    'rolloutLens.compareReplayModels': () => player().choose('other'),
    'rolloutLens.removeDownloadedModels': () => removeDownloaded(context),
    'rolloutLens.setReplayServerKey': async () => {
      if (await setServerKey(context)) await open?.reload();
    },
    'rolloutLens.installCudaSupport': async () => {
      if (await installCuda(context)) await open?.reload();
    },
    'rolloutLens.playReplay': () => {
      player().press(' ');
    },
    'rolloutLens.showNextReplayTurn': () => {
      player().press('ArrowRight');
    },
    'rolloutLens.showPreviousReplayTurn': () => {
      player().press('ArrowLeft');
    },
    'rolloutLens.showNextReplayCall': () => {
      player().press('ArrowDown');
    },
    'rolloutLens.showPreviousReplayCall': () => {
      player().press('ArrowUp');
    },
    'rolloutLens.showNextDecision': () => {
      player().press('.');
    },
    'rolloutLens.replayWithoutTool': () => {
      player().press('r');
    },
    'rolloutLens.showReplayKeys': () => {
      player().press('?');
    },
  };
}

function player(): PlayerPanel {
  if (open !== null) return open;
  throw new UserError(vscode.l10n.t('No replay is open.'), vscode.l10n.t('Open one with "Replay Episode…".'));
}

async function replayEpisode(dependencies: PlayerDependencies, target: unknown): Promise<void> {
  const ref = asRolloutRef(target) ?? rolloutAt(asUri(target)) ?? activeRollout() ?? (await askedRollout());
  if (ref === null) return;
  const wanted = { ref, path: runPathOf(dependencies.session, ref.run) };
  if (open !== null) {
    await followEpisode(dependencies.transcripts, open.current(), ref);
    open.show(wanted);
    return;
  }
  const options = webviewOptions(dependencies.context.extensionUri);
  const title = vscode.l10n.t('Replay');
  adopt(vscode.window.createWebviewPanel(viewType, title, vscode.ViewColumn.Beside, options), dependencies, wanted);
}

/** The transcript view knows how to ask for a rollout, and opens it: the player is linked with it. */
async function askedRollout(): Promise<RolloutRef | null> {
  await vscode.commands.executeCommand('rolloutLens.openTrajectory');
  return activeRollout();
}

function activeRollout(): RolloutRef | null {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputText ? rolloutAt(input.uri) : null;
}

function rolloutAt(uri: vscode.Uri | null): RolloutRef | null {
  return uri === null ? null : (parseAddress(uri)?.ref ?? null);
}

function adopt(panel: vscode.WebviewPanel, dependencies: PlayerDependencies, first: PlayerKept | null): void {
  const made = adoptPlayer(panel, dependencies, {
    first,
    closed: (closed) => {
      if (open === closed) open = null;
    },
  });
  open = made;
}
