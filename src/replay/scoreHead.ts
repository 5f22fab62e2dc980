/**
 * The scoring head: nodes behind the logits that turn them into what is asked (log-prob, entropy, rank, watched tokens, the
 * most probable ones, one row for the sampler), and a Gather before the lm_head, so that logits exist for wanted positions
 * only and never leave the device. Measured at 151,936 ids: 5 times as fast as reading logits where 15 % of the tokens are
 * wanted, 4 times where all are (test/bench/replay.mjs).
 * Owned by prepareGraph.ts. Leaves out graphs of another shape: it says why, and logitsHead.ts reads their logits.
 */
import {
  elementTypes,
  encodeIntegers,
  integerAttribute,
  newNode,
  type OnnxNode,
  type OnnxValue,
} from './onnxMessages.ts';
import type { GraphEdit, OnnxModel } from './onnxWire.ts';

/** Names of the inputs of the scoring head. B = batch, P = wanted positions of a chunk, W = watched ids. */
export const headInputs = {
  /** int64 [P], within the chunk. */
  positions: 'score_positions',
  /** int64 [B, P] */
  targets: 'score_targets',
  /** int64 [W] */
  watched: 'score_watched',
  /** int64 [T], within P: rows whose most probable tokens are wanted. */
  topRows: 'score_top_rows',
  /** int64 [R], within P: rows whose normaliser at another temperature is wanted. */
  scaledRows: 'score_scaled_rows',
  /** int64 [1], within P: the row that is sampled from. */
  sampledRow: 'score_sampled_row',
  /** float32 []: 1 / temperature, of the sampler or of a second log-prob. */
  scale: 'score_scale',
} as const;

/** Names of its outputs, all float32 but the ids (int64). K = `alternatives`, V = size of the vocabulary. */
export const headOutputs = {
  /** [B, P, 1] each. */
  logprob: 'score_logprob',
  entropy: 'score_entropy',
  /** How many tokens are more probable. */
  above: 'score_above',
  /** [B, P, W] */
  watched: 'score_watched_logprob',
  /** [B, T, K] each. */
  topIds: 'score_top_id',
  topLogprobs: 'score_top_logprob',
  /** [B, R, 1]: log of the sum of exp(log-prob × scale) over those rows: what divides a log-prob at another temperature. */
  logScaled: 'score_log_scaled',
  /** [B, 1, V]: log-probs of the sampled row. */
  row: 'score_row',
  /** [B, 1, 1]: sum of exp(log-prob × scale) over that row. */
  rowSum: 'score_row_sum',
} as const;

/** Alternatives a row, at most; fewer where the vocabulary is smaller. */
export const mostAlternatives = 64;

/** What was added. */
export interface ScoreHead {
  readonly edit: GraphEdit;
  readonly vocabularySize: number;
  readonly alternatives: number;
}

/** Operators that end a hidden state in logits, row by row. */
const headOperators: ReadonlySet<string> = new Set([
  'MatMul',
  'MatMulNBits',
  'MatMulBnb4',
  'FusedMatMul',
  'DynamicQuantizeMatMul',
  'MatMulInteger',
]);

/** Operators behind the head that treat each row alike: bias, scaling, soft caps, casts. */
const rowOperators: ReadonlySet<string> = new Set(['Cast', 'Mul', 'Div', 'Add', 'Sub', 'Tanh', 'Identity', 'Clip']);

const oldestOperatorSet = 13;
const deepestTail = 8;

/** One operator is three times as fast on the CPU; not every GPU provider has it. */
export type LogSoftmaxForm = 'one operator' | 'in parts';

/** What is edited besides: nodes that replace others, and the form of the softmax. */
export interface HeadWishes {
  readonly replaced: ReadonlyMap<number, OnnxNode>;
  readonly logSoftmax: LogSoftmaxForm;
}

