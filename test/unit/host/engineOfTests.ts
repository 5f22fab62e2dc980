/**
 * A child process that answers a few questions of the engine's interface, and misbehaves on request: it is what
 * engineKeeper.test.ts starts, kills and starts again. Bundled by the test, since a child runs plain JavaScript.
 */
import 'vscode-jsonrpc/node';
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

connection.serve<Pick<EngineApi, 'open' | 'runs' | 'notes' | 'close' | 'cancelIndexing'>>({
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
