/**
 * Lends database connections out, one user each at a time, and stops what runs on them: when its caller aborts and when
 * all is closed. Every use settles (invariant 7). Owned by duckdb.ts; leaves out what is done with a connection.
 */

/** What a connection must be able to do. */
export interface Connection {
  interrupt(): void;
  closeSync(): void;
}

/** Connections that are lent out. */
export interface Lanes<Lent> {
  /** Rejects on abort while it waits for a connection; afterwards `body` has to. */
  use<T>(body: (connection: Lent) => Promise<T>, signal?: AbortSignal): Promise<T>;
  close(): Promise<void>;
}

/** Hands out connections one user at a time, in the order of asking. */
export function lanes<Lent extends Connection>(connections: readonly Lent[]): Lanes<Lent> {
  const idle = [...connections];
  const waiting = new Set<() => void>();
  let busy = 0;
  let closed = false;
  let whenIdle: (() => void) | null = null;
  const acquire = async (signal: AbortSignal | undefined): Promise<Lent> => {
    for (;;) {
      if (closed) throw new Error('the database is closed');
      if (signal?.aborted === true) {
        // It may have been woken for a connection that it does not take any more.
        wakeFirst();
        signal.throwIfAborted();
      }
      const connection = idle.pop();
      if (connection !== undefined) {
        busy += 1;
        return connection;
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          waiting.delete(wake);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        waiting.add(wake);
        signal?.addEventListener('abort', wake);
      });
    }
  };
  const wakeFirst = (): void => {
    for (const wake of waiting) {
      wake();
      return;
    }
  };
  return {
    use: async (body, signal) => {
      const connection = await acquire(signal);
      try {
        return await body(connection);
      } finally {
        busy -= 1;
        idle.push(connection);
        wakeFirst();
        if (busy === 0) whenIdle?.();
      }
    },
    close: async () => {
      closed = true;
      for (const wake of [...waiting]) wake();
      if (busy > 0) {
        const interrupting = setInterval(() => {
          for (const connection of connections) connection.interrupt();
        }, interruptEveryMs);
        await new Promise<void>((resolve) => {
          whenIdle = resolve;
        });
        clearInterval(interrupting);
      }
      for (const connection of connections) connection.closeSync();
    },
  };
}

// An interrupt that falls between two statements is forgotten by DuckDB, so it is repeated until the query has settled.
const interruptEveryMs = 20;

/** Interrupts the connection from the abort of the signal on until the returned function is called. */
export function interruptOnAbort(connection: Connection, signal: AbortSignal | undefined): () => void {
  if (!signal) return () => undefined;
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    connection.interrupt();
    timer = setInterval(() => {
      connection.interrupt();
    }, interruptEveryMs);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return () => {
    signal.removeEventListener('abort', onAbort);
    clearInterval(timer);
  };
}
