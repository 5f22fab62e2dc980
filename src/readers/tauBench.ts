/**
 * tau-bench results: one JSON array, rewritten after every task (formats.md 6.6). Group = task, rollout = trial.
 * The agent speaks as `assistant`, the simulated user as `user`; tools answer by `tool_call_id`, one call a message.
 * The `act` and `react` strategies write their calls as text ("Action:\n{…}"), answered by a user turn "API output: …".
 * Leaves out tau2-bench, where the user calls tools too.
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildCall, buildRollout, buildTurn, callPart, foldQuestion, textPart } from '../model/builder.ts';
import type { Call, NamedValue, RecordPlace, Reward, Rollout, Turn, TurnPart } from '../model/rollout.ts';
import { readJsonArray } from './jsonArray.ts';
import { parseJsonText, readJsonAt } from './parseJson.ts';
import type { Reader } from './reader.ts';

const producer = 'tau-bench';
/** Tools that act on the conversation instead of the world. */
const controlTools: ReadonlySet<string> = new Set(['think', 'transfer_to_human_agents']);
/** How the environment reports a failed call (`Env.step`): an exception of the tool, or a tool it does not have. */
const failureStart = /^(Error\b|Unknown action )/;
const apiOutput = 'API output: ';
const respondAction = 'respond';

/** The tau-bench reader. */
export const tauBenchReader: Reader = {
  format: 'tau-bench',
  version: 1,
  recognise: (head) => {
    const isTauBench =
      head.container === 'json-array' && ['task_id', 'reward', 'traj', 'trial'].every((key) => head.keys.has(key));
    return isTauBench ? { format: 'tau-bench', producer, variant: '' } : null;
  },
  stepOfName: () => null,
  read: (source, options) =>
    readJsonArray(source, {
      from: options.from,
      signal: options.signal,
      note: options.note,
      progress: options.progress,
      record: (value, place) => {
        const rollout = rolloutOf(value, place);
        if (rollout === null) return 'not a tau-bench result: it has no task_id or no traj';
        options.rollout(rollout);
        return null;
      },
    }),
  readOne: async (source, place) => rolloutOf(await readJsonAt(source, place), place),
};

function rolloutOf(item: Json, place: RecordPlace): Rollout | null {
  if (!isObject(item)) return null;
  const task = item['task_id'];
  if ((typeof task !== 'number' && typeof task !== 'string') || !Array.isArray(item['traj'])) return null;
  const info = isObject(item['info']) ? item['info'] : {};
  const taskInfo = isObject(info['task']) ? info['task'] : {};
  const { turns, calls, answer } = conversationOf(asArray(item['traj']));
  const instruction = asString(taskInfo['instruction']);
  const trial = item['trial'];
  return buildRollout({
    place,
    producer,
    group: { key: String(task), source: 'logged' },
    id: typeof trial === 'number' || typeof trial === 'string' ? `trial ${trial}` : null,
    // Without an instruction (a crashed task) the builder takes the first user turn.
    ...(instruction === null ? {} : { question: foldQuestion(instruction) }),
    groundTruth: taskInfo['actions'] ?? null,
    turns,
    calls,
    answer,
    reward: rewardOf(item, info),
    stopReason: asString(info['error']) === null ? null : 'error',
    extras: extrasOf(info, taskInfo),
  });
}

/** A call while its conversation is read: the observation comes with a later message. */
interface OpenCall {
  readonly turn: number;
  readonly tool: string | null;
  readonly arguments: Json;
  readonly isJson: boolean;
  readonly raw: string;
  observation: string | null;
}

/** A conversation while it is read. */
interface Conversation {
  readonly turns: Turn[];
  readonly calls: OpenCall[];
  readonly callOfId: Map<string, number>;
  /** Call written as text in the turn before, which the next user turn answers. */
  textCall: number | null;
  answer: string | null;
}

function conversationOf(messages: readonly Json[]): {
  readonly turns: readonly Turn[];
  readonly calls: readonly Call[];
  readonly answer: string | null;
} {
  const conversation: Conversation = { turns: [], calls: [], callOfId: new Map(), textCall: null, answer: null };
  const firstReply = messages.findIndex((message) => isObject(message) && message['role'] === 'assistant');
  const promptEnd = firstReply < 0 ? messages.length : firstReply;
  for (const [index, message] of messages.entries()) {
    if (isObject(message)) addMessage(conversation, message, index < promptEnd ? 'prompt' : 'generated');
    else conversation.turns.push(buildTurn({ role: 'other', parts: [textPart(JSON.stringify(message))] }));
  }
  return { turns: conversation.turns, calls: conversation.calls.map(closedCall), answer: conversation.answer };
}

function addMessage(conversation: Conversation, message: JsonObject, when: 'prompt' | 'generated'): void {
  const loggedRole = asString(message['role']) ?? '';
  const text = textOf(message['content']);
  const { turns, textCall } = conversation;
  conversation.textCall = null;
  const common = { loggedRole, prompt: when === 'prompt', characters: text.length };
  const parts = text === '' ? [] : [textPart(text)];
  switch (loggedRole) {
    case 'assistant':
      turns.push(policyTurn(conversation, message, text));
      return;
    case 'tool':
    case 'function':
      turns.push(buildTurn({ role: 'tool', parts, observes: answered(conversation, message, text), ...common }));
      return;
    case 'user':
      if (textCall !== null && text.startsWith(apiOutput)) {
        observe(conversation, textCall, text.slice(apiOutput.length));
        turns.push(buildTurn({ role: 'tool', parts, observes: [textCall], ...common }));
        return;
      }
      turns.push(buildTurn({ role: 'user', parts, ...common }));
      return;
    default:
      turns.push(buildTurn({ role: loggedRole === 'system' ? 'system' : 'other', parts, ...common }));
  }
}

