/**
 * The sample's policies replay the sample's rollouts: tokens and log-probs are those of the trainer, each rollout is known
 * from those of other checkpoints, and decisions, counterfactuals and gains come out of the same session.
 */
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { usualLogprobThresholds as thresholds, type ReplayEpisode } from '../../../src/protocol/replay.ts';
import { openModel } from '../../../src/replay/openModel.ts';
import { createReplaySession, type ReplaySession } from '../../../src/replay/replaySession.ts';
import { checkpointChoice, checkpoints, openedSample, sampleRollouts } from './sampleEpisodes.ts';

const sample = openedSample();
const tolerance = 1e-4;
const { signal } = new AbortController();
const sessions = new Map<string, Promise<ReplaySession>>();

afterAll(async () => {
  for (const session of sessions.values()) await (await session).dispose();
});

function sessionOf(checkpoint: string): Promise<ReplaySession> {
  const known = sessions.get(checkpoint);
  if (known !== undefined) return known;
  const nobody = () => undefined;
  const tell = { scored: nobody, branchText: nobody, progress: nobody, log: nobody };
  const opened = openModel(checkpointChoice(checkpoint, join(sample.folder, 'models')), {
    signal,
    tell: nobody,
    request: () => Promise.reject(new Error('no network')),
  }).then(({ backend, tokens }) => createReplaySession({ backend, tokens, tell }));
  sessions.set(checkpoint, opened);
  return opened;
}

describe.each(checkpoints)('the policy %s', (checkpoint) => {
  const own = sampleRollouts.filter((one) => one.checkpoint === checkpoint);

  it('reads the exact text as the very tokens that were sampled', async () => {
    const session = await sessionOf(checkpoint);
    for (const rollout of own) {
      const aligned = await session.open(await sample.episodeOf(rollout));
      expect([...aligned.ids]).toEqual(rollout.tokens);
      expect([...aligned.scored]).toEqual(rollout.said);
      expect(aligned).toMatchObject({ source: 'exact text', misaligned: 0, left: 0 });
      expect(aligned.opener).toEqual({ call: '<tool_call>', answer: '<answer>' });
    }
  });

  it('reproduces the log-probs of the trainer', async () => {
    const session = await sessionOf(checkpoint);
    for (const rollout of own) {
      await session.open(await sample.loggedEpisodeOf(rollout));
      const verdict = await session.score({ thresholds, top: 4 }, signal);
      const { logprob } = session.scores();
      const errors = rollout.said.flatMap((said, at) =>
        said === 1 ? [Math.abs((logprob[at] ?? Number.NaN) - (rollout.logProbs[at] ?? Number.NaN))] : [],
      );
      expect(errors.length).toBeGreaterThan(5);
      expect(Math.max(...errors)).toBeLessThan(tolerance);
      expect(verdict).toMatchObject({ verdict: 'same', fits: 0 });
      expect(session.aligned().source).toBe('logged ids');
    }
  });
});

describe('another checkpoint', () => {
  // By one rollout a checkpoint may look like its neighbour; it never looks like the same.
  it.each([
    ['start', 'hdpo'],
    ['start', 'grpo'],
    ['hdpo', 'start'],
    ['hdpo', 'grpo'],
    ['grpo', 'start'],
    ['grpo', 'hdpo'],
  ] as const)('of %s is told from %s', async (wrote, speaks) => {
    const session = await sessionOf(speaks);
    const verdicts: string[] = [];
    for (const rollout of sampleRollouts.filter((one) => one.checkpoint === wrote)) {
      await session.open(await sample.loggedEpisodeOf(rollout));
      verdicts.push((await session.score({ thresholds, top: 0 }, signal)).verdict);
    }
    expect(verdicts).not.toContain('same');
    expect(new Set(verdicts)).not.toContain('not logged');
  });
});

