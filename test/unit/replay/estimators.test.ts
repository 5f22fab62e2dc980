/**
 * Decisions, counterfactuals and gains against policies whose every probability is known: the estimators agree with what
 * enumeration gives, and say what they condition on.
 */
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/base/errors.ts';
import {
  usualLogprobThresholds,
  type AlignedEpisode,
  type BranchRequest,
  type ReplayEpisode,
} from '../../../src/protocol/replay.ts';
import { openerHazards } from '../../../src/replay/decide.ts';
import { createReplaySession, type ReplaySession } from '../../../src/replay/replaySession.ts';
import { episodeOf } from './episodes.ts';
import { idsOf, knownBackend, logprobsAfter, toyTokens, words, type NextWords } from './knownPolicy.ts';

const alignedNothing: AlignedEpisode = {
  count: 0,
  ids: new Int32Array(),
  turn: new Int32Array(),
  scored: new Uint8Array(),
  texts: [],
  logged: null,
  source: 'exact text',
  misaligned: 0,
  left: 0,
  opener: null,
  notes: [],
};
const { signal } = new AbortController();
const nobody = () => undefined;

function sessionOn(next: NextWords): ReplaySession {
  const tell = { scored: nobody, branchText: nobody, progress: nobody, log: nobody };
  return createReplaySession({ backend: knownBackend(next), tokens: toyTokens, tell });
}

const wordOf = (id: number | undefined): string => (id === undefined ? '' : (words[id] ?? ''));
const last = (prefix: readonly number[]): string => wordOf(prefix.at(-1));

/** A Markov chain: reasons in a and b, then calls, answers or ends. */
const chain: NextWords = (prefix) => {
  switch (last(prefix)) {
    case 'a':
      return { a: 0.3, b: 0.4, '<tool_call>': 0.2, '<answer>': 0.1 };
    case 'b':
      return { a: 0.5, '<tool_call>': 0.1, '<answer>': 0.4 };
    case '<answer>':
      return { 0: 0.6, 1: 0.4 };
    case '0':
    case '1':
      return { '</answer>': 1 };
    case '</answer>':
    case '</tool_call>':
      return { '<|im_end|>': 1 };
    case '<tool_call>':
      return { 5: 1 };
    case '5':
      return { '</tool_call>': 1 };
    default:
      return { a: 0.7, b: 0.3 };
  }
};
/** P(call before answer) of the chain, by solving x_a = .3 x_a + .4 x_b + .2 and x_b = .5 x_a + .1. */
const fromA = 0.24 / 0.5;
const fromB = 0.5 * fromA + 0.1;
const callOfChain = 0.7 * fromA + 0.3 * fromB;

const answered = episodeOf([
  { role: 'user', text: '7' },
  { role: 'policy', text: 'ab<answer>0</answer>' },
]);
const called = episodeOf(
  [
    { role: 'user', text: '7' },
    { role: 'policy', text: 'aa<tool_call>5</tool_call>', calls: [0] },
    { role: 'tool', text: '8', observes: [0] },
    { role: 'policy', text: 'b<answer>0</answer>' },
  ],
  { answer: '0', groundTruth: '0', correct: true, siblings: { count: 8, calledFirst: 6 } },
);

async function decided(next: NextWords, episode: ReplayEpisode) {
  const session = sessionOn(next);
  await session.open(episode);
  await session.score({ thresholds: usualLogprobThresholds, top: 2 }, signal);
  return session.decisions(signal);
}

