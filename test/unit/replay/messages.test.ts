/** What a replayer sends stays below 1 MB: pages of tokens, slices of scores, results of branches. */
import { serialize } from 'node:v8';
import { describe, expect, it } from 'vitest';
import type { AlignedEpisode, ScoredTokens } from '../../../src/protocol/replay.ts';
import type { PolicyBackend } from '../../../src/replay/backend.ts';
import { coalescedScores, coalescedTexts } from '../../../src/replay/coalesce.ts';
import { pageOf } from '../../../src/replay/replayerHandlers.ts';
import { createReplaySession } from '../../../src/replay/replaySession.ts';
import { episodeOf } from './episodes.ts';
import { idOf, knownBackend, toyTokens } from './knownPolicy.ts';

const mostBytes = 1_000_000;

function alignedOf(texts: readonly string[]): AlignedEpisode {
  const count = texts.length;
  return {
    count,
    ids: Int32Array.from({ length: count }, (_, at) => at),
    turn: new Int32Array(count),
    scored: new Uint8Array(count),
    texts,
    logged: new Float32Array(count),
    source: 'exact text',
    misaligned: 0,
    left: 0,
    opener: null,
    notes: [],
  };
}

describe('pages of tokens', () => {
  it.each([
    ['words', Array.from({ length: 120_000 }, (_, at) => ` word${at % 97}`)],
    ['Chinese', Array.from({ length: 90_000 }, () => '强化学习')],
    ['one letter each', Array.from({ length: 200_000 }, () => 'a')],
    ['a few long ones', Array.from({ length: 9 }, () => '字'.repeat(150_000))],
    ['none', []],
  ])('of %s fit, and together are all', (_, texts) => {
    const aligned = alignedOf(texts);
    const ids: number[] = [];
    for (let first = 0; first < Math.max(1, texts.length);) {
      const page = pageOf(aligned, first);
      expect(serialize(page).length).toBeLessThan(mostBytes * (texts.length === 9 ? 1.3 : 1));
      expect(page).toMatchObject({ first, total: texts.length, count: page.ids.length });
      ids.push(...page.ids);
      if (page.count === 0) break;
      first += page.count;
    }
    expect(ids).toEqual([...aligned.ids]);
  });
  it('beyond the end are empty', () => {
    expect(pageOf(alignedOf(['a']), 7)).toMatchObject({ first: 1, count: 0, total: 1 });
  });
});

function sliceOf(first: number, count: number, top: number): ScoredTokens {
  return {
    first,
    logprob: Float32Array.from({ length: count }, (_, row) => -(first + row)),
    entropy: new Float32Array(count),
    rank: new Float32Array(count).fill(1),
    watched: Float32Array.from({ length: count }, (_, row) => -2 * (first + row)),
    topIds: Int32Array.from({ length: count * top }, (_, at) => at % top),
    topLogprobs: new Float32Array(count * top),
  };
}

describe('events', () => {
  it.each([
    ['one large slice', [5_000], 64],
    ['many small ones', Array.from({ length: 300 }, () => 7), 8],
    ['no alternatives', [400, 400, 3], 0],
  ])('of %s come in order and fit', (_, counts, top) => {
    const positions = Array.from({ length: counts.reduce((sum, count) => sum + count, 0) }, (__, at) => 10 + at);
    const tokens: number[] = [];
    const logprobs: number[] = [];
    let messages = 0;
    const collector = coalescedScores(positions, Math.min(top, 5), (params) => {
      messages += 1;
      expect(serialize(params).length).toBeLessThan(mostBytes);
      expect(params.values.topIds).toHaveLength(params.tokens.length * Math.min(top, 5));
      expect(params.values.watched).toHaveLength(params.tokens.length);
      tokens.push(...params.tokens);
      logprobs.push(...params.values.logprob);
    });
    let first = 0;
    for (const count of counts) {
      collector.add(sliceOf(first, count, top));
      first += count;
    }
    collector.end();
    expect(tokens).toEqual(positions);
    expect(logprobs).toEqual(positions.map((_position, at) => -at));
    if (counts.length > 100) expect(messages).toBeLessThan(counts.length / 3);
  });

  it('of growing texts lose no letter', () => {
    const texts = new Map<string, string>();
    const collector = coalescedTexts((arm, sample, added) => {
      const key = `${arm} ${sample}`;
      texts.set(key, (texts.get(key) ?? '') + added);
    });
    for (const letter of 'abcdef') for (const sample of [0, 1]) collector.add('control', sample, letter);
    collector.end();
    expect([...texts]).toEqual([
      ['control 0', 'abcdef'],
      ['control 1', 'abcdef'],
    ]);
  });
});

describe('results of branches', () => {
  it('are cut to what fits, each sample to its share', async () => {
    const tell = {
      scored: () => undefined,
      branchText: () => undefined,
      progress: () => undefined,
      log: () => undefined,
    };
    const babbling: PolicyBackend = {
      ...knownBackend(() => ({ a: 1 }), { contextLength: 20_000 }),
      generate: ({ samples, maximumTokens }) => {
        const ids = Array.from({ length: maximumTokens }, () => idOf('a'));
        const common = { ids, logprobs: ids.map(() => 0), ended: 'length' as const, bannedMass: 0, seenMass: 1 };
        return Promise.resolve(Array.from({ length: samples }, (_, sample) => ({ sample, ...common })));
      },
    };
    const session = createReplaySession({ backend: babbling, tokens: toyTokens, tell });
    await session.open(
      episodeOf([
        { role: 'user', text: '7' },
        { role: 'policy', text: 'a<tool_call>5</tool_call>', calls: [0] },
        { role: 'tool', text: '8', observes: [0] },
        { role: 'policy', text: 'b' },
      ]),
    );
    const request = { id: 'x', turn: 1, intervention: { kind: 'other result', text: '9' } } as const;
    const drawn = { samples: 40, seed: 1, temperature: 1, topP: 1, maximumTokens: 6_000 };
    const result = await session.branch({ ...request, ...drawn }, new AbortController().signal);
    expect(result.samples).toHaveLength(80);
    expect(serialize(result).length).toBeLessThan(mostBytes);
    expect(result.samples.every(({ text }) => text.endsWith('a…'))).toBe(true);
  });
});
