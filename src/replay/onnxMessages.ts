/**
 * The small messages of an ONNX file (node, value, tensor) to and from protobuf bytes, field numbers as in onnx.proto.
 * What is not understood of a node (attributes, metadata) is kept as bytes, so that an edited node loses nothing.
 * Owned by the graph edits. Leaves out the file around them, and weights (onnxWire.ts).
 */
import { PbfReader, PbfWriter } from 'pbf';

/** Element types of ONNX tensors that are named here (TensorProto.DataType). */
export const elementTypes = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float16: 10 } as const;

/** An attribute of a node: its name, its integer where it is one, and its message as it stands in the file. */
export interface OnnxAttribute {
  readonly name: string;
  readonly integer: number | null;
  readonly bytes: Uint8Array;
}

/** A node of a graph; `rest` are the fields that are not named here, tags included. */
export interface OnnxNode {
  readonly operator: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly OnnxAttribute[];
  readonly rest: readonly Uint8Array[];
}

/** An input or output of a graph: a size, a name of one, or '' for an unknown one. `dimensions` is null without a shape. */
export interface OnnxValue {
  readonly name: string;
  readonly elementType: number;
  readonly dimensions: readonly (number | string)[] | null;
}

/** Calls `visit` for each field of a message; what it does not read is skipped. */
function eachField(bytes: Uint8Array, visit: (field: number, reader: PbfReader) => void): void {
  new PbfReader(bytes).readFields((field, _, reader) => visit(field, reader), null);
}

/** Decodes a NodeProto. */
export function decodeNode(bytes: Uint8Array): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: OnnxAttribute[] = [];
  const rest: Uint8Array[] = [];
  const texts = { operator: '', domain: '', name: '' };
  eachField(bytes, (field, reader) => {
    if (field === 1) inputs.push(reader.readString());
    else if (field === 2) outputs.push(reader.readString());
    else if (field === 3) texts.name = reader.readString();
    else if (field === 4) texts.operator = reader.readString();
    else if (field === 5) attributes.push(decodeAttribute(reader.readBytes()));
    else if (field === 7) texts.domain = reader.readString();
    else rest.push(fieldBytes(field, reader));
  });
  return { ...texts, inputs, outputs, attributes, rest };
}

/** A length-delimited field with its tag again; NodeProto has no others. */
function fieldBytes(field: number, reader: PbfReader): Uint8Array {
  const writer = new PbfWriter();
  writer.writeBytesField(field, reader.readBytes());
  return writer.finish();
}

function decodeAttribute(bytes: Uint8Array): OnnxAttribute {
  let name = '';
  let integer: number | null = null;
  eachField(bytes, (field, reader) => {
    if (field === 1) name = reader.readString();
    else if (field === 3) integer = reader.readVarint(true);
  });
  return { name, integer, bytes };
}

/** Encodes a NodeProto. */
export function encodeNode(node: OnnxNode): Uint8Array {
  const writer = new PbfWriter();
  for (const input of node.inputs) writer.writeStringField(1, input);
  for (const output of node.outputs) writer.writeStringField(2, output);
  writer.writeStringField(3, node.name);
  writer.writeStringField(4, node.operator);
  for (const { bytes } of node.attributes) writer.writeBytesField(5, bytes);
  if (node.domain !== '') writer.writeStringField(7, node.domain);
  const known = writer.finish();
  return joinBytes([known, ...node.rest]);
}

/** An attribute of an integer (AttributeProto.INT) or of integers (INTS). */
export function integerAttribute(name: string, value: number | readonly number[]): OnnxAttribute {
  const writer = new PbfWriter();
  writer.writeStringField(1, name);
  if (typeof value === 'number') {
    writer.writeVarintField(3, value);
    writer.writeVarintField(20, 2);
    return { name, integer: value, bytes: writer.finish() };
  }
  for (const entry of value) writer.writeVarintField(8, entry);
  writer.writeVarintField(20, 7);
  return { name, integer: null, bytes: writer.finish() };
}

/** A new node of one output, without a domain (ONNX's own operators). */
export function newNode(
  operator: string,
  inputs: readonly string[],
  output: string,
  attributes: readonly OnnxAttribute[] = [],
): OnnxNode {
  return { operator, domain: '', name: output, inputs, outputs: [output], attributes, rest: [] };
}

/** Decodes a ValueInfoProto of a tensor; other types have element type 0. */
export function decodeValue(bytes: Uint8Array): OnnxValue {
  const value: { name: string; elementType: number; dimensions: (number | string)[] | null } = {
    name: '',
    elementType: 0,
    dimensions: null,
  };
  const tensorType = (type: Uint8Array): void =>
    eachField(type, (field, reader) => {
      if (field === 1) value.elementType = reader.readVarint();
      else if (field === 2) value.dimensions = decodeShape(reader.readBytes());
    });
  eachField(bytes, (field, reader) => {
    if (field === 1) value.name = reader.readString();
    else if (field === 2) {
      eachField(reader.readBytes(), (kind, type) => {
        if (kind === 1) tensorType(type.readBytes());
      });
    }
  });
  return value;
}

