/**
 * Which key of a home-made log holds what: the mapping, its guess by the names teams use (formats.md 10.2), and its text
 * form, which is the generic reader's `recognition.variant` and what is saved for a folder. A path is a key, or keys with
 * dots between them ("metadata.reward", "choices.0.message"); a key that holds a dot itself is found too.
 * Leaves out making rollouts of it (mappedRecord.ts) and the form (a view).
 */
import { asArray, isObject, type Json, type JsonObject } from '../base/json.ts';
import { isMessage, roleOf } from './messageParts.ts';
import { parseJsonText } from './parseJson.ts';
import { isConversation, messagesOf } from './promptCompletion.ts';
import { numberOf, truthOf } from './toolInteractions.ts';

/** A path for each thing a rollout has; null where the log has none. */
export interface FieldMapping {
  readonly prompt: string | null;
  readonly response: string | null;
  readonly messages: string | null;
  readonly rejected: string | null;
  readonly images: string | null;
  readonly reward: string | null;
  readonly correct: string | null;
  readonly advantage: string | null;
  readonly step: string | null;
  readonly group: string | null;
  readonly rolloutId: string | null;
  readonly groundTruth: string | null;
  readonly stopReason: string | null;
  readonly modelTokens: string | null;
  readonly tokens: string | null;
  readonly logprobs: string | null;
}

/** Name of one field of a mapping. */
export type MappingField = keyof FieldMapping;

/** A field for people: its name in the form and a sentence that says what belongs there. */
export interface MappingFieldText {
  readonly field: MappingField;
  readonly label: string;
  readonly sentence: string;
}

/** All fields, in the order a form shows them. */
export const mappingFields: readonly MappingFieldText[] = [
  { field: 'prompt', label: 'Prompt', sentence: 'What the model was given: text, or a list of messages.' },
  {
    field: 'response',
    label: 'Response',
    sentence: 'What the model wrote: text, a list of messages, or a list of several responses to one prompt.',
  },
  {
    field: 'messages',
    label: 'Messages',
    sentence: 'The whole conversation as a list of messages, where prompt and response are not apart.',
  },
  { field: 'rejected', label: 'Rejected response', sentence: 'In preference pairs, the response that lost.' },
  { field: 'images', label: 'Images', sentence: 'Pictures of the prompt: data URIs, base64, or objects with bytes.' },
  { field: 'reward', label: 'Reward', sentence: 'The total reward, a number; several numbers are summed.' },
  { field: 'correct', label: 'Correct', sentence: 'Whether the answer is right: true or false, 1 or 0.' },
  { field: 'advantage', label: 'Advantage', sentence: 'The advantage as the trainer logged it.' },
  { field: 'step', label: 'Training step', sentence: 'The training step, a whole number.' },
  { field: 'group', label: 'Group', sentence: 'What rollouts of one prompt share; equal prompts where it is empty.' },
  { field: 'rolloutId', label: 'Rollout id', sentence: 'What tells the rollouts of one group apart.' },
  { field: 'groundTruth', label: 'Ground truth', sentence: 'The right answer, as the log has it.' },
  { field: 'stopReason', label: 'Stop reason', sentence: 'Why the rollout ended.' },
  { field: 'modelTokens', label: 'Tokens written', sentence: 'How many tokens the model wrote.' },
  { field: 'tokens', label: 'Tokens', sentence: 'The tokens of the response, one by one: ids or texts.' },
  { field: 'logprobs', label: 'Log-probabilities', sentence: 'The natural logarithm of each token’s probability.' },
];

/** The mapping that maps nothing. */
export const emptyMapping: FieldMapping = {
  prompt: null,
  response: null,
  messages: null,
  rejected: null,
  images: null,
  reward: null,
  correct: null,
  advantage: null,
  step: null,
  group: null,
  rolloutId: null,
  groundTruth: null,
  stopReason: null,
  modelTokens: null,
  tokens: null,
  logprobs: null,
};

const longestPath = 200;

/** The mapping as text: only what is mapped, in the order of `mappingFields`, so that equal mappings are equal texts. */
export function printMapping(mapping: FieldMapping): string {
  const mapped = mappingFields.flatMap(({ field }): [string, string][] => {
    const path = mapping[field];
    return path === null ? [] : [[field, path]];
  });
  return JSON.stringify(Object.fromEntries(mapped));
}

