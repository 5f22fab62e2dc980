/**
 * A policy whose every probability is known: a table of logits as a function of the prefix, over words of a toy vocabulary.
 * It is a backend without any model behind it, so estimators can be held to enumerations.
 */
import type { ScoredTokens } from '../../../src/protocol/replay.ts';
import type { GeneratedSample, GenerateRequest, PolicyBackend, ScoreRequest } from '../../../src/replay/backend.ts';
import type { PolicyTokens } from '../../../src/replay/policyTokens.ts';

/** Words of the toy vocabulary: chat marks, tags, digits, letters. An id is an index. */
export const words: readonly string[] = [
  '<|im_start|>',
  '<|im_end|>',
  '<tool_call>',
  '</tool_call>',
  '<answer>',
  '</answer>',
  'assistant',
  'user',
  '\n',
  ' ',
  ...'0123456789',
  ...'abcdefgh',
];

const idByWord = new Map(words.map((word, id) => [word, id]));
const longestFirst = [...words].sort((a, b) => b.length - a.length);

/** The id of a word. */
export function idOf(word: string): number {
  const id = idByWord.get(word);
  if (id === undefined) throw new Error(`no word ${word}`);
  return id;
}

/** Ids of a text: the longest word at each place. */
export function idsOf(text: string): readonly number[] {
  const ids: number[] = [];
  for (let at = 0; at < text.length;) {
    const word = longestFirst.find((candidate) => text.startsWith(candidate, at));
    if (word === undefined) throw new Error(`no word at "${text.slice(at, at + 10)}"`);
    ids.push(idOf(word));
    at += word.length;
  }
  return ids;
}

const encoder = new TextEncoder();

/** The tokenizer of the toy vocabulary; no chat template. */
export const toyTokens: PolicyTokens = {
  encode: (text) => Promise.resolve(idsOf(text)),
  bytesOf: (id) => encoder.encode(words[id] ?? ''),
  isAdded: (id) => id < 6,
  added: new Map(words.slice(0, 6).map((word, id) => [word, id])),
  ends: [idOf('<|im_end|>')],
  vocabularySize: words.length,
  template: null,
  digest: 'toy',
};

/** Probabilities of the next word behind a prefix; words that are not named have none. */
export type NextWords = (prefix: readonly number[]) => Readonly<Record<string, number>>;

/** Log-probs of all ids behind a prefix. */
export function logprobsAfter(next: NextWords, prefix: readonly number[], temperature = 1): readonly number[] {
  const given = next(prefix);
  const scaled = words.map((word) => (given[word] === undefined ? -Infinity : Math.log(given[word]) / temperature));
  const sum = Math.log(scaled.reduce((total, value) => total + Math.exp(value), 0));
  return scaled.map((value) => value - sum);
}

/** mulberry32: numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A backend with these probabilities. */
export function knownBackend(next: NextWords, more: { readonly contextLength?: number } = {}): PolicyBackend {
  return {
    facts: {
      name: 'toy',
      kind: 'local',
      precision: 'f32',
      provider: 'cpu',
      attempts: [],
      vocabularySize: words.length,
      contextLength: more.contextLength ?? 512,
      selfTest: null,
      slowPath: null,
      warnings: [],
      provenance: [{ name: 'table', value: 'toy' }],
      provenanceId: 'toy',
    },
    score: (request, heard) => {
      heard(scoredBy(next, request));
      return Promise.resolve();
    },
    generate: (request, heard, signal) => {
      const samples = Array.from({ length: request.samples }, (_, sample) => {
        signal.throwIfAborted();
        const made = sampleOf(next, request, sample);
        for (const [at, id] of made.ids.entries()) heard({ sample, id, logprob: made.logprobs[at] ?? Number.NaN });
        return made;
      });
      return Promise.resolve(samples);
    },
    dispose: () => Promise.resolve(),
  };
}

function scoredBy(next: NextWords, { ids, positions, watched, top, temperature }: ScoreRequest): ScoredTokens {
  const rows = positions.map((position) => {
    const all = logprobsAfter(next, ids.slice(0, position));
    const own = ids[position] ?? -1;
    const ranked = [...all.keys()].sort((a, b) => (all[b] ?? 0) - (all[a] ?? 0)).slice(0, top);
    const tempered = temperature === undefined ? all : logprobsAfter(next, ids.slice(0, position), temperature);
    return { all, own, ranked, tempered: tempered[own] ?? Number.NaN };
  });
  const entropyOf = (all: readonly number[]): number =>
    all.reduce((sum, value) => (value === -Infinity ? sum : sum - Math.exp(value) * value), 0);
  return {
    first: 0,
    logprob: Float32Array.from(rows, ({ all, own }) => all[own] ?? Number.NaN),
    entropy: Float32Array.from(rows, ({ all }) => entropyOf(all)),
    rank: Float32Array.from(rows, ({ all, own }) => 1 + all.filter((value) => value > (all[own] ?? 0)).length),
    watched: Float32Array.from(rows.flatMap(({ all }) => watched.map((id) => all[id] ?? Number.NaN))),
    ...(temperature === undefined ? {} : { tempered: Float32Array.from(rows, (row) => row.tempered) }),
    topIds: Int32Array.from(rows.flatMap(({ ranked }) => ranked)),
    topLogprobs: Float32Array.from(rows.flatMap(({ all, ranked }) => ranked.map((id) => all[id] ?? Number.NaN))),
  };
}

function sampleOf(next: NextWords, request: GenerateRequest, sample: number): GeneratedSample {
  const random = seededRandom((request.seed + sample) * 2_654_435_761);
  const ids: number[] = [];
  const logprobs: number[] = [];
  let bannedMass = 0;
  while (ids.length < request.maximumTokens) {
    const prefix = [...request.prefix, ...ids];
    const plain = logprobsAfter(next, prefix);
    const tempered = logprobsAfter(next, prefix, request.temperature);
    const allowed = tempered.map((value, id) => (request.banned.includes(id) ? 0 : Math.exp(value)));
    bannedMass = Math.max(
      bannedMass,
      request.banned.reduce((sum, id) => sum + Math.exp(plain[id] ?? -Infinity), 0),
    );
    const id = drawn(allowed, random());
    ids.push(id);
    logprobs.push(plain[id] ?? Number.NaN);
    if (request.stop.includes(id)) return { sample, ids, logprobs, ended: 'stop', bannedMass, seenMass: 1 };
  }
  return { sample, ids, logprobs, ended: 'length', bannedMass, seenMass: 1 };
}

function drawn(weights: readonly number[], share: number): number {
  let left = share * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [id, weight] of weights.entries()) {
    left -= weight;
    if (left < 0 && weight > 0) return id;
  }
  return weights.findLastIndex((weight) => weight > 0);
}
