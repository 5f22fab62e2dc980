/** The engine's life with real processes: it starts with the first call, every pending call settles, it comes back. */
import 'vscode-jsonrpc/node';
import { build } from 'esbuild';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isAbort, UserError } from '../../../src/base/errors.ts';
import { startChild } from '../../../src/host/childProcess.ts';
import { defaultCuration, type JudgeHostApi } from '../../../src/protocol/curation.ts';
import { keepEngine, type EngineKeeper, type KeeperOptions } from '../../../src/host/engineKeeper.ts';

let folder = '';
let keeper: EngineKeeper | null = null;
const printed: string[] = [];
const states: string[] = [];
const logged: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'rollout-lens-'));
  await build({
    entryPoints: [path.join(import.meta.dirname, 'engineOfTests.ts')],
    outfile: path.join(folder, 'engine.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
  });
});
afterEach(() => {
  keeper?.dispose();
  for (const list of [printed, states, logged]) list.length = 0;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function keep(change: Partial<KeeperOptions> = {}, modulePath = path.join(folder, 'engine.cjs')): EngineKeeper {
  keeper = keepEngine({
    start: () =>
      Promise.resolve(
        startChild({ modulePath, argv: [], workingFolder: folder, output: (line) => void printed.push(line) }),
      ),
    prepare: () => Promise.resolve(),
    events: {
      runsChanged: () => undefined,
      stepsChanged: () => undefined,
      log: ({ message }) => void logged.push(message),
    },
    state: (state, reason) => void states.push(reason === null ? state : `${state}: ${reason}`),
    diedMessage: (reason) => ({ message: `ended: ${reason}`, action: 'again' }),
    ...change,
  });
  return keeper;
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );

describe('keepEngine', () => {
  it('starts nothing before the first call, and one process for many', async () => {
    const { engine } = keep();
    expect(states).toEqual([]);
    await Promise.all([engine.open({ path: '/a' }), engine.open({ path: '/b' })]);
    expect(await engine.runs({})).toHaveLength(2);
    expect(states).toEqual(['running']);
    expect(logged).toEqual(['opened /a', 'opened /b']);
  });

  it('serves what each new engine asks of its host', async () => {
    const ask = { runs: [], config: defaultCuration, judge: 'j', concurrency: 1 };
    const asked: string[] = [];
    const held = keep({
      serve: (connection) => {
        connection.serve<JudgeHostApi>({
          askJudge: ({ prompt }, signal) => {
            asked.push(prompt);
            if (prompt !== 'never') return { text: 'said', failure: null, retryAfterMs: null, again: true };
            return new Promise((_, reject) => {
              signal.addEventListener('abort', () => {
                reject(new Error('cancelled'));
              });
            });
          },
        });
      },
    });
    expect(await held.engine.judge({ ...ask, prompt: 'one' })).toMatchObject({ judged: 1, firstFailure: 'said' });
    process.kill(held.pid ?? 0, 'SIGKILL');
    await failure(held.engine.runs({}));
    expect(await held.engine.judge({ ...ask, prompt: 'two' })).toMatchObject({ firstFailure: 'said' });
    // A round that is cancelled in the host ends what the engine asked of it.
    const controller = new AbortController();
    const pending = failure(held.engine.judge({ ...ask, prompt: 'never' }, controller.signal));
    await expect.poll(() => asked).toEqual(['one', 'two', 'never']);
    controller.abort();
    expect(isAbort(await pending)).toBe(true);
    expect(await held.engine.judge({ ...ask, prompt: 'three' })).toMatchObject({ judged: 1 });
  });

  it('gives the child an environment of its own and drains its pipes', async () => {
    const { engine } = keep();
    await engine.cancelIndexing({ run: null });
    await engine.runs({});
    expect(printed).toContain('environment ELECTRON_RUN_AS_NODE');
  });

  it('settles a pending call when the engine is killed, and answers the next', async () => {
    const held = keep({ prepare: async (engine) => void (await engine.open({ path: '/remembered' })) });
    const pending = failure(held.engine.notes({ run: 'r', first: 0, count: 1 }));
    await held.engine.runs({});
    const first = held.pid;
    process.kill(first ?? 0, 'SIGKILL');
    const error = await pending;
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ message: 'ended: signal SIGKILL', action: 'again' });
    expect(held.state).toBe('died');
    // Open again before the next call goes through.
    expect(await held.engine.runs({})).toHaveLength(1);
    expect(held.pid).not.toBe(first);
    expect(states).toEqual(['running', 'died: signal SIGKILL', 'running']);
  });

  it('settles calls that are made while the engine is dying', async () => {
    const held = keep();
    await held.engine.runs({});
    process.kill(held.pid ?? 0, 'SIGKILL');
    const errors = await Promise.all(Array.from({ length: 20 }, () => failure(held.engine.runs({}))));
    for (const error of errors) if (error !== null) expect(error).toBeInstanceOf(UserError);
    expect(await held.engine.runs({})).toEqual([]);
  });

  it('passes a bug of the engine on as it is', async () => {
    const { engine } = keep();
    const error = await failure(engine.close({ run: 'r' }));
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(UserError);
    expect(String(error)).toContain('a bug');
  });

  it('settles a call that the caller cancels', async () => {
    const { engine } = keep();
    const abort = new AbortController();
    const pending = failure(engine.notes({ run: 'r', first: 0, count: 1 }, abort.signal));
    setTimeout(() => abort.abort(), 50);
    expect(await pending).toMatchObject({ name: 'AbortError' });
    expect(await engine.runs({})).toEqual([]);
  });

  it('says what is wrong where the bundle is missing', async () => {
    const held = keep({}, path.join(folder, 'missing.cjs'));
    expect(await failure(held.engine.runs({}))).toMatchObject({ name: 'UserError', message: 'ended: exit code 1' });
    expect(printed.join('\n')).toContain('missing.cjs');
  });

  it('tries again after a start that failed', async () => {
    let tries = 0;
    const { engine } = keep({
      start: () => {
        tries += 1;
        if (tries === 1) return Promise.reject(new UserError('no folder'));
        return Promise.resolve(
          startChild({
            modulePath: path.join(folder, 'engine.cjs'),
            argv: [],
            workingFolder: folder,
            output: () => undefined,
          }),
        );
      },
    });
    expect(await failure(engine.runs({}))).toMatchObject({ message: 'no folder' });
    expect(await engine.runs({})).toEqual([]);
  });

  it('rejects what is pending when the session ends, and ends the process', async () => {
    const held = keep();
    await held.engine.runs({});
    const pid = held.pid ?? 0;
    const pending = failure(held.engine.notes({ run: 'r', first: 0, count: 1 }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    held.dispose();
    expect(await pending).toBeInstanceOf(Error);
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
