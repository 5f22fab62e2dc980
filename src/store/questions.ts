/**
 * The questions that lists, quick picks and hovers ask of an open run. Every list has a total order that ends with
 * (file, row), pages of at most 500 rows, and values only as bound parameters. Leaves out what the host calls them
 * (protocol/engine.ts: the engine adds the run's id) and arithmetic (analysis/).
 */
import type { Cell, Parameters, Row } from './duckdb.ts';
import { siblingRule, type FlagPatternKey } from './runFlags.ts';
import type { RunTable } from './runTable.ts';
import { storedRollout, storedRolloutColumns } from './storedRollout.ts';

/** A slice of a list: `count` is cut to 500. */
export interface Slice {
  readonly first: number;
  readonly count: number;
}

/** Rows of a slice, and how many the whole list has. */
export interface Sliced<Row> {
  readonly rows: readonly Row[];
  readonly total: number;
}

/** A group; `key` is its group_key. */
export interface StoredGroup {
  readonly step: number;
  readonly key: string;
  readonly question: string;
  readonly size: number;
  readonly correct: number;
  readonly qualifying: number;
  /** True when the group was inferred and its size is not the step's most frequent one (of two, the larger). */
  readonly oddSize: boolean;
}

/** A rollout as the index knows it; numbers not logged or not derived yet are null. */
export interface StoredRollout {
  /** Relative to the run's folder. */
  readonly file: string;
  /** 0-based record index in the file. */
  readonly row: number;
  /** 0-based. */
  readonly line: number;
  readonly byteFirst: number;
  readonly byteCount: number;
  /** Which of the rollouts that the record holds; null where it holds one. */
  readonly item: number | null;
  readonly step: number;
  readonly group: string;
  readonly groupInferred: boolean;
  /** 1-based place within the group; 0 while nothing is derived yet. */
  readonly member: number;
  /** 0 while nothing is derived yet. */
  readonly groupSize: number;
  readonly groupQualifying: number;
  readonly id: string | null;
  readonly question: string;
  readonly reward: number | null;
  readonly answerReward: number | null;
  readonly formatReward: number | null;
  /** As logged or decoded; null where the run's threshold decided. */
  readonly correctLogged: boolean | null;
  /** True where that was decoded from the score. */
  readonly correctDecoded: boolean;
  readonly correct: boolean | null;
  readonly calls: number;
  readonly failedCalls: number;
  readonly redundantCalls: number;
  /** Calls that siblings likely did without. */
  readonly siblingCalls: number;
  /** Logged latency of the redundant calls. */
  readonly wastedMs: number | null;
  readonly modelTokens: number | null;
  readonly modelCharacters: number;
  readonly accReward: number | null;
  readonly toolReward: number | null;
  readonly accAdvantage: number | null;
  readonly toolAdvantage: number | null;
  readonly loggedAdvantage: number | null;
  readonly qualifies: boolean;
  readonly masked: boolean;
  readonly stopReason: string | null;
}

/** Keys a list of rollouts can be sorted by. */
export type RolloutOrder = 'step' | 'reward' | 'calls' | 'accAdvantage' | 'toolAdvantage' | 'redundant' | 'wasted';

/** Which rollouts, in which order; structurally protocol's RolloutFilter plus step and group. */
export interface RolloutSelection {
  readonly step: number | null;
  readonly group: string | null;
  readonly sort: RolloutOrder | null;
  readonly descending: boolean;
  readonly wrong: boolean;
  readonly withCalls: boolean;
  readonly redundant: boolean;
  /** Only rollouts with such a flag; null for all. */
  readonly pattern: FlagPatternKey | null;
  /** Words that must all occur in step, id or question, whatever their case; '' for none. */
  readonly text: string;
}

/** Counts over the whole run. */
export interface RunCounts {
  readonly rollouts: number;
  readonly groups: number;
  readonly steps: number;
  readonly firstStep: number | null;
  readonly lastStep: number | null;
  /** Share of rollouts with a call in the first and last step. */
  readonly firstToolRate: number | null;
  readonly lastToolRate: number | null;
}

const longestPage = 500;
const longestGroup = 100_000;
/** Words of a search that are looked for: a prompt that was pasted has thousands, and the first ones find it as well. */
const mostWords = 64;

const total = 'step, file_order, row';

const orderColumns: Readonly<Record<RolloutOrder, string>> = {
  step: 'step',
  reward: 'reward',
  calls: 'calls',
  accAdvantage: 'acc_advantage',
  toolAdvantage: 'tool_advantage',
  redundant: 'redundant_calls',
  wasted: 'wasted_ms',
};

