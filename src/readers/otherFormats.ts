/**
 * Formats that are recognised but not read, as a table: what is named helps people who open the wrong file, and a new
 * reader deletes its line here. The rules are those of formats.md 10.2, first match wins; all.ts asks the readers first.
 * Owned by detection. Leaves out everything a reader claims.
 */
import { isObject, type Json, type JsonObject } from '../base/json.ts';
import type { NoteCode } from '../model/note.ts';
import { asBuffer } from './parseJson.ts';
import type { Head } from './reader.ts';

/** One row: all tests that are given must hold. */
export interface OtherFormat {
  /** For people, with its article: "a TRL parquet". */
  readonly name: string;
  readonly verdict: 'not read yet' | 'not rollouts' | 'refused';
  /** What the verdict means here, for people; "not read yet" where it is not given. */
  readonly because?: string;
  readonly container?: Head['container'] | 'json';
  /** First bytes, as latin1. */
  readonly magic?: string;
  /** The first record has all of these keys. */
  readonly keys?: readonly string[];
  /** The first record has at least one of these keys. */
  readonly anyKey?: readonly string[];
  /** The file's base name; only where the bytes alone cannot tell. */
  readonly fileName?: RegExp;
  /** Found in the first 64 KB or in the tail, read as latin1. */
  readonly text?: RegExp;
  /** A look at the first record's values; a record too long for the head is judged by `keys` alone. */
  readonly where?: (first: JsonObject) => boolean;
  /** A look at the first record where that is not an object. */
  readonly whereArray?: (first: readonly Json[]) => boolean;
}

/** What a file is called and why it is not read. */
export interface OtherDescription {
  readonly code: NoteCode;
  /** "a TRL parquet: not read yet". */
  readonly description: string;
}

const pickleRisk = 'refused, since reading one can run code';

