/**
 * A loaded decoder as a PolicyBackend: requests are checked before a run (an id outside the vocabulary kills the process on
 * a GPU), queued, and share the cache of the last text: scoring, then forks of any turn, run the common prefix once.
 * Owns the caches; disposes them before the decoder. Leaves out loading, and trust in the provider (local.ts).
 */
import { isAbort, UserError } from '../base/errors.ts';
import type { BackendFacts } from '../protocol/replay.ts';
import type { GeneratedSample, GenerateRequest, PolicyBackend, ScoreRequest } from './backend.ts';
import type { Cache, Decoder } from './decoder.ts';
import { generateGroup } from './generation.ts';
import { cacheBytes, disposeCache, sharedPrefix, type CacheTools } from './kvCache.ts';
import { failureSentence } from './providers.ts';
import { mostAlternatives } from './scoreHead.ts';
import { scoreFrom } from './scoring.ts';

/** What a backend is made of; it owns decoder and tools from then on. */
export interface LocalParts {
  readonly decoder: Decoder;
  readonly tools: CacheTools;
  readonly facts: BackendFacts;
  /** Tokens a run. */
  readonly chunk: number;
  /** Bytes of caches that may be held. */
  readonly memoryBudget: number;
}

/** Most samples in one batch: beyond it a step takes as long as the samples one after another. */
const mostRows = 32;

