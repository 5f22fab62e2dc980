/**
 * The context key `rolloutLens.runPaths`, by which menus show on a .json file only if it is a run, or lies in a folder of
 * one: episodes lie in thousands of folders, which the engine names. Leaves out files that their names alone tell.
 */
import * as vscode from 'vscode';
import type { Session } from '../../host/session.ts';
import type { RunId, RunSummary } from '../../protocol/engine.ts';

/** True for a run of one such file: the others are folders, which hold `.json` logs or do not. */
function isJson({ path }: RunSummary): boolean {
  return /\.json$/i.test(path);
}

interface Folders {
  /** Of the run, when they were asked for. */
  readonly files: number;
  readonly folders: readonly string[];
}

/** Sets the key as runs and their files come and go. */
export function keepRunPaths(session: Session): vscode.Disposable {
  const known = new Map<RunId, Folders>();
  let written = '';
  const foldersOf = (id: RunId) => known.get(id)?.folders ?? [];
  const write = () => {
    const paths = [...new Set(session.runs.flatMap((run) => (isJson(run) ? [run.path] : foldersOf(run.id))))];
    const text = paths.join('\n');
    if (text === written) return;
    written = text;
    void vscode.commands.executeCommand('setContext', 'rolloutLens.runPaths', paths);
  };
  const update = () => {
    write();
    // A question would start an engine that has died.
    if (session.engineState !== 'running') return;
    for (const run of session.runs) {
      const { id, files } = run;
      if (isJson(run) || known.get(id)?.files === files) continue;
      known.set(id, { files, folders: foldersOf(id) });
      session.engine.jsonFolders({ run: id }).then(
        (folders) => {
          known.set(id, { files, folders });
          write();
        },
        // The run was closed, or the engine ended: then it is asked again when the run is back.
        () => known.delete(id),
      );
    }
  };
  update();
  return session.onDidChangeRuns(update);
}
