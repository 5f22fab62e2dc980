/**
 * Who reads files into columns and decodes compressed ones: worker threads (one a core, at most 8, started when needed, ended when idle), or the
 * engine's own thread where there is no worker bundle (unit tests). A worker that dies takes only its file with it.
 * Leaves out what is done with the parts (indexFile.ts).
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { UserError } from '../base/errors.ts';
import { readParts, type ReadEnd, type ReadHandlers, type ReadRequest } from './readParts.ts';
import { unwrapFile, type Unwrapped, type UnwrapHandlers, type UnwrapRequest } from './unwrapFile.ts';
import { isWorkerAnswer, type WorkerAnswer, type WorkerQuestion, type WorkerTask } from './workerMessages.ts';

/** Reads files side by side. */
export interface ReadPool {
  /** Files that are read at the same time. */
  readonly size: number;
  /** As readParts; waits for its turn (`urgent` readings first). Rejects with a UserError if the worker dies. */
  read(request: ReadRequest, handlers: ReadHandlers & { readonly urgent: boolean }): Promise<ReadEnd>;
  /** As unwrapFile, before readings that wait: one of them, or the user, waits for it. */
  unwrap(request: UnwrapRequest, handlers: UnwrapHandlers): Promise<Unwrapped>;
  /** Ends all workers; what still runs rejects. */
  dispose(): Promise<void>;
}

/** How a pool is made. */
export interface PoolOptions {
  /** Absolute path of the worker's bundle; null reads in this thread. */
  readonly workerPath: string | null;
  /** Default: one a core, at most 8. */
  readonly size?: number;
  /** A worker without work ends after this long; default 15,000 ms. */
  readonly idleMs?: number;
  /** Heap of a worker, above which it ends with its file; default 2,048 MB, enough for the longest line that is read. */
  readonly heapMegabytes?: number;
}

interface Settle<T> {
  resolve(end: T): void;
  reject(error: Error): void;
}

interface ReadJob {
  readonly kind: 'read';
  readonly request: ReadRequest;
  readonly handlers: ReadHandlers & { readonly urgent: boolean };
  readonly settle: Settle<ReadEnd>;
}

interface UnwrapJob {
  readonly kind: 'unwrap';
  readonly request: UnwrapRequest;
  readonly handlers: UnwrapHandlers & { readonly urgent: boolean };
  readonly settle: Settle<Unwrapped>;
}

type Job = ReadJob | UnwrapJob;

/** Runs one job to its end; never rejects (the job's own promise does). */
type Run = (job: Job) => Promise<void>;

/** Makes a pool; nothing starts before the first reading. */
export function createReadPool(options: PoolOptions): ReadPool {
  const size = options.size ?? Math.max(1, Math.min(8, availableParallelism()));
  const waiting: Job[] = [];
  const slots = Array.from({ length: size }, () => createSlot(options));
  let disposed = false;

  const next = (): void => {
    for (const slot of slots) {
      if (slot.busy) continue;
      const urgent = waiting.findIndex((job) => job.handlers.urgent);
      const job = waiting.splice(Math.max(0, urgent), 1)[0];
      if (!job) return;
      if (job.handlers.signal.aborted) job.settle.reject(abortErrorOf(job.handlers.signal));
      else void slot.run(job).then(next);
    }
  };

  const add = (job: Job): void => {
    if (disposed) {
      job.settle.reject(new Error('the pool is closed'));
      return;
    }
    waiting.push(job);
    next();
  };

  return {
    size,
    read: (request, handlers) =>
      new Promise<ReadEnd>((resolve, reject) => {
        add({ kind: 'read', request, handlers, settle: { resolve, reject } });
      }),
    unwrap: (request, handlers) =>
      new Promise<Unwrapped>((resolve, reject) => {
        add({ kind: 'unwrap', request, handlers: { ...handlers, urgent: true }, settle: { resolve, reject } });
      }),
    dispose: async () => {
      disposed = true;
      for (const job of waiting.splice(0)) job.settle.reject(new Error('the pool is closed'));
      await Promise.all(slots.map((slot) => slot.end()));
    },
  };
}

interface Slot {
  readonly busy: boolean;
  readonly run: Run;
  end(): Promise<void>;
}