/** Adds the head to a graph whose logits are the output of that name. A string says why it could not be added. */
export function addScoreHead(
  model: OnnxModel,
  logits: string,
  { replaced, logSoftmax }: HeadWishes,
): ScoreHead | string {
  const output = model.outputs.find(({ name }) => name === logits);
  if (output === undefined) return `the graph has no output "${logits}"`;
  if (model.operatorSet < oldestOperatorSet) {
    return `operator set ${model.operatorSet} is older than ${oldestOperatorSet}`;
  }
  const vocabularySize = output.dimensions?.at(-1);
  if (typeof vocabularySize !== 'number' || vocabularySize < 1)
    return 'the graph does not say the size of its vocabulary';
  const producers = producersOf(model);
  const head = findHead(model, producers, logits);
  if (head === null) return 'its logits come from no operator that is known as a head';
  const node = replaced.get(head.index) ?? model.nodes[head.index];
  if (node === undefined) return 'its head is not in the graph';
  const gathered = 'score/hidden';
  const alternatives = Math.min(mostAlternatives, vocabularySize);
  const edited: OnnxNode = { ...node, inputs: [gathered, ...node.inputs.slice(1)] };
  return {
    vocabularySize,
    alternatives,
    edit: {
      replacedNodes: new Map([...replaced, [head.index, edited]]),
      addedNodes: [
        newNode('Gather', [head.hidden, headInputs.positions], gathered, [integerAttribute('axis', 1)]),
        ...headNodes({ logits, elementType: output.elementType, operatorSet: model.operatorSet, logSoftmax }),
      ],
      addedInputs: headInputValues,
      addedOutputs: headOutputValues(vocabularySize, alternatives),
      addedTensors: [encodeIntegers('score/last', [1], [-1]), encodeIntegers('score/count', [1], [alternatives])],
      droppedOutputs: new Set([logits]),
    },
  };
}

/** Index of the node that makes a value. */
function producersOf(model: OnnxModel): ReadonlyMap<string, number> {
  return new Map(model.nodes.flatMap((node, index) => node.outputs.map((output) => [output, index] as const)));
}

/** The node whose first input is to be gathered, and the hidden state of all positions. */
function findHead(
  model: OnnxModel,
  producers: ReadonlyMap<string, number>,
  logits: string,
): { readonly index: number; readonly hidden: string } | null {
  const producerOf = (name: string): { readonly index: number; readonly node: OnnxNode } | null => {
    const index = producers.get(name);
    const node = index === undefined ? undefined : model.nodes[index];
    return index === undefined || node === undefined ? null : { index, node };
  };
  const constants = new Set(model.tensors.map(({ name }) => name));
  const search = (name: string, depth: number): { index: number; node: OnnxNode } | null => {
    const found = producerOf(name);
    if (found === null || depth > deepestTail) return null;
    if (headOperators.has(found.node.operator)) return found;
    if (!rowOperators.has(found.node.operator)) return null;
    for (const input of found.node.inputs.filter((input) => !constants.has(input))) {
      const deeper = search(input, depth + 1);
      if (deeper !== null) return deeper;
    }
    return null;
  };
  const head = search(logits, 0);
  const input = head?.node.inputs[0];
  if (head === null || input === undefined || constants.has(input)) return null;
  const before = producerOf(input);
  // A dynamically quantised head: the activations become integers just before it.
  if (head.node.operator === 'MatMulInteger') {
    const hidden = before?.node.operator === 'DynamicQuantizeLinear' ? before.node.inputs[0] : undefined;
    return before === null || hidden === undefined
      ? null
      : { index: before.index, hidden: unsliced(hidden, producerOf) };
  }
  return { index: head.index, hidden: unsliced(input, producerOf) };
}

/** Exports with num_logits_to_keep cut the hidden states to the last ones just before the head. */
function unsliced(name: string, producerOf: (name: string) => { readonly node: OnnxNode } | null): string {
  const node = producerOf(name)?.node;
  return node?.operator === 'Slice' ? (node.inputs[0] ?? name) : name;
}

const batch = 'batch_size';

const headInputValues: readonly OnnxValue[] = [
  { name: headInputs.positions, elementType: elementTypes.int64, dimensions: ['score_count'] },
  { name: headInputs.targets, elementType: elementTypes.int64, dimensions: [batch, 'score_count'] },
  { name: headInputs.watched, elementType: elementTypes.int64, dimensions: ['score_watched_count'] },
  { name: headInputs.topRows, elementType: elementTypes.int64, dimensions: ['score_top_count'] },
  { name: headInputs.scaledRows, elementType: elementTypes.int64, dimensions: ['score_scaled_count'] },
  { name: headInputs.sampledRow, elementType: elementTypes.int64, dimensions: [1] },
  { name: headInputs.scale, elementType: elementTypes.float32, dimensions: [] },
];

