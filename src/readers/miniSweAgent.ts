/**
 * mini-swe-agent `.traj.json` (formats "mini-swe-agent-1" and "-1.1"; formats.md 6.2): one document an episode. The
 * model's command stands in one ```bash block (version 1) or in `tool_calls` with `extra.actions` (version 1.1); the next
 * user or tool message is what it printed. T counts each executed command; the one that prints the submission marker
 * only ends the episode. Nothing logs a reward. Leaves out `extra.response` (the whole answer of the provider).
 */
import { asArray, asNumber, asString, isObject, type JsonObject } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { NamedValue, Rollout } from '../model/rollout.ts';
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
import { asBuffer } from './parseJson.ts';
import type { Head, Reader } from './reader.ts';

const producer = 'mini-swe-agent';
const placedKeys: ReadonlySet<string> = new Set(['info', 'messages', 'instance_id']);
const placedInfo: ReadonlySet<string> = new Set(['model_stats', 'exit_status', 'submission', 'config']);
/** What a command prints to end the episode. */
const submitMarker = /COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT|MINI_SWE_AGENT_FINAL_OUTPUT/;
const bashBlock = /```(?:bash|mswea_bash_command)\s*\n([\s\S]*?)\n```/g;
const returnCode = /<returncode>\s*(-?\d+)\s*<\/returncode>/;

/** The mini-swe-agent reader. */
export const miniSweAgentReader: Reader = {
  format: 'mini-swe-agent',
  version: 1,
  recognise: (head) => (isMini(head) ? { format: 'mini-swe-agent', producer, variant: '', holds: 'episode' } : null),
  stepOfName: () => null,
  ...documentFormat({
    refusal: 'not a mini-swe-agent trajectory: it has no messages or another trajectory_format',
    rollout: (document, { place }) => (isObject(document) ? rolloutOf(document, place) : null),
  }),
};

function isMini(head: Head): boolean {
  if (!isDocument(head)) return false;
  if (isObject(head.first)) return isFormat(head.first) && Array.isArray(head.first['messages']);
  if (head.keys.has('messages') && head.keys.has('info') && head.keys.has('trajectory_format')) return true;
  // `info` comes first and names the version; the format's name comes last, behind megabytes of messages.
  const text = asBuffer(head.bytes).toString('latin1', 0, 64 * 1024);
  return head.keys.has('info') && head.keys.has('messages') && text.includes('"mini_version"');
}

function isFormat(document: JsonObject): boolean {
  return asString(document['trajectory_format'])?.startsWith('mini-swe-agent') === true;
}

function rolloutOf(document: JsonObject, place: Rollout['place']): Rollout | null {
  if (!isFormat(document) || !Array.isArray(document['messages'])) return null;
  const messages = asArray(document['messages']).filter(isObject);
  const draft = newEpisode();
  const tokens = readMessages(draft, messages);
  const info = objectAt(document, 'info');
  const instance = asString(document['instance_id']);
  const prompt = draft.turns.filter((turn) => turn.prompt);
  const promptText = prompt.map((turn) => turn.parts.map((part) => ('text' in part ? part.text : '')).join('\n'));
  const submission = asString(info['submission']) ?? '';
  return buildRollout({
    place,
    producer,
    group:
      instance === null
        ? { key: inferredGroupKey(promptText.join('\0'), null), source: 'inferred' }
        : { key: instance, source: 'logged' },
    turns: draft.turns,
    calls: draft.calls,
    images: draft.images,
    answer: submission.trim() === '' ? null : submission,
    modelTokens: tokens,
    stopReason: asString(info['exit_status']),
    extras: extrasOfEpisode(document, info),
  });
}