/** A mapping from its text; null where the text is none. Unknown fields and paths over 200 characters are left out. */
export function parseMapping(text: string): FieldMapping | null {
  const parsed = parseJsonText(text);
  if (!parsed.ok || !isObject(parsed.value)) return null;
  const { value } = parsed;
  const entries = mappingFields.map(({ field }): [string, string | null] => {
    const path = value[field];
    return [field, typeof path === 'string' && path !== '' && path.length <= longestPath ? path : null];
  });
  return { ...emptyMapping, ...Object.fromEntries(entries) };
}

/** True where a mapping gives a conversation: messages, or a prompt and a response. */
export function isUsableMapping(mapping: FieldMapping): boolean {
  return mapping.messages !== null || (mapping.prompt !== null && mapping.response !== null);
}

/** The value at a path of a record; undefined where there is none. */
export function valueAt(record: Json | undefined, path: string | null): Json | undefined {
  if (path === null || record === undefined || record === null || typeof record !== 'object') return undefined;
  const own = itemOf(record, path);
  if (own !== undefined) return own;
  for (let dot = path.indexOf('.'); dot !== -1; dot = path.indexOf('.', dot + 1)) {
    const inner = itemOf(record, path.slice(0, dot));
    const found = inner === undefined ? undefined : valueAt(inner, path.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

function itemOf(value: Json, key: string): Json | undefined {
  if (Array.isArray(value)) return /^\d{1,6}$/.test(key) ? asArray(value)[Number(key)] : undefined;
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

const promptNames = ['prompt', 'input', 'question', 'query', 'problem', 'input_prompt', 'instruction', 'prompts'];
const responseNames = [
  'completion',
  'output',
  'response',
  'output_response',
  'generated',
  'prediction',
  'responses',
  'completions',
  'outputs',
  'generation',
  'generations',
  'generated_text',
  'model_output',
  // Beside another response this is the right answer.
  'answer',
];
const messagesNames = [
  'messages',
  'conversations',
  'conversation',
  'chat_completions',
  'chat',
  'dialogue',
  'trajectory',
  'history',
  'turns',
];
const rewardNames = ['reward', 'score', 'total_reward', 'final_reward', 'return', 'rewards', 'scores', 'ret', 'r'];
const pairRewardNames = ['chosen_score', 'score_chosen', 'chosen_reward', 'reward_chosen', 'chosen_rating'];
const accuracyNames = ['acc', 'accuracy'];
const correctNames = ['correct', 'is_correct', 'success', 'is_success', 'solved', 'resolved', 'passed'];
const stepNames = ['step', 'global_step', 'training_step', 'iteration', 'gen_step'];
const groupNames = [
  'uid',
  'group_id',
  'group_index',
  'group_idx',
  'prompt_id',
  'prompt_idx',
  'example_id',
  'task_id',
  'task_hash',
  'question_id',
  'problem_id',
  'instance_id',
  '_ng_task_index',
  'group',
  'prompt_hash',
  'question_idx',
  'qid',
];
const rolloutNames = [
  'sample_idx',
  'rollout_index',
  'traj_idx',
  'trial',
  'epoch',
  '_ng_rollout_index',
  'index',
  'rollout_id',
  'trajectory_id',
  'sample_id',
  'session_id',
  'request_id',
  'id',
];
const truthNames = [
  'ground_truth',
  'gts',
  'gt',
  'label',
  'target',
  'reference',
  'reference_answer',
  'expected_answer',
  'expected',
  'solution',
  'reward_model.ground_truth',
  'gold',
  'gold_answer',
  'golden_answers',
  'correct_answer',
  'answer',
];
/** Where teams put what is not the conversation. */
const containers = [
  'metadata',
  'meta',
  'info',
  'extra_info',
  'extra',
  'extras',
  'metrics',
  // Whole records, where the rest is about the attempt.
  'sample',
  'example',
  'task',
  'item',
  'data',
  'record',
  'result',
];
const insideResponse = ['', '.text', '.content', '.message', '.choices.0.message', '.choices.0.text'];
const insideReward = ['', '.total', '.reward', '.score', '.value'];

/**
 * Guesses a mapping by names and, where the first record is known, by what its values are. Gives what it finds;
 * `isUsableMapping` says whether that is enough.
 */
export function guessMapping(first: JsonObject | null, keys: ReadonlySet<string>): FieldMapping {
  const find = finder(first, keys);
  const messages = find(messagesNames, isMessageList);
  const asked = find(promptNames, isText);
  const written = find(responseNames, isText, insideResponse);
  const isWhole = messages !== null && (first === null || endsWithPolicy(valueAt(first, messages)));
  // With messages that end in an answer, a further text is no second one.
  const response = isWhole || written === asked ? null : written;
  const rejected = keys.has('chosen') ? find(['rejected'], isText) : null;
  const pair = rejected === null ? null : find(['chosen'], isText);
  const whole = pair !== null && asked === null && messages === null && first !== null && isMessageList(first[pair]);
  const named = find(rewardNames, isNamedRewards);
  const conversation = whole ? pair : messages;
  const answered = whole ? null : (pair ?? response);
  return {
    prompt: conversation === null ? asked : null,
    response: answered,
    messages: conversation,
    rejected,
    images: find(['images', 'image'], isImages),
    reward:
      rejected === null
        ? (find(rewardNames, isReward, insideReward) ?? named ?? find([...accuracyNames, ...correctNames], isNumber))
        : find(pairRewardNames, isReward),
    correct:
      find([...correctNames, ...accuracyNames], isTruth) ??
      (named === null
        ? null
        : find(
            [...correctNames, ...accuracyNames].map((name) => `${named}.${name}`),
            isTruth,
          )),
    advantage: find(['advantage', 'advantages'], isReward),
    step: find(stepNames, isStep) ?? (first === null ? null : find(['rollout_id'], isStep)),
    group: find(groupNames, isName),
    rolloutId: find(rolloutNames, isName),
    groundTruth: find(
      truthNames.filter((name) => name !== asked && name !== answered),
      isKnown,
    ),
    stopReason: find(['stop_reason', 'finish_reason', 'stop_condition', 'termination_reason'], isName),
    modelTokens: find(['response_length', 'completion_tokens', 'completion_length', 'num_tokens'], isNumber),
    tokens: find(['response_tokens', 'response_ids', 'completion_ids', 'output_ids', 'tokens'], Array.isArray),
    logprobs: find(['logprobs', 'response_logprobs', 'log_probs', 'old_log_probs'], isReward),
  };
}

type Test = (value: Json | undefined) => boolean;
type Find = (names: readonly string[], test: Test, inside?: readonly string[]) => string | null;

/** Looks names up at the top, then inside the containers; without a record only the names at the top count. */
function finder(first: JsonObject | null, keys: ReadonlySet<string>): Find {
  return (names, test, inside = ['']) => {
    if (first === null) return names.find((name) => keys.has(name)) ?? null;
    const held = containers.filter((name) => isObject(first[name]));
    for (const prefix of ['', ...held.map((name) => `${name}.`)]) {
      for (const name of names) {
        for (const suffix of inside) {
          const path = `${prefix}${name}${suffix}`;
          if (test(valueAt(first, path))) return path;
        }
      }
    }
    return null;
  };
}

function isText(value: Json | undefined): boolean {
  if (isConversation(value)) return true;
  const items = asArray(value);
  return items.length > 0 && items.every((item) => isConversation(item) && !isObject(item));
}

function isMessageList(value: Json | undefined): boolean {
  return messagesOf(value)?.some(isMessage) ?? asArray(value).some(isMessage);
}

function endsWithPolicy(value: Json | undefined): boolean {
  const last = (messagesOf(value) ?? asArray(value)).at(-1);
  if (!isObject(last)) return true;
  const role = last['role'] ?? last['from'];
  return typeof role !== 'string' || !['user', 'system'].includes(roleOf(role));
}

function isReward(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.length > 0 && asArray(value).every((item) => numberOf(item) !== null);
  return numberOf(value) !== null;
}

/** Rewards by their names without a total: their sum is taken for it (mappedRecord.ts). */
function isNamedRewards(value: Json | undefined): boolean {
  return (
    isObject(value) && Object.keys(value).length > 0 && Object.values(value).every((one) => typeof one === 'number')
  );
}

function isNumber(value: Json | undefined): boolean {
  return numberOf(value) !== null;
}

function isTruth(value: Json | undefined): boolean {
  return truthOf(value) !== null;
}

function isStep(value: Json | undefined): boolean {
  const scalar = Array.isArray(value) ? asArray(value)[0] : value;
  const number = numberOf(scalar);
  return number !== null && Number.isInteger(number) && number >= 0;
}

function isName(value: Json | undefined): boolean {
  const scalar = Array.isArray(value) ? asArray(value)[0] : value;
  return typeof scalar === 'number' || (typeof scalar === 'string' && scalar !== '' && scalar.length <= 200);
}

function isKnown(value: Json | undefined): boolean {
  return value !== undefined && value !== null && value !== '';
}

function isImages(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return isObject(value)
    ? 'bytes' in value || 'url' in value || 'path' in value
    : typeof value === 'string' && value !== '';
}
