/**
 * Reads the rollout summaries of tinker-cookbook, `{train,eval_x}_rollout_summaries.jsonl` (9dfcc3a; formats.md 5.8): how
 * long each observation and each action was, rewards and metrics by step, no text but what an environment put into `logs`.
 * Group = `group_idx` within the iteration. Leaves out what was said: the log has it not.
 */
import { asArray, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout, buildTurn, textPart } from '../model/builder.ts';
import type { NamedValue, RecordPlace, Rollout, Turn, TurnPart } from '../model/rollout.ts';
import { extrasOf, isSmall } from './extras.ts';
import { lineFormat } from './lineFormat.ts';
import type { Reader } from './reader.ts';
import { numberOf } from './toolInteractions.ts';
import { stepOf } from './trl.ts';

const format = 'tinker';
const producer = 'tinker-cookbook';
const placed: ReadonlySet<string> = new Set([
  ...['schema_version', 'iteration', 'group_idx', 'traj_idx', 'total_reward', 'final_reward', 'steps'],
]);

/** One rollout a line. */
export const tinkerReader: Reader = {
  format,
  version: 1,
  recognise: ({ container, keys }) =>
    container === 'jsonl' && ['schema_version', 'split', 'group_idx', 'traj_idx'].every((key) => keys.has(key))
      ? { format, producer, variant: '' }
      : null,
  stepOfName: () => null,
  ...lineFormat({
    holds: (record) =>
      isId(record['group_idx']) && isId(record['traj_idx']) ? 1 : 'the line has no group_idx or no traj_idx',
    rollout: (record, place) => tinkerRollout(record, place),
    tell: () => 'tinker-cookbook logs lengths, rewards and metrics of each step, not what was said',
  }),
};

/** Maps one line; pure. */
export function tinkerRollout(record: JsonObject, place: RecordPlace): Rollout {
  const steps = asArray(record['steps']).filter(isObject);
  const lengths = steps.map((step) => tokenCount(step['ac_len']));
  const isComplete = lengths.length > 0 && lengths.every((length) => length !== null);
  return buildRollout({
    place,
    producer,
    step: stepOf(numberOf(record['iteration'])),
    group: { key: String(record['group_idx'] ?? ''), source: 'logged' },
    id: String(record['traj_idx'] ?? ''),
    question: questionOf(record),
    turns: turnsOf(steps),
    reward: { total: numberOf(record['total_reward']), parts: partsOf(record) },
    modelTokens: isComplete ? lengths.reduce((sum: number, length) => sum + (length ?? 0), 0) : null,
    extras: [...extrasOf(record, placed), ...stepValues(steps)],
  });
}

/** An observation and an action a step; `ob_len` counts the whole context, so later observations are what it grew by. */
function turnsOf(steps: readonly JsonObject[]): readonly Turn[] {
  const turns: Turn[] = [];
  let context = 0;
  for (const [index, step] of steps.entries()) {
    const observed = tokenCount(step['ob_len']);
    const written = tokenCount(step['ac_len']);
    const grown = observed === null || observed < context ? null : observed - context;
    turns.push(
      buildTurn({
        role: index === 0 ? 'user' : 'tool',
        loggedRole: 'observation',
        parts: [],
        prompt: index === 0,
        tokens: grown,
      }),
      buildTurn({ role: 'policy', loggedRole: 'action', parts: logParts(step['logs']), tokens: written }),
    );
    context = (observed ?? context) + (written ?? 0);
  }
  return turns;
}

/** Texts that the environment logged with a step. */
function logParts(logs: Json | undefined): TurnPart[] {
  if (!isObject(logs)) return [];
  return Object.entries(logs).map(([name, value]) =>
    textPart(`${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}\n`),
  );
}

function partsOf(record: JsonObject): NamedValue[] {
  const final = numberOf(record['final_reward']);
  return final === null ? [] : [{ name: 'final_reward', value: final }];
}

/** Rewards and metrics of each step by name: one value where there is one step, else a list. */
function stepValues(steps: readonly JsonObject[]): NamedValue[] {
  const names = new Set(steps.flatMap((step) => (isObject(step['metrics']) ? Object.keys(step['metrics']) : [])));
  const columns = [
    { name: 'step rewards', values: steps.map((step) => step['reward'] ?? null) },
    { name: 'episode_done', values: steps.map((step) => step['episode_done'] ?? null) },
    ...[...names].map((name) => ({ name, values: steps.map((step) => metricOf(step, name)) })),
  ];
  return columns.flatMap(({ name, values }) => {
    const value = values.length === 1 ? (values[0] ?? null) : values;
    return value === null || values.every((item) => item === null) || !isSmall(value) ? [] : [{ name, value }];
  });
}

function metricOf(step: JsonObject, name: string): Json {
  const metrics = step['metrics'];
  return isObject(metrics) && Object.hasOwn(metrics, name) ? (metrics[name] ?? null) : null;
}

function questionOf(record: JsonObject): string {
  const tags = asArray(record['tags']).flatMap((tag) => asString(tag) ?? []);
  const named = tags.length === 0 ? '' : ` of ${tags.join(', ')}`;
  return `group ${String(record['group_idx'] ?? '')}${named} (no text logged)`.slice(0, 160);
}

/** A number of tokens; null for anything that cannot be one. */
function tokenCount(value: Json | undefined): number | null {
  const count = numberOf(value);
  return count !== null && Number.isSafeInteger(count) && count >= 0 ? count : null;
}

function isId(value: Json | undefined): boolean {
  return typeof value === 'string' || typeof value === 'number';
}
