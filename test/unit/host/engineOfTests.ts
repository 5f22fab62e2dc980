/**
 * A child process that answers a few questions of the engine's interface, and misbehaves on request: it is what
 * engineKeeper.test.ts starts, kills and starts again. Bundled by the test, since a child runs plain JavaScript.
 */
import 'vscode-jsonrpc/node';
import type { JudgeHostApi } from '../../../src/protocol/curation.ts';
import type { EngineApi, EngineEvents } from '../../../src/protocol/engine.ts';
import { openConnection } from '../../../src/protocol/rpc.ts';

const opened: string[] = [];
const connection = openConnection({
  send: (message) => process.send?.(message),
  onMessage: (listener) => process.on('message', listener),
  onClose: (listener) => process.on('disconnect', listener),
});
process.on('disconnect', () => process.exit(0));
console.error(
  `environment ${Object.keys(process.env)
    .filter((name) => /^(VSCODE|ELECTRON|NODE_OPTIONS)/.test(name))
    .join()}`,
);

connection.serve<Pick<EngineApi, 'open' | 'runs' | 'notes' | 'close' | 'cancelIndexing' | 'judge'>>({
  // Asks its host once, as the engine does for each row.
  judge: async ({ judge, prompt }, signal) => {
    const params = { judge, prompt, maximumTokens: 10 };
    const { text } = await connection.client<JudgeHostApi>().askJudge(params, signal);
    return { judged: 1, failed: 0, firstFailure: text };
  },
  open: ({ path }) => {
    opened.push(path);
    connection.emitter<EngineEvents>().log({ level: 'info', message: `opened ${path}` });
    return [];
  },
  // The number of paths that are open in this process, as the length of a list.
  runs: () => opened.map(() => ({}) as never),
  notes: () => new Promise(() => undefined),
  close: () => {
    throw new Error('a bug');
  },
  cancelIndexing: () => {
    // More than a pipe holds: an undrained pipe would block here for ever.
    process.stdout.write('x'.repeat(1_000_000));
    return null;
  },
});
