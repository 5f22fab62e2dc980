/**
 * Log text made harmless for an editor: characters that move, hide or reorder text become visible, so that what is
 * drawn is what is there, and so that lines are counted the same here and in VS Code (\n, \r\n, \r and nothing else).
 * Leaves out the DOM and Markdown: there log text goes in as text (appendText, textContent).
 */

/**
 * C0 and C1 controls but tab, \n and \r; DEL; LS and PS (VS Code asks about them in a dialog); marks, embeddings,
 * overrides and isolates of bidirectional text; byte order mark; interlinear annotation; tag characters, which hide text.
 */
const unsafe =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/g;

function makeVisible(found: string): string {
  const code = found.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '␡';
  return `[U+${code.toString(16).toUpperCase().padStart(4, '0')}]`;
}

/** The text with invisible and reordering characters shown ("␛[31m", "[U+202E]"); line breaks stay as they are. */
export function visibleText(text: string): string {
  return text.replace(unsafe, makeVisible);
}

/** The text's lines as VS Code counts them, made visible. */
export function visibleLines(text: string): readonly string[] {
  return visibleText(text).split(/\r\n|\n|\r/);
}

/** As visibleLines, without blank lines at both ends: what a part of a turn shows. At least one line. */
export function trimmedLines(text: string): readonly string[] {
  const lines = visibleLines(text);
  let first = 0;
  let end = lines.length;
  while (first < end && isBlank(lines[first] ?? '')) first += 1;
  while (end > first && isBlank(lines[end - 1] ?? '')) end -= 1;
  return first === end ? [''] : lines.slice(first, end);
}

/**
 * As trimmedLines, but at most about `limit` UTF-16 units from the first line that is not blank; `hidden` counts the
 * others. What is given is a prefix of what trimmedLines gives, but for blank lines at its end.
 */
export function headLines(text: string, limit: number): { readonly lines: readonly string[]; readonly hidden: number } {
  if (text.length <= limit) return { lines: trimmedLines(text), hidden: 0 };
  const start = firstContent(text);
  const end = start + safeCut(start === 0 ? text : text.slice(start, start + limit + 2), limit);
  if (end >= text.length) return { lines: trimmedLines(text.slice(start)), hidden: 0 };
  return { lines: visibleLines(text.slice(start, end)), hidden: text.length - end };
}

/** Start of the first line that is not blank. */
function firstContent(text: string): number {
  const content = text.search(/\S/);
  if (content <= 0) return 0;
  return Math.max(text.lastIndexOf('\n', content - 1), text.lastIndexOf('\r', content - 1)) + 1;
}

function isBlank(line: string): boolean {
  // Only short lines are tried: a blank line of megabytes is content that somebody may look for.
  return line.length < 1000 && line.trim() === '';
}

/** One line of at most `limit` UTF-16 units: white space folded, "…" where something was left out. */
export function oneLine(text: string, limit: number): string {
  // Four times the limit is read, since folding and pads only shorten: a name of 10 MB costs nothing.
  const head = visibleText(text.slice(0, limit * 4 + 16))
    .replace(/\s+/g, ' ')
    .trim();
  if (head.length <= limit && text.length <= limit * 4 + 16) return head;
  return `${cutAt(head, Math.min(limit, head.length) - 1)}…`;
}

/** The first `limit` UTF-16 units, one less where that would halve a surrogate pair. */
export function cutAt(text: string, limit: number): string {
  return text.slice(0, safeCut(text, limit));
}

/** Where to cut a text at most `limit` units in without halving a surrogate pair. */
export function safeCut(text: string, limit: number): number {
  if (limit <= 0) return 0;
  if (limit >= text.length) return text.length;
  const code = text.charCodeAt(limit - 1);
  return code >= 0xd800 && code <= 0xdbff ? limit - 1 : limit;
}
