/**
 * An ONNX file at the level of protobuf fields: an index of its graph, and the same file again with edits. Weights are
 * never read: a large tensor becomes a reference to its bytes in the file it came from, so an edited graph of any size is
 * a few megabytes in memory and nothing is copied to disk. Owned by prepareGraph.ts.
 * Leaves out what an edit means (scoreHead.ts) and subgraphs, which are passed on as they are.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '../base/errors.ts';
import {
  decodeEntry,
  decodeNode,
  decodeOperatorSet,
  decodeValue,
  encodeExternalLocation,
  encodeNode,
  encodeValue,
  joinBytes,
  type ExternalLocation,
  type OnnxNode,
  type OnnxValue,
} from './onnxMessages.ts';

/** Bytes that can be read by range. */
export interface ByteSource {
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

/** A constant of the graph. Offsets are those of the file; `external` is as the file has it. */
export interface OnnxTensor {
  readonly name: string;
  readonly elementType: number;
  readonly dimensions: readonly number[];
  /** Where raw_data lies in this file; null where it is elsewhere or stored as numbers. */
  readonly raw: { readonly offset: number; readonly length: number } | null;
  readonly external: ExternalLocation | null;
}

/** What is known of a model file. Lists are in the order of the file. */
export interface OnnxModel {
  readonly source: ByteSource;
  /** Version of ONNX's own operators, 0 where the file names none. */
  readonly operatorSet: number;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly tensors: readonly OnnxTensor[];
  /** Fields of the file and of its graph, to write them again. */
  readonly parts: { readonly file: readonly Part[]; readonly graph: readonly Part[] };
}

/** A field: its number, its place with its tag, and where its content starts. */
interface Part {
  readonly field: number;
  readonly start: number;
  readonly content: number;
  readonly end: number;
  /** The number of a varint field. */
  readonly value: number;
}

/** What to change; everything else stays as it is. Nodes and tensors by their index, outputs by name. */
export interface GraphEdit {
  readonly replacedNodes: ReadonlyMap<number, OnnxNode>;
  readonly addedNodes: readonly OnnxNode[];
  readonly addedInputs: readonly OnnxValue[];
  readonly addedOutputs: readonly OnnxValue[];
  /** TensorProto messages. */
  readonly addedTensors: readonly Uint8Array[];
  readonly droppedOutputs: ReadonlySet<string>;
}

const fileFields = { graph: 7, operatorSet: 8 } as const;
const graphFields = { node: 1, tensor: 5, input: 11, output: 12 } as const;
const tensorFields = { dimensions: 1, elementType: 2, name: 8, raw: 9, external: 13, location: 14 } as const;

/** Tensors of fewer bytes stay in the graph: ONNX Runtime folds shapes only from those, and copies are cheap. */
const largeTensorBytes = 65_536;

const windowBytes = 65_536;

/** Opens a file for reading by range; `close` when done. */
export function openBytes(path: string): ByteSource & { close(): void } {
  const file = openSync(path, 'r');
  let window: Uint8Array = new Uint8Array(0);
  let windowStart = 0;
  const readAt = (offset: number, length: number): Uint8Array => {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const count = readSync(file, bytes, done, length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return bytes.subarray(0, done);
  };
  return {
    size: fstatSync(file).size,
    read(offset, length) {
      if (length > windowBytes) return readAt(offset, length);
      if (offset < windowStart || offset + length > windowStart + window.length) {
        window = readAt(offset, windowBytes);
        windowStart = offset;
      }
      return window.subarray(offset - windowStart, offset - windowStart + length);
    },
    close() {
      closeSync(file);
    },
  };
}

/** Indexes a model file. Throws UserError where it is none. */
export function indexModel(source: ByteSource, name: string): OnnxModel {
  try {
    const file = partsOf(source, 0, source.size);
    const graph = file.find(({ field }) => field === fileFields.graph);
    if (graph === undefined) throw new RangeError('it has no graph');
    const parts = partsOf(source, graph.content, graph.end);
    const content = (part: Part): Uint8Array => source.read(part.content, part.end - part.content);
    const of = (field: number): readonly Part[] => parts.filter((part) => part.field === field);
    const sets = file
      .filter(({ field }) => field === fileFields.operatorSet)
      .map((part) => decodeOperatorSet(content(part)));
    return {
      source,
      operatorSet: sets.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version ?? 0,
      nodes: of(graphFields.node).map((part) => decodeNode(content(part))),
      inputs: of(graphFields.input).map((part) => decodeValue(content(part))),
      outputs: of(graphFields.output).map((part) => decodeValue(content(part))),
      tensors: of(graphFields.tensor).map((part) => indexTensor(source, part)),
      parts: { file, graph: parts },
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`${name} is no ONNX model that can be read: ${reason}.`);
  }
}

function partsOf(source: ByteSource, start: number, end: number): readonly Part[] {
  const parts: Part[] = [];
  for (let at = start; at < end;) {
    const part = partAt(source, at, end);
    parts.push(part);
    at = part.end;
  }
  return parts;
}

/** A tag and a length are at most ten bytes each. */
const longestHeader = 20;

function partAt(source: ByteSource, start: number, limit: number): Part {
  const head = source.read(start, Math.min(longestHeader, limit - start));
  const [tag, afterTag] = varintAt(head, 0);
  const field = Math.floor(tag / 8);
  const wireType = tag % 8;
  if (field === 0) throw new RangeError(`a field without a number at byte ${start}`);
  const sized = (content: number, length: number, value = 0): Part => {
    const end = start + content + length;
    if (end > limit) throw new RangeError(`it ends within a field (byte ${start}); the file is cut off or damaged`);
    return { field, start, content: start + content, end, value };
  };
  switch (wireType) {
    case 0: {
      const [value, end] = varintAt(head, afterTag);
      return sized(end, 0, value);
    }
    case 1:
      return sized(afterTag, 8);
    case 2: {
      const [length, content] = varintAt(head, afterTag);
      return sized(content, length);
    }
    case 5:
      return sized(afterTag, 4);
    default:
      throw new RangeError(`an unknown kind of field at byte ${start}`);
  }
}

function varintAt(bytes: Uint8Array, at: number): readonly [value: number, end: number] {
  let value = 0;
  for (let index = at, scale = 1; index < at + 10; index++, scale *= 128) {
    const byte = bytes[index];
    if (byte === undefined) break;
    value += (byte & 127) * scale;
    if (byte < 128) return [value, index + 1];
  }
  throw new RangeError('a number without an end');
}

function varintBytes(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}

function indexTensor(source: ByteSource, tensor: Part): OnnxTensor {
  const found = { name: '', elementType: 0, raw: null as OnnxTensor['raw'] };
  const dimensions: number[] = [];
  const entries = new Map<string, string>();
  for (const part of partsOf(source, tensor.content, tensor.end)) {
    const length = part.end - part.content;
    if (part.field === tensorFields.name) found.name = new TextDecoder().decode(source.read(part.content, length));
    else if (part.field === tensorFields.elementType) found.elementType = part.value;
    else if (part.field === tensorFields.raw) found.raw = { offset: part.content, length };
    else if (part.field === tensorFields.external) {
      const [key, value] = decodeEntry(source.read(part.content, length));
      entries.set(key, value);
    } else if (part.field === tensorFields.dimensions) {
      if (length === 0) dimensions.push(part.value);
      else dimensions.push(...packedVarints(source.read(part.content, length)));
    }
  }
  const location = entries.get('location');
  const external =
    location === undefined
      ? null
      : { location, offset: Number(entries.get('offset') ?? 0), length: entryNumber(entries.get('length')) };
  return { ...found, dimensions, external };
}

function entryNumber(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}

function packedVarints(bytes: Uint8Array): readonly number[] {
  const values: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const [value, end] = varintAt(bytes, at);
    values.push(value);
    at = end;
  }
  return values;
}

/**
 * The edited file. `locate` says where weights lie for the reader of the result: given a tensor's data file (null for the
 * model file itself), its path relative to the folder that ONNX Runtime gets.
 */
export function serialiseModel(model: OnnxModel, edit: GraphEdit, locate: (file: string | null) => string): Uint8Array {
  const { source, parts } = model;
  const graph: Uint8Array[] = [];
  const counts = new Map<number, number>();
  const copied = ({ start, end }: Part): Uint8Array => source.read(start, end - start).slice();
  for (const part of parts.graph) {
    const index = counts.get(part.field) ?? 0;
    counts.set(part.field, index + 1);
    const node = part.field === graphFields.node ? edit.replacedNodes.get(index) : undefined;
    const output = part.field === graphFields.output ? model.outputs[index] : undefined;
    const tensor = part.field === graphFields.tensor ? model.tensors[index] : undefined;
    if (node !== undefined) graph.push(...lengthDelimited(graphFields.node, encodeNode(node)));
    else if (tensor !== undefined) graph.push(...tensorBytes(source, { part, tensor, locate }));
    else if (output === undefined || !edit.droppedOutputs.has(output.name)) graph.push(copied(part));
  }
  for (const node of edit.addedNodes) graph.push(...lengthDelimited(graphFields.node, encodeNode(node)));
  for (const input of edit.addedInputs) graph.push(...lengthDelimited(graphFields.input, encodeValue(input)));
  for (const output of edit.addedOutputs) graph.push(...lengthDelimited(graphFields.output, encodeValue(output)));
  for (const tensor of edit.addedTensors) graph.push(...lengthDelimited(graphFields.tensor, tensor));
  const file = parts.file.flatMap((part) =>
    part.field === fileFields.graph ? lengthDelimited(fileFields.graph, joinBytes(graph)) : [copied(part)],
  );
  return joinBytes(file);
}

function lengthDelimited(field: number, content: Uint8Array): readonly Uint8Array[] {
  return [varintBytes(field * 8 + 2), varintBytes(content.length), content];
}

function tensorBytes(
  source: ByteSource,
  { part, tensor, locate }: { part: Part; tensor: OnnxTensor; locate: (file: string | null) => string },
): readonly Uint8Array[] {
  const { raw, external } = tensor;
  const large = raw !== null && raw.length >= largeTensorBytes;
  if (!large && external === null) return [source.read(part.start, part.end - part.start).slice()];
  const dropped: readonly number[] = [tensorFields.raw, tensorFields.external, tensorFields.location];
  const kept = partsOf(source, part.content, part.end)
    .filter(({ field }) => !dropped.includes(field))
    .map(({ start, end }) => source.read(start, end - start).slice());
  const place =
    external === null
      ? { location: locate(null), offset: raw?.offset ?? 0, length: raw?.length ?? 0 }
      : { ...external, location: locate(external.location) };
  return lengthDelimited(graphFields.tensor, joinBytes([...kept, encodeExternalLocation(place)]));
}
