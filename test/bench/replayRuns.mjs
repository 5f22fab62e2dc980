// One side of the measurements of replay.mjs, a process of its own: node replayRuns.mjs SIDE PARTS MODEL TOKENS VOCABULARY
// It answers each message `{ what, … }` with `{ seconds }` (or `{ peakBytes }`) until it is told to end.
//
// Sides: `ours`; `bare`, session.run over the same edited graph and nothing else; `logits`, full logits whose log-softmax
// is taken in JavaScript; `transformers`, transformers.js where it is installed. Two runtimes in one process would slow
// each other down: their threads spin. Leaves out the checking of numbers: that is the unit tests' (test/unit/replay).
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [sideName, parts, model, tokensText, vocabularyText] = process.argv.slice(2);
const tokens = Number(tokensText);
const vocabulary = Number(vocabularyText);
// transformers.js brings its own copy of the native library.
const { InferenceSession, Tensor } = sideName === 'transformers' ? {} : await import('onnxruntime-node');
const { openLocalBackend, prepareDecoder, openRuntime } = sideName === 'transformers' ? {} : await import(parts);
// What the replayer takes for this vocabulary by itself.
const chunk = 64;
const signal = new AbortController().signal;
const ids = Array.from({ length: tokens }, (_, index) => (index * 7919) % vocabulary);
const file = path.join(model, 'onnx', 'model.onnx');
const integers = (values, dimensions) => new Tensor('int64', BigInt64Array.from(values, BigInt), dimensions);

/** An episode: turns of 60 tokens that the policy wrote, the rest of every 400 (share 0.15) is what it was given. */
const period = 400;
const scoredAt = (share) => (position) => position > 0 && position % period >= Math.round(period * (1 - share));
const positionsOf = (share) => [...ids.keys()].filter(share === 1 ? (position) => position > 0 : scoredAt(share));

// Another first token each time: a cache of the same text would answer for nothing.
let round = 0;
const fresh = () => [round++ % vocabulary, ...ids.slice(1)];

const prefixLength = 256;

const seconds = (started) => (performance.now() - started) / 1000;

async function ours() {
  const backend = await openLocalBackend(
    {
      kind: 'local',
      folder: model,
      variant: null,
      provider: 'cpu',
      chunk,
      memoryBudget: null,
      cudaFolder: null,
      storage: path.join(model, 'storage'),
    },
    { signal, tell: () => {} },
  );
  return {
    async score({ share }) {
      const positions = positionsOf(share);
      const request = { ids: fresh(), positions, watched: [1, 2], top: 5 };
      const started = performance.now();
      let heard = 0;
      await backend.score(request, ({ logprob }) => (heard += logprob.length), signal);
      if (heard !== positions.length) throw new Error(`${heard} of ${positions.length} scores`);
      return seconds(started);
    },
    /** Seconds a step; at temperature 0 the most probable token, like the others. */
    async generate({ count, samples, temperature }) {
      const request = {
        prefix: ids.slice(0, prefixLength),
        samples,
        seed: 1,
        temperature,
        topP: 1,
        topK: null,
        maximumTokens: count,
        stop: [],
        banned: [],
      };
      let started = 0;
      let told = 0;
      // From the first token on: the prefix is not what is measured.
      const heard = () => {
        if (told++ === 0) started = performance.now();
      };
      await backend.generate(request, heard, signal);
      return seconds(started) / (count - 1);
    },
  };
}

const emptySizes = ({ dimensions }) =>
  dimensions.map((size, axis) => (axis === 0 ? 1 : typeof size === 'number' ? size : 0));

/** The same edited graph, and nothing but session.run. */
async function bare() {
  const prepared = prepareDecoder(file, null);
  const runtime = await openRuntime(null);
  const session = await runtime.open(prepared, { provider: 'cpu', keptOnDevice: [] });
  const { states } = prepared.shape;
  const empty = () => Object.fromEntries(states.map((state) => [state.input, runtime.filled(1, 0, emptySizes(state))]));
  const step = async (some, past, cache, wanted) => {
    const count = wanted.length;
    const outputs = await session.run({
      ...cache,
      input_ids: integers(some, [1, some.length]),
      attention_mask: new Tensor('int64', new BigInt64Array(past + some.length).fill(1n), [1, past + some.length]),
      score_positions: integers(
        wanted.map(([position]) => position),
        [count],
      ),
      score_targets: integers(
        wanted.map(([, target]) => target),
        [1, count],
      ),
      score_watched: integers([1, 2], [2]),
      score_top_rows: integers([...wanted.keys()], [count]),
      score_scaled_rows: integers([0], [1]),
      score_sampled_row: integers([0], [1]),
      score_scale: new Tensor('float32', [1], []),
    });
    return [outputs, Object.fromEntries(states.map(({ input, output }) => [input, outputs[output]]))];
  };
  return {
    async score({ share }) {
      const isScored = new Set(positionsOf(share));
      const last = Math.max(...isScored);
      const text = fresh();
      const started = performance.now();
      let cache = empty();
      for (let first = 0; first < last; first += chunk) {
        const some = text.slice(first, Math.min(first + chunk, last));
        const wanted = some.flatMap((_, index) =>
          isScored.has(first + index + 1) ? [[index, text[first + index + 1]]] : [],
        );
        [, cache] = await step(some, first, cache, wanted.length > 0 ? wanted : [[0, 0]]);
      }
      return seconds(started);
    },
    async generate({ count }) {
      let cache = empty();
      for (let first = 0; first < prefixLength - 1; first += chunk) {
        const some = ids.slice(first, Math.min(first + chunk, prefixLength - 1));
        [, cache] = await step(some, first, cache, [[0, 0]]);
      }
      let last = ids[prefixLength - 1];
      let started = 0;
      for (let token = 0; token < count; token++) {
        const [outputs, next] = await step([last], prefixLength - 1 + token, cache, [[0, 0]]);
        cache = next;
        last = Number(outputs.score_top_id.data[0]);
        if (token === 0) started = performance.now();
      }
      return seconds(started) / (count - 1);
    },
  };
}