function createSlot({ workerPath, idleMs = 15_000, heapMegabytes = 2_048 }: PoolOptions): Slot {
  let busy = false;
  let worker: Worker | null = null;
  let idle: NodeJS.Timeout | undefined;
  const end = async (): Promise<void> => {
    clearTimeout(idle);
    const ending = worker;
    worker = null;
    await ending?.terminate();
  };
  return {
    get busy() {
      return busy;
    },
    run: async (job) => {
      busy = true;
      clearTimeout(idle);
      if (workerPath === null) await runHere(job);
      else {
        worker ??= startWorker(workerPath, heapMegabytes);
        const alive = await runInWorker(worker, job);
        if (!alive) worker = null;
        idle = setTimeout(() => void end(), idleMs).unref();
      }
      busy = false;
    },
    end,
  };
}

async function runHere(job: Job): Promise<void> {
  try {
    if (job.kind === 'read') job.settle.resolve(await readParts(job.request, job.handlers));
    else job.settle.resolve(await unwrapFile(job.request, job.handlers));
  } catch (error) {
    job.settle.reject(error instanceof Error ? error : new Error(String(error)));
  }
}

function startWorker(path: string, heapMegabytes: number): Worker {
  // A small young generation: parsed records die at once, and eight large nurseries would be most of the engine's memory.
  const resourceLimits = { maxYoungGenerationSizeMb: 32, maxOldGenerationSizeMb: heapMegabytes };
  const worker = new Worker(path, { execArgv: [], resourceLimits });
  worker.unref();
  return worker;
}

/** Runs a job in a worker; false if the worker did not survive it. */
function runInWorker(worker: Worker, job: Job): Promise<boolean> {
  return new Promise((done) => {
    const { request, settle } = job;
    const { signal } = job.handlers;
    const tell = (question: WorkerQuestion): void => {
      worker.postMessage(question);
    };
    const onAbort = (): void => {
      tell({ kind: 'cancel' });
    };
    const finish = (alive: boolean): void => {
      signal.removeEventListener('abort', onAbort);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      worker.unref();
      done(alive);
    };
    const onMessage = (answer: unknown): void => {
      if (!isWorkerAnswer(answer)) return;
      handleAnswer(answer, job);
      if (answer.kind !== 'part' && answer.kind !== 'progress') finish(true);
    };
    const died = (why: string): void => {
      const action = 'The other files are read; open this one again, or report the line it stopped at.';
      settle.reject(new UserError(`The reader of ${request.path} ended before the file did (${why}).`, action));
      finish(false);
    };
    const onError = (error: Error): void => {
      died(error.message);
      void worker.terminate();
    };
    const onExit = (code: number): void => {
      died(`exit code ${code}`);
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.ref();
    signal.addEventListener('abort', onAbort, { once: true });
    tell(taskOf(job));
    if (signal.aborted) onAbort();
  });
}

function taskOf(job: Job): WorkerTask {
  return job.kind === 'read' ? { kind: 'read', request: job.request } : { kind: 'unwrap', request: job.request };
}

function handleAnswer(answer: WorkerAnswer, job: Job): void {
  switch (answer.kind) {
    case 'part':
      if (job.kind === 'read') job.handlers.part(answer.part);
      return;
    case 'progress':
      job.handlers.progress(answer.bytes);
      return;
    case 'done':
      if (job.kind === 'read') job.settle.resolve(answer.end);
      return;
    case 'unwrapped':
      if (job.kind === 'unwrap') job.settle.resolve(answer.result);
      return;
    case 'failed':
      job.settle.reject(errorOf(answer, job.handlers.signal));
  }
}

function errorOf(answer: WorkerAnswer & { readonly kind: 'failed' }, signal: AbortSignal): Error {
  switch (answer.error) {
    case 'user':
      return new UserError(answer.message, answer.action);
    case 'abort':
      return abortErrorOf(signal);
    case 'bug':
      return new Error(answer.message);
  }
}

function abortErrorOf(signal: AbortSignal): Error {
  const { reason } = signal as { readonly reason: unknown };
  return reason instanceof Error ? reason : Object.assign(new Error('cancelled'), { name: 'AbortError' });
}
