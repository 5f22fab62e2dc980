/**
 * A folder with a model, as people download or export them: which layout, which variants of what size, and what is missing
 * as a sentence. Knows transformers.js (onnx/model_q4.onnx), onnxruntime-genai (genai_config.json), optimum (model.onnx) and
 * the folder of a Hub cache (snapshots/<revision>). Owned by local.ts and by whoever lets a user pick a folder.
 * Leaves out the graphs themselves (prepareGraph.ts).
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { messageOf, UserError } from '../base/errors.ts';
import { asNumber, asString, isObject, type JsonObject } from '../base/json.ts';
import { decodersAmong, defaultOf, type ModelLayout } from '../protocol/modelFiles.ts';
import type { GenaiNames } from './decoderShape.ts';
import { dataFilesOf } from './prepareGraph.ts';

/** One precision of a model. */
export interface ModelVariant {
  /** What follows "model" in the file's name: "", "_q4", "_fp16". */
  readonly suffix: string;
  /** The decoder's file. */
  readonly file: string;
  /** embed_tokens of a vision-language export; null where the decoder takes tokens. */
  readonly embedder: string | null;
  /** Bytes of its files, data files included. */
  readonly sizeBytes: number;
  /** What is missing or broken, a sentence; null where nothing is. */
  readonly missing: string | null;
}

/** What a folder holds. */
export interface ModelFolder {
  /** The folder with config.json. */
  readonly folder: string;
  readonly name: string;
  readonly layout: ModelLayout;
  /** Nearest to the policy first (protocol/modelFiles.ts). */
  readonly variants: readonly ModelVariant[];
  /** True where pictures went through a vision encoder: only text can be replayed. */
  readonly textOnlyView: boolean;
  readonly tokenizerFile: string | null;
  readonly genai: GenaiNames | null;
  readonly config: JsonObject;
  /** Tokens that fit; null where no file says so. */
  readonly contextLength: number | null;
  readonly vocabularySize: number | null;
  /** What keeps it from being replayed, a sentence; null where nothing does. */
  readonly missing: string | null;
}

/** Looks at a folder. Throws UserError where there is no model in it at all. */
export function recogniseModelFolder(path: string): ModelFolder {
  const folder = rootOf(path);
  const config = readObject(join(folder, 'config.json')) ?? {};
  const genaiConfig = readObject(join(folder, 'genai_config.json'));
  const found = genaiConfig === null ? hubVariants(folder) : genaiVariants(folder, genaiConfig);
  if (found === null) {
    throw new UserError(
      `${path} holds no model: neither onnx/model.onnx, model.onnx nor genai_config.json is in it.`,
      'Choose the folder with config.json and tokenizer.json of an ONNX export.',
    );
  }
  const texts = isObject(config['text_config']) ? config['text_config'] : config;
  const tokenizer = join(folder, 'tokenizer.json');
  const tokenizerFile = existsSync(tokenizer) ? tokenizer : null;
  const usable = found.variants.find(({ missing }) => missing === null);
  const firstMissing = found.variants[0]?.missing ?? null;
  return {
    folder,
    name: nameOf(folder),
    layout: found.layout,
    variants: found.variants,
    textOnlyView: found.textOnlyView,
    tokenizerFile,
    genai: found.genai,
    config,
    contextLength:
      found.contextLength ?? firstNumber(texts, ['max_position_embeddings', 'n_positions', 'n_ctx', 'seq_length']),
    vocabularySize: found.vocabularySize ?? firstNumber(texts, ['vocab_size']),
    missing:
      usable === undefined
        ? firstMissing
        : tokenizerFile === null
          ? `${folder} has no tokenizer.json: without it no text becomes tokens.`
          : null,
  };
}

/** The variant that a user named, else the best one that fits into memory. Throws UserError. */
export function variantOf(model: ModelFolder, suffix: string | null): ModelVariant {
  if (suffix !== null) {
    const named = model.variants.find((variant) => variant.suffix === suffix);
    const list = model.variants.map((variant) => `"${variant.suffix}"`).join(', ');
    if (named === undefined) throw new UserError(`${model.folder} has no variant "${suffix}". There are: ${list}.`);
    if (named.missing !== null) throw new UserError(named.missing);
    return named;
  }
  const usable = model.variants.filter(({ missing }) => missing === null);
  const best = defaultOf(usable, totalmem());
  if (best === undefined) throw new UserError(model.missing ?? `${model.folder} holds no usable model.`);
  return best;
}

