/**
 * Keeps a child process that answers an API: starts it with the first call, notices its death, and starts it again with
 * the next call, after what has to be there is there again. Knows nothing of VS Code, so that tests kill real processes
 * with it. Leaves out what is prepared, and how often a death is forgiven (engineKeeper.ts, replayerKeeper.ts).
 */
import { isAbort, UserError } from '../base/errors.ts';
import { openConnection, type Client, type Connection } from '../protocol/rpc.ts';
import type { Child } from './childProcess.ts';

/** `stopped`: not asked yet, or ended on purpose; `died`: ended by itself, and starts again with the next question. */
export type ChildState = 'stopped' | 'running' | 'died';

/** What the keeper needs from its owner. */
export interface ChildKeeperOptions<Api> {
  readonly start: () => Promise<Child>;
  /** Called with each new connection before anything is asked: events are heard and requests served there. */
  readonly attach: (connection: Connection) => void;
  /** Asked on each new child before any other call goes through; what it throws fails the call that started it. */
  readonly prepare: (client: Client<Api>) => Promise<void>;
  readonly state: (state: ChildState, reason: string | null) => void;
  /** The sentences of a UserError for a call that died with the child. */
  readonly diedMessage: (reason: string) => { readonly message: string; readonly action: string };
  /** How long a child may ignore that a call was cancelled before it is killed; null: for ever. */
  readonly cancelGraceMs: number | null;
}

/** The child as its owner holds it. */
export interface ChildKeeper<Api> {
  readonly client: Client<Api>;
  readonly state: ChildState;
  /** Process id while it runs. */
  readonly pid: number | undefined;
  /** Settles when it runs and is prepared, as before every call. */
  ready(signal?: AbortSignal): Promise<void>;
  /** Ends the process; the next call starts it again. */
  stop(): void;
  dispose(): void;
}

interface Live<Api> {
  readonly child: Child;
  readonly connection: Connection;
  readonly client: Client<Api>;
  /** Settles when `prepare` has. */
  ready: Promise<void>;
  stopped: boolean;
}

/** Calls an API by method name; the proxy below gives it back its types. */
type AnyCall = (params: unknown, signal?: AbortSignal) => Promise<unknown>;

/** A method that no API of ours has: that it is refused says that the child listens. */
interface Probe {
  stillThere(params: Record<string, never>): null;
}

/** Keeps a child; nothing is started before the first call. */
export function keepChild<Api>(options: ChildKeeperOptions<Api>): ChildKeeper<Api> {
  let live: Promise<Live<Api>> | null = null;
  let current: Live<Api> | null = null;
  let state: ChildState = 'stopped';
  let disposed = false;

  const setState = (next: ChildState, reason: string | null) => {
    state = next;
    if (!disposed) options.state(next, reason);
  };

  const start = async (): Promise<Live<Api>> => {
    const child = await options.start();
    const connection = openConnection(child.port);
    options.attach(connection);
    const client = connection.client<Api>();
    const opened: Live<Api> = { child, connection, client, ready: Promise.resolve(), stopped: false };
    child.port.onClose(() => {
      // One that was stopped may end after the next has begun.
      if (current !== opened) return;
      current = null;
      live = null;
      setState('died', child.ended());
    });
    if (disposed) child.kill();
    current = opened;
    setState('running', null);
    opened.ready = options.prepare(client).catch(async (error: unknown) => {
      const told = await died(error, opened);
      // Half prepared it answers nothing: the next call begins anew.
      end(opened);
      throw told;
    });
    return opened;
  };

  const end = (opened: Live<Api>) => {
    opened.stopped = true;
    if (current !== opened) return;
    current = null;
    live = null;
    opened.child.kill();
    setState('stopped', null);
  };

  const died = async (error: unknown, { child, stopped }: Live<Api>): Promise<unknown> => {
    if (isAbort(error) || error instanceof UserError) return error;
    const reason = stopped ? 'it was stopped' : await endOf(child);
    if (reason === null) return error;
    const { message, action } = options.diedMessage(reason);
    return new UserError(message, action);
  };

  const begin = async (signal: AbortSignal | undefined): Promise<Live<Api>> => {
    if (disposed) throw new Error('the session is closed');
    live ??= start().catch((error: unknown) => {
      live = null;
      throw error;
    });
    const opened = await live;
    await until(opened.ready, signal);
    return opened;
  };

  const call = async (method: string, params: unknown, signal: AbortSignal | undefined): Promise<unknown> => {
    const opened = await begin(signal);
    try {
      return await (opened.client as Readonly<Record<string, AnyCall>>)[method]?.(params, signal);
    } catch (error) {
      if (isAbort(error) && options.cancelGraceMs !== null) void endIfDeaf(opened, options.cancelGraceMs);
      throw await died(error, opened);
    }
  };

  return {
    client: new Proxy({} as Client<Api>, {
      get: (_, method) =>
        typeof method === 'string' && method !== 'then'
          ? (params: unknown, signal?: AbortSignal) => call(method, params, signal)
          : undefined,
    }),
    get state() {
      return state;
    },
    get pid() {
      return current?.child.pid;
    },
    ready: async (signal) => {
      await begin(signal);
    },
    stop: () => {
      if (current !== null) end(current);
    },
    dispose: () => {
      disposed = true;
      current?.connection.dispose();
      current?.child.kill();
    },
  };
}

/** Waits, but no longer than the caller does. */
async function until(ready: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return ready;
  signal.throwIfAborted();
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('cancelled'));
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    await Promise.race([ready, aborted]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}

/** A native run that goes on after a cancellation blocks the child: it answers nothing, and nothing else can end it. */
async function endIfDeaf({ child, connection }: Live<unknown>, graceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => {
      resolve(true);
    }, graceMs);
  });
  const answered = connection
    .client<Probe>()
    .stillThere({})
    .then(
      () => false,
      () => false,
    );
  const deaf = await Promise.race([late, answered]);
  clearTimeout(timer);
  if (deaf && child.ended() === null) child.kill();
}

/** Why a child ended; waits a moment, since a failed send is seen before the exit. Null if it runs on. */
async function endOf(child: Child): Promise<string | null> {
  if (child.ended() !== null || !child.connected()) {
    for (let tries = 0; tries < 20 && child.ended() === null; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return child.ended() ?? 'its channel was closed';
  }
  return null;
}