/** Counts of the run for its summary. */
export async function runCounts(run: RunTable, signal?: AbortSignal): Promise<RunCounts> {
  const rows = await run.database.rows({
    sql: `WITH steps AS (
        SELECT step, count(*) AS rollouts, count(DISTINCT group_key) AS groups, avg((calls > 0)::INTEGER) AS tool_rate
        FROM ${run.view} GROUP BY step
      )
      SELECT coalesce(sum(rollouts), 0)::BIGINT AS rollouts, coalesce(sum(groups), 0)::BIGINT AS groups, count(*) AS steps,
        min(step) AS first_step, max(step) AS last_step, arg_min(tool_rate, step) AS first_rate,
        arg_max(tool_rate, step) AS last_rate
      FROM steps`,
    signal,
  });
  const row = rows[0] ?? {};
  return {
    rollouts: numberIn(row, 'rollouts') ?? 0,
    groups: numberIn(row, 'groups') ?? 0,
    steps: numberIn(row, 'steps') ?? 0,
    firstStep: numberIn(row, 'first_step'),
    lastStep: numberIn(row, 'last_step'),
    firstToolRate: numberIn(row, 'first_rate'),
    lastToolRate: numberIn(row, 'last_rate'),
  };
}

/** Groups of a step in order of first appearance (file, row). */
export async function groupsPage(
  run: RunTable,
  options: Slice & { readonly step: number },
  signal?: AbortSignal,
): Promise<Sliced<StoredGroup>> {
  return page(
    run,
    {
      sql: `WITH groups AS (
          SELECT group_key, arg_min(question, (file_order, row)) AS question, count(*) AS size,
            count(*) FILTER (WHERE correct) AS correct, count(*) FILTER (WHERE qualifies) AS qualifying,
            bool_or(group_inferred) AS inferred, min((file_order, row)) AS place
          FROM ${run.view} WHERE step = $step GROUP BY group_key
        ), usual AS (SELECT size AS usual_size FROM groups GROUP BY size ORDER BY count(*) DESC, size DESC LIMIT 1)
        SELECT * EXCLUDE (place), inferred AND size <> usual_size AS odd FROM groups, usual ORDER BY place ${limit(options)}`,
      count: `SELECT count(DISTINCT group_key) AS total FROM ${run.view} WHERE step = $step`,
      parameters: { step: options.step },
      signal,
    },
    (row) => ({
      step: options.step,
      key: String(row['group_key']),
      question: String(row['question']),
      size: numberIn(row, 'size') ?? 0,
      correct: numberIn(row, 'correct') ?? 0,
      qualifying: numberIn(row, 'qualifying') ?? 0,
      oddSize: row['odd'] === true,
    }),
  );
}

/** Rollouts of a selection; without a sort in the order step, file, row. Nulls come last in either direction. */
export async function rolloutsPage(
  run: RunTable,
  options: Slice & RolloutSelection,
  signal?: AbortSignal,
): Promise<Sliced<StoredRollout>> {
  if (options.pattern !== null && options.pattern.rule !== siblingRule) await run.flags.load('flags', signal);
  const { where, parameters } = conditions(options, run);
  const sorted = options.sort === null ? '' : `${orderColumns[options.sort]} ${options.descending ? 'DESC' : 'ASC'}`;
  return page(
    run,
    {
      sql: selectRollouts(run, where, { order: sorted, slice: options }),
      count: `SELECT count(*) AS total FROM ${run.view} ${where}`,
      parameters,
      signal,
    },
    storedRollout,
  );
}

/** At most `limit` (≤ 500) rollouts whose step, id or question holds every word of the text, in run order. */
export async function searchRollouts(
  run: RunTable,
  options: { readonly text: string; readonly limit: number },
  signal?: AbortSignal,
): Promise<readonly StoredRollout[]> {
  const { where, parameters } = conditions({ ...everything, text: options.text }, run);
  const slice = { first: 0, count: options.limit };
  const sql = selectRollouts(run, where, { order: '', slice });
  return (await run.database.rows({ sql, parameters, signal })).map(storedRollout);
}

/** The first rollout logged at a 0-based line of a file, or the nearest before it; null if there is none. */
export async function rolloutAtLine(run: RunTable, file: string, line: number): Promise<StoredRollout | null> {
  return oneRollout(run, 'file = $file AND line <= $number ORDER BY line DESC, row', { file, number: line });
}

/** One rollout by its place; null if the index has none there. */
export async function rolloutAt(run: RunTable, file: string, row: number): Promise<StoredRollout | null> {
  return oneRollout(run, 'file = $file AND row = $number', { file, number: row });
}

/** All rollouts of a file in line order. */
export async function rolloutsOfFile(
  run: RunTable,
  options: Slice & { readonly file: string },
  signal?: AbortSignal,
): Promise<Sliced<StoredRollout>> {
  return page(
    run,
    {
      sql: `SELECT ${storedRolloutColumns} FROM ${run.view} WHERE file = $file ORDER BY row ${limit(options)}`,
      count: `SELECT count(*) AS total FROM ${run.view} WHERE file = $file`,
      parameters: { file: options.file },
      signal,
    },
    storedRollout,
  );
}

