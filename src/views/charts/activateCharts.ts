/**
 * The charts panel: opened by a command, restored after a reload, fed with per-step curves when it asks for them.
 * Owns the panel's life and what it is told; drawing is the page's (webview/charts).
 */
import * as vscode from 'vscode';
import { asRunId, type CommandTable } from '../../host/commandTable.ts';
import { notify } from '../../host/notify.ts';
import { loadPage, portOfPanel, webviewOptions } from '../../host/panel.ts';
import type { Session } from '../../host/session.ts';
import type { ChartRuns, ChartsEvents, ChartsHostApi } from '../../protocol/charts.ts';
import type { RunId, RunSummary } from '../../protocol/engine.ts';
import { openConnection } from '../../protocol/rpc.ts';
import { wholeCurves } from './wholeCurves.ts';

/** View type of the panel, as `onWebviewPanel:` in the manifest names it. */
const viewType = 'rolloutLens.charts';
/** What the charts need of the extension. */
export interface ChartsDependencies {
  readonly context: vscode.ExtensionContext;
  readonly session: Session;
}

/** The panel while it is open: there is one, and a command shows its run in it. */
interface OpenPanel {
  readonly reveal: () => void;
  readonly ask: (run: RunId) => void;
}

let open: OpenPanel | null = null;

/** Registers the serializer, so that an open panel comes back after a reload. */
export function activateCharts(context: vscode.ExtensionContext, session: Session): void {
  context.subscriptions.push(
    vscode.window.registerWebviewPanelSerializer(viewType, {
      deserializeWebviewPanel: (restored) => {
        adopt(restored, { context, session }, null);
        // Its runs are looked for again, since the page only kept their ids.
        session.search().catch((error: unknown) => {
          notify(error, session.log);
        });
        return Promise.resolve();
      },
    }),
  );
}

/** Commands of the charts, merged into the table of views/commands.ts. */
export function chartsCommands({ context, session }: ChartsDependencies): CommandTable {
  return {
    'rolloutLens.showCharts': (argument) => {
      const wanted = asRunId(argument);
      if (open) {
        if (wanted !== null) open.ask(wanted);
        open.reveal();
        return;
      }
      const title = vscode.l10n.t('Rollout Lens Charts');
      const options = webviewOptions(context.extensionUri);
      adopt(
        vscode.window.createWebviewPanel(viewType, title, vscode.ViewColumn.Active, options),
        { context, session },
        wanted ?? session.selection?.run ?? null,
      );
      // Without the sidebar ever shown, nothing has looked for runs yet.
      if (session.searchState.state === 'not started') {
        session.search().catch((error: unknown) => {
          notify(error, session.log);
        });
      }
    },
  };
}

function adopt(made: vscode.WebviewPanel, { context, session }: ChartsDependencies, first: RunId | null): void {
  let asked: readonly RunId[] = first === null ? [] : [first];
  const connection = openConnection(portOfPanel(made));
  connection.serve<ChartsHostApi>({
    runs: () => {
      const since = asked;
      asked = [];
      return { ...chartRuns(session), asked: since };
    },
    curves: ({ run }, signal) => wholeCurves(session.engine, run, signal),
    revealStep: async ({ run, step }) => {
      await vscode.commands.executeCommand('rolloutLens.revealStep', { run, step });
      return null;
    },
    save: async ({ name, text }) => {
      await save(name, text);
      return null;
    },
  });
  const events = connection.emitter<ChartsEvents>();
  const runsChanged = () => {
    // A hidden page is gone and asks for everything when it is shown again.
    if (made.visible) events.runsChanged(chartRuns(session));
  };
  const mine: OpenPanel = {
    reveal: () => {
      made.reveal();
    },
    ask: (run) => {
      if (made.visible) events.runAsked({ run });
      else asked = [...asked, run];
    },
  };
  open = mine;
  const listeners = [
    session.onDidChangeRuns(runsChanged),
    session.onDidChangeSearch(runsChanged),
    session.onDidChangeSteps(({ run }) => {
      if (made.visible) events.curvesChanged({ run });
    }),
  ];
  made.onDidDispose(() => {
    if (open === mine) open = null;
    connection.dispose();
    for (const listener of listeners) listener.dispose();
  });
  loadPage(made.webview, context.extensionUri, { script: 'charts.js', style: 'charts.css', title: made.title });
}

function chartRuns(session: Session): ChartRuns {
  const runs = session.runs.map((run: RunSummary) => ({
    id: run.id,
    name: run.name,
    producer: run.producer,
    colour: session.colourOf(run.id),
    rollouts: run.rollouts,
    hasSteps: run.hasSteps,
    hasRewards: run.hasRewards,
    indexing: run.state === 'indexing',
  }));
  return { runs, searching: session.searchState.state === 'searching' };
}

async function save(name: string, text: string): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const target = await vscode.window.showSaveDialog({
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, name) } : {}),
    filters: { [vscode.l10n.t('Comma-separated values')]: ['csv'] },
  });
  if (target) await vscode.workspace.fs.writeFile(target, Buffer.from(text, 'utf8'));
}
