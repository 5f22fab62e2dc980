/**
 * The rollouts of one log file in file order, read once from its start to its end: much quicker than one by one, and never
 * more than a few in memory, since the next bytes are read only when the last rollouts were dealt with.
 * Leaves out which rollouts are wanted.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { UserError } from '../../base/errors.ts';
import type { Rollout } from '../../model/rollout.ts';
import { readerOf } from '../../readers/all.ts';
import type { Source } from '../../readers/source.ts';
import { withFile, type FileSource } from '../fileSource.ts';
import type { FoundFile } from '../foundRun.ts';
import type { UnwrappedFiles } from '../unwrappedFiles.ts';

/** How a file is streamed. */
export interface StreamOptions {
  readonly contents: UnwrappedFiles;
  readonly signal: AbortSignal;
  readonly rollout: (rollout: Rollout) => void;
  /** Awaited before more bytes are read, so that what `rollout` began can be finished (written to a file). */
  readonly caughtUp?: () => Promise<void>;
}

/** Reads a file; resolves at its end, rejects on abort and where it cannot be read. */
export async function streamRollouts(file: FoundFile, options: StreamOptions): Promise<void> {
  const reader = readerOf(file.recognition.format);
  if (!reader) throw new UserError(`There is no reader for ${file.recognition.format} (${file.path}).`);
  const { contents, signal, rollout, caughtUp } = options;
  const handlers = { signal, progress: () => undefined };
  await contents.use(file, handlers, ({ path }) =>
    withFile(
      path,
      async (source) => {
        await reader.read(patient(source, { signal, caughtUp: caughtUp ?? nothing }), {
          recognition: file.recognition,
          from: null,
          signal,
          note: () => undefined,
          rollout,
        });
      },
      file.wrapper ? { original: file.path, wrapper: file.wrapper } : null,
    ),
  );
  await (caughtUp ?? nothing)();
}

function nothing(): Promise<void> {
  return Promise.resolve();
}

/** A source that lets questions be answered, and what was begun be finished, before it reads on. */
function patient(
  source: FileSource,
  { signal, caughtUp }: { readonly signal: AbortSignal; readonly caughtUp: () => Promise<void> },
): Source {
  return {
    name: source.name,
    sizeBytes: source.sizeBytes,
    beside: (name) => source.beside(name),
    read: async (first, count, target) => {
      await caughtUp();
      await nextTurn();
      signal.throwIfAborted();
      return source.read(first, count, target);
    },
  };
}
