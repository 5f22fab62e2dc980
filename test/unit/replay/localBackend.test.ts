/** What a loaded model answers, on the CPU: known log-probs, forks, samples, refusals, cancelling, memory. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAbort, UserError } from '../../../src/base/errors.ts';
import type { GeneratedSample, GenerateRequest, PolicyBackend } from '../../../src/replay/backend.ts';
import {
  bigramNet,
  tinyDecoder,
  writeModel,
  type TinyDecoderOptions,
  type TinyModel,
} from '../../generate/tinyDecoder.mjs';
import { fixtures, numbersIn, objectsOf, shipped } from '../sample/sampleFolders.ts';
import { generation, never, opened, openedTiny, scored, someIds, temporaryFolder } from './tinyFolders.ts';

let folder: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  [folder, remove] = await temporaryFolder();
});
afterAll(() => remove());

async function openedModel(name: string, model: TinyModel): Promise<PolicyBackend> {
  await writeModel(join(folder, name), model);
  return opened(join(folder, name));
}

const generated = (backend: PolicyBackend, request: GenerateRequest): Promise<readonly GeneratedSample[]> =>
  backend.generate(request, () => undefined, never);
const idsOf = (samples: readonly GeneratedSample[]): readonly (readonly number[])[] => samples.map(({ ids }) => ids);

/** After token i, token j has this probability. */
const bigram = [
  [0.5, 0.25, 0.125, 0.125],
  [0.1, 0.2, 0.3, 0.4],
  [0.97, 0.01, 0.01, 0.01],
  [0.25, 0.25, 0.25, 0.25],
];
const logBigram = bigram.map((row) => row.map(Math.log));

describe.each(['MatMul', 'Gather'] as const)('a bigram net whose logits come from %s', (head) => {
  let backend: PolicyBackend;
  beforeAll(async () => {
    // Logits may be shifted row by row: only their differences count.
    const logits = logBigram.map((row, index) => row.map((value) => value + 3 * index));
    backend = await openedModel(`bigram-${head}`, bigramNet({ logits, head }));
  });
  afterAll(() => backend.dispose());

  test('has the log-probs, entropies, ranks and alternatives that were put into it', async () => {
    const ids = [0, 1, 3, 3, 2, 0, 2, 1, 1];
    const scores = await scored(backend, ids, { watched: [2, 0], top: 3 });
    ids.slice(1).forEach((id, index) => {
      const row = bigram[ids[index] ?? 0] ?? [];
      const probability = row[id] ?? Number.NaN;
      expect(scores.logprob[index]).toBeCloseTo(Math.log(probability), 5);
      expect(scores.entropy[index]).toBeCloseTo(-row.reduce((sum, p) => sum + p * Math.log(p), 0), 5);
      // Probabilities are no equal floats behind exp and log: ties may fall either way.
      const above = row.filter((p) => p > probability).length;
      const ties = row.filter((p) => p === probability).length;
      expect(scores.rank[index]).toBeGreaterThanOrEqual(above + 1);
      expect(scores.rank[index]).toBeLessThanOrEqual(above + ties);
      expect(scores.watched[2 * index]).toBeCloseTo(Math.log(row[2] ?? 0), 5);
      expect(scores.watched[2 * index + 1]).toBeCloseTo(Math.log(row[0] ?? 0), 5);
      const best = [...row].sort((a, b) => b - a).slice(0, 3);
      best.forEach((p, place) => expect(scores.topLogprobs[3 * index + place]).toBeCloseTo(Math.log(p), 5));
      best.forEach((p, place) => expect(row[scores.topIds[3 * index + place] ?? -1]).toBe(p));
    });
  });

  test('alternatives beyond the vocabulary are missing, not invented', async () => {
    const scores = await scored(backend, [0, 1], { top: 6 });
    expect(scores.topIds.slice(4)).toEqual([-1, -1]);
    expect(scores.topLogprobs.slice(4)).toEqual([Number.NaN, Number.NaN]);
  });

  test('is sampled with these probabilities', async () => {
    const samples = await generated(backend, generation([1], { samples: 2000, maximumTokens: 1 }));
    const counts = [0, 0, 0, 0];
    for (const { ids } of samples) counts[ids[0] ?? 0] = (counts[ids[0] ?? 0] ?? 0) + 1;
    // Four standard deviations of a share of 2,000.
    counts.forEach((count, id) => expect(Math.abs(count / 2000 - (bigram[1]?.[id] ?? 0))).toBeLessThan(0.045));
  });

  test('says what a ban takes out, and log-probs stay those at temperature 1', async () => {
    const request = generation([2], { banned: [0], samples: 20, maximumTokens: 1, temperature: 0.5 });
    for (const { ids, bannedMass, logprobs, seenMass } of await generated(backend, request)) {
      expect(ids).not.toContain(0);
      expect(bannedMass).toBeCloseTo(0.97, 5);
      expect(logprobs[0]).toBeCloseTo(Math.log(0.01), 5);
      expect(seenMass).toBe(1);
    }
  });
});

