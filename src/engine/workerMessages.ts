/**
 * What crosses between the engine and a read worker, and the worker's side of it. One task at a time a worker.
 * Not over protocol/rpc.ts, because column arrays are transferred (moved), which its Port does not know.
 */
import type { MessagePort } from 'node:worker_threads';
import { isAbort, messageOf, UserError } from '../base/errors.ts';
import { transferList } from '../store/columnArrays.ts';
import { readParts, type ReadEnd, type ReadPart, type ReadRequest } from './readParts.ts';
import { unwrapFile, type Unwrapped, type UnwrapRequest } from './unwrapFile.ts';

/** Engine → worker. */
export type WorkerQuestion = WorkerTask | { readonly kind: 'cancel' };

/** What a worker does: read a log, or decode a gzip or zstd file into a plain one. */
export type WorkerTask =
  | { readonly kind: 'read'; readonly request: ReadRequest }
  | { readonly kind: 'unwrap'; readonly request: UnwrapRequest };

/** Worker → engine; `done`, `unwrapped` or `failed` is the last of a task. */
export type WorkerAnswer =
  | { readonly kind: 'part'; readonly part: ReadPart }
  | { readonly kind: 'progress'; readonly bytes: number }
  | { readonly kind: 'done'; readonly end: ReadEnd }
  | { readonly kind: 'unwrapped'; readonly result: Unwrapped }
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

/** Answers questions on a port until the thread ends. */
export function serveReading(port: MessagePort): void {
  let running: AbortController | null = null;
  const answer = (message: WorkerAnswer, transfer: readonly ArrayBuffer[] = []): void => {
    port.postMessage(message, transfer);
  };
  const work = async (task: WorkerTask): Promise<void> => {
    const controller = new AbortController();
    running = controller;
    let told = 0;
    const { signal } = controller;
    const progress = (bytes: number): void => {
      if (bytes - told < progressEvery) return;
      told = bytes;
      answer({ kind: 'progress', bytes });
    };
    try {
      if (task.kind === 'unwrap') {
        answer({ kind: 'unwrapped', result: await unwrapFile(task.request, { signal, progress }) });
        return;
      }
      const end = await readParts(task.request, {
        signal,
        progress,
        part: (part) => {
          answer({ kind: 'part', part }, transferList(part.columns));
        },
      });
      answer({ kind: 'done', end });
    } catch (error) {
      answer(failure(error));
    }
  };
  port.on('message', (question: WorkerQuestion) => {
    if (question.kind === 'cancel') running?.abort();
    else void work(question);
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
