/**
 * Plain text for terminals: tables, lists of names with what they mean, and text in a Markdown fence. Pure.
 * Leaves out what is printed (cli.ts).
 */

/** A value of a table cell. */
export type CellValue = string | number | boolean | null;

const longestCell = 80;

/** Rows as aligned columns with a heading; numbers to the right with four significant digits, null as '–'. */
export function tableText(rows: readonly Readonly<Record<string, CellValue>>[]): string {
  const names = Object.keys(rows[0] ?? {});
  if (names.length === 0) return 'nothing';
  const lines = rows.map((row) => names.map((name) => cellText(row[name] ?? null)));
  const widths = names.map((name, i) => Math.max(name.length, ...lines.map((line) => line[i]?.length ?? 0)));
  const right = names.map((name) => rows.every((row) => typeof row[name] !== 'string'));
  const lineText = (line: readonly string[]): string =>
    line
      .map((text, i) => (right[i] ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [names, ...lines].map(lineText).join('\n');
}

function cellText(value: CellValue): string {
  if (value === null) return '–';
  if (typeof value === 'number') return String(Number.isInteger(value) ? value : Number(value.toPrecision(4)));
  const text = printable(String(value));
  return text.length <= longestCell ? text : `…${text.slice(1 - longestCell)}`;
}

/** Names and what they mean, one a line, indented by two. */
export function listText(rows: readonly (readonly [name: string, meaning: string])[]): string {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}`.trimEnd()).join('\n');
}

/** Text in a Markdown code block whose fence no line of the text can close. */
export function fencedText(text: string): string {
  const longest = [...text.matchAll(/`+/gu)].reduce((most, [run]) => Math.max(most, run.length), 2);
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${text}${text.endsWith('\n') ? '' : '\n'}${fence}\n`;
}

/** Without control characters: what a file is called must not drive a terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '\u{FFFD}');
}
