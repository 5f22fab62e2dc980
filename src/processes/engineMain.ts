/**
 * Entry of the engine process. The host forks it with one argument, a JSON object of EngineParameters, and talks to it
 * over the IPC channel; it ends when that channel closes. Leaves out everything it answers (engine/engine.ts).
 */
import 'vscode-jsonrpc/node';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isObject, asNumber, asString } from '../base/json.ts';
import { createEngine, type EngineOptions } from '../engine/engine.ts';
import { processPort } from '../engine/processPort.ts';
import type { CurationEvents, JudgeHostApi } from '../protocol/curation.ts';
import type { EngineEvents } from '../protocol/engine.ts';
import { openConnection, type Client, type Emitter } from '../protocol/rpc.ts';

/** What the first argument may hold; all of it may be missing. */
type EngineParameters = Omit<EngineOptions, 'tell' | 'tellCuration' | 'askJudge' | 'workerPath'>;

/** Exit code after a bug, from sysexits.h: EX_SOFTWARE. */
const bugExitCode = 70;

function endWith(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(bugExitCode);
}

process.on('uncaughtException', endWith);
process.on('unhandledRejection', endWith);
process.on('disconnect', () => {
  process.exit(0);
});

function parametersOf(text: string | undefined): EngineParameters {
  const given: unknown = text === undefined ? {} : JSON.parse(text);
  const values = isObject(given) ? given : {};
  const numbers = ['memoryLimitMegabytes', 'maximumIndexMegabytes', 'rewardThreshold', 'readers', 'partBytes'] as const;
  const set = numbers.flatMap((name) => {
    const value = asNumber(values[name]);
    return value === null ? [] : [[name, value] as const];
  });
  const shippedIndex = asString(values['shippedIndex']);
  return {
    storage: asString(values['storage']) ?? join(tmpdir(), 'rollout-lens'),
    ...(shippedIndex === null ? {} : { shippedIndex }),
    ...Object.fromEntries(set),
  };
}

async function main(): Promise<void> {
  const port = processPort(process);
  const worker = join(dirname(process.argv[1] ?? ''), 'readWorker.cjs');
  // Questions wait in the port until the engine is open; what it tells before that would reach nobody.
  const told: { emitter: Emitter<EngineEvents & CurationEvents> | null; judge: Client<JudgeHostApi> | null } = {
    emitter: null,
    judge: null,
  };
  const engine = await createEngine({
    ...parametersOf(process.argv[2]),
    workerPath: existsSync(worker) ? worker : null,
    tell: {
      runsChanged: (params) => told.emitter?.runsChanged(params),
      stepsChanged: (params) => told.emitter?.stepsChanged(params),
      log: (params) => told.emitter?.log(params),
    },
    tellCuration: { curationProgress: (params) => told.emitter?.curationProgress(params) },
    askJudge: (params, signal) => {
      if (told.judge === null) throw new Error('a judge was asked before the engine was connected');
      return told.judge.askJudge(params, signal);
    },
  });
  const connection = openConnection(port);
  told.emitter = connection.emitter<EngineEvents & CurationEvents>();
  told.judge = connection.client<JudgeHostApi>();
  connection.serve(engine.handlers);
}

main().catch(endWith);