function headOutputValues(vocabularySize: number, alternatives: number): readonly OnnxValue[] {
  const float = (name: string, ...dimensions: (number | string)[]): OnnxValue => ({
    name,
    elementType: elementTypes.float32,
    dimensions: [batch, ...dimensions],
  });
  return [
    float(headOutputs.logprob, 'score_count', 1),
    float(headOutputs.entropy, 'score_count', 1),
    float(headOutputs.above, 'score_count', 1),
    float(headOutputs.watched, 'score_count', 'score_watched_count'),
    float(headOutputs.topLogprobs, 'score_top_count', alternatives),
    { ...float(headOutputs.topIds, 'score_top_count', alternatives), elementType: elementTypes.int64 },
    float(headOutputs.logScaled, 'score_scaled_count', 1),
    float(headOutputs.row, 1, vocabularySize),
    float(headOutputs.rowSum, 1, 1),
  ];
}

/** From logits [B, P, V] to the outputs. */
function headNodes(from: HeadSource): readonly OnnxNode[] {
  const logits = from.elementType === elementTypes.float32 ? from.logits : name('logits');
  const logprobs = name('logprobs');
  return [
    ...(logits === from.logits ? [] : [asFloat(from.logits, logits)]),
    ...(from.logSoftmax === 'one operator'
      ? [newNode('LogSoftmax', [logits], logprobs, [integerAttribute('axis', -1)])]
      : logSoftmaxNodes(logits, logprobs, from.operatorSet)),
    newNode('Unsqueeze', [headInputs.targets, last], name('targets')),
    newNode('GatherElements', [logprobs, name('targets')], headOutputs.logprob, [integerAttribute('axis', 2)]),
    newNode('Exp', [logprobs], name('probabilities')),
    newNode('Mul', [name('probabilities'), logprobs], name('weighted')),
    sum(name('weighted'), name('weightedSum')),
    newNode('Neg', [name('weightedSum')], headOutputs.entropy),
    newNode('Greater', [logprobs, headOutputs.logprob], name('greater')),
    asFloat(name('greater'), name('greaterFloat')),
    sum(name('greaterFloat'), headOutputs.above),
    gather(logprobs, headInputs.watched, 2, headOutputs.watched),
    gather(logprobs, headInputs.topRows, 1, name('topRows')),
    {
      ...newNode('TopK', [name('topRows'), name('count')], headOutputs.topLogprobs, [integerAttribute('axis', -1)]),
      outputs: [headOutputs.topLogprobs, headOutputs.topIds],
    },
    gather(logprobs, headInputs.scaledRows, 1, name('scaledRows')),
    newNode('Mul', [name('scaledRows'), headInputs.scale], name('scaled')),
    newNode('Exp', [name('scaled')], name('scaledExp')),
    sum(name('scaledExp'), name('scaledSum')),
    newNode('Log', [name('scaledSum')], headOutputs.logScaled),
    gather(logprobs, headInputs.sampledRow, 1, headOutputs.row),
    newNode('Mul', [headOutputs.row, headInputs.scale], name('sampled')),
    newNode('Exp', [name('sampled')], name('sampledExp')),
    sum(name('sampledExp'), headOutputs.rowSum),
  ];
}

/** The same as LogSoftmax in operators that every provider has on its device. */
function logSoftmaxNodes(logits: string, logprobs: string, operatorSet: number): readonly OnnxNode[] {
  // From version 18 on the axes are an input.
  const maximum =
    operatorSet >= 18
      ? newNode('ReduceMax', [logits, last], name('maximum'), [keep])
      : newNode('ReduceMax', [logits], name('maximum'), [integerAttribute('axes', [-1]), keep]);
  return [
    maximum,
    newNode('Sub', [logits, name('maximum')], name('shifted')),
    newNode('Exp', [name('shifted')], name('exp')),
    sum(name('exp'), name('sum')),
    newNode('Log', [name('sum')], name('logsum')),
    newNode('Sub', [name('shifted'), name('logsum')], logprobs),
  ];
}

interface HeadSource {
  readonly logits: string;
  readonly elementType: number;
  readonly operatorSet: number;
  readonly logSoftmax: LogSoftmaxForm;
}

const last = 'score/last';
const keep = integerAttribute('keepdims', 1);
const name = (step: string): string => `score/${step}`;
const asFloat = (input: string, output: string): OnnxNode =>
  newNode('Cast', [input], output, [integerAttribute('to', elementTypes.float32)]);
const sum = (input: string, output: string): OnnxNode => newNode('ReduceSum', [input, last], output, [keep]);
const gather = (input: string, index: string, axis: number, output: string): OnnxNode =>
  newNode('Gather', [input, index], output, [integerAttribute('axis', axis)]);
