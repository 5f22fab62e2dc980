/**
 * ONNX Runtime, and the only file that imports it. One session on one provider: tensors in, all outputs out. Three mistakes
 * kill the whole process and are ruled out here: data of a GPU tensor is never asked for, tensors are disposed before their
 * session, and all outputs are always fetched. The library is loaded once a process, on first use, from the package or
 * from a copy beside CUDA's libraries (runtimeFolder.ts).
 * Leaves out what the tensors mean (decoder.ts) and which provider is tried when (providers.ts).
 */
import type * as OnnxRuntime from 'onnxruntime-node';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { messageOf, UserError } from '../base/errors.ts';
import type { ProviderName } from '../protocol/replay.ts';
import type { PreparedGraph } from './prepareGraph.ts';

/** A tensor on the CPU or on the GPU. */
export type OrtTensor = OnnxRuntime.Tensor;

/** Tensors by the name of an input or output. */
export type TensorMap = Readonly<Record<string, OrtTensor>>;

/** A loaded graph on one provider. */
export interface OrtSession {
  readonly provider: ProviderName;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Runs the graph; blocks the thread while it does. Outputs named in `keptOnDevice` are GPU tensors on WebGPU. */
  run(feeds: TensorMap): Promise<TensorMap>;
  /** Frees the session. All its GPU tensors must be disposed before. */
  release(): Promise<void>;
}

/** What to open. */
export interface SessionOptions {
  readonly provider: ProviderName;
  /** Outputs that stay where they are computed (caches); only WebGPU knows how. */
  readonly keptOnDevice: readonly string[];
}

type OrtModule = Pick<typeof OnnxRuntime, 'InferenceSession' | 'Tensor' | 'env'>;

let loaded: { readonly folder: string | null; readonly module: Promise<OrtModule> } | null = null;

/**
 * Loads ONNX Runtime: from the installed package, or from the package below `folder`/node_modules (runtimeFolder.ts).
 * The first call of a process decides: the loader of the system reuses a library of the same name (libonnxruntime.so.1),
 * whatever folder a second copy lies in.
 */
async function loadRuntime(folder: string | null): Promise<OrtModule> {
  loaded ??= {
    folder,
    // By require: import() finds the names of a CommonJS package by reading it, and in a packed one finds none.
    module: Promise.resolve(folder ?? dirname(import.meta.filename)).then(requiredFrom),
  };
  try {
    return await loaded.module;
  } catch (error) {
    loaded = null;
    throw new UserError(
      `ONNX Runtime cannot be loaded on this machine (${process.platform} ${process.arch}): ${firstLineOf(error)}`,
      'Replay with a server instead (setting "Rollout Lens › Replay: Endpoint").',
    );
  }
}

function firstLineOf(error: unknown): string {
  return messageOf(error).split('\n')[0] ?? '';
}

/** The package as a folder's modules see it. */
function requiredFrom(folder: string): OrtModule {
  const required: unknown = createRequire(join(folder, 'package.json'))('onnxruntime-node');
  if (!isOrtModule(required)) throw new TypeError(`${folder} holds no ONNX Runtime.`);
  return required;
}

function isOrtModule(value: unknown): value is OrtModule {
  return typeof value === 'object' && value !== null && 'InferenceSession' in value && 'Tensor' in value;
}

/** ONNX Runtime, ready to open graphs and to make tensors. */
export interface OrtRuntime {
  readonly version: string;
  /** The folder that it was loaded from; null for the installed package. */
  readonly folder: string | null;
  open(graph: PreparedGraph, options: SessionOptions): Promise<OrtSession>;
  /** Integers as an input wants them (element type 6 or 7), a boolean (9) or 16-bit and 32-bit floats (10, 1). */
  tensor(elementType: number, values: ArrayLike<number>, dimensions: readonly number[]): OrtTensor;
  /** One number everywhere; an empty tensor where a size is 0. */
  filled(elementType: number, value: 0 | 1, dimensions: readonly number[]): OrtTensor;
}

/** Opens the runtime; the folder counts on the first call of a process only. */
export async function openRuntime(folder: string | null): Promise<OrtRuntime> {
  const ort = await loadRuntime(folder);
  // Its warnings go to standard error, where they say nothing to a user; errors are thrown as well.
  ort.env.logLevel = 'fatal';
  return {
    version: ort.env.versions.node ?? ort.env.versions.common,
    folder: loaded?.folder ?? null,
    open: (graph, options) => openSession(ort, graph, options),
    tensor: (elementType, values, dimensions) => makeTensor(ort, elementType, { values, dimensions }),
    filled: (elementType, value, dimensions) => {
      const count = dimensions.reduce((product, size) => product * size, 1);
      // A mask grows with every token: no BigInt is made for each of its entries.
      if (elementType === 7) return new ort.Tensor('int64', new BigInt64Array(count).fill(BigInt(value)), dimensions);
      return makeTensor(ort, elementType, { values: new Uint8Array(count).fill(value), dimensions });
    },
  };
}

function makeTensor(
  { Tensor: OrtTensorClass }: OrtModule,
  elementType: number,
  { values, dimensions }: { values: ArrayLike<number>; dimensions: readonly number[] },
): OrtTensor {
  switch (elementType) {
    case 1:
      return new OrtTensorClass('float32', Float32Array.from(values), dimensions);
    case 6:
      return new OrtTensorClass('int32', Int32Array.from(values), dimensions);
    case 7:
      return new OrtTensorClass(
        'int64',
        BigInt64Array.from({ length: values.length }, (_, i) => BigInt(values[i] ?? 0)),
        dimensions,
      );
    case 9:
      return new OrtTensorClass('bool', Uint8Array.from(values), dimensions);
    case 10:
      // Only ever zeros or the bits of halves.
      return new OrtTensorClass('float16', Uint16Array.from(values), dimensions);
    default:
      throw new TypeError(`A tensor of element type ${elementType} is not known here.`);
  }
}

async function openSession(ort: OrtModule, graph: PreparedGraph, options: SessionOptions): Promise<OrtSession> {
  const { provider, keptOnDevice } = options;
  const onDevice = provider === 'webgpu' && keptOnDevice.length > 0;
  const settings: OnnxRuntime.InferenceSession.SessionOptions = {
    executionProviders: [provider],
    // 4: errors are thrown, and need not be printed as well.
    logSeverityLevel: 4,
    // Plans of memory are made a shape, and with a growing cache each run has its own: half as much memory without.
    enableMemPattern: false,
    extra: { session: { model_external_initializers_file_folder_path: graph.dataFolder } },
    ...(onDevice
      ? { preferredOutputLocation: Object.fromEntries(keptOnDevice.map((name) => [name, 'gpu-buffer' as const])) }
      : {}),
  };
  const session = await ort.InferenceSession.create(graph.bytes, settings);
  return {
    provider,
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: (feeds) => session.run(feeds, { logSeverityLevel: 4 }),
    release: () => session.release(),
  };
}

/** Frees tensors that live on the GPU; those of the CPU are the garbage collector's. */
export function disposeTensors(tensors: Iterable<OrtTensor>): void {
  for (const tensor of tensors) if (tensor.location === 'gpu-buffer') tensor.dispose();
}