describe('decisions', () => {
  it('the hazard along the recorded text is 1 − Π (1 − h) up to the recorded decision', async () => {
    // At "a": nothing; behind "a": 0.2; behind "b": 0.1, where the answer was opened.
    const [point] = await decided(chain, { ...answered, answer: null, groundTruth: null });
    expect(point).toMatchObject({ turn: 1, estimator: 'hazard', called: false, given: 'given this reasoning', n: 0 });
    expect(point?.callProbability).toBeCloseTo(1 - 0.8 * 0.9, 6);
  });

  it('siblings come first, later turns say on what they stand', async () => {
    const points = await decided(chain, called);
    expect(points.map(({ turn, estimator, given, called: did }) => ({ turn, estimator, given, did }))).toEqual([
      { turn: 1, estimator: 'siblings', given: '', did: true },
      { turn: 1, estimator: 'hazard', given: 'given this reasoning', did: true },
      { turn: 3, estimator: 'hazard', given: 'on the recorded prefix, given this reasoning', did: false },
    ]);
    expect(points[0]).toMatchObject({ callProbability: 0.75, n: 8, provenanceId: null });
    expect(points[0]?.low).toBeCloseTo(0.4093, 4);
    // aa<tool_call>: 0 at the first a, 0.2 behind each of the two.
    expect(points[1]?.callProbability).toBeCloseTo(1 - 0.8 * 0.8, 6);
  });

  it('is the first token where nothing is reasoned', async () => {
    const direct: NextWords = (prefix) =>
      last(prefix) === '\n' ? { '<tool_call>': 0.3, '<answer>': 0.7 } : { 0: 1, '<|im_end|>': 1 };
    const [point] = await decided(
      direct,
      episodeOf([
        { role: 'user', text: '<tool_call>' },
        { role: 'policy', text: '<answer>0' },
      ]),
    );
    expect(point).toMatchObject({ estimator: 'first token', given: '' });
    expect(point?.callProbability).toBeCloseTo(0.3, 6);
  });

  it('multiplies the tokens of an opener that has several, forced behind the record', async () => {
    // "<h>" is no word of the vocabulary: h opens a call only where g follows.
    const long: NextWords = (prefix) => {
      if (last(prefix) === '\n') return { a: 0.5, h: 0.5 };
      if (last(prefix) === 'h') return { g: 0.25, a: 0.75 };
      return last(prefix) === 'g' ? { '<|im_end|>': 1 } : { a: 0.6, h: 0.4 };
    };
    const deciding = { first: 5, end: 8, called: true, atOnce: false };
    const ids = idsOf('<|im_start|>user\n7<|im_end|>\n<|im_start|>assistant\nahg');
    const first = ids.length - 3;
    const firstToken = Float64Array.from([0.5, 0.4, 0]);
    const hazards = await openerHazards(
      { ids, episode: called, written: [], aligned: alignedNothing },
      { ...deciding, first, end: ids.length },
      { backend: knownBackend(long), opener: idsOf('hg'), firstToken, signal },
    );
    expect([...hazards].map((hazard) => Number(hazard.toFixed(6)))).toEqual([0.125, 0.1, 0]);
  });

  it('samples from the start of the turn converge to the chain', async () => {
    const session = sessionOn(chain);
    await session.open(called);
    const point = await session.estimate({ turn: 1, samples: 4_000, seed: 11, temperature: 1, topP: 1 }, signal);
    expect(point).toMatchObject({ estimator: 'Monte Carlo', n: 4_000, given: '', called: true });
    expect(point.low).toBeLessThan(callOfChain);
    expect(point.high).toBeGreaterThan(callOfChain);
    expect(Math.abs(point.callProbability - callOfChain)).toBeLessThan(0.02);
    const later = await session.estimate({ turn: 3, samples: 64, seed: 11, temperature: 1, topP: 1 }, signal);
    expect(later.given).toBe('on the recorded prefix');
  });

  it('is not available for a turn that the policy did not write', async () => {
    const session = sessionOn(chain);
    await session.open(called);
    const estimate = session.estimate({ turn: 2, samples: 4, seed: 1, temperature: 1, topP: 1 }, signal);
    await expect(estimate).rejects.toBeInstanceOf(UserError);
  });
});

describe('the comparison with logged log-probs', () => {
  it('counts tokens that top-p could not have drawn, and fits at temperature 1', async () => {
    const ids = idsOf('ab<answer>0</answer><|im_end|>');
    const opened = idsOf('<|im_start|>user\n7<|im_end|>\n<|im_start|>assistant\n');
    const logprobs = ids.map((id, at) => logprobsAfter(chain, [...opened, ...ids.slice(0, at)])[id] ?? Number.NaN);
    const verdictAt = async (topP: number) => {
      const session = sessionOn(chain);
      await session.open(
        episodeOf(
          [
            { role: 'user', text: '7' },
            { role: 'policy', text: 'ab<answer>0</answer>', ids, logprobs },
          ],
          { topP, temperature: 1 },
        ),
      );
      return session.score({ thresholds: usualLogprobThresholds, top: 0 }, signal);
    };
    expect(await verdictAt(0.9)).toMatchObject({ verdict: 'same', fits: 0, outsideTopP: 0 });
    // Behind b, "<answer>" has 0.4 where a has 0.5.
    expect((await verdictAt(0.45)).outsideTopP).toBeCloseTo(1 / 6, 9);
    expect((await verdictAt(1)).outsideTopP).toBe(0);
  });
});

