/**
 * The questions behind a mark of a chart: rollouts by their key, a group with keys, and every step in which a prompt was
 * sampled. Lists have a total order that ends with (file, row). Leaves out columns of all rollouts (sampleColumns.ts).
 */
import type { StoredRollout } from './questions.ts';
import type { RunTable } from './runTable.ts';
import { promptsQuery } from './sampleColumns.ts';
import { storedRollout, storedRolloutColumns } from './storedRollout.ts';

/** A rollout and the key by which columns name it. */
export interface KeyedRollout {
  readonly key: number;
  readonly stored: StoredRollout;
}

/** Rollouts of one prompt in one step. */
export interface StoredMoment {
  readonly step: number;
  readonly group: string;
  readonly rollouts: readonly KeyedRollout[];
}

/** As the longest group of questions.ts: a log without steps may have one group of everything. */
const longestList = 100_000;

/** Steps of a prompt that are read at once: with 8 rollouts each what one message may hold. */
const momentsAtOnce = 500;

/** The rollouts with these keys, in the order of the keys; keys that are gone are left out. */
export async function rolloutsByKey(
  run: RunTable,
  keys: readonly number[],
  signal?: AbortSignal,
): Promise<readonly KeyedRollout[]> {
  const whole = keys.filter((key) => Number.isSafeInteger(key));
  if (whole.length === 0) return [];
  const found = await keyed(run, 'key IN (SELECT unnest($keys))', { parameters: { keys: whole }, signal });
  const byKey = new Map(found.map((one) => [one.key, one]));
  return keys.flatMap((key) => byKey.get(key) ?? []);
}

/** The members of a group by file and row, at most 100,000. */
export async function keyedMembers(
  run: RunTable,
  { step, group }: { readonly step: number; readonly group: string },
  signal?: AbortSignal,
): Promise<readonly KeyedRollout[]> {
  const where = `step = $step AND group_key = $group AND ${lastOutput}`;
  return keyed(run, where, { parameters: { step, group }, signal });
}

/**
 * The steps in which the prompt of a group was sampled, ascending, from index `first` on, at most 500 at once; null if
 * the group is gone. Two groups of one step are two moments (a log may ask a prompt twice).
 */
export async function momentsOfPrompt(
  run: RunTable,
  { step, group, first }: { readonly step: number; readonly group: string; readonly first: number },
  signal?: AbortSignal,
): Promise<{ readonly moments: readonly StoredMoment[]; readonly total: number } | null> {
  const places = await run.database.columns({
    sql: `WITH prompts AS (${promptsQuery(run.view)})
      SELECT step, group_key FROM prompts WHERE prompt IN
        (SELECT prompt FROM prompts WHERE step = $step AND group_key = $group) ORDER BY step, group_in_step`,
    parameters: { step, group },
    signal,
  });
  if (places.count === 0) return null;
  const steps = places.number('step');
  const some = places
    .text('group_key')
    .map((key, index) => ({ step: steps[index] ?? 0, group: key ?? '' }))
    .slice(first, first + momentsAtOnce);
  const rows = await keyed(
    run,
    `step IN (SELECT unnest($steps)) AND group_key IN (SELECT unnest($groups)) AND ${lastOutput}`,
    {
      parameters: { steps: some.map((place) => place.step), groups: some.map((place) => place.group) },
      signal,
    },
  );
  const moments = some.map((place) => ({
    ...place,
    rollouts: rows.filter(({ stored }) => stored.step === place.step && stored.group === place.group),
  }));
  return { moments, total: places.count };
}

// An earlier output of a rollout has a reward, but no r_acc of its own (engine/derive.ts).
const lastOutput = 'NOT (output IS NOT NULL AND reward IS NOT NULL AND acc_reward IS NULL)';

async function keyed(
  run: RunTable,
  where: string,
  query: Pick<Parameters<RunTable['database']['rows']>[0], 'parameters' | 'signal'>,
): Promise<readonly KeyedRollout[]> {
  const rows = await run.database.rows({
    sql: `SELECT key, ${storedRolloutColumns} FROM ${run.view} WHERE ${where} ORDER BY step, file_order, row LIMIT ${longestList}`,
    ...query,
  });
  return rows.map((row) => ({ key: Number(row['key']), stored: storedRollout(row) }));
}
