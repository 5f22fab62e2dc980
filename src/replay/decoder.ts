/**
 * A loaded decoder: token ids and a cache in, values of wanted positions and the grown cache out. The same for graphs with
 * the scoring head and for those whose logits are read here (logitsHead.ts), and for graphs behind embed_tokens.
 * Owned by openDecoder's caller, who disposes caches before the decoder. Leaves out chunks, forks and sampling.
 */
import { elementTypes, type OnnxValue } from './onnxMessages.ts';
import { valuesOfLogits } from './logitsHead.ts';
import { disposeTensors, type OrtRuntime, type OrtSession, type OrtTensor, type TensorMap } from './ortSession.ts';
import type { PreparedDecoder } from './prepareGraph.ts';
import { headInputs, headOutputs } from './scoreHead.ts';

/** The caches behind a number of tokens, by the name of their input. */
export interface Cache {
  readonly tensors: TensorMap;
  /** Tokens behind it. */
  readonly length: number;
  /** Sequences in it. */
  readonly rows: number;
}

/** What is wanted of a run. P positions, W watched ids. */
export interface Wanted {
  /** Within the chunk; at least one. */
  readonly positions: readonly number[];
  /** A target for each position, the same for all sequences. */
  readonly targets: readonly number[];
  /** At least one. */
  readonly watched: readonly number[];
  /** Indexes into `positions` whose alternatives are wanted; at least one. */
  readonly topRows: readonly number[];
  /** Indexes into `positions` whose `logScaled` is wanted; at least one. */
  readonly scaledRows: readonly number[];
  /** Index into `positions` of the row to sample from. */
  readonly sampledRow: number;
  /** 1 / temperature. */
  readonly scale: number;
}

/** Values of a run; natural logarithms, B sequences, row-major. */
export interface HeadValues {
  /** [B × P] each; `above` counts tokens that are more probable. */
  readonly logprob: Float32Array;
  readonly entropy: Float32Array;
  readonly above: Float32Array;
  /** [B × P × W] */
  readonly watched: Float32Array;
  /** [B × T × K], most probable first. */
  readonly topIds: Int32Array;
  readonly topLogprobs: Float32Array;
  /** [B × R]: log of the sum of exp(log-prob × scale) of the scaled rows. */
  readonly logScaled: Float32Array;
  /** [B × V] log-probs of the sampled row, and [B] the sum of exp(log-prob × scale) over it. */
  readonly row: Float32Array;
  readonly rowSum: Float32Array;
}

/** A decoder on a provider. */
export interface Decoder {
  readonly session: OrtSession;
  readonly runtime: OrtRuntime;
  readonly prepared: PreparedDecoder;
  readonly vocabularySize: number;
  /** Alternatives a row (K). */
  readonly alternatives: number;
  emptyCache(rows: number): Cache;
  /** Runs `ids` (one list a sequence, all of one length) behind a cache, which stays the caller's to dispose. */
  run(ids: readonly (readonly number[])[], past: Cache, wanted: Wanted): Promise<{ values: HeadValues; cache: Cache }>;
  release(): Promise<void>;
}

/** embed_tokens: tokens in, embeddings out. */
export interface Embedder {
  readonly session: OrtSession;
  /** All of its inputs. What is none of tokens (features of pictures) is fed empty. */
  readonly inputs: readonly OnnxValue[];
}

/** What a decoder needs besides its graph. */
export interface DecoderParts {
  readonly runtime: OrtRuntime;
  readonly session: OrtSession;
  readonly prepared: PreparedDecoder;
  /** embed_tokens of a vision-language export; null where the decoder takes tokens. */
  readonly embedder: Embedder | null;
  readonly vocabularySize: number;
  readonly alternatives: number;
  /** 1 for exports whose positions start at 1, else 0. */
  readonly firstPosition: number;
}

/** Wraps a session as a decoder. */
export function makeDecoder(parts: DecoderParts): Decoder {
  const { runtime, session, prepared, embedder, vocabularySize, alternatives } = parts;
  const { shape } = prepared;
  const emptyCache = (rows: number): Cache => ({
    rows,
    length: 0,
    tensors: Object.fromEntries(
      shape.states.map(({ input, elementType, dimensions }) => {
        const sizes = dimensions.map((size, axis) => (axis === 0 ? rows : typeof size === 'number' ? size : 0));
        return [input, runtime.filled(elementType, 0, sizes)];
      }),
    ),
  });
  return {
    runtime,
    session,
    prepared,
    vocabularySize,
    alternatives,
    emptyCache,
    async run(ids, past, wanted) {
      const feeds: Record<string, OrtTensor> = {
        ...past.tensors,
        ...inputFeeds(parts, ids, past),
        ...(prepared.slowPath === null ? headFeeds(runtime, ids.length, wanted) : {}),
      };
      if (embedder !== null && shape.embeddings !== null) {
        feeds[shape.embeddings.name] = await embed(runtime, embedder, ids);
      }
      const outputs = await session.run(feeds);
      const tensors = Object.fromEntries(shape.states.map(({ input, output }) => [input, present(outputs, output)]));
      const count = ids[0]?.length ?? 0;
      const cache = { tensors, length: past.length + count, rows: ids.length };
      try {
        const values =
          prepared.slowPath === null
            ? headValues(outputs)
            : valuesOfLogits(present(outputs, shape.logits), { wanted, alternatives, count });
        return { values, cache };
      } catch (error) {
        disposeTensors(Object.values(tensors));
        throw error;
      }
    },
    async release() {
      await session.release();
      await embedder?.session.release();
    },
  };
}

