/**
 * The way of a run's columns out to analysis/ and of what it computed back into the table: whole steps at a time, in
 * batches that bound the memory of sorting and joining. Leaves out the arithmetic (analysis/) and the table itself
 * (runTable.ts).
 */
import { limitPattern } from '../model/stopReason.ts';
import type { ColumnData, NumberColumnData } from './columnArrays.ts';
import type { Database, ResultColumns, StoredType, Writer } from './duckdb.ts';
import type { AdvantageColumns, DerivedColumns } from './runTable.ts';

const derivedTypes: readonly (readonly [name: string, type: StoredType])[] = [
  // Within the step, so that a new step does not renumber the groups of others; exportTable.ts makes `group` of it.
  ['group_in_step', 'INTEGER'],
  ['rollout', 'INTEGER'],
  ['group_size', 'INTEGER'],
  ['group_qualifying', 'INTEGER'],
  ['correct', 'BOOLEAN'],
  ['acc_reward', 'DOUBLE'],
  ['tool_reward', 'DOUBLE'],
  ['acc_advantage', 'DOUBLE'],
  ['tool_advantage', 'DOUBLE'],
  ['qualifies', 'BOOLEAN'],
  ['sibling_calls', 'INTEGER'],
];

/** Declarations of the derived columns for CREATE TABLE. */
export const derivedDeclarations: readonly string[] = derivedTypes.map(([name, type]) => `${name} ${type}`);

const batchRows = 65_536;

/** Reads the columns of all rollouts of some steps (null = all) in the order step, file, row. */
export async function readAdvantageColumns(
  database: Database,
  view: string,
  { steps, signal }: { readonly steps: readonly number[] | null; readonly signal: AbortSignal | undefined },
): Promise<AdvantageColumns> {
  const batches: ResultColumns[] = [];
  for (const { steps: some, severalOutputs } of await stepBatches(database, view, steps)) {
    const sql = advantageQuery(view, severalOutputs ? lastOutputOnly : 'false');
    batches.push(await database.columns({ sql, parameters: { steps: some }, signal }));
  }
  const count = batches.reduce((sum, batch) => sum + batch.count, 0);
  const column = (name: string): Float64Array => concatenated(batches, count, name);
  return {
    count,
    key: column('key'),
    step: Int32Array.from(column('step')),
    group: groupsOf(batches, count),
    reward: column('reward'),
    answerReward: column('answer_reward'),
    formatReward: column('format_reward'),
    correctLogged: Uint8Array.from(column('correct_logged')),
    loggedAdvantage: column('logged_advantage'),
    calls: Uint32Array.from(column('calls')),
    failedCalls: Uint32Array.from(column('failed_calls')),
    redundantCalls: Uint32Array.from(column('redundant_calls')),
    masked: Uint8Array.from(column('masked')),
    superseded: Uint8Array.from(column('superseded')),
    modelTokens: column('model_tokens'),
    modelCharacters: column('model_characters'),
    truncated: Uint8Array.from(column('truncated')),
  };
}

/** Whole steps that are read at once; `severalOutputs` if a rollout of them logs more than one record. */
export interface StepBatch {
  readonly steps: number[];
  severalOutputs: boolean;
}

/** The steps in ascending order, cut into batches of whole steps of about 65,536 rollouts; null = all steps. */
export async function stepBatches(
  database: Database,
  view: string,
  steps: readonly number[] | null,
): Promise<readonly StepBatch[]> {
  const sizes = await database.columns({
    sql: `SELECT step, count(*) AS size, coalesce(bool_or(output > 0), false)::INTEGER AS several FROM ${view} ${steps === null ? '' : inSteps} GROUP BY step ORDER BY step`,
    ...(steps === null ? {} : { parameters: { steps } }),
  });
  const size = sizes.number('size');
  const several = sizes.number('several');
  const batches: StepBatch[] = [];
  let open: StepBatch = { steps: [], severalOutputs: false };
  let rows = 0;
  sizes.number('step').forEach((step, index) => {
    if (rows === 0) batches.push(open);
    open.steps.push(step);
    if (several[index] === 1) open.severalOutputs = true;
    rows += size[index] ?? 0;
    if (rows < batchRows) return;
    open = { steps: [], severalOutputs: false };
    rows = 0;
  });
  return batches;
}

/** Condition of a batch's steps, bound as `$steps`. */
export const inSteps = 'WHERE step IN (SELECT unnest($steps))';

/**
 * True for a record whose rollout logs a later one. A window over all rollouts, so only asked of steps that need it. The
 * ids of a step's groups tell rollouts apart; a record without id stands for itself. Reads a relation named `batch`.
 */
export const lastOutputOnly = `coalesce(
  id IS NOT NULL AND output < max(output) OVER (PARTITION BY batch.step, batch.group_key, id), false)`;

