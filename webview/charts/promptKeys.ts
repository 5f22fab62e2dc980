/**
 * Which prompt of one run is which of another: a number a prompt that equal prompts share, asked of the engine once for
 * each version of a run's samples. Leaves out comparing (src/analysis/compareRuns.ts).
 */
import type { ChartsHostApi } from '../../src/protocol/charts.ts';
import type { RunId } from '../../src/protocol/engine.ts';
import type { Client } from '../../src/protocol/rpc.ts';

/** Prompt keys of runs as far as they are known. */
export interface PromptKeys {
  /** By prompt ordinal, for the samples of this version; null while they are being asked for. */
  of(run: RunId, version: number): Float64Array | null;
}

interface Known {
  readonly version: number;
  keys: Float64Array | null;
}

/** Makes an empty one. */
export function makePromptKeys(
  api: Pick<Client<ChartsHostApi>, 'promptKeys'>,
  events: { readonly onKeys: () => void; readonly onError: (error: unknown) => void },
): PromptKeys {
  const known = new Map<RunId, Known>();
  const ask = async (run: RunId, of: Known): Promise<void> => {
    const keys = await allKeys(api, run, of.version);
    // Another version: the page's samples are loaded anew as well, and then asked for again.
    if (keys === null || known.get(run) !== of) return;
    of.keys = keys;
    events.onKeys();
  };
  return {
    of: (run, version) => {
      const found = known.get(run);
      if (found?.version === version) return found.keys;
      const asked: Known = { version, keys: null };
      known.set(run, asked);
      ask(run, asked).catch((error: unknown) => {
        if (known.get(run) === asked) known.delete(run);
        events.onError(error);
      });
      return null;
    },
  };
}

async function allKeys(
  api: Pick<Client<ChartsHostApi>, 'promptKeys'>,
  run: RunId,
  version: number,
): Promise<Float64Array | null> {
  const parts: Float64Array[] = [];
  let first = 0;
  for (;;) {
    const page = await api.promptKeys({ run, first });
    if (page.version !== version) return null;
    parts.push(page.keys);
    first += page.keys.length;
    if (first >= page.total || page.keys.length === 0) break;
  }
  const all = new Float64Array(first);
  let place = 0;
  for (const part of parts) {
    all.set(part, place);
    place += part.length;
  }
  return all;
}
