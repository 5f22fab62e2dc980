// The engine process as the extension starts it: forked, asked over its port, watched for memory while it indexes.
import { fork } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { peakResidentBytes } from './measure.mjs';

/** Just enough JSON-RPC to ask: ids, results, errors. The product's own client is TypeScript (src/protocol/rpc.ts). */
export function client(child) {
  const waiting = new Map();
  let next = 0;
  child.on('message', (message) => {
    const call = waiting.get(message.id);
    if (!call || message.method) return;
    waiting.delete(message.id);
    if (message.error) call.reject(new Error(message.error.message));
    else call.resolve(message.result);
  });
  return (method, params) =>
    new Promise((resolve, reject) => {
      const id = `bench-${next++}`;
      waiting.set(id, { resolve, reject });
      child.send({ jsonrpc: '2.0', id, method, params });
    });
}

/** Opens a run in a fresh engine, waits until it is indexed, opens its first transcript. */
export async function engineBench({ root, directory, storage }) {
  await mkdir(storage, { recursive: true });
  const child = fork(join(root, 'dist', 'engineMain.cjs'), [JSON.stringify({ storage })], {
    serialization: 'advanced',
    execArgv: [],
  });
  try {
    const ask = client(child);
    const started = performance.now();
    const [opened] = await ask('open', { path: directory });
    let run = opened;
    let peakBytes = 0;
    while (run.state !== 'ready') {
      await new Promise((resolve) => setTimeout(resolve, 100));
      peakBytes = Math.max(peakBytes, peakResidentBytes(child.pid) ?? 0);
      run = (await ask('runs', {})).find(({ id }) => id === opened.id);
    }
    const seconds = (performance.now() - started) / 1000;
    const filter = {
      sort: null,
      descending: false,
      wrong: false,
      withCalls: false,
      redundant: false,
      pattern: null,
      text: '',
    };
    const page = await ask('rollouts', { run: run.id, step: null, group: null, filter, first: 0, count: 1 });
    const asked = performance.now();
    const { bytes } = await ask('transcript', { ref: page.rows[0].ref, path: directory, rest: null });
    const transcriptSeconds = (performance.now() - asked) / 1000;
    return { seconds, peakBytes, rollouts: run.rollouts, transcriptSeconds, transcriptBytes: bytes.length };
  } finally {
    child.kill();
  }
}