function advantageQuery(view: string, superseded: string): string {
  return `WITH batch AS (SELECT * FROM ${view} ${inSteps}),
    first_seen AS (
      SELECT step, group_key, min((file_order, row)) AS place FROM batch GROUP BY step, group_key
    ),
    numbered AS (
      SELECT step, group_key, (row_number() OVER (ORDER BY step, place) - 1)::INTEGER AS number FROM first_seen
    )
    SELECT batch.key::DOUBLE AS key, batch.step AS step, numbered.number AS group_number,
      ${notNull('reward')}, ${notNull('answer_reward')}, ${notNull('format_reward')}, ${notNull('logged_advantage')},
      coalesce(correct_logged::INTEGER, 2) AS correct_logged, calls, failed_calls, redundant_calls,
      masked::INTEGER AS masked, (${superseded})::INTEGER AS superseded, ${notNull('model_tokens')}, model_characters,
      ${truncated} AS truncated
    FROM batch JOIN numbered ON batch.step = numbered.step AND batch.group_key = numbered.group_key
    ORDER BY batch.step, batch.file_order, batch.row`;
}

/** 0, 1 or 2 as `endedByLimit` says it. */
export const truncated = `CASE WHEN coalesce(stop_reason, '') = '' THEN 2
      WHEN regexp_matches(lower(stop_reason), '${limitPattern}') THEN 1 ELSE 0 END`;

/** A column as DOUBLE with NaN for NULL: reading nulls out of vectors costs ten times as much. */
export function notNull(column: string): string {
  return `coalesce(${column}::DOUBLE, 'nan'::DOUBLE) AS ${column}`;
}

function concatenated(batches: readonly ResultColumns[], count: number, name: string): Float64Array {
  const values = new Float64Array(count);
  let first = 0;
  for (const batch of batches) {
    values.set(batch.number(name), first);
    first += batch.count;
  }
  return values;
}

/** Group ordinals over all batches: each batch numbers its own from 0, and no step is in two batches. */
function groupsOf(batches: readonly ResultColumns[], count: number): Uint32Array {
  const groups = new Uint32Array(count);
  let first = 0;
  let groupsBefore = 0;
  for (const batch of batches) {
    let most = -1;
    batch.number('group_number').forEach((number, index) => {
      groups[first + index] = groupsBefore + number;
      most = Math.max(most, number);
    });
    first += batch.count;
    groupsBefore += most + 1;
  }
  return groups;
}

/** What was computed, for which rollouts. */
export interface DerivedBatch {
  readonly batch: AdvantageColumns;
  readonly derived: DerivedColumns;
}

/** Writes derived columns into the table by key; keys that are gone change nothing. */
export async function writeDerived(writer: Writer, table: string, { batch, derived }: DerivedBatch): Promise<void> {
  const { groupInStep, member } = placesOf(batch);
  const { correct } = derived;
  const columns: Readonly<Record<string, NumberColumnData>> = {
    group_in_step: numbers(groupInStep),
    rollout: numbers(member),
    group_size: numbers(derived.groupSize),
    group_qualifying: numbers(derived.groupQualifying),
    correct: { kind: 'number', values: correct, valid: correct.map((code) => Number(code !== 2)) },
    acc_reward: nullable(derived.accReward),
    tool_reward: nullable(derived.toolReward),
    acc_advantage: nullable(derived.accAdvantage),
    tool_advantage: nullable(derived.toolAdvantage),
    qualifies: numbers(derived.qualifies),
    sibling_calls: numbers(derived.siblingCalls),
  };
  const ordered = [numbers(batch.key), ...derivedTypes.flatMap(([name]) => columns[name] ?? [])];
  const types: readonly StoredType[] = ['BIGINT', ...derivedTypes.map(([, type]) => type)];
  const assignments = derivedTypes.map(([name]) => `${name} = derived.${name}`).join(', ');
  for (let first = 0; first < batch.count; first += batchRows) {
    const count = Math.min(batchRows, batch.count - first);
    await writer.run({ sql: `CREATE TEMP TABLE derived (key BIGINT, ${derivedDeclarations.join(', ')})` });
    await writer.append('derived', types, { count, columns: ordered.map((column) => slice(column, first, count)) });
    await writer.run({ sql: `UPDATE ${table} SET ${assignments} FROM derived WHERE ${table}.key = derived.key` });
    await writer.run({ sql: 'DROP TABLE derived' });
  }
}

/** Ordinal of each rollout's group within its step and of the rollout within its group, both in the batch's order. */
function placesOf({ count, step, group }: AdvantageColumns) {
  const groupInStep = new Int32Array(count);
  const member = new Int32Array(count);
  const members = new Map<number, number>();
  let firstGroup = 0;
  for (let i = 0; i < count; i += 1) {
    const ordinal = group[i] ?? 0;
    // Groups are numbered by step and first appearance, so the first rollout of a step is in its first group.
    if (i === 0 || step[i] !== step[i - 1]) firstGroup = ordinal;
    groupInStep[i] = ordinal - firstGroup;
    const place = members.get(ordinal) ?? 0;
    member[i] = place;
    members.set(ordinal, place + 1);
  }
  return { groupInStep, member };
}

function numbers(values: NumberColumnData['values']): NumberColumnData {
  return { kind: 'number', values, valid: null };
}

function nullable(values: Float64Array): NumberColumnData {
  const valid = new Uint8Array(values.length);
  values.forEach((value, index) => {
    valid[index] = Number.isNaN(value) ? 0 : 1;
  });
  return { kind: 'number', values, valid };
}

function slice({ values, valid }: NumberColumnData, first: number, count: number): ColumnData {
  const end = first + count;
  return { kind: 'number', values: values.subarray(first, end), valid: valid?.subarray(first, end) ?? null };
}
