// Types of tinyDecoder.mjs, which is plain JavaScript so that the bench can use it unbuilt.
import type { Graph } from './onnxGraph.mjs';

/** What a decoder is; everything has a default (tinyDecoder.mjs says what each means). */
export interface TinyDecoderOptions {
  readonly attention?: 'plain' | 'grouped';
  readonly weights?: 'f32' | 'f16' | 'q4';
  readonly tied?: boolean;
  readonly toKeep?: boolean;
  readonly head?: 'MatMul' | 'Gemm';
  readonly tail?: boolean;
  readonly split?: boolean;
  readonly oneRow?: boolean;
  readonly hybrid?: boolean;
  readonly accuracyLevel?: number;
  readonly operatorSet?: number;
  readonly layers?: number;
  readonly width?: number;
  readonly heads?: number;
  readonly keyHeads?: number;
  readonly headSize?: number;
  readonly inner?: number;
  readonly vocabulary?: number;
  readonly context?: number;
  readonly seed?: number;
}

/** A model that can be written. */
export interface TinyModel {
  readonly graph: Graph;
  readonly embedding: Graph | null;
  readonly shape: Required<TinyDecoderOptions>;
}

/** A random decoder. */
export function tinyDecoder(options?: TinyDecoderOptions): TinyModel;

/** A net whose next token depends on the last one alone, by the given square of logits. */
export function bigramNet(options: {
  readonly logits: readonly (readonly number[])[];
  readonly head?: 'MatMul' | 'Gather';
}): TinyModel;

/** Writes a model's folder in the layout of transformers.js; gives the decoder's file. */
export function writeModel(
  folder: string,
  model: TinyModel,
  options?: { readonly suffix?: string; readonly data?: boolean },
): Promise<string>;
