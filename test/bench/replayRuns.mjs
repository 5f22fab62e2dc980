// One measurement of replay.mjs, printed as JSON: node replayRuns.mjs WHAT PARTS MODEL TOKENS VOCABULARY
//
// `scoring` and `decoding` alternate ours and a bare loop in one process and take the best of each; `ours` and `logits` are
// alone in theirs, for their memory. Leaves out the checking of numbers: that is the unit tests' (test/unit/replay).
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const [what, parts, model, tokensText, vocabularyText] = process.argv.slice(2);
const tokens = Number(tokensText);
const vocabulary = Number(vocabularyText);
const { openLocalBackend, prepareDecoder, openRuntime } = await import(parts);
// What the replayer takes for this vocabulary by itself.
const chunk = 64;
const signal = new AbortController().signal;
const ids = Array.from({ length: tokens }, (_, index) => (index * 7919) % vocabulary);
const positions = ids.slice(1).map((_, index) => index + 1);

const openOurs = () =>
  openLocalBackend(
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
// Another first token each time: a cache of the same text would answer for nothing.
let round = 0;
const fresh = () => [round++ % vocabulary, ...ids.slice(1)];

async function score(backend) {
  const started = performance.now();
  let heard = 0;
  await backend.score(
    { ids: fresh(), positions, watched: [1, 2], top: 5 },
    ({ logprob }) => (heard += logprob.length),
    signal,
  );
  if (heard !== positions.length) throw new Error(`${heard} of ${positions.length} scores`);
  return (performance.now() - started) / 1000;
}

const file = path.join(model, 'onnx', 'model.onnx');
const integers = (values, dimensions) => new Tensor('int64', BigInt64Array.from(values, BigInt), dimensions);

/** The same edited graph, and nothing but session.run. */
async function openBare() {
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
  return { empty, step };
}

const emptySizes = ({ dimensions }) =>
  dimensions.map((size, axis) => (axis === 0 ? 1 : typeof size === 'number' ? size : 0));

async function scoreBare({ empty, step }) {
  const text = fresh();
  const started = performance.now();
  let cache = empty();
  for (let first = 0; first < tokens - 1; first += chunk) {
    const some = text.slice(first, Math.min(first + chunk, tokens - 1));
    [, cache] = await step(
      some,
      first,
      cache,
      some.map((_, index) => [index, text[first + index + 1]]),
    );
  }
  return (performance.now() - started) / 1000;
}

const prefixLength = 256;
const generated = Math.max(32, Math.round(tokens / 8));

/** Milliseconds a step; at temperature 0 the most probable token, like the bare loop. */
async function generate(backend, { samples, temperature }) {
  const prefix = ids.slice(0, prefixLength);
  const request = {
    prefix,
    samples,
    seed: 1,
    temperature,
    topP: 1,
    topK: null,
    maximumTokens: generated,
    stop: [],
    banned: [],
  };
  let started = 0;
  let told = 0;
  await backend.generate(
    request,
    () => {
      // From the first token on: the prefix is not what is measured.
      if (told++ === 0) started = performance.now();
    },
    signal,
  );
  return (performance.now() - started) / (generated - 1);
}

async function generateBare({ empty, step }) {
  let cache = empty();
  for (let first = 0; first < prefixLength - 1; first += chunk) {
    const some = ids.slice(first, Math.min(first + chunk, prefixLength - 1));
    [, cache] = await step(some, first, cache, [[0, 0]]);
  }
  let last = ids[prefixLength - 1];
  let started = 0;
  for (let token = 0; token < generated; token++) {
    const [outputs, next] = await step([last], prefixLength - 1 + token, cache, [[0, 0]]);
    cache = next;
    last = Number(outputs.score_top_id.data[0]);
    if (token === 0) started = performance.now();
  }
  return (performance.now() - started) / (generated - 1);
}

/** Full logits, log-softmax and entropy of every row in JavaScript. */
async function scoreLogits(session) {
  const text = ids;
  const started = performance.now();
  let cache = Object.fromEntries(
    session.inputMetadata
      .filter(({ name }) => name.startsWith('past'))
      .map(({ name, shape }) => [name, new Tensor('float32', new Float32Array(0), emptySizes({ dimensions: shape }))]),
  );
  let total = 0;
  for (let first = 0; first < tokens - 1; first += chunk) {
    const some = text.slice(first, Math.min(first + chunk, tokens - 1));
    const count = first + some.length;
    const outputs = await session.run({
      ...cache,
      input_ids: integers(some, [1, some.length]),
      attention_mask: new Tensor('int64', new BigInt64Array(count).fill(1n), [1, count]),
    });
    cache = Object.fromEntries(
      Object.keys(cache).map((name) => [name, outputs[name.replace('past_key_values', 'present')]]),
    );
    const { data } = outputs.logits;
    for (let row = 0; row < some.length; row++) {
      const values = data.subarray(row * vocabulary, (row + 1) * vocabulary);
      let maximum = -Infinity;
      for (let id = 0; id < vocabulary; id++) if (values[id] > maximum) maximum = values[id];
      let sum = 0;
      let weighted = 0;
      for (let id = 0; id < vocabulary; id++) {
        const shifted = values[id] - maximum;
        const exp = Math.exp(shifted);
        sum += exp;
        weighted += exp * shifted;
      }
      total += values[text[first + row + 1]] - maximum - Math.log(sum) + weighted / sum;
    }
  }
  if (!Number.isFinite(total)) throw new Error('no numbers');
  return (performance.now() - started) / 1000;
}

/** Peak resident bytes of this process; null where the system does not say. */
function peakBytes() {
  const match =
    process.platform === 'linux' ? /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) : null;
  return match ? Number(match[1]) * 1024 : null;
}

async function alternated(ours, bare) {
  const times = { ours: [], bare: [] };
  for (let repeat = 0; repeat < 4; repeat++) {
    times.ours.push(await ours());
    times.bare.push(await bare());
  }
  // The first of each packs weights and grows arenas.
  const best = (list) => Math.min(...list.slice(1));
  return { ours: best(times.ours), bare: best(times.bare), ratio: best(times.ours) / best(times.bare) };
}

/** The best of three: the first packs weights. */
async function bestOf(work) {
  const times = [];
  for (let repeat = 0; repeat < 3; repeat++) times.push(await work());
  return Math.min(...times);
}

const measurements = {
  async scoring() {
    const [backend, bare] = [await openOurs(), await openBare()];
    return alternated(
      () => score(backend),
      () => scoreBare(bare),
    );
  },
  async decoding() {
    const [backend, bare] = [await openOurs(), await openBare()];
    return alternated(
      () => generate(backend, { samples: 1, temperature: 0 }),
      () => generateBare(bare),
    );
  },
  async ours() {
    const backend = await openOurs();
    return { seconds: await bestOf(() => score(backend)), peakBytes: peakBytes() };
  },
  async logits() {
    const session = await InferenceSession.create(file, { logSeverityLevel: 4 });
    return { seconds: await bestOf(() => scoreLogits(session)), peakBytes: peakBytes() };
  },
  async batch() {
    const backend = await openOurs();
    const steps = (samples) => generate(backend, { samples, temperature: 1 });
    await steps(1);
    const [one, sixteen] = [await steps(1), await steps(16)];
    return { one, sixteen, speedup: (16 * one) / sixteen };
  },
};

process.stdout.write(JSON.stringify(await measurements[what]()));
process.exit(0);
