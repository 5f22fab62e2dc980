/** The replayer's life with real processes: loaded once, deaths with back-off, deaf ones killed, idle ones ended. */
import 'vscode-jsonrpc/node';
import { build } from 'esbuild';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../../src/base/errors.ts';
import { startChild } from '../../../src/host/childProcess.ts';
import { keepReplayer, type ReplayerKeeper, type ReplayerOptions } from '../../../src/host/replayerKeeper.ts';
import { isBelow, replayerNetwork } from '../../../src/host/replayerNetwork.ts';
import { episodeOfTests, localChoice } from './replayOfTests.ts';

let folder = '';
let keeper: ReplayerKeeper | null = null;
let server: Server | null = null;
const states: string[] = [];
const progress: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'rollout-lens-'));
  await build({
    entryPoints: [path.join(import.meta.dirname, 'replayerOfTests.ts')],
    outfile: path.join(folder, 'replayer.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
  });
});
afterEach(() => {
  keeper?.dispose();
  server?.close();
  server = null;
  for (const list of [states, progress]) list.length = 0;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const quick = { windowMs: 60_000, backOffMs: 10, cancelGraceMs: 200, idleMs: 60_000 };

function keep(change: Partial<ReplayerOptions> = {}): ReplayerKeeper {
  keeper = keepReplayer({
    choice: localChoice('model'),
    start: () =>
      Promise.resolve(
        startChild({
          modulePath: path.join(folder, 'replayer.cjs'),
          argv: [],
          workingFolder: folder,
          output: () => undefined,
        }),
      ),
    network: replayerNetwork({
      endpoint: null,
      key: () => Promise.resolve(null),
      refused: (url) => `refused ${url}`,
      failed: (url) => ({ message: `failed ${url}`, action: '' }),
    }),
    events: {
      scored: () => undefined,
      branchText: () => undefined,
      progress: ({ what, done }) => void progress.push(`${what} ${done}`),
      log: () => undefined,
    },
    state: (state) => void states.push(state.state === 'died' ? `died ${state.reason} ${state.offerCpu}` : state.state),
    messages: {
      died: (reason) => ({ message: `ended: ${reason}`, action: 'again' }),
      tooOften: (reason) => ({ message: `too often: ${reason}`, action: 'later' }),
    },
    times: quick,
    ...change,
  });
  return keeper;
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );
const score = { thresholds: { sameMaximum: 0, sameMean16: 0, sameP99of16: 0, nearMean: 0 }, top: 0 };
const estimate = { turn: 1, samples: 1, seed: 1, temperature: 1, topP: 1 };

describe('keepReplayer', () => {
  it('starts nothing before it is asked, and loads once', async () => {
    const held = keep();
    expect(states).toEqual([]);
    await Promise.all([held.load(), held.load()]);
    const { notes } = await held.open(episodeOfTests('one'));
    expect(notes).toEqual(['load', 'open one']);
    expect(states).toEqual(['loading', 'ready']);
  });

  it('opens the episode again in a process that follows a death', async () => {
    const held = keep();
    const episode = episodeOfTests('one');
    await held.open(episode);
    expect(await failure(held.decisions({}))).toMatchObject({ name: 'UserError', message: 'ended: signal SIGKILL' });
    expect(held.state).toEqual({ state: 'died', reason: 'signal SIGKILL', offerCpu: false });
    expect((await held.more(1)).notes).toEqual(['load', 'open one', 'more 1']);
    expect((await held.open(episode)).notes).toEqual(['load', 'open one']);
  });

  it('starts three times in its time, then says so; the reason is kept', async () => {
    const held = keep();
    for (let death = 0; death < 3; death += 1) expect(await failure(held.decisions({}))).toBeInstanceOf(UserError);
    expect(await failure(held.gains({}))).toMatchObject({ message: 'too often: signal SIGKILL', action: 'later' });
    expect(states.filter((state) => state === 'ready')).toHaveLength(3);
  });

  it('forgets old deaths', async () => {
    const held = keep({ times: { ...quick, windowMs: 1 } });
    for (let death = 0; death < 4; death += 1) expect(await failure(held.decisions({}))).toBeInstanceOf(UserError);
    expect(await held.gains({})).toEqual([]);
  });

  it('offers the CPU after the second death on what may be a GPU, and never for the CPU itself', async () => {
    const held = keep({ choice: localChoice('model', { provider: 'webgpu' }) });
    // The facts of this model say "cpu"; a death while it loads could have been the GPU's.
    await held.load();
    await failure(held.decisions({}));
    expect(states.at(-1)).toBe('died signal SIGKILL false');
    keeper?.dispose();
    states.length = 0;
    const dying = keep({
      choice: localChoice('model', { provider: 'webgpu' }),
      start: () => {
        const child = startChild({
          modulePath: path.join(folder, 'replayer.cjs'),
          argv: [],
          workingFolder: folder,
          output: () => undefined,
        });
        child.kill();
        return Promise.resolve(child);
      },
    });
    await failure(dying.load());
    await failure(dying.load());
    expect(states.filter((state) => state.startsWith('died'))).toEqual([
      'died signal SIGKILL false',
      'died signal SIGKILL true',
    ]);
  });

  it('cancels softly: a process that listens lives on', async () => {
    const held = keep();
    await held.load();
    const { pid } = held;
    const abort = new AbortController();
    const pending = failure(held.estimate(estimate, abort.signal));
    await expect.poll(() => progress).toEqual(['samples 1']);
    abort.abort();
    expect(await pending).toMatchObject({ name: 'AbortError' });
    await new Promise((resolve) => setTimeout(resolve, quick.cancelGraceMs * 2));
    expect(held.pid).toBe(pid);
    expect(await held.gains({})).toEqual([]);
  });

  it('kills one that does not hear the cancellation', async () => {
    const held = keep();
    await held.load();
    const { pid } = held;
    const abort = new AbortController();
    const pending = failure(held.score({ ...score, top: 20_000 }, abort.signal));
    await new Promise((resolve) => setTimeout(resolve, 50));
    abort.abort();
    expect(await pending).toMatchObject({ name: 'AbortError' });
    await expect.poll(() => held.state.state, { timeout: 3_000 }).toBe('died');
    expect(await held.gains({})).toEqual([]);
    expect(held.pid).not.toBe(pid);
  });

  it('survives being killed twenty times', async () => {
    const held = keep({ times: { ...quick, windowMs: 0 } });
    const episode = episodeOfTests('one');
    for (let round = 0; round < 20; round += 1) {
      await held.open(episode);
      const pending = failure(held.estimate(estimate));
      process.kill(held.pid ?? 0, 'SIGKILL');
      expect(await pending).toBeInstanceOf(UserError);
    }
    expect((await held.open(episode)).notes).toEqual(['load', 'open one']);
  }, 60_000);

  it('ends what is not asked for a while, without calling it a death', async () => {
    const held = keep({ times: { ...quick, idleMs: 50 } });
    await held.load();
    await expect.poll(() => held.state.state).toBe('stopped');
    expect(held.pid).toBeUndefined();
    expect(await held.gains({})).toEqual([]);
    expect(states).toEqual(['loading', 'ready', 'stopped', 'loading', 'ready']);
  });

  it('passes a model that does not load on as it is, and tries again', async () => {
    const held = keep({ choice: localChoice('broken') });
    for (let round = 0; round < 2; round += 1)
      expect(String(await failure(held.load()))).toContain('a bug of the model');
  });

  it('serves the network of one endpoint, with the key that the child never sees', async () => {
    const heard: (string | undefined)[] = [];
    server = createServer((request, answer) => {
      heard.push(`${request.url} ${request.headers.authorization}`);
      answer.end('[]');
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const endpoint = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/v1`;
    const network = replayerNetwork({
      endpoint,
      key: () => Promise.resolve('secret'),
      refused: (url) => `refused ${url}`,
      failed: (url) => ({ message: `failed ${url}`, action: '' }),
    });
    const choice = { kind: 'remote', endpoint, model: 'm', tokenizerFolder: null, concurrency: 1 } as const;
    expect((await keep({ choice, network }).load()).name).toBe('200 []');
    expect(heard).toEqual(['/v1/models Bearer secret']);
    const ask = (url: string) => {
      const asked = network.request({ id: url, url, method: 'GET', body: null }, new AbortController().signal);
      return failure(Promise.resolve(asked));
    };
    expect(await ask('http://127.0.0.1:1/v1/models')).toMatchObject({ message: /^refused/ });
    server.close();
    server.closeAllConnections();
    expect(await ask(`${endpoint}/models`)).toMatchObject({ message: /^failed/ });
  });
});

describe('isBelow', () => {
  it.each([
    ['http://h:8000/v1/completions', 'http://h:8000/v1', true],
    ['http://h:8000/tokenize', 'http://h:8000/v1', true],
    ['http://h:8000/a/v1/completions', 'http://h:8000/a/v1/', true],
    ['http://h:8000/b/v1/completions', 'http://h:8000/a/v1', false],
    ['http://h:8001/v1/completions', 'http://h:8000/v1', false],
    ['https://h:8000/v1/completions', 'http://h:8000/v1', false],
    ['http://user@h:8000/v1/completions', 'http://h:8000/v1', false],
    ['http://h:8000/a/../../etc', 'http://h:8000/a/v1', false],
    ['file:///etc/passwd', 'file:///etc', false],
    ['no address', 'http://h:8000/v1', false],
  ])('%s below %s: %s', (url, endpoint, below) => {
    expect(isBelow(url, endpoint)).toBe(below);
  });
});