function present(outputs: TensorMap, name: string): OrtTensor {
  const tensor = outputs[name];
  if (tensor === undefined) throw new Error(`The graph gave no "${name}".`);
  return tensor;
}

function inputFeeds(
  { runtime, prepared, firstPosition }: DecoderParts,
  ids: readonly (readonly number[])[],
  past: Cache,
): TensorMap {
  const { shape } = prepared;
  const rows = ids.length;
  const count = ids[0]?.length ?? 0;
  const total = past.length + count;
  const feeds: Record<string, OrtTensor> = {};
  if (shape.tokens !== null) {
    feeds[shape.tokens.name] = runtime.tensor(shape.tokens.elementType, ids.flat(), [rows, count]);
  }
  if (shape.attentionMask !== null) {
    feeds[shape.attentionMask.name] = runtime.filled(shape.attentionMask.elementType, 1, [rows, total]);
  }
  if (shape.positions !== null) {
    const { name, elementType, sections } = shape.positions;
    const one = Array.from({ length: count }, (_, index) => past.length + index + firstPosition);
    const all = Array.from({ length: rows * (sections ?? 1) }, () => one).flat();
    feeds[name] = runtime.tensor(elementType, all, sections === null ? [rows, count] : [sections, rows, count]);
  }
  for (const { name, elementType, rank } of shape.toKeep) {
    feeds[name] = runtime.tensor(elementType, [0], rank === 0 ? [] : [1]);
  }
  if (shape.cacheBranch !== null) {
    feeds[shape.cacheBranch] = runtime.tensor(elementTypes.bool, [past.length > 0 ? 1 : 0], [1]);
  }
  return feeds;
}

function headFeeds(runtime: OrtRuntime, rows: number, wanted: Wanted): TensorMap {
  const integers = (values: readonly number[], dimensions: readonly number[]): OrtTensor =>
    runtime.tensor(elementTypes.int64, values, dimensions);
  const count = wanted.positions.length;
  const targets = Array.from({ length: rows }, () => wanted.targets).flat();
  return {
    [headInputs.positions]: integers(wanted.positions, [count]),
    [headInputs.targets]: integers(targets, [rows, count]),
    [headInputs.watched]: integers(wanted.watched, [wanted.watched.length]),
    [headInputs.topRows]: integers(wanted.topRows, [wanted.topRows.length]),
    [headInputs.scaledRows]: integers(wanted.scaledRows, [wanted.scaledRows.length]),
    [headInputs.sampledRow]: integers([wanted.sampledRow], [1]),
    [headInputs.scale]: runtime.tensor(elementTypes.float32, [wanted.scale], []),
  };
}

function headValues(outputs: TensorMap): HeadValues {
  const floats = (name: string): Float32Array => {
    const { data } = present(outputs, name);
    if (!(data instanceof Float32Array)) throw new TypeError(`"${name}" holds no floats.`);
    return data;
  };
  const ids = present(outputs, headOutputs.topIds).data;
  if (!(ids instanceof BigInt64Array)) throw new TypeError(`"${headOutputs.topIds}" holds no integers.`);
  return {
    logprob: floats(headOutputs.logprob),
    entropy: floats(headOutputs.entropy),
    above: floats(headOutputs.above),
    watched: floats(headOutputs.watched),
    topIds: lowWords(ids),
    topLogprobs: floats(headOutputs.topLogprobs),
    logScaled: floats(headOutputs.logScaled),
    row: floats(headOutputs.row),
    rowSum: floats(headOutputs.rowSum),
  };
}

/** Ids as 32 bits, without a BigInt for each: there are 64 a row. All machines that ONNX Runtime runs on are little-endian. */
function lowWords({ buffer, byteOffset, length }: BigInt64Array): Int32Array {
  const words = new Int32Array(buffer, byteOffset, 2 * length);
  const low = new Int32Array(length);
  for (let at = 0; at < length; at++) low[at] = words[2 * at] ?? -1;
  return low;
}

async function embed(
  runtime: OrtRuntime,
  { session, inputs }: Embedder,
  ids: readonly (readonly number[])[],
): Promise<OrtTensor> {
  const feeds = inputs.map(({ name, elementType, dimensions }) => {
    if (name === 'input_ids' || inputs.length === 1) {
      return [name, runtime.tensor(elementType, ids.flat(), [ids.length, ids[0]?.length ?? 0])] as const;
    }
    const sizes = (dimensions ?? []).map((size) => (typeof size === 'number' ? size : 0));
    return [name, runtime.filled(elementType, 0, sizes)] as const;
  });
  return present(await session.run(Object.fromEntries(feeds)), session.outputNames[0] ?? 'inputs_embeds');
}
