/**
 * A decoder's file made ready to be loaded: scoring head added, integer activations switched off (accuracy_level 0), and
 * every weight referred to where it lies. ONNX Runtime takes the result as bytes plus one folder and refuses data that
 * "escapes" it, so links of a Hub cache are resolved and the folder is the closest one above all real files.
 * Owned by localBackend.ts. Leaves out the session (ortSession.ts).
 */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { UserError } from '../base/errors.ts';
import { decoderShape, type DecoderShape, type GenaiNames } from './decoderShape.ts';
import { integerAttribute, type OnnxNode } from './onnxMessages.ts';
import { indexModel, openBytes, serialiseModel, type GraphEdit, type OnnxModel } from './onnxWire.ts';
import { addScoreHead } from './scoreHead.ts';

/** A graph in memory and the folder that its weights are found in. */
export interface PreparedGraph {
  readonly bytes: Uint8Array;
  readonly dataFolder: string;
  /** Real paths of the model file and its data files, the model first. */
  readonly files: readonly string[];
}

/** A decoder that is ready to be loaded. */
export interface PreparedDecoder extends PreparedGraph {
  readonly shape: DecoderShape;
  /** Alternatives a row of the scoring head; null where the head could not be added. */
  readonly alternatives: number | null;
  /** Why it could not. */
  readonly slowPath: string | null;
  /** Null where the graph does not say it. */
  readonly vocabularySize: number | null;
  /** "f32", "f16", "q4", "q4f16", "q8", … */
  readonly precision: string;
  /** Values of accuracy_level in the file; empty where there is none but 0. */
  readonly accuracyLevels: readonly number[];
}

const nothing: GraphEdit = {
  replacedNodes: new Map(),
  addedNodes: [],
  addedInputs: [],
  addedOutputs: [],
  addedTensors: [],
  droppedOutputs: new Set(),
};

/** The scoring head in the form that suits a provider, or none: for measuring against it, and where it is refused. */
export type HeadWish = 'for the CPU' | 'for a GPU' | 'without';

/** Prepares a decoder. Throws UserError where the file is no model, or none that can be replayed. */
export function prepareDecoder(
  file: string,
  names: GenaiNames | null,
  wish: HeadWish = 'for the CPU',
): PreparedDecoder {
  return withModel(file, (model) => {
    const shape = decoderShape(model, names);
    const replaced = exactActivations(model);
    const head =
      wish === 'without'
        ? 'it was not wanted'
        : addScoreHead(model, shape.logits, {
            replaced: replaced.nodes,
            logSoftmax: wish === 'for a GPU' ? 'in parts' : 'one operator',
          });
    const edit = typeof head === 'string' ? { ...nothing, replacedNodes: replaced.nodes } : head.edit;
    const width = model.outputs.find(({ name }) => name === shape.logits)?.dimensions?.at(-1);
    return {
      ...located(file, model, edit),
      shape,
      alternatives: typeof head === 'string' ? null : head.alternatives,
      slowPath: typeof head === 'string' ? head : null,
      vocabularySize: typeof width === 'number' ? width : null,
      precision: precisionOf(model),
      accuracyLevels: replaced.levels,
    };
  });
}

/** Prepares a graph that only needs its weights located (embed_tokens of a vision-language export). */
export function prepareGraph(file: string): PreparedGraph & { readonly model: OnnxModel } {
  return withModel(file, (model) => ({ ...located(file, model, nothing), model }));
}

/** Data files that a model refers to, as they are named in it. */
export function dataFilesOf(file: string): readonly string[] {
  return withModel(file, (model) => externalFiles(model));
}

function withModel<Result>(file: string, use: (model: OnnxModel) => Result): Result {
  const source = openBytes(file);
  try {
    return use(indexModel(source, file));
  } finally {
    source.close();
  }
}

function externalFiles(model: OnnxModel): readonly string[] {
  return [...new Set(model.tensors.flatMap(({ external }) => (external === null ? [] : [external.location])))];
}

function located(file: string, model: OnnxModel, edit: GraphEdit): PreparedGraph {
  const real = new Map<string | null, string>([[null, realpathSync(file)]]);
  for (const name of externalFiles(model)) {
    const path = join(dirname(file), name);
    if (!existsSync(path)) throw new UserError(`${file} keeps weights in ${name}, which is not beside it.`);
    real.set(name, realpathSync(path));
  }
  const files = [...new Set(real.values())];
  const dataFolder = commonFolder(files);
  const bytes = serialiseModel(model, edit, (name) =>
    relative(dataFolder, real.get(name) ?? dataFolder)
      .split(sep)
      .join('/'),
  );
  return { bytes, dataFolder, files };
}

function commonFolder(files: readonly string[]): string {
  const inside = (folder: string): boolean => files.every((file) => !relative(folder, file).startsWith('..'));
  let folder = dirname(files[0] ?? '.');
  while (!inside(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** Integer activations (accuracy_level 4) differ between providers by 0.4 nats: numbers could not be compared. */
function exactActivations(model: OnnxModel): {
  readonly nodes: ReadonlyMap<number, OnnxNode>;
  readonly levels: readonly number[];
} {
  const nodes = new Map<number, OnnxNode>();
  const levels = new Set<number>();
  model.nodes.forEach((node, index) => {
    const level = node.attributes.find(({ name }) => name === 'accuracy_level')?.integer ?? 0;
    if (node.operator !== 'MatMulNBits' || level === 0) return;
    levels.add(level);
    const others = node.attributes.filter(({ name }) => name !== 'accuracy_level');
    nodes.set(index, { ...node, attributes: [...others, integerAttribute('accuracy_level', 0)] });
  });
  return { nodes, levels: [...levels] };
}

const elementNames: Readonly<Record<number, string>> = { 1: 'f32', 10: 'f16', 16: 'bf16', 3: 'q8', 2: 'q8' };

function precisionOf(model: OnnxModel): string {
  const elements = (dimensions: readonly number[]): number => dimensions.reduce((product, size) => product * size, 1);
  const float = new Map<string, number>();
  for (const { elementType, dimensions } of model.tensors) {
    const name = elementNames[elementType];
    if (name !== undefined) float.set(name, (float.get(name) ?? 0) + elements(dimensions));
  }
  const largest = (names: readonly string[]): string | undefined =>
    names.filter((name) => float.has(name)).sort((a, b) => (float.get(b) ?? 0) - (float.get(a) ?? 0))[0];
  const activations = largest(['f32', 'f16', 'bf16']) ?? 'f32';
  const bits = model.nodes
    .filter(({ operator }) => operator === 'MatMulNBits')
    .map(({ attributes }) => attributes.find(({ name }) => name === 'bits')?.integer ?? 4);
  const suffix = activations === 'f32' ? '' : activations;
  if (bits.length > 0) return `q${Math.min(...bits)}${suffix}`;
  if (model.nodes.some(({ operator }) => operator === 'MatMulBnb4')) return `bnb4${suffix}`;
  if (model.nodes.some(({ operator }) => /MatMulInteger|DynamicQuantizeMatMul/.test(operator))) return 'q8';
  return activations;
}
