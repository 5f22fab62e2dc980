// Types of onnxGraph.mjs, which is plain JavaScript so that the bench can use it unbuilt.

/** TensorProto.DataType of what is used here. */
export const types: Readonly<Record<'float32' | 'uint8' | 'int8' | 'int32' | 'int64' | 'bool' | 'float16', number>>;

/** What a node may have: names of its outputs, a domain, and attributes. */
export interface NodeOptions {
  readonly output?: string | readonly string[];
  readonly domain?: string;
  readonly [attribute: string]:
    number | string | readonly number[] | readonly string[] | { readonly float: number } | undefined;
}

/** A graph in the making; `node` and `constant` hand back the name of the (first) output. */
export interface Graph {
  node(operator: string, inputs: readonly string[], options?: NodeOptions): string;
  constant(name: string, elementType: number, dimensions: readonly number[], data: ArrayBufferView): string;
  integers(...values: readonly number[]): string;
  integer(number: number): string;
  input(name: string, elementType: number, dimensions: readonly (number | string)[]): string;
  output(name: string, elementType: number, dimensions: readonly (number | string)[]): void;
  moveOut(location: string, bytes: number): Uint8Array;
  encode(options?: { readonly operatorSet?: number }): Uint8Array;
}

/** An empty graph. */
export function createGraph(): Graph;

/** Bits of the IEEE half next to a number. */
export function halfBits(value: number): number;
