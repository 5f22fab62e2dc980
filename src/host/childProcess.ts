/**
 * Starts a bundle of ours as a child process and wraps it as a Port. Native code runs only there: a fault in it ends
 * the child, never the extension host. Both pipes are drained from the first tick, since a full stderr blocks a child
 * for ever. Leaves out starting it again (childKeeper.ts) and what is said over the port (protocol/).
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Port } from '../protocol/rpc.ts';
import { childEnvironment } from './childEnvironment.ts';

/** How to start a child; paths are absolute. */
export interface ChildOptions {
  readonly modulePath: string;
  readonly argv: readonly string[];
  /** Our storage folder; must exist. */
  readonly workingFolder: string;
  /** Program that runs it; null for the one that runs us. */
  readonly executable?: string | null;
  /** Called with each line the child prints. */
  readonly output: (line: string) => void;
}

/** A running child. */
export interface Child {
  readonly port: Port;
  readonly pid: number | undefined;
  /** Why it ended ("signal SIGKILL", "exit code 7"); null while it runs. */
  ended(): string | null;
  /** False as soon as nothing can be sent any more; the reason may follow a moment later. */
  connected(): boolean;
  /** Ends it at once; the port closes. */
  kill(): void;
}

/** How long a child that has dropped its channel may take to exit by itself. */
const exitGraceMs = 2000;

/** Starts a child. A module that cannot be started closes the port, with the reason in `ended`. */
export function startChild({ modulePath, argv, workingFolder, output, executable = null }: ChildOptions): Child {
  const forked = fork(modulePath, [...argv], {
    serialization: 'advanced',
    ...(executable !== null && { execPath: executable }),
    execArgv: [],
    env: childEnvironment(process.env),
    cwd: workingFolder,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  drain(forked.stdout, output);
  drain(forked.stderr, output);

  let reason: string | null = null;
  const closed: (() => void)[] = [];
  const end = (why: string) => {
    if (reason !== null) return;
    reason = why;
    for (const listener of closed) listener();
  };
  forked.once('exit', (code, signal) => {
    end(signal === null ? `exit code ${code ?? '?'}` : `signal ${signal}`);
  });
  forked.once('error', (error) => {
    end(error.message);
  });
  forked.once('disconnect', () => {
    // Nothing can be asked any more; usually it is about to exit, and its exit says why.
    setTimeout(() => {
      forked.kill('SIGKILL');
      end('its channel was closed');
    }, exitGraceMs).unref();
  });
  return {
    port: portOf(forked, closed),
    pid: forked.pid,
    ended: () => reason,
    connected: () => forked.connected,
    kill: () => {
      forked.kill('SIGKILL');
    },
  };
}

function portOf(child: ChildProcess, closed: (() => void)[]): Port {
  return {
    send: (message) => {
      if (!child.connected) throw new Error('the process has ended');
      // A message lost because the child died is answered by the port closing.
      child.send(message as object, () => undefined);
    },
    onMessage: (listener) => {
      child.on('message', listener);
    },
    onClose: (listener) => {
      closed.push(listener);
    },
  };
}

function drain(stream: Readable | null, output: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const longest = 10_000;
  stream?.on('data', (bytes: Buffer) => {
    const lines = (rest + decoder.write(bytes)).split('\n');
    rest = (lines.pop() ?? '').slice(-longest);
    for (const line of lines) if (line !== '') output(line.slice(0, longest));
  });
  stream?.on('end', () => {
    if (rest !== '') output(rest);
  });
}
