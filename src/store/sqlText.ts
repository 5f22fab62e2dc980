/**
 * The only places where a text enters SQL: names of our own tables and the few positions that DuckDB's grammar keeps
 * from parameters (the target of COPY and its options). Everything a user or a log wrote goes as a bound parameter.
 */

/** A quoted identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string literal, for COPY's target and options only. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
