/**
 * The child's end of an IPC channel as a Port. A slow parent must not make the child's memory grow without a sign of
 * it: at most a few messages are handed to the channel at a time, the rest waits here in order.
 */
import { messageOf } from '../base/errors.ts';
import type { Port } from '../protocol/rpc.ts';

/** What a Port needs of `process` (or, in tests, of anything that behaves like it). */
export interface IpcChannel {
  readonly connected: boolean;
  readonly send?:
    | ((message: unknown, handle: undefined, options: undefined, done: (error: Error | null) => void) => boolean)
    | undefined;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/** Messages that are handed over before one is confirmed. */
const handedOver = 8;

/** A Port over the channel to the parent process. */
export function processPort(channel: IpcChannel): Port {
  const waiting: unknown[] = [];
  let underWay = 0;
  const hand = (message: unknown): void => {
    underWay += 1;
    try {
      channel.send?.(message, undefined, undefined, () => {
        underWay -= 1;
        next();
      });
    } catch (error) {
      // It cannot be cloned.
      underWay -= 1;
      throw error;
    }
  };
  const next = (): void => {
    while (underWay < handedOver && waiting.length > 0 && channel.connected) {
      const message = waiting.shift();
      try {
        hand(message);
      } catch (error) {
        // Whoever sent it is gone from the stack; the caller at the other end must hear of it all the same.
        if (isAnswer(message)) {
          hand({ jsonrpc: '2.0', id: message.id, error: { code: 3, message: messageOf(error) } });
        }
      }
    }
  };
  // What arrives before the engine is ready waits until it listens.
  const arrived: unknown[] = [];
  let listener: ((message: unknown) => void) | null = null;
  const deliver = (): void => {
    while (listener !== null && arrived.length > 0) listener(arrived.shift());
  };
  channel.on('message', (message) => {
    arrived.push(message);
    deliver();
  });
  return {
    send: (message) => {
      if (!channel.connected) throw new Error('the parent process has ended');
      if (underWay < handedOver && waiting.length === 0) hand(message);
      else waiting.push(message);
    },
    onMessage: (given) => {
      // Not at once: whoever listens has still to say what it serves.
      setImmediate(() => {
        listener = given;
        deliver();
      });
    },
    onClose: (closed) => {
      channel.on('disconnect', closed);
    },
  };
}

function isAnswer(message: unknown): message is { readonly id: unknown } {
  return typeof message === 'object' && message !== null && 'id' in message && !('method' in message);
}
