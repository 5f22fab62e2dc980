/**
 * What is known about the records of open logs: rows by line (from the CodeLens pages) and the sums of single rows, so
 * that a hover mostly answers without asking. Dropped when a document closes or its run changes.
 * Leaves out what is shown (logHover.ts, logCodeLens.ts).
 */
import * as vscode from 'vscode';
import { messageOf } from '../../base/errors.ts';
import type { Session } from '../../host/session.ts';
import type { Explanation, RolloutRow } from '../../protocol/engine.ts';

/** A row and, once it is known, how its advantages were computed. */
export interface KnownRow {
  readonly row: RolloutRow;
  readonly explanation: Explanation | null;
}

/** The sums that are kept: some screens of lines. */
const keptExplanations = 500;

/** Rows of open logs. */
export interface LogRows extends vscode.Disposable {
  /** The rollout of a line, from what is known or from the engine; null where the line is none. */
  find(path: string, line: number): Promise<RolloutRow | null>;
  /** Remembers the rows of a file, in line order. */
  remember(path: string, rows: readonly RolloutRow[]): void;
  /** Asks for the sums behind a row; rejects as the engine does. */
  explain(row: RolloutRow): Promise<Explanation>;
  /** Asks ahead: the row is on the screen. */
  prefetch(row: RolloutRow): void;
}

/** Starts remembering. */
export function openLogRows(session: Session): LogRows {
  const rows = new Map<string, readonly RolloutRow[]>();
  const explanations = new Map<string, Promise<Explanation>>();
  const subscriptions = [
    session.onDidChangeSteps(() => {
      rows.clear();
      explanations.clear();
    }),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => rows.delete(uri.fsPath)),
  ];
  const explain = (row: RolloutRow): Promise<Explanation> => {
    const key = JSON.stringify(row.ref);
    const known = explanations.get(key);
    if (known) return known;
    const asked = session.engine.explain({ ref: row.ref });
    explanations.set(key, asked);
    asked.catch(() => explanations.delete(key));
    for (const oldest of explanations.keys()) {
      if (explanations.size <= keptExplanations) break;
      explanations.delete(oldest);
    }
    return asked;
  };
  return {
    find: async (path, line) => rowAt(rows.get(path) ?? [], line) ?? (await session.engine.locate({ path, line })),
    remember: (path, all) => rows.set(path, all),
    explain,
    prefetch: (row) => {
      explain(row).catch((error: unknown) => {
        session.log.debug(`${row.ref.file}: ${messageOf(error)}`);
      });
    },
    dispose: () => {
      for (const subscription of subscriptions) subscription.dispose();
      rows.clear();
      explanations.clear();
    },
  };
}

/** The first row that starts on this line (one line may hold several rollouts); lines inside a record of several lines are the engine's to place. */
function rowAt(rows: readonly RolloutRow[], line: number): RolloutRow | null {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.line ?? line) < line) low = middle + 1;
    else high = middle;
  }
  const found = rows[low];
  return found?.line === line ? found : null;
}
