/**
 * One tau2-bench simulation → a rollout: messages of agent, user and tools, what the evaluation found, and what its task
 * asked. Owned by tau2.ts. A call belongs to whoever asked for it (`requestor`, or the role of its message).
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout, foldQuestion } from '../model/builder.ts';
import type { Call, NamedValue, RecordPlace, Reward, Rollout } from '../model/rollout.ts';
import { addObservation, addTurn, callOf, type EpisodeDraft, newEpisode, objectAt } from './episodeDraft.ts';
import { extrasOf } from './extras.ts';

const producer = 'tau2-bench';
const placedKeys: ReadonlySet<string> = new Set([
  'id',
  'task_id',
  'messages',
  'reward_info',
  'termination_reason',
  'ticks',
]);

/** The rollout of a simulation; null where the value is none. */
export function simulationOf(value: Json, place: RecordPlace, tasks: ReadonlyMap<string, JsonObject>): Rollout | null {
  if (!isObject(value) || !Array.isArray(value['messages'])) return null;
  const task = asString(value['task_id']) ?? asNumber(value['task_id']);
  if (task === null) return null;
  const draft = newEpisode();
  const tokens = readMessages(draft, asArray(value['messages']).filter(isObject));
  const asked = tasks.get(String(task)) ?? {};
  const instruction = instructionOf(asked);
  const trial = asNumber(value['trial']);
  return buildRollout({
    place,
    producer,
    group: { key: String(task), source: 'logged' },
    id: asString(value['id']) ?? (trial === null ? null : `trial ${trial}`),
    ...(instruction === null ? {} : { question: foldQuestion(instruction) }),
    groundTruth: objectAt(asked, 'evaluation_criteria')['actions'] ?? null,
    turns: draft.turns,
    calls: draft.calls,
    images: draft.images,
    answer: draft.answer,
    reward: rewardOf(value['reward_info']),
    modelTokens: tokens,
    stopReason: asString(value['termination_reason']),
    extras: extrasOf(value, placedKeys),
  });
}

/** Why the user calls, in the words of the task; null where the task is not known. */
function instructionOf(task: JsonObject): string | null {
  const instructions = objectAt(task, 'user_scenario')['instructions'];
  if (typeof instructions === 'string') return instructions;
  if (isObject(instructions)) {
    const texts = ['reason_for_call', 'task_instructions'].flatMap((key) => asString(instructions[key]) ?? []);
    if (texts.length > 0) return texts.join(' ');
  }
  return asString(task['ticket']) ?? asString(objectAt(task, 'description')['purpose']);
}

/** Reads the messages; gives the tokens that the agent wrote, null where no usage is logged. */
function readMessages(draft: EpisodeDraft, logged: readonly JsonObject[]): number | null {
  const messages = logged.flatMap((message) =>
    Array.isArray(message['tool_messages']) ? asArray(message['tool_messages']).filter(isObject) : [message],
  );
  const firstReply = messages.findIndex((message) => message['role'] === 'assistant');
  let total: number | null = null;
  /** First call that has no observation yet, for messages that name none. */
  let open = 0;
  for (const [index, message] of messages.entries()) {
    const loggedRole = asString(message['role']) ?? '';
    const content = message['is_audio'] === true ? '[audio not shown]' : (message['content'] ?? null);
    const prompt = firstReply < 0 || index < firstReply;
    if (loggedRole === 'tool' || loggedRole === 'function') {
      while (open < draft.calls.length && isAnswered(draft.calls[open])) open++;
      addToolMessage(draft, message, { content, open });
      continue;
    }
    const usage = objectAt(message, 'usage');
    const seconds = asNumber(message['generation_time_seconds']);
    const latencyMs = seconds === null || seconds < 0 ? null : seconds * 1000;
    const calls = asArray(message['tool_calls']).filter(isObject);
    if (loggedRole === 'assistant') {
      const tokens = asNumber(usage['completion_tokens']);
      if (tokens !== null) total = (total ?? 0) + tokens;
      const written = calls.map((call) =>
        callOf(asString(call['name']), call['arguments'] ?? null, asString(call['id'])),
      );
      addTurn(draft, { role: 'policy', loggedRole, content, calls: written, tokens, latencyMs });
      continue;
    }
    const role = loggedRole === 'user' || loggedRole === 'system' ? loggedRole : 'other';
    addTurn(draft, { role, loggedRole, content: withUserCalls(content, calls), prompt, latencyMs });
  }
  return total;
}

/** What the simulated user called, as text: the policy did not call it. */
function withUserCalls(content: Json, calls: readonly JsonObject[]): Json {
  if (calls.length === 0) return content;
  const texts = calls.map((call) => `[the user calls ${callText(call)}]`);
  const said = typeof content === 'string' && content !== '' ? [content] : [];
  return [...said, ...texts].join('\n');
}

function callText(call: JsonObject): string {
  return `${asString(call['name']) ?? 'a tool'}(${JSON.stringify(call['arguments'] ?? {})})`;
}

function isAnswered(call: Call | undefined): boolean {
  return call !== undefined && (call.outcome !== 'unknown' || call.observation !== '');
}

function addToolMessage(
  draft: EpisodeDraft,
  message: JsonObject,
  { content, open }: { readonly content: Json; readonly open: number },
): void {
  const id = asString(message['id']) ?? asString(message['tool_call_id']);
  const isUsers = message['requestor'] === 'user';
  const named = id === null || isUsers ? undefined : draft.callOfId.get(id);
  const calls = named !== undefined ? [named] : isUsers || open >= draft.calls.length ? [] : [open];
  const error = message['error'];
  addObservation(draft, {
    calls,
    loggedRole: isUsers ? 'tool (user)' : 'tool',
    content,
    failed: typeof error === 'boolean' ? error : null,
  });
}

/** The product of what the task is judged by; every check is a part of its own. */
function rewardOf(value: Json | undefined): Partial<Reward> {
  if (!isObject(value)) return {};
  const parts: NamedValue[] = [];
  const breakdown = objectAt(value, 'reward_breakdown');
  for (const [name, part] of Object.entries(breakdown)) if (part !== undefined) parts.push({ name, value: part });
  const check = objectAt(value, 'db_check');
  if (typeof check['db_match'] === 'boolean') parts.push({ name: 'db_match', value: check['db_match'] });
  for (const [name, key, flag] of checks) {
    const found = asArray(value[key]).filter(isObject);
    if (found.length === 0) continue;
    const met = found.filter((item) => item[flag] === true).length;
    parts.push({ name, value: met / found.length });
  }
  if (Array.isArray(value['reward_basis']))
    parts.push({
      name: 'reward_basis',
      value: asArray(value['reward_basis'])
        .filter((name) => typeof name === 'string')
        .join(', '),
    });
  return { total: asNumber(value['reward']), parts };
}

/** Lists of checks: name of the part, key of the list, flag of an item that was met. */
const checks = [
  ['action_checks met', 'action_checks', 'action_match'],
  ['env_assertions met', 'env_assertions', 'met'],
  ['nl_assertions met', 'nl_assertions', 'met'],
  ['communicate_checks met', 'communicate_checks', 'met'],
] as const;
