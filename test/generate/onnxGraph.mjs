// A small ONNX graph, node by node, encoded by `onnx-proto`: an encoder that shares nothing with src/replay/onnxWire.ts.
//
// Leaves out what the graph computes (tinyDecoder.mjs).
import onnxProto from 'onnx-proto';

const { onnx } = onnxProto;

/** TensorProto.DataType of what is used here. */
export const types = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 };

/** AttributeProto of a number, a list of integers, or `{ float }`. */
function attribute(name, value) {
  if (typeof value === 'object' && 'float' in value) return { name, type: 1, f: value.float };
  if (Array.isArray(value)) return { name, type: 7, ints: value };
  return { name, type: 2, i: value };
}

/** Nodes, constants, inputs and outputs in the order in which they are made; `node` hands back the name of its output. */
export function createGraph() {
  const graph = { name: 'main_graph', node: [], initializer: [], input: [], output: [] };
  const constants = new Set();
  const value = (name, elementType, dimensions) => ({
    name,
    type: {
      tensorType: {
        elemType: elementType,
        shape: { dim: dimensions.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size })) },
      },
    },
  });
  return {
    node(operator, inputs, { output = `value_${graph.node.length}`, domain = '', ...attributes } = {}) {
      const outputs = Array.isArray(output) ? output : [output];
      graph.node.push({
        opType: operator,
        domain,
        name: `${operator}_${graph.node.length}`,
        input: inputs,
        output: outputs,
        attribute: Object.entries(attributes).map(([name, given]) => attribute(name, given)),
      });
      return outputs[0];
    },
    constant(name, elementType, dimensions, data) {
      if (constants.has(name)) return name;
      constants.add(name);
      const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      graph.initializer.push({ name, dims: dimensions, dataType: elementType, rawData });
      return name;
    },
    integers(...values) {
      const name = `integers_${values.join('_')}`;
      return this.constant(name, types.int64, [values.length], BigInt64Array.from(values, BigInt));
    },
    integer(number) {
      return this.constant(`integer_${number}`, types.int64, [], BigInt64Array.of(BigInt(number)));
    },
    input(name, elementType, dimensions) {
      graph.input.push(value(name, elementType, dimensions));
      return name;
    },
    output(name, elementType, dimensions) {
      graph.output.push(value(name, elementType, dimensions));
    },
    /** Moves the data of constants of at least `bytes` to a file of that name; gives what the file must hold. */
    moveOut(location, bytes) {
      const parts = [];
      let offset = 0;
      for (const tensor of graph.initializer.filter(({ rawData }) => rawData.length >= bytes)) {
        const entries = { location, offset, length: tensor.rawData.length };
        tensor.externalData = Object.entries(entries).map(([key, given]) => ({ key, value: String(given) }));
        tensor.dataLocation = 1;
        parts.push(tensor.rawData);
        offset += tensor.rawData.length;
        delete tensor.rawData;
      }
      return Buffer.concat(parts);
    },
    encode({ operatorSet = 17 } = {}) {
      const model = {
        irVersion: operatorSet > 18 ? 10 : 8,
        producerName: 'rollout-lens tests',
        opsetImport: [
          { domain: '', version: operatorSet },
          { domain: 'com.microsoft', version: 1 },
        ],
        graph,
      };
      return onnx.ModelProto.encode(onnx.ModelProto.fromObject(model)).finish();
    },
  };
}

/** Bits of the IEEE half next to a number (ties up; no number here needs more care). */
export function halfBits(value) {
  const single = new Float32Array([value]);
  const bits = new Uint32Array(single.buffer)[0];
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent <= 0) return exponent < -10 ? sign : sign | (((bits & 0x7fffff) | 0x800000) >>> (14 - exponent));
  const rounded = (exponent << 10) + ((bits & 0x7fffff) >>> 13) + ((bits >>> 12) & 1);
  return sign | rounded;
}
