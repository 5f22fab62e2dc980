/** A replayer for tests: counts, sleeps with its thread blocked, dies, and asks the network, as it is told. */
import 'vscode-jsonrpc/node';
import type { NetworkApi, ReplayerApi, ReplayerEvents } from '../../../src/protocol/replay.ts';
import { openConnection, type Handlers, type Port } from '../../../src/protocol/rpc.ts';
import { requestInParts } from '../../../src/replay/requestParts.ts';
import { alignedOfTests, factsOfTests } from './replayOfTests.ts';

const port: Port = {
  send: (message) => {
    process.send?.(message);
  },
  onMessage: (listener) => {
    process.on('message', listener);
  },
  onClose: (listener) => {
    process.on('disconnect', listener);
  },
};
process.on('disconnect', () => process.exit(0));

const connection = openConnection(port);
const request = requestInParts(connection.client<NetworkApi>());
const events = connection.emitter<ReplayerEvents>();
const asked: string[] = [];

function blocked(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

const handlers: Handlers<ReplayerApi> = {
  load: async ({ choice }) => {
    asked.push('load');
    if (choice.kind === 'local' && choice.folder === 'broken') throw new Error('a bug of the model');
    if (choice.kind === 'remote') {
      const { status, body } = await request({ url: `${choice.endpoint}/models`, method: 'GET', body: null });
      return factsOfTests(`${status} ${body}`);
    }
    return factsOfTests(choice.kind === 'local' ? choice.folder : '');
  },
  open: ({ episode, first }) => {
    asked.push(episode === null ? `more ${first}` : `open ${episode.title}`);
    return { ...alignedOfTests(), first, total: 2, notes: [...asked] };
  },
  score: ({ top }) => {
    // Blocks the thread as a native run does: no cancellation is heard.
    blocked(top);
    return { verdict: 'not logged', agreements: [], fits: -1, outsideTopP: null, sentence: '' };
  },
  decisions: () => {
    process.kill(process.pid, 'SIGKILL');
    return [];
  },
  estimate: async ({ turn }, signal) => {
    events.progress({ what: 'samples', done: turn, of: 1 });
    await new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        reject(new DOMException('cancelled', 'AbortError'));
      });
    });
    throw new Error('never');
  },
  branch: () => {
    throw new Error('a bug of a branch');
  },
  gains: () => [],
};
connection.serve(handlers);
