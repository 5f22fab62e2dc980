/**
 * Typed calls over any port (child process, worker, webview), on vscode-jsonrpc for ids, errors and cancellation.
 * Keeps invariant 7: every call settles, when the peer throws, dies or is closed, when the caller cancels, and when a
 * message cannot be cloned. Messages stay objects: typed arrays cross as they are, nothing is turned into text.
 * The entry point of each bundle imports 'vscode-jsonrpc/node' or 'vscode-jsonrpc/browser' once: the package needs its
 * timers installed, and only the entry knows where it runs.
 */
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  CancellationTokenSource,
  createMessageConnection,
  Message,
  ResponseError,
  type CancellationToken,
  type DataCallback,
  type Disposable,
  type MessageConnection,
} from 'vscode-jsonrpc';
import { isAbort, messageOf, UserError } from '../base/errors.ts';

/** One end of a channel that carries structured-cloneable messages. */
export interface Port {
  /** Throws if the message cannot be sent (uncloneable, closed). */
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  onClose(listener: () => void): void;
}

type Method = (params: never) => unknown;

/** Parameters of a method of an API. */
export type ParamsOf<M> = M extends (params: infer P) => unknown ? P : never;
/** Result of a method of an API. */
export type ResultOf<M> = M extends (params: never) => infer R ? R : never;

/** The calling side of an API: each method takes its params and an optional signal, and always settles. */
export type Client<Api> = {
  readonly [K in keyof Api]: (params: ParamsOf<Api[K]>, signal?: AbortSignal) => Promise<ResultOf<Api[K]>>;
};

/** The serving side of an API. A UserError that is thrown arrives as a UserError, an abort as an AbortError. */
export type Handlers<Api> = {
  readonly [K in keyof Api]: (
    params: ParamsOf<Api[K]>,
    signal: AbortSignal,
  ) => ResultOf<Api[K]> | Promise<ResultOf<Api[K]>>;
};

/** The telling side of an event API: no answer, never throws (a closed peer hears nothing). */
export type Emitter<Events> = {
  readonly [K in keyof Events]: (params: ParamsOf<Events[K]>) => void;
};

/** An open channel; `dispose` rejects every pending call. */
export interface Connection {
  serve<Api>(handlers: Handlers<Api>): void;
  client<Api>(): Client<Api>;
  emitter<Events>(): Emitter<Events>;
  on<Events>(listeners: { readonly [K in keyof Events]?: (params: ParamsOf<Events[K]>) => void }): void;
  dispose(): void;
}

/** Error codes of ours, outside the range JSON-RPC reserves. */
const userErrorCode = 1;
const abortCode = 2;
const peerClosed = 'the other process has ended';

class PortReader extends AbstractMessageReader {
  constructor(private readonly port: Port) {
    super();
    port.onClose(() => {
      this.fireClose();
    });
  }
  listen(callback: DataCallback): Disposable {
    this.port.onMessage((message) => {
      if (isMessage(message)) callback(message);
    });
    return { dispose: () => undefined };
  }
}

class PortWriter extends AbstractMessageWriter {
  constructor(private readonly port: Port) {
    super();
  }
  write(message: Message): Promise<void> {
    try {
      this.port.send(message);
      return Promise.resolve();
    } catch (error) {
      // An answer that cannot be cloned would leave the caller waiting for ever: it gets the reason instead.
      if (Message.isResponse(message)) {
        this.port.send({ jsonrpc: '2.0', id: message.id, error: { code: 3, message: messageOf(error) } });
        return Promise.resolve();
      }
      return Promise.reject(error instanceof Error ? error : new Error(messageOf(error)));
    }
  }
  end(): void {
    // the port's owner closes it
  }
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && (value as { jsonrpc?: unknown }).jsonrpc === '2.0';
}

function signalOf(token: CancellationToken): AbortSignal {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  token.onCancellationRequested(() => {
    controller.abort();
  });
  return controller.signal;
}

function toWire(error: unknown): ResponseError<string | null> {
  if (error instanceof UserError) return new ResponseError(userErrorCode, error.message, error.action);
  if (isAbort(error)) return new ResponseError(abortCode, messageOf(error), null);
  return new ResponseError(4, error instanceof Error ? (error.stack ?? error.message) : messageOf(error), null);
}

function fromWire(error: unknown): Error {
  if (error instanceof ResponseError) {
    if (error.code === userErrorCode) {
      return new UserError(error.message, typeof error.data === 'string' ? error.data : null);
    }
    if (error.code === abortCode) return abortError();
  }
  return error instanceof Error ? error : new Error(messageOf(error));
}

function abortError(): Error {
  const error = new Error('cancelled');
  error.name = 'AbortError';
  return error;
}

async function call(rpc: MessageConnection, state: { closed: boolean }, request: Request): Promise<unknown> {
  const { method, params, signal } = request;
  if (state.closed) throw new Error(peerClosed);
  if (signal?.aborted) throw abortError();
  const source = new CancellationTokenSource();
  let onAbort: (() => void) | undefined;
  try {
    const answer = rpc.sendRequest(method, params, source.token);
    if (!signal) return await answer;
    // A peer that ignores the cancellation must not keep the caller waiting.
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => {
        source.cancel();
        reject(abortError());
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
    answer.catch(() => undefined);
    return await Promise.race([answer, aborted]);
  } catch (error) {
    throw fromWire(error);
  } finally {
    if (onAbort) signal?.removeEventListener('abort', onAbort);
    source.dispose();
  }
}

interface Request {
  readonly method: string;
  readonly params: unknown;
  readonly signal: AbortSignal | undefined;
}

/** An object whose every property is a method of the peer; `then` excepted, so that it is never taken for a promise. */
function methodProxy(make: (method: string) => unknown): unknown {
  return new Proxy(
    {},
    { get: (_, method) => (typeof method === 'string' && method !== 'then' ? make(method) : undefined) },
  );
}

/** Opens typed calls over a port. Both peers may serve, call and tell. */
export function openConnection(port: Port): Connection {
  const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, log: () => undefined };
  const rpc = createMessageConnection(new PortReader(port), new PortWriter(port), silent);
  const state = { closed: false };
  rpc.onClose(() => {
    if (state.closed) return;
    state.closed = true;
    rpc.dispose();
  });
  rpc.listen();
  return {
    serve: (handlers) => {
      for (const [method, handler] of Object.entries(handlers as unknown as Record<string, Method>)) {
        rpc.onRequest(method, async (params: never, token: CancellationToken) => {
          try {
            return await (handler as (params: never, signal: AbortSignal) => unknown)(params, signalOf(token));
          } catch (error) {
            return toWire(error);
          }
        });
      }
    },
    client: <Api>() =>
      methodProxy(
        (method) => (params: unknown, signal?: AbortSignal) => call(rpc, state, { method, params, signal }),
      ) as Client<Api>,
    emitter: <Events>() =>
      methodProxy((method) => (params: unknown) => {
        if (!state.closed) rpc.sendNotification(method, params).catch(() => undefined);
      }) as Emitter<Events>,
    on: (listeners) => {
      for (const [method, listener] of Object.entries(
        listeners as unknown as Record<string, (params: unknown) => void>,
      )) {
        rpc.onNotification(method, listener);
      }
    },
    dispose: () => {
      if (state.closed) return;
      state.closed = true;
      rpc.dispose();
    },
  };
}
