/** Curation in the engine's own process: it asks its host for judgements over the same port, tells progress, and resumes. */
import 'vscode-jsonrpc/node';
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { defaultCuration, type CurationEvents, type JudgeHostApi } from '../../../../src/protocol/curation.ts';
import type { EngineApi, EngineEvents, RunSummary } from '../../../../src/protocol/engine.ts';
import { judgePrompts } from '../../../../src/protocol/judgePrompt.ts';
import { openConnection, type Client, type Handlers } from '../../../../src/protocol/rpc.ts';
import { writeMetisRun } from '../../../generate/metisRun.mjs';
import { builtBundles } from '../bundles.ts';
import { temporaryFolder, until } from '../logs.ts';
import { curationFixture } from './curationOfTests.ts';
import { verdict } from './judgeServer.ts';

const bundles = builtBundles();
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Started {
  readonly child: ChildProcess;
  readonly client: Client<EngineApi>;
  readonly told: { runs: readonly RunSummary[]; readonly progress: { readonly what: string; readonly done: number }[] };
}

function start(storage: string, askJudge: Handlers<JudgeHostApi>['askJudge']): Started {
  const child = fork(bundles.engine, [JSON.stringify({ storage })], {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.push(child);
  const told: Started['told'] = { runs: [], progress: [] };
  const connection = openConnection({
    send: (message) => {
      child.send(message as object, () => undefined);
    },
    onMessage: (listener) => child.on('message', listener),
    onClose: (listener) => child.once('exit', listener),
  });
  connection.on<EngineEvents & CurationEvents>({
    runsChanged: ({ runs }) => {
      told.runs = runs;
    },
    curationProgress: (progress) => told.progress.push(progress),
  });
  connection.serve<JudgeHostApi>({ askJudge });
  return { child, client: connection.client<EngineApi>(), told };
}

async function openRun({ client, told }: Started, path: string): Promise<string> {
  const [run] = await client.open({ path });
  const ready = await until('the run is read', () =>
    told.runs.find(({ id, state }) => id === run?.id && state === 'ready'),
  );
  return ready.id;
}

const answer = { text: verdict(1), failure: null, retryAfterMs: null, again: true };

describe('the engine process', () => {
  it('asks its host, tells how far it is, and goes on where it was killed', async () => {
    const storage = join(await temporaryFolder(), 'storage');
    const asked: string[] = [];
    const slowly: Handlers<JudgeHostApi>['askJudge'] = async ({ prompt }) => {
      asked.push(prompt);
      await new Promise((resolve) => setTimeout(resolve, asked.length > 4 ? 60_000 : 10));
      return answer;
    };
    const first = start(storage, slowly);
    const config = { ...defaultCuration, stage: 'sft' as const };
    const params = { config, prompt: judgePrompts.sft, judge: 'host', concurrency: 1 };
    const run = await openRun(first, join(curationFixture, 'sft'));
    const under = first.client.judge({ runs: [run], ...params });
    await until('the fifth row is asked', () => asked.length === 5);
    await until('progress was told', () => first.told.progress.some(({ what }) => what === 'judging'));
    first.child.kill('SIGKILL');
    await expect(under).rejects.toThrow();
    const second = start(storage, ({ prompt }) => {
      asked.push(prompt);
      return answer;
    });
    const again = await openRun(second, join(curationFixture, 'sft'));
    const { cached, requests } = await second.client.estimateJudge({ runs: [again], ...params });
    expect(cached).toBe(4);
    expect(await second.client.judge({ runs: [again], ...params })).toMatchObject({ judged: requests, failed: 0 });
    expect(asked).toHaveLength(5 + requests);
  });

  it('settles what is cancelled, and answers other questions meanwhile', async () => {
    const engine = start(join(await temporaryFolder(), 'storage'), () => new Promise(() => undefined));
    const directory = join(await temporaryFolder(), 'run');
    await writeMetisRun({ directory, steps: 4, promptsPerStep: 16, rolloutsPerPrompt: 16, seed: 5 });
    const run = await openRun(engine, directory);
    const stop = new AbortController();
    const reading = engine.client.prepareCuration({ runs: [run] }, stop.signal);
    stop.abort();
    await expect(reading).rejects.toHaveProperty('name', 'AbortError');
    expect(await engine.client.prepareCuration({ runs: [run] })).toEqual({ rollouts: 1024 });
    const config = { ...defaultCuration, stage: 'rl' as const };
    const judging = new AbortController();
    const params = { runs: [run], config, prompt: 'Judge.', judge: 'host', concurrency: 4 };
    const under = engine.client.judge(params, judging.signal);
    const funnel = await engine.client.funnel({ runs: [run], config });
    expect(funnel.rows).toBe(64);
    judging.abort();
    await expect(under).rejects.toHaveProperty('name', 'AbortError');
  });
});
