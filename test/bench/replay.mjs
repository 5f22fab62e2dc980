// Replay on the CPU: scoring and generating against a bare loop over the same graph, against full logits whose log-softmax
// is taken in JavaScript, and against transformers.js where it is installed. A random decoder with a vocabulary of 151,936,
// made when the bench runs.
//
// Each side is a process of its own (replayRuns.mjs), asked in turn, in another order each round; ratios are medians over
// rounds. Leaves out GPUs: none is here.
import { fork } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { tinyDecoder, writeModel } from '../generate/tinyDecoder.mjs';

/** What the runs need of the replayer, bundled: the bench runs on the sources as they are. */
const parts = `
export { openLocalBackend } from './src/replay/local.ts';
export { prepareDecoder } from './src/replay/prepareGraph.ts';
export { openRuntime } from './src/replay/ortSession.ts';
`;

const rounds = 11;
/** Of an episode, as was measured before the replayer was written: the rest is prompts and observations. */
const policyShare = 0.15;

/** Gives ratios (ours over the other, medians over rounds) and what they are made of; `tokens` are run, an eighth generated. */
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
  const open = (side) => openSide(runs, [side, program, model, String(tokens), String(vocabulary)]);
  try {
    const count = Math.max(32, Math.round(tokens / 8));
    const greedy = { what: 'generate', count, samples: 1, temperature: 0 };
    const shared = { what: 'score', share: policyShare };
    const whole = { what: 'score', share: 1 };
    return {
      scoring: await compared(open, ['ours', 'bare'], whole),
      sharedScoring: await compared(open, ['ours', 'bare'], shared),
      decoding: await compared(open, ['ours', 'bare'], greedy),
      sharedLogits: await compared(open, ['ours', 'logits'], shared),
      logits: await compared(open, ['ours', 'logits'], whole),
      transformers: await comparedWithTransformers(open, { ...greedy, model, size, vocabulary }),
      batch: await batched(open, { ...greedy, temperature: 1 }),
      policyShare,
      tokens,
      vocabulary,
    };
  } finally {
    await rm(model, { recursive: true });
  }
}

/** A process that measures; `ask` gives seconds. Rejects where it cannot start or a measurement fails. */
async function openSide(program, argv) {
  const child = fork(program, argv, { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] });
  let said = '';
  child.stderr.on('data', (bytes) => (said += bytes));
  const answer = () =>
    new Promise((resolve, reject) => {
      const ended = () => reject(new Error(said.split('\n').find((line) => /^\w*Error\b/.test(line)) ?? 'it ended'));
      child.once('exit', ended);
      child.once('message', (message) => {
        child.off('exit', ended);
        if (message.failure === undefined) resolve(message);
        else reject(new Error(message.failure));
      });
    });
  await answer();
  return {
    async ask(question) {
      child.send(question);
      return answer();
    },
    close: () =>
      new Promise((resolve) => {
        child.once('exit', resolve);
        child.disconnect();
      }),
  };
}

/** Two sides in turn: the ratio of each round, its median, and the medians and peaks of both. */
async function compared(open, names, question) {
  const sides = [];
  try {
    for (const name of names) sides.push(await open(name));
    const times = names.map(() => []);
    const measure = async (at) => {
      const { seconds } = await sides[at].ask(question);
      times[at].push(seconds);
    };
    for (let round = 0; round <= rounds; round++) {
      for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) await measure(at);
    }
    // The first of each packs weights and grows arenas.
    const [own, other] = times.map((list) => list.slice(1));
    const [ownPeak, otherPeak] = await Promise.all(
      sides.map(async (side) => (await side.ask({ what: 'peak' })).peakBytes),
    );
    return {
      ratio: median(own.map((value, round) => value / other[round])),
      // Other work on the machine makes rounds slower, never faster.
      bestRatio: Math.min(...own) / Math.min(...other),
      ours: median(own),
      other: median(other),
      rounds,
      oursPeakBytes: ownPeak,
      otherPeakBytes: otherPeak,
    };
  } finally {
    for (const side of sides) await side.close();
  }
}

/** Null with the reason where transformers.js is not installed: it is 500 MB and no dependency of ours. */
async function comparedWithTransformers(open, { model, size, vocabulary, ...question }) {
  await writeFile(path.join(model, 'config.json'), JSON.stringify(llamaConfig(size, vocabulary)));
  try {
    return await compared(open, ['ours', 'transformers'], question);
  } catch (error) {
    return { missing: error.message };
  }
}

/** What transformers.js reads of a model: the sizes of its caches. */
function llamaConfig({ layers, width, heads, keyHeads, headSize, inner, context }, vocabulary) {
  return {
    model_type: 'llama',
    architectures: ['LlamaForCausalLM'],
    hidden_size: width,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keyHeads,
    head_dim: headSize,
    intermediate_size: inner,
    max_position_embeddings: context,
    vocab_size: vocabulary,
  };
}

async function batched(open, question) {
  const side = await open('ours');
  try {
    const steps = async (samples) => (await side.ask({ ...question, samples })).seconds;
    await steps(1);
    const [one, sixteen] = [await steps(1), await steps(16)];
    return { one, sixteen, speedup: (16 * one) / sixteen };
  } finally {
    await side.close();
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
