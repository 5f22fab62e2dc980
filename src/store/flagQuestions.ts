/**
 * The questions about redundant calls of an open run: how many there are, which tools and rules waste most, and how both go
 * over the steps. Earlier outputs of a rollout that logs several do not count, as in every other rate.
 * Leaves out reading the calls (runFlags.ts) and what the host calls the answers (protocol/flags.ts).
 */
import { lastOutputOnly } from './derivedColumns.ts';
import type { Row } from './duckdb.ts';
import { siblingRule, type FlagPatternKey } from './runFlags.ts';
import type { RunTable } from './runTable.ts';

/** Sums over a run; a call that two rules flag counts once. */
export interface FlagTotals {
  readonly calls: number;
  /** By either: per rollout the larger of the two, as in `redundant_call_rate`. */
  readonly flagged: number;
  /** By rules on one rollout. */
  readonly intrinsic: number;
  /** That siblings likely did without. */
  readonly sibling: number;
}

/** One tool, one rule. */
export interface StoredPattern extends FlagPatternKey {
  readonly calls: number;
  readonly rollouts: number;
  readonly firstStep: number;
  readonly lastStep: number;
  /** Null where none is logged. */
  readonly latencyMs: number | null;
}

/** What is counted of one step. */
export interface FlagsOfStep {
  readonly step: number;
  readonly calls: number;
  /** Flagged calls by rule, `sibling` among them. */
  readonly byRule: ReadonlyMap<string, number>;
  /** Flagged calls (by any rule on one rollout) and all calls by tool. */
  readonly byTool: ReadonlyMap<string | null, { readonly flagged: number; readonly calls: number }>;
}

/** The rollouts that count, as a query of the view's columns. */
async function countedRollouts({ database, view }: RunTable, signal?: AbortSignal): Promise<string> {
  const [row] = await database.rows({
    sql: `SELECT coalesce(bool_or(output > 0), false) AS several FROM ${view}`,
    signal,
  });
  if (row?.['several'] !== true) return `SELECT * FROM ${view}`;
  // A window over all rollouts, so only where a rollout logs several outputs.
  return `SELECT * EXCLUDE (superseded) FROM (SELECT batch.*, ${lastOutputOnly} AS superseded FROM ${view} batch)
    WHERE NOT superseded`;
}

/** Sums over the run. */
export async function flagTotals(run: RunTable, signal?: AbortSignal): Promise<FlagTotals> {
  const [row = {}] = await run.database.rows({
    sql: `SELECT coalesce(sum(calls), 0)::DOUBLE AS calls, coalesce(sum(redundant_calls), 0)::DOUBLE AS intrinsic,
        coalesce(sum(sibling_calls), 0)::DOUBLE AS sibling,
        coalesce(sum(greatest(redundant_calls, sibling_calls)), 0)::DOUBLE AS flagged FROM (${await countedRollouts(run, signal)})`,
    signal,
  });
  return {
    calls: numberIn(row, 'calls'),
    flagged: numberIn(row, 'flagged'),
    intrinsic: numberIn(row, 'intrinsic'),
    sibling: numberIn(row, 'sibling'),
  };
}

/** The most frequent patterns, most frequent first, at most `limit`. */
export async function flagPatterns(
  run: RunTable,
  limit: number,
  signal?: AbortSignal,
): Promise<readonly StoredPattern[]> {
  await run.flags.load('flags', signal);
  const { sql: flags, parameters } = run.flags.counting();
  const rows = await run.database.rows({
    sql: `WITH counted AS (${await countedRollouts(run, signal)}),
      found AS (
        SELECT flags.tool, flags.rule, count(*) AS calls, count(DISTINCT key) AS rollouts, min(step) AS first_step,
          max(step) AS last_step, sum(flags.latency_ms) AS latency
        FROM (${flags}) flags JOIN counted USING (key) GROUP BY flags.tool, flags.rule
        UNION ALL
        SELECT NULL, '${siblingRule}', sum(sibling_calls), count(*), min(step), max(step), NULL
        FROM counted WHERE sibling_calls > 0 HAVING count(*) > 0
      )
      SELECT tool, rule, calls::DOUBLE AS calls, rollouts, first_step, last_step, latency FROM found
      ORDER BY calls DESC, rule, tool NULLS FIRST LIMIT ${Math.max(0, Math.trunc(limit))}`,
    parameters,
    signal,
  });
  return rows.map((row) => ({
    tool: textIn(row, 'tool'),
    rule: textIn(row, 'rule') ?? '',
    calls: numberIn(row, 'calls'),
    rollouts: numberIn(row, 'rollouts'),
    firstStep: numberIn(row, 'first_step'),
    lastStep: numberIn(row, 'last_step'),
    latencyMs: typeof row['latency'] === 'number' ? row['latency'] : null,
  }));
}

/** What is counted of each step, ascending. */
export async function flagsBySteps(run: RunTable, signal?: AbortSignal): Promise<readonly FlagsOfStep[]> {
  await run.flags.load('flags', signal);
  await run.flags.load('tools', signal);
  const { sql: flags, parameters } = run.flags.counting();
  const counted = `counted AS (${await countedRollouts(run, signal)})`;
  const { rows } = run.database;
  const steps = await rows({
    sql: `WITH ${counted} SELECT step, sum(calls)::DOUBLE AS calls, coalesce(sum(sibling_calls), 0)::DOUBLE AS sibling
      FROM counted GROUP BY step ORDER BY step`,
    signal,
  });
  const byRule = await rows({
    sql: `WITH ${counted} SELECT step, flags.rule AS rule, count(*) AS flagged
      FROM (${flags}) flags JOIN counted USING (key) GROUP BY step, flags.rule`,
    parameters,
    signal,
  });
  const flaggedByTool = await rows({
    sql: `WITH ${counted} SELECT step, flags.tool AS tool, count(*) AS flagged
      FROM (SELECT DISTINCT key, call, tool FROM (${flags})) flags JOIN counted USING (key)
      GROUP BY step, flags.tool`,
    parameters,
    signal,
  });
  const callsByTool = await rows({
    sql: `WITH ${counted} SELECT step, tools.tool AS tool, sum(tools.calls)::DOUBLE AS calls
      FROM ${run.flags.toolsTable} tools JOIN counted USING (key) GROUP BY step, tools.tool`,
    signal,
  });
  const all = new Map(
    steps.map((row) => {
      const rules = new Map<string, number>();
      const sibling = numberIn(row, 'sibling');
      if (sibling > 0) rules.set(siblingRule, sibling);
      const tools = new Map<string | null, { flagged: number; calls: number }>();
      return [numberIn(row, 'step'), { calls: numberIn(row, 'calls'), rules, tools }];
    }),
  );
  for (const row of byRule)
    all.get(numberIn(row, 'step'))?.rules.set(textIn(row, 'rule') ?? '', numberIn(row, 'flagged'));
  for (const row of callsByTool) {
    const tool = textIn(row, 'tool');
    all.get(numberIn(row, 'step'))?.tools.set(tool, { flagged: 0, calls: numberIn(row, 'calls') });
  }
  for (const row of flaggedByTool) {
    const known = all.get(numberIn(row, 'step'))?.tools.get(textIn(row, 'tool'));
    if (known) known.flagged = numberIn(row, 'flagged');
  }
  return [...all].map(([step, { calls, rules, tools }]) => ({ step, calls, byRule: rules, byTool: tools }));
}

function numberIn(row: Row, name: string): number {
  const value = row[name];
  return typeof value === 'number' ? value : 0;
}

function textIn(row: Row, name: string): string | null {
  const value = row[name];
  return typeof value === 'string' ? value : null;
}
