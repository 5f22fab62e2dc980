/**
 * rLLM episodes (formats.md 5.6): one JSON document an episode, as the trainer's EpisodeLogger and as `rllm eval` write
 * them. Group = hash of the task (training) or its id, step = `training_step`. An episode has one trajectory an agent;
 * with several, each speaks as a sub-agent of its own name. `chat_completions` repeats the whole conversation at every
 * step: what a step adds is shown (rllmSteps.ts). Leaves out the timings of single steps but for their length.
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout, foldQuestion } from '../model/builder.ts';
import type { NamedValue, RecordPlace, Reward, Rollout } from '../model/rollout.ts';
import { objectAt } from './episodeDraft.ts';
import { extrasOf, isSmall } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { documentFormat, isDocument } from './jsonDocument.ts';
import type { Head, Reader } from './reader.ts';
import { readTrajectories } from './rllmSteps.ts';

const producer = 'rLLM';
const placedKeys: ReadonlySet<string> = new Set([
  'training_step',
  'episode_id',
  'id',
  'task',
  'task_hash',
  'is_correct',
  'termination_reason',
  'trajectories',
]);

/** The rLLM reader. */
export const rllmReader: Reader = {
  format: 'rllm',
  version: 1,
  recognise: (head) => {
    const variant = variantOf(head);
    return variant === null ? null : { format: 'rllm', producer, variant, holds: 'episode' };
  },
  stepOfName: (name) => {
    const digits = /(?:^|\/)(?:train|val)_step_(\d{1,9})(?:_epoch_\d+)?\//.exec(name)?.[1];
    return digits === undefined ? null : Number(digits);
  },
  ...documentFormat({
    refusal: 'not an rLLM episode: it has no id or no trajectories',
    rollout: (document, { place }) => (isObject(document) ? rolloutOf(document, place) : null),
  }),
};

/** An episode of the trainer, or of an evaluation; `trajectories` comes last, behind tasks of any size. */
function variantOf(head: Head): 'train' | 'eval' | null {
  if (!isDocument(head)) return null;
  const hasAll = (...keys: readonly string[]): boolean => keys.every((key) => head.keys.has(key));
  if (head.first !== null && !head.keys.has('trajectories')) return null;
  if (hasAll('training_step', 'episode_id')) return 'train';
  if (hasAll('id', 'trajectories', 'eval_idx') || hasAll('id', 'task', 'is_correct', 'trajectories')) return 'eval';
  return null;
}

function rolloutOf(episode: JsonObject, place: RecordPlace): Rollout | null {
  const id = asString(episode['episode_id']) ?? asString(episode['id']);
  if (!Array.isArray(episode['trajectories']) || (id === null && !('eval_idx' in episode))) return null;
  const trajectories = asArray(episode['trajectories']).filter(isObject);
  const read = readTrajectories(trajectories);
  const task = episode['task'] ?? null;
  const question = questionOf(task);
  const correct = episode['is_correct'];
  return buildRollout({
    place,
    producer,
    step: asNumber(episode['training_step']),
    group: groupOf(episode, id),
    id,
    ...(question === null ? {} : { question: foldQuestion(question) }),
    groundTruth: groundTruthOf(task),
    turns: read.turns,
    calls: read.calls,
    images: read.images,
    answer: answerOf(episode) ?? read.answer,
    reward: rewardOf(trajectories, typeof correct === 'boolean' ? correct : null),
    loggedAdvantage: read.advantage,
    modelTokens: read.tokens,
    stopReason: asString(episode['termination_reason']),
    extras: [...extrasOf(episode, placedKeys), ...read.facts],
  });
}

/** The hash of the task as logged; the part of the id before the colon ("task:rollout"); else the task itself. */
function groupOf(episode: JsonObject, id: string | null): Rollout['group'] {
  const hash = asString(episode['task_hash']);
  if (hash !== null) return { key: hash, source: 'logged' };
  const taskId = objectAt(episode, 'task')['id'];
  if (typeof taskId === 'string' || typeof taskId === 'number') return { key: String(taskId), source: 'logged' };
  const colon = id === null ? -1 : id.lastIndexOf(':');
  if (id !== null && colon > 0) return { key: id.slice(0, colon), source: 'logged' };
  return { key: inferredGroupKey(JSON.stringify(episode['task'] ?? null), null), source: 'inferred' };
}

function questionOf(task: Json): string | null {
  if (typeof task === 'string') return task;
  if (!isObject(task)) return null;
  for (const key of ['question', 'instruction', 'problem', 'prompt', 'query']) {
    const text = asString(task[key]) ?? asString(objectAt(task, 'metadata')[key]);
    if (text !== null) return text;
  }
  return null;
}

function groundTruthOf(task: Json): Json {
  if (!isObject(task)) return null;
  for (const key of ['ground_truth', 'answer', 'final_answer', 'target', 'expected_answer']) {
    const value = task[key] ?? objectAt(task, 'metadata')[key];
    if (value !== undefined && value !== null && isSmall(value)) return value;
  }
  return null;
}

function answerOf(episode: JsonObject): string | null {
  const answer = objectAt(episode, 'artifacts')['answer'];
  return typeof answer === 'string' ? answer : null;
}

/** The one trajectory's reward; with several, what they agree on, else whether the episode was right. */
function rewardOf(trajectories: readonly JsonObject[], correct: boolean | null): Partial<Reward> {
  const parts: NamedValue[] = [];
  const rewards: number[] = [];
  for (const trajectory of trajectories) {
    const reward = asNumber(trajectory['reward']);
    if (reward !== null) rewards.push(reward);
    const name = asString(trajectory['name']) ?? 'agent';
    if (reward !== null && trajectories.length > 1) parts.push({ name, value: reward });
    for (const [signal, value] of Object.entries(objectAt(trajectory, 'signals'))) {
      if (typeof value === 'number')
        parts.push({ name: trajectories.length > 1 ? `${name} ${signal}` : signal, value });
    }
  }
  const [first = null] = rewards;
  const agreed = rewards.every((reward) => reward === first) ? first : null;
  const total = agreed ?? (correct === null ? null : Number(correct));
  return { total, correct, ...(correct === null ? {} : { correctSource: 'logged' as const }), parts };
}
