/**
 * The sums behind the advantages of single rollouts, asked of the engine when someone wants to know and kept while their
 * run does not change. Leaves out how they are written (src/protocol/arithmetic.ts).
 */
import type { ChartsHostApi } from '../../src/protocol/charts.ts';
import type { Explanation, RunId } from '../../src/protocol/engine.ts';
import type { Client } from '../../src/protocol/rpc.ts';

/** Explanations that are kept: each has up to 64 members. */
const mostKept = 64;

/** Sums by rollout. */
export interface Explanations {
  /** Rejects where the rollout is no longer in the log. */
  of(run: RunId, key: number): Promise<Explanation>;
  /** The run changed: its sums may have. */
  changed(run: RunId): void;
}

/** Makes an empty one. */
export function makeExplanations(api: Pick<Client<ChartsHostApi>, 'rowsOf' | 'explain'>): Explanations {
  /** Least recently used first. */
  const kept = new Map<string, { readonly run: RunId; readonly answer: Promise<Explanation> }>();
  const ask = async (run: RunId, key: number): Promise<Explanation> => {
    const [row] = await api.rowsOf({ run, keys: Float64Array.of(key) });
    if (!row) throw new Error('This rollout is no longer in the log.');
    return api.explain({ ref: row.ref });
  };
  return {
    of: (run, key) => {
      const name = `${key} ${run}`;
      const found = kept.get(name) ?? { run, answer: ask(run, key) };
      kept.delete(name);
      kept.set(name, found);
      found.answer.catch(() => {
        if (kept.get(name) === found) kept.delete(name);
      });
      for (const oldest of kept.keys()) {
        if (kept.size <= mostKept) break;
        kept.delete(oldest);
      }
      return found.answer;
    },
    changed: (run) => {
      for (const [name, one] of [...kept]) if (one.run === run) kept.delete(name);
    },
  };
}
