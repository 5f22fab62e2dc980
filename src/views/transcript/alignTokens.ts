/**
 * Where the tokens of a turn stand in the lines of a transcript. The document shows calls as code and JSON, leaves out
 * markup and trims, so that a token's place is found by looking for each line in the joined tokens, white space aside,
 * one line after the other. What is not found has no place: nothing is drawn there, and nothing wrong. Pure.
 * Leaves out fetching tokens and drawing them (tokenView.ts).
 */

/** A line of the document, and where in it the log's text begins. */
export interface TokenLine {
  readonly line: number;
  readonly text: string;
  /** Columns before it are ours. */
  readonly from: number;
}

/** A token, or the part of it that stands in one line. */
export interface PlacedToken {
  readonly token: number;
  readonly line: number;
  /** First column, and the one after the last. */
  readonly start: number;
  readonly end: number;
}

/** Lines shorter than this are taken only where they follow soon: "}" stands everywhere. */
const tellingLength = 8;
const soon = 400;
/** A line that is not within this many characters of the last one found is not looked for further on. */
const window = 20_000;

/** Finds the places of tokens with these texts in these lines, in the order of the document. */
export function alignTokens(texts: readonly string[], lines: readonly TokenLine[]): readonly PlacedToken[] {
  const { joined, owners } = join(texts);
  const placed: PlacedToken[] = [];
  let at = 0;
  let found = false;
  for (const line of lines) {
    for (const piece of piecesOf(line)) {
      const match = matchOf(piece, joined, { at, found });
      if (match === null) continue;
      place(placed, owners, { line: line.line, ...match });
      at = match.first + match.columns.length;
      found = true;
    }
  }
  return placed;
}

/** The tokens as one text without white space, and which token each unit of it belongs to. */
function join(texts: readonly string[]): { readonly joined: string; readonly owners: Uint32Array } {
  const parts = texts.map((text) => bare(text).text);
  const owners = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  parts.forEach((part, token) => {
    owners.fill(token, at, at + part.length);
    at += part.length;
  });
  return { joined: parts.join(''), owners };
}

/** Text without white space, and the column of each unit that is left. Vocabularies write spaces as Ġ, Ċ, ĉ and ▁. */
function bare(text: string): { readonly text: string; readonly columns: readonly number[] } {
  const columns: number[] = [];
  let kept = '';
  for (let column = 0; column < text.length; column += 1) {
    const unit = text.charAt(column);
    if (/[\s\u0120\u010a\u0109\u2581]/u.test(unit)) continue;
    kept += unit;
    columns.push(column);
  }
  return { text: kept, columns };
}

/** The line whole, then (where it carries a remark of ours) its parts. */
function* piecesOf({ text, from }: TokenLine): Generator<Piece> {
  const { text: content, columns } = bare(text.slice(from));
  if (content === '') return;
  const whole: Piece = { text: content, columns: columns.map((column) => column + from), matched: false };
  yield whole;
  const remark = / {3,}(?=\S)/u.exec(text.slice(from).trimStart());
  if (whole.matched || remark === null) return;
  const indent = text.length - text.slice(from).trimStart().length;
  const head = bare(text.slice(indent, indent + remark.index));
  yield { text: head.text, columns: head.columns.map((column) => column + indent), matched: false };
}

interface Piece {
  readonly text: string;
  readonly columns: readonly number[];
  matched: boolean;
}

interface Match {
  /** Index in the joined tokens. */
  readonly first: number;
  /** Column of each unit of the joined tokens from there on. */
  readonly columns: readonly number[];
}

function matchOf(
  piece: Piece,
  joined: string,
  { at, found }: { readonly at: number; readonly found: boolean },
): Match | null {
  const far = piece.text.length < tellingLength ? soon : window;
  for (const { text, columns } of [piece, escaped(piece)]) {
    // In the rest of a turn the first line stands anywhere.
    const end = found ? at + far + text.length : joined.length;
    const first = joined.slice(at, end).indexOf(text);
    if (first < 0) continue;
    piece.matched = true;
    return { first: at + first, columns };
  }
  return null;
}

/** The piece as a JSON string has it: code in the arguments of a call is logged with \" and \\. */
function escaped({ text, columns }: Piece): Pick<Piece, 'text' | 'columns'> {
  let written = '';
  const places: number[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charAt(index);
    const inJson = unit === '"' || unit === '\\' ? `\\${unit}` : unit;
    written += inJson;
    for (let count = 0; count < inJson.length; count += 1) places.push(columns[index] ?? 0);
  }
  return { text: written, columns: places };
}

function place(
  placed: PlacedToken[],
  owners: Uint32Array,
  { line, first, columns }: Match & { readonly line: number },
): void {
  let open: { token: number; start: number; end: number } | null = null;
  const close = (): void => {
    if (open) placed.push({ token: open.token, line, start: open.start, end: open.end });
  };
  columns.forEach((column, index) => {
    const token = owners[first + index] ?? 0;
    if (open?.token === token) open.end = column + 1;
    else {
      close();
      open = { token, start: column, end: column + 1 };
    }
  });
  close();
}
