/**
 * Requests to a server as JSON: a few in flight, tried again with growing pauses where the server is busy or gone for a
 * moment, one sentence where it is not. The network itself is injected (the host's, with its proxy and key).
 * Leaves out what is asked (remote.ts, remoteTokens.ts).
 */
import { setTimeout as wait } from 'node:timers/promises';
import { isAbort, messageOf, UserError } from '../base/errors.ts';
import { isObject, type JsonObject } from '../base/json.ts';

/** What is asked of a server. */
export interface RequestParams {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly body: string | null;
}

/** What it answers. */
export interface ServerAnswer {
  readonly status: number;
  /** Seconds of a Retry-After header; null where none. */
  readonly retryAfter: number | null;
  readonly body: string;
}

/** One request over the network; rejects where there is no answer at all. */
export type Request = (params: RequestParams, signal?: AbortSignal) => Promise<ServerAnswer>;

/** Asks a server; resolves with the JSON object it answers. */
export interface JsonRequests {
  get(path: string, signal: AbortSignal): Promise<JsonObject>;
  post(path: string, body: JsonObject, signal: AbortSignal): Promise<JsonObject>;
}

/** Nobody answers, after several tries. */
export class UnreachableServer extends UserError {}

/** An answer that is longer than any prompt's log-probs: trying again would only read it again. */
export class AnswerTooLong extends UserError {
  constructor(url: string, mostBytes: number) {
    super(
      `${url} answered with more than ${Math.round(mostBytes / 1e6)} MB, which is no answer.`,
      'Check that the endpoint is an OpenAI-compatible server.',
    );
  }
}

/** An answer that trying again does not change. */
export class RefusedRequest extends UserError {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(
      message,
      status === 401 || status === 403
        ? 'Give its key: "Set Replay Server Key…", on the command line OPENAI_API_KEY.'
        : 'Check the endpoint, the model name and the key.',
    );
  }
}

const mostTries = 6;
/** Where nobody answers at all, waiting longer seldom helps. */
const mostSilentTries = 3;
const firstPauseMs = 400;
const longestPauseMs = 20_000;
/** Where the server itself names the pause. */
const longestAskedPauseMs = 120_000;
const longestReason = 300;

/** Requests to one server, at most `concurrency` in flight. `path` is appended to the server's address. */
export function jsonRequests(address: string, request: Request, concurrency: number): JsonRequests {
  const slots = limited(Math.max(1, Math.trunc(concurrency)));
  const ask = (method: 'GET' | 'POST', path: string, body: string | null, signal: AbortSignal): Promise<JsonObject> =>
    slots(() => tried({ url: `${address}${path}`, method, body }, request, signal), signal);
  return {
    get: (path, signal) => ask('GET', path, null, signal),
    post: (path, body, signal) => ask('POST', path, JSON.stringify(body), signal),
  };
}

async function tried(params: RequestParams, request: Request, signal: AbortSignal): Promise<JsonObject> {
  let pauseMs = firstPauseMs;
  for (let left = mostTries - 1; ; left -= 1) {
    signal.throwIfAborted();
    const answer = await request(params, signal).catch((error: unknown) => {
      if (error instanceof AnswerTooLong || isAbort(error) || left <= mostTries - mostSilentTries) {
        throw silence(params.url, error);
      }
      return messageOf(error);
    });
    if (typeof answer !== 'string') {
      if (answer.status >= 200 && answer.status < 300) return objectOf(answer.body, params.url);
      const isBusy = answer.status === 429 || answer.status >= 500;
      if (!isBusy || left === 0) throw new RefusedRequest(refusal(params.url, answer), answer.status);
      if (answer.retryAfter !== null) pauseMs = Math.min(longestAskedPauseMs, Math.max(0, answer.retryAfter * 1000));
    }
    await wait(pauseMs, undefined, { signal });
    pauseMs = Math.min(longestPauseMs, Math.max(firstPauseMs, 2 * pauseMs));
  }
}

function silence(url: string, error: unknown): unknown {
  if (isAbort(error) || error instanceof UserError) return error;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return new UnreachableServer(`${url} cannot be reached: ${messageOf(cause)}.`, 'Check the endpoint and the network.');
}

function refusal(url: string, { status, body }: ServerAnswer): string {
  const said = reasonIn(body).replace(/\s+/gu, ' ').slice(0, longestReason);
  return `${url} answered ${status}${said === '' ? '' : `: ${said}`}.`;
}

function reasonIn(body: string): string {
  try {
    const value: unknown = JSON.parse(body);
    if (!isObject(value)) return body;
    const error = value['error'];
    const message = isObject(error) ? error['message'] : (value['message'] ?? value['detail'] ?? error);
    return typeof message === 'string' ? message : body;
  } catch {
    return body;
  }
}

function objectOf(body: string, url: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    value = null;
  }
  if (isObject(value)) return value;
  throw new UserError(`${url} did not answer with JSON.`, 'Check that the endpoint is an OpenAI-compatible server.');
}

type Slots = <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/** Runs at most so many at a time, first come first served. */
function limited(most: number): Slots {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work, signal) => {
    while (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    try {
      // A cancelled one leaves its place at once, so that those behind it hear of it, too.
      signal.throwIfAborted();
      return await work();
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
}
