/**
 * Token values of the turns of open transcripts: fetched when a turn is looked at, kept while its document is open and
 * unchanged. Leaves out drawing (tokenView.ts).
 */
import * as vscode from 'vscode';
import type { OpenTranscripts, ShownTranscript } from '../../host/openTranscripts.ts';
import type { Session } from '../../host/session.ts';
import type { TokenPage } from '../../protocol/tokens.ts';
import type { Mark } from '../../protocol/transcript.ts';
import { alignTokens, type PlacedToken, type TokenLine } from './alignTokens.ts';

/** The mark of a turn. */
export type TurnMark = Extract<Mark, { kind: 'turn' }>;

/** The tokens of one turn and where they stand in one document. */
export interface TurnTokens {
  readonly page: TokenPage;
  /** Texts of tokens; null where the log has only ids. */
  readonly texts: readonly string[] | null;
  readonly placed: readonly PlacedToken[];
}

/** Gives the tokens of turns. */
export interface TokenSource extends vscode.Disposable {
  /** Tokens of a turn of a shown document. Rejects as the engine does. */
  of(document: vscode.TextDocument, shown: ShownTranscript, mark: TurnMark): Promise<TurnTokens>;
}

/** Tokens of one turn that are fetched; more than that nobody looks at in one turn. */
const mostTokens = 200_000;
/** Turns kept for each document; the oldest go first. */
const keptTurns = 32;

/** Opens a source without anything in it. */
export function openTokenSource(session: Session, transcripts: OpenTranscripts): TokenSource {
  const documents = new Map<string, Map<number, Promise<TurnTokens>>>();
  const forget = (uri: vscode.Uri) => documents.delete(uri.toString());
  const subscriptions = [
    transcripts.onDidChange(forget),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => forget(uri)),
  ];
  return {
    of: (document, shown, mark) => {
      const key = document.uri.toString();
      const turns = documents.get(key) ?? new Map<number, Promise<TurnTokens>>();
      documents.set(key, turns);
      const known = turns.get(mark.turn);
      if (known) return known;
      const asked = fetchTurn(session, document, { shown, mark });
      turns.set(mark.turn, asked);
      asked.catch(() => turns.delete(mark.turn));
      for (const oldest of turns.keys()) {
        if (turns.size <= keptTurns) break;
        turns.delete(oldest);
      }
      return asked;
    },
    dispose: () => {
      for (const subscription of subscriptions) subscription.dispose();
      documents.clear();
    },
  };
}

async function fetchTurn(
  session: Session,
  document: vscode.TextDocument,
  { shown, mark }: { readonly shown: ShownTranscript; readonly mark: TurnMark },
): Promise<TurnTokens> {
  const { ref, path } = shown.address;
  const pages: TokenPage[] = [];
  for (let first = 0; first < mostTokens;) {
    const page = await session.engine.tokens({ ref, path, turn: mark.turn, first });
    pages.push(page);
    first += page.count;
    if (page.count === 0 || first >= page.total) break;
  }
  const page = wholePage(pages);
  const texts = page.text === null ? null : pages.flatMap(textsOf);
  const ids = page.ids === null ? [] : Array.from(page.ids, String);
  const lines = texts === null ? idLines(document, shown, mark) : turnLines(document, mark);
  return { page, texts, placed: alignTokens(texts ?? ids, lines) };
}

function textsOf({ text, textEnds }: TokenPage): readonly string[] {
  if (text === null || textEnds === null) return [];
  const decoder = new TextDecoder();
  return Array.from(textEnds, (end, index) => decoder.decode(text.subarray(textEnds[index - 1] ?? 0, end)));
}

/** The pages as one; texts stay in the pages. */
function wholePage(pages: readonly TokenPage[]): TokenPage {
  const [first] = pages;
  if (first === undefined) throw new Error('no page of tokens');
  if (pages.length === 1) return first;
  const count = pages.reduce((sum, page) => sum + page.count, 0);
  const joined = (columnOf: (page: TokenPage) => Float64Array | null | undefined): Float64Array | null => {
    if (!columnOf(first)) return null;
    const all = new Float64Array(count);
    for (const page of pages) all.set(columnOf(page) ?? [], page.first);
    return all;
  };
  return {
    ...first,
    count,
    ids: joined(({ ids }) => ids),
    logprobs: joined(({ logprobs }) => logprobs),
    referenceLogprobs: joined((page) => page.referenceLogprobs),
    others: first.others.map(({ name }, index) => ({
      name,
      values: joined(({ others }) => others[index]?.values) ?? new Float64Array(),
    })),
  };
}

/** The lines of a turn that the log wrote: indented ones, behind the arrow of an observation. */
function turnLines(document: vscode.TextDocument, { line, count }: TurnMark): readonly TokenLine[] {
  const lines: TokenLine[] = [];
  for (let at = line; at < Math.min(line + count, document.lineCount); at += 1) {
    const { text } = document.lineAt(at);
    if (!text.startsWith(' ') || /^ {2}▶ /u.test(text)) continue;
    lines.push({ line: at, text, from: /^ {2}◀ (?:calls? [\d, ]+ {2})?/u.exec(text)?.[0].length ?? 0 });
  }
  return lines;
}

function idLines(document: vscode.TextDocument, shown: ShownTranscript, { turn }: TurnMark): readonly TokenLine[] {
  const mark = shown.marks.find((one) => one.kind === 'ids' && one.turn === turn);
  if (mark === undefined) return [];
  const lines: TokenLine[] = [];
  for (let at = mark.line; at < Math.min(mark.line + mark.count, document.lineCount); at += 1) {
    const { text } = document.lineAt(at);
    if (text.startsWith(' ')) lines.push({ line: at, text, from: 0 });
  }
  return lines;
}