/** The rules, most telling first. */
export const otherFormats: readonly OtherFormat[] = [
  // Magic bytes.
  { name: 'a TensorBoard event file', verdict: 'not rollouts', fileName: /events\.out\.tfevents/ },
  {
    name: 'an Inspect .eval log',
    verdict: 'not read yet',
    magic: 'PK\x03\x04',
    text: /_journal\/start\.json|header\.json/,
  },
  { name: 'a torch save', verdict: 'refused', because: pickleRisk, magic: 'PK\x03\x04', text: /data\.pkl/ },
  { name: 'a zip archive', verdict: 'not read yet', magic: 'PK\x03\x04' },
  { name: 'an empty zip archive', verdict: 'not rollouts', magic: 'PK\x05\x06' },
  {
    name: 'a TRL parquet',
    verdict: 'not read yet',
    magic: 'PAR1',
    text: /^(?=[\s\S]*\bprompt\b)(?=[\s\S]*\bcompletion\b)(?=[\s\S]*\badvantage\b)/,
  },
  { name: 'a chat parquet', verdict: 'not read yet', magic: 'PAR1', text: /\b(messages|conversations)\b/ },
  { name: 'a Parquet table', verdict: 'not read yet', magic: 'PAR1' },
  { name: 'a gzip file', verdict: 'not read yet', because: 'not read yet (decompress it first)', magic: '\x1f\x8b' },
  {
    name: 'a zstd file',
    verdict: 'not read yet',
    because: 'not read yet (decompress it first)',
    magic: '\x28\xb5\x2f\xfd',
  },
  { name: 'a pickle', verdict: 'refused', because: pickleRisk, text: /^\x80[\x02-\x05]/ },
  {
    name: 'a Git LFS pointer',
    verdict: 'not read yet',
    because: 'the file itself is not here yet (run "git lfs pull")',
    magic: 'version https://git-lfs.github.com/spec/',
  },
  { name: 'a SQLite database', verdict: 'not rollouts', magic: 'SQLite format 3\0' },
  {
    name: 'UTF-16 text',
    verdict: 'not read yet',
    because: 'not read yet (save it as UTF-8)',
    text: /^(\xff\xfe|\xfe\xff)/,
  },
  { name: 'an EasyR1 generations log', verdict: 'not read yet', container: 'other', text: /^\[prompt\]/m },

  // Documents: one JSON object or one array.
  {
    name: 'an ATIF trajectory',
    verdict: 'not read yet',
    container: 'json',
    keys: ['schema_version'],
    text: /"schema_version"\s*:\s*"ATIF-/,
  },
  {
    name: 'a mini-swe-agent trajectory',
    verdict: 'not read yet',
    container: 'json',
    keys: ['messages'],
    text: /"trajectory_format"\s*:\s*"mini-swe-agent/,
  },
  {
    name: 'a mini-swe-agent trajectory',
    verdict: 'not read yet',
    container: 'json',
    keys: ['info', 'messages', 'trajectory_format'],
  },
  {
    name: 'a SWE-agent trajectory',
    verdict: 'not read yet',
    container: 'json',
    keys: ['trajectory', 'history', 'info'],
  },
  {
    name: 'a SWE-agent trajectory',
    verdict: 'not read yet',
    container: 'json-object',
    keys: ['trajectory'],
    anyKey: ['environment', 'history', 'info'],
  },
  {
    name: 'a SWE-agent demonstration',
    verdict: 'not read yet',
    container: 'json',
    keys: ['history'],
    fileName: /\.traj$/,
  },
  {
    name: 'an Inspect .json log',
    verdict: 'not read yet',
    container: 'json',
    keys: ['version', 'status', 'eval', 'plan'],
  },
  { name: 'a tau2-bench result', verdict: 'not read yet', container: 'json', keys: ['info', 'tasks', 'simulations'] },
  {
    name: 'an OpenHands event log',
    verdict: 'not read yet',
    container: 'json-array',
    keys: ['source'],
    anyKey: ['action', 'observation'],
  },
  {
    name: 'an OpenHands event',
    verdict: 'not read yet',
    container: 'json',
    keys: ['kind', 'source'],
    where: (first) => typeof first['kind'] === 'string' && first['kind'].endsWith('Event'),
  },
  {
    name: 'an rLLM episode',
    verdict: 'not read yet',
    container: 'json',
    keys: ['training_step', 'episode_id', 'trajectories'],
  },
  { name: 'an rLLM episode', verdict: 'not read yet', container: 'json', keys: ['id', 'trajectories', 'eval_idx'] },
  {
    name: 'a wandb table',
    verdict: 'not read yet',
    container: 'json',
    keys: ['columns', 'data'],
    where: (first) => Array.isArray(first['columns']) && Array.isArray(first['data']),
  },

  // Lines, in the order of the table in formats.md 10.2.
  { name: 'a verifiers episode log', verdict: 'not read yet', container: 'jsonl', keys: ['env', 'task', 'traces'] },
  { name: 'a verifiers trace log', verdict: 'not read yet', container: 'jsonl', keys: ['task', 'nodes', 'agent'] },
  {
    name: 'a verifiers result',
    verdict: 'not read yet',
    container: 'jsonl',
    keys: ['prompt', 'completion', 'reward'],
    anyKey: ['example_id'],
  },
  {
    name: 'a verifiers result',
    verdict: 'not read yet',
    container: 'jsonl',
    keys: ['id', 'prompt', 'completion', 'task', 'answer', 'reward'],
  },
  { name: 'a NeMo RL log', verdict: 'not read yet', container: 'jsonl', keys: ['content', 'rewards', 'idx'] },
  {
    name: 'a NeMo Gym rollout log',
    verdict: 'not read yet',
    container: 'jsonl',
    keys: ['responses_create_params', 'response'],
  },
  {
    name: 'a SkyRL evaluation',
    verdict: 'not read yet',
    container: 'jsonl',
    keys: ['input_prompt', 'output_response', 'env_class'],
  },
  {
    name: 'an AReaL rollout log',
    verdict: 'not read yet',
    container: 'jsonl',
    keys: ['task_id', 'sample_idx', 'seqlen', 'prompt', 'completion'],
  },
  {
    name: 'an ms-swift completions log',
    verdict: 'not read yet',
    container: 'jsonl',
    keys: ['prompt', 'completion'],
    anyKey: ['step', 'gen_step'],
    where: (first) =>
      lengthOf(first['prompt']) >= 0 &&
      lengthOf(first['prompt']) === lengthOf(first['completion']) &&
      (lengthOf(first['step']) >= 0 || lengthOf(first['gen_step']) >= 0),
  },
  {
    name: 'a ROLL rollout dump',
    verdict: 'not read yet',
    container: 'jsonl',
    keys: ['global_step', 'responses'],
    where: (first) => lengthOf(first['global_step']) >= 0 && lengthOf(first['responses']) >= 0,
  },
  {
    name: 'an OpenHands evaluation',
    verdict: 'not read yet',
    container: 'jsonl',
    keys: ['instance_id', 'history'],
    anyKey: ['test_result', 'metadata'],
  },
  { name: 'an Atropos group log', verdict: 'not read yet', container: 'jsonl', keys: ['tokens', 'masks', 'scores'] },
  {
    name: 'an open-instruct rollout log',
    verdict: 'not read yet',
    container: 'jsonl',
    keys: ['prompt_tokens', 'response_tokens', 'prompt_idx'],
  },
  {
    name: 'a tinker rollout summary',
    verdict: 'not read yet',
    container: 'jsonl',
    keys: ['schema_version', 'split', 'group_idx', 'traj_idx'],
  },
  {
    name: 'an RLLoggingBoard log',
    verdict: 'not read yet',
    container: 'jsonl',
    keys: ['response_tokens', 'token_rewards'],
  },
  {
    name: 'an RLLoggingBoard log',
    verdict: 'not read yet',
    container: 'jsonl',
    keys: ['prompt', 'response', 'reward', 'step'],
    anyKey: ['ref_response', 'ref_reward'],
  },
  {
    name: 'an agent session (Hugging Face trace)',
    verdict: 'not read yet',
    container: 'jsonl',
    keys: ['type', 'harness'],
    where: (first) => first['type'] === 'session',
  },
  {
    name: 'a Codex session',
    verdict: 'not rollouts',
    because: 'a coding session, not rollouts',
    container: 'jsonl',
    keys: ['type', 'payload', 'timestamp'],
  },
  {
    name: 'a Claude Code session',
    verdict: 'not rollouts',
    because: 'a coding session, not rollouts',
    container: 'jsonl',
    keys: ['sessionId', 'type'],
  },
  {
    name: 'a Claude Code session',
    verdict: 'not rollouts',
    because: 'a coding session, not rollouts',
    container: 'jsonl',
    where: (first) => first['type'] === 'file-history-snapshot' || first['type'] === 'summary',
  },
  {
    name: 'verl file logger metrics',
    verdict: 'not rollouts',
    container: 'jsonl',
    where: isVerlMetrics,
  },
  {
    name: 'prime-rl metrics',
    verdict: 'not rollouts',
    container: 'jsonl',
    where: isTimedMetrics,
  },
  { name: 'a chat log', verdict: 'not read yet', container: 'jsonl', anyKey: ['messages', 'conversations'] },
  {
    name: 'a prompt and completion log',
    verdict: 'not read yet',
    container: 'jsonl',
    keys: ['prompt'],
    anyKey: ['completion', 'response', 'chosen'],
  },
  { name: 'an rLLM chat log', verdict: 'not read yet', container: 'jsonl', whereArray: (first) => isMessage(first[0]) },
  { name: 'a chat', verdict: 'not read yet', container: 'json-array', where: isMessage },
  { name: 'a chat', verdict: 'not read yet', container: 'json-object', keys: ['messages'] },
];

