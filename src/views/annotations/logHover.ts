/**
 * Hovers on raw log lines: the line's rollout in five lines, within 50 ms or not at all. The rollout is found by the
 * line's number; the line's text (megabytes) is never read here.
 * Leaves out CodeLens (logCodeLens.ts), what is remembered (logRows.ts) and the words (hoverText.ts).
 */
import * as vscode from 'vscode';
import { messageOf } from '../../base/errors.ts';
import type { Session } from '../../host/session.ts';
import type { KnownRow, LogRows } from './logRows.ts';
import { logLineHover } from './hoverText.ts';
import type { LogRecognition } from './logRecognition.ts';
import { hoverOf } from './markdown.ts';
import { withinTime } from './withinTime.ts';

/** Below 50 ms, so that the way to the editor fits in. */
const deadlineMs = 40;
/** For the sums alone: without them the row's numbers still come in time. */
const sumsDeadlineMs = 25;

/** What decides whether annotations are shown. */
export interface Visibility {
  readonly hidden: boolean;
}

/** What annotations of logs work with. */
export interface LogAnnotations {
  readonly session: Session;
  readonly recognition: LogRecognition;
  readonly rows: LogRows;
  readonly visibility: Visibility;
}

/** Hovers for the lines of rollout logs. */
export function logHoverProvider({ session, recognition, rows, visibility }: LogAnnotations): vscode.HoverProvider {
  const known = async (document: vscode.TextDocument, line: number): Promise<KnownRow | null> => {
    if (!(await recognition.isLog(document))) return null;
    const row = await rows.find(document.uri.fsPath, line);
    if (row === null) return null;
    return { row, explanation: await withinTime(rows.explain(row), sumsDeadlineMs).catch(() => null) };
  };
  return {
    provideHover: async (document, position) => {
      // Lines of unsaved text are not the lines of the file.
      if (visibility.hidden || document.isDirty) return null;
      try {
        const answer = await withinTime(known(document, position.line), deadlineMs);
        if (answer === null) return null;
        const hasSteps = session.run(answer.row.ref.run)?.hasSteps ?? true;
        return hoverOf(logLineHover(answer.row, answer.explanation, { l10n: vscode.l10n, hasSteps }));
      } catch (error) {
        session.log.debug(`hover on ${document.uri.fsPath}: ${messageOf(error)}`);
        return null;
      }
    },
  };
}
