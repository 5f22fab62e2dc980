/**
 * What a policy model can be asked, whoever runs it: ONNX Runtime here (local.ts) or a server (remote.ts). Token ids in,
 * numbers out; natural logarithms. Leaves out text: tokenizer, chat template and alignment stand above it.
 */
import { UserError } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { BackendFacts, ScoredTokens } from '../protocol/replay.ts';

/** Teacher forcing: which tokens of a sequence are wanted. */
export interface ScoreRequest {
  readonly ids: readonly number[];
  /** Ascending indexes p ≥ 1 into `ids`: the value of ids[p] given ids[0], …, ids[p − 1]. */
  readonly positions: readonly number[];
  /** Ids whose log-prob is wanted at every position (openers of a tool call, of an answer). */
  readonly watched: readonly number[];
  /** How many alternatives a position; 0 for none, at most 64. */
  readonly top: number;
  /**
   * Where given, `ScoredTokens.tempered` is the log-prob of the wanted token under softmax(logits / temperature), of the
   * same pass: in the scoring head one more log-sum-exp of the logits divided by it (a scalar input). It cannot be had from
   * the value at temperature 1. A backend that cannot give it leaves NaN.
   */
  readonly temperature?: number;
}

/** Sampling from one prefix, several samples. Sample i uses the seed `seed + i`, whatever the others do. */
export interface GenerateRequest {
  readonly prefix: readonly number[];
  /** The prefix as messages (OpenAI's form), where it is one: a server may be asked by them. Models here read the ids. */
  readonly messages?: readonly JsonObject[];
  readonly samples: number;
  readonly seed: number;
  /** 0 is greedy. */
  readonly temperature: number;
  /** 1 for all. */
  readonly topP: number;
  /** Null for all. */
  readonly topK: number | null;
  readonly maximumTokens: number;
  /** Ids that end a sample; the id itself is the last of `ids`. */
  readonly stop: readonly number[];
  /** Ids that are never sampled: their mass is taken out and the rest renormalised. */
  readonly banned: readonly number[];
}

/** One token of one sample as it comes. */
export interface GeneratedToken {
  readonly sample: number;
  readonly id: number;
  /** Log-prob at temperature 1, nothing banned. */
  readonly logprob: number;
}

/** One finished sample. */
export interface GeneratedSample {
  readonly sample: number;
  readonly ids: readonly number[];
  readonly logprobs: readonly number[];
  /** `stop`: a stop id; `length`: maximumTokens or the end of the context. */
  readonly ended: 'stop' | 'length';
  /** Largest probability mass (temperature 1) that `banned` took out at any step. */
  readonly bannedMass: number;
  /** Smallest mass that the alternatives known to the sampler covered, 1 where it saw all. Below topP it was truncated. */
  readonly seenMass: number;
  /** How a server was asked; absent where the model runs here. */
  readonly asked?: AskedServer;
}

/** Which endpoint of a server gave a sample. */
export interface AskedServer {
  readonly path: '/chat/completions' | '/completions';
  /** Why messages were not taken although there were some; null where they were, or there were none. */
  readonly refusal: string | null;
  /** Whether the server read the tokens of `prefix`; null where it does not say. */
  readonly samePrompt: boolean | null;
}

/** A model that can be sampled from only: what it would say of a text cannot be had. */
export class CannotScore extends UserError {}

/** A model that is loaded. Calls queue; each settles; an abort is honoured after at most one chunk or token. */
export interface PolicyBackend {
  readonly facts: BackendFacts;
  /** `heard` gets consecutive slices of the wanted positions. Rejects on ids or lengths outside the model, before a run; with CannotScore where it only samples. */
  score(request: ScoreRequest, heard: (slice: ScoredTokens) => void, signal: AbortSignal): Promise<void>;
  generate(
    request: GenerateRequest,
    heard: (token: GeneratedToken) => void,
    signal: AbortSignal,
  ): Promise<readonly GeneratedSample[]>;
  dispose(): Promise<void>;
}
