/**
 * One question to an OpenAI-compatible endpoint (POST <endpoint>/chat/completions) with the fetch and the sentences that it
 * is handed: the window and the command line ask alike. Says of each failure whether asking again can help, and when.
 * Leaves out asking again (engine/curation), the key, and what a user can do about it (the sentences are the caller's).
 */
import { boundedText, retryAfterMs } from '../base/httpAnswer.ts';
import { asArray, asString, isObject } from '../base/json.ts';
import type { JudgeHostApi } from './curation.ts';
import type { ParamsOf, ResultOf } from './rpc.ts';

/** What the engine is answered. */
export type JudgeAnswer = ResultOf<JudgeHostApi['askJudge']>;

/** What is asked. */
export type JudgeQuestion = Pick<ParamsOf<JudgeHostApi['askJudge']>, 'prompt' | 'maximumTokens'>;

/** Where to ask. */
export interface JudgeEndpoint {
  /** Base address without a slash at its end, "http://127.0.0.1:8000/v1". */
  readonly address: string;
  readonly model: string;
  /** Null for none. */
  readonly key: string | null;
}

/** How failures are told; `said` is the status with what the server says of it ("401: no key"). */
export interface JudgeSentences {
  late(address: string, seconds: number): string;
  unreachable(address: string, reason: string): string;
  refusesKey(address: string, said: string): string;
  unknown(address: string, said: string): string;
  elsewhere(address: string, said: string): string;
  failed(address: string, said: string): string;
  noCompletion(): string;
  emptyAnswer(): string;
}

/** What a question needs besides its text. */
export interface EndpointOptions {
  readonly endpoint: JudgeEndpoint;
  readonly fetch: typeof fetch;
  readonly sentences: JudgeSentences;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** Answers take a while where a model reasons first. */
export const judgeTimeoutMs = 180_000;
/** An answer is a verdict and a sentence; more than this is no answer. */
const mostBytes = 1_000_000;
const mostDetail = 200;

/** The base address of an endpoint as it is asked, without a slash at its end; null where it is no http(s) address. */
export function endpointAddress(text: string): string | null {
  const trimmed = text.trim();
  if (!URL.canParse(trimmed)) return null;
  const url = new URL(trimmed);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
  // A key in the address would be shown wherever the endpoint is named.
  if (url.username !== '' || url.password !== '') return null;
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** Asks once. Rejects only when cancelled. */
export async function askEndpoint(
  { prompt, maximumTokens }: JudgeQuestion,
  { endpoint, signal, timeoutMs, sentences, ...options }: EndpointOptions,
): Promise<JudgeAnswer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const { address, model, key } = endpoint;
  try {
    const response = await options.fetch(`${address}/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify({
        model,
        messages: [{ role: 'user', content: prompt }],
        max_tokens: maximumTokens,
        temperature: 0,
      }),
      // The prompt goes to the endpoint the user agreed to and nowhere else.
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
    });
    const body = await boundedText(response.body, mostBytes);
    return response.ok ? answered(body, sentences) : refused(response, body, { address, sentences });
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) return failed(sentences.late(address, Math.round(timeoutMs / 1000)), 'again');
    return failed(sentences.unreachable(address, reasonOf(error)), 'again');
  }
}

function answered(body: string, sentences: JudgeSentences): JudgeAnswer {
  const value = parsed(body);
  const [choice] = asArray(isObject(value) ? value['choices'] : undefined);
  const message = isObject(choice) ? choice['message'] : undefined;
  const text = isObject(message) ? asString(message['content']) : null;
  if (text === null) return failed(sentences.noCompletion(), 'never');
  if (text.trim() === '') return failed(sentences.emptyAnswer(), 'again');
  return { text, failure: null, retryAfterMs: null, again: true };
}

function refused(
  { status, headers }: Response,
  body: string,
  { address, sentences }: { readonly address: string; readonly sentences: JudgeSentences },
): JudgeAnswer {
  const detail = detailOf(body);
  const said = detail === '' ? String(status) : `${status}: ${detail}`;
  if (status === 401 || status === 403) return failed(sentences.refusesKey(address, said), 'never');
  if (status === 404) return failed(sentences.unknown(address, said), 'never');
  if (status >= 300 && status < 400) return failed(sentences.elsewhere(address, said), 'never');
  const passing = [408, 409, 425, 429].includes(status) || status >= 500;
  const answer = failed(sentences.failed(address, said), passing ? 'again' : 'never');
  return passing ? { ...answer, retryAfterMs: retryAfterMs(headers.get('retry-after')) } : answer;
}

function failed(failure: string, again: 'again' | 'never'): JudgeAnswer {
  return { text: null, failure, retryAfterMs: null, again: again === 'again' };
}

/** What an error answer says in OpenAI's form, or its first line. */
function detailOf(body: string): string {
  const value = parsed(body);
  const error = isObject(value) ? (value['error'] ?? value['detail'] ?? value['message']) : undefined;
  const text = isObject(error) ? asString(error['message']) : asString(error ?? undefined);
  const line = (text ?? (isObject(value) ? '' : body)).replace(/\s+/g, ' ').trim();
  return line.startsWith('<') ? '' : line.slice(0, mostDetail);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function reasonOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? (error.cause ?? error) : error;
  if (isObject(cause) && typeof cause['code'] === 'string') return cause['code'];
  return cause instanceof Error ? cause.message : String(cause);
}
