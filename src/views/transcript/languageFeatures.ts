/**
 * Folding and outline of transcripts as VS Code's providers. Everything comes from marks (foldingRanges.ts); the text
 * is never parsed. Leaves out hovers and CodeLens (views/annotations).
 */
import * as vscode from 'vscode';
import type { OpenTranscripts } from '../../host/openTranscripts.ts';
import { outcomeNames, transcriptTexts } from '../../protocol/texts.ts';
import { foldingLines, outlineEntries, type OutlineEntry } from './foldingRanges.ts';

/** Documents of our file system; pictures and rests are told apart by their marks. */
export const transcriptSelector: vscode.DocumentSelector = { scheme: 'rollout', language: 'trajectory' };

/** Registers folding and outline. */
export function registerLanguageFeatures(transcripts: OpenTranscripts): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  return vscode.Disposable.from(
    changed,
    transcripts.onDidChange(() => {
      changed.fire();
    }),
    vscode.languages.registerFoldingRangeProvider(transcriptSelector, {
      onDidChangeFoldingRanges: changed.event,
      provideFoldingRanges: async (document) => {
        const shown = await transcripts.shown(document);
        return foldingLines(shown?.marks ?? []).map(({ first, last }) => new vscode.FoldingRange(first, last));
      },
    }),
    vscode.languages.registerDocumentSymbolProvider(
      transcriptSelector,
      {
        provideDocumentSymbols: async (document) => {
          const shown = await transcripts.shown(document);
          return outlineEntries(shown?.marks ?? []).map(symbol);
        },
      },
      { label: 'Rollout Lens' },
    ),
  );
}

function symbol(entry: OutlineEntry): vscode.DocumentSymbol {
  const { mark, line, count } = entry;
  const range = new vscode.Range(line, 0, line + count - 1, Number.MAX_SAFE_INTEGER);
  const selection = new vscode.Range(line, 0, line, 0);
  const { name, detail, kind } = describe(mark);
  const made = new vscode.DocumentSymbol(name, detail, kind, range, selection);
  made.children = entry.children.map(symbol);
  return made;
}

function describe(mark: OutlineEntry['mark']): { name: string; detail: string; kind: vscode.SymbolKind } {
  switch (mark.kind) {
    case 'turn':
      return { name: mark.label, detail: '', kind: vscode.SymbolKind.Namespace };
    case 'agent':
      return { name: mark.name, detail: '', kind: vscode.SymbolKind.Class };
    case 'call': {
      const tool = mark.tool ?? transcriptTexts.noTool;
      const name = `${transcriptTexts.call(mark.call + 1)} ${tool}`;
      return { name, detail: outcomeNames[mark.outcome], kind: vscode.SymbolKind.Function };
    }
    case 'answer': {
      const sign = mark.correct === null ? '' : mark.correct ? '✓' : '✗';
      return { name: transcriptTexts.answer, detail: sign, kind: vscode.SymbolKind.Constant };
    }
  }
}
