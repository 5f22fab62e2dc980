/**
 * Samples from one prefix. All samples of a group run in one batch behind copies of the prefix's cache: weights are read
 * once a step, whatever their number. A sample's seed is its own, so a batch gives what one by one gives.
 * Owned by localBackend.ts. Leaves out the prefix's prefill, and how many may run at once.
 */
import type { Cache, Decoder } from './decoder.ts';
import type { GeneratedSample, GeneratedToken, GenerateRequest } from './backend.ts';
import { disposeCache, type CacheTools } from './kvCache.ts';
import { drawToken, randomStream, type RandomStream } from './sampling.ts';
import { breathe, checkLogprobs } from './scoring.ts';

/** Where to generate from and with what. */
export interface GenerationRun {
  readonly request: GenerateRequest;
  /** Caches of the prefix without its last token; stays as it is. */
  readonly cache: Cache;
  /** Samples of this group. */
  readonly samples: readonly number[];
  /** Tokens that a sequence may have, the prefix included. */
  readonly contextLength: number;
  readonly heard: (token: GeneratedToken) => void;
  readonly signal: AbortSignal;
}

interface Growing {
  readonly sample: number;
  readonly random: RandomStream;
  readonly ids: number[];
  readonly logprobs: number[];
  bannedMass: number;
  last: number;
}

/** Generates the samples of one group. Everything it made on the GPU is disposed, whatever happens. */
export async function generateGroup(
  decoder: Decoder,
  tools: CacheTools,
  run: GenerationRun,
): Promise<readonly GeneratedSample[]> {
  const { request, cache, samples } = run;
  const lastOfPrefix = request.prefix.at(-1) ?? 0;
  const rule = { ...request, banned: new Set(request.banned) };
  const stops = new Set(request.stop);
  const finished: GeneratedSample[] = [];
  let active: readonly Growing[] = samples.map((sample) => ({
    sample,
    random: randomStream(request.seed + sample),
    ids: [],
    logprobs: [],
    bannedMass: 0,
    last: lastOfPrefix,
  }));
  let current = active.length === 1 ? cache : await repeated(decoder, tools, { cache, rows: active.length });
  const replace = (next: Cache): void => {
    if (current !== cache) disposeCache(current);
    current = next;
  };
  try {
    while (active.length > 0) {
      await breathe(run.signal);
      const { values, cache: grown } = await decoder.run(
        active.map(({ last }) => [last]),
        current,
        {
          positions: [0],
          targets: [0],
          watched: [0],
          topRows: [0],
          scaledRows: [0],
          sampledRow: 0,
          scale: request.temperature > 0 ? 1 / request.temperature : 1,
        },
      );
      replace(grown);
      checkLogprobs(values.logprob);
      const full = request.prefix.length + (active[0]?.ids.length ?? 0) + 1 >= run.contextLength;
      const kept: number[] = [];
      active.forEach((growing, row) => {
        const { vocabularySize, alternatives } = decoder;
        const next = {
          topIds: values.topIds.subarray(row * alternatives, (row + 1) * alternatives),
          topLogprobs: values.topLogprobs.subarray(row * alternatives, (row + 1) * alternatives),
          row: values.row.subarray(row * vocabularySize, (row + 1) * vocabularySize),
          rowSum: values.rowSum[row] ?? 1,
        };
        const { id, logprob, bannedMass } = drawToken(next, rule, growing.random);
        growing.ids.push(id);
        growing.logprobs.push(logprob);
        growing.bannedMass = Math.max(growing.bannedMass, bannedMass);
        growing.last = id;
        run.heard({ sample: growing.sample, id, logprob });
        const ended = stops.has(id) ? 'stop' : full || growing.ids.length >= request.maximumTokens ? 'length' : null;
        if (ended === null) kept.push(row);
        else finished.push(finishedSample(growing, ended));
      });
      if (kept.length > 0 && kept.length < active.length) {
        replace(await tools.take(current, kept, current.length));
      }
      active = active.filter((_, row) => kept.includes(row));
    }
    return finished;
  } finally {
    if (current !== cache) disposeCache(current);
  }
}

function finishedSample({ sample, ids, logprobs, bannedMass }: Growing, ended: 'stop' | 'length'): GeneratedSample {
  // The sampler sees the whole row where the most probable tokens do not reach.
  return { sample, ids, logprobs, ended, bannedMass, seenMass: 1 };
}

/** The cache once a row; an empty one needs no copying. */
function repeated(
  decoder: Decoder,
  tools: CacheTools,
  { cache, rows }: { readonly cache: Cache; readonly rows: number },
): Promise<Cache> {
  if (cache.length === 0) return Promise.resolve(decoder.emptyCache(rows));
  return tools.take(
    cache,
    Array.from({ length: rows }, () => 0),
    cache.length,
  );
}
