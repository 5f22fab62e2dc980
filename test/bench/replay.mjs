// Replay on the CPU: scoring and generating against a bare loop over the same graph, and against full logits whose
// log-softmax is taken in JavaScript. A random decoder with a vocabulary of 151,936, made when the bench runs.
//
// Each part is a process of its own (replayRuns.mjs), so that peaks of memory do not mix. Leaves out GPUs: none is here.
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { tinyDecoder, writeModel } from '../generate/tinyDecoder.mjs';

const run = promisify(execFile);

/** What the runs need of the replayer, bundled: the bench runs on the sources as they are. */
const parts = `
export { openLocalBackend } from './src/replay/local.ts';
export { prepareDecoder } from './src/replay/prepareGraph.ts';
export { openRuntime } from './src/replay/ortSession.ts';
`;

/** Gives ratios (ours over the other) and what they are made of; `tokens` are scored, half of it generated. */
export async function replayBench({ root, folder, tokens, vocabulary }) {
  const model = path.join(folder, 'replay-model');
  const program = path.join(root, 'out', 'bench', 'replayParts.mjs');
  await mkdir(path.dirname(program), { recursive: true });
  await build({
    stdin: { contents: parts, resolveDir: root, loader: 'ts' },
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  const size = { layers: 4, width: 256, heads: 4, keyHeads: 2, headSize: 64, inner: 704, context: 8192 };
  await writeModel(model, tinyDecoder({ ...size, vocabulary, attention: 'grouped' }), { data: true });
  const runs = path.join(root, 'test', 'bench', 'replayRuns.mjs');
  const measured = async (what) => {
    const { stdout } = await run(process.execPath, [runs, what, program, model, String(tokens), String(vocabulary)]);
    return JSON.parse(stdout);
  };
  const scoring = await measured('scoring');
  const decoding = await measured('decoding');
  const ours = await measured('ours');
  const logits = await measured('logits');
  const batch = await measured('batch');
  await rm(model, { recursive: true });
  return { scoring, decoding, ours, logits, batch, tokens, vocabulary };
}
