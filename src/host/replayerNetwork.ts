/**
 * The network of a replayer: requests to the one server that the settings name, by the editor's own fetch (its proxy and
 * certificates), with the key that is kept in VS Code's secrets. A child never sees the key, and reaches nothing else.
 * Leaves out retries and how many requests are in flight (the child's).
 */
import { messageOf, UserError } from '../base/errors.ts';
import type { NetworkApi } from '../protocol/replay.ts';
import type { Handlers } from '../protocol/rpc.ts';

/** What the requests are made with. */
export interface NetworkOptions {
  /** "http://host:8000/v1"; null for a model that needs no network. */
  readonly endpoint: string | null;
  /** The key as it is now; null for none. */
  readonly key: () => Promise<string | null>;
  readonly refused: (url: string) => string;
  readonly failed: (url: string, reason: string) => { readonly message: string; readonly action: string };
}

/** Longest answer that is taken, in characters: log-probs of a long prompt are some tens of MB. */
const mostCharacters = 200_000_000;

/** The handlers that a replayer asks. */
export function replayerNetwork(options: NetworkOptions): Handlers<NetworkApi> {
  return {
    request: async ({ url, method, body }, signal) => {
      if (options.endpoint === null || !isBelow(url, options.endpoint)) throw new UserError(options.refused(url));
      const key = await options.key();
      const headers = {
        accept: 'application/json',
        ...(body !== null && { 'content-type': 'application/json' }),
        ...(key !== null && { authorization: `Bearer ${key}` }),
      };
      try {
        // A redirect could lead the key elsewhere.
        const answer = await fetch(url, { method, headers, body, signal, redirect: 'error' });
        const text = await answer.text();
        const retry = Number(answer.headers.get('retry-after') ?? Number.NaN);
        return {
          status: answer.status,
          retryAfter: Number.isFinite(retry) ? retry : null,
          body: text.slice(0, mostCharacters),
        };
      } catch (error) {
        signal.throwIfAborted();
        const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
        const { message, action } = options.failed(url, messageOf(cause));
        throw new UserError(message, action);
      }
    },
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
