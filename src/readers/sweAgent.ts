/**
 * SWE-agent `.traj` (0.7 to 1.1; formats.md 6.1): one document an episode, rewritten after every step, and demonstrations,
 * which have only the `history`. A step of `trajectory` is one thought and one executed action; what the action was as a
 * function call (name and arguments) stands in `history`. T counts every executed action; `submit` and `exit_*` only end
 * the episode. Nothing logs a reward. Leaves out `query`, which repeats the whole history at every step, and the rejected
 * attempts of a retrying agent, which are only counted.
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { NamedValue, Rollout, SubAgent } from '../model/rollout.ts';
import {
  addObservation,
  addTurn,
  type EpisodeDraft,
  newEpisode,
  objectAt,
  type SaidCall,
  textCall,
} from './episodeDraft.ts';
import { extrasOf } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { documentFormat, isDocument } from './jsonDocument.ts';
import { readCall } from './messageParts.ts';
import { parseJsonText } from './parseJson.ts';
import type { Head, Reader } from './reader.ts';

const producer = 'SWE-agent';
/** Keys that only this format has together with `trajectory` (a document longer than the head shows the first of them). */
const companions = ['history', 'info', 'environment', 'replay_config', 'attempts'];
const placedKeys: ReadonlySet<string> = new Set(['trajectory', 'history', 'info', 'replay_config', 'attempts']);
const placedInfo: ReadonlySet<string> = new Set(['submission', 'exit_status', 'model_stats']);
/** How many messages of the history are looked at for the one of a step. */
const lookahead = 16;
/** Pseudo-observations of an action that could not be run. */
const refusedStart = /^(Operation '|Interactive operation|Your command was not executed|Command '.*' is not supported)/;
/** An edit that the tool took back. */
const failedStart =
  /^(Your proposed edit has introduced new syntax error|Your edit was NOT applied|No replacement was performed)/i;
const timeoutStart =
  /^(EXECUTION TIMED OUT|The command '.*' was cancelled because it took more than|COMMAND TIMED OUT)/i;

/** The SWE-agent reader. */
export const sweAgentReader: Reader = {
  format: 'swe-agent',
  version: 1,
  recognise: (head) =>
    isTrajectory(head) || isDemonstration(head)
      ? { format: 'swe-agent', producer, variant: '', holds: 'episode' }
      : null,
  stepOfName: () => null,
  ...documentFormat({
    refusal: 'not a SWE-agent trajectory: it has neither steps nor a history',
    rollout: (document, { place }) => (isObject(document) ? rolloutOf(document, place) : null),
  }),
};

function isTrajectory(head: Head): boolean {
  if (!isDocument(head) || !head.keys.has('trajectory')) return false;
  if (!companions.some((key) => head.keys.has(key))) return false;
  return !isObject(head.first) || Array.isArray(head.first['trajectory']);
}

/** A history alone, whose messages name their agent and their kind as no chat log does. */
function isDemonstration(head: Head): boolean {
  if (!isDocument(head) || !isObject(head.first) || head.keys.has('trajectory')) return false;
  const history = asArray(head.first['history']);
  return history.some(
    (message) => isObject(message) && typeof message['role'] === 'string' && typeof message['agent'] === 'string',
  );
}

function rolloutOf(document: JsonObject, place: Rollout['place']): Rollout | null {
  const attempts = asArray(document['attempts']).filter(isObject);
  // A retrying agent puts the attempt it chose at the top level; without one the last stands for all.
  const chosen = Array.isArray(document['trajectory']) ? document : (attempts.at(-1) ?? document);
  const steps = asArray(chosen['trajectory']).filter(isObject);
  const history = asArray(chosen['history']).filter(isObject);
  if (!Array.isArray(chosen['trajectory']) && !history.some((message) => 'role' in message)) return null;
  const draft = newEpisode();
  if (steps.length > 0) readSteps(draft, steps, history);
  else readHistory(draft, history);
  const info = { ...objectAt(chosen, 'info'), ...objectAt(document, 'info') };
  const replay = replayOf(document['replay_config'] ?? chosen['replay_config']);
  const problem = objectAt(replay, 'problem_statement');
  const instance = asString(problem['id']) ?? asString(document['instance_id']);
  const stats = objectAt(info, 'model_stats');
  const received = asNumber(stats['tokens_received']);
  const submission = asString(info['submission']);
  const prompt = draft.turns.filter((turn) => turn.prompt);
  const promptText = prompt.map((turn) => turn.parts.map((part) => ('text' in part ? part.text : '')).join('\n'));
  return buildRollout({
    place,
    producer,
    group:
      instance === null || instance === ''
        ? { key: inferredGroupKey(promptText.join('\0'), null), source: 'inferred' }
        : { key: instance, source: 'logged' },
    id: null,
    turns: draft.turns,
    calls: draft.calls,
    images: draft.images,
    answer: submission !== null && submission.trim() !== '' ? submission : null,
    // Zero stands for a model that does not count.
    modelTokens: received === 0 ? null : received,
    stopReason: asString(info['exit_status']),
    extras: extrasOfEpisode(document, { info, stats, replay, attempts: attempts.length }),
  });
}

/** `replay_config` is JSON in a string, or an object where somebody opened it. */
function replayOf(value: Json | undefined): JsonObject {
  if (isObject(value)) return value;
  if (typeof value !== 'string') return {};
  const parsed = parseJsonText(value);
  return parsed.ok && isObject(parsed.value) ? parsed.value : {};
}

/** Steps with their full observations; the prompt and the function calls come from the history. */
function readSteps(draft: EpisodeDraft, steps: readonly JsonObject[], history: readonly JsonObject[]): void {
  const firstReply = history.findIndex((message) => isAction(message) && message['is_demo'] !== true);
  const opening = firstReply < 0 ? history.filter((message) => message['role'] !== 'assistant') : history;
  const prompt = firstReply < 0 ? opening : opening.slice(0, firstReply);
  const query = asArray(steps[0]?.['query'] ?? steps[0]?.['messages']).filter(isObject);
  for (const message of prompt.length > 0 ? prompt : query) addPrompt(draft, message);
  const actions = history.filter((message) => isAction(message) && message['is_demo'] !== true);
  let next = 0;
  for (const step of steps) {
    const action = asString(step['action']) ?? '';
    const thought = asString(step['thought']);
    // A step that was never put into the history (an exit) must not take the next one's call.
    const ahead = actions.slice(next, next + lookahead).findIndex((candidate) => isSame(candidate, step));
    const message = ahead < 0 ? undefined : actions[next + ahead];
    if (ahead >= 0) next += ahead + 1;
    const calls = action.trim() === '' ? [] : callsOf(step, message, action);
    const response = asString(step['response']) ?? '';
    const indexes = addTurn(draft, {
      role: 'policy',
      loggedRole: 'assistant',
      content: thought !== null && (thought !== '' || action !== '') ? thought : response,
      reasoning: reasoningOf(message),
      calls,
    });
    addStepObservation(draft, step, indexes);
  }
}

function addStepObservation(draft: EpisodeDraft, step: JsonObject, calls: readonly number[]): void {
  const observation = asString(step['observation']) ?? '';
  const seconds = asNumber(step['execution_time']);
  const last = calls.length > 0;
  if (observation === '' && !last) return;
  addObservation(draft, {
    calls,
    loggedRole: 'observation',
    content: observation,
    refused: last && refusedStart.test(observation),
    timedOut: last && timeoutStart.test(observation),
    failed: last && failedStart.test(observation) ? true : null,
    failure: last && failedStart.test(observation) ? (observation.split('\n', 1)[0] ?? null) : null,
    latencyMs: seconds === null || seconds < 0 || !last ? null : seconds * 1000,
    facts: stateFacts(step['state']),
  });
}

/** `state` is an object, before 1.0 JSON in a string. */
function stateFacts(value: Json | undefined): readonly NamedValue[] {
  return extrasOf(replayOf(value), new Set());
}

/** The messages of a demonstration, or of a document whose steps are not written yet. */
function readHistory(draft: EpisodeDraft, history: readonly JsonObject[]): void {
  const firstReply = history.findIndex(isAction);
  const main = asString(history[Math.max(0, firstReply)]?.['agent']);
  let open: readonly number[] = [];
  for (const [index, message] of history.entries()) {
    if (firstReply < 0 || index < firstReply) {
      addPrompt(draft, message);
      continue;
    }
    const agent = subAgentOf(message, main);
    if (isAction(message)) {
      const action = asString(message['action']) ?? '';
      const written = action.trim() === '' && asArray(message['tool_calls']).length === 0 ? [] : [message];
      open = addTurn(draft, {
        role: 'policy',
        loggedRole: 'assistant',
        content: asString(message['thought']) ?? message['content'] ?? null,
        reasoning: reasoningOf(message),
        calls: written.flatMap((one) => callsOf({}, one, action)),
        agent,
      });
      continue;
    }
    const loggedRole = asString(message['role']) ?? '';
    const content = message['content'] ?? null;
    if (open.length > 0) addObservation(draft, { calls: open, loggedRole, content, agent });
    else addTurn(draft, { role: loggedRole === 'system' ? 'system' : 'user', loggedRole, content, agent });
    open = [];
  }
}

function subAgentOf(message: JsonObject, main: string | null): SubAgent | null {
  const name = asString(message['agent']);
  return name === null || main === null || name === main ? null : { name, depth: 1 };
}

function addPrompt(draft: EpisodeDraft, message: JsonObject): void {
  const loggedRole = asString(message['role']) ?? '';
  const role = loggedRole === 'system' ? 'system' : loggedRole === 'assistant' ? 'policy' : 'user';
  addTurn(draft, { role, loggedRole, content: message['content'] ?? null, prompt: true });
}

function isAction(message: JsonObject): boolean {
  return message['role'] === 'assistant';
}

function isSame(message: JsonObject, step: JsonObject): boolean {
  const action = message['action'];
  if (typeof action === 'string') return action === step['action'];
  return message['content'] === step['response'];
}

function reasoningOf(message: JsonObject | undefined): string | null {
  if (message === undefined) return null;
  const blocks = asArray(message['thinking_blocks']).filter(isObject);
  const texts = blocks.flatMap((block) => asString(block['thinking']) ?? []);
  return texts.length === 0 ? null : texts.join('\n');
}

/**
 * One executed action: the function call of the history (its text is the action as run), else the action itself, whose
 * first word is the tool. Several function calls of one message were run as one action.
 */
function callsOf(step: JsonObject, message: JsonObject | undefined, action: string): readonly SaidCall[] {
  const written = asArray(step['tool_calls'] ?? message?.['tool_calls']).filter(isObject);
  const [first] = written.map(readCall);
  if (first !== undefined && first.tool !== null) {
    const raw = action === '' ? first.raw : action;
    return [{ ...first, raw, ...(isExit(first.tool) ? { control: true } : {}) }];
  }
  const word = /^\s*([\w.-]+)/.exec(action)?.[1] ?? null;
  return [{ ...textCall(word, action), ...(word !== null && isExit(word) ? { control: true } : {}) }];
}

function isExit(tool: string): boolean {
  return tool === 'submit' || tool === 'exit' || tool.startsWith('exit_') || tool.startsWith('submit_');
}

interface EpisodeFacts {
  readonly info: JsonObject;
  readonly stats: JsonObject;
  readonly replay: JsonObject;
  readonly attempts: number;
}

function extrasOfEpisode(document: JsonObject, facts: EpisodeFacts): readonly NamedValue[] {
  const extras: NamedValue[] = [...extrasOf(document, placedKeys)];
  const model = objectAt(objectAt(facts.replay, 'agent'), 'model')['name'];
  if (typeof model === 'string') extras.push({ name: 'model', value: model });
  for (const extra of extrasOf(facts.stats, new Set())) extras.push(extra);
  for (const extra of extrasOf(facts.info, placedInfo)) extras.push(extra);
  if (facts.attempts > 0) extras.push({ name: 'attempts', value: facts.attempts });
  return extras;
}
