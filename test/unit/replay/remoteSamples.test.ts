/** Samples of a policy on a server: by messages where the prefix is one, by tokens elsewhere; what a server lacks, and its limits. */
import { describe, expect, it } from 'vitest';
import { plainRequest } from '../../../src/cli/plainRequest.ts';
import { usualLogprobThresholds, type BranchRequest, type ReplayEpisode } from '../../../src/protocol/replay.ts';
import { replayTexts } from '../../../src/protocol/replayTexts.ts';
import { openModel } from '../../../src/replay/openModel.ts';
import { createReplaySession, type ReplaySession } from '../../../src/replay/replaySession.ts';
import { AnswerTooLong, jsonRequests, type Request } from '../../../src/replay/requests.ts';
import { checkpointChoice, sampleRollouts } from './sampleEpisodes.ts';
import { options, servedSample, tell } from './servedSample.ts';

const { sample, localSession, server } = servedSample();
const { signal } = options;

async function remoteSession(request: Request = plainRequest): Promise<ReplaySession> {
  const tokenizerFolder = checkpointChoice('start', '').folder;
  const { endpoint } = server();
  const choice = { kind: 'remote', endpoint, model: 'toy', tokenizerFolder, concurrency: 4 } as const;
  return createReplaySession({ ...(await openModel(choice, { ...options, request })), tell });
}

const tools = JSON.stringify([{ type: 'function', function: { name: 'python', parameters: {} } }]);

/** A rollout as a log of messages has it: no chat markers; `tools` as JSON, '' for none. */
async function messagesOf(offered: string): Promise<ReplayEpisode> {
  const [rollout] = sampleRollouts.filter(({ checkpoint }) => checkpoint === 'start');
  if (rollout === undefined) throw new Error('no rollout');
  return { ...(await sample.episodeOf(rollout)), exactText: null, tools: offered };
}

const request: BranchRequest = {
  id: 'a',
  turn: 2,
  intervention: { kind: 'no tools' },
  samples: 5,
  seed: 3,
  temperature: 1,
  topP: 0.95,
  maximumTokens: 60,
};

const otherResult: Partial<BranchRequest> = { intervention: { kind: 'other result', text: '31' } };
const noCall: Partial<BranchRequest> = { intervention: { kind: 'no call' } };

async function branched(session: ReplaySession, episode: ReplayEpisode, more: Partial<BranchRequest> = {}) {
  await session.open(episode);
  const { label, samples, warnings } = await session.branch({ ...request, ...more }, signal);
  return { label, warnings, samples };
}

/** The same texts, ends and answers, and log-probs to 1e-4. */
function expectSame(there: Awaited<ReturnType<typeof branched>>, here: Awaited<ReturnType<typeof branched>>): void {
  const words = ({ samples }: typeof here) =>
    samples.map(({ arm, sample: at, text, ended, answer, correct }) => ({ arm, at, text, ended, answer, correct }));
  expect(words(there)).toEqual(words(here));
  for (const [at, { logprob }] of here.samples.entries()) {
    expect(Math.abs((there.samples[at]?.logprob ?? Number.NaN) - logprob)).toBeLessThan(1e-4);
  }
}

const sampled = () => server().behaviour.paths.filter((path) => path.includes('completions'));

describe('a fork on a server', () => {
  it.each([
    ['without tools', tools, {}, 'asked by messages (/chat/completions); control by tokens (/completions)'],
    ['behind another result', '', otherResult, 'asked by messages (/chat/completions)'],
    ['with the opener banned', '', noCall, 'asked by tokens (/completions); control by messages (/chat/completions)'],
    ['where tools are offered', tools, otherResult, 'asked by tokens (/completions)'],
  ])('%s says how it was asked, and gives the samples of the model in its folder', async (_, offered, more, asked) => {
    const episode = await messagesOf(offered);
    const there = await branched(await remoteSession(), episode, more);
    const here = await branched(localSession(), episode, more);
    expectSame(there, here);
    expect(there.label.startsWith(here.label)).toBe(true);
    expect(there.label).toContain(` · ${asked}`);
    expect(there.warnings).toEqual(here.warnings);
    expect(sampled().some((path) => path.includes('chat'))).toBe(asked.includes('messages'));
  });

  it('sends messages as OpenAI’s form has them', async () => {
    await branched(await remoteSession(), await messagesOf(''), { turn: 4, ...noCall });
    await branched(await remoteSession(), await messagesOf(tools), { turn: 4 });
    const [body] = server().behaviour.chats.slice(-1);
    expect(body).toMatchObject({ model: 'toy', temperature: 1, top_p: 0.95, max_tokens: 60, logprobs: true });
    expect(body).not.toHaveProperty('tools');
    expect(body?.messages).toEqual([
      { role: 'system', content: 'You may call python.' },
      { role: 'user', content: 'What is 44 + 54?' },
      { role: 'assistant', content: expect.stringContaining('<tool_call>') as string },
      { role: 'user', content: expect.stringContaining('Code execution result') as string },
    ]);
  });

  it('stays with tokens where the log kept the text exactly', async () => {
    const episode = await messagesOf('');
    const [rollout] = sampleRollouts.filter(({ checkpoint }) => checkpoint === 'start');
    const exact = rollout === undefined ? episode : await sample.episodeOf(rollout);
    const there = await branched(await remoteSession(), exact, otherResult);
    expect(there.label).toContain('asked by tokens (/completions)');
    expect(sampled().every((path) => path === '/v1/completions')).toBe(true);
  });

  it('falls back to tokens where the server has no chat, and says why', async () => {
    server().behaviour.chat = false;
    const episode = await messagesOf('');
    const there = await branched(await remoteSession(), episode, otherResult);
    expectSame(there, await branched(localSession(), episode, otherResult));
    expect(there.label).toContain('asked by tokens (/completions)');
    expect(there.warnings.join()).toMatch(/takes no messages, so it was asked by tokens: .*404/);
    // It is asked for once, not for each sample.
    expect(sampled().filter((path) => path.includes('chat'))).toHaveLength(1);
  });

  it('says so where the template of the server is another one', async () => {
    server().behaviour.chatPreamble = '<|im_start|>system\nToday is Monday.<|im_end|>\n';
    const there = await branched(await remoteSession(), await messagesOf(''), otherResult);
    expect(there.warnings).toContain(replayTexts.otherPrompt);
  });
});

