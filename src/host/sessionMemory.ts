/**
 * What a window remembers between its lives: runs opened by hand, runs closed by hand, each run's colour and reward
 * threshold. Kept in VS Code's state, never in the workspace's files. Foreign data by the time it is read again, so
 * every look-up checks. Leaves out the filter of the tree (views/runsTree) and the index (the engine's).
 */
import { isObject } from '../base/json.ts';
import type { RunId } from '../protocol/engine.ts';

/** The part of vscode.Memento that is used. */
export interface Store {
  get(key: string): unknown;
  update(key: string, value: unknown): Thenable<void> | PromiseLike<void>;
}

/** The remembered facts; each change is written at once. */
export interface SessionMemory {
  /** Paths opened with "Open Run…", in that order. */
  openedPaths(): readonly string[];
  rememberOpened(path: string): void;
  forgetOpened(path: string): void;
  isClosed(run: RunId): boolean;
  setClosed(runs: readonly RunId[]): void;
  setReopened(runs: readonly RunId[]): void;
  /** A stable colour index: the lowest that no shown run has, kept from then on. */
  colourOf(run: RunId, shown: readonly RunId[]): number;
  /** The threshold the user set for a run; null where the setting decides. */
  threshold(run: RunId): number | null;
  setThreshold(run: RunId, threshold: number): void;
}

const keys = { opened: 'runs.opened', closed: 'runs.closed', colours: 'runs.colours', thresholds: 'runs.thresholds' };

/** More than anybody opens by hand; the oldest are forgotten. */
const mostRemembered = 500;

/** Opens the memory over a store of VS Code (workspaceState, or globalState in a window without folders). */
export function openMemory(store: Store): SessionMemory {
  const paths = (key: string): readonly string[] => {
    const value = store.get(key);
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
  };
  const numbers = (key: string): ReadonlyMap<string, number> => {
    const value = store.get(key);
    const entries = isObject(value) ? Object.entries(value) : [];
    return new Map(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
  };
  const write = (key: string, list: readonly string[]) => void store.update(key, list.slice(-mostRemembered));
  const writeNumber = (key: string, name: string, value: number) => {
    const others = [...numbers(key)].filter(([other]) => other !== name);
    void store.update(key, Object.fromEntries([...others, [name, value]].slice(-mostRemembered)));
  };
  return {
    openedPaths: () => paths(keys.opened),
    rememberOpened: (path) => {
      if (!paths(keys.opened).includes(path)) write(keys.opened, [...paths(keys.opened), path]);
    },
    forgetOpened: (path) => {
      write(
        keys.opened,
        paths(keys.opened).filter((other) => other !== path),
      );
    },
    isClosed: (run) => paths(keys.closed).includes(run),
    setClosed: (runs) => {
      write(keys.closed, [...new Set([...paths(keys.closed), ...runs])]);
    },
    setReopened: (runs) => {
      write(
        keys.closed,
        paths(keys.closed).filter((run) => !runs.includes(run)),
      );
    },
    colourOf: (run, shown) => {
      const known = numbers(keys.colours);
      const own = known.get(run);
      if (own !== undefined) return own;
      const taken = new Set(shown.filter((other) => other !== run).map((other) => known.get(other)));
      let colour = 0;
      while (taken.has(colour)) colour += 1;
      writeNumber(keys.colours, run, colour);
      return colour;
    },
    threshold: (run) => numbers(keys.thresholds).get(run) ?? null,
    setThreshold: (run, threshold) => {
      writeNumber(keys.thresholds, run, threshold);
    },
  };
}
