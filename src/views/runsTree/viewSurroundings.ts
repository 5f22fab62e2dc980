/**
 * Writes the view's surroundings (viewState.ts) into VS Code: message, description, context keys, and the thin progress
 * bar, which lasts as long as something is searched or read.
 */
import * as vscode from 'vscode';
import type { Session } from '../../host/session.ts';
import type { RolloutFilter } from '../../protocol/engine.ts';
import { viewState } from './viewState.ts';

/** Sets message, description and context keys as they are now. */
export function showViewState(view: vscode.TreeView<unknown>, session: Session, filter: RolloutFilter): void {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const localFolders = folders.filter((folder) => folder.uri.scheme === 'file').length;
  const { message, description, welcome, indexing, flat } = viewState(
    {
      runs: session.runs,
      search: session.searchState,
      engine: session.engineState,
      filter,
      localFolders,
      otherFolders: folders.length - localFolders,
    },
    vscode.l10n,
  );
  // TreeView's optional properties are cleared with '', since exactOptionalPropertyTypes forbids undefined.
  view.message = message ?? '';
  view.description = description ?? '';
  setContext('rolloutLens.welcome', welcome);
  setContext('rolloutLens.indexing', indexing);
  setContext('rolloutLens.filtered', flat);
  setContext(
    'rolloutLens.resumable',
    session.runs.some((run) => run.state === 'partial'),
  );
}

function setContext(key: string, value: string | boolean): void {
  void vscode.commands.executeCommand('setContext', key, value);
}

/** Shows the thin bar in the view while the session is busy. */
export function showProgress(viewId: string, session: Session): vscode.Disposable {
  let finish: (() => void) | null = null;
  const update = () => {
    const busy = session.searchState.state === 'searching' || session.runs.some((run) => run.state === 'indexing');
    const alive = session.engineState !== 'died';
    if (busy && alive && finish === null) {
      void vscode.window.withProgress(
        { location: { viewId } },
        () => new Promise<void>((resolve) => (finish = resolve)),
      );
    } else if (!(busy && alive) && finish !== null) {
      finish();
      finish = null;
    }
  };
  const subscriptions = [
    session.onDidChangeRuns(update),
    session.onDidChangeSearch(update),
    session.onDidChangeEngine(update),
    { dispose: () => finish?.() },
  ];
  update();
  return vscode.Disposable.from(...subscriptions);
}
