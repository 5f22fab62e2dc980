/**
 * The flagged calls of an open run, out of the calls part of its shards: read when they are first asked for, kept up to
 * date part by part, and judged by the rules' settings in SQL, so that another setting reads no log again.
 * Owned by runTable.ts. Leaves out the questions (flagQuestions.ts), hints and `sibling`, which no shard holds.
 */
import type { RuleThresholds } from '../model/ruleThresholds.ts';
import { callColumns } from './columns.ts';
import type { Database, Parameters, Writer } from './duckdb.ts';
import { rowsOfParts, rowsPerPart } from './partKeys.ts';
import type { RunPart } from './runTable.ts';

/** Id of the rule whose flags are derived from groups (column `sibling_calls`). */
export const siblingRule = 'sibling';

/** One tool and one rule. */
export interface FlagPatternKey {
  readonly tool: string | null;
  readonly rule: string;
}

/** Which flags count: rules that are off, and the thresholds of those that are on. */
export interface FlagRules extends RuleThresholds {
  readonly off: readonly string[];
}

/** SQL with what is bound to it. */
export interface BoundSql {
  readonly sql: string;
  readonly parameters: Parameters;
}

/** The flagged calls of an open run. */
export interface RunFlags {
  /** Brings the tables up to date with the run's parts; `tools` is only needed for counts of all calls. */
  load(what: FlagTable, signal?: AbortSignal): Promise<void>;
  /** As `load` for these parts, inside a write transaction. */
  loadIn(writer: Writer, what: FlagTable, parts: ReadonlyMap<number, RunPart>): Promise<void>;
  /** A query of the flags that count: `key, call, tool, rule, latency_ms`, a row a call and rule. */
  counting(): BoundSql;
  /** A query of the keys of the rollouts that have such a flag. */
  keysOf(pattern: FlagPatternKey): BoundSql;
  /** Quoted table of `key, tool, calls`: how many calls a rollout sent to each tool. */
  readonly toolsTable: string;
  /** Sets which flags count; takes effect on rows with `apply`. */
  setRules(rules: FlagRules): void;
  /** Puts `redundant_calls` and `wasted_ms` of the rows that meet a condition right. */
  apply(writer: Writer, table: string, condition: string): Promise<void>;
  /** To be called where a transaction with `loadIn` failed: what it loaded is not there. */
  forget(): void;
  drop(writer: Writer): Promise<void>;
}

/** The two tables: flags by call, and numbers of calls by tool. */
export type FlagTable = 'flags' | 'tools';

/** Columns of what was measured, by threshold, and the rule that measures it. */
const measures = [
  { threshold: 'cropOverlap', column: 'crop_overlap', rule: 'near-repeat' },
  { threshold: 'sharedLinks', column: 'shared_links', rule: 'near-repeat' },
  { threshold: 'coveredShare', column: 'covered_share', rule: 'whole-image' },
  { threshold: 'knownShare', column: 'known_share', rule: 'no-new-information' },
] as const;

/** What RunFlags stands on. */
export interface RunFlagsOptions {
  readonly database: Database;
  /** Quoted names of its tables. */
  readonly names: Readonly<Record<FlagTable, string>>;
  /** The parts of the run by number. */
  readonly parts: () => ReadonlyMap<number, RunPart>;
  readonly rules: FlagRules;
}

/** Makes the flags of a run; nothing is read yet. */
export function createRunFlags({ database, names, parts, rules: first }: RunFlagsOptions): RunFlags {
  let rules = first;
  const loaded: Record<FlagTable, Set<number> | null> = { flags: null, tools: null };

  const counting = (): BoundSql => {
    const reached = measures.map(({ column, threshold }) => `WHEN '${column}' THEN $${threshold}::DOUBLE`).join(' ');
    const { off, cropOverlap, sharedLinks, coveredShare, knownShare } = rules;
    return {
      sql: `SELECT DISTINCT key, call, tool, rule, latency_ms FROM ${names.flags}
        WHERE rule NOT IN (SELECT unnest($off))
          AND (measure IS NULL OR value >= CASE measure ${reached} ELSE 0 END)`,
      // An empty list has no type to bind.
      parameters: { off: ['', ...off], cropOverlap, sharedLinks, coveredShare, knownShare },
    };
  };

  const loadIn = async (writer: Writer, what: FlagTable, now: ReadonlyMap<number, RunPart>): Promise<void> => {
    const before = loaded[what];
    if (before === null) {
      await writer.run({ sql: `DROP TABLE IF EXISTS ${names[what]}` });
      await writer.run({ sql: `CREATE TABLE ${names[what]} (${declarations[what]})` });
    }
    const gone = [...(before ?? [])].filter((number) => !now.has(number));
    if (gone.length > 0) await writer.run({ sql: `DELETE FROM ${names[what]} WHERE ${rowsOfParts(gone)}` });
    const added = [...now].filter(([number]) => before?.has(number) !== true);
    await addShards(writer, names[what], { what, added });
    await addColumns(writer, names[what], { what, added });
    loaded[what] = new Set(now.keys());
  };

  const forget = (): void => {
    loaded.flags = null;
    loaded.tools = null;
  };

  return {
    load: async (what, signal) => {
      const known = loaded[what];
      const now = parts();
      if (known?.size === now.size && [...now.keys()].every((number) => known.has(number))) return;
      await database
        .write((writer) => loadIn(writer, what, parts()), signal)
        .catch((error: unknown) => {
          forget();
          throw error;
        });
    },
    loadIn,
    counting,
    keysOf: ({ tool, rule }) => {
      const { sql, parameters } = counting();
      return {
        sql: `SELECT key FROM (${sql}) WHERE rule = $pattern_rule AND tool IS NOT DISTINCT FROM $pattern_tool::VARCHAR`,
        parameters: { ...parameters, pattern_rule: rule, pattern_tool: tool },
      };
    },
    toolsTable: names.tools,
    setRules: (next) => {
      rules = next;
    },
    apply: async (writer, table, condition) => {
      const { sql, parameters } = counting();
      await writer.run({
        sql: `UPDATE ${table} SET redundant_calls = judged.calls, wasted_ms = judged.wasted
          FROM (
            SELECT rows.key AS judged_key, coalesce(flagged.calls, 0)::INTEGER AS calls, flagged.wasted AS wasted
            FROM (SELECT key, redundant_calls FROM ${table} WHERE ${condition}) rows LEFT JOIN (
              SELECT key, count(*) AS calls, sum(latency_ms) AS wasted
              FROM (SELECT DISTINCT key, call, latency_ms FROM (${sql})) GROUP BY key
            ) flagged ON flagged.key = rows.key
            WHERE rows.redundant_calls > 0 OR flagged.calls > 0
          ) judged WHERE ${table}.key = judged.judged_key`,
        parameters,
      });
    },
    forget,
    drop: async (writer) => {
      for (const name of Object.values(names)) await writer.run({ sql: `DROP TABLE IF EXISTS ${name}` });
    },
  };
}

