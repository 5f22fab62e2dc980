/**
 * Keeps the engine: starts it with the first call, notices its death, and starts it again with the next call, after
 * the runs that were open are open in it again. Knows nothing of VS Code, so that tests kill real processes with it.
 * Leaves out which runs those are (openSession.ts).
 */
import { isAbort, UserError } from '../base/errors.ts';
import type { EngineApi, EngineEvents } from '../protocol/engine.ts';
import { openConnection, type Client, type Connection } from '../protocol/rpc.ts';
import type { Child } from './childProcess.ts';
import type { EngineState } from './session.ts';

/** What the keeper needs from its owner. */
export interface KeeperOptions {
  readonly start: () => Promise<Child>;
  /** Asked on each new engine before any other call goes through; what it throws is the owner's to handle. */
  readonly prepare: (engine: Client<EngineApi>) => Promise<void>;
  readonly events: { readonly [K in keyof EngineEvents]: EngineEvents[K] };
  readonly state: (state: EngineState, reason: string | null) => void;
  /** The sentences of a UserError for a call that died with the engine. */
  readonly diedMessage: (reason: string) => { readonly message: string; readonly action: string };
}

/** The engine as its owner holds it. */
export interface EngineKeeper {
  readonly engine: Client<EngineApi>;
  readonly state: EngineState;
  /** Process id while it runs. */
  readonly pid: number | undefined;
  dispose(): void;
}

interface Live {
  readonly child: Child;
  readonly connection: Connection;
  readonly client: Client<EngineApi>;
}

/** Calls an API by method name; the proxy below gives it back its types. */
type AnyCall = (params: unknown, signal?: AbortSignal) => Promise<unknown>;

/** Keeps an engine; nothing is started before the first call. */
export function keepEngine(options: KeeperOptions): EngineKeeper {
  let live: Promise<Live> | null = null;
  let current: Live | null = null;
  let state: EngineState = 'stopped';
  let disposed = false;

  const setState = (next: EngineState, reason: string | null) => {
    state = next;
    if (!disposed) options.state(next, reason);
  };

  const start = async (): Promise<Live> => {
    const child = await options.start();
    const connection = openConnection(child.port);
    connection.on<EngineEvents>(options.events);
    const opened: Live = { child, connection, client: connection.client<EngineApi>() };
    child.port.onClose(() => {
      if (current === opened) current = null;
      live = null;
      setState('died', child.ended());
    });
    if (disposed) child.kill();
    current = opened;
    setState('running', null);
    await options.prepare(opened.client);
    return opened;
  };

  const call = async (method: string, params: unknown, signal: AbortSignal | undefined): Promise<unknown> => {
    if (disposed) throw new Error('the session is closed');
    live ??= start().catch((error: unknown) => {
      live = null;
      throw error;
    });
    const { client, child } = await live;
    try {
      return await (client as Readonly<Record<string, AnyCall>>)[method]?.(params, signal);
    } catch (error) {
      if (isAbort(error) || error instanceof UserError) throw error;
      const reason = await endOf(child);
      if (reason === null) throw error;
      const { message, action } = options.diedMessage(reason);
      throw new UserError(message, action);
    }
  };

  return {
    engine: new Proxy({} as Client<EngineApi>, {
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
    dispose: () => {
      disposed = true;
      current?.connection.dispose();
      current?.child.kill();
    },
  };
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
