/**
 * Decorations of transcripts: headings, reasoning, right and wrong, failed and redundant calls; the last two also in
 * the overview ruler. Signs (✓ ✗ ⚠) are in the text: colour only repeats them.
 * Leaves out the grammar, which colours what stays when the extension is off.
 */
import * as vscode from 'vscode';
import { rolloutScheme } from '../../host/rolloutAddress.ts';
import type { OpenTranscripts } from '../../host/openTranscripts.ts';
import { decorationKinds, decoratedLines, type DecorationKind } from './decoratedLines.ts';

const colour = (id: string) => new vscode.ThemeColor(id);

const styles: Readonly<Record<DecorationKind, vscode.DecorationRenderOptions>> = {
  title: { fontWeight: 'bold' },
  heading: { fontWeight: 'bold' },
  reasoning: { fontStyle: 'italic' },
  right: { color: colour('charts.green'), fontWeight: 'bold', ...ruler('charts.green') },
  wrong: { color: colour('charts.red'), fontWeight: 'bold', ...ruler('charts.red') },
  failed: ruler('charts.red'),
  redundant: { color: colour('charts.yellow'), ...ruler('charts.yellow') },
};

function ruler(id: string): vscode.DecorationRenderOptions {
  return { overviewRulerColor: colour(id), overviewRulerLane: vscode.OverviewRulerLane.Right };
}

/** Decorates every visible transcript until disposed. */
export function decorateTranscripts(transcripts: OpenTranscripts): vscode.Disposable {
  const types = new Map(
    decorationKinds.map((kind) => [kind, vscode.window.createTextEditorDecorationType(styles[kind])]),
  );
  const draw = async (editor: vscode.TextEditor) => {
    if (editor.document.uri.scheme !== rolloutScheme) return;
    const shown = await transcripts.shown(editor.document);
    if (shown === null) return;
    const lines = decoratedLines(shown.marks, shown.flags.flags);
    for (const [kind, type] of types) editor.setDecorations(type, ranges(lines[kind], editor.document));
  };
  const drawAll = () => {
    for (const editor of vscode.window.visibleTextEditors) void draw(editor);
  };
  drawAll();
  return vscode.Disposable.from(
    ...types.values(),
    vscode.window.onDidChangeVisibleTextEditors(drawAll),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      if (document.uri.scheme === rolloutScheme) drawAll();
    }),
    transcripts.onDidChange(drawAll),
  );
}

function ranges(
  lines: readonly { readonly first: number; readonly last: number }[],
  document: vscode.TextDocument,
): vscode.Range[] {
  return lines
    .filter(({ last }) => last < document.lineCount)
    .map(({ first, last }) => new vscode.Range(first, 0, last, Number.MAX_SAFE_INTEGER));
}
