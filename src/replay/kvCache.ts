/**
 * Caches of a decoder: cut back to a prefix, repeated for several samples, thinned out when samples end. One small graph
 * does all three on the provider that holds the cache (Gather over sequences, Slice over tokens), so nothing leaves the GPU
 * and one prefill serves every fork. Measured exact: a continuation after a cut equals one from scratch.
 * Owned by localBackend.ts. Leaves out recurrent states: they know no prefix, and `canCut` says so.
 */
import type { Cache } from './decoder.ts';
import type { DecoderShape, StateShape } from './decoderShape.ts';
import { elementTypes, encodeIntegers, encodeModel, integerAttribute, newNode } from './onnxMessages.ts';
import { disposeTensors, type OrtRuntime, type OrtSession } from './ortSession.ts';

/** Takes caches apart; owned by the decoder's owner, released before it. */
export interface CacheTools {
  /** False for hybrid caches: only whole caches can be continued. */
  readonly canCut: boolean;
  /** The first `length` tokens of the sequences `rows` (repeats allowed). The given cache stays as it is. */
  take(cache: Cache, rows: readonly number[], length: number): Promise<Cache>;
  release(): Promise<void>;
}

const rowsInput = 'rows';
const lengthInput = 'length';

/** Builds the tools for a decoder's caches on a provider. */
export async function openCacheTools(
  runtime: OrtRuntime,
  shape: DecoderShape,
  provider: OrtSession['provider'],
): Promise<CacheTools> {
  const canCut = shape.states.every(({ sequenceAxis }) => sequenceAxis !== null);
  const session = await runtime.open(
    { bytes: cacheGraph(shape.states), dataFolder: '.', files: [] },
    { provider, keptOnDevice: shape.states.map(({ output }) => output) },
  );
  return {
    canCut,
    async take(cache, rows, length) {
      const feeds = {
        ...cache.tensors,
        [rowsInput]: runtime.tensor(elementTypes.int64, rows, [rows.length]),
        ...(canCut ? { [lengthInput]: runtime.tensor(elementTypes.int64, [length], [1]) } : {}),
      };
      const outputs = await session.run(feeds);
      const tensors = shape.states.flatMap(({ input, output }) => {
        const tensor = outputs[output];
        return tensor === undefined ? [] : [[input, tensor] as const];
      });
      return { tensors: Object.fromEntries(tensors), rows: rows.length, length: canCut ? length : cache.length };
    },
    release: () => session.release(),
  };
}

function cacheGraph(states: readonly StateShape[]): Uint8Array {
  const cut = states.every(({ sequenceAxis }) => sequenceAxis !== null);
  const axes = [...new Set(states.flatMap(({ sequenceAxis }) => sequenceAxis ?? []))];
  const value = (name: string, state: StateShape) => ({
    name,
    elementType: state.elementType,
    dimensions: state.dimensions.map((size, axis) => (typeof size === 'number' && axis > 0 ? size : `${name}.${axis}`)),
  });
  return encodeModel({
    nodes: states.flatMap((state) => {
      const picked = cut ? `${state.output}/picked` : state.output;
      const gather = newNode('Gather', [state.input, rowsInput], picked, [integerAttribute('axis', 0)]);
      if (!cut) return [gather];
      return [gather, newNode('Slice', [picked, 'zero', lengthInput, `axis.${state.sequenceAxis}`], state.output)];
    }),
    inputs: [
      ...states.map((state) => value(state.input, state)),
      { name: rowsInput, elementType: elementTypes.int64, dimensions: ['taken'] },
      ...(cut ? [{ name: lengthInput, elementType: elementTypes.int64, dimensions: [1] }] : []),
    ],
    outputs: states.map((state) => value(state.output, state)),
    tensors: cut
      ? [encodeIntegers('zero', [1], [0]), ...axes.map((axis) => encodeIntegers(`axis.${axis}`, [1], [axis]))]
      : [],
  });
}

/** Frees the GPU tensors of a cache. */
export function disposeCache(cache: Cache | null): void {
  if (cache !== null) disposeTensors(Object.values(cache.tensors));
}

const elementBytes: Readonly<Record<number, number>> = { [elementTypes.float16]: 2, 16: 2 };

/** Bytes of the caches of one sequence behind `length` tokens. */
export function cacheBytes(shape: DecoderShape, length: number): number {
  return shape.states.reduce((total, { dimensions, elementType, sequenceAxis }) => {
    const elements = dimensions.reduce((product: number, size, axis) => {
      if (axis === 0) return product;
      return product * (axis === sequenceAxis ? length : typeof size === 'number' ? size : 1);
    }, 1);
    return total + elements * (elementBytes[elementType] ?? 4);
  }, 0);
}

/** How many leading ids two lists share. */
export function sharedPrefix(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let count = 0;
  while (count < most && a[count] === b[count]) count++;
  return count;
}
