/**
 * Collects what changed and tells it at most twice a second, the first change at once. Owned by engine.ts: indexing
 * reports a change a file and more, and a tree that is drawn anew for each would never be still.
 */
import type { RunId } from '../protocol/engine.ts';

/** Collected changes. */
export interface EventTeller {
  /** Something about the runs changed; `steps` of run `run` too where they are given. */
  changed(run: RunId | null, steps: readonly number[] | null): void;
  dispose(): void;
}

/** Who is told. */
export interface Listeners {
  readonly runs: () => void;
  /** Null = all steps. */
  readonly steps: (run: RunId, steps: readonly number[] | null) => void;
}

const intervalMs = 500;
/** More steps than this are told as "all". */
const stepsNamed = 1_000;

/** Makes a teller; `interval` in ms is for tests. */
export function createEventTeller(listeners: Listeners, interval = intervalMs): EventTeller {
  let waiting = new Map<RunId, Set<number>>();
  let anything = false;
  let timer: NodeJS.Timeout | null = null;

  const tell = (): void => {
    const changed = waiting;
    waiting = new Map();
    anything = false;
    for (const [run, steps] of changed) {
      listeners.steps(run, steps.size > stepsNamed ? null : [...steps].sort((a, b) => a - b));
    }
    listeners.runs();
  };
  const arm = (): void => {
    timer = setTimeout(() => {
      timer = null;
      if (!anything) return;
      tell();
      arm();
    }, interval);
    timer.unref();
  };

  return {
    changed: (run, steps) => {
      if (run !== null && steps !== null && steps.length > 0) {
        const known = waiting.get(run) ?? new Set<number>();
        for (const step of steps) known.add(step);
        waiting.set(run, known);
      }
      anything = true;
      if (timer !== null) return;
      // Not in the middle of whatever changed: the summary must be whole.
      timer = setTimeout(() => {
        tell();
        arm();
      }, 0);
    },
    dispose: () => {
      if (timer !== null) clearTimeout(timer);
    },
  };
}
