/**
 * A prepared decoder opened on one provider, with embed_tokens before it where the export is split.
 * Owned by local.ts and trust.ts. Leaves out which provider, and whether its numbers are right.
 */
import { UserError } from '../base/errors.ts';
import { asString } from '../base/json.ts';
import type { ProviderName } from '../protocol/replay.ts';
import { makeDecoder, type Decoder, type Embedder } from './decoder.ts';
import type { ModelFolder, ModelVariant } from './modelFolder.ts';
import type { OrtRuntime } from './ortSession.ts';
import { prepareGraph, type PreparedDecoder } from './prepareGraph.ts';
import { mostAlternatives } from './scoreHead.ts';

/** What a decoder is opened from. */
export interface DecoderSource {
  readonly runtime: OrtRuntime;
  /** With the head in the form for the CPU, and in that for other providers. */
  readonly prepared: PreparedDecoder;
  readonly preparedForGpu: PreparedDecoder;
  readonly variant: ModelVariant;
  readonly model: ModelFolder;
  readonly vocabularySize: number;
}

/** Model types whose exports count positions from 1 (as transformers.js feeds them). */
const positionsFromOne: readonly string[] = ['gemma3', 'gemma3_text', 'paligemma'];

/** Opens it. Rejects with whatever ONNX Runtime throws (providers.ts knows what it means). */
export async function openDecoder(source: DecoderSource, provider: ProviderName): Promise<Decoder> {
  const { runtime, variant, model, vocabularySize } = source;
  const prepared = provider === 'cpu' ? source.prepared : source.preparedForGpu;
  const { shape } = prepared;
  const session = await runtime.open(prepared, { provider, keptOnDevice: shape.states.map(({ output }) => output) });
  try {
    // A look-up of rows: nothing that a GPU would do faster, and its result may go to any provider.
    const embedder = shape.tokens === null ? await openEmbedder(runtime, variant) : null;
    return makeDecoder({
      runtime,
      session,
      prepared,
      embedder,
      vocabularySize,
      alternatives: prepared.alternatives ?? Math.min(mostAlternatives, vocabularySize),
      firstPosition: positionsFromOne.includes(asString(model.config['model_type']) ?? '') ? 1 : 0,
    });
  } catch (error) {
    await session.release();
    throw error;
  }
}

/** A look-up of rows: nothing that a GPU would do faster, and its result may go to any provider. */
async function openEmbedder(runtime: OrtRuntime, { embedder, file }: ModelVariant): Promise<Embedder> {
  if (embedder === null) throw new UserError(`${file} takes embeddings, and there is no embed_tokens.onnx beside it.`);
  const { model, ...graph } = prepareGraph(embedder);
  const constants = new Set(model.tensors.map(({ name }) => name));
  const session = await runtime.open(graph, { provider: 'cpu', keptOnDevice: [] });
  return { session, inputs: model.inputs.filter(({ name }) => !constants.has(name)) };
}
