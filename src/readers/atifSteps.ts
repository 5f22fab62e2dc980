/**
 * The steps of an ATIF trajectory as turns: a step of the agent is its turn and, behind it, one tool turn a result.
 * Sub-agents (embedded, or files beside the log) stand where their result came back. Owned by atif.ts.
 * Terminus 2 writes its commands as JSON in the message where it logs no `tool_calls`; those are calls too.
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import type { NamedValue, SubAgent, TokenValues } from '../model/rollout.ts';
import {
  addObservation,
  addTurn,
  callOf,
  type EpisodeDraft,
  numbersOf,
  objectAt,
  type SaidCall,
  textCall,
} from './episodeDraft.ts';
import { extrasOf } from './extras.ts';
import { parseJsonText } from './parseJson.ts';

/** A trajectory being read with what it refers to. */
export interface AtifSession {
  readonly draft: EpisodeDraft;
  /** An ATIF document beside the log, each given once; null where it is not there. */
  readonly files: (name: string) => Promise<JsonObject | null>;
  /** Sum of the main agent's completion tokens, step by step. */
  completionTokens: number;
}

/** Depth of sub-agents that is followed; a log that refers to itself must end. */
const mostDepth = 16;
const noIds: ReadonlySet<string> = new Set();

/** Reads the steps of one document into the session's draft; `agent` is null for the main agent. */
export async function readAtifSteps(session: AtifSession, document: JsonObject, agent: SubAgent | null): Promise<void> {
  const embedded = new Map<string, JsonObject>();
  for (const sub of asArray(document['subagent_trajectories'])) {
    if (!isObject(sub)) continue;
    const id = asString(sub['trajectory_id']) ?? asString(sub['session_id']) ?? `sub-agent ${embedded.size + 1}`;
    embedded.set(id, sub);
  }
  const steps = asArray(document['steps']).filter(isObject);
  const isMain = agent === null;
  const isStart = isMain && !session.draft.turns.some((turn) => turn.role === 'policy');
  const firstReply = steps.findIndex((step) => step['source'] === 'agent' && step['is_copied_context'] !== true);
  for (const [index, step] of steps.entries()) {
    // Copied from the trajectory before, which is read already; in a lone continuation it is the prompt.
    const isCopy = step['is_copied_context'] === true;
    if (isCopy && !isStart) continue;
    const prompt = isStart && (isCopy || firstReply < 0 || index < firstReply);
    await readStep(session, step, { agent, prompt, embedded });
  }
  // A sub-agent that no result refers to is still part of the episode.
  for (const sub of embedded.values()) await readSubAgent(session, sub, agent);
}

interface StepPlace {
  readonly agent: SubAgent | null;
  readonly prompt: boolean;
  /** Sub-agents of this document that were not shown yet, by id. */
  readonly embedded: Map<string, JsonObject>;
}

async function readStep(session: AtifSession, step: JsonObject, { agent, prompt, embedded }: StepPlace): Promise<void> {
  const { draft } = session;
  const source = asString(step['source']) ?? '';
  const isPolicy = source === 'agent';
  const metrics = objectAt(step, 'metrics');
  const tokens = asNumber(metrics['completion_tokens']);
  if (isPolicy && agent === null && !prompt) session.completionTokens += tokens ?? 0;
  const written = asArray(step['tool_calls']).filter(isObject).map(loggedCall);
  const message = step['message'] ?? null;
  const hasResult = isObject(step['observation']);
  const terminus = isPolicy && written.length === 0 && hasResult ? terminusReply(message) : null;
  const calls = terminus?.calls ?? written;
  const indexes = addTurn(draft, {
    role: isPolicy ? 'policy' : source === 'user' || source === 'system' ? source : 'other',
    loggedRole: source,
    content: terminus?.said ?? message,
    ...(terminus === null ? {} : { characters: terminus.characters, answers: false }),
    prompt,
    reasoning: isPolicy ? asString(step['reasoning_content']) : null,
    // Only the policy has calls; what a system step did is text.
    calls: isPolicy ? calls : [],
    tokens: isPolicy ? tokens : null,
    tokenValues: isPolicy ? tokenValuesOf(metrics) : null,
    agent,
  });
  const last = calls.at(-1);
  if (isPolicy && agent === null && last?.tool === 'finish' && isObject(last.arguments)) {
    draft.answer = asString(last.arguments['message']) ?? draft.answer;
  }
  const results = asArray(objectAt(step, 'observation')['results']).filter(isObject);
  for (const result of results) {
    await readSubAgents(session, result, { agent, prompt, embedded });
    addResult(draft, result, { indexes, agent, isOnly: results.length === 1 });
  }
}

