/**
 * The columns of single rollouts that charts draw, read out of an open run in the order step, file, row; and which groups
 * are of one prompt. Rows without derived columns (their step is being computed) and earlier outputs of a rollout are
 * left out, so that charts count what the steps' aggregates count. Leaves out pages and versions (engine/samples.ts).
 */
import { inSteps, lastOutputOnly, notNull, stepBatches, truncated } from './derivedColumns.ts';
import type { ResultColumns } from './duckdb.ts';
import type { RunTable } from './runTable.ts';

/** Structurally protocol's SampleColumns: parallel arrays, NaN = not known. */
export interface StoredSampleColumns {
  readonly key: Float64Array;
  readonly step: Int32Array;
  readonly group: Uint32Array;
  readonly prompt: Uint32Array;
  /** 0 wrong, 1 right, 2 not known. */
  readonly correct: Uint8Array;
  readonly calls: Uint16Array;
  readonly failedCalls: Uint16Array;
  readonly redundantCalls: Uint16Array;
  readonly accReward: Float32Array;
  readonly accAdvantage: Float32Array;
  readonly toolAdvantage: Float32Array;
  readonly loggedAdvantage: Float32Array;
  readonly length: Float32Array;
  readonly masked: Uint8Array;
  readonly truncated: Uint8Array;
}

/** All rollouts of a run. */
export interface StoredSamples {
  readonly count: number;
  /** True where `length` is characters, since not every rollout logs tokens: one unit for the whole run. */
  readonly lengthIsEstimate: boolean;
  /** By prompt ordinal: 53 bits of a hash of what names the prompt, equal in all runs. */
  readonly promptKeys: Float64Array;
  readonly columns: StoredSampleColumns;
}

const mostCalls = 65_535;

/** Reads all rollouts whose advantages are computed, a batch of whole steps at a time. */
export async function readSampleColumns(run: RunTable, signal?: AbortSignal): Promise<StoredSamples> {
  const prompts = await run.database.columns({ sql: promptsQuery(run.view), signal });
  const groups = groupPlaces(prompts);
  const parts: StoredSampleColumns[] = [];
  const tokens: Float32Array[] = [];
  for (const { steps, severalOutputs } of await stepBatches(run.database, run.view, null)) {
    const sql = samplesQuery(run.view, severalOutputs);
    const batch = await run.database.columns({ sql, parameters: { steps }, signal });
    parts.push(columnsOf(batch, groups));
    tokens.push(new Float32Array(batch.number('model_tokens')));
  }
  const count = parts.reduce((sum, { key }) => sum + key.length, 0);
  const lengthIsEstimate = tokens.some((values) => values.some(Number.isNaN));
  const pick = <Name extends keyof StoredSampleColumns>(name: Name) => parts.map((part) => part[name]);
  return {
    count,
    lengthIsEstimate,
    promptKeys: groups.keys,
    columns: {
      key: joined(new Float64Array(count), pick('key')),
      step: joined(new Int32Array(count), pick('step')),
      group: joined(new Uint32Array(count), pick('group')),
      prompt: joined(new Uint32Array(count), pick('prompt')),
      correct: joined(new Uint8Array(count), pick('correct')),
      calls: joined(new Uint16Array(count), pick('calls')),
      failedCalls: joined(new Uint16Array(count), pick('failedCalls')),
      redundantCalls: joined(new Uint16Array(count), pick('redundantCalls')),
      accReward: joined(new Float32Array(count), pick('accReward')),
      accAdvantage: joined(new Float32Array(count), pick('accAdvantage')),
      toolAdvantage: joined(new Float32Array(count), pick('toolAdvantage')),
      loggedAdvantage: joined(new Float32Array(count), pick('loggedAdvantage')),
      length: joined(new Float32Array(count), lengthIsEstimate ? pick('length') : tokens),
      masked: joined(new Uint8Array(count), pick('masked')),
      truncated: joined(new Uint8Array(count), pick('truncated')),
    },
  };
}

/**
 * One row a group (step, group_in_step, group_key, prompt, prompt_key), ordered by step and group: `prompt` is a dense ordinal. A
 * hash of the prompt, or a logged key that comes back in a later step with the same question, names the prompt; a log
 * that gives every group a new id, or counts from 0 in every step, has only the question to tell by, unless two groups of
 * one step share it.
 */
