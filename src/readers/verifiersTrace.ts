/**
 * verifiers v1 and current prime-rl: `traces.jsonl`, an episode a line with one trace an agent, or bare traces
 * (formats.md 4.2, 4.3). A trace is a rollout: a tree of messages with token arrays. The path to the last node is the
 * main agent's; what branches off (context that was compacted away, sub-agents) keeps its order and names its branch.
 * The total reward is Σ score·weight. Leaves out tool schemas and `token_exports`.
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { NamedValue, RecordPlace, Reward, Rollout, SubAgent } from '../model/rollout.ts';
import { type MessageFacts, turnsOfMessages } from './chatMessages.ts';
import { extrasOf } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { lineFormat } from './lineFormat.ts';
import type { Reader, Recognition } from './reader.ts';
import { numbersOf, scalarOf, tokenValuesOf } from './tokenArrays.ts';
import { numberOf } from './toolInteractions.ts';

const format = 'verifiers-trace';
const episodes = 'episodes';
const stepFolder = /(?:^|\/)step_(\d{1,9})\//;
const placedOfTrace: ReadonlySet<string> = new Set([
  'version',
  'id',
  'verifiers',
  'task',
  'agent',
  'tools',
  'nodes',
  'calls',
  'rewards',
  'metrics',
  'info',
  'stop_condition',
]);

/** The reader of episodes and traces. */
export const verifiersTraceReader: Reader = {
  format,
  version: 1,
  recognise: (head) => {
    if (head.container !== 'jsonl') return null;
    const has = (...keys: string[]): boolean => keys.every((key) => head.keys.has(key));
    if (has('env', 'task', 'traces')) return { format, producer: 'verifiers / prime-rl', variant: episodes };
    return has('task', 'nodes', 'agent') ? { format, producer: 'verifiers / prime-rl', variant: 'traces' } : null;
  },
  stepOfName: (name) => {
    const digits = stepFolder.exec(name)?.[1];
    return digits === undefined ? null : Number(digits);
  },
  ...lineFormat({
    holds: (record, recognition) => {
      const traces = tracesOf(record, recognition);
      if (traces.length === 0) return 'the episode has no traces';
      return traces.every((trace) => Array.isArray(trace['nodes'])) ? traces.length : 'a trace has no nodes';
    },
    rollout: (record, place, recognition) => {
      const traces = tracesOf(record, recognition);
      const trace = traces[place.item ?? 0] ?? {};
      const episode = recognition.variant === episodes ? record : {};
      return rolloutOf({ episode, trace, agents: traces.length, place, producer: recognition.producer });
    },
  }),
};

function tracesOf(record: JsonObject, recognition: Recognition): readonly JsonObject[] {
  return recognition.variant === episodes ? asArray(record['traces']).filter(isObject) : [record];
}

interface Logged {
  /** {} for a bare trace. */
  readonly episode: JsonObject;
  readonly trace: JsonObject;
  /** Traces of the episode. */
  readonly agents: number;
  readonly place: RecordPlace;
  readonly producer: string;
}

function rolloutOf(logged: Logged): Rollout {
  const { episode, trace, place, producer } = logged;
  const nodes = asArray(trace['nodes']).map((node) => (isObject(node) ? node : {}));
  const agents = branchesOf(nodes);
  const firstSampled = nodes.findIndex((node) => node['sampled'] === true);
  const messages = nodes.map((node) => node['message'] ?? null);
  const { turns, calls, images, answer, facts } = turnsOfMessages(messages, {
    prompt: firstSampled < 0 ? 'before-first-assistant' : firstSampled,
    about: (index) => factsOf(nodes[index] ?? {}, agents[index] ?? null),
  });
  const task = objectOf(trace['task'] ?? episode['task']);
  const data = objectOf(task['data']);
  const groundTruth = data['answer'] ?? data['ground_truth'] ?? null;
  const primeRl = objectOf(objectOf(trace['info'])['prime_rl']);
  const work = objectOf(objectOf(episode['run'])['work']);
  const prompt = JSON.stringify(messages.slice(0, Math.max(firstSampled, 1)));
  return buildRollout({
    place,
    producer,
    step: stepOf(work['step']) ?? stepOf(primeRl['step']),
    group: groupOf(logged, { task, primeRl, prompt, groundTruth }),
    id: asString(trace['id']) ?? asString(episode['id']),
    groundTruth,
    turns,
    calls,
    images,
    answer,
    reward: rewardOf(trace),
    loggedAdvantage: advantageOf(nodes),
    masked: primeRl['is_filtered'] === true,
    modelTokens: modelTokensOf(nodes),
    stopReason: asString(trace['stop_condition']) ?? (asArray(trace['errors']).length > 0 ? 'error' : null),
    extras: [...traceExtras(logged, task), ...facts],
  });
}

