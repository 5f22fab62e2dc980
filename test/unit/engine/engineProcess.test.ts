/** The engine as the extension starts it: forked, asked over its port, killed, and left alone by its parent. */
import 'vscode-jsonrpc/node';
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { UserError } from '../../../src/base/errors.ts';
import { noFilter, type EngineApi, type EngineEvents, type RunSummary } from '../../../src/protocol/engine.ts';
import { openConnection, type Client } from '../../../src/protocol/rpc.ts';
import { writeMetisRun } from '../../generate/metisRun.mjs';
import { builtBundles } from './bundles.ts';
import { dump, temporaryFolder, until, write } from './logs.ts';

const bundles = builtBundles();
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Started {
  readonly child: ChildProcess;
  readonly client: Client<EngineApi>;
  readonly told: { runs: readonly RunSummary[]; output: string };
}

async function start(storage: string | null = null, more: Readonly<Record<string, number>> = {}): Promise<Started> {
  const folder = storage ?? join(await temporaryFolder(), 'storage');
  const child = fork(bundles.engine, [JSON.stringify({ storage: folder, ...more })], {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  children.push(child);
  const told: Started['told'] = { runs: [], output: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes: Buffer) => {
      told.output += bytes.toString();
    });
  }
  const connection = openConnection({
    send: (message) => {
      child.send(message as object, () => undefined);
    },
    onMessage: (listener) => child.on('message', listener),
    onClose: (listener) => child.once('exit', listener),
  });
  connection.on<EngineEvents>({
    runsChanged: ({ runs }) => {
      told.runs = runs;
    },
  });
  return { child, client: connection.client<EngineApi>(), told };
}

const exitOf = (child: ChildProcess): Promise<number | string | null> =>
  new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(signal ?? code);
    });
  });

describe('the engine process', () => {
  it('answers what is asked before it is ready, reads in worker threads, and tells when it is done', async () => {
    const { client, told } = await start();
    const directory = join(await temporaryFolder(), 'run');
    await writeMetisRun({ directory, steps: 4, promptsPerStep: 4, rolloutsPerPrompt: 8, seed: 5 });
    // Asked in the same tick in which the process was forked.
    const [run] = await client.open({ path: directory });
    const done = await until('the run is read', () =>
      told.runs.find(({ id, state }) => id === run?.id && state === 'ready'),
    );
    expect(done).toMatchObject({ rollouts: 128, steps: 4, groups: 16 });
    const page = await client.rollouts({ run: done.id, step: 2, group: null, filter: noFilter, first: 0, count: 3 });
    const ref = page.rows[2]?.ref;
    if (!ref) throw new Error('no row');
    const { bytes } = await client.transcript({ ref, path: directory, rest: null });
    expect(Buffer.from(bytes).toString('utf8')).toContain(page.rows[2]?.question);
    expect((await client.curves({ run: done.id, first: 0 })).accuracy).toBeInstanceOf(Float64Array);
    expect(told.output).toBe('');
  });

  it('gives a UserError as a UserError, with its action', async () => {
    const { client } = await start();
    const path = join(await temporaryFolder(), 'missing');
    const error: unknown = await client.open({ path }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toHaveProperty('action', expect.stringContaining('path'));
  });

  it('rejects what is pending when it is killed, and leaves an index that the next one uses', async () => {
    const storage = join(await temporaryFolder(), 'storage');
    const directory = join(await temporaryFolder(), 'run');
    const lineBytes = { min: 30_000, max: 60_000 };
    await writeMetisRun({ directory, steps: 6, promptsPerStep: 8, rolloutsPerPrompt: 8, seed: 5, lineBytes });
    const first = await start(storage);
    await first.client.open({ path: directory });
    await until('something is read', () => first.told.runs.some(({ rollouts }) => rollouts > 0));
    const pending = [
      first.client.discover({ roots: [directory] }),
      first.client.runs({}),
      first.client.open({ path: directory }),
    ];
    first.child.kill('SIGKILL');
    const settled = await Promise.allSettled(pending);
    expect(settled.map(({ status }) => status)).toContain('rejected');
    const second = await start(storage);
    const [run] = await second.client.open({ path: directory });
    const done = await until('the run is read', () =>
      second.told.runs.find(({ id, state }) => id === run?.id && state === 'ready'),
    );
    expect(done).toMatchObject({ rollouts: 384, groups: 48, notes: 0 });
  });

  it('ends when its parent drops the channel, also in the middle of reading', async () => {
    const { child, client } = await start();
    const directory = join(await temporaryFolder(), 'run');
    await writeMetisRun({ directory, steps: 4, promptsPerStep: 8, rolloutsPerPrompt: 8, seed: 5 });
    await client.open({ path: directory });
    const exit = exitOf(child);
    child.disconnect();
    expect(await exit).toBe(0);
  });

  it('settles a call that is cancelled', async () => {
    const { client } = await start();
    const folder = await temporaryFolder();
    await write(join(folder, '1.jsonl'), dump({ prompt: 1 }));
    const controller = new AbortController();
    const call = client.discover({ roots: [folder] }, controller.signal);
    controller.abort();
    await expect(call).rejects.toHaveProperty('name', 'AbortError');
    expect(await client.runs({})).toBeInstanceOf(Array);
  });
});