const request: BranchRequest = {
  id: 'b',
  turn: 1,
  intervention: { kind: 'no call' },
  samples: 600,
  seed: 5,
  temperature: 1,
  topP: 1,
  maximumTokens: 60,
};

describe('counterfactuals', () => {
  it('rejected samples are the true conditional, and the label says so', async () => {
    // The answer tells which way was taken: by itself it answers 0 after a (rarely calls) and 1 after b (mostly calls).
    const split: NextWords = (prefix) => {
      const before = wordOf(prefix.at(-2));
      switch (last(prefix)) {
        case 'a':
          return { '<answer>': 0.9, '<tool_call>': 0.1 };
        case 'b':
          return { '<answer>': 0.2, '<tool_call>': 0.8 };
        case '<answer>':
          return before === 'a' ? { 0: 1 } : { 1: 1 };
        default:
          return chain(prefix);
      }
    };
    const start: NextWords = (prefix) => (last(prefix) === '\n' ? { a: 0.5, b: 0.5 } : split(prefix));
    const session = sessionOn(start);
    await session.open(called);
    const result = await session.branch(request, signal);
    expect(result.label).toMatch(/^conditional: samples with a call were rejected \(600 of [\d,]+ kept\)$/);
    // P(a | no call) = .5·.9 / (.5·.9 + .5·.2) = 9/11; banning the opener would give 1/2.
    expect(result.intervention.share).toBeGreaterThan(0.77);
    expect(result.intervention.share).toBeLessThan(0.87);
    expect(result.samples.filter(({ arm }) => arm === 'intervention').every(({ ended }) => ended === 'answered')).toBe(
      true,
    );
  });

  it('bans the opener where a call is nearly certain, and says that this is an intervention', async () => {
    const eager: NextWords = (prefix) => {
      if (last(prefix) === 'a') return { '<tool_call>': 0.97, '<answer>': 0.03 };
      return last(prefix) === '\n' ? { a: 1 } : chain(prefix);
    };
    const session = sessionOn(eager);
    await session.open(called);
    const result = await session.branch({ ...request, samples: 200 }, signal);
    expect(result.label).toMatch(/^intervention: the opener is banned/);
    expect(result.intervention).toMatchObject({ samples: 200, judged: 200 });
    expect(Math.abs((result.intervention.share ?? 0) - 0.6)).toBeLessThan(0.1);
    expect(result.control.samples).toBe(200);
    expect(result.difference?.value).toBeCloseTo((result.intervention.share ?? 0) - (result.control.share ?? 0), 9);
    expect(result.difference?.low).toBeLessThan(result.difference?.value ?? 0);
  });

  it('is the same for the same seed, and another for another', async () => {
    const texts = async (seed: number) => {
      const session = sessionOn(chain);
      await session.open(called);
      const { samples } = await session.branch({ ...request, samples: 8, seed }, signal);
      return samples.map(({ text }) => text);
    };
    expect(await texts(1)).toEqual(await texts(1));
    expect(await texts(1)).not.toEqual(await texts(2));
  });

  it('replaces what a call returned', async () => {
    // It answers what the tool said.
    const obedient: NextWords = (prefix) => {
      const heard = prefix.map(wordOf).findLast((word) => word === '8' || word === '9');
      if (last(prefix) === '<answer>') return { [heard ?? '0']: 1 };
      if (last(prefix) === '\n') return { '<answer>': 1 };
      return /^\d$/.test(last(prefix)) ? { '</answer>': 1 } : { '<|im_end|>': 1 };
    };
    const session = sessionOn(obedient);
    await session.open({ ...called, groundTruth: '8' });
    const other = { kind: 'other result', text: '9' } as const;
    const result = await session.branch({ ...request, samples: 4, intervention: other }, signal);
    expect(result.samples.map(({ arm, answer, correct }) => [arm, answer, correct])).toEqual([
      ...Array.from({ length: 4 }, () => ['intervention', '9', false]),
      ...Array.from({ length: 4 }, () => ['control', '8', true]),
    ]);
  });

  it('says where tools cannot be taken out', async () => {
    const session = sessionOn(chain);
    await session.open(called);
    const without = { ...request, samples: 2, intervention: { kind: 'no tools' } } as const;
    await expect(session.branch(without, signal)).rejects.toBeInstanceOf(UserError);
  });

  it('does not judge what called again or was cut, nor anything without a ground truth', async () => {
    const endless: NextWords = (prefix) => (last(prefix) === 'h' ? { h: 1 } : { h: 1 });
    const session = sessionOn(endless);
    await session.open({ ...called, groundTruth: null });
    const other = { kind: 'other result', text: '9' } as const;
    const { samples, control, difference } = await session.branch(
      { ...request, samples: 3, maximumTokens: 5, intervention: other },
      signal,
    );
    expect(samples.every(({ ended, correct }) => ended === 'cut' && correct === null)).toBe(true);
    expect(control).toEqual({ right: 0, judged: 0, samples: 3, share: null, low: null, high: null });
    expect(difference).toBeNull();
  });
});

