/**
 * "Show Crops": the pictures of a rollout with the regions its calls looked at, in a panel beside the transcript; one at
 * a time, restored after a reload. Answers the page out of the engine; a click on a region shows its call.
 * Leaves out the page (webview/crops) and which regions there are (host/croppedPictures.ts).
 */
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import { asRolloutRef, type CommandTable } from '../../host/commandTable.ts';
import { croppedPictures } from '../../host/croppedPictures.ts';
import type { OpenTranscripts } from '../../host/openTranscripts.ts';
import { loadPage, portOfPanel, webviewOptions } from '../../host/panel.ts';
import { parseAddress } from '../../host/rolloutAddress.ts';
import { runPathOf } from '../../host/runPath.ts';
import type { Session } from '../../host/session.ts';
import type { CropsEvents, CropsHostApi } from '../../protocol/crops.ts';
import type { RolloutRef } from '../../protocol/engine.ts';
import { openConnection } from '../../protocol/rpc.ts';

/** View type of the panel, as `onWebviewPanel:` in the manifest names it. */
const viewType = 'rolloutLens.crops';

/** What the panel needs of the extension. */
export interface CropsDependencies {
  readonly context: vscode.ExtensionContext;
  readonly session: Session;
  readonly transcripts: OpenTranscripts;
}

/** A rollout, and where its run lies. */
interface Wanted {
  readonly ref: RolloutRef;
  readonly path: string;
}

interface OpenPanel {
  readonly show: (wanted: Wanted) => void;
}

let open: OpenPanel | null = null;

/** Registers the serializer, so that an open panel comes back after a reload. */
export function activateCrops(context: vscode.ExtensionContext, session: Session, transcripts: OpenTranscripts): void {
  context.subscriptions.push(
    vscode.window.registerWebviewPanelSerializer(viewType, {
      deserializeWebviewPanel: (restored) => {
        adopt(restored, { context, session, transcripts }, null);
        return Promise.resolve();
      },
    }),
  );
}

/** The command of the panel, merged into the table of views/commands.ts. */
export function cropsCommands(dependencies: CropsDependencies): CommandTable {
  const { context, session } = dependencies;
  return {
    'rolloutLens.showCrops': (target) => {
      const ref = asRolloutRef(target) ?? activeRollout();
      if (ref === null)
        throw new UserError(
          vscode.l10n.t('No trajectory is open.'),
          vscode.l10n.t('Open one with "Open Trajectory…".'),
        );
      const wanted = { ref, path: runPathOf(session, ref.run) };
      if (open) {
        open.show(wanted);
        return;
      }
      const title = vscode.l10n.t('Crops');
      const options = webviewOptions(context.extensionUri);
      const panel = vscode.window.createWebviewPanel(viewType, title, vscode.ViewColumn.Beside, options);
      adopt(panel, dependencies, wanted);
    },
  };
}

function activeRollout(): RolloutRef | null {
  const uri = vscode.window.activeTextEditor?.document.uri;
  return uri === undefined ? null : (parseAddress(uri)?.ref ?? null);
}

function adopt(panel: vscode.WebviewPanel, dependencies: CropsDependencies, first: Wanted | null): void {
  const { context, session, transcripts } = dependencies;
  let current = first;
  const known = (): Wanted => {
    if (current !== null) return current;
    throw new UserError(vscode.l10n.t('Choose a rollout with "Show Crops" in its transcript.'));
  };
  const connection = openConnection(portOfPanel(panel));
  connection.serve<CropsHostApi>({
    pictures: async ({ kept }, signal) => {
      current ??= asWanted(kept);
      const wanted = known();
      const { flags, marks, title } = await session.engine.transcript({ ...wanted, rest: null }, signal);
      const pictures = croppedPictures({ address: { ...wanted, rest: null }, flags, marks });
      return { title, kept: wanted, pictures };
    },
    bytes: ({ image, first: from }, signal) => session.engine.image({ ...known(), image, first: from }, signal),
    reveal: async ({ call }) => {
      await vscode.commands.executeCommand('rolloutLens.revealCall', { ...known().ref, call });
      return null;
    },
  });
  const events = connection.emitter<CropsEvents>();
  const changed = () => {
    // A hidden page is gone, and asks again when it is shown.
    if (panel.visible) events.changed({});
  };
  const mine: OpenPanel = {
    show: (wanted) => {
      current = wanted;
      changed();
      panel.reveal(undefined, false);
    },
  };
  open = mine;
  const listener = transcripts.onDidChange((uri) => {
    const ref = parseAddress(uri)?.ref;
    if (ref && current && ref.run === current.ref.run && ref.file === current.ref.file && ref.row === current.ref.row)
      changed();
  });
  panel.onDidDispose(() => {
    if (open === mine) open = null;
    connection.dispose();
    listener.dispose();
  });
  loadPage(panel.webview, context.extensionUri, { script: 'crops.js', style: 'crops.css', title: panel.title });
}

/** What a page kept, checked: it comes from VS Code's storage. */
function asWanted(kept: unknown): Wanted | null {
  if (!isObject(kept) || typeof kept.path !== 'string') return null;
  const ref = asRolloutRef(kept.ref);
  return ref === null ? null : { ref, path: kept.path };
}