/** All members of a group in the order file, row (no page: analysis needs them all; at most 100,000). */
export async function membersOfGroup(run: RunTable, step: number, group: string): Promise<readonly StoredRollout[]> {
  const rows = await run.database.rows({
    sql: `SELECT ${storedRolloutColumns} FROM ${run.view} WHERE step = $step AND group_key = $group
          ORDER BY file_order, row LIMIT ${longestGroup}`,
    parameters: { step, group },
  });
  return rows.map(storedRollout);
}

const everything: RolloutSelection = {
  step: null,
  group: null,
  sort: null,
  descending: false,
  wrong: false,
  withCalls: false,
  redundant: false,
  pattern: null,
  text: '',
};

// What a search looks through, in one text: "step 17" and the question on lines of their own.
const haystack = `lower(concat_ws(chr(10), 'step ' || step, question))`;
// "step 30" means that step: as two words it would find every question with a 30 in it.
const stepPhrase = /(?<=^|\s)step\s+(\d{1,9})(?=\s|$)/iu;

/** Shorter words are found at the start of an id only: "31" is somewhere in most hexadecimal ids. */
const shortestInsideId = 6;

function wordCondition(parameter: string, word: string): string {
  const inId = word.length < shortestInsideId ? 'starts_with' : 'contains';
  return `(contains(${haystack}, lower(${parameter})) OR coalesce(${inId}(lower(id), lower(${parameter})), false))`;
}

function conditions(
  selection: RolloutSelection,
  run: RunTable,
): { readonly where: string; readonly parameters: Parameters } {
  const parts: string[] = [];
  const parameters: Record<string, Cell | readonly string[]> = {};
  if (selection.step !== null) {
    parts.push('step = $step');
    parameters['step'] = selection.step;
  }
  if (selection.group !== null) {
    parts.push('group_key = $group');
    parameters['group'] = selection.group;
  }
  if (selection.wrong) parts.push('correct = false');
  if (selection.withCalls) parts.push('calls > 0');
  if (selection.redundant) parts.push('redundant_calls > 0');
  if (selection.pattern?.rule === siblingRule) parts.push('sibling_calls > 0');
  else if (selection.pattern !== null) {
    const flagged = run.flags.keysOf(selection.pattern);
    parts.push(`key IN (${flagged.sql})`);
    Object.assign(parameters, flagged.parameters);
  }
  const phrase = stepPhrase.exec(selection.text);
  if (phrase !== null) {
    parts.push('step = $phrase_step');
    parameters['phrase_step'] = Number(phrase[1]);
  }
  const words = new Set(
    selection.text
      .replace(stepPhrase, ' ')
      .split(/\s+/u)
      .filter((word) => word !== ''),
  );
  for (const [index, word] of [...words].slice(0, mostWords).entries()) {
    parts.push(wordCondition(`$word${index}`, word));
    parameters[`word${index}`] = word;
  }
  return { where: parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`, parameters };
}

interface Ordered {
  /** Column and direction before the total order; '' for none. */
  readonly order: string;
  readonly slice: Slice;
}

/** Sorts keys only and fetches the page's rows by key: a fifth of the time of sorting whole rows. */
function selectRollouts(run: RunTable, where: string, { order, slice }: Ordered): string {
  const orderBy = `ORDER BY ${order === '' ? '' : `${order} NULLS LAST, `}${total}`;
  return `SELECT ${storedRolloutColumns} FROM ${run.view}
    WHERE key IN (SELECT key FROM ${run.view} ${where} ${orderBy} ${limit(slice)}) ${orderBy}`;
}

/** Whole numbers of ours, so that they may stand in the text. */
function limit({ first, count }: Slice): string {
  const whole = (value: number): number => Math.max(0, Math.trunc(Number.isFinite(value) ? value : 0));
  return `LIMIT ${Math.min(longestPage, whole(count))} OFFSET ${whole(first)}`;
}

interface PageQuery {
  readonly sql: string;
  readonly count: string;
  readonly parameters: Parameters;
  readonly signal: AbortSignal | undefined;
}

async function page<T>(run: RunTable, query: PageQuery, toRow: (row: Row) => T): Promise<Sliced<T>> {
  const { sql, count, parameters, signal } = query;
  const [rows, counted] = await Promise.all([
    run.database.rows({ sql, parameters, signal }),
    run.database.rows({ sql: count, parameters, signal }),
  ]);
  return { rows: rows.map(toRow), total: numberIn(counted[0] ?? {}, 'total') ?? 0 };
}

async function oneRollout(run: RunTable, condition: string, parameters: Parameters): Promise<StoredRollout | null> {
  const sql = `SELECT ${storedRolloutColumns} FROM ${run.view} WHERE ${condition} LIMIT 1`;
  const [row] = await run.database.rows({ sql, parameters });
  return row === undefined ? null : storedRollout(row);
}

function numberIn(row: Row, name: string): number | null {
  const value = row[name];
  return typeof value === 'number' ? value : null;
}