/** Full logits of all tokens; log-softmax and entropy in JavaScript, of the rows that are wanted alone. */
async function logits() {
  const session = await InferenceSession.create(file, { logSeverityLevel: 4 });
  const score = async ({ share }) => {
    const isScored = new Set(positionsOf(share));
    const started = performance.now();
    let cache = Object.fromEntries(
      session.inputMetadata
        .filter(({ name }) => name.startsWith('past'))
        .map(({ name, shape }) => [
          name,
          new Tensor('float32', new Float32Array(0), emptySizes({ dimensions: shape })),
        ]),
    );
    let total = 0;
    for (let first = 0; first < tokens - 1; first += chunk) {
      const some = ids.slice(first, Math.min(first + chunk, tokens - 1));
      const count = first + some.length;
      const outputs = await session.run({
        ...cache,
        input_ids: integers(some, [1, some.length]),
        attention_mask: new Tensor('int64', new BigInt64Array(count).fill(1n), [1, count]),
      });
      cache = Object.fromEntries(
        Object.keys(cache).map((name) => [name, outputs[name.replace('past_key_values', 'present')]]),
      );
      for (let row = 0; row < some.length; row++) {
        if (!isScored.has(first + row + 1)) continue;
        total += logprobIn(
          outputs.logits.data.subarray(row * vocabulary, (row + 1) * vocabulary),
          ids[first + row + 1],
        );
      }
    }
    if (!Number.isFinite(total)) throw new Error('no numbers');
    return seconds(started);
  };
  return { score };
}

/** Log-prob of an id and the entropy of its row, in one sum. */
function logprobIn(values, id) {
  let maximum = -Infinity;
  for (let at = 0; at < vocabulary; at++) if (values[at] > maximum) maximum = values[at];
  let sum = 0;
  let weighted = 0;
  for (let at = 0; at < vocabulary; at++) {
    const shifted = values[at] - maximum;
    const exp = Math.exp(shifted);
    sum += exp;
    weighted += exp * shifted;
  }
  return values[id] - maximum - Math.log(sum) + weighted / sum;
}

/** transformers.js on the same files; it has no teacher forcing, so only its generating is measured. */
async function transformers() {
  // As require finds it: a folder that NODE_PATH names counts.
  const found = createRequire(import.meta.url).resolve('@huggingface/transformers');
  const { AutoModelForCausalLM, env, Tensor: Values } = await import(pathToFileURL(found).href);
  env.allowRemoteModels = false;
  env.localModelPath = path.dirname(model);
  const opened = await AutoModelForCausalLM.from_pretrained(path.basename(model), { dtype: 'fp32', device: 'cpu' });
  const prefix = new Values('int64', BigInt64Array.from(ids.slice(0, prefixLength), BigInt), [1, prefixLength]);
  const mask = new Values('int64', new BigInt64Array(prefixLength).fill(1n), [1, prefixLength]);
  return {
    async generate({ count }) {
      let started = 0;
      let told = 0;
      const streamer = {
        // The prompt comes first, then a token at a time.
        put: () => {
          if (told++ === 1) started = performance.now();
        },
        end: () => {},
      };
      const question = { inputs: prefix, attention_mask: mask, max_new_tokens: count, do_sample: false, streamer };
      await opened.generate({ ...question, eos_token_id: -1 });
      if (told !== count + 1) throw new Error(`${told - 1} of ${count} tokens`);
      return seconds(started) / (count - 1);
    },
  };
}

/** Peak resident bytes of this process; null where the system does not say. */
function peakBytes() {
  const match =
    process.platform === 'linux' ? /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) : null;
  return match ? Number(match[1]) * 1024 : null;
}

const sides = { ours, bare, logits, transformers };
const side = await sides[sideName]();
process.on('message', async ({ what, ...question }) => {
  try {
    process.send(what === 'peak' ? { peakBytes: peakBytes() } : { seconds: await side[what](question) });
  } catch (error) {
    process.send({ failure: String(error) });
  }
});
process.once('disconnect', () => process.exit(0));
process.send({ ready: true });
