/**
 * The Curate panel: opened by a command for one or several runs, restored after a reload, one at a time. Owns the panel's
 * life and what it is told, and the commands of the judge's key. Nothing is written and nothing is sent unless asked.
 * Leaves out the page (webview/curate), its questions (curateQuestions.ts) and the filters (the engine's).
 */
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { asRunId, type CommandTable } from '../../host/commandTable.ts';
import { notify } from '../../host/notify.ts';
import { loadPage, portOfPanel, webviewOptions } from '../../host/panel.ts';
import type { ReplayModels } from '../../host/replayModels.ts';
import type { Session } from '../../host/session.ts';
import type { CurateEvents, CurateHostApi } from '../../protocol/curatePage.ts';
import type { RunId } from '../../protocol/engine.ts';
import { openConnection } from '../../protocol/rpc.ts';
import { curateQuestions } from './curateQuestions.ts';
import { runsOf } from './curateRuns.ts';
import { openWorks, type Works } from './works.ts';

/** View type of the panel, as `onWebviewPanel:` in the manifest names it. */
const viewType = 'rolloutLens.curate';

/** What the view needs of the extension. */
export interface CurateDependencies {
  readonly context: vscode.ExtensionContext;
  readonly session: Session;
  /** Who can generate tool-free samples. */
  readonly models: ReplayModels;
}

/** The panel while it is open. */
interface OpenPanel {
  readonly ask: (runs: readonly RunId[]) => void;
}

let open: OpenPanel | null = null;
let works: Works | null = null;

/** Registers the serializer, so that an open panel comes back after a reload. */
export function activateCurate(context: vscode.ExtensionContext, session: Session, models: ReplayModels): void {
  context.subscriptions.push(
    { dispose: () => works?.dispose() },
    vscode.window.registerWebviewPanelSerializer(viewType, {
      deserializeWebviewPanel: (restored) => {
        adopt(restored, { context, session, models }, null);
        return Promise.resolve();
      },
    }),
  );
}

/** The commands of the view, merged into the table of views/commands.ts. */
export function curateCommands(dependencies: CurateDependencies): CommandTable {
  const { context, session } = dependencies;
  return {
    'rolloutLens.curateRun': (target, selected) => {
      const runs = runsNamed(target, selected);
      const asked = runs.length > 0 ? runs : session.selection === null ? [] : [session.selection.run];
      if (open) {
        open.ask(asked);
        return;
      }
      const title = vscode.l10n.t('Curate');
      const options = webviewOptions(context.extensionUri);
      const panel = vscode.window.createWebviewPanel(viewType, title, vscode.ViewColumn.Active, options);
      adopt(panel, dependencies, asked);
    },
    'rolloutLens.setJudgeKey': async () => {
      const { l10n } = vscode;
      const endpoint = endpointOf(session);
      const key = await vscode.window.showInputBox({
        title: l10n.t('Set Judge Key'),
        prompt: l10n.t('Key for {0}. It is kept in the secret storage and sent to no other host.', endpoint),
        password: true,
        ignoreFocusOut: true,
      });
      if (key !== undefined && key.trim() !== '') await session.judge.setKey(key.trim());
    },
    'rolloutLens.removeJudgeKey': async () => {
      endpointOf(session);
      await session.judge.setKey(null);
    },
  };
}

/** The runs that a command is for: VS Code hands over the row of the menu, and all rows that are selected. */
function runsNamed(target: unknown, selected: unknown): readonly RunId[] {
  const all = Array.isArray(selected) && selected.includes(target) ? selected : [target];
  return [...new Set(all.flatMap((one: unknown) => asRunId(one) ?? []))];
}

function endpointOf(session: Session): string {
  const endpoint = session.judge.endpoint();
  if (endpoint !== null) return endpoint;
  const { l10n } = vscode;
  throw new UserError(
    l10n.t('No endpoint is set that a key could be for.'),
    l10n.t('Set "rolloutLens.judge.endpoint" in the settings of this machine.'),
  );
}

function adopt(
  panel: vscode.WebviewPanel,
  { context, session, models }: CurateDependencies,
  first: readonly RunId[] | null,
): void {
  let asked = first !== null && first.length > 0 ? first : null;
  works ??= openWorks(session);
  const shared = works;
  const connection = openConnection(portOfPanel(panel));
  connection.serve<CurateHostApi>({
    ...curateQuestions({ context, session, models, works: shared }),
    runs: () => {
      const since = asked;
      asked = null;
      return { ...runsOf(session, shared), asked: since };
    },
  });
  const events = connection.emitter<CurateEvents>();
  // A hidden page is gone and asks for everything when it is shown again.
  const whenVisible =
    <Value>(tell: (value: Value) => void) =>
    (value: Value) => {
      if (panel.visible) tell(value);
    };
  const runsChanged = whenVisible(() => {
    events.runsChanged(runsOf(session, shared));
  });
  const mine: OpenPanel = {
    ask: (runs) => {
      if (runs.length > 0) {
        if (panel.visible) events.runsAsked({ runs });
        else asked = runs;
      }
      panel.reveal();
    },
  };
  open = mine;
  const listeners = [
    session.onDidChangeRuns(runsChanged),
    session.onDidChangeSearch(runsChanged),
    session.onDidChangeSteps(
      whenVisible(({ run }) => {
        events.rowsChanged({ run });
      }),
    ),
    session.judge.onDidChange(
      whenVisible(() => {
        events.judgesChanged({});
      }),
    ),
    shared.onDidProgress(
      whenVisible((progress) => {
        events.progress(progress);
      }),
    ),
    shared.onDidEnd(
      whenVisible((what) => {
        events.ended({ what });
      }),
    ),
  ];
  panel.onDidDispose(() => {
    if (open === mine) open = null;
    connection.dispose();
    for (const listener of listeners) listener.dispose();
  });
  const page = { script: 'curate.js', style: 'curate.css', title: panel.title };
  loadPage(panel.webview, context.extensionUri, page);
  // Without the sidebar ever shown, nothing has looked for runs yet; a restored page only kept their ids.
  if (session.searchState.state === 'not started') {
    session.search().catch((error: unknown) => {
      notify(error, session.log);
    });
  }
}
