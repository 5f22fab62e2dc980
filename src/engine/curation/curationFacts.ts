/**
 * Facts of the runs that are curated, read once a run and version and kept for the latest few runs. Several questions wait
 * for one reading; it ends early only when all of them were cancelled.
 * Leaves out what is read (factsOfRun.ts) and what is made of it (curation.ts).
 */
import type { RunIndex } from '../runIndex.ts';
import type { UnwrappedFiles } from '../unwrappedFiles.ts';
import { factsOfRun, type FactsOfRun } from './factsOfRun.ts';

/** Facts of runs. */
export interface CurationFacts {
  /** Of a run as it is now; `progress` hears of rollouts while they are read. */
  of(run: RunIndex, progress: (done: number) => void, signal: AbortSignal): Promise<FactsOfRun>;
}

/** Runs whose facts are kept: 400,000 rollouts take about 90 MB. */
const runsKept = 4;

interface Kept {
  readonly version: number;
  readonly facts: FactsOfRun;
}

interface Reading {
  readonly version: number | null;
  readonly stop: AbortController;
  readonly facts: Promise<FactsOfRun>;
  readonly listeners: Set<(done: number) => void>;
  waiting: number;
}

/** Nothing is read yet. */
export function createCurationFacts(contents: UnwrappedFiles): CurationFacts {
  /** Least recently used first. */
  const kept = new Map<RunIndex, Kept>();
  const readings = new Map<RunIndex, Reading>();

  const keep = (run: RunIndex, one: Kept): void => {
    kept.delete(run);
    kept.set(run, one);
    const oldest = kept.keys().next();
    if (kept.size > runsKept && !oldest.done) kept.delete(oldest.value);
  };

  const start = (run: RunIndex): Reading => {
    const version = run.version();
    const stop = new AbortController();
    const listeners = new Set<(done: number) => void>();
    const facts = factsOfRun(run, {
      contents,
      signal: stop.signal,
      progress: (done) => {
        for (const listener of listeners) listener(done);
      },
    }).then((found) => {
      // Rows that changed meanwhile are read again by the next question.
      if (version !== null && run.version() === version) keep(run, { version, facts: found });
      return found;
    });
    const reading: Reading = { version, stop, facts, listeners, waiting: 0 };
    readings.set(run, reading);
    const ended = (): void => {
      if (readings.get(run) === reading) readings.delete(run);
    };
    facts.then(ended, ended);
    return reading;
  };

  return {
    of: async (run, progress, signal) => {
      signal.throwIfAborted();
      const known = kept.get(run);
      // While rows change, what was read before them serves: to read all of a run for every file of a training is no use.
      if (known && (run.version() ?? known.version) === known.version) {
        keep(run, known);
        return known.facts;
      }
      const under = readings.get(run);
      const reading = under && !under.stop.signal.aborted && under.version === run.version() ? under : start(run);
      reading.waiting += 1;
      reading.listeners.add(progress);
      let leave: (() => void) | undefined;
      const left = new Promise<never>((_, reject) => {
        leave = () => {
          reject(abortError());
        };
        signal.addEventListener('abort', leave, { once: true });
      });
      try {
        return await Promise.race([reading.facts, left]);
      } finally {
        if (leave) signal.removeEventListener('abort', leave);
        reading.listeners.delete(progress);
        reading.waiting -= 1;
        if (reading.waiting === 0) reading.stop.abort();
      }
    },
  };
}

function abortError(): Error {
  return new DOMException('cancelled', 'AbortError');
}