test('log-probs that are none stop the run with a sentence', async () => {
  const logits = logBigram.map((row, index) => (index === 2 ? row.map(() => Number.NaN) : row));
  const backend = await openedModel('not-a-number', bigramNet({ logits, head: 'Gather' }));
  await expect(scored(backend, [0, 2, 1])).rejects.toThrow(/log-prob that is not a number: its numbers cannot be used/);
  await expect(generated(backend, generation([0, 2]))).rejects.toThrow(UserError);
  await expect(scored(backend, [0, 1])).resolves.toMatchObject({ logprob: [expect.closeTo(Math.log(0.25), 5)] });
  await backend.dispose();
});

describe.each([
  ['plain', {}],
  ['grouped', { attention: 'grouped' }],
  ['hybrid', { hybrid: true }],
] as const)('forks of a %s decoder', (name, options) => {
  test('score as if from scratch, whatever was run before', async () => {
    const text = someIds(120, 300);
    const other = [...text.slice(0, 70), ...someIds(40, 300, 9)];
    const backend = await openedTiny(folder, `fork-${name}`, options);
    const fresh = async (ids: readonly number[]): Promise<readonly number[]> => {
      const own = await opened(join(folder, `fork-${name}`));
      const { logprob } = await scored(own, ids);
      await own.dispose();
      return logprob;
    };
    const whole = await scored(backend, text);
    await generated(backend, generation(text.slice(0, 33), { samples: 3 }));
    const forked = await scored(backend, other, { positions: other.map((_, index) => index).slice(71) });
    const again = await scored(backend, text);
    const differences = (a: readonly number[], b: readonly number[]): number =>
      Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? Number.NaN))));
    expect(differences(whole.logprob, await fresh(text))).toBe(0);
    expect(differences(forked.logprob, (await fresh(other)).slice(70))).toBeLessThan(1e-5);
    expect(differences(again.logprob, whole.logprob)).toBeLessThan(1e-5);
    await backend.dispose();
  });
});

test('a budget that holds no cache gives the same', async () => {
  const model = tinyDecoder();
  await writeModel(join(folder, 'budget'), model);
  const [large, small] = await Promise.all([
    opened(join(folder, 'budget')),
    opened(join(folder, 'budget'), { memoryBudget: 1 }),
  ]);
  const prefix = someIds(30, 300);
  const request = generation(prefix, { samples: 6 });
  expect((await scored(small, prefix)).logprob).toEqual((await scored(large, prefix)).logprob);
  expect(idsOf(await generated(small, request))).toEqual(idsOf(await generated(large, request)));
  await Promise.all([large.dispose(), small.dispose()]);
});

