/**
 * The only places where a text enters SQL: names of our own tables, the few positions that DuckDB's grammar keeps from
 * parameters (the target of COPY, its options, its query) and the columns of a foreign Parquet table. Everything else
 * that a user or a log wrote goes as a bound parameter.
 */

/** A quoted identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string literal, for COPY and for names of a foreign table only. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
