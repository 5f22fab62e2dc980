/** A policy behind an OpenAI-compatible server says the same as the policy in its folder, busy or not, and can be stopped. */
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/base/errors.ts';
import { usualLogprobThresholds, type ModelChoice } from '../../../src/protocol/replay.ts';
import { openModel } from '../../../src/replay/openModel.ts';
import { createReplaySession, type ReplaySession } from '../../../src/replay/replaySession.ts';
import { checkpointChoice, sampleRollouts, type SampleRollout } from './sampleEpisodes.ts';
import { nobody, options, servedSample, tell } from './servedSample.ts';

const { sample, localSession, server } = servedSample();
const tolerance = 1e-4;
const { signal } = options;

function choice(more: Partial<Extract<ModelChoice, { kind: 'remote' }>> = {}): ModelChoice {
  const tokenizerFolder = checkpointChoice('start', '').folder;
  return { kind: 'remote', endpoint: server().endpoint, model: 'toy', tokenizerFolder, concurrency: 4, ...more };
}

const remoteSession = async (more = {}): Promise<ReplaySession> =>
  createReplaySession({ ...(await openModel(choice(more), options)), tell });

const rollouts = sampleRollouts.filter(({ checkpoint }) => checkpoint === 'start');
const rollout = (): SampleRollout => {
  const [first] = rollouts;
  if (first === undefined) throw new Error('no rollout');
  return first;
};

/** Scores a rollout and gives what a session then knows of it. */
async function scored(session: ReplaySession, one: SampleRollout) {
  await session.open(await sample.loggedEpisodeOf(one));
  const verdict = await session.score({ thresholds: usualLogprobThresholds, top: 3 }, signal);
  return { verdict, scores: session.scores(), decisions: await session.decisions(signal) };
}

describe('a policy on a server', () => {
  it.each(['prompt_logprobs', 'echo'] as const)('scores as the local one does (%s)', async (way) => {
    server().behaviour.promptLogprobs = way === 'prompt_logprobs';
    const remote = await remoteSession();
    expect(remote.facts).toMatchObject({ kind: 'remote', name: 'toy', precision: 'unknown' });
    for (const one of rollouts) {
      const there = await scored(remote, one);
      const here = await scored(localSession(), one);
      expect(there.verdict.verdict).toBe('same');
      for (const [at, value] of here.scores.logprob.entries()) {
        if (Number.isNaN(value)) continue;
        expect(Math.abs((there.scores.logprob[at] ?? Number.NaN) - value)).toBeLessThan(tolerance);
        // Servers that echo tell no rank: it is known of the alternatives alone.
        const rank = there.scores.rank[at] ?? Number.NaN;
        expect(way === 'echo' && Number.isNaN(rank) ? here.scores.rank[at] : rank).toBe(here.scores.rank[at]);
      }
      expect(there.decisions.map(({ turn, estimator, called }) => [turn, estimator, called])).toEqual(
        here.decisions.map(({ turn, estimator, called }) => [turn, estimator, called]),
      );
      for (const [at, { callProbability }] of here.decisions.entries()) {
        // An opener outside of the alternatives counts as impossible.
        expect(Math.abs((there.decisions[at]?.callProbability ?? Number.NaN) - callProbability)).toBeLessThan(1e-3);
      }
    }
  });

  it('gives gains and samples as the local one does', async () => {
    const [here, there] = [localSession(), await remoteSession()];
    const episode = await sample.episodeOf(rollout());
    const request = {
      id: 'a',
      turn: 2,
      intervention: { kind: 'no call' },
      samples: 6,
      seed: 3,
      temperature: 1,
      topP: 1,
      maximumTokens: 60,
    } as const;
    await here.open(episode);
    await there.open(episode);
    const [own, other] = [await here.gains(signal), await there.gains(signal)];
    expect(other.map(({ call }) => call)).toEqual(own.map(({ call }) => call));
    for (const [at, { withCall, withoutCall }] of own.entries()) {
      expect(Math.abs((other[at]?.withCall ?? Number.NaN) - withCall)).toBeLessThan(tolerance);
      expect(Math.abs((other[at]?.withoutCall ?? Number.NaN) - withoutCall)).toBeLessThan(tolerance);
    }
    const texts = async (session: ReplaySession) =>
      (await session.branch(request, signal)).samples.map(({ arm, text, ended, correct }) => ({
        arm,
        text,
        ended,
        correct,
      }));
    expect(await texts(there)).toEqual(await texts(here));
    expect(server().behaviour.mostInFlight).toBeGreaterThan(1);
    expect(server().behaviour.mostInFlight).toBeLessThanOrEqual(4);
  });

  it('cuts text by the server where there is no tokenizer folder', async () => {
    const session = await remoteSession({ tokenizerFolder: null });
    for (const one of rollouts) {
      const aligned = await session.open(await sample.episodeOf(one));
      expect([...aligned.ids]).toEqual(one.tokens);
      expect([...aligned.scored]).toEqual(one.said);
      expect(aligned.misaligned).toBe(0);
    }
  });

  it('waits while the server is busy, and takes fewer alternatives where it must', async () => {
    const session = await remoteSession();
    await session.open(await sample.loggedEpisodeOf(rollout()));
    Object.assign(server().behaviour, { busy: 2, retryAfter: 0.05, mostLogprobs: 5 });
    const verdict = await session.score({ thresholds: usualLogprobThresholds, top: 12 }, signal);
    expect(verdict.verdict).toBe('same');
  });

  it.each([
    ['another model', { model: 'other' }, /has no model other/],
    ['nobody at the address', { endpoint: 'http://127.0.0.1:9/v1' }, /./],
    ['an address that is no API', { endpoint: 'http://127.0.0.1:1/none' }, /./],
  ])('says so for %s', async (_, more, sentence) => {
    await expect(openModel(choice(more), options)).rejects.toThrow(sentence);
  });

  it('refuses ids and lengths before it asks', async () => {
    const { backend } = await openModel(choice(), options);
    const asked = server().behaviour.requests;
    const request = { positions: [1], watched: [], top: 0 };
    await expect(
      backend.score({ ids: [1, backend.facts.vocabularySize], ...request }, nobody, signal),
    ).rejects.toBeInstanceOf(UserError);
    const long = Array.from({ length: backend.facts.contextLength + 1 }, () => 1);
    await expect(backend.score({ ids: long, ...request }, nobody, signal)).rejects.toBeInstanceOf(UserError);
    expect(server().behaviour.requests).toBe(asked);
  });

  it('settles at once when it is cancelled', async () => {
    const session = await remoteSession();
    await session.open(await sample.episodeOf(rollout()));
    server().behaviour.busy = 1_000;
    const controller = new AbortController();
    const estimate = session.estimate({ turn: 2, samples: 32, seed: 1, temperature: 1, topP: 1 }, controller.signal);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const asked = performance.now();
    controller.abort();
    await expect(estimate).rejects.toHaveProperty('name', 'AbortError');
    expect(performance.now() - asked).toBeLessThan(500);
  });
});
