/**
 * Reads the JSONL of RLLoggingBoard (cf56d5d; formats.md 5.8): one answer a line with, where logged, the texts, log-probs,
 * reference log-probs, values and rewards of its tokens, and the answer of the reference model for comparison.
 * The prompt is plain text. Leaves out groups other than equal prompts of a step: the log names none.
 */
import type { JsonObject } from '../base/json.ts';
import { asString, type Json } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { NamedValue, RecordPlace, Rollout, TokenValues, Turn } from '../model/rollout.ts';
import { extrasOf } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { lineFormat } from './lineFormat.ts';
import { episodeOf } from './promptCompletion.ts';
import type { Head, Reader, Recognition } from './reader.ts';
import { advantageOfTokens, numbersOf, tokenValuesOf } from './tokenValues.ts';
import { numberOf } from './toolInteractions.ts';
import { stepOf } from './trl.ts';

const format = 'rl-logging-board';
const producer = 'RLLoggingBoard';
const referenceKeys = ['ref_response', 'ref_reward'];
const placed: ReadonlySet<string> = new Set([
  ...['prompt', 'response', 'response_tokens', 'logprobs', 'ref_logprobs', 'values', 'token_rewards', 'reward', 'step'],
  ...['ref_response', 'advantages', 'advantage'],
]);
/** The reference's answer is what the board is for: a long one is shown cut, not dropped. */
const referenceLength = 1000;

/** One rollout a line; the step stands in the line. */
export const rlLoggingBoardReader: Reader = {
  format,
  version: 1,
  recognise: (head) => recogniseBoard(head),
  stepOfName: () => null,
  ...lineFormat({
    holds: (record) =>
      typeof record['prompt'] === 'string' && typeof record['response'] === 'string'
        ? 1
        : 'the line has no text under prompt and response',
    rollout: (record, place) => boardRollout(record, place),
  }),
};

function recogniseBoard({ container, keys }: Head): Recognition | null {
  if (container !== 'jsonl') return null;
  const hasTokens = keys.has('response_tokens') && keys.has('token_rewards');
  const isShort =
    ['prompt', 'response', 'reward', 'step'].every((key) => keys.has(key)) &&
    referenceKeys.some((key) => keys.has(key));
  return hasTokens || isShort ? { format, producer, variant: '' } : null;
}

/** Maps one line; pure. */
export function boardRollout(record: JsonObject, place: RecordPlace): Rollout {
  const prompt = asString(record['prompt']) ?? '';
  const { facts, turns, ...episode } = episodeOf(prompt, record['response']);
  const advantages = numbersOf(record['advantages']);
  const summed = advantageOfTokens(advantages, null);
  const tokens = tokensOf(record, summed.isConstant);
  return buildRollout({
    ...episode,
    turns: withTokens(turns, tokens),
    place,
    producer,
    step: stepOf(numberOf(record['step'])),
    group: { key: inferredGroupKey(prompt, null), source: 'inferred' },
    reward: { total: numberOf(record['reward']) },
    loggedAdvantage: numberOf(record['advantage']) ?? numberOf(record['advantages']) ?? summed.advantage,
    modelTokens: tokens === null ? null : countOf(tokens),
    extras: [...extrasOf(record, placed), ...referenceOf(record['ref_response']), ...facts],
  });
}

function tokensOf(record: JsonObject, isConstant: boolean): TokenValues | null {
  const tokens = record['response_tokens'];
  const areIds = Array.isArray(tokens) && tokens.every((token) => typeof token === 'number');
  return tokenValuesOf({
    ids: areIds ? tokens : undefined,
    texts: areIds ? undefined : tokens,
    logprobs: record['logprobs'],
    referenceLogprobs: record['ref_logprobs'],
    others: [
      { name: 'values', values: record['values'] },
      { name: 'token_rewards', values: record['token_rewards'] },
      ...(isConstant ? [] : [{ name: 'advantages', values: record['advantages'] }]),
    ],
  });
}

/** Number of tokens that arrays tell of. */
export function countOf({ ids, texts, logprobs }: TokenValues): number {
  return (ids ?? texts ?? logprobs ?? []).length;
}

/** The turns with the tokens of the answer at the first turn the policy wrote after the prompt. */
export function withTokens(turns: readonly Turn[], tokens: TokenValues | null): readonly Turn[] {
  const written = tokens === null ? -1 : turns.findIndex((turn) => !turn.prompt && turn.role === 'policy');
  if (tokens === null || written < 0) return turns;
  return turns.map((turn, index) =>
    index === written ? { ...turn, tokens: countOf(tokens), tokenValues: tokens } : turn,
  );
}

function referenceOf(value: Json | undefined): NamedValue[] {
  const text = asString(value);
  if (text === null) return [];
  const shown = text.length > referenceLength ? `${text.slice(0, referenceLength)}…` : text;
  return [{ name: 'ref_response', value: shown }];
}