describe('a server', () => {
  it('that tells no log-probs of a prompt is sampled from all the same, and says what is missing', async () => {
    Object.assign(server().behaviour, { promptLogprobs: false, echo: false });
    const session = await remoteSession();
    expect(session.facts.warnings.join(' ')).toMatch(/tells no log-probs of a prompt/);
    const episode = await messagesOf('');
    const there = await branched(session, episode, otherResult);
    expectSame(there, await branched(localSession(), episode, otherResult));
    const verdict = await session.score({ thresholds: usualLogprobThresholds, top: 3 }, signal);
    expect(verdict).toMatchObject({ verdict: 'not logged', sentence: replayTexts.serverTells.none });
    // Siblings need no model; a hazard without one value would say 0.
    expect((await session.decisions(signal)).map(({ estimator }) => estimator)).toEqual(['siblings']);
    const settings = { turn: 2, samples: 8, seed: 1, temperature: 1, topP: 1 };
    const [own, other] = [localSession(), session];
    await own.open(episode);
    expect((await other.estimate(settings, signal)).callProbability).toBe(
      (await own.estimate(settings, signal)).callProbability,
    );
    await expect(session.gains(signal)).rejects.toThrow(/no log-probs of a prompt/);
  });

  it('that only echoes says so', async () => {
    server().behaviour.promptLogprobs = false;
    expect((await remoteSession()).facts.warnings.join(' ')).toMatch(/only by echoing it/);
  });

  it.each([
    [429, 0.05],
    [503, null],
    [503, new Date(Date.now() - 1_000).toUTCString()],
  ] as const)('that answers %i (Retry-After %s) is asked again', async (busyStatus, retryAfter) => {
    const session = await remoteSession();
    const episode = await messagesOf('');
    Object.assign(server().behaviour, { busy: 2, busyStatus, retryAfter });
    expectSame(await branched(session, episode, otherResult), await branched(localSession(), episode, otherResult));
  });

  it('that asks for a pause is given it', async () => {
    const session = await remoteSession();
    await session.open(await messagesOf(''));
    Object.assign(server().behaviour, { busy: 1, busyStatus: 429, retryAfter: 1 });
    const asked = performance.now();
    await session.score({ thresholds: usualLogprobThresholds, top: 0 }, signal);
    expect(performance.now() - asked).toBeGreaterThan(950);
  });

  it('that wants a key which is not there is a sentence', async () => {
    server().behaviour.key = 'secret';
    await expect(remoteSession()).rejects.toThrow(/answered 401: no such key/);
  });

  it('that writes more than it was asked for is refused', async () => {
    const session = await remoteSession();
    const episode = await messagesOf('');
    server().behaviour.excess = 40;
    await expect(branched(session, episode, { ...otherResult, maximumTokens: 4 })).rejects.toThrow(
      /wrote \d+ tokens where 4 were asked for/,
    );
  });

  it('whose answer does not end is refused, and not asked again', async () => {
    server().behaviour.padding = 3_000_000;
    let asked = 0;
    const bounded: Request = async (params, aborted) => {
      asked += 1;
      const answer = await plainRequest(params, aborted);
      if (answer.body.length > 1_000_000) throw new AnswerTooLong(params.url, 1_000_000);
      return answer;
    };
    const requests = jsonRequests(server().endpoint, bounded, 1);
    await expect(requests.get('/models', signal)).rejects.toThrow(/answered with more than 1 MB/);
    expect(asked).toBe(1);
  });

  it('settles at once when a fork by messages is cancelled', async () => {
    const session = await remoteSession();
    await session.open(await messagesOf(''));
    server().behaviour.busy = 1_000;
    const controller = new AbortController();
    const branch = session.branch({ ...request, ...otherResult, samples: 32 }, controller.signal);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const asked = performance.now();
    controller.abort();
    await expect(branch).rejects.toHaveProperty('name', 'AbortError');
    expect(performance.now() - asked).toBeLessThan(500);
  });
});
