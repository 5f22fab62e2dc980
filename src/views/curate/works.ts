/**
 * Long work of the Curate view (judging, exporting, generating): one of a kind at a time, shown as a notification with
 * Cancel, since it goes on when its page is hidden or closed, and told to the page while that is shown.
 * Leaves out reading, which the page asks for and cancels itself.
 */
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { countText } from '../../base/numberText.ts';
import type { Session } from '../../host/session.ts';
import type { CurateProgress, CurateWork } from '../../protocol/curatePage.ts';

/** What is being done. */
export interface Works extends vscode.Disposable {
  /** Null where nothing is. */
  current(): CurateProgress | null;
  /** Does it under a notification with this title; rejects with an AbortError when it is cancelled. */
  run<Result>(
    what: CurateWork,
    title: string,
    work: (signal: AbortSignal, report: (done: number, of: number) => void) => Promise<Result>,
  ): Promise<Result>;
  cancel(what: CurateWork): void;
  readonly onDidProgress: vscode.Event<CurateProgress>;
  readonly onDidEnd: vscode.Event<CurateWork>;
}

interface Running {
  readonly controller: AbortController;
  progress: CurateProgress;
  show: (progress: CurateProgress) => void;
}

/** Opens the list of works, empty. */
export function openWorks(session: Session): Works {
  const running = new Map<CurateWork, Running>();
  const progressed = new vscode.EventEmitter<CurateProgress>();
  const ended = new vscode.EventEmitter<CurateWork>();
  const tell = (progress: CurateProgress) => {
    const work = running.get(progress.what);
    if (work) {
      work.progress = progress;
      work.show(progress);
    }
    progressed.fire(progress);
  };
  const listener = session.onDidProgressCuration(tell);
  return {
    current: () => [...running.values()][0]?.progress ?? null,
    run: async (what, title, work) => {
      if (running.has(what)) throw new UserError(vscode.l10n.t('This is already being done.'));
      const controller = new AbortController();
      const entry: Running = { controller, progress: { what, done: 0, of: 0 }, show: () => undefined };
      running.set(what, entry);
      progressed.fire(entry.progress);
      const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
      try {
        return await vscode.window.withProgress(options, (bar, token) => {
          token.onCancellationRequested(() => {
            controller.abort();
          });
          let shown = 0;
          entry.show = ({ done, of }) => {
            if (of === 0) return;
            const percent = (100 * done) / of;
            const message = vscode.l10n.t('{0} of {1}', countText(done), countText(of));
            bar.report({ message, increment: Math.max(0, percent - shown) });
            shown = Math.max(shown, percent);
          };
          return work(controller.signal, (done, of) => {
            tell({ what, done, of });
          });
        });
      } finally {
        running.delete(what);
        ended.fire(what);
      }
    },
    cancel: (what) => {
      running.get(what)?.controller.abort();
    },
    onDidProgress: progressed.event,
    onDidEnd: ended.event,
    dispose: () => {
      for (const { controller } of running.values()) controller.abort();
      listener.dispose();
      progressed.dispose();
      ended.dispose();
    },
  };
}
