/**
 * Is a provider to be trusted? The same tokens are scored there and on the CPU, in short runs, in runs of the usual length
 * and token by token, and timed. A GPU can be silently wrong (grouped-query attention in runs of 32 tokens and more on
 * adapters with small subgroups: off by more than a nat), so the longest run that agrees is looked for.
 * Owned by local.ts, which remembers the result. Leaves out opening sessions.
 */
import type { ProviderName, SelfTest } from '../protocol/replay.ts';
import type { Decoder } from './decoder.ts';
import { disposeCache } from './kvCache.ts';
import { providerNames } from './providers.ts';
import { randomStream } from './sampling.ts';
import { scoreFrom } from './scoring.ts';

/** Largest difference in nats that counts as the same, by the width of the cache's numbers. */
export const selfTestTolerance = { 32: 1e-3, 16: 0.1 } as const;

/** Runs of at most this many tokens take another path through attention kernels on every provider known. */
const shortChunk = 31;

/** Tokens at the end that are run one by one, as generating does. */
const decodedTokens = 4;

/** Tokens beyond one run of the usual length, so that a run behind a cache is tested as well. */
const behindCache = 40;

/** What to compare. */
export interface SelfTestParts {
  readonly provider: ProviderName;
  readonly decoder: Decoder;
  readonly cpu: Decoder;
  /** Runs are wanted this long. */
  readonly chunk: number;
  readonly contextLength: number;
  /** "SwiftShader", where the adapter is known to be software. */
  readonly software: string | null;
  readonly signal: AbortSignal;
}

interface Measured {
  /** Log-prob and entropy of each token in turn. */
  readonly values: Float32Array;
  readonly tokensPerSecond: number;
}

/** Compares. Rejects where the provider cannot run the graph at all. */
export async function runSelfTest(parts: SelfTestParts): Promise<SelfTest> {
  const { provider, decoder, cpu, chunk, signal } = parts;
  const count = Math.min(parts.contextLength, chunk + behindCache);
  const random = randomStream(1);
  const ids = Array.from({ length: count }, () => Math.floor(random() * decoder.vocabularySize));
  const reference = await measured(cpu, ids, { chunk: count, signal });
  const tolerance = decoder.prepared.shape.states.some(({ elementType }) => elementType !== 1)
    ? selfTestTolerance[16]
    : selfTestTolerance[32];
  const short = await measured(decoder, ids, { chunk: shortChunk, signal });
  const shortDifference = largestDifference(short.values, reference.values);
  const long = chunk > shortChunk ? await measured(decoder, ids, { chunk, signal }) : short;
  const longDifference = largestDifference(long.values, reference.values);
  const limited = !(longDifference <= tolerance);
  const used = limited ? short : long;
  // The first run compiles shaders and packs weights: only the second says how fast it is.
  const again = await measured(decoder, ids, { chunk: limited ? shortChunk : chunk, signal });
  const repeated = largestDifference(again.values, used.values);
  const cpuAgain = await measured(cpu, ids, { chunk: Math.min(chunk, count), signal });
  const difference = Math.max(limited ? shortDifference : longDifference, shortDifference, repeated);
  const name = providerNames[provider];
  const speeds = `${rate(again.tokensPerSecond)} tokens/s against ${rate(cpuAgain.tokensPerSecond)} on the CPU`;
  const measures = {
    maximumDifference: difference,
    tokensPerSecond: again.tokensPerSecond,
    cpuTokensPerSecond: cpuAgain.tokensPerSecond,
  };
  if (!(difference <= tolerance)) {
    const sentence = `${name} disagrees with the CPU by ${nats(difference)} (allowed: ${nats(tolerance)}): its numbers are not to be trusted.`;
    return { verdict: 'different', ...measures, chunkLimit: null, sentence };
  }
  const adapter = parts.software === null ? '' : ` It is a software adapter (${parts.software}), no GPU.`;
  const agrees = limited
    ? `${name} is wrong in runs of more than ${shortChunk} tokens (by ${nats(longDifference)}): runs are cut to ${shortChunk}, where it agrees with the CPU (${nats(difference)})`
    : `${name} agrees with the CPU on ${count} tokens (largest difference ${nats(difference)}, allowed: ${nats(tolerance)})`;
  const slow = again.tokensPerSecond < cpuAgain.tokensPerSecond;
  return {
    verdict: slow ? 'slow' : 'same',
    ...measures,
    chunkLimit: limited ? shortChunk : null,
    sentence: `${agrees}; ${slow ? 'it is slower than the CPU: ' : ''}${speeds}.${adapter}`,
  };
}

async function measured(
  decoder: Decoder,
  ids: readonly number[],
  { chunk, signal }: { readonly chunk: number; readonly signal: AbortSignal },
): Promise<Measured> {
  const values = new Float32Array(2 * (ids.length - 1));
  const started = performance.now();
  const prefilled = ids.slice(0, Math.max(1, ids.length - 1 - decodedTokens));
  const run = { watched: [], top: 0, targets: ids, signal };
  const from = (first: number, chunkTokens: number, until: readonly number[]) => ({
    ...run,
    ids: until,
    chunk: chunkTokens,
    positions: Array.from({ length: until.length - first }, (_, index) => first + 1 + index),
    heard: (slice: { first: number; logprob: Float32Array; entropy: Float32Array }) => {
      slice.logprob.forEach((logprob, index) => {
        const at = 2 * (first + slice.first + index);
        values[at] = logprob;
        values[at + 1] = slice.entropy[index] ?? Number.NaN;
      });
    },
  });
  const cache = await scoreFrom(decoder, decoder.emptyCache(1), from(0, chunk, prefilled));
  const milliseconds = performance.now() - started;
  const rest = ids.slice(0, -1);
  disposeCache(await scoreFrom(decoder, cache, from(prefilled.length, 1, rest)));
  return { values, tokensPerSecond: (1000 * prefilled.length) / milliseconds };
}

/** NaN where any value is none. */
function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, index) => {
    const difference = Math.abs(value - (b[index] ?? Number.NaN));
    return Number.isNaN(difference) || Number.isNaN(most) ? Number.NaN : Math.max(most, difference);
  }, 0);
}

function nats(value: number): string {
  return Number.isNaN(value) ? 'not a number' : `${value < 0.01 ? value.toExponential(1) : value.toFixed(2)} nats`;
}

function rate(tokensPerSecond: number): string {
  return tokensPerSecond < 10 ? tokensPerSecond.toFixed(1) : tokensPerSecond.toFixed(0);
}
