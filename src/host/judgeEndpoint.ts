/**
 * One question to an OpenAI-compatible endpoint (POST <endpoint>/chat/completions) with the fetch that it is handed: the
 * host's, with VS Code's proxy and certificates. Says of each failure whether asking again can help, and when.
 * Knows nothing of VS Code, so that tests ask real servers. Leaves out asking again (the engine) and the key (judgeKey.ts).
 */
import { asArray, asString, isObject } from '../base/json.ts';
import type { JudgeHostApi } from '../protocol/curation.ts';
import type { ParamsOf, ResultOf } from '../protocol/rpc.ts';
import type { Translator } from './translator.ts';

/** What the engine is answered. */
export type JudgeAnswer = ResultOf<JudgeHostApi['askJudge']>;

/** Where to ask. */
export interface JudgeEndpoint {
  /** Base address, "http://127.0.0.1:8000/v1". */
  readonly address: string;
  readonly model: string;
  /** Null for none. */
  readonly key: string | null;
}

/** What a question needs besides its text. */
export interface EndpointOptions {
  readonly endpoint: JudgeEndpoint;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly l10n: Translator;
}

/** An answer is a verdict and a sentence; more than this is no answer. */
const mostBytes = 1_000_000;
const mostDetail = 200;
/** Longer waits than this are the user's decision, not ours. */
const mostWaitMs = 10 * 60_000;

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
  { prompt, maximumTokens }: Pick<ParamsOf<JudgeHostApi['askJudge']>, 'prompt' | 'maximumTokens'>,
  { endpoint, signal, timeoutMs, l10n, ...options }: EndpointOptions,
): Promise<JudgeAnswer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await options.fetch(`${endpoint.address}/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(endpoint.key === null ? {} : { authorization: `Bearer ${endpoint.key}` }),
      },
      body: JSON.stringify({
        model: endpoint.model,
        messages: [{ role: 'user', content: prompt }],
        max_tokens: maximumTokens,
        temperature: 0,
      }),
      // The prompt goes to the endpoint the user agreed to and nowhere else.
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
    });
    const body = await bodyOf(response);
    if (response.ok) return answered(body, l10n);
    return refused(response, body, { endpoint, l10n });
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) {
      return failed(
        l10n.t('{0} did not answer within {1} s.', endpoint.address, Math.round(timeoutMs / 1000)),
        'again',
      );
    }
    return failed(l10n.t('{0} cannot be reached ({1}).', endpoint.address, reasonOf(error)), 'again');
  }
}

function answered(body: string, l10n: Translator): JudgeAnswer {
  const value = parsed(body);
  const [choice] = asArray(isObject(value) ? value.choices : undefined);
  const message = isObject(choice) ? choice.message : undefined;
  const text = isObject(message) ? asString(message.content) : null;
  if (text !== null && text.trim() !== '') return { text, failure: null, retryAfterMs: null, again: true };
  const what = text === null ? l10n.t('it sent no chat completion') : l10n.t('it sent an empty answer');
  return failed(l10n.t('The judge cannot be read: {0}.', what), text === null ? 'never' : 'again');
}

function refused(
  { status, headers }: Response,
  body: string,
  { endpoint, l10n }: Pick<EndpointOptions, 'endpoint' | 'l10n'>,
): JudgeAnswer {
  const detail = detailOf(body);
  const said = detail === '' ? String(status) : `${status}: ${detail}`;
  if (status === 401 || status === 403) {
    return failed(l10n.t('{0} refuses the key ({1}). Use "Set Judge Key…".', endpoint.address, said), 'never');
  }
  if (status === 404) {
    return failed(l10n.t('{0} knows no such address or model ({1}).', endpoint.address, said), 'never');
  }
  if (status >= 300 && status < 400) {
    return failed(l10n.t('{0} points elsewhere ({1}). Set its final address.', endpoint.address, said), 'never');
  }
  const passing = [408, 409, 425, 429].includes(status) || status >= 500;
  const answer = failed(l10n.t('{0} answered {1}.', endpoint.address, said), passing ? 'again' : 'never');
  return passing ? { ...answer, retryAfterMs: retryAfterMs(headers.get('retry-after')) } : answer;
}

/** Milliseconds of a Retry-After header (seconds, or a date); null where there is none. */
export function retryAfterMs(value: string | null, nowMs = Date.now()): number | null {
  if (value === null || value.trim() === '') return null;
  const seconds = Number(value);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - nowMs;
  return Number.isNaN(wait) ? null : Math.min(mostWaitMs, Math.max(0, Math.round(wait)));
}

function failed(failure: string, again: 'again' | 'never'): JudgeAnswer {
  return { text: null, failure, retryAfterMs: null, again: again === 'again' };
}

async function bodyOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let read = 0;
  // Typed as any iterable by the DOM's types, as bytes by the standard.
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    read += piece.length;
    if (read > mostBytes) throw new Error('the answer is longer than 1 MB');
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

/** What an error answer says in OpenAI's form, or its first line. */
function detailOf(body: string): string {
  const value = parsed(body);
  const error = isObject(value) ? (value.error ?? value.detail ?? value.message) : undefined;
  const text = isObject(error) ? asString(error.message) : asString(error ?? undefined);
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
  if (isObject(cause) && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.message : String(cause);
}
