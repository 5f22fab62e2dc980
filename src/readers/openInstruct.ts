/**
 * Reads open-instruct's `{run}_rollouts_{000000}.jsonl` (e6c3044; formats.md 5.8): token ids without any text, which a
 * tokenizer would have to turn into text, so the turns show the ids. Group = `prompt_idx` within the step.
 * Calls are only counted by the log (`request_info`), so they have no tool and no arguments.
 */
import { asArray, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildCall, buildRollout, buildTurn, callPart } from '../model/builder.ts';
import type { Call, RecordPlace, Rollout, TokenValues, Turn } from '../model/rollout.ts';
import { extrasOf } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { lineFormat } from './lineFormat.ts';
import type { Reader } from './reader.ts';
import { advantageOfTokens, numbersOf, tokenValuesOf } from './tokenValues.ts';
import { numberOf, truthOf } from './toolInteractions.ts';
import { stepOf } from './trl.ts';

const format = 'open-instruct';
const producer = 'open-instruct';
const placed: ReadonlySet<string> = new Set([
  ...['step', 'sample_idx', 'prompt_idx', 'prompt_tokens', 'response_tokens', 'reward', 'advantage', 'finish_reason'],
  ...['ground_truth', 'logprobs'],
]);
/** More calls than any rollout has; a count above it is damage. */
const mostCalls = 10_000;

/** One rollout a line. */
export const openInstructReader: Reader = {
  format,
  version: 1,
  recognise: ({ container, keys }) =>
    container === 'jsonl' && ['prompt_tokens', 'response_tokens', 'prompt_idx'].every((key) => keys.has(key))
      ? { format, producer, variant: '' }
      : null,
  stepOfName: () => null,
  ...lineFormat({
    holds: (record) =>
      Array.isArray(record['prompt_tokens']) && Array.isArray(record['response_tokens'])
        ? 1
        : 'the line has no token ids under prompt_tokens and response_tokens',
    rollout: (record, place) => openInstructRollout(record, place),
    tell: () => 'open-instruct logs token ids without text: the turns show the ids, for text a tokenizer is needed',
  }),
};

/** Maps one line; pure. */
export function openInstructRollout(record: JsonObject, place: RecordPlace): Rollout {
  const response = asArray(record['response_tokens']);
  const calls = callsOf(record['request_info']);
  const advantages = numbersOf(record['advantage']);
  const summed = advantageOfTokens(advantages, null);
  const tokens = tokenValuesOf({
    ids: response,
    logprobs: record['logprobs'],
    others: summed.isConstant ? [] : [{ name: 'advantages', values: record['advantage'] }],
  });
  const prompt = tokenValuesOf({ ids: record['prompt_tokens'] });
  const group = record['prompt_idx'];
  return buildRollout({
    place,
    producer,
    step: stepOf(numberOf(record['step'])),
    group: isId(group)
      ? { key: String(group), source: 'logged' }
      : { key: inferredGroupKey(JSON.stringify(record['prompt_tokens'] ?? null), null), source: 'inferred' },
    id: isId(record['sample_idx']) ? String(record['sample_idx']) : null,
    question: isId(group) ? `prompt ${group} (token ids only)`.slice(0, 160) : 'a prompt (token ids only)',
    groundTruth: record['ground_truth'] ?? null,
    turns: [
      tokenTurn('user', prompt, { isPrompt: true, calls: [] }),
      tokenTurn('policy', tokens, { isPrompt: false, calls }),
    ],
    calls,
    reward: { total: numberOf(record['reward']) },
    loggedAdvantage: numberOf(record['advantage']) ?? summed.advantage,
    modelTokens: response.length,
    stopReason: asString(record['finish_reason']),
    extras: extrasOf(record, placed),
  });
}

/** A turn of which only the token ids are logged: it has no text, and the ids are among its token values. */
export function tokenTurn(
  role: 'user' | 'policy',
  tokens: TokenValues | null,
  { isPrompt, calls }: { readonly isPrompt: boolean; readonly calls: readonly Call[] },
): Turn {
  return buildTurn({
    role,
    parts: calls.map((_, call) => callPart(call)),
    loggedRole: role === 'policy' ? 'response' : 'prompt',
    prompt: isPrompt,
    tokens: tokens?.ids?.length ?? 0,
    tokenValues: tokens,
  });
}

/** As many calls as the log counts; what it sums up over all of them belongs to a call only where there is one. */
function callsOf(info: Json | undefined): readonly Call[] {
  if (!isObject(info)) return [];
  const count = numberOf(info['num_calls']) ?? 0;
  if (!Number.isInteger(count) || count <= 0 || count > mostCalls) return [];
  const only = count === 1;
  const timedOut = isSet(info['timeouts']);
  const error = asString(info['tool_errors']) ?? '';
  const seconds = numberOf(info['tool_runtimes']);
  const call = buildCall({
    turn: 1,
    tool: null,
    raw: '',
    outcome: !only ? 'unknown' : timedOut ? 'timeout' : error === '' ? 'ok' : 'failed',
    failure: only && error !== '' ? error : null,
    observation: only ? (asString(info['tool_outputs']) ?? '') : '',
    latencyMs: only && seconds !== null && seconds >= 0 && seconds < 1e9 ? seconds * 1000 : null,
  });
  return new Array<Call>(count).fill(call);
}

function isSet(value: Json | undefined): boolean {
  return truthOf(value) ?? (numberOf(value) ?? 0) > 0;
}

function isId(value: Json | undefined): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
