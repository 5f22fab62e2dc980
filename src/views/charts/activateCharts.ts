/**
 * The charts panel: opened by a command, restored after a reload, fed with per-step curves when it asks for them.
 * Owns the panel's life and what it is told; drawing is the page's (webview/charts).
 */
import * as vscode from 'vscode';
import { asRunId, type CommandTable } from '../../host/commandTable.ts';
import { notify } from '../../host/notify.ts';
import { loadPage, portOfPanel, webviewOptions } from '../../host/panel.ts';
import type { Session } from '../../host/session.ts';
import type { AskedView, ChartRuns, ChartsEvents, ChartsHostApi } from '../../protocol/charts.ts';
import type { RunId, RunSummary } from '../../protocol/engine.ts';
import { openConnection, type ParamsOf } from '../../protocol/rpc.ts';
import { copyLink, registerLinks } from './openLink.ts';
import { pageQuestions } from './pageQuestions.ts';
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
  readonly askView: (view: AskedView) => void;
  readonly askLink: () => void;
}

let open: OpenPanel | null = null;

/** Registers the serializer, so that an open panel comes back after a reload. */
export function activateCharts(context: vscode.ExtensionContext, session: Session): void {
  context.subscriptions.push(
    vscode.window.registerWebviewPanelSerializer(viewType, {
      deserializeWebviewPanel: (restored) => {
        adopt(restored, { context, session }, { runs: [], view: null });
        // Its runs are looked for again, since the page only kept their ids.
        session.search().catch((error: unknown) => {
          notify(error, session.log);
        });
        return Promise.resolve();
      },
    }),
  );
  registerLinks(context, session, (view) => {
    if (open) {
      open.askView(view);
      open.reveal();
    } else openPanel({ context, session }, { runs: [], view });
  });
}

/** What is to be shown besides what the page remembers. */
interface Asked {
  readonly runs: readonly RunId[];
  readonly view: AskedView | null;
}

function openPanel(dependencies: ChartsDependencies, asked: Asked): void {
  const title = vscode.l10n.t('Rollout Lens Charts');
  const options = webviewOptions(dependencies.context.extensionUri);
  adopt(vscode.window.createWebviewPanel(viewType, title, vscode.ViewColumn.Active, options), dependencies, asked);
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
      const first = wanted ?? session.selection?.run ?? null;
      openPanel({ context, session }, { runs: first === null ? [] : [first], view: null });
      // Without the sidebar ever shown, nothing has looked for runs yet.
      if (session.searchState.state === 'not started') {
        session.search().catch((error: unknown) => {
          notify(error, session.log);
        });
      }
    },
    'rolloutLens.copyChartsLink': () => {
      open?.askLink();
    },
  };
}

function adopt(made: vscode.WebviewPanel, { context, session }: ChartsDependencies, first: Asked): void {
  let asked = first;
  const connection = openConnection(portOfPanel(made));
  connection.serve<ChartsHostApi>({
    runs: () => {
      const since = asked;
      asked = { runs: [], view: null };
      return { ...chartRuns(session), asked: since.runs, view: since.view };
    },
    copyLink: async (view) => {
      await copyLink(view, session, context);
      return null;
    },
    ...pageQuestions(session),
    curves: ({ run }, signal) => wholeCurves(session.engine, run, signal),
    revealStep: async ({ run, step }) => {
      await vscode.commands.executeCommand('rolloutLens.revealStep', { run, step });
      return null;
    },
    save: async (exported) => {
      await save(exported);
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
      else asked = { ...asked, runs: [...asked.runs, run] };
    },
    askView: (view) => {
      if (made.visible) events.viewAsked(view);
      else asked = { ...asked, view };
    },
    askLink: () => {
      if (made.visible) events.linkAsked({});
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
  const setVisible = (visible: boolean) => {
    void vscode.commands.executeCommand('setContext', 'rolloutLens.chartsVisible', visible);
  };
  made.onDidChangeViewState(() => {
    setVisible(made.visible);
  });
  setVisible(made.visible);
  made.onDidDispose(() => {
    if (open === mine) open = null;
    setVisible(false);
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

async function save({ name, kind, content }: ParamsOf<ChartsHostApi['save']>): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const kinds = {
    csv: vscode.l10n.t('Comma-separated values'),
    png: vscode.l10n.t('PNG picture'),
    svg: vscode.l10n.t('SVG picture'),
  };
  const target = await vscode.window.showSaveDialog({
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, name) } : {}),
    filters: { [kinds[kind]]: [kind] },
  });
  if (!target) return;
  await vscode.workspace.fs.writeFile(target, typeof content === 'string' ? Buffer.from(content, 'utf8') : content);
}
