/**
 * The network of a replayer: requests to the one server that the settings name, by the editor's own fetch (its proxy and
 * certificates), with the key that is kept in VS Code's secrets. A child never sees the key, and reaches nothing else.
 * Bodies pass through in parts: of an answer only the part that is asked for is held here.
 * Leaves out retries and how many requests are in flight (the child's).
 */
import { messageOf, UserError } from '../base/errors.ts';
import { retryAfterMs } from '../base/httpAnswer.ts';
import { mostPartBytes, type AnswerPart, type NetworkApi } from '../protocol/replay.ts';
import type { Handlers } from '../protocol/rpc.ts';

/** What the requests are made with. */
export interface NetworkOptions {
  /** "http://host:8000/v1"; null for a model that needs no network. */
  readonly endpoint: string | null;
  /** The key as it is now; null for none. */
  readonly key: () => Promise<string | null>;
  readonly refused: (url: string) => string;
  readonly failed: (url: string, reason: string) => { readonly message: string; readonly action: string };
  /** Milliseconds after which what nobody asks for any more is dropped (its process may have ended). */
  readonly patienceMs?: number;
}

/** Longest body that is taken or given, in bytes: no prompt and no log-probs of one come near it. */
const mostBytes = 1_000_000_000;
const usualPatienceMs = 120_000;

/** A request under way: parts of its body, then its answer as it comes in. */
interface UnderWay {
  readonly controller: AbortController;
  readonly parts: Uint8Array[];
  bytes: number;
  answer: { readonly url: string; readonly next: () => Promise<AnswerPart> } | null;
  forgotten: ReturnType<typeof setTimeout> | undefined;
}

/** The handlers that a replayer asks. */
export function replayerNetwork(options: NetworkOptions): Handlers<NetworkApi> {
  const underWay = new Map<string, UnderWay>();
  const drop = (id: string): void => {
    const known = underWay.get(id);
    underWay.delete(id);
    clearTimeout(known?.forgotten);
    known?.controller.abort();
  };
  const take = (id: string): UnderWay => {
    const known = underWay.get(id) ?? {
      controller: new AbortController(),
      parts: [],
      bytes: 0,
      answer: null,
      forgotten: undefined,
    };
    underWay.set(id, known);
    clearTimeout(known.forgotten);
    return known;
  };
  const leave = (id: string, own: UnderWay): void => {
    own.forgotten = setTimeout(() => {
      drop(id);
    }, options.patienceMs ?? usualPatienceMs);
    own.forgotten.unref();
  };
  const failed = (url: string, error: unknown): UserError => {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const { message, action } = options.failed(url, messageOf(cause));
    return new UserError(message, action);
  };
  /** Runs work of a request, ended by the caller's signal; what fails is dropped. */
  const working = async <Result>(id: string, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> => {
    const stop = (): void => {
      drop(id);
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await work();
    } catch (error) {
      drop(id);
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
  /** The next part of an answer; after the last one nothing is kept. */
  const nextPart = async (id: string, own: UnderWay, answer: NonNullable<UnderWay['answer']>): Promise<AnswerPart> => {
    try {
      const next = await answer.next();
      if (next.more) leave(id, own);
      else underWay.delete(id);
      return next;
    } catch (error) {
      throw failed(answer.url, error);
    }
  };

  return {
    send: ({ id, part }) => {
      const own = take(id);
      own.bytes += part.length;
      if (own.bytes > mostBytes) {
        drop(id);
        throw new Error('a request is longer than any prompt');
      }
      own.parts.push(part);
      leave(id, own);
      return null;
    },
    request: ({ id, url, method, body }, signal) =>
      working(id, signal, async () => {
        if (options.endpoint === null || !isBelow(url, options.endpoint)) throw new UserError(options.refused(url));
        const own = take(id);
        const key = await options.key();
        const headers = {
          accept: 'application/json',
          ...(body !== null && { 'content-type': 'application/json' }),
          ...(key !== null && { authorization: `Bearer ${key}` }),
        };
        const whole = body === null ? null : Buffer.concat([...own.parts.splice(0), body]);
        // A redirect could lead the key elsewhere.
        const request = { method, headers, body: whole, signal: own.controller.signal, redirect: 'error' } as const;
        const answer = await fetch(url, request).catch((error: unknown) => {
          throw failed(url, error);
        });
        const wait = retryAfterMs(answer.headers.get('retry-after'));
        own.answer = { url, next: partsOf(answer.body) };
        const first = await nextPart(id, own, own.answer);
        return { status: answer.status, retryAfter: wait === null ? null : wait / 1000, ...first };
      }),
    receive: ({ id }, signal) =>
      working(id, signal, async () => {
        const own = take(id);
        if (own.answer === null) throw new Error('there is no such answer');
        return nextPart(id, own, own.answer);
      }),
    drop: ({ id }) => {
      drop(id);
      return null;
    },
  };
}

/** A body in parts that fit into a message, each read when it is asked for. */
function partsOf(body: ReadableStream<Uint8Array> | null): () => Promise<AnswerPart> {
  const reader = body?.getReader();
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let total = 0;
  let ended = reader === undefined;
  return async () => {
    // One byte more than a part tells whether there is another.
    while (!ended && heldBytes <= mostPartBytes) {
      const read = await reader?.read();
      if (read === undefined || read.done) {
        ended = true;
        break;
      }
      held.push(read.value);
      heldBytes += read.value.length;
      total += read.value.length;
      if (total > mostBytes) throw new Error(`more than ${mostBytes} bytes`);
    }
    const bytes = Buffer.concat(held);
    const part = Uint8Array.from(bytes.subarray(0, mostPartBytes));
    held = bytes.length > mostPartBytes ? [bytes.subarray(mostPartBytes)] : [];
    heldBytes = bytes.length - part.length;
    return { part, more: heldBytes > 0 || !ended };
  };
}

/** Whether an address is of the server that the settings name: vLLM's /tokenize lies beside its /v1. */
export function isBelow(url: string, endpoint: string): boolean {
  const [one, other] = [parsed(url), parsed(endpoint)];
  if (one === null || other === null || one.origin !== other.origin) return false;
  if (one.protocol !== 'http:' && one.protocol !== 'https:') return false;
  const folder = other.pathname.replace(/\/+$/, '').replace(/\/v1$/, '');
  return one.username === '' && (one.pathname === folder || one.pathname.startsWith(`${folder}/`));
}

function parsed(url: string): URL | null {
  return URL.canParse(url) ? new URL(url) : null;
}
