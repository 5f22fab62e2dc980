// Random decoders of any size and a bigram net with known log-probs, written as models lie on the Hub. Built when a test or
// the bench runs: there is no real model in this repository but the sample's.
//
// Leaves out checking them: what they compute is what an unedited graph gives (test/unit/replay).
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createGraph, halfBits, types } from './onnxGraph.mjs';

/** What a decoder is unless told otherwise. */
const usual = {
  /** 'plain': operators of ONNX; 'grouped': GroupQueryAttention, as onnxruntime-genai and onnx-community export. */
  attention: 'plain',
  /** 'f32', 'f16' (weights, activations and caches), or 'q4' (MatMulNBits). */
  weights: 'f32',
  /** The head is a transposed embedding. */
  tied: false,
  /** Adds num_logits_to_keep and cuts the hidden states by it. */
  toKeep: false,
  /** 'MatMul', or 'Gemm' behind a reshape: a head that is not known. */
  head: 'MatMul',
  /** Scales the logits and caps them softly, as Gemma and Granite do. */
  tail: false,
  /** Takes inputs_embeds; the embedding is a graph of its own. */
  split: false,
  /** A fixed batch of one. */
  oneRow: false,
  /** Adds a recurrent state (past_conv) that only sums up. */
  hybrid: false,
  accuracyLevel: 0,
  operatorSet: 17,
  layers: 2,
  width: 64,
  heads: 4,
  keyHeads: 2,
  headSize: 16,
  inner: 128,
  vocabulary: 300,
  context: 512,
  seed: 1,
};

