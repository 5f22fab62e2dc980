/**
 * Questions of rollouts by key, asked for when their rows come into sight and kept for the run at hand. Log text: whoever
 * shows it puts it into the page as text. Leaves out everything that is a number (samples.ts).
 */
import type { ChartsHostApi } from '../../src/protocol/charts.ts';
import type { RunId } from '../../src/protocol/engine.ts';
import type { Client } from '../../src/protocol/rpc.ts';

/** At most this many keys a question (the contract's limit is 500). */
const perRequest = 200;
/** Texts that are kept; beyond, all are asked for again. */
const mostKept = 20_000;

/** Questions as far as they are known. */
export interface SampleTexts {
  /** The question of a rollout of the run last asked about; null while it is not known. */
  of(key: number): string | null;
  want(run: RunId, keys: readonly number[]): void;
}

/** Makes an empty one. */
export function makeSampleTexts(
  api: Pick<Client<ChartsHostApi>, 'rowsOf'>,
  events: { readonly onTexts: () => void; readonly onError: (error: unknown) => void },
): SampleTexts {
  let run: RunId | null = null;
  let known = new Map<number, string>();
  let asked = new Set<number>();
  const ask = async (of: RunId, keys: readonly number[]): Promise<void> => {
    const wanted = Float64Array.from(keys);
    // One by one in the given order: an answer leaves out keys that are gone, so a short one is asked for singly.
    const found = await api.rowsOf({ run: of, keys: wanted });
    if (run !== of) return;
    if (found.length === keys.length) {
      keys.forEach((key, index) => known.set(key, found[index]?.question ?? ''));
      events.onTexts();
      return;
    }
    if (keys.length === 1) {
      known.set(keys[0] ?? NaN, '(no longer in the log)');
      events.onTexts();
      return;
    }
    const half = Math.ceil(keys.length / 2);
    await ask(of, keys.slice(0, half));
    await ask(of, keys.slice(half));
  };
  return {
    of: (key) => known.get(key) ?? null,
    want: (of, keys) => {
      if (run !== of || known.size > mostKept) {
        run = of;
        [known, asked] = [new Map(), new Set()];
      }
      const fresh = keys.filter((key) => !asked.has(key)).slice(0, perRequest);
      if (fresh.length === 0) return;
      for (const key of fresh) asked.add(key);
      ask(of, fresh).catch((error: unknown) => {
        for (const key of fresh) asked.delete(key);
        events.onError(error);
      });
    },
  };
}