const declarations: Readonly<Record<FlagTable, string>> = {
  flags: 'key BIGINT, call INTEGER, tool VARCHAR, rule VARCHAR, measure VARCHAR, value DOUBLE, latency_ms DOUBLE',
  tools: 'key BIGINT, tool VARCHAR, calls INTEGER',
};

/** Rows of one of the tables out of `source` (call columns and part_number). */
function rowsFrom(what: FlagTable, source: string): string {
  const key = `part_number::BIGINT * ${rowsPerPart} + row AS key`;
  if (what === 'tools') return `SELECT ${key}, tool, count(*)::INTEGER FROM ${source} WHERE sent GROUP BY key, tool`;
  const measured = measures.map(({ column }) => `${column} IS NOT NULL`).join(' OR ');
  const withMeasure = [...new Set(measures.map(({ rule }) => `'${rule}'`))].join(', ');
  return `WITH calls AS (SELECT ${key}, call, tool, redundant, latency_ms,
        ${measures.map(({ column }) => column).join(', ')} FROM ${source} WHERE redundant <> '' OR ${measured})
    SELECT key, call, tool, rule, NULL, NULL, latency_ms
    FROM (SELECT key, call, tool, unnest(string_split(redundant, ',')) AS rule, latency_ms FROM calls)
    WHERE rule <> '' AND rule NOT IN (${withMeasure})
    ${measures
      .map(
        ({ column, rule }) =>
          `UNION ALL SELECT key, call, tool, '${rule}', '${column}', ${column}, latency_ms FROM calls WHERE ${column} IS NOT NULL`,
      )
      .join('\n    ')}`;
}

interface NewParts {
  readonly what: FlagTable;
  readonly added: readonly (readonly [number, RunPart])[];
}

async function addShards(writer: Writer, table: string, { what, added }: NewParts): Promise<void> {
  const shards = added.flatMap(([number, part]) => (part.kind === 'shard' ? [{ number, path: part.callsPath }] : []));
  if (shards.length === 0) return;
  await writer.run({
    sql: 'CREATE TEMP TABLE parts AS SELECT unnest($paths) AS path, unnest($numbers)::INTEGER AS part_number',
    parameters: { paths: shards.map(({ path }) => path), numbers: shards.map(({ number }) => number) },
  });
  const source = `(SELECT shard.*, parts.part_number
    FROM read_parquet($paths, filename = true, hive_partitioning = false) shard
    JOIN parts ON replace(shard.filename, '\\', '/') = replace(parts.path, '\\', '/'))`;
  await writer.run({
    sql: `INSERT INTO ${table} ${rowsFrom(what, source)}`,
    parameters: { paths: [...new Set(shards.map(({ path }) => path))] },
  });
  await writer.run({ sql: 'DROP TABLE parts' });
}

async function addColumns(writer: Writer, table: string, { what, added }: NewParts): Promise<void> {
  for (const [number, part] of added) {
    if (part.kind !== 'columns') continue;
    await writer.run({
      sql: `CREATE TEMP TABLE loading (${callColumns.map(({ name, type }) => `${name} ${type}`).join(', ')})`,
    });
    await writer.append(
      'loading',
      callColumns.map(({ type }) => type),
      part.columns.calls,
    );
    const source = '(SELECT *, $number::INTEGER AS part_number FROM loading)';
    await writer.run({ sql: `INSERT INTO ${table} ${rowsFrom(what, source)}`, parameters: { number } });
    await writer.run({ sql: 'DROP TABLE loading' });
  }
}