/** The branch of each node, null on the path to the last node, which ended the episode. */
function branchesOf(nodes: readonly JsonObject[]): readonly (SubAgent | null)[] {
  const parents = nodes.map((node, index) => {
    const parent = asNumber(node['parent']);
    // A parent stands before its child; anything else would be a circle.
    return parent !== null && Number.isInteger(parent) && parent >= 0 && parent < index ? parent : null;
  });
  const main = new Set<number>();
  for (let at: number | null = nodes.length - 1; at !== null && at >= 0; at = parents[at] ?? null) main.add(at);
  const agents: (SubAgent | null)[] = [];
  const lastOf = new Map<SubAgent, number>();
  for (const [index, parent] of parents.entries()) {
    if (main.has(index)) {
      agents.push(null);
      continue;
    }
    const above = parent === null ? null : (agents[parent] ?? null);
    const goesOn = above !== null && lastOf.get(above) === parent;
    const agent = goesOn ? above : { name: `branch ${lastOf.size + 1}`, depth: (above?.depth ?? 0) + 1 };
    lastOf.set(agent, index);
    agents.push(agent);
  }
  return agents;
}

function factsOf(node: JsonObject, agent: SubAgent | null): MessageFacts {
  const mask = node['mask'];
  const tokenValues = tokenValuesOf({
    ids: node['token_ids'],
    logprobs: node['logprobs'],
    referenceLogprobs: node['reference_logprobs'],
    mask,
    others: {
      advantages: node['advantages'],
      'loss mask': mask,
      'loss weights': node['loss_weights'],
      'is content': node['is_content'],
    },
  });
  return { agent, tokenValues, tokens: numbersOf(node['token_ids'])?.length ?? null };
}

function advantageOf(nodes: readonly JsonObject[]): number | null {
  const values: number[] = [];
  for (const node of nodes) {
    const advantages = numbersOf(node['advantages']);
    if (advantages === null) continue;
    const mask = numbersOf(node['mask']);
    const isMasked = mask?.length === advantages.length;
    for (const [index, value] of advantages.entries()) if (!isMasked || mask[index] === 1) values.push(value);
  }
  return scalarOf(values);
}

/** Tokens the policy wrote: those of the masks. */
function modelTokensOf(nodes: readonly JsonObject[]): number | null {
  let count: number | null = null;
  for (const node of nodes) {
    const mask = numbersOf(node['mask']);
    if (mask !== null) count = mask.reduce((sum, flag) => sum + (flag === 1 ? 1 : 0), count ?? 0);
  }
  return count;
}

function rewardOf(trace: JsonObject): Partial<Reward> {
  const parts: NamedValue[] = [];
  let total: number | null = null;
  for (const [name, value] of Object.entries(objectOf(trace['rewards']))) {
    const score = numberOf(isObject(value) ? value['score'] : value);
    const weight = isObject(value) ? (numberOf(value['weight']) ?? 1) : 1;
    if (score === null) continue;
    parts.push({ name, value: score });
    total = (total ?? 0) + score * weight;
  }
  return { total: total !== null && Number.isFinite(total) ? total : null, parts };
}

interface GroupFacts {
  readonly task: JsonObject;
  readonly primeRl: JsonObject;
  readonly prompt: string;
  readonly groundTruth: Json;
}

/** In an episode of several agents each is compared with its like. */
function groupOf({ episode, trace, agents }: Logged, facts: GroupFacts): Rollout['group'] {
  const { task, primeRl } = facts;
  const candidates = [objectOf(episode['group'])['id'], primeRl['group_id'], task['key'], task['hash']];
  const logged = candidates.find((value) => typeof value === 'number' || (typeof value === 'string' && value !== ''));
  if (logged === undefined) {
    return { key: inferredGroupKey(facts.prompt, facts.groundTruth), source: 'inferred' };
  }
  const agent = agents > 1 ? asString(objectOf(trace['agent'])['name']) : null;
  return { key: agent === null ? String(logged) : `${String(logged)} (${agent})`, source: 'logged' };
}

function traceExtras({ episode, trace }: Logged, task: JsonObject): readonly NamedValue[] {
  const extras: NamedValue[] = [];
  const add = (name: string, value: Json | undefined): void => {
    if (value !== undefined && value !== null && value !== '') extras.push({ name, value });
  };
  const run = objectOf(episode['run']);
  const agent = objectOf(trace['agent']);
  add('episode', episode['id']);
  add('environment', objectOf(episode['env'])['id']);
  add('task', task['type']);
  add('run', run['name'] ?? run['id']);
  add('split', objectOf(run['work'])['type'] ?? run['type']);
  add('policy_version', objectOf(run['work'])['policy']);
  add('agent', agent['name']);
  add('trainable', agent['trainable']);
  const weights = Object.entries(objectOf(trace['rewards'])).flatMap(([name, value]): [string, Json][] =>
    isObject(value) && typeof value['weight'] === 'number' && value['weight'] !== 1 ? [[name, value['weight']]] : [],
  );
  if (weights.length > 0) add('reward weights', Object.fromEntries(weights));
  for (const extra of extrasOf(objectOf(trace['metrics']), new Set())) extras.push(extra);
  for (const [name, value] of Object.entries(objectOf(trace['info']))) {
    const known = isObject(value) ? extrasOf(value, new Set(['group_id'])) : extrasOf({ [name]: value }, new Set());
    for (const extra of known) extras.push(extra);
  }
  for (const extra of extrasOf(trace, placedOfTrace)) {
    if (!(Array.isArray(extra.value) && extra.value.length === 0)) extras.push(extra);
  }
  return extras;
}

function stepOf(value: Json | undefined): number | null {
  const step = numberOf(value);
  return step !== null && Number.isInteger(step) ? step : null;
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}
