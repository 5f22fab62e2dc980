/** Folders with tiny models for the tests of the local backend, and what a graph says without us: the reference. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { GenerateRequest, PolicyBackend } from '../../../src/replay/backend.ts';
import { openLocalBackend } from '../../../src/replay/local.ts';
import type { ModelChoice, ScoredTokens } from '../../../src/protocol/replay.ts';
import { halfToNumber } from '../../../src/replay/logitsHead.ts';
import { tinyDecoder, writeModel, type TinyDecoderOptions, type TinyModel } from '../../generate/tinyDecoder.mjs';

/** A temporary folder for one test file; call the second to remove it. */
export async function temporaryFolder(): Promise<readonly [folder: string, remove: () => Promise<void>]> {
  const folder = await mkdtemp(join(tmpdir(), 'rollout-lens-replay-'));
  return [folder, () => rm(folder, { recursive: true, force: true })];
}

/** The choice of a folder on the CPU. */
export function choiceOf(
  folder: string,
  options: Partial<Extract<ModelChoice, { kind: 'local' }>> = {},
): Extract<ModelChoice, { kind: 'local' }> {
  return {
    kind: 'local',
    folder,
    variant: null,
    provider: 'cpu',
    chunk: null,
    memoryBudget: null,
    cudaFolder: null,
    storage: join(folder, 'storage'),
    ...options,
  };
}

/** A signal that is never raised. */
export const never = new AbortController().signal;

/** Opens a folder. */
export function opened(
  folder: string,
  options: Partial<Extract<ModelChoice, { kind: 'local' }>> = {},
): Promise<PolicyBackend> {
  return openLocalBackend(choiceOf(folder, options), { signal: never, tell: () => undefined });
}

/** Writes a tiny decoder below a folder and opens it. */
export async function openedTiny(
  parent: string,
  name: string,
  options: TinyDecoderOptions = {},
): Promise<PolicyBackend> {
  const folder = join(parent, name);
  await writeModel(folder, tinyDecoder(options));
  return opened(folder);
}

/** Ids of a seed below a size. */
export function someIds(count: number, below: number, seed = 1): readonly number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  });
}

/** All that a scoring run hands out, put together. */
export interface Scores {
  readonly logprob: number[];
  readonly entropy: number[];
  readonly rank: number[];
  readonly watched: number[];
  readonly tempered: number[];
  readonly topIds: number[];
  readonly topLogprobs: number[];
}

/** Scores every token but the first, or the given positions. */
export async function scored(
  backend: PolicyBackend,
  ids: readonly number[],
  options: {
    readonly positions?: readonly number[];
    readonly watched?: readonly number[];
    readonly top?: number;
    readonly temperature?: number;
  } = {},
): Promise<Scores> {
  const scores: Scores = { logprob: [], entropy: [], rank: [], watched: [], tempered: [], topIds: [], topLogprobs: [] };
  const { positions = ids.slice(1).map((_, index) => index + 1), watched = [], top = 0, temperature } = options;
  const heard = (slice: ScoredTokens): void => {
    if (slice.first !== scores.logprob.length) throw new Error(`slice ${slice.first} after ${scores.logprob.length}`);
    for (const name of ['logprob', 'entropy', 'rank', 'watched', 'topIds', 'topLogprobs'] as const) {
      scores[name].push(...slice[name]);
    }
    scores.tempered.push(...(slice.tempered ?? []));
  };
  const request = { ids, positions, watched, top, ...(temperature === undefined ? {} : { temperature }) };
  await backend.score(request, heard, never);
  return scores;
}

/** A request to generate, with the usual settings. */
export function generation(prefix: readonly number[], options: Partial<GenerateRequest> = {}): GenerateRequest {
  return {
    prefix,
    samples: 1,
    seed: 7,
    temperature: 1,
    topP: 1,
    topK: null,
    maximumTokens: 20,
    stop: [],
    banned: [],
    ...options,
  };
}

/** Log-probs of every position, [tokens][vocabulary], from the graph as it was written, in one run without a cache. */
export async function referenceRows(
  file: string,
  model: TinyModel,
  ids: readonly number[],
): Promise<readonly Float64Array[]> {
  const { shape } = model;
  const session = await InferenceSession.create(file, { logSeverityLevel: 4 });
  const integers = (values: readonly number[], dimensions: readonly number[]): Tensor =>
    new Tensor('int64', BigInt64Array.from(values, BigInt), dimensions);
  const count = ids.length;
  const feeds: Record<string, Tensor> = {};
  for (const input of session.inputMetadata) {
    if (!input.isTensor) continue;
    const { name, type } = input;
    if (name === 'input_ids') feeds[name] = integers(ids, [1, count]);
    else if (name === 'attention_mask') feeds[name] = integers(Array<number>(count).fill(1), [1, count]);
    else if (name === 'position_ids') feeds[name] = integers([...ids.keys()], [1, count]);
    else if (name === 'num_logits_to_keep') feeds[name] = integers([0], []);
    else {
      const sizes = input.shape.map((size, axis) => (axis === 0 ? 1 : typeof size === 'number' ? size : 0));
      const elements = sizes.reduce((product, size) => product * size, 1);
      const data = type === 'float16' ? new Uint16Array(elements) : new Float32Array(elements);
      feeds[name] = new Tensor(type, data, sizes);
    }
  }
  const { logits } = await session.run(feeds);
  if (logits === undefined) throw new Error('no logits');
  const width = shape.vocabulary;
  const { data } = logits;
  const value = (at: number): number => (data instanceof Uint16Array ? halfToNumber(data[at] ?? 0) : Number(data[at]));
  const rows = ids.map((_, row) => {
    const values = Float64Array.from({ length: width }, (__, id) => value(row * width + id));
    const maximum = values.reduce((a, b) => Math.max(a, b));
    const logSum = Math.log(values.reduce((sum, entry) => sum + Math.exp(entry - maximum), 0));
    return values.map((entry) => entry - maximum - logSum);
  });
  await session.release();
  return rows;
}
