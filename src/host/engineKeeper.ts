/**
 * Keeps the engine: starts it with the first call, notices its death, and starts it again with the next call, after
 * the runs that were open are open in it again. Knows nothing of VS Code, so that tests kill real processes with it.
 * Leaves out how a child is kept (childKeeper.ts) and which runs those are (openSession.ts).
 */
import type { EngineApi, EngineEvents } from '../protocol/engine.ts';
import type { Client, Connection } from '../protocol/rpc.ts';
import { keepChild, type ChildKeeperOptions } from './childKeeper.ts';
import type { EngineState } from './session.ts';

/** What the keeper needs from its owner; `prepare` handles its own errors. */
export interface KeeperOptions extends Pick<
  ChildKeeperOptions<EngineApi>,
  'start' | 'prepare' | 'state' | 'diedMessage'
> {
  readonly events: { readonly [K in keyof EngineEvents]: EngineEvents[K] };
  /** Serves what the engine asks of the host, on each new connection. */
  readonly serve?: (connection: Connection) => void;
}

/** The engine as its owner holds it. */
export interface EngineKeeper {
  readonly engine: Client<EngineApi>;
  readonly state: EngineState;
  /** Process id while it runs. */
  readonly pid: number | undefined;
  dispose(): void;
}

/** Keeps an engine; nothing is started before the first call. */
export function keepEngine({ events, serve, ...options }: KeeperOptions): EngineKeeper {
  const keeper = keepChild<EngineApi>({
    ...options,
    attach: (connection) => {
      connection.on<EngineEvents>(events);
      serve?.(connection);
    },
    // A question of the engine is short, or cancelled by itself.
    cancelGraceMs: null,
  });
  return {
    engine: keeper.client,
    get state() {
      return keeper.state;
    },
    get pid() {
      return keeper.pid;
    },
    dispose: () => {
      keeper.dispose();
    },
  };
}