describe.each<[string, TinyDecoderOptions]>([
  ['a plain decoder', {}],
  ['a grouped-query decoder of 4 bits', { attention: 'grouped', weights: 'q4' }],
])('samples of %s', (name, options) => {
  let backend: PolicyBackend;
  const prefix = someIds(25, 300, 3);
  beforeAll(async () => {
    backend = await openedTiny(folder, `samples-${name}`, options);
  });
  afterAll(() => backend.dispose());

  test('repeat with their seed and differ with another', async () => {
    const request = generation(prefix, { samples: 5, topP: 0.9, temperature: 0.8 });
    const first = await generated(backend, request);
    expect(await generated(backend, request)).toEqual(first);
    expect(idsOf(await generated(backend, { ...request, seed: 1000 }))).not.toEqual(idsOf(first));
    expect(new Set(first.map(({ ids }) => ids.join())).size).toBe(5);
  });

  test('in a batch are those one by one, with a fixed batch, too', async () => {
    const settings = { topK: 40, stop: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], maximumTokens: 30 };
    const together = await generated(backend, generation(prefix, { ...settings, samples: 40 }));
    const lengths = new Set(together.map(({ ids }) => ids.length));
    // Samples that end leave the batch: without several lengths this would show nothing.
    expect(lengths.size).toBeGreaterThan(5);
    for (const sample of [0, 1, 17, 31, 32, 39]) {
      const [alone] = await generated(backend, generation(prefix, { ...settings, seed: 7 + sample }));
      expect(alone?.ids).toEqual(together[sample]?.ids);
    }
    const rowByRow = await openedTiny(folder, `one-row-${name}`, { ...options, oneRow: true });
    const single = await generated(rowByRow, generation(prefix, { ...settings, samples: 40 }));
    expect(idsOf(single)).toEqual(idsOf(together));
    await rowByRow.dispose();
  });

  test('have the log-probs that scoring gives them, and are told token by token', async () => {
    const told: number[][] = [[], [], []];
    const samples = await backend.generate(
      generation(prefix, { samples: 3, temperature: 1.3 }),
      ({ sample, id }) => told[sample]?.push(id),
      never,
    );
    for (const { sample, ids, logprobs } of samples) {
      const text = [...prefix, ...ids];
      const { logprob } = await scored(backend, text, { positions: ids.map((_, index) => prefix.length + index) });
      logprob.forEach((value, index) => expect(Math.abs(value - (logprobs[index] ?? Number.NaN))).toBeLessThan(1e-4));
      expect(told[sample]).toEqual(ids);
    }
  });

  test('at temperature 0 or of one alternative are the most probable tokens', async () => {
    const [greedy] = await generated(backend, generation(prefix, { temperature: 0 }));
    const [single] = await generated(backend, generation(prefix, { topK: 1, seed: 99 }));
    const text = [...prefix, ...(greedy?.ids ?? [])];
    const { rank } = await scored(backend, text, { positions: text.map((_, i) => i).slice(prefix.length) });
    expect(new Set(rank)).toEqual(new Set([1]));
    expect(single?.ids).toEqual(greedy?.ids);
    const banned = greedy?.ids.slice(0, 1) ?? [];
    const [other] = await generated(backend, generation(prefix, { temperature: 0, banned }));
    expect(other?.ids).not.toContain(banned[0]);
  });

  test('end at a stop id, which they keep, at their length, or with the context', async () => {
    const [free] = await generated(backend, generation(prefix));
    const stop = free?.ids.slice(4, 5) ?? [];
    const first = free?.ids.indexOf(stop[0] ?? -1) ?? -1;
    const [stopped] = await generated(backend, generation(prefix, { stop }));
    expect(stopped).toMatchObject({ ended: 'stop', ids: free?.ids.slice(0, first + 1) });
    expect(free).toMatchObject({ ended: 'length' });
    const long = someIds(509, 300, 4);
    const [cut] = await generated(backend, generation(long));
    expect(cut).toMatchObject({ ended: 'length', ids: { length: 3 } });
    const [fromOne] = await generated(backend, generation([5], { samples: 4 }));
    expect(fromOne?.ids.length).toBe(20);
  });
});

describe('what is refused before a run', () => {
  let backend: PolicyBackend;
  beforeAll(async () => {
    backend = await openedTiny(folder, 'refusals');
  });
  afterAll(() => backend.dispose());
  const everyId = Array.from({ length: 300 }, (_, id) => id);
  const none = { watched: [], top: 0 };
  test.each([
    [{ ids: [1, 300], positions: [1], ...none }, /Token 300 .* ids end at 299/],
    [{ ids: [1, -1], positions: [1], ...none }, /Token -1/],
    [{ ids: [1, 1.5], positions: [1], ...none }, /Token 1.5/],
    [{ ids: [1, 2], positions: [1], watched: [5000], top: 0 }, /Token 5000 \(to be watched\)/],
    [{ ids: [], positions: [], ...none }, /no tokens/],
    [{ ids: [1, 2], positions: [2], ...none }, /Positions must ascend/],
    [{ ids: [1, 2], positions: [0], ...none }, /Positions must ascend/],
    [{ ids: [1, 2, 3], positions: [2, 1], ...none }, /Positions must ascend/],
    [{ ids: [1, 2], positions: [1], watched: [], top: 65 }, /At most 64/],
    [{ ids: someIds(513, 300), positions: [1], ...none }, /513 tokens do not fit .*512/],
  ])('scoring %#', async (request, reason) => {
    const heard: unknown[] = [];
    await expect(backend.score(request, (slice) => heard.push(slice), never)).rejects.toThrow(reason);
    await expect(backend.score(request, () => undefined, never)).rejects.toThrow(UserError);
    expect(heard).toEqual([]);
  });
  test.each([
    [generation([]), /no tokens/],
    [generation([999]), /Token 999/],
    [generation([1], { banned: [300] }), /that is banned/],
    [generation([1], { banned: everyId }), /Every token is banned/],
    [generation([1], { temperature: -1 }), /temperature/],
    [generation([1], { topP: 0 }), /top-p/],
    [generation([1], { topK: 0 }), /top-k/],
    [generation([1], { samples: 0 }), /samples/],
    [generation(someIds(512, 300)), /fills the context/],
  ])('generating %#', async (request, reason) => {
    await expect(generated(backend, request)).rejects.toThrow(reason);
  });
  test('and nothing is wrong afterwards', async () => {
    expect((await scored(backend, [1, 2])).logprob.length).toBe(1);
    await expect(
      backend.score({ ids: [1, 2], positions: [], ...none }, () => undefined, never),
    ).resolves.toBeUndefined();
  });
});

