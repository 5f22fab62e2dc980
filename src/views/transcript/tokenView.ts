/**
 * The token view of transcripts: a heat strip over the text by one of the logged values, and a hover on each token with
 * all of them. Only visible lines are decorated, only visible turns are fetched. Colour repeats what lines above and
 * below tokens say, and the line of means in the text says it without either.
 * Leaves out where tokens stand (alignTokens.ts), the strengths (protocol/tokens.ts) and the words (tokenTexts.ts).
 */
import * as vscode from 'vscode';
import { isAbort, messageOf, UserError } from '../../base/errors.ts';
import { withoutIcons } from '../../host/logText.ts';
import type { OpenTranscripts, ShownTranscript } from '../../host/openTranscripts.ts';
import { rolloutScheme } from '../../host/rolloutAddress.ts';
import type { Session } from '../../host/session.ts';
import { largestOf, tokenHeat, tokenViews, type TokenHeat, type TokenView } from '../../protocol/tokens.ts';
import { tokenHover, scaleText } from './tokenTexts.ts';
import { openTokenSource, type TurnMark } from './tokenSource.ts';

/** Chooses which value is shown. */
export interface TokenViewControls {
  /** Asks which value to show over the open transcript, or none. A UserError where its log has no token values. */
  choose(): Promise<void>;
}

/** Lines around the visible ones that are decorated too, so that scrolling shows no bare text. */
const margin = 40;
const drawDelayMs = 60;
/** Tokens drawn at once in one editor. */
const mostDrawn = 5_000;
/** Turns that the list of views looks into. */
const turnsAsked = 8;

const colour = (id: string) => new vscode.ThemeColor(id);

function style(side: 'low' | 'high', background: string, line: string): vscode.DecorationRenderOptions {
  // Without an editor's width or height changed: only lines above or below.
  const width = line === 'solid' ? '2px' : '1px';
  return {
    backgroundColor: colour(background),
    borderStyle: line,
    borderWidth: side === 'low' ? `${width} 0 0 0` : `0 0 ${width} 0`,
    borderColor: colour(side === 'low' ? 'charts.purple' : 'charts.green'),
  };
}

const styles: Readonly<Record<TokenHeat, vscode.DecorationRenderOptions>> = {
  low1: style('low', 'rolloutLens.tokenLowWeak', 'dotted'),
  low2: style('low', 'rolloutLens.tokenLowMiddle', 'dashed'),
  low3: style('low', 'rolloutLens.tokenLowStrong', 'solid'),
  high1: style('high', 'rolloutLens.tokenHighWeak', 'dotted'),
  high2: style('high', 'rolloutLens.tokenHighMiddle', 'dashed'),
  high3: style('high', 'rolloutLens.tokenHighStrong', 'solid'),
  outside: {
    fontStyle: 'italic',
    borderStyle: 'dotted',
    borderWidth: '0 0 1px 0',
    borderColor: colour('editor.foreground'),
  },
};

const heats = Object.keys(styles).filter((name): name is TokenHeat => name in styles);