/** Reads the messages; gives the tokens the model wrote, null where no answer of a provider is logged. */
function readMessages(draft: EpisodeDraft, messages: readonly JsonObject[]): number | null {
  const firstReply = messages.findIndex((message) => message['role'] === 'assistant');
  let open: readonly number[] = [];
  let total: number | null = null;
  let repliedAt: number | null = null;
  for (const [index, message] of messages.entries()) {
    const loggedRole = asString(message['role']) ?? asString(message['type']) ?? '';
    const extra = objectAt(message, 'extra');
    const content = message['content'] ?? null;
    const timestamp = asNumber(extra['timestamp']);
    if (loggedRole === 'assistant') {
      const tokens = asNumber(objectAt(objectAt(extra, 'response'), 'usage')['completion_tokens']);
      if (tokens !== null) total = (total ?? 0) + tokens;
      open = addTurn(draft, {
        role: 'policy',
        loggedRole,
        content,
        reasoning: asString(message['reasoning_content']),
        calls: callsOf(message, extra),
        tokens,
      });
      repliedAt = timestamp;
      continue;
    }
    const prompt = firstReply < 0 || index < firstReply;
    const id = asString(message['tool_call_id']);
    const named = id === null ? undefined : draft.callOfId.get(id);
    const answered = named === undefined ? open : [named];
    // A message that asks for the right format answers no command: none was run.
    if (prompt || answered.length === 0 || loggedRole === 'exit' || loggedRole === 'system') {
      const role = loggedRole === 'system' || loggedRole === 'user' ? loggedRole : 'other';
      addTurn(draft, { role, loggedRole, content, prompt });
      continue;
    }
    addCommandOutput(draft, message, { loggedRole, calls: answered, startedAt: repliedAt });
    open = open.filter((call) => !answered.includes(call));
  }
  return total;
}

interface CommandOutput {
  readonly loggedRole: string;
  readonly calls: readonly number[];
  /** Seconds since 1970 at which the command was written; null where not logged. */
  readonly startedAt: number | null;
}

function addCommandOutput(draft: EpisodeDraft, message: JsonObject, output: CommandOutput): void {
  const { loggedRole, calls, startedAt } = output;
  const extra = objectAt(message, 'extra');
  const content = message['content'] ?? null;
  const text = typeof content === 'string' ? content : '';
  const written = returnCode.exec(text)?.[1];
  const code = asNumber(extra['returncode']) ?? (written === undefined ? null : Number(written));
  const exception = asString(extra['exception_info']);
  const endedAt = asNumber(extra['timestamp']);
  const seconds = startedAt === null || endedAt === null ? null : endedAt - startedAt;
  const timedOut = /timed out/.test(exception ?? '') || /^The last command .*timed out/s.test(text.slice(0, 2000));
  const notRun = exception === 'action was not executed';
  addObservation(draft, {
    calls,
    loggedRole,
    content,
    failed: code === null ? null : code !== 0,
    timedOut,
    malformed: extra['interrupt_type'] === 'FormatError',
    refused: notRun,
    failure: exception !== null && exception !== '' ? exception : code === null || code === 0 ? null : lastOutput(text),
    latencyMs: seconds === null || seconds < 0 ? null : seconds * 1000,
    facts: code === null ? [] : [{ name: 'returncode', value: code }],
  });
}

/** The last line that the command printed, without the tags around it; null where it printed nothing. */
function lastOutput(text: string): string | null {
  const printed = /<output>([\s\S]*)<\/output>/.exec(text)?.[1] ?? text;
  const line = printed.trimEnd().split('\n').at(-1)?.trim() ?? '';
  return line === '' ? null : line.slice(0, 300);
}

/** The commands of one message: as data, else the one block that is a command (two blocks are none). */
function callsOf(message: JsonObject, extra: JsonObject): readonly SaidCall[] {
  const native = asArray(message['tool_calls']).filter(isObject).map(readCall);
  if (native.length > 0) return native.map((call) => ({ ...call, control: submitMarker.test(call.raw) }));
  const actions = asArray(extra['actions']).filter(isObject);
  const commands = actions.flatMap((action) => asString(action['command']) ?? asString(action['action']) ?? []);
  if (commands.length > 0 || Array.isArray(extra['actions'])) return commands.map(commandCall);
  const content = asString(message['content']) ?? '';
  const blocks = [...content.matchAll(bashBlock)].map((match) => (match[1] ?? '').trim());
  return blocks.length === 1 ? blocks.map(commandCall) : [];
}

function commandCall(command: string): SaidCall {
  return { ...textCall('bash', command), control: submitMarker.test(command) };
}

function extrasOfEpisode(document: JsonObject, info: JsonObject): readonly NamedValue[] {
  const extras: NamedValue[] = [...extrasOf(document, placedKeys)];
  for (const extra of extrasOf(objectAt(info, 'model_stats'), new Set())) extras.push(extra);
  const model = objectAt(objectAt(info, 'config'), 'model')['model_name'];
  if (typeof model === 'string') extras.push({ name: 'model', value: model });
  for (const extra of extrasOf(info, placedInfo)) extras.push(extra);
  return extras;
}
