/**
 * Reads NeMo RL's `train_data_step{N}.jsonl` and `val_data_step{N}.jsonl` (7ea279a; formats.md 5.4): every value is a list
 * of one, `idx` is the row in the batch. Training rows have the texts of the turns without roles (nemoRoles.ts) and padded
 * arrays of token ids, loss mask, advantages and two log-probs; validation rows have messages and a reward.
 * Leaves out the step (it stands in the file name only) and a group id, which is not logged: equal prompts are a group.
 */
import { asArray, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { NamedValue, RecordPlace, Rollout, TokenValues } from '../model/rollout.ts';
import { type MessageFacts, turnsOfMessages } from './chatMessages.ts';
import { extrasOf } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { lineFormat } from './lineFormat.ts';
import { nemoRoles } from './nemoRoles.ts';
import type { Head, Reader, Recognition } from './reader.ts';
import { advantageOfTokens, numbersOf, rangesOfMessages, sliceTokens, tokenValuesOf } from './tokenValues.ts';
import { numberOf } from './toolInteractions.ts';

const format = 'nemo-rl';
const producer = 'NeMo RL';
const tokenKeys = ['token_ids', 'token_loss_mask', 'advantages', 'generation_logprobs', 'prev_logprobs'] as const;
const referenceKeys = ['reference_policy_logprobs', 'reference_logprobs'] as const;
const placed: ReadonlySet<string> = new Set([
  ...['content', 'rewards', 'idx', 'sample_loss_mask', 'filtered_rewards'],
  ...tokenKeys,
  ...referenceKeys,
]);

/** One rollout a line; a file a step. */
export const nemoRlReader: Reader = {
  format,
  version: 1,
  recognise: (head) => recogniseNemo(head),
  stepOfName: (name) => {
    const digits = /^(?:train|val)_data_step(\d{1,9})\.jsonl/.exec(name)?.[1];
    return digits === undefined ? null : Number(digits);
  },
  ...lineFormat({
    holds: (record) => (contentOf(record) === null ? 'the line has no list of texts or messages under content' : 1),
    rollout: (record, place) => nemoRollout(record, place),
    tell: (record) =>
      typeof contentOf(record)?.[0] === 'string'
        ? 'NeMo RL logs training rows without roles: who speaks is told from the loss mask and the order of the texts'
        : null,
  }),
};

function recogniseNemo({ container, keys, first }: Head): Recognition | null {
  if (container !== 'jsonl' || !keys.has('content') || !keys.has('rewards')) return null;
  // `idx` is the last key: a row with token arrays is judged by those, since it may be longer than the head.
  if (!keys.has('idx') && !keys.has('input_lengths') && !keys.has('token_ids')) return null;
  const isValidation = isObject(first) ? isObject(contentOf(first)?.[0]) : !keys.has('input_lengths');
  return isValidation
    ? { format, producer: `${producer}, validation`, variant: 'val' }
    : { format, producer, variant: 'train' };
}

/** Maps one row; pure. */
export function nemoRollout(record: JsonObject, place: RecordPlace): Rollout {
  const content = contentOf(record) ?? [];
  const tokens = tokensOf(record);
  const roles = content.every((item) => typeof item === 'string') ? nemoRoles(content, tokens?.mask ?? null) : null;
  const messages: readonly Json[] =
    roles === null ? content : content.map((text, index) => ({ role: roles[index] ?? 'user', content: text }));
  const isPolicy = messages.map((message) => isObject(message) && message['role'] === 'assistant');
  const about = tokens === null ? null : aboutTokens(isPolicy, tokens);
  const { facts, ...conversation } = turnsOfMessages(messages, {
    prompt: 'before-first-assistant',
    ...(about === null ? {} : { about }),
  });
  const isTraining = roles !== null;
  const firstAnswer = isPolicy.indexOf(true);
  const asked = messages.slice(0, firstAnswer < 0 ? messages.length : firstAnswer).map(contentText);
  return buildRollout({
    ...conversation,
    place,
    producer: isTraining ? producer : `${producer}, validation`,
    group: { key: inferredGroupKey(asked.join('\0'), null), source: 'inferred' },
    id: idOf(record['idx']),
    reward: { total: numberOf(single(record['rewards'])), parts: partsOf(record) },
    loggedAdvantage: tokens?.advantage ?? null,
    masked: numberOf(single(record['sample_loss_mask'])) === 0,
    modelTokens: tokens?.mask?.filter(Boolean).length ?? null,
    extras: [...extrasOf(unwrapped(record), placed), ...facts],
  });
}

/** The token arrays of a row without their padding. */
interface NemoTokens {
  readonly values: TokenValues;
  readonly mask: readonly boolean[] | null;
  readonly advantage: number | null;
}

function tokensOf(record: JsonObject): NemoTokens | null {
  const ids = asArray(single(record['token_ids']));
  if (ids.length === 0) return null;
  const logged = numberOf(single(record['input_lengths']));
  const isLength = logged !== null && Number.isInteger(logged) && logged > 0 && logged <= ids.length;
  const count = isLength ? logged : ids.length;
  const column = (key: string): readonly Json[] | undefined => {
    const list = asArray(single(record[key]));
    return list.length >= count ? list.slice(0, count) : undefined;
  };
  const maskColumn = column('token_loss_mask');
  const mask = maskColumn === undefined ? null : numbersOf(maskColumn).map((value) => value > 0);
  const advantages = column('advantages');
  const summed = advantageOfTokens(numbersOf(advantages), mask);
  const values = tokenValuesOf({
    ids: ids.slice(0, count),
    logprobs: column('generation_logprobs')?.map((value, index) => unwritten(value, mask?.[index])),
    referenceLogprobs: column(referenceKeys[0]) ?? column(referenceKeys[1]),
    others: [
      { name: 'prev_logprobs', values: column('prev_logprobs') },
      ...(summed.isConstant ? [] : [{ name: 'advantages', values: advantages }]),
      { name: 'loss mask', values: maskColumn },
    ],
  });
  return values === null ? null : { values, mask, advantage: summed.advantage };
}

/** Tokens the policy did not write have no log-prob of their own: the log fills in 0. */
function unwritten(value: Json, isWritten: boolean | undefined): Json {
  return isWritten === false && value === 0 ? null : value;
}

function aboutTokens(
  isPolicy: readonly boolean[],
  { values, mask }: NemoTokens,
): (index: number) => MessageFacts | null {
  const all = (values.ids ?? []).map(() => false);
  const ranges = rangesOfMessages(isPolicy, mask ?? all);
  return (index) => {
    const range = ranges[index] ?? null;
    if (range === null) return null;
    // The tokens of a system prompt stand with those of the question behind it.
    const isShared = isPolicy[index] === false && isPolicy[index - 1] === false;
    return { tokens: isShared ? null : range.end - range.first, tokenValues: sliceTokens(values, range) };
  };
}

/** Texts or messages of the turns; null where the row has none. */
function contentOf(record: JsonObject): readonly Json[] | null {
  const content = single(record['content']);
  if (!Array.isArray(content) || content.length === 0) return null;
  const turns = asArray(content);
  return turns.every((turn) => typeof turn === 'string') || turns.every(isObject) ? turns : null;
}

/** The only item of a list; the value itself where it is none. */
function single(value: Json | undefined): Json {
  if (Array.isArray(value) && value.length === 1) return (value[0] as Json | undefined) ?? null;
  return value ?? null;
}

function unwrapped(record: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, single(value)]));
}

function partsOf(record: JsonObject): NamedValue[] {
  const filtered = numberOf(single(record['filtered_rewards']));
  return filtered === null ? [] : [{ name: 'filtered_rewards', value: filtered }];
}

function idOf(value: Json | undefined): string | null {
  return typeof value === 'number' || typeof value === 'string' ? String(value) : null;
}

function contentText(message: Json): string {
  const content = isObject(message) ? (message['content'] ?? null) : message;
  return typeof content === 'string' ? content : JSON.stringify(content);
}