interface Found {
  readonly layout: ModelFolder['layout'];
  readonly variants: readonly ModelVariant[];
  readonly textOnlyView: boolean;
  readonly genai: GenaiNames | null;
  readonly contextLength: number | null;
  readonly vocabularySize: number | null;
}

/** A user may pick the model's folder, its onnx folder, or a model's folder in a Hub cache. */
function rootOf(path: string): string {
  const snapshots = join(path, 'snapshots');
  if (existsSync(snapshots)) {
    const main = join(path, 'refs', 'main');
    const revision = existsSync(main) ? readFileSync(main, 'utf8').trim() : readdirSync(snapshots)[0];
    if (revision !== undefined && existsSync(join(snapshots, revision))) return join(snapshots, revision);
  }
  if (basename(path) === 'onnx' && existsSync(join(dirname(path), 'config.json'))) return dirname(path);
  return path;
}

/** In a Hub cache the folder is a revision; the model's name is two levels up ("models--owner--name"). */
function nameOf(folder: string): string {
  const above = basename(dirname(dirname(folder)));
  return above.startsWith('models--') ? above.slice('models--'.length).replaceAll('--', '/') : basename(folder);
}

function hubVariants(folder: string): Found | null {
  for (const [layout, place] of [
    ['transformers.js', join(folder, 'onnx')],
    ['optimum', folder],
  ] as const) {
    const names = existsSync(place) ? readdirSync(place) : [];
    const decoders = decodersAmong(names);
    if (decoders.length === 0) continue;
    const variants = decoders.map(({ name, suffix, embedder }) =>
      variant({ suffix, file: join(place, name), embedder: embedder === null ? null : join(place, embedder) }),
    );
    return {
      layout,
      variants,
      textOnlyView: names.some((name) => name.startsWith('vision_encoder')),
      genai: null,
      contextLength: null,
      vocabularySize: null,
    };
  }
  return null;
}

function genaiVariants(folder: string, config: JsonObject): Found | null {
  const model = isObject(config['model']) ? config['model'] : {};
  const decoder = isObject(model['decoder']) ? model['decoder'] : {};
  const fileName = asString(decoder['filename']);
  if (fileName === null) return null;
  const embedding = isObject(model['embedding']) ? asString(model['embedding']['filename']) : null;
  const strings = (value: unknown): Readonly<Record<string, string>> =>
    isObject(value)
      ? Object.fromEntries(
          Object.entries(value).flatMap(([key, entry]) => (typeof entry === 'string' ? [[key, entry] as const] : [])),
        )
      : {};
  return {
    layout: 'genai',
    variants: [
      variant({
        suffix: '',
        file: join(folder, fileName),
        embedder: embedding === null ? null : join(folder, embedding),
      }),
    ],
    textOnlyView: isObject(model['vision']),
    genai: { inputs: strings(decoder['inputs']), outputs: strings(decoder['outputs']) },
    contextLength: asNumber(model['context_length']),
    vocabularySize: asNumber(model['vocab_size']),
  };
}

/** Sizes, and whether all files are there. */
function variant(of: { suffix: string; file: string; embedder: string | null }): ModelVariant {
  try {
    const graphs = [of.file, ...(of.embedder === null ? [] : [of.embedder])];
    const files = graphs.flatMap((graph) => [graph, ...dataFilesOf(graph).map((name) => join(dirname(graph), name))]);
    const absent = files.find((file) => !existsSync(file));
    const present = files.filter((file) => existsSync(file));
    const sizeBytes = present.reduce((total, file) => total + statSync(file).size, 0);
    return {
      ...of,
      sizeBytes,
      missing: absent === undefined ? null : `${basename(of.file)} needs ${absent}, which is not there.`,
    };
  } catch (error) {
    const reason = error instanceof UserError ? error.message : `${of.file} cannot be read: ${messageOf(error)}.`;
    return { ...of, sizeBytes: 0, missing: reason };
  }
}

function readObject(file: string): JsonObject | null {
  if (!existsSync(file)) return null;
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isObject(value) ? value : null;
  } catch (error) {
    throw new UserError(`${file} is no JSON: ${messageOf(error)}.`);
  }
}

function firstNumber(config: JsonObject, names: readonly string[]): number | null {
  for (const name of names) {
    const value = asNumber(config[name]);
    if (value !== null) return value;
  }
  return null;
}