describe('cancelling', () => {
  test('is honoured after at most one chunk or token, and the next request is answered', async () => {
    const backend = await openedTiny(folder, 'cancel', { context: 4096 });
    const ids = someIds(2000, 300);
    const { logprob } = await scored(backend, ids.slice(0, 50));
    const scoring = new AbortController();
    const slices: number[] = [];
    const positions = ids.map((_, index) => index).slice(1);
    const cancelled = backend.score(
      { ids, positions, watched: [], top: 0 },
      ({ first }) => {
        slices.push(first);
        // As a message would: it is not known before the event loop turns.
        setImmediate(() => scoring.abort());
      },
      scoring.signal,
    );
    const waiting = scored(backend, ids.slice(0, 50));
    await expect(cancelled.catch(isAbort)).resolves.toBe(true);
    expect(slices.length).toBeLessThanOrEqual(2);
    expect((await waiting).logprob).toEqual(logprob);

    const generating = new AbortController();
    let tokens = 0;
    const stopped = backend.generate(
      generation(ids.slice(0, 50), { maximumTokens: 3000 }),
      () => {
        if (++tokens === 5) setImmediate(() => generating.abort());
      },
      generating.signal,
    );
    await expect(stopped.catch(isAbort)).resolves.toBe(true);
    expect(tokens).toBeLessThanOrEqual(6);
    const late = new AbortController();
    late.abort();
    await expect(backend.generate(generation([1]), () => undefined, late.signal).catch(isAbort)).resolves.toBe(true);
    await backend.dispose();
    await expect(scored(backend, [1, 2])).rejects.toThrow(/was closed/);
  });
});

test('memory is flat over 1,000 tokens', { timeout: 120_000 }, async () => {
  const backend = await openedTiny(folder, 'flat', { context: 2048 });
  const sizes: number[] = [];
  await backend.generate(
    generation([1, 2, 3], { samples: 2, maximumTokens: 1300 }),
    ({ sample }) => {
      if (sample === 0) sizes.push(process.memoryUsage().rss);
    },
    never,
  );
  expect(sizes.length).toBe(1300);
  const most = (from: number, to: number): number => Math.max(...sizes.slice(from, to));
  // The caches of both grow by 1 MB meanwhile; all that was ever copied is 900 MB.
  expect((most(1200, 1300) - most(200, 300)) / 1e6).toBeLessThan(60);
  await backend.dispose();
});

describe.each(['start', 'hdpo', 'grpo'])("the sample's policy %s", (name) => {
  const own = objectsOf(join(fixtures, 'logProbs.json')).filter(({ checkpoint }) => checkpoint === name);
  test('gives the log-probs that its trainer logged', async () => {
    const [storage, removeStorage] = await temporaryFolder();
    const backend = await opened(join(shipped, 'checkpoints', name), { storage });
    expect(own.length).toBeGreaterThan(3);
    expect(backend.facts).toMatchObject({ precision: 'f32', provider: 'cpu', slowPath: null, contextLength: 256 });
    for (const entry of own) {
      const said = numbersIn(entry.said);
      const logged = numbersIn(entry.logps);
      const positions = said.flatMap((flag, index) => (flag === 1 ? [index] : []));
      const { logprob } = await scored(backend, numbersIn(entry.tokens), { positions });
      expect(logprob.length).toBe(positions.length);
      logprob.forEach((value, index) => {
        expect(Math.abs(value - (logged[positions[index] ?? -1] ?? Number.NaN))).toBeLessThan(1e-4);
      });
    }
    await backend.dispose();
    await removeStorage();
  });
});
