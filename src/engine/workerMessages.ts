/**
 * What crosses between the engine and a read worker, and the worker's side of it. One reading at a time a worker.
 * Not over protocol/rpc.ts, because column arrays are transferred (moved), which its Port does not know.
 */
import type { MessagePort } from 'node:worker_threads';
import { isAbort, messageOf, UserError } from '../base/errors.ts';
import { transferList } from '../store/columnArrays.ts';
import { readParts, type ReadEnd, type ReadPart, type ReadRequest } from './readParts.ts';

/** Engine → worker. */
export type WorkerQuestion = { readonly kind: 'read'; readonly request: ReadRequest } | { readonly kind: 'cancel' };

/** Worker → engine; `done` or `failed` is the last of a reading. */
export type WorkerAnswer =
  | { readonly kind: 'part'; readonly part: ReadPart }
  | { readonly kind: 'progress'; readonly bytes: number }
  | { readonly kind: 'done'; readonly end: ReadEnd }
  | {
      readonly kind: 'failed';
      readonly error: 'user' | 'abort' | 'bug';
      readonly message: string;
      readonly action: string | null;
    };

/** True for a message of a read worker. */
export function isWorkerAnswer(value: unknown): value is WorkerAnswer {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

/** Bytes between two progress messages. */
const progressEvery = 8 * 1024 * 1024;

/** Answers read questions on a port until the thread ends. */
export function serveReading(port: MessagePort): void {
  let running: AbortController | null = null;
  const answer = (message: WorkerAnswer, transfer: readonly ArrayBuffer[] = []): void => {
    port.postMessage(message, transfer);
  };
  const read = async (request: ReadRequest): Promise<void> => {
    const controller = new AbortController();
    running = controller;
    let told = 0;
    try {
      const end = await readParts(request, {
        signal: controller.signal,
        part: (part) => {
          answer({ kind: 'part', part }, transferList(part.columns));
        },
        progress: (bytes) => {
          if (bytes - told < progressEvery) return;
          told = bytes;
          answer({ kind: 'progress', bytes });
        },
      });
      answer({ kind: 'done', end });
    } catch (error) {
      answer(failure(error));
    }
  };
  port.on('message', (question: WorkerQuestion) => {
    if (question.kind === 'cancel') running?.abort();
    else void read(question.request);
  });
}

function failure(error: unknown): WorkerAnswer {
  if (error instanceof UserError) {
    return { kind: 'failed', error: 'user', message: error.message, action: error.action };
  }
  if (isAbort(error)) return { kind: 'failed', error: 'abort', message: messageOf(error), action: null };
  const message = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
  return { kind: 'failed', error: 'bug', message, action: null };
}
