/** The file walker against an encoder that shares nothing with it, and what an edit leaves alone. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  decodeNode,
  decodeValue,
  encodeNode,
  encodeValue,
  integerAttribute,
} from '../../../src/replay/onnxMessages.ts';
import { indexModel, openBytes, serialiseModel, type GraphEdit } from '../../../src/replay/onnxWire.ts';
import { tinyDecoder, writeModel, type TinyDecoderOptions } from '../../generate/tinyDecoder.mjs';
import { temporaryFolder } from './tinyFolders.ts';

const { onnx } = onnxProto;

let folder: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  [folder, remove] = await temporaryFolder();
});
afterAll(() => remove());

const nothing: GraphEdit = {
  replacedNodes: new Map(),
  addedNodes: [],
  addedInputs: [],
  addedOutputs: [],
  addedTensors: [],
  droppedOutputs: new Set(),
};

describe.each<[string, TinyDecoderOptions, boolean]>([
  ['embedded weights', { width: 128, inner: 512 }, false],
  ['a data file', { weights: 'q4', attention: 'grouped' }, true],
])('%s', (name, options, data) => {
  test('the index is what the encoder put in, and an empty edit changes places of weights only', async () => {
    const file = await writeModel(join(folder, name.replaceAll(' ', '-')), tinyDecoder(options), { data });
    const bytes = await readFile(file);
    const whole = onnx.ModelProto.decode(bytes);
    const source = openBytes(file);
    const model = indexModel(source, file);
    const graph = whole.graph;
    expect(model.operatorSet).toBe(17);
    expect(model.nodes.map(({ operator, inputs, outputs }) => ({ operator, inputs, outputs }))).toEqual(
      graph?.node?.map(({ opType, input, output }) => ({ operator: opType, inputs: input, outputs: output })),
    );
    expect(model.inputs.map(({ name: input }) => input)).toEqual(graph?.input?.map((input) => input.name));
    expect(model.tensors.map((tensor) => [tensor.name, tensor.dimensions])).toEqual(
      graph?.initializer?.map((tensor) => [tensor.name, tensor.dims?.map(Number) ?? []]),
    );
    const written = serialiseModel(model, nothing, (location) => location ?? 'model.onnx');
    const again = onnx.ModelProto.decode(written);
    expect(again.graph?.node).toEqual(graph?.node);
    expect(again.graph?.output).toEqual(graph?.output);
    const dataBytes = data ? await readFile(`${file}_data`) : bytes;
    let moved = 0;
    again.graph?.initializer?.forEach((tensor, index) => {
      const before = graph?.initializer?.[index];
      const entries = Object.fromEntries((tensor.externalData ?? []).map(({ key, value }) => [key, value]));
      const { location } = entries;
      if (location === undefined) {
        expect(Buffer.compare(Buffer.from(tensor.rawData ?? []), Buffer.from(before?.rawData ?? []))).toBe(0);
        return;
      }
      moved++;
      const first = Number(entries['offset']);
      const found = (location === 'model.onnx' ? bytes : dataBytes).subarray(first, first + Number(entries['length']));
      if (before?.dataLocation === 1) expect(tensor.externalData).toEqual(before.externalData);
      else expect(Buffer.compare(found, Buffer.from(before?.rawData ?? []))).toBe(0);
    });
    expect(moved).toBeGreaterThan(0);
    // What is left is the graph without its weights.
    expect(written.length).toBeLessThan(data ? bytes.length + 1 : bytes.length / 2);
    source.close();
  });
});

test('nodes and values survive decoding and encoding', () => {
  const bytes = onnx.NodeProto.encode(
    onnx.NodeProto.fromObject({
      opType: 'MatMulNBits',
      domain: 'com.microsoft',
      name: 'head',
      docString: 'kept',
      input: ['a', '', 'c'],
      output: ['logits'],
      attribute: [
        { name: 'accuracy_level', type: 2, i: 4 },
        { name: 'epsilon', type: 1, f: 0.5 },
        { name: 'axes', type: 7, ints: [-1, 300] },
      ],
    }),
  ).finish();
  const node = decodeNode(bytes);
  expect(onnx.NodeProto.decode(encodeNode(node))).toEqual(onnx.NodeProto.decode(bytes));
  expect(node.attributes.map(({ name, integer }) => [name, integer])).toEqual([
    ['accuracy_level', 4],
    ['epsilon', null],
    ['axes', null],
  ]);
  for (const value of [-1, 0, [3, -2]] as const) {
    const { type, i, ints } = onnx.AttributeProto.decode(integerAttribute('axis', value).bytes);
    expect(typeof value === 'number' ? [type, Number(i)] : [type, ints?.map(Number)]).toEqual([
      typeof value === 'number' ? 2 : 7,
      value,
    ]);
  }
  const shaped = { name: 'x', elementType: 10, dimensions: ['batch', 3, ''] } as const;
  expect(decodeValue(encodeValue(shaped))).toEqual(shaped);
  expect(decodeValue(encodeValue({ ...shaped, dimensions: null }))).toEqual({ ...shaped, dimensions: null });
});

test('random damage never ends in anything but a sentence', async () => {
  const file = await writeModel(join(folder, 'damage'), tinyDecoder());
  const bytes = await readFile(file);
  const damaged = join(folder, 'damaged.onnx');
  let state = 1;
  for (let round = 0; round < 60; round++) {
    const copy = Buffer.from(bytes);
    for (let change = 0; change <= round % 5; change++) {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      copy[state % copy.length] = state >> 8;
    }
    await writeFile(damaged, copy.subarray(0, round % 3 === 0 ? state % copy.length : copy.length));
    const source = openBytes(damaged);
    try {
      indexModel(source, damaged);
    } catch (error) {
      expect(String(error)).toMatch(/^UserError: .* is no ONNX model that can be read: /);
    } finally {
      source.close();
    }
  }
});
