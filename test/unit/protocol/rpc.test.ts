/**
 * Invariant 7 over a real port (node:worker_threads' MessageChannel, structured clone): every call settles, whatever
 * the peer, the caller or the port does. The child process as a port is tested with the engine.
 */
import 'vscode-jsonrpc/node';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { UserError } from '../../../src/base/errors.ts';
import { openConnection, type Connection, type Port } from '../../../src/protocol/rpc.ts';

interface Api {
  echo(params: { readonly value: unknown }): unknown;
  slow(params: { readonly ms: number }): string;
  throws(params: { readonly kind: 'user' | 'bug' | 'string' }): null;
  uncloneable(params: Record<string, never>): unknown;
  never(params: Record<string, never>): null;
  deaf(params: { readonly ms: number }): string;
}
interface Events {
  tick(params: { readonly n: number }): void;
}

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

const portOver = (port: MessagePort): Port => ({
  send: (message) => {
    port.postMessage(message);
  },
  onMessage: (listener) => port.on('message', listener),
  onClose: (listener) => port.on('close', listener),
});

let aborted = 0;

function pair(): { near: Connection; far: Connection; port: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  const near = openConnection(portOver(port1));
  const far = openConnection(portOver(port2));
  far.serve<Api>({
    echo: ({ value }) => value,
    slow: ({ ms }, signal) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          resolve('done');
        }, ms);
        signal.addEventListener('abort', () => {
          aborted++;
          clearTimeout(timer);
          reject(Object.assign(new Error('stopped'), { name: 'AbortError' }));
        });
      }),
    throws: ({ kind }) => {
      if (kind === 'user') throw new UserError('17.jsonl cannot be read.', 'Check its permissions.');
      if (kind === 'string') throw 'a string'; // eslint-disable-line @typescript-eslint/only-throw-error -- foreign code does
      throw new TypeError('a bug');
    },
    uncloneable: () => ({ f: () => 1 }),
    never: () => new Promise(() => undefined),
    deaf: ({ ms }) => new Promise((resolve) => setTimeout(resolve, ms, 'late')),
  });
  opened.push({
    close: () => {
      near.dispose();
      far.dispose();
      port1.close();
    },
  });
  return { near, far, port: port2 };
}

describe('a call settles', () => {
  it('with the result, typed arrays as they are', async () => {
    const api = pair().near.client<Api>();
    const value = { f: new Float32Array([1, NaN, Infinity]), s: 'x\u2028y', n: null };
    expect(await api.echo({ value })).toEqual(value);
  });

  it('when the peer throws: a UserError keeps its action, a bug its message', async () => {
    const api = pair().near.client<Api>();
    await expect(api.throws({ kind: 'user' })).rejects.toMatchObject({
      name: 'UserError',
      message: '17.jsonl cannot be read.',
      action: 'Check its permissions.',
    });
    await expect(api.throws({ kind: 'bug' })).rejects.toThrow(/a bug/);
    await expect(api.throws({ kind: 'string' })).rejects.toThrow(/a string/);
  });

  it('when the answer cannot be cloned', async () => {
    await expect(pair().near.client<Api>().uncloneable({})).rejects.toThrow(/could not be cloned/);
  });

  it('when the question cannot be cloned', async () => {
    const { near } = pair();
    await expect(near.client<Api>().echo({ value: () => 1 })).rejects.toThrow(/could not be cloned/);
    expect(await near.client<Api>().echo({ value: 1 })).toBe(1);
  });

  it('when the peer serves no such method', async () => {
    const api = pair().near.client<{ nothing(params: object): null }>();
    await expect(api.nothing({})).rejects.toThrow(/nothing/);
  });

  it('when the port closes under it, and for calls made afterwards', async () => {
    const { near, port } = pair();
    const api = near.client<Api>();
    const pending = api.never({});
    port.close();
    await expect(pending).rejects.toThrow();
    await expect(api.echo({ value: 1 })).rejects.toThrow(/ended/);
  });

  it('when our side is disposed', async () => {
    const { near } = pair();
    const pending = near.client<Api>().never({});
    near.dispose();
    await expect(pending).rejects.toThrow();
  });

  it('when the caller cancels, at once and on the other side too', async () => {
    const api = pair().near.client<Api>();
    const before = aborted;
    const controller = new AbortController();
    const pending = api.slow({ ms: 60_000 }, controller.signal);
    setTimeout(() => {
      controller.abort();
    }, 20);
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' });
    await api.echo({ value: 0 });
    expect(aborted).toBe(before + 1);
  });

  it('when the caller cancels a peer that does not listen', async () => {
    const api = pair().near.client<Api>();
    const controller = new AbortController();
    const pending = api.deaf({ ms: 300 }, controller.signal);
    controller.abort();
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('when it was cancelled before it was sent', async () => {
    await expect(pair().near.client<Api>().echo({ value: 1 }, AbortSignal.abort())).rejects.toMatchObject({
      name: 'AbortError',
    });
  });

  it('in any order of calls, cancels and a close', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('call' as const), ms: fc.integer({ min: 0, max: 5 }) }),
      fc.record({ kind: fc.constant('cancel' as const), ms: fc.integer({ min: 0, max: 5 }) }),
      fc.record({ kind: fc.constant('throw' as const), ms: fc.constant(0) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.boolean(), async (steps, close) => {
        const { near, port } = pair();
        const api = near.client<Api>();
        const calls = steps.map(({ kind, ms }) => {
          const controller = new AbortController();
          if (kind === 'cancel') setTimeout(() => controller.abort(), ms);
          return kind === 'throw' ? api.throws({ kind: 'bug' }) : api.slow({ ms }, controller.signal);
        });
        if (close) port.close();
        const settled = await Promise.allSettled(calls);
        expect(settled).toHaveLength(steps.length);
      }),
      { numRuns: 40 },
    );
  });
});

describe('an event', () => {
  it('arrives, and is dropped without an error after the close', async () => {
    const { near, far } = pair();
    const heard: number[] = [];
    near.on<Events>({ tick: ({ n }) => heard.push(n) });
    const events = far.emitter<Events>();
    events.tick({ n: 7 });
    await near.client<Api>().echo({ value: 0 });
    expect(heard).toEqual([7]);
    far.dispose();
    expect(() => {
      events.tick({ n: 8 });
    }).not.toThrow();
  });
});