describe('information gain', () => {
  /** Remembers whether the tool has spoken: then the answer is known. */
  const learning: NextWords = (prefix) => {
    const heard = prefix.some((id) => wordOf(id) === '8');
    if (last(prefix) === '<answer>') return heard ? { 4: 0.9, 5: 0.1 } : { 4: 0.3, 5: 0.7 };
    if (last(prefix) === '4') return heard ? { 2: 0.8, 3: 0.2 } : { 2: 0.5, 3: 0.5 };
    return { a: 1 };
  };
  const solved = (answer: string, more: Partial<ReplayEpisode> = {}): ReplayEpisode =>
    episodeOf(
      [
        { role: 'user', text: '7' },
        { role: 'policy', text: 'a<tool_call>5</tool_call>', calls: [0] },
        { role: 'tool', text: '8', observes: [0] },
        { role: 'policy', text: 'a<tool_call>6</tool_call>', calls: [1] },
        { role: 'tool', text: '9', observes: [1] },
        { role: 'policy', text: `ab<answer>${answer}</answer>` },
      ],
      { answer, groundTruth: answer, correct: true, ...more },
    );

  it('is the difference of the forced answer before the turn and behind the observation', async () => {
    const session = sessionOn(learning);
    await session.open(solved('42'));
    const gains = await session.gains(signal);
    const whole = idsOf('<answer>42');
    const direct = (text: string): number => {
      const ids = [...idsOf(text), ...whole];
      return [1, 2].reduce((sum, digit) => {
        const at = ids.length - 3 + digit;
        return sum + (logprobsAfter(learning, ids.slice(0, at))[ids[at] ?? -1] ?? Number.NaN);
      }, 0);
    };
    const opened = '<|im_start|>user\n7<|im_end|>\n<|im_start|>assistant\n';
    const first = `${opened}a<tool_call>5</tool_call><|im_end|>\n<|im_start|>user\n8<|im_end|>\n<|im_start|>assistant\n`;
    expect(gains.map(({ call }) => call)).toEqual([0, 1]);
    expect(gains[0]?.withoutCall).toBeCloseTo(direct(opened), 5);
    expect(gains[0]?.withCall).toBeCloseTo(direct(first), 5);
    expect(gains[0]?.gain).toBeCloseTo(Math.log((0.9 * 0.8) / (0.3 * 0.5)), 5);
    expect(gains[0]?.flagged).toBe(false);
    // The second call tells nothing that was not known: p(42) = 0.72 before it, no gain.
    expect(gains[1]?.gain).toBeCloseTo(0, 6);
    expect(gains[1]).toMatchObject({ flagged: true });
  });

  it('cuts all later text on both sides', async () => {
    const gainsOf = async (episode: ReplayEpisode) => {
      const session = sessionOn(learning);
      await session.open(episode);
      return (await session.gains(signal)).map(({ withCall, withoutCall }) => [withCall, withoutCall]);
    };
    const other = solved('42');
    const turns = other.turns.map((turn) => (turn.turn === 4 ? { ...turn, text: '3' } : turn));
    const [first] = await gainsOf(other);
    const [changed] = await gainsOf({ ...other, turns });
    expect(changed).toEqual(first);
  });

  it('is undefined for a wrong rollout and one without an answer', async () => {
    const session = sessionOn(learning);
    await session.open(solved('42', { correct: false }));
    await expect(session.gains(signal)).rejects.toBeInstanceOf(UserError);
    await session.open(episodeOf([{ role: 'user', text: '7' }], { correct: true }));
    await expect(session.gains(signal)).rejects.toBeInstanceOf(UserError);
  });
});
