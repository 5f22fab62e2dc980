/**
 * What a decoder's graph wants and gives, by name: tokens or embeddings, mask, positions, caches, logits. Read from the
 * graph itself; names that genai_config.json declares win. Serves exports of transformers.js, optimum and onnxruntime-genai.
 * Owned by prepareGraph.ts. Leaves out running it (decoder.ts).
 */
import { UserError } from '../base/errors.ts';
import { elementTypes, type OnnxValue } from './onnxMessages.ts';
import type { OnnxModel } from './onnxWire.ts';

/** Names as genai_config.json declares them under model.decoder, where it is there; "%d" stands for the layer. */
export interface GenaiNames {
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

/** An input by name with its element type. */
export interface NamedInput {
  readonly name: string;
  readonly elementType: number;
}

/** A cache that goes in and comes out. */
export interface StateShape {
  readonly input: string;
  readonly output: string;
  readonly elementType: number;
  /** Sizes; strings are free. The first is the batch. */
  readonly dimensions: readonly (number | string)[];
  /** Which size grows with the tokens; null for recurrent states, which cannot be cut back. */
  readonly sequenceAxis: number | null;
}

/** The decoder by its names. */
export interface DecoderShape {
  readonly tokens: NamedInput | null;
  /** For graphs behind embed_tokens. */
  readonly embeddings: NamedInput | null;
  readonly attentionMask: NamedInput | null;
  /** `sections` is 3 for Qwen-VL's positions [3, B, S], else null. */
  readonly positions: (NamedInput & { readonly sections: number | null }) | null;
  /** Scalars that ask for the last logits only; 0 is all. */
  readonly toKeep: readonly (NamedInput & { readonly rank: number })[];
  readonly cacheBranch: string | null;
  readonly states: readonly StateShape[];
  readonly logits: string;
  /** Element type of the logits. */
  readonly logitsType: number;
  /** True where more than one sequence may run at once. */
  readonly freeBatch: boolean;
}

/** Reads the shape. Throws UserError where an input is not known or the graph keeps no cache. */
export function decoderShape(model: OnnxModel, names: GenaiNames | null): DecoderShape {
  const constants = new Set(model.tensors.map(({ name }) => name));
  const inputs = model.inputs.filter(({ name }) => !constants.has(name));
  const declared = (role: string): string => names?.inputs[role] ?? role;
  const input = (role: string): OnnxValue | undefined => inputs.find(({ name }) => name === declared(role));
  const tokens = input('input_ids');
  const embeddings = input('inputs_embeds');
  const mask = input('attention_mask');
  const positions = input('position_ids');
  const toKeep = inputs.filter(({ name }) => /^(num_)?logits_to_keep$/.test(name));
  const cacheBranch = input('use_cache_branch');
  const known = new Set([tokens, embeddings, mask, positions, cacheBranch, ...toKeep]);
  const others = inputs.filter((value) => !known.has(value));
  const states = others.flatMap((value) => stateOf(value, model.outputs, names) ?? []);
  const unknown = others.filter(({ name }) => !states.some((state) => state.input === name));
  if (tokens === undefined && embeddings === undefined) {
    throw new UserError('The graph takes neither tokens (input_ids) nor embeddings (inputs_embeds): it is no decoder.');
  }
  if (unknown.length > 0) {
    const list = unknown.map(({ name }) => name).join(', ');
    throw new UserError(`The graph wants inputs that are not known here: ${list}.`);
  }
  if (states.length === 0) {
    throw new UserError(
      'The graph keeps no cache (past_key_values): export it with one ("text-generation-with-past").',
    );
  }
  const logits = logitsOf(model, names);
  const first = tokens ?? embeddings;
  const free = [first, ...states].every((value) => typeof value?.dimensions?.[0] !== 'number');
  return {
    tokens: named(tokens),
    embeddings: named(embeddings),
    attentionMask: named(mask),
    positions:
      positions === undefined
        ? null
        : { name: positions.name, elementType: positions.elementType, sections: sectionsOf(positions) },
    toKeep: toKeep.map((value) => ({
      name: value.name,
      elementType: value.elementType,
      rank: value.dimensions?.length ?? 0,
    })),
    cacheBranch: cacheBranch?.name ?? null,
    states,
    logits: logits.name,
    logitsType: logits.elementType,
    freeBatch: free,
  };
}

function named(value: OnnxValue | undefined): NamedInput | null {
  return value === undefined ? null : { name: value.name, elementType: value.elementType };
}

function sectionsOf({ dimensions }: OnnxValue): number | null {
  const first = dimensions?.length === 3 ? dimensions[0] : null;
  return typeof first === 'number' ? first : first === null || first === undefined ? null : 3;
}

function logitsOf(model: OnnxModel, names: GenaiNames | null): OnnxValue {
  const wanted = names?.outputs['logits'] ?? 'logits';
  const found = model.outputs.find(({ name }) => name === wanted);
  if (found === undefined) throw new UserError(`The graph has no output "${wanted}": it is no language model.`);
  return found;
}

/** The cache behind an input, null where the input is none. */
function stateOf(value: OnnxValue, outputs: readonly OnnxValue[], names: GenaiNames | null): StateShape | null {
  if (/\.encoder\./.test(value.name)) return null;
  const output = declaredOutput(value.name, names) ?? value.name.replace(/^past(_key_values)?/, 'present');
  if (output === value.name || !outputs.some(({ name }) => name === output)) return null;
  const dimensions = value.dimensions ?? [];
  const growing = dimensions.findIndex((size, axis) => axis > 0 && typeof size === 'string');
  const attention = /(\.key|\.value|^past_\d+)$/.test(value.name) || names !== null;
  return {
    input: value.name,
    output,
    elementType: value.elementType === 0 ? elementTypes.float32 : value.elementType,
    dimensions,
    sequenceAxis: attention && growing > 0 ? growing : null,
  };
}

function declaredOutput(input: string, names: GenaiNames | null): string | null {
  if (names === null) return null;
  for (const part of ['key', 'value']) {
    const past = names.inputs[`past_${part}_names`];
    const present = names.outputs[`present_${part}_names`];
    if (past === undefined || present === undefined) continue;
    const [before = '', after = ''] = past.split('%d');
    if (!input.startsWith(before) || !input.endsWith(after)) continue;
    const layer = input.slice(before.length, input.length - after.length);
    if (/^\d+$/.test(layer)) return present.replace('%d', layer);
  }
  return null;
}
