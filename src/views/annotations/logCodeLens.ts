/**
 * CodeLens above the records of a raw log: right or wrong, calls, reward, both advantages; a click opens the
 * transcript. Up to 20 MB, where VS Code itself stops. The records' lines come from the engine, page by page.
 * Leaves out transcripts (transcriptCodeLens.ts).
 */
import * as vscode from 'vscode';
import { isAbort, messageOf } from '../../base/errors.ts';
import { setting } from '../../host/config.ts';
import type { RolloutRow } from '../../protocol/engine.ts';
import { logLensTitle } from './lensText.ts';
import type { LogAnnotations } from './logHover.ts';

const largestBytes = 20_000_000;
const pageRows = 500;
/** Lines with a lens: a log of short records does not become a list of lenses. */
const mostRows = 10_000;

class RowLens extends vscode.CodeLens {
  constructor(
    range: vscode.Range,
    readonly row: RolloutRow,
    /** Rollouts on this line, of which `row` is the first. */
    readonly count: number,
  ) {
    super(range);
  }
}

/** CodeLens of rollout logs. */
export class LogCodeLens implements vscode.CodeLensProvider<RowLens>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.changed.event;

  constructor(private readonly parts: LogAnnotations) {}

  /** Asks for the lenses again: rollouts were read, or annotations were hidden or shown. */
  refresh(): void {
    this.changed.fire();
  }

  dispose(): void {
    this.changed.dispose();
  }

  async provideCodeLenses(document: vscode.TextDocument, token: vscode.CancellationToken): Promise<RowLens[]> {
    if (this.parts.visibility.hidden || document.isDirty || !setting('codeLens.enabled', document.uri)) return [];
    try {
      if (!(await this.parts.recognition.isLog(document))) return [];
      const { size } = await vscode.workspace.fs.stat(document.uri);
      return size > largestBytes ? [] : await this.lenses(document, token);
    } catch (error) {
      if (!isAbort(error)) this.parts.session.log.debug(`CodeLens on ${document.uri.fsPath}: ${messageOf(error)}`);
      return [];
    }
  }

  /** Called for lenses on the screen only, so these are the lines a hover may come to next. */
  resolveCodeLens(lens: RowLens): RowLens {
    this.parts.rows.prefetch(lens.row);
    const title = logLensTitle(lens.row, vscode.l10n);
    lens.command = {
      title: lens.count > 1 ? vscode.l10n.t('{0} rollouts, the first: {1}', lens.count, title) : title,
      command: 'rolloutLens.openTrajectory',
      arguments: [lens.row.ref],
    };
    return lens;
  }

  private async lenses(document: vscode.TextDocument, token: vscode.CancellationToken): Promise<RowLens[]> {
    const cancel = new AbortController();
    const listener = token.onCancellationRequested(() => {
      cancel.abort();
    });
    try {
      const all: RolloutRow[] = [];
      for (let first = 0; first < mostRows;) {
        const page = { path: document.uri.fsPath, first, count: pageRows };
        const { rows, total } = await this.parts.session.engine.linesOf(page, cancel.signal);
        for (const row of rows) if (row.line < document.lineCount) all.push(row);
        // A page may be shorter than asked for: a message has a limit.
        first += rows.length;
        if (rows.length === 0 || first >= total) break;
      }
      this.parts.rows.remember(document.uri.fsPath, all);
      return lensesOf(all);
    } finally {
      listener.dispose();
    }
  }
}

/** One lens a line: VS Code would show those of several rollouts beside each other. */
function lensesOf(rows: readonly RolloutRow[]): RowLens[] {
  const byLine = new Map<number, RolloutRow[]>();
  for (const row of rows) {
    const sameLine = byLine.get(row.line);
    if (sameLine) sameLine.push(row);
    else byLine.set(row.line, [row]);
  }
  return [...byLine].flatMap(([line, [first, ...others]]) =>
    first ? [new RowLens(new vscode.Range(line, 0, line, 0), first, others.length + 1)] : [],
  );
}
