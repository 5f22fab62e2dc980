// A server with the OpenAI API on loopback, a process of its own, that answers from a bundled policy: the same server that
// the unit tests of remote backends ask (test/unit/replay/localServer.ts).
//
// Leaves out: what the extension does with it.
import { fork, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import type { ServerBehaviour } from '../unit/replay/localServer.ts';

const repository = path.resolve(import.meta.dirname, '../..');

/** A running server. */
export interface PolicyServer {
  /** "http://127.0.0.1:PORT/v1" */
  readonly endpoint: string;
  /** What it was asked so far; with changes, after they took effect. */
  behaviour(changes?: Partial<ServerBehaviour>): Promise<ServerBehaviour>;
  stop(): Promise<void>;
}

const program = `
import { plainRequest } from './src/cli/plainRequest.ts';
import { openModel } from './src/replay/openModel.ts';
import { startLocalServer } from './test/unit/replay/localServer.ts';
const [folder, name, storage] = process.argv.slice(2);
const place = { variant: null, provider: 'cpu', chunk: null, memoryBudget: null, cudaFolder: null, storage };
const options = { signal: new AbortController().signal, tell: () => undefined, request: plainRequest };
const model = await openModel({ kind: 'local', folder, ...place }, options);
const { endpoint, behaviour } = await startLocalServer({ name, ...model });
process.on('message', (changes) => process.send(Object.assign(behaviour, changes)));
process.once('disconnect', () => process.exit(0));
process.send({ endpoint });
`;

/** Starts it with a policy of the bundled sample under a name. */
export async function startPolicyServer(checkpoint: 'start' | 'hdpo' | 'grpo', name: string): Promise<PolicyServer> {
  // Inside the repository, so that the native package is found where npm put it.
  await mkdir(path.join(repository, 'out'), { recursive: true });
  const folder = await mkdtemp(path.join(repository, 'out', 'server-'));
  const outfile = path.join(folder, 'server.mjs');
  const stdin = { contents: program, resolveDir: repository, loader: 'ts' } as const;
  const form = { bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' } as const;
  await build({ stdin, outfile, ...form });
  const model = path.join(repository, 'media', 'sample', 'checkpoints', checkpoint);
  const child = fork(outfile, [model, name, folder], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
  const { endpoint } = await messageOf<{ readonly endpoint: string }>(child);
  return {
    endpoint,
    behaviour: (changes = {}) => {
      child.send(changes);
      return messageOf<ServerBehaviour>(child);
    },
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.disconnect();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The next message, which is ours. */
function messageOf<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the policy server ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message as Message);
    });
  });
}