function decodeShape(bytes: Uint8Array): (number | string)[] {
  const dimensions: (number | string)[] = [];
  eachField(bytes, (field, reader) => {
    if (field !== 1) return;
    let size: number | string = '';
    eachField(reader.readBytes(), (kind, dimension) => {
      if (kind === 1) size = dimension.readVarint(true);
      else if (kind === 2) size = dimension.readString();
    });
    dimensions.push(size);
  });
  return dimensions;
}

/** Encodes a ValueInfoProto of a tensor. */
export function encodeValue({ name, elementType, dimensions }: OnnxValue): Uint8Array {
  const writer = new PbfWriter();
  writer.writeStringField(1, name);
  writer.writeMessage(
    2,
    (_, type) =>
      type.writeMessage(
        1,
        (__, tensor) => {
          tensor.writeVarintField(1, elementType);
          if (dimensions !== null) tensor.writeMessage(2, writeShape, dimensions);
        },
        null,
      ),
    null,
  );
  return writer.finish();
}

function writeShape(dimensions: readonly (number | string)[], writer: PbfWriter): void {
  for (const size of dimensions) {
    writer.writeMessage(
      1,
      (value: number | string, dimension: PbfWriter) => {
        if (typeof value === 'number') dimension.writeVarintField(1, value);
        else if (value !== '') dimension.writeStringField(2, value);
      },
      size,
    );
  }
}

/** A TensorProto of int64 numbers, a scalar where `dimensions` is empty. */
export function encodeIntegers(name: string, dimensions: readonly number[], values: readonly number[]): Uint8Array {
  const data = BigInt64Array.from(values, BigInt);
  const writer = new PbfWriter();
  for (const size of dimensions) writer.writeVarintField(1, size);
  writer.writeVarintField(2, elementTypes.int64);
  writer.writeStringField(8, name);
  writer.writeBytesField(9, new Uint8Array(data.buffer));
  return writer.finish();
}

/** Where the weights of a tensor lie: file relative to the model's folder, first byte and count (null: as the shape says). */
export interface ExternalLocation {
  readonly location: string;
  readonly offset: number;
  readonly length: number | null;
}

/** Fields 13 (external_data) and 14 (data_location = EXTERNAL) of a TensorProto. */
export function encodeExternalLocation({ location, offset, length }: ExternalLocation): Uint8Array {
  const writer = new PbfWriter();
  const pairs: (readonly [string, string])[] = [
    ['location', location],
    ['offset', String(offset)],
  ];
  if (length !== null) pairs.push(['length', String(length)]);
  for (const pair of pairs) {
    writer.writeMessage(
      13,
      ([key, value]: readonly [string, string], entry: PbfWriter) => {
        entry.writeStringField(1, key);
        entry.writeStringField(2, value);
      },
      pair,
    );
  }
  writer.writeVarintField(14, 1);
  return writer.finish();
}

/** A whole model of version 17 of ONNX's operators, from messages. */
export function encodeModel(graph: {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly tensors: readonly Uint8Array[];
}): Uint8Array {
  const inner = new PbfWriter();
  for (const node of graph.nodes) inner.writeBytesField(1, encodeNode(node));
  inner.writeStringField(2, 'rollout-lens');
  for (const tensor of graph.tensors) inner.writeBytesField(5, tensor);
  for (const input of graph.inputs) inner.writeBytesField(11, encodeValue(input));
  for (const output of graph.outputs) inner.writeBytesField(12, encodeValue(output));
  const model = new PbfWriter();
  model.writeVarintField(1, 8);
  model.writeBytesField(7, inner.finish());
  model.writeMessage(8, (_, set) => set.writeVarintField(2, 17), null);
  return model.finish();
}

/** Decodes one StringStringEntryProto. */
export function decodeEntry(bytes: Uint8Array): readonly [key: string, value: string] {
  const entry: [string, string] = ['', ''];
  eachField(bytes, (field, reader) => {
    if (field === 1) entry[0] = reader.readString();
    else if (field === 2) entry[1] = reader.readString();
  });
  return entry;
}

/** Decodes an OperatorSetIdProto. */
export function decodeOperatorSet(bytes: Uint8Array): { readonly domain: string; readonly version: number } {
  const set = { domain: '', version: 0 };
  eachField(bytes, (field, reader) => {
    if (field === 1) set.domain = reader.readString();
    else if (field === 2) set.version = reader.readVarint();
  });
  return set;
}

/** The bytes one after another. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
