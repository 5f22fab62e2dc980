/**
 * Which open text documents are rollout logs. The head decides whether the engine is asked at all, the engine's answer
 * is kept while the document is open. Leaves out what is shown on a log.
 */
import * as vscode from 'vscode';
import { messageOf } from '../../base/errors.ts';
import type { Session } from '../../host/session.ts';
import { looksLikeRolloutLog, sniffedCharacters } from './logSniff.ts';

/** Documents that may be logs: files on this disk. */
export const logSelector: vscode.DocumentSelector = [
  { scheme: 'file', language: 'jsonl' },
  { scheme: 'file', language: 'json' },
  { scheme: 'file', pattern: '**/*.{jsonl,ndjson}' },
];

/** Remembers which documents are rollout logs. */
export interface LogRecognition extends vscode.Disposable {
  isLog(document: vscode.TextDocument): Promise<boolean>;
}

/** Starts remembering. */
export function openLogRecognition(session: Session): LogRecognition {
  const known = new Map<string, Promise<boolean>>();
  const forget = (uri: vscode.Uri) => known.delete(uri.toString());
  const closed = vscode.workspace.onDidCloseTextDocument(({ uri }) => forget(uri));
  const changed = vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
    // A file that was empty when it was opened may have become a log.
    if (contentChanges.some(({ range }) => range.start.line === 0)) forget(document.uri);
  });
  const ask = async (document: vscode.TextDocument): Promise<boolean> => {
    if (document.uri.scheme !== 'file' || !looksLikeRolloutLog(headOf(document))) return false;
    try {
      return (await session.engine.fileKind({ path: document.uri.fsPath })).format !== null;
    } catch (error) {
      session.log.debug(`${document.uri.fsPath}: ${messageOf(error)}`);
      forget(document.uri);
      return false;
    }
  };
  return {
    isLog: (document) => {
      const key = document.uri.toString();
      const answer = known.get(key) ?? ask(document);
      known.set(key, answer);
      return answer;
    },
    dispose: () => {
      closed.dispose();
      changed.dispose();
      known.clear();
    },
  };
}

/** The first 64 K characters, line by line, so that nothing of a long document is copied. */
function headOf(document: vscode.TextDocument): string {
  let head = '';
  for (let line = 0; line < document.lineCount && head.length < sniffedCharacters; line += 1) {
    const end = Math.max(0, sniffedCharacters - head.length);
    head += document.getText(new vscode.Range(line, 0, line, end));
    if (head.length < sniffedCharacters && line + 1 < document.lineCount) head += '\n';
  }
  return head;
}