/** Makes the backend. */
export function makeLocalBackend({ decoder, tools, facts, chunk, memoryBudget }: LocalParts): PolicyBackend {
  const { shape } = decoder.prepared;
  let last: { readonly ids: readonly number[]; readonly cache: Cache } | null = null;
  let queue: Promise<unknown> = Promise.resolve();
  let disposed = false;

  const inTurn = <Result>(signal: AbortSignal | null, work: () => Promise<Result>): Promise<Result> => {
    const result = queue.then(() => {
      signal?.throwIfAborted();
      if (disposed && signal !== null) throw new UserError('The model was closed.');
      return work().catch((error: unknown) => {
        // What ONNX Runtime throws in a run (memory, a device that is gone) the user can act on; the session is usable after.
        const known = isAbort(error) || error instanceof UserError;
        throw known ? error : new UserError(failureSentence(decoder.session.provider, error));
      });
    });
    queue = result.catch(() => undefined);
    return result;
  };

  /** Keeps a cache for the next request, unless it is too large or what is kept already says more. */
  const keep = (ids: readonly number[], cache: Cache): void => {
    const longer = last !== null && last.ids.length > ids.length && sharedPrefix(last.ids, ids) === ids.length;
    if (longer || cacheBytes(shape, ids.length) > memoryBudget) {
      disposeCache(cache);
      return;
    }
    disposeCache(last?.cache ?? null);
    last = { ids, cache };
  };

  /** A cache of the first tokens of `ids`, at most `most`, from what is kept; the caller owns it. */
  const cachedPrefix = async (ids: readonly number[], most: number): Promise<Cache> => {
    if (last === null) return decoder.emptyCache(1);
    const length = Math.min(sharedPrefix(last.ids, ids), most);
    if (length === 0) return decoder.emptyCache(1);
    if (tools.canCut || length === last.cache.length) return tools.take(last.cache, [0], length);
    return decoder.emptyCache(1);
  };

  const checkIds = (ids: readonly number[], name: string): void => {
    const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= decoder.vocabularySize);
    if (wrong !== undefined) {
      throw new UserError(
        `Token ${wrong} (${name}) is not one of this model: its ids end at ${decoder.vocabularySize - 1}.`,
        'Choose the model that wrote the log, or let the text be tokenised again.',
      );
    }
  };

  const checkLength = (length: number): void => {
    if (length < 1) throw new UserError('There are no tokens to run.');
    if (length > facts.contextLength) {
      throw new UserError(`${length} tokens do not fit into the context of this model (${facts.contextLength}).`);
    }
  };

  const checkScore = ({ ids, positions, watched, top, temperature = 1 }: ScoreRequest): void => {
    checkLength(ids.length);
    checkIds(ids, 'of the text');
    checkIds(watched, 'to be watched');
    const ascending = positions.every((position, index) => index === 0 || position > (positions[index - 1] ?? 0));
    if (
      !ascending ||
      positions.some((position) => !Number.isInteger(position) || position < 1 || position >= ids.length)
    ) {
      throw new UserError('Positions must ascend from 1 to the last token.');
    }
    if (!Number.isInteger(top) || top < 0 || top > mostAlternatives) {
      throw new UserError(`At most ${mostAlternatives} alternatives can be asked for.`);
    }
    if (!(temperature > 0 && Number.isFinite(temperature))) throw new UserError('The temperature must be above 0.');
  };

  const checkGenerate = (request: GenerateRequest): void => {
    checkLength(request.prefix.length);
    checkIds(request.prefix, 'of the text');
    checkIds(request.banned, 'that is banned');
    const { temperature, topP, topK, samples, maximumTokens } = request;
    const fits =
      temperature >= 0 &&
      Number.isFinite(temperature) &&
      topP > 0 &&
      topP <= 1 &&
      (topK === null || (Number.isInteger(topK) && topK >= 1)) &&
      Number.isInteger(samples) &&
      samples >= 1 &&
      Number.isInteger(maximumTokens) &&
      maximumTokens >= 1;
    if (!fits)
      throw new UserError('Sampling settings must be: temperature ≥ 0, 0 < top-p ≤ 1, top-k ≥ 1, samples ≥ 1.');
    if (new Set(request.banned).size >= decoder.vocabularySize) throw new UserError('Every token is banned.');
  };

  /** Samples that may run at once behind a prefix. In a step, the old and the new caches are there. */
  const groupSize = (request: GenerateRequest): number => {
    if (!shape.freeBatch) return 1;
    const longest = Math.min(facts.contextLength, request.prefix.length + request.maximumTokens);
    return Math.max(1, Math.min(mostRows, Math.floor(memoryBudget / (2 * cacheBytes(shape, longest)))));
  };

  return {
    facts,
    score: (request, heard, signal) =>
      inTurn(signal, async () => {
        checkScore(request);
        const [firstWanted] = request.positions;
        if (firstWanted === undefined) return;
        // What lies behind the last wanted position is not run.
        const ids = request.ids.slice(0, (request.positions.at(-1) ?? 0) + 1);
        const run = { ...request, ids: ids.slice(0, -1), chunk, heard, signal };
        const cache = await cachedPrefix(run.ids, firstWanted - 1);
        keep(run.ids, await scoreFrom(decoder, cache, { ...run, targets: ids }));
      }),
    generate: (request, heard, signal) =>
      inTurn(signal, async () => {
        checkGenerate(request);
        if (request.prefix.length >= facts.contextLength) {
          throw new UserError(`The text fills the context of this model (${facts.contextLength} tokens).`);
        }
        const before = request.prefix.slice(0, -1);
        const nothing = { positions: [], watched: [], top: 0, heard: () => undefined };
        const start = await cachedPrefix(before, before.length);
        const cache = await scoreFrom(decoder, start, { ...nothing, ids: before, targets: before, chunk, signal });
        try {
          const samples = Array.from({ length: request.samples }, (_, index) => index);
          const size = groupSize(request);
          const finished: GeneratedSample[] = [];
          for (let first = 0; first < samples.length; first += size) {
            const group = samples.slice(first, first + size);
            const run = { request, cache, samples: group, contextLength: facts.contextLength, heard, signal };
            finished.push(...(await generateGroup(decoder, tools, run)));
          }
          return finished.sort((a, b) => a.sample - b.sample);
        } finally {
          keep(before, cache);
        }
      }),
    dispose: () => {
      disposed = true;
      return inTurn(null, async () => {
        disposeCache(last?.cache ?? null);
        last = null;
        await tools.release();
        await decoder.release();
      });
    },
  };
}