export function promptsQuery(view: string): string {
  return `WITH groups AS (
      SELECT step, group_in_step, any_value(group_key) AS group_key, min(question) AS question,
        bool_or(group_inferred) AS inferred
      FROM ${view} WHERE group_in_step IS NOT NULL GROUP BY step, group_in_step
    ), ambiguous AS (
      SELECT DISTINCT question FROM groups GROUP BY step, question HAVING count(*) > 1
    ), keys AS (
      SELECT sum(times) > count(*) AND max(questions) <= 1 AS recur FROM (
        SELECT count(*) AS times, count(DISTINCT question) AS questions FROM groups GROUP BY group_key
      )
    ),
    named AS (
      SELECT step, group_in_step, group_key,
        CASE WHEN inferred OR keys.recur OR coalesce(question, '') = '' OR question IN (FROM ambiguous)
          THEN 'key ' || group_key ELSE 'question ' || question END AS prompt_name
      FROM groups, keys
    )
    SELECT step, group_in_step, group_key, (dense_rank() OVER (ORDER BY prompt_name) - 1)::INTEGER AS prompt,
      (hash(prompt_name) >> 11)::DOUBLE AS prompt_key
    FROM named ORDER BY step, group_in_step`;
}

function samplesQuery(view: string, severalOutputs: boolean): string {
  // The window must see all outputs of a step before the earlier ones are left out.
  const superseded = severalOutputs ? lastOutputOnly : 'false';
  return `WITH batch AS (SELECT * FROM ${view} ${inSteps}),
    marked AS (SELECT *, ${superseded} AS superseded FROM batch)
    SELECT key::DOUBLE AS key, step, group_in_step, calls, failed_calls,
      redundant_calls, ${notNull('acc_reward')}, ${notNull('acc_advantage')}, ${notNull('tool_advantage')},
      ${notNull('logged_advantage')}, ${notNull('model_tokens')}, model_characters,
      ${codesQuery} AS codes
    FROM marked WHERE NOT superseded AND group_in_step IS NOT NULL ORDER BY step, file_order, row`;
}

// Three small columns as one: taking a value out of a result costs more than anything that is done with it.
const codesQuery = `coalesce(correct::INTEGER, 2) + 4 * masked::INTEGER + 8 * (${truncated})`;

function codesOf(batch: ResultColumns) {
  const codes = batch.number('codes');
  const correct = new Uint8Array(batch.count);
  const masked = new Uint8Array(batch.count);
  const cut = new Uint8Array(batch.count);
  for (let i = 0; i < batch.count; i += 1) {
    const code = codes[i] ?? 0;
    correct[i] = code & 3;
    masked[i] = (code >> 2) & 1;
    cut[i] = code >> 3;
  }
  return { correct, masked, truncated: cut };
}

/** Where a step's groups begin in the list of all groups, and the prompt of each. */
interface GroupPlaces {
  readonly firstOfStep: ReadonlyMap<number, number>;
  readonly prompt: Uint32Array;
  /** By prompt. */
  readonly keys: Float64Array;
}

function groupPlaces(prompts: ResultColumns): GroupPlaces {
  const firstOfStep = new Map<number, number>();
  prompts.number('step').forEach((step, group) => {
    if (!firstOfStep.has(step)) firstOfStep.set(step, group);
  });
  const prompt = Uint32Array.from(prompts.number('prompt'));
  const keys = new Float64Array(prompt.reduce((most, ordinal) => Math.max(most, ordinal + 1), 0));
  prompts.number('prompt_key').forEach((key, group) => {
    keys[prompt[group] ?? 0] = key;
  });
  return { firstOfStep, prompt, keys };
}

function columnsOf(batch: ResultColumns, groups: GroupPlaces): StoredSampleColumns {
  const step = new Int32Array(batch.number('step'));
  const inStep = batch.number('group_in_step');
  const group = new Uint32Array(batch.count);
  const prompt = new Uint32Array(batch.count);
  for (let i = 0; i < batch.count; i += 1) {
    const ordinal = (groups.firstOfStep.get(step[i] ?? 0) ?? 0) + (inStep[i] ?? 0);
    group[i] = ordinal;
    prompt[i] = groups.prompt[ordinal] ?? 0;
  }
  const small = (name: string): Uint16Array => {
    const values = batch.number(name);
    const column = new Uint16Array(batch.count);
    for (let i = 0; i < batch.count; i += 1) column[i] = Math.min(values[i] ?? 0, mostCalls);
    return column;
  };
  const codes = codesOf(batch);
  return {
    key: batch.number('key'),
    step,
    group,
    prompt,
    correct: codes.correct,
    calls: small('calls'),
    failedCalls: small('failed_calls'),
    redundantCalls: small('redundant_calls'),
    accReward: new Float32Array(batch.number('acc_reward')),
    accAdvantage: new Float32Array(batch.number('acc_advantage')),
    toolAdvantage: new Float32Array(batch.number('tool_advantage')),
    loggedAdvantage: new Float32Array(batch.number('logged_advantage')),
    length: new Float32Array(batch.number('model_characters')),
    masked: codes.masked,
    truncated: codes.truncated,
  };
}

function joined<Column extends Float64Array | Float32Array | Int32Array | Uint32Array | Uint16Array | Uint8Array>(
  all: Column,
  parts: readonly Column[],
): Column {
  let first = 0;
  for (const part of parts) {
    all.set(part, first);
    first += part.length;
  }
  return all;
}
