/**
 * Registers hovers, CodeLens and Problems of transcripts, and hovers and CodeLens on raw logs, with one switch for all of
 * them in this window.
 * Leaves out folding, outline and decorations of transcripts (views/transcript).
 */
import * as vscode from 'vscode';
import type { CommandTable } from '../../host/commandTable.ts';
import { onSettingChange, setting } from '../../host/config.ts';
import type { OpenTranscripts } from '../../host/openTranscripts.ts';
import { rolloutScheme } from '../../host/rolloutAddress.ts';
import type { Session } from '../../host/session.ts';
import { setFlagKeys } from './flagKeys.ts';
import { transcriptHover } from './hoverText.ts';
import { transcriptLenses, type Lens } from './lensText.ts';
import { LogCodeLens } from './logCodeLens.ts';
import { logHoverProvider } from './logHover.ts';
import { logSelector, openLogRecognition } from './logRecognition.ts';
import { openLogRows } from './logRows.ts';
import { hoverOf } from './markdown.ts';
import { listProblems } from './problems.ts';
import { verdictHandlers, type VerdictDependencies } from './verdicts.ts';

/** The switch of this window. */
export interface AnnotationsControls {
  /** Hides hovers, CodeLens and Problems of ours, or shows them again. */
  toggle(): void;
}

const transcripts: vscode.DocumentSelector = { scheme: rolloutScheme, language: 'trajectory' };

/** Rollouts that are being read change CodeLens at most this often. */
const refreshMs = 1000;

/** Starts annotating; everything is disposed with the extension. */
export function activateAnnotations(
  context: vscode.ExtensionContext,
  session: Session,
  open: OpenTranscripts,
): AnnotationsControls {
  const state = { hidden: false };
  const recognition = openLogRecognition(session);
  const rows = openLogRows(session);
  const parts = { session, recognition, rows, visibility: state };
  const logLenses = new LogCodeLens(parts);
  const lensesChanged = new vscode.EventEmitter<void>();
  const problems = listProblems(open, () => state.hidden, session.log);
  const refresh = () => {
    lensesChanged.fire();
    logLenses.refresh();
  };
  let waiting: ReturnType<typeof setTimeout> | undefined;
  const refreshSoon = () => {
    waiting ??= setTimeout(() => {
      waiting = undefined;
      logLenses.refresh();
    }, refreshMs);
  };
  context.subscriptions.push(
    recognition,
    rows,
    logLenses,
    lensesChanged,
    problems,
    setFlagKeys(open),
    { dispose: () => clearTimeout(waiting) },
    session.onDidChangeSteps(refreshSoon),
    onSettingChange(['codeLens.enabled'], refresh),
    open.onDidChange(() => {
      lensesChanged.fire();
    }),
    vscode.languages.registerHoverProvider(logSelector, logHoverProvider(parts)),
    vscode.languages.registerCodeLensProvider(logSelector, logLenses),
    vscode.languages.registerHoverProvider(transcripts, {
      provideHover: async (document, position) => {
        if (state.hidden) return null;
        const shown = await open.shown(document);
        return shown === null ? null : hoverOf(transcriptHover(shown, position.line, vscode.l10n));
      },
    }),
    vscode.languages.registerCodeLensProvider(transcripts, {
      onDidChangeCodeLenses: lensesChanged.event,
      provideCodeLenses: async (document) => {
        if (state.hidden || !setting('codeLens.enabled', document.uri)) return [];
        const shown = await open.shown(document);
        return shown === null ? [] : transcriptLenses(shown, vscode.l10n).map(codeLens);
      },
    }),
  );
  return {
    toggle: () => {
      state.hidden = !state.hidden;
      refresh();
      problems.refresh();
    },
  };
}

function codeLens({ line, title, command, argument }: Lens): vscode.CodeLens {
  return new vscode.CodeLens(new vscode.Range(line, 0, line, 0), { title, command, arguments: [argument] });
}

/** What the commands of annotations work with. */
export interface AnnotationsDependencies extends VerdictDependencies {
  readonly annotations: AnnotationsControls;
}

/** The commands of annotations by id. */
export function annotationsCommands({ annotations, ...dependencies }: AnnotationsDependencies): CommandTable {
  return {
    ...verdictHandlers(dependencies),
    'rolloutLens.clearAnnotations': () => {
      annotations.toggle();
    },
  };
}
