/** An engine in the test's own process, reading in its own thread, watching ten times as often as the real one. */
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { createEngine, type Engine, type EngineOptions } from '../../../src/engine/engine.ts';
import type { EngineApi, RolloutRow, RunSummary } from '../../../src/protocol/engine.ts';
import { noFilter } from '../../../src/protocol/engine.ts';
import type { ParamsOf, ResultOf } from '../../../src/protocol/rpc.ts';
import { temporaryFolder, until } from './logs.ts';

/** An engine and what it told. */
export interface TestEngine {
  readonly engine: Engine;
  readonly storage: string;
  readonly told: {
    readonly runs: RunSummary[][];
    readonly steps: (readonly number[] | null)[];
    readonly curation: { readonly what: string; readonly done: number; readonly of: number }[];
    readonly log: string[];
  };
  ask<K extends keyof EngineApi>(method: K, params: ParamsOf<EngineApi[K]>): Promise<ResultOf<EngineApi[K]>>;
  /** Opens a path and waits until its first run is read. */
  openAndRead(path: string): Promise<RunSummary>;
  settled(id: string): Promise<RunSummary>;
  /** All rollouts of a run in log order (at most 500). */
  rows(id: string): Promise<readonly RolloutRow[]>;
}

const open: Engine[] = [];

afterEach(async () => {
  for (const engine of open.splice(0)) await engine.dispose();
});

/** Makes an engine that ends with the test. */
export async function testEngine(options: Partial<EngineOptions> = {}): Promise<TestEngine> {
  const storage = options.storage ?? join(await temporaryFolder(), 'storage');
  const told: TestEngine['told'] = { runs: [], steps: [], curation: [], log: [] };
  const engine = await createEngine({
    storage,
    workerPath: null,
    readers: 2,
    watchIntervalMs: 200,
    tell: {
      runsChanged: ({ runs }) => told.runs.push([...runs]),
      stepsChanged: ({ steps }) => told.steps.push(steps),
      log: ({ level, message }) => told.log.push(`${level} ${message}`),
    },
    tellCuration: { curationProgress: (progress) => told.curation.push(progress) },
    ...options,
  });
  open.push(engine);
  const ask: TestEngine['ask'] = async (method, params) => {
    const handler = engine.handlers[method] as (params: unknown, signal: AbortSignal) => unknown;
    return (await handler(params, new AbortController().signal)) as ResultOf<EngineApi[typeof method]>;
  };
  const settled = async (id: string): Promise<RunSummary> => {
    await engine.library.run(id).whenSettled();
    const run = engine.library.run(id).summary();
    return run;
  };
  return {
    engine,
    storage,
    told,
    ask,
    settled,
    openAndRead: async (path) => {
      const [run] = await ask('open', { path });
      if (!run) throw new Error(`no run at ${path}`);
      await settled(run.id);
      return until('the run is read', async () => {
        const now = await settled(run.id);
        return now.state === 'ready' || now.state === 'partial' ? now : null;
      });
    },
    rows: async (id) => {
      const page = await ask('rollouts', { run: id, step: null, group: null, filter: noFilter, first: 0, count: 500 });
      return page.rows;
    },
  };
}