/** Names a file that no reader claims; null if it is unknown. Never throws. */
export function describeOther(head: Head): OtherDescription | null {
  const text = asBuffer(head.bytes).toString('latin1', 0, 64 * 1024);
  const tail = head.tail === undefined ? '' : asBuffer(head.tail).toString('latin1');
  const found = otherFormats.find((format) => matches(format, head, { text, tail }));
  return found === undefined ? null : describe(found);
}

function describe(format: OtherFormat): OtherDescription {
  const code = format.verdict === 'not rollouts' ? 'not-rollouts' : 'format-not-read-yet';
  return { code, description: `${format.name}: ${format.because ?? format.verdict}` };
}

function matches(format: OtherFormat, head: Head, bytes: { readonly text: string; readonly tail: string }): boolean {
  const { container, magic, keys, anyKey, fileName, text, where, whereArray } = format;
  if (container !== undefined && !isContainer(container, head.container)) return false;
  if (magic !== undefined && !bytes.text.startsWith(magic)) return false;
  if (keys !== undefined && !keys.every((key) => head.keys.has(key))) return false;
  if (anyKey !== undefined && !anyKey.some((key) => head.keys.has(key))) return false;
  if (fileName !== undefined && !fileName.test(head.name)) return false;
  if (text !== undefined && !text.test(bytes.text) && !text.test(bytes.tail)) return false;
  if (where !== undefined && !holds(where, head.first, keys !== undefined ? 'judge by keys' : 'no match')) return false;
  if (whereArray !== undefined && !(Array.isArray(head.first) && whereArray(head.first))) return false;
  return true;
}

function holds(
  where: (first: JsonObject) => boolean,
  first: unknown,
  unknownFirst: 'judge by keys' | 'no match',
): boolean {
  if (first === null) return unknownFirst === 'judge by keys';
  return isObject(first) && where(first);
}

/** A document of one line looks like one line of JSONL. */
function isContainer(wanted: Head['container'] | 'json', container: Head['container']): boolean {
  return wanted === 'json' ? container === 'json-object' || container === 'jsonl' : wanted === container;
}

function isVerlMetrics(first: JsonObject): boolean {
  const data = first['data'];
  return (
    Object.keys(first).length === 2 &&
    typeof first['step'] === 'number' &&
    isObject(data) &&
    Object.values(data).every((value) => typeof value === 'number' || value === null)
  );
}

function isTimedMetrics(first: JsonObject): boolean {
  return (
    'step' in first &&
    'time' in first &&
    Object.values(first).every((value) => typeof value === 'number' || value === null)
  );
}

function isMessage(value: Json | undefined): boolean {
  return isObject(value) && typeof value['role'] === 'string';
}

/** Length of an array, -1 where the value is none. */
function lengthOf(value: Json | undefined): number {
  return Array.isArray(value) ? value.length : -1;
}
