/** The replayer as the extension starts it: forked, asked over its port, cancelled, killed in the middle, left alone. */
import 'vscode-jsonrpc/node';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { UserError } from '../../../src/base/errors.ts';
import { startChild, type Child } from '../../../src/host/childProcess.ts';
import type { LogprobThresholds, ReplayEpisode, ReplayerApi, ReplayerEvents } from '../../../src/protocol/replay.ts';
import { openConnection, type Client } from '../../../src/protocol/rpc.ts';
import { builtBundles } from '../engine/bundles.ts';
import { until } from '../engine/logs.ts';
import { checkpointChoice, openedSample, sampleRollouts } from './sampleEpisodes.ts';

const bundles = builtBundles();
const sample = openedSample();
const children: Child[] = [];
const thresholds: LogprobThresholds = { sameMaximum: 1e-3, sameMean16: 0.02, sameP99of16: 0.3, nearMean: 0.1 };

afterEach(() => {
  for (const child of children.splice(0)) child.kill();
});

interface Started {
  readonly child: Child;
  readonly client: Client<ReplayerApi>;
  readonly told: { scored: number; texts: number; output: string };
}

async function start(): Promise<Started> {
  const workingFolder = join(sample.folder, 'working');
  await mkdir(workingFolder, { recursive: true });
  const told = { scored: 0, texts: 0, output: '' };
  const child = startChild({
    modulePath: bundles.replayer,
    argv: [],
    workingFolder,
    output: (line) => {
      told.output += `${line}\n`;
    },
  });
  children.push(child);
  const connection = openConnection(child.port);
  connection.on<ReplayerEvents>({
    scored: ({ tokens, values }) => {
      expect(tokens).toBeInstanceOf(Int32Array);
      expect(values.logprob).toHaveLength(tokens.length);
      told.scored += tokens.length;
    },
    branchText: () => {
      told.texts += 1;
    },
  });
  return { child, client: connection.client<ReplayerApi>(), told };
}

const choice = () => checkpointChoice('start', join(sample.folder, 'models'));
const [rollout] = sampleRollouts.filter(({ checkpoint }) => checkpoint === 'start');

async function episode(): Promise<ReplayEpisode> {
  if (rollout === undefined) throw new Error('no rollout');
  return sample.loggedEpisodeOf(rollout);
}

/** A branch that takes long enough to be stopped in the middle. */
const longBranch = {
  request: {
    id: 'long',
    turn: 2,
    intervention: { kind: 'no call' },
    samples: 64,
    seed: 1,
    temperature: 5,
    topP: 1,
    maximumTokens: 200,
  },
} as const;

describe('the replayer process', () => {
  it('loads a model, opens, scores and decides an episode', async () => {
    const { client, told } = await start();
    // Asked in the same tick in which the process was forked.
    const facts = await client.load({ choice: choice() });
    expect(facts).toMatchObject({ kind: 'local', precision: 'f32', provider: 'cpu' });
    expect(facts.provenance.map(({ name }) => name)).toContain('tokenizer');
    const page = await client.open({ episode: await episode(), first: 0 });
    const total = rollout?.tokens.length;
    expect(page).toMatchObject({ first: 0, total, count: total, source: 'logged ids' });
    expect(page.texts.join('')).toMatch(/<\|im_start\|>user\nWhat is .*<\|im_end\|>/);
    const verdict = await client.score({ thresholds, top: 4 });
    expect(verdict.verdict).toBe('same');
    expect(told.scored).toBe(rollout?.said.filter((said) => said === 1).length);
    const points = await client.decisions({});
    expect(points.slice(0, 2).map(({ turn, estimator }) => [turn, estimator])).toEqual([
      [2, 'siblings'],
      [2, 'hazard'],
    ]);
    expect(await client.open({ episode: null, first: 10 })).toMatchObject({ first: 10, total, count: page.total - 10 });
    expect(told.output).toBe('');
  });

  it('says in a sentence what cannot be done', async () => {
    const { client } = await start();
    await expect(client.decisions({})).rejects.toBeInstanceOf(UserError);
    const folder = join(sample.folder, 'nothing');
    await expect(client.load({ choice: { ...choice(), folder } })).rejects.toBeInstanceOf(UserError);
    // A failed load leaves it free for another one.
    await client.load({ choice: choice() });
    await expect(client.load({ choice: choice() })).rejects.toBeInstanceOf(UserError);
    await expect(client.score({ thresholds, top: 0 })).rejects.toBeInstanceOf(UserError);
    const wrong = { ...(await episode()), correct: false };
    await client.open({ episode: wrong, first: 0 });
    await expect(client.gains({})).rejects.toBeInstanceOf(UserError);
    await expect(client.branch({ request: { ...longBranch.request, turn: 1 } })).rejects.toBeInstanceOf(UserError);
  });

  it('settles a cancelled branch at once and goes on', async () => {
    const { client, told } = await start();
    await client.load({ choice: choice() });
    await client.open({ episode: await episode(), first: 0 });
    const controller = new AbortController();
    const branch = client.branch(longBranch, controller.signal);
    await new Promise((resolve) => setTimeout(resolve, 150));
    const asked = performance.now();
    controller.abort();
    await expect(branch).rejects.toHaveProperty('name', 'AbortError');
    expect(performance.now() - asked).toBeLessThan(500);
    const { verdict } = await client.score({ thresholds, top: 0 });
    expect(verdict).toBe('same');
    expect(performance.now() - asked).toBeLessThan(2_000);
    expect(told.output).toBe('');
  });

  it('is killed in the middle twenty times: what is pending rejects, the next one works', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { child, client } = await start();
      await client.load({ choice: choice() });
      await client.open({ episode: await episode(), first: 0 });
      const pending = client.branch(longBranch);
      await new Promise((resolve) => setTimeout(resolve, 20 + 5 * round));
      child.kill();
      await expect(pending).rejects.toThrow();
      expect(await until('it has ended', () => child.ended())).toBe('signal SIGKILL');
    }
    const { client } = await start();
    await client.load({ choice: choice() });
    await client.open({ episode: await episode(), first: 0 });
    expect((await client.score({ thresholds, top: 0 })).verdict).toBe('same');
  }, 120_000);
});