/** Starts serving token views; disposed with the extension. */
export function activateTokenView(
  context: vscode.ExtensionContext,
  session: Session,
  transcripts: OpenTranscripts,
): TokenViewControls {
  const source = openTokenSource(session, transcripts);
  const types = new Map(heats.map((heat) => [heat, vscode.window.createTextEditorDecorationType(styles[heat])]));
  let shownView: string | null = null;

  const failed = (error: unknown) => {
    if (!isAbort(error)) session.log.debug(`token values: ${messageOf(error)}`);
  };
  const turnsIn = (shown: ShownTranscript, ranges: readonly vscode.Range[]): readonly TurnMark[] =>
    shown.marks.filter(
      (mark): mark is TurnMark =>
        mark.kind === 'turn' &&
        mark.tokenValues > 0 &&
        ranges.some(({ start, end }) => mark.line <= end.line && mark.line + mark.count > start.line),
    );

  const draw = async (editor: vscode.TextEditor) => {
    const { document } = editor;
    if (document.uri.scheme !== rolloutScheme) return;
    const wanted = shownView;
    const ranges = new Map<TokenHeat, vscode.Range[]>(heats.map((heat) => [heat, []]));
    const shown = wanted === null ? null : await transcripts.shown(document);
    if (shown !== null) {
      const visible = editor.visibleRanges.map(
        ({ start, end }) => new vscode.Range(Math.max(0, start.line - margin), 0, end.line + margin, 0),
      );
      let drawn = 0;
      for (const mark of turnsIn(shown, visible)) {
        const { page, placed } = await source.of(document, shown, mark);
        const view = tokenViews(page).find(({ id }) => id === wanted);
        if (view === undefined) continue;
        const largest = largestOf(view);
        for (const { token, line, start, end } of placed) {
          if (drawn >= mostDrawn) break;
          if (!visible.some((range) => line >= range.start.line && line <= range.end.line)) continue;
          const heat = tokenHeat(view.scale, view.value(token), largest);
          if (heat === null) continue;
          ranges.get(heat)?.push(new vscode.Range(line, start, line, end));
          drawn += 1;
        }
      }
    }
    if (wanted !== shownView) return;
    for (const [heat, type] of types) editor.setDecorations(type, ranges.get(heat) ?? []);
  };
  const drawAll = () => {
    for (const editor of vscode.window.visibleTextEditors) draw(editor).catch(failed);
  };
  let waiting: ReturnType<typeof setTimeout> | undefined;
  const drawSoon = () => {
    if (shownView === null) return;
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, drawDelayMs);
  };

  const hover = async (document: vscode.TextDocument, position: vscode.Position): Promise<vscode.Hover | null> => {
    const shown = await transcripts.shown(document);
    const mark = shown && turnsIn(shown, [new vscode.Range(position, position)])[0];
    if (!shown || !mark) return null;
    const { page, texts, placed } = await source.of(document, shown, mark);
    const { line, character } = position;
    const here = placed.find((one) => one.line === line && one.start <= character && character < one.end);
    if (here === undefined) return null;
    const said = tokenHover(page, here.token, { l10n: vscode.l10n, text: texts?.[here.token] ?? null });
    const markdown = new vscode.MarkdownString().appendText(said.heading);
    if (said.text !== null) markdown.appendCodeblock(JSON.stringify(said.text), 'plaintext');
    if (said.values.length > 0) markdown.appendCodeblock(said.values.join('\n'), 'plaintext');
    return new vscode.Hover(markdown, new vscode.Range(line, here.start, line, here.end));
  };

  context.subscriptions.push(
    source,
    ...types.values(),
    { dispose: () => clearTimeout(waiting) },
    vscode.window.onDidChangeVisibleTextEditors(drawSoon),
    vscode.window.onDidChangeTextEditorVisibleRanges(drawSoon),
    transcripts.onDidChange(drawSoon),
    vscode.languages.registerHoverProvider(
      { scheme: rolloutScheme, language: 'trajectory' },
      { provideHover: (document, position) => hover(document, position).catch(() => null) },
    ),
  );

  /** The views of the first turns with values, each once, in the order in which they are offered. */
  const viewsOf = async (document: vscode.TextDocument, shown: ShownTranscript): Promise<readonly TokenView[]> => {
    const turns = shown.marks.filter((mark): mark is TurnMark => mark.kind === 'turn' && mark.tokenValues > 0);
    const views = new Map<string, TokenView>();
    for (const mark of turns.slice(0, turnsAsked)) {
      const { page } = await source.of(document, shown, mark);
      for (const view of tokenViews(page)) if (!views.has(view.id)) views.set(view.id, view);
    }
    return [...views.values()];
  };

  return {
    choose: async () => {
      const { l10n } = vscode;
      const editor = vscode.window.activeTextEditor;
      const shown = editor === undefined ? null : await transcripts.shown(editor.document);
      const views = editor && shown ? await viewsOf(editor.document, shown) : [];
      if (views.length === 0) {
        throw new UserError(
          l10n.t('This log has no token values: no log-probs, no loss mask and no other array of one number a token.'),
          l10n.t('Logs of NeMo RL, prime-rl and RLLoggingBoard have them.'),
        );
      }
      const off = { label: l10n.t('Off'), description: '', detail: '', id: null };
      const items = views.map(({ id, name, scale }) => ({
        label: withoutIcons(name),
        description: id === shownView ? l10n.t('shown') : '',
        detail: scaleText(scale, l10n),
        id,
      }));
      const title = l10n.t('Token Values');
      const placeHolder = l10n.t('What to show over the tokens; a hover on a token lists all values');
      const picked = await vscode.window.showQuickPick([...items, off], { title, placeHolder });
      if (picked === undefined) return;
      shownView = picked.id;
      drawAll();
    },
  };
}
