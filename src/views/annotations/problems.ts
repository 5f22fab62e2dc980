/**
 * Redundant calls of open transcripts in the Problems view, with quick fixes that judge them: the lightbulb does not
 * work in read-only editors, but the quick fixes of Problems do. A setting turns them off or into warnings.
 * Leaves out the texts (problemText.ts) and what a verdict does (verdicts.ts).
 */
import * as vscode from 'vscode';
import { messageOf } from '../../base/errors.ts';
import { onSettingChange, setting } from '../../host/config.ts';
import type { OpenTranscripts } from '../../host/openTranscripts.ts';
import { rolloutScheme } from '../../host/rolloutAddress.ts';
import { placedFlags, isCounted } from '../../host/shownFlags.ts';
import { problemsOf, type Problem, type RelatedPlace } from './problemText.ts';

/** Name of the source, as Problems shows it. */
const source = 'Rollout Lens';

/** Lists the flags of open transcripts until disposed; nothing while `hidden` says so. */
export function listProblems(
  open: OpenTranscripts,
  hidden: () => boolean,
  log: vscode.LogOutputChannel,
): vscode.Disposable & { refresh(): void } {
  const collection = vscode.languages.createDiagnosticCollection('rolloutLens');
  const severity = (): vscode.DiagnosticSeverity | null => {
    switch (setting('redundancy.problems')) {
      case 'off':
        return null;
      case 'warning':
        return vscode.DiagnosticSeverity.Warning;
      default:
        return vscode.DiagnosticSeverity.Information;
    }
  };
  const update = async (document: vscode.TextDocument) => {
    if (document.uri.scheme !== rolloutScheme || document.languageId !== 'trajectory') return;
    const wanted = hidden() ? null : severity();
    const shown = wanted === null ? null : await open.shown(document);
    if (document.isClosed) return;
    if (wanted === null || shown === null) collection.delete(document.uri);
    else {
      const problems = problemsOf(shown, vscode.l10n);
      collection.set(
        document.uri,
        problems.map((problem) => diagnosticOf(problem, document, { severity: wanted, open })),
      );
    }
  };
  const updateSoon = (document: vscode.TextDocument) => {
    update(document).catch((error: unknown) => log.debug(`problems of ${document.uri.path}: ${messageOf(error)}`));
  };
  const refresh = () => {
    for (const document of vscode.workspace.textDocuments) updateSoon(document);
  };
  refresh();
  const subscriptions = vscode.Disposable.from(
    collection,
    onSettingChange(['redundancy.problems'], refresh),
    open.onDidChange((uri) => {
      const document = vscode.workspace.textDocuments.find((one) => one.uri.toString() === uri.toString());
      if (document) updateSoon(document);
    }),
    vscode.workspace.onDidOpenTextDocument(updateSoon),
    vscode.workspace.onDidChangeTextDocument(({ document }) => updateSoon(document)),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => collection.delete(uri)),
    vscode.languages.registerCodeActionsProvider(
      { scheme: rolloutScheme, language: 'trajectory' },
      { provideCodeActions: (document, range, context) => fixes(document, { range, context, open }) },
      { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] },
    ),
  );
  return { refresh, dispose: () => subscriptions.dispose() };
}

function diagnosticOf(
  { flag, line, message, related }: Problem,
  document: vscode.TextDocument,
  { severity, open }: { readonly severity: vscode.DiagnosticSeverity; readonly open: OpenTranscripts },
): vscode.Diagnostic {
  const { text } = document.lineAt(line);
  const start = text.length - text.trimStart().length;
  // "▶ call 2", not the whole line: VS Code repeats the entry in every hover over its range.
  const end = text.indexOf('  ', start);
  const range = new vscode.Range(line, start, line, end < 0 ? text.length : end);
  const made = new vscode.Diagnostic(range, message, severity);
  made.source = source;
  made.code = flag.rule;
  made.relatedInformation = related.flatMap((place) => {
    const location = locationOf(place, document, open);
    return location === null ? [] : [new vscode.DiagnosticRelatedInformation(location, place.text)];
  });
  return made;
}

function locationOf(place: RelatedPlace, { uri }: vscode.TextDocument, open: OpenTranscripts): vscode.Location | null {
  if (place.kind === 'line') return new vscode.Location(uri, new vscode.Position(place.line, 0));
  try {
    return new vscode.Location(open.uriOf(place.ref), new vscode.Position(0, 0));
  } catch {
    // Its run was closed since.
    return null;
  }
}

/** "Confirm" and "Dismiss" for each of our entries that a quick fix is asked for. */
async function fixes(
  document: vscode.TextDocument,
  {
    range,
    context,
    open,
  }: { readonly range: vscode.Range; readonly context: vscode.CodeActionContext; readonly open: OpenTranscripts },
): Promise<vscode.CodeAction[]> {
  const ours = context.diagnostics.filter((diagnostic) => diagnostic.source === source);
  if (ours.length === 0) return [];
  const shown = await open.shown(document);
  if (shown === null) return [];
  const { l10n } = vscode;
  const { ref } = shown.address;
  return placedFlags(shown).flatMap(({ flag, line }) => {
    const diagnostic = ours.find(({ code, range: place }) => code === flag.rule && place.start.line === line);
    if (diagnostic === undefined || !isCounted(flag) || line < range.start.line || line > range.end.line) return [];
    const action = (title: string, command: string): vscode.CodeAction => {
      const made = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
      made.diagnostics = [diagnostic];
      made.command = { title, command, arguments: [{ ...ref, flag: flag.id }] };
      return made;
    };
    return [
      ...(flag.verdict === null
        ? [action(l10n.t('Confirm as redundant ({0})', flag.rule), 'rolloutLens.confirmFlag')]
        : []),
      action(l10n.t('Dismiss as not redundant ({0})', flag.rule), 'rolloutLens.dismissFlag'),
    ];
  });
}