describe('the temperature of a run', () => {
  it.each([0.6, 1.7])('%d is found where the log-probs were logged at it', async (temperature) => {
    const session = await sessionOf('hdpo');
    const rollout = sampleRollouts.find(({ checkpoint }) => checkpoint === 'hdpo');
    if (rollout === undefined) throw new Error('no rollout');
    const episode = { ...(await sample.loggedEpisodeOf(rollout)), temperature };
    // What a trainer at this temperature would log, from all alternatives of each token.
    const tempered = await temperedLogprobs(session, episode, temperature);
    const turns = episode.turns.map((turn) => {
      const { logprobs } = turn;
      const first = tempered.next(turn.turn);
      return logprobs === null ? turn : { ...turn, logprobs: Float32Array.from(logprobs, (_, at) => first[at] ?? 0) };
    });
    await session.open({ ...episode, turns });
    const verdict = await session.score({ thresholds, top: 0 }, signal);
    expect(verdict).toMatchObject({ verdict: 'same', fits: 1 });
    expect(verdict.agreements.map((one) => one.temperature)).toEqual([1, temperature]);
    expect(verdict.agreements[1]?.maximumAbsolute).toBeLessThan(1e-4);
    expect(verdict.agreements[0]?.meanAbsolute).toBeGreaterThan(1e-4);
  });
});

/** Log-probs at a temperature by summing over the whole vocabulary, one watched id at a time. */
async function temperedLogprobs(session: ReplaySession, episode: ReplayEpisode, temperature: number) {
  const aligned = await session.open(episode);
  const ids = [...aligned.ids];
  const positions = ids.flatMap((_, at) => (aligned.scored[at] === 1 ? [at] : []));
  const { backend } = await openModel(checkpointChoice('hdpo', join(sample.folder, 'models')), {
    signal,
    tell: () => undefined,
    request: () => Promise.reject(new Error('no network')),
  });
  const vocabulary = Array.from({ length: backend.facts.vocabularySize }, (_, id) => id);
  const values = new Map<number, number>();
  await backend.score(
    { ids, positions, watched: vocabulary, top: 0 },
    ({ first, logprob, watched }) => {
      for (const [row, own] of logprob.entries()) {
        const all = watched.subarray(row * vocabulary.length, (row + 1) * vocabulary.length);
        const sum = all.reduce((total, value) => total + Math.exp(value / temperature), 0);
        values.set(positions[first + row] ?? -1, own / temperature - Math.log(sum));
      }
    },
    signal,
  );
  await backend.dispose();
  return {
    next: (turn: number): readonly number[] =>
      positions.filter((at) => aligned.turn[at] === turn).map((at) => values.get(at) ?? Number.NaN),
  };
}

describe('a session on the sample', () => {
  it.each(['start', 'hdpo'] as const)('decides, samples, and measures what calls told (%s)', async (checkpoint) => {
    const session = await sessionOf(checkpoint);
    let calls = 0;
    let right = 0;
    for (const rollout of sampleRollouts.filter((one) => one.checkpoint === checkpoint)) {
      const episode = await sample.episodeOf(rollout);
      await session.open(episode);
      await session.score({ thresholds, top: 2 }, signal);
      const [siblings, hazard] = await session.decisions(signal);
      expect(siblings).toMatchObject({ estimator: 'siblings', turn: 2, n: episode.siblings?.count });
      expect(hazard).toMatchObject({
        estimator: 'hazard',
        turn: 2,
        called: episode.calls.some(({ turn }) => turn === 2),
      });
      const sampled = await session.estimate({ turn: 2, samples: 64, seed: 1, temperature: 1, topP: 1 }, signal);
      // Siblings and samples of the same policy on the same prompt estimate the same.
      expect(sampled.low ?? 1).toBeLessThanOrEqual(siblings?.high ?? 0);
      expect(sampled.high ?? 0).toBeGreaterThanOrEqual(siblings?.low ?? 1);
      if (episode.correct !== true) continue;
      right += 1;
      calls += episode.calls.length;
      const gains = await session.gains(signal);
      expect(gains.map(({ call }) => call)).toEqual(episode.calls.map(({ call }) => call));
      for (const { gain, withCall, withoutCall } of gains) expect(gain).toBeCloseTo(withCall - withoutCall, 6);
    }
    expect(right).toBeGreaterThan(0);
    if (checkpoint === 'start') expect(calls).toBeGreaterThan(0);
  });
});