function loggedCall(call: JsonObject): SaidCall {
  const tool = asString(call['function_name']) ?? asString(call['name']);
  const given = call['arguments'] ?? null;
  const facts = extrasOf(objectAt(call, 'extra'), noIds);
  const id = asString(call['tool_call_id']);
  if (typeof given !== 'string') return { ...callOf(tool, given, id), facts };
  const parsed = parseJsonText(given);
  return { id, tool, arguments: parsed.ok ? parsed.value : null, malformed: !parsed.ok, raw: given, facts };
}

/** A reply of Terminus 2 that logs its calls in its text. */
interface TerminusReply {
  readonly said: string;
  readonly calls: readonly SaidCall[];
  readonly characters: number;
}

/** Reads `{analysis, plan, commands[{keystrokes, duration}], task_complete}`; null for any other text. */
function terminusReply(message: Json): TerminusReply | null {
  if (typeof message !== 'string' || !message.includes('"commands"')) return null;
  const parsed = parseJsonText(message.slice(message.indexOf('{'), message.lastIndexOf('}') + 1));
  if (!parsed.ok || !isObject(parsed.value) || !Array.isArray(parsed.value['commands'])) return null;
  const { value } = parsed;
  const calls: SaidCall[] = [];
  for (const command of asArray(value['commands'])) {
    if (!isObject(command) || typeof command['keystrokes'] !== 'string') continue;
    calls.push({ ...textCall('bash_command', command['keystrokes'], 'keystrokes'), arguments: command });
  }
  if (value['task_complete'] === true) calls.push({ ...callOf('mark_task_complete', {}), control: true });
  const said = ['analysis', 'plan'].flatMap((key) => asString(value[key]) ?? []).filter((text) => text !== '');
  return { said: said.join('\n\n'), calls, characters: message.length };
}

interface ResultPlace {
  /** Calls of the step. */
  readonly indexes: readonly number[];
  readonly agent: SubAgent | null;
  readonly isOnly: boolean;
}

/** A result answers the call it names, else the calls of its step. */
function addResult(draft: EpisodeDraft, result: JsonObject, { indexes, agent, isOnly }: ResultPlace): void {
  const id = asString(result['source_call_id']);
  const named = id === null ? undefined : draft.callOfId.get(id);
  const content = result['content'] ?? null;
  const unanswered = indexes.filter((index) => draft.calls[index]?.observation === '');
  const calls = named !== undefined ? [named] : isOnly ? indexes : unanswered.slice(0, 1);
  if (content === null && calls.length === 0) return;
  const extra = objectAt(result, 'extra');
  const exit = asNumber(extra['exit_code']) ?? asNumber(extra['returncode']);
  const flag = extra['is_error'] ?? extra['error'];
  const failed = typeof flag === 'boolean' ? flag : exit === null ? null : exit !== 0;
  const facts: readonly NamedValue[] = extrasOf(extra, new Set(['is_error']));
  addObservation(draft, { calls, loggedRole: 'observation', content, failed, facts, agent });
}

async function readSubAgents(session: AtifSession, result: JsonObject, place: StepPlace): Promise<void> {
  const logged = result['subagent_trajectory_ref'] ?? null;
  for (const reference of Array.isArray(logged) ? asArray(logged) : [logged]) {
    if (!isObject(reference)) continue;
    const ids = [asString(reference['trajectory_id']), asString(reference['session_id'])];
    const id = ids.find((candidate) => candidate !== null && place.embedded.has(candidate)) ?? null;
    const path = asString(reference['trajectory_path']);
    const sub = id === null ? (path === null ? null : await session.files(path)) : (place.embedded.get(id) ?? null);
    if (id !== null) place.embedded.delete(id);
    if (sub !== null) await readSubAgent(session, sub, place.agent);
    else if (path !== null) {
      const name = path.replace(/\.json$/, '');
      const depth = (place.agent?.depth ?? 0) + 1;
      const content = `[the trajectory of this sub-agent is in ${path}, which was not found]`;
      addTurn(session.draft, { role: 'other', loggedRole: 'subagent', content, agent: { name, depth } });
    }
  }
}

async function readSubAgent(session: AtifSession, document: JsonObject, parent: SubAgent | null): Promise<void> {
  const depth = (parent?.depth ?? 0) + 1;
  if (depth > mostDepth) return;
  const name = asString(objectAt(document, 'agent')['name']) ?? asString(document['trajectory_id']) ?? 'sub-agent';
  await readAtifSteps(session, document, { name, depth });
}

/** Token ids and log-probs of the completion; arrays of another length than the ids are left out. */
export function tokenValuesOf(metrics: JsonObject): TokenValues | null {
  const ids = numbersOf(metrics['completion_token_ids']);
  const logprobs = numbersOf(metrics['logprobs']);
  const length = ids?.length ?? logprobs?.length ?? 0;
  if (length === 0) return null;
  const fitting = logprobs !== null && logprobs.length === length ? logprobs : null;
  return { ids, texts: null, logprobs: fitting, referenceLogprobs: null, others: [] };
}