/** Normally distributed numbers of a seed (mulberry32, Box–Muller). */
function normalNumbers(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** The decoder's graph, and for `split` the graph of its embedding. */
export function tinyDecoder(options = {}) {
  const shape = { ...usual, ...options };
  const { width, vocabulary, layers, keyHeads, headSize } = shape;
  const half = shape.weights === 'f16';
  const float = half ? types.float16 : types.float32;
  const stored = (values) => (half ? Uint16Array.from(values, halfBits) : values);
  const normal = normalNumbers(shape.seed);
  const random = (count, scale) => Float32Array.from({ length: count }, () => normal() * scale);
  const graph = createGraph();
  const batch = shape.oneRow ? 1 : 'batch_size';
  const ids = [batch, 'sequence_length'];

  const table = random(vocabulary * width, 1);
  const embedding = createGraph();
  const hiddenOf = (into) => {
    into.constant('embedding', float, [vocabulary, width], stored(table));
    return into.node('Gather', ['embedding', 'input_ids']);
  };
  let hidden;
  if (shape.split) {
    embedding.input('input_ids', types.int64, ids);
    embedding.node('Identity', [hiddenOf(embedding)], { output: 'inputs_embeds' });
    embedding.output('inputs_embeds', float, [...ids, width]);
    hidden = graph.input('inputs_embeds', float, [...ids, width]);
  } else {
    graph.input('input_ids', types.int64, ids);
    hidden = hiddenOf(graph);
  }
  graph.input('attention_mask', types.int64, [batch, 'total_sequence_length']);
  const grouped = shape.attention === 'grouped';
  if (!grouped) graph.input('position_ids', types.int64, ids);
  const caches = Array.from({ length: layers }, (_, layer) =>
    ['key', 'value'].map((part) => `${layer}.${part}`),
  ).flat();
  for (const name of caches) {
    graph.input(`past_key_values.${name}`, float, [batch, keyHeads, 'past_sequence_length', headSize]);
  }
  if (shape.toKeep) graph.input('num_logits_to_keep', types.int64, []);

  /** x · W, W [inputs, outputs], in the wanted precision. */
  const linear = (x, name, [inputs, outputs], scale = 1 / Math.sqrt(inputs)) => {
    const weight = random(inputs * outputs, scale);
    if (shape.weights === 'q4') return fourBit(x, name, { inputs, outputs, weight });
    graph.constant(`${name}.weight`, float, [inputs, outputs], stored(weight));
    return graph.node('MatMul', [x, `${name}.weight`]);
  };
  const fourBit = (x, name, { inputs, outputs, weight }) => {
    const block = 32;
    const blocks = inputs / block;
    const packed = new Uint8Array(outputs * blocks * (block / 2));
    const scales = new Float32Array(outputs * blocks);
    for (let at = 0; at < scales.length; at++) {
      const [column, first] = [Math.floor(at / blocks), (at % blocks) * block];
      const values = Array.from({ length: block }, (_, index) => weight[(first + index) * outputs + column]);
      scales[at] = Math.max(...values.map(Math.abs)) / 7;
      values.forEach((value, index) => {
        const level = Math.max(0, Math.min(15, Math.round(value / scales[at]) + 8));
        packed[at * (block / 2) + (index >> 1)] |= index % 2 === 0 ? level : level << 4;
      });
    }
    graph.constant(`${name}.packed`, types.uint8, [outputs, blocks, block / 2], packed);
    graph.constant(`${name}.scales`, types.float32, [outputs * blocks], scales);
    const sizes = { K: inputs, N: outputs, bits: 4, block_size: block, accuracy_level: shape.accuracyLevel };
    return graph.node('MatMulNBits', [x, `${name}.packed`, `${name}.scales`], { domain: 'com.microsoft', ...sizes });
  };
  const norm = (x, name) => {
    const weight = random(width, 0.1).map((value) => 1 + value);
    graph.constant(`${name}.weight`, float, [width], stored(weight));
    return graph.node('SimplifiedLayerNormalization', [x, `${name}.weight`], {
      axis: -1,
      epsilon: { float: 1e-5 },
      stash_type: 1,
    });
  };

  const angles = Float32Array.from({ length: (shape.context * headSize) / 2 }, (_, index) => {
    const [position, pair] = [Math.floor(index / (headSize / 2)), index % (headSize / 2)];
    return position * 10_000 ** ((-2 * pair) / headSize);
  });
  graph.constant('cosines', float, [shape.context, headSize / 2], stored(angles.map(Math.cos)));
  graph.constant('sines', float, [shape.context, headSize / 2], stored(angles.map(Math.sin)));
  const attend = grouped ? groupedAttention(graph, shape) : plainAttention(graph, shape, { float, stored });

  for (let layer = 0; layer < layers; layer++) {
    const name = `layer.${layer}`;
    const normed = norm(hidden, `${name}.norm`);
    const query = linear(normed, `${name}.query`, [width, shape.heads * headSize], 1.5 / Math.sqrt(width));
    const key = linear(normed, `${name}.key`, [width, keyHeads * headSize], 1.5 / Math.sqrt(width));
    const value = linear(normed, `${name}.value`, [width, keyHeads * headSize]);
    const mixed = attend(layer, query, key, value);
    hidden = graph.node('Add', [hidden, linear(mixed, `${name}.mixed`, [shape.heads * headSize, width])]);
    const second = norm(hidden, `${name}.second`);
    const gate = linear(second, `${name}.gate`, [width, shape.inner]);
    const activated = graph.node('Mul', [gate, graph.node('Sigmoid', [gate])]);
    const product = graph.node('Mul', [activated, linear(second, `${name}.up`, [width, shape.inner])]);
    hidden = graph.node('Add', [hidden, linear(product, `${name}.down`, [shape.inner, width])]);
  }
  hidden = norm(hidden, 'last');
  for (const name of caches) {
    graph.output(`present.${name}`, float, [batch, keyHeads, 'total_sequence_length', headSize]);
  }
  if (shape.hybrid) {
    graph.input('past_conv.0', float, [batch, width]);
    const sum = graph.node('ReduceSum', [hidden, graph.integers(1)], { keepdims: 0 });
    graph.node('Add', ['past_conv.0', sum], { output: 'present_conv.0' });
    graph.output('present_conv.0', float, [batch, width]);
    // What follows sees the state from before: else chunks of other sizes would compute other things.
    hidden = graph.node('Add', [
      hidden,
      graph.node('Mul', [graph.node('Unsqueeze', ['past_conv.0', graph.integers(1)]), 'zero']),
    ]);
    graph.constant('zero', float, [], stored(new Float32Array(1)));
  }
  if (shape.toKeep) {
    const first = graph.node('Neg', [graph.node('Unsqueeze', ['num_logits_to_keep', graph.integers(0)])]);
    const end = graph.constant('end', types.int64, [1], BigInt64Array.of(2n ** 62n));
    hidden = graph.node('Slice', [hidden, first, end, graph.integers(1)]);
  }
  let logits;
  if (shape.head === 'Gemm') {
    graph.constant('head.weight', float, [width, vocabulary], stored(random(width * vocabulary, 3 / Math.sqrt(width))));
    const flat = graph.node('Reshape', [hidden, graph.integers(-1, width)]);
    const product = graph.node('Gemm', [flat, 'head.weight']);
    const shapeOf = graph.node('Shape', [shape.split ? 'inputs_embeds' : 'input_ids']);
    const rows = graph.node('Slice', [shapeOf, graph.integers(0), graph.integers(2)]);
    const sizes = graph.node('Concat', [rows, graph.integers(vocabulary)], { axis: 0 });
    logits = graph.node('Reshape', [product, sizes]);
  } else if (shape.tied && !shape.split) {
    logits = graph.node('MatMul', [hidden, graph.node('Transpose', ['embedding'], { perm: [1, 0] })]);
  } else {
    logits = linear(hidden, 'head', [width, vocabulary], 3 / Math.sqrt(width));
  }
  if (shape.tail) {
    const number = (name, given) => graph.constant(name, float, [], stored(Float32Array.of(given)));
    const capped = graph.node('Tanh', [graph.node('Div', [logits, number('cap', 8)])]);
    logits = graph.node('Mul', [capped, 'cap']);
  }
  graph.node('Cast', [logits], { to: types.float32, output: 'logits' });
  graph.output('logits', types.float32, [...ids.slice(0, 1), shape.toKeep ? 'kept' : 'sequence_length', vocabulary]);
  return { graph, embedding: shape.split ? embedding : null, shape };
}

/** com.microsoft's fused operator: rotary embedding, cache and causal mask in one node. */
function groupedAttention(graph, { heads, keyHeads }) {
  const ones = graph.node('ReduceSum', ['attention_mask', graph.integers(1)], { keepdims: 0 });
  const behind = graph.node('Cast', [graph.node('Sub', [ones, graph.integers(1)])], { to: types.int32 });
  const total = graph.node('Gather', [graph.node('Shape', ['attention_mask']), graph.integer(1)]);
  const totalShort = graph.node('Cast', [total], { to: types.int32 });
  return (layer, query, key, value) =>
    graph.node(
      'GroupQueryAttention',
      [
        query,
        key,
        value,
        `past_key_values.${layer}.key`,
        `past_key_values.${layer}.value`,
        behind,
        totalShort,
        'cosines',
        'sines',
      ],
      {
        domain: 'com.microsoft',
        num_heads: heads,
        kv_num_heads: keyHeads,
        do_rotary: 1,
        output: [`attended.${layer}`, `present.${layer}.key`, `present.${layer}.value`],
      },
    );
}

/** The same in ONNX's operators; a key head serves heads / keyHeads query heads by broadcasting. */
function plainAttention(graph, { heads, keyHeads, headSize }, { float, stored }) {
  const number = (name, given) => graph.constant(name, float, [], stored(Float32Array.of(given)));
  const total = graph.node('Gather', [graph.node('Shape', ['attention_mask']), graph.integer(1)]);
  const columns = graph.node('Range', [graph.integer(0), total, graph.integer(1)]);
  const rows = graph.node('Unsqueeze', ['position_ids', graph.integers(1, 2, 4)]);
  const later = graph.node('Greater', [columns, rows]);
  const bias = graph.node('Where', [later, number('masked', -60_000), number('kept', 0)]);
  const byHead = (x, count) =>
    graph.node('Transpose', [graph.node('Reshape', [x, graph.integers(0, 0, count, headSize)])], {
      perm: [0, 2, 1, 3],
    });
  const rotated = (x) =>
    graph.node('RotaryEmbedding', [x, 'position_ids', 'cosines', 'sines'], { domain: 'com.microsoft', interleaved: 0 });
  return (layer, query, key, value) => {
    const grown = (part, fresh) =>
      graph.node('Concat', [`past_key_values.${layer}.${part}`, fresh], {
        axis: 2,
        output: `present.${layer}.${part}`,
      });
    const keys = grown('key', rotated(byHead(key, keyHeads)));
    const values = grown('value', byHead(value, keyHeads));
    const share = heads / keyHeads;
    const queries = graph.node('Reshape', [
      rotated(byHead(query, heads)),
      graph.integers(0, keyHeads, share, -1, headSize),
    ]);
    const spread = (x) => graph.node('Unsqueeze', [x, graph.integers(2)]);
    const turned = graph.node('Transpose', [spread(keys)], { perm: [0, 1, 2, 4, 3] });
    const scores = graph.node('Mul', [graph.node('MatMul', [queries, turned]), number('scale', headSize ** -0.5)]);
    const weights = graph.node('Softmax', [graph.node('Add', [scores, bias])], { axis: -1 });
    const mixed = graph.node('Reshape', [
      graph.node('MatMul', [weights, spread(values)]),
      graph.integers(0, heads, -1, headSize),
    ]);
    const joined = graph.node('Transpose', [mixed], { perm: [0, 2, 1, 3] });
    return graph.node('Reshape', [joined, graph.integers(0, 0, heads * headSize)]);
  };
}

/**
 * A net whose log-probs are known: after token i, token j has logits[i][j], whatever came before. The cache only counts.
 * With `head: 'Gather'` the logits are looked up, which is no head that is known.
 */
export function bigramNet({ logits, head = 'MatMul' }) {
  const size = logits.length;
  const graph = createGraph();
  const ids = ['batch_size', 'sequence_length'];
  graph.input('input_ids', types.int64, ids);
  graph.input('attention_mask', types.int64, ['batch_size', 'total_sequence_length']);
  for (const part of ['key', 'value']) {
    graph.input(`past_key_values.0.${part}`, types.float32, ['batch_size', 1, 'past_sequence_length', 1]);
    const fresh = graph.node('Cast', [graph.node('Unsqueeze', ['input_ids', graph.integers(1, 3)])], {
      to: types.float32,
    });
    graph.node('Concat', [`past_key_values.0.${part}`, fresh], { axis: 2, output: `present.0.${part}` });
    graph.output(`present.0.${part}`, types.float32, ['batch_size', 1, 'total_sequence_length', 1]);
  }
  graph.constant('logits_of', types.float32, [size, size], Float32Array.from(logits.flat()));
  if (head === 'Gather') {
    graph.node('Gather', ['logits_of', 'input_ids'], { output: 'logits' });
  } else {
    const unit = Float32Array.from({ length: size * size }, (_, at) => (at % (size + 1) === 0 ? 1 : 0));
    graph.constant('unit', types.float32, [size, size], unit);
    graph.node('MatMul', [graph.node('Gather', ['unit', 'input_ids']), 'logits_of'], { output: 'logits' });
  }
  graph.output('logits', types.float32, [...ids, size]);
  return { graph, embedding: null, shape: { ...usual, vocabulary: size, context: 4096 } };
}

/** Writes a model's folder in the layout of transformers.js. `data` puts weights into a file of their own. */
export async function writeModel(folder, { graph, embedding, shape }, { suffix = '', data = false } = {}) {
  await mkdir(path.join(folder, 'onnx'), { recursive: true });
  const config = {
    model_type: 'llama',
    vocab_size: shape.vocabulary,
    max_position_embeddings: shape.context,
    num_hidden_layers: shape.layers,
    num_key_value_heads: shape.keyHeads,
    head_dim: shape.headSize,
  };
  await writeFile(path.join(folder, 'config.json'), JSON.stringify(config));
  await writeFile(path.join(folder, 'tokenizer.json'), '{}');
  const name = `${embedding === null ? 'model' : 'decoder_model_merged'}${suffix}.onnx`;
  const file = path.join(folder, 'onnx', name);
  if (data) await writeFile(`${file}_data`, graph.moveOut(`${name}_data`, 1024));
  await writeFile(file, graph.encode({ operatorSet: shape.operatorSet }));
  if (embedding !== null) {
    await writeFile(path.join(folder, 'onnx', `embed_tokens${suffix}.onnx`), embedding.encode());
    await writeFile(path.join(folder, 'onnx', `vision_encoder${suffix}.onnx`), '');
  }
  return file;
}
