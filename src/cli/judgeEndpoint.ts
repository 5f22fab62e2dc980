/**
 * The judge of the command line: one question to an OpenAI-compatible endpoint (POST URL/chat/completions) by plain fetch.
 * Says of each failure whether asking again can help, and when. The key comes from the environment, never from an argument.
 * Leaves out asking again and keeping answers (engine/curation).
 */
import { messageOf } from '../base/errors.ts';
import { asArray, asNumber, asString, isObject } from '../base/json.ts';
import type { AskJudge } from '../engine/curation/judgeRows.ts';
import { UsageError } from './command.ts';

/** Environment variable of the key. */
export const judgeKeyVariable = 'ROLLOUT_LENS_JUDGE_KEY';

/** Where to ask. */
export interface JudgeEndpoint {
  /** Base address without a slash at its end, "http://127.0.0.1:8000/v1". */
  readonly address: string;
  readonly model: string;
}

const timeoutMs = 180_000;
const mostDetail = 200;

/** The base address of an endpoint; UsageError for anything but http(s), or with a key in it. */
export function endpointAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new UsageError(`--judge ${text} is no http address`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(`--judge takes no key in its address; set ${judgeKeyVariable}`);
  }
  return `${url.origin}${url.pathname.replace(/\/+$/u, '')}`;
}

/** Asks an endpoint, with the key of the environment where there is one. */
export function askEndpoint({ address, model }: JudgeEndpoint): AskJudge {
  const key = process.env[judgeKeyVariable] ?? '';
  const headers = { 'content-type': 'application/json', ...(key === '' ? {} : { authorization: `Bearer ${key}` }) };
  return async ({ prompt, maximumTokens }, signal) => {
    const body = { model, messages: [{ role: 'user', content: prompt }], max_tokens: maximumTokens, temperature: 0 };
    try {
      const response = await fetch(`${address}/chat/completions`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
        // Records go to the endpoint that was named and nowhere else.
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      const text = await response.text();
      if (response.ok) return answered(text);
      const again = [408, 409, 425, 429].includes(response.status) || response.status >= 500;
      const failure = `${address} answered ${response.status}${detailOf(text)}.${keyHint(response.status)}`;
      return { text: null, failure, retryAfterMs: retryAfterMs(response.headers.get('retry-after')), again };
    } catch (error) {
      signal.throwIfAborted();
      return {
        text: null,
        failure: `${address} cannot be reached (${reasonOf(error)}).`,
        retryAfterMs: null,
        again: true,
      };
    }
  };
}

function keyHint(status: number): string {
  return status === 401 || status === 403 ? ` Set the key in ${judgeKeyVariable}.` : '';
}

function answered(body: string): Awaited<ReturnType<AskJudge>> {
  const value = parsed(body);
  const [choice] = asArray(isObject(value) ? value['choices'] : undefined);
  const message = isObject(choice) ? choice['message'] : undefined;
  const text = isObject(message) ? asString(message['content']) : null;
  const failure = text === null ? 'The judge sent no chat completion.' : null;
  return { text, failure, retryAfterMs: null, again: false };
}

/** Milliseconds of a Retry-After header (seconds, or a date); null where there is none. */
function retryAfterMs(value: string | null): number | null {
  if (value === null || value.trim() === '') return null;
  const seconds = asNumber(Number(value));
  const wait = seconds === null ? Date.parse(value) - Date.now() : seconds * 1000;
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

function detailOf(body: string): string {
  const value = parsed(body);
  const error = isObject(value) ? value['error'] : undefined;
  const text = isObject(error) ? asString(error['message']) : asString(error);
  return text === null ? '' : `: ${text.replaceAll(/\s+/gu, ' ').slice(0, mostDetail)}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function reasonOf(error: unknown): string {
  return messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
}
