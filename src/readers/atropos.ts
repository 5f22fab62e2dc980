/**
 * Reads Atropos' group files (`*.jsonl`, 296a0bc; formats.md 5.8): one group a line, each value a list over its rollouts:
 * tokens, masks (-100 where the policy did not write), scores, and where logged messages, advantages and log-probs.
 * A line is a group whatever its prompt. Log-probs of tokens that have none are 1.0 (checked: managed_server.py fills the
 * prompt and what the server left out with it); 0 before masked tokens is what other environments were seen to write,
 * which could not be confirmed. Leaves out a step, which the log has not, and text where it has only tokens.
 */
import { asArray, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { RecordPlace, Rollout, TokenValues } from '../model/rollout.ts';
import { type MessageFacts, turnsOfMessages } from './chatMessages.ts';
import { extrasOf } from './extras.ts';
import { lineFormat, lineValues, sampleOf } from './lineFormat.ts';
import { isMessage, roleOf } from './messageParts.ts';
import { tokenTurn } from './openInstruct.ts';
import type { Reader } from './reader.ts';
import {
  advantageOfTokens,
  maskedRanges,
  numbersOf,
  rangesOfMessages,
  sliceTokens,
  tokenValuesOf,
} from './tokenValues.ts';
import { numberOf } from './toolInteractions.ts';

const format = 'atropos';
const producer = 'Atropos';
const notTrained = -100;
const placed: ReadonlySet<string> = new Set([
  ...['tokens', 'masks', 'scores', 'advantages', 'messages', 'inference_logprobs', 'ref_logprobs'],
]);

/** One group a line, several rollouts a line. */
export const atroposReader: Reader = {
  format,
  version: 2,
  recognise: ({ container, keys }) =>
    container === 'jsonl' && ['tokens', 'masks', 'scores'].every((key) => keys.has(key))
      ? { format, producer, variant: '' }
      : null,
  stepOfName: () => null,
  ...lineFormat({
    holds: (group) => samplesIn(group),
    rollout: (group, place) => atroposRollout(group, place),
    tell: (group) =>
      messagesOf(sampleOf(group, 0, asArray(group['tokens']).length)['messages']) === null
        ? 'this group is logged as token ids without messages: the turns show the ids, for text a tokenizer is needed'
        : null,
  }),
};

function samplesIn(group: JsonObject): number | string {
  const { tokens, masks, scores } = group;
  if (!Array.isArray(tokens) || tokens.length === 0) return 'the line has no list under tokens';
  const count = tokens.length;
  const fits = Array.isArray(masks) && masks.length === count && Array.isArray(scores) && scores.length === count;
  return fits ? count : 'its tokens, masks and scores are not lists of one length';
}

/** Maps the rollout `place.item` of a group; pure. */
export function atroposRollout(group: JsonObject, place: RecordPlace): Rollout {
  const item = place.item ?? 0;
  const count = asArray(group['tokens']).length;
  const sample = sampleOf(group, item, count);
  const logged = tokensOf(sample);
  const messages = messagesOf(sample['messages']);
  const { facts, ...conversation } = messages === null ? onlyTokens(logged) : withMessages(messages, logged);
  const mask = logged?.mask ?? null;
  return buildRollout({
    ...conversation,
    ...(messages === null ? { question: 'a prompt (token ids only)' } : {}),
    place,
    producer,
    // The row of the group's first rollout: it names the line however many blank lines stand before it.
    group: { key: `group at row ${place.row - item}`, source: 'logged' },
    id: String(item),
    reward: { total: numberOf(sample['scores']) },
    loggedAdvantage: numberOf(sample['advantages']) ?? logged?.advantage ?? null,
    masked: isObject(sample['overrides']) && sample['overrides']['set_advantage_to_zero'] === true,
    modelTokens: mask?.filter(Boolean).length ?? null,
    extras: [...extrasOf(sample, placed), ...extrasOf(lineValues(group, count), placed), ...facts],
  });
}

interface AtroposTokens {
  readonly values: TokenValues;
  readonly mask: readonly boolean[];
  readonly advantage: number | null;
}

function tokensOf(sample: JsonObject): AtroposTokens | null {
  const ids = asArray(sample['tokens']);
  if (ids.length === 0) return null;
  const logged = numbersOf(sample['masks']);
  // A mask that does not fit tells nothing: then all is the policy's.
  const mask = ids.map((_, index) => logged.length !== ids.length || logged[index] !== notTrained);
  const advantages = numbersOf(sample['advantages']);
  const summed = advantageOfTokens(advantages, advantages.length === mask.length ? mask : null);
  const logprobs = asArray(sample['inference_logprobs']);
  const values = tokenValuesOf({
    ids,
    logprobs: logprobs.map((value, index) => (isFiller(value, mask[index] === false) ? null : value)),
    referenceLogprobs: sample['ref_logprobs'],
    others: [
      ...(summed.isConstant ? [] : [{ name: 'advantages', values: sample['advantages'] }]),
      { name: 'loss mask', values: mask.map(Number) },
    ],
  });
  return values === null ? null : { values, mask, advantage: summed.advantage };
}

/** No log-prob is above 0. */
function isFiller(value: Json, isMasked: boolean): boolean {
  return typeof value === 'number' && (value > 0 || (value === 0 && isMasked));
}

type Conversation = ReturnType<typeof turnsOfMessages>;

function withMessages(messages: readonly Json[], logged: AtroposTokens | null): Conversation {
  const isPolicy = messages.map((message) => roleOf(roleWord(message)) === 'policy');
  const ranges = logged === null ? [] : rangesOfMessages(isPolicy, logged.mask);
  const about = (index: number): MessageFacts | null => {
    const range = ranges[index] ?? null;
    if (range === null || logged === null) return null;
    return { tokens: range.end - range.first, tokenValues: sliceTokens(logged.values, range) };
  };
  return turnsOfMessages(messages, { prompt: 'before-first-assistant', about });
}

/** Without messages: what stands before the first trained token is the prompt. */
function onlyTokens(logged: AtroposTokens | null): Conversation {
  const first = logged === null ? 0 : (maskedRanges(logged.mask)[0]?.first ?? 0);
  const cut = (from: number, end: number): TokenValues | null =>
    logged === null || end <= from ? null : sliceTokens(logged.values, { first: from, end });
  const turns = [
    tokenTurn('user', cut(0, first), { isPrompt: true, calls: [] }),
    tokenTurn('policy', cut(first, logged?.mask.length ?? 0), { isPrompt: false, calls: [] }),
  ];
  return { turns, calls: [], images: [], answer: null, facts: [] };
}

/** The messages of one rollout; null where it has none. */
function messagesOf(value: Json | undefined): readonly Json[] | null {
  const messages = asArray(value);
  return messages.length > 0 && messages.every(isMessage) ? messages : null;
}

function roleWord(message: Json): string {
  const role = isObject(message) ? (message['role'] ?? message['from']) : null;
  return typeof role === 'string' ? role : '';
}