function policyTurn(conversation: Conversation, message: JsonObject, text: string): Turn {
  const parts: TurnPart[] = [];
  const reasoning = asString(message['reasoning_content']) ?? '';
  if (reasoning !== '') parts.push({ kind: 'reasoning', text: reasoning });
  const toolCalls = asArray(message['tool_calls']).filter(isObject);
  const action = toolCalls.length === 0 ? textAction(text) : null;
  const said = action === null ? text : action.said;
  if (action !== null && action.thought !== '') parts.push({ kind: 'reasoning', text: action.thought });
  if (said !== '') {
    parts.push(textPart(said));
    conversation.answer = said;
  }
  let characters = text.length + reasoning.length;
  if (action !== null && action.call !== null) {
    conversation.textCall = addCall(conversation, action.call);
    parts.push(callPart(conversation.textCall));
  }
  for (const toolCall of toolCalls) {
    const call = nativeCall(toolCall);
    const index = addCall(conversation, call);
    const id = asString(toolCall['id']);
    if (id !== null) conversation.callOfId.set(id, index);
    parts.push(callPart(index));
    characters += (call.tool ?? '').length + call.raw.length;
  }
  return buildTurn({ role: 'policy', loggedRole: 'assistant', parts, characters });
}

type NewCall = Omit<OpenCall, 'turn' | 'observation'>;

function addCall(conversation: Conversation, call: NewCall): number {
  return conversation.calls.push({ ...call, turn: conversation.turns.length, observation: null }) - 1;
}

/** `{id, type, function: {name, arguments}}`, where the arguments are JSON in a string. */
function nativeCall(toolCall: JsonObject): NewCall {
  const called = isObject(toolCall['function']) ? toolCall['function'] : {};
  const written = called['arguments'];
  const tool = asString(called['name']);
  if (typeof written !== 'string') {
    return { tool, arguments: written ?? null, isJson: written !== undefined, raw: JSON.stringify(written ?? null) };
  }
  const parsed = parsedOrUndefined(written);
  return { tool, arguments: parsed ?? null, isJson: parsed !== undefined, raw: written };
}

/** The action of an `act` or `react` turn: a call, or `respond`, which is what the agent says to the user. */
function textAction(
  text: string,
): { readonly thought: string; readonly said: string; readonly call: NewCall | null } | null {
  const at = text.lastIndexOf('Action:');
  if (at < 0) return null;
  const raw = text.slice(at + 'Action:'.length).trim();
  const action = parsedOrUndefined(raw);
  if (!isObject(action) || typeof action['name'] !== 'string' || action['arguments'] === undefined) return null;
  const thought = text
    .slice(0, at)
    .replace(/^\s*Thought:/, '')
    .trim();
  const given = action['arguments'];
  if (action['name'] === respondAction) {
    return { thought, said: isObject(given) ? textOf(given['content']) : '', call: null };
  }
  return { thought, said: '', call: { tool: action['name'], arguments: given, isJson: true, raw } };
}

/** The call that a tool message answers: by id, else the last one that has no observation yet. */
function answered(conversation: Conversation, message: JsonObject, text: string): readonly number[] {
  const named = conversation.callOfId.get(asString(message['tool_call_id']) ?? '');
  const index = named ?? conversation.calls.findLastIndex((call) => call.observation === null);
  if (index < 0) return [];
  observe(conversation, index, text);
  return [index];
}

function observe(conversation: Conversation, index: number, text: string): void {
  const call = conversation.calls[index];
  if (call !== undefined) call.observation = text;
}

function closedCall(call: OpenCall): Call {
  const { turn, tool, raw, observation } = call;
  const failed = observation !== null && failureStart.test(observation);
  const unanswered = call.isJson ? 'unknown' : 'malformed';
  return buildCall({
    turn,
    tool,
    raw,
    arguments: call.arguments,
    control: tool !== null && controlTools.has(tool),
    outcome: observation === null ? unanswered : failed ? 'failed' : 'ok',
    failure: failed ? observation : null,
    observation: observation ?? '',
  });
}

function rewardOf(item: JsonObject, info: JsonObject): Partial<Reward> {
  const details = isObject(info['reward_info']) ? info['reward_info']['info'] : null;
  const parts: NamedValue[] = [];
  if (isObject(details)) {
    for (const [name, value] of Object.entries(details)) {
      // `gt_data_hash` is a checksum of the database, not a score.
      if (value !== undefined && typeof value !== 'string') parts.push({ name, value });
    }
  }
  return { total: asNumber(item['reward']), parts };
}

function extrasOf(info: JsonObject, task: JsonObject): readonly NamedValue[] {
  const extras: NamedValue[] = [];
  const add = (name: string, value: Json | undefined): void => {
    if (value !== undefined && value !== null) extras.push({ name, value });
  };
  add('user_id', task['user_id']);
  if (asArray(task['outputs']).length > 0) add('outputs', task['outputs']);
  add('source', info['source']);
  add('user_cost', info['user_cost']);
  add('error', info['error']);
  return extras;
}

/** The text of a message: a string, or the text parts of a list. */
function textOf(content: Json | undefined): string {
  if (typeof content === 'string') return content;
  return asArray(content)
    .map((part) => (isObject(part) ? (asString(part['text']) ?? '') : ''))
    .filter((text) => text !== '')
    .join('\n');
}

function parsedOrUndefined(text: string): Json | undefined {
  const parsed = parseJsonText(text);
  return parsed.ok ? parsed.value : undefined;
}
