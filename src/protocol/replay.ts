/**
 * Replaying an episode with a policy model: what crosses between host and replayer (one child process a model), and the
 * episode that the engine hands over for it. Natural logarithms; probabilities 0 to 1; no message above 1 MB.
 * Numbers that may be missing are NaN in typed arrays, null elsewhere. Leaves out what the page asks (player.ts).
 */
import type { Json } from '../base/json.ts';
import type { NamedValue, Role } from '../model/rollout.ts';
import type { RolloutRef } from './engine.ts';

/** One turn of an episode as a model can be given it. */
export interface ReplayTurn {
  readonly turn: number;
  readonly role: Role;
  readonly loggedRole: string;
  /** True for what was given as the prompt. */
  readonly prompt: boolean;
  /** The message's content: exactly as logged where `exact`, else put together from its parts. */
  readonly text: string;
  readonly exact: boolean;
  /** The same in the parts that chat templates take, calls (`ReplayCall`) apart; '' where `exact`: `text` is all of it. */
  readonly content: string;
  readonly reasoning: string;
  /** Logged ids and log-probs of this turn's tokens, null where not logged. All-zero log-probs are not logged. */
  readonly ids: readonly number[] | null;
  readonly logprobs: Float32Array | null;
  /** Calls (0-based) that were written in this turn, and those it observes. */
  readonly calls: readonly number[];
  readonly observes: readonly number[];
  /** Pictures (0-based) of this turn. */
  readonly images: readonly number[];
  readonly latencyMs: number | null;
}

/** One call as the player shows it. */
export interface ReplayCall {
  readonly call: number;
  readonly turn: number;
  readonly tool: string | null;
  readonly arguments: Json;
  readonly latencyMs: number | null;
  /** Rules that flag it as certain or likely. */
  readonly redundant: readonly string[];
}

/** An episode to replay. */
export interface ReplayEpisode {
  readonly ref: RolloutRef;
  /** "step 17 · 48 × 7 = ? · 5 of 16" */
  readonly title: string;
  readonly step: number | null;
  readonly turns: readonly ReplayTurn[];
  readonly calls: readonly ReplayCall[];
  /**
   * Chat markers where the log keeps them (verl, Metis): `gaps[i]` stands before the text of turn i, the last one behind
   * the last turn, so that gaps and texts together are the whole text as logged. Null where only messages are logged.
   */
  readonly exactText: { readonly gaps: readonly string[] } | null;
  /** Tools offered to the policy as logged (JSON of the OpenAI form), '' where not logged. */
  readonly tools: string;
  readonly answer: string | null;
  /** As text; null where the log has none. */
  readonly groundTruth: string | null;
  readonly correct: boolean | null;
  /** Sampling settings that the log names. */
  readonly temperature: number | null;
  readonly topP: number | null;
  /** Siblings of its group (itself included): how many were read, and how many of them called in their first turn. */
  readonly siblings: { readonly count: number; readonly calledFirst: number } | null;
  /** Recorded answers of its group with ground truth and logged correctness, at most 256, to calibrate the answer check. */
  readonly recorded: readonly RecordedAnswer[];
  /** What was cut or is missing, a sentence each ("3 pictures are replaced by their pads"). */
  readonly notes: readonly string[];
}

/** An answer of the run and what its own grader said of it. */
export interface RecordedAnswer {
  readonly answer: string;
  readonly groundTruth: string;
  readonly correct: boolean;
}

/** What a model said of one call (hdpo.md section 3, `replay`), as it is kept beside the index. */
export interface KeptGain extends CallGain {
  /** Name of the model that said it. */
  readonly model: string;
  /** Whether it reproduces the logged log-probs: only `same` and `not logged` may flag a call. */
  readonly fits: LogprobVerdict['verdict'];
  /** Counterfactual samples without the call, and how many of them were right; null where none were drawn. */
  readonly without: { readonly right: number; readonly judged: number } | null;
}

/** Requests about replays, part of EngineApi; `ref` and `path` as for `transcript`. */
export interface ReplayQuestions {
  /** UserError where the rollout is too long for one message. */
  replayEpisode(params: { readonly ref: RolloutRef; readonly path: string }): ReplayEpisode;
  /** Keeps gains of calls of a rollout: the latest of a call and model wins. Its transcript shows them as rule `replay`. */
  keepGains(params: { readonly ref: RolloutRef; readonly path: string; readonly gains: readonly KeptGain[] }): null;
  /** What is kept for the calls of a rollout, all models. */
  keptGains(params: { readonly ref: RolloutRef; readonly path: string }): readonly KeptGain[];
}

/** Where a model runs. */
export type ProviderName = 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml';

/** Which model to load. `key` never crosses: the host adds it to requests. */
export type ModelChoice =
  | {
      readonly kind: 'local';
      readonly folder: string;
      /** Suffix of the file ("", "_q4", "_fp16"); null for the best that is there. */
      readonly variant: string | null;
      /** Null: tried one at a time in the order that suits the machine. */
      readonly provider: ProviderName | null;
      /** Tokens a run; null for the usual 128 (31 where the self-test asks for it). */
      readonly chunk: number | null;
      /** Bytes of KV cache that may be held; null for the default. */
      readonly memoryBudget: number | null;
      /** Folder with ONNX Runtime's CUDA libraries; null where not installed. */
      readonly cudaFolder: string | null;
      /** Where edited graphs, profiles and self-tests are kept. */
      readonly storage: string;
      /** True: a self-test that is kept there is made again. */
      readonly checkAgain?: boolean;
    }
  | {
      readonly kind: 'remote';
      /** "http://host:8000/v1" */
      readonly endpoint: string;
      readonly model: string;
      /** Folder with tokenizer.json of that model; null: the server's own /tokenize is used. */
      readonly tokenizerFolder: string | null;
      /** Requests in flight. */
      readonly concurrency: number;
    };

/** How a provider did. */
export interface ProviderAttempt {
  readonly provider: ProviderName;
  /** Null where it works; else one sentence. */
  readonly failure: string | null;
  /** The self-test that speaks against it, where it is one. */
  readonly selfTest?: SelfTest;
}

/** The numerical self-test of a model on a provider against the CPU. */
export interface SelfTest {
  /** `same`: trusted; `different`: its numbers are not; `slow`: right, yet slower than the CPU. */
  readonly verdict: 'same' | 'different' | 'slow' | 'not needed';
  readonly maximumDifference: number | null;
  /** Tokens a second here and on the CPU. */
  readonly tokensPerSecond: number | null;
  readonly cpuTokensPerSecond: number | null;
  /** Longest chunk whose numbers agree; null where all do. */
  readonly chunkLimit: number | null;
  readonly sentence: string;
}

/** What is known of a loaded model. */
export interface BackendFacts {
  /** Folder's or server's name for it. */
  readonly name: string;
  readonly kind: 'local' | 'remote';
  /** "f32", "f16", "q4", … as the graph says; 'unknown' for servers. */
  readonly precision: string;
  readonly provider: string;
  readonly attempts: readonly ProviderAttempt[];
  readonly vocabularySize: number;
  readonly contextLength: number;
  readonly selfTest: SelfTest | null;
  /** Why the scoring head could not be put into the graph; null where it is there. */
  readonly slowPath: string | null;
  /** Sentences the panel shows ("falls back to the CPU", "images are replaced by their pads"). */
  readonly warnings: readonly string[];
  /** Stored with every number: hashes, precision, provider, versions. */
  readonly provenance: readonly NamedValue[];
  /** Hash of `provenance`: numbers are only compared or drawn as one where it is equal. */
  readonly provenanceId: string;
}

/** Values of consecutive wanted positions. */
export interface ScoredTokens {
  /** Index of the first of them within the wanted positions. */
  readonly first: number;
  readonly logprob: Float32Array;
  readonly entropy: Float32Array;
  /** 1 = the most probable token; NaN where unknown. */
  readonly rank: Float32Array;
  /** count × watched, row-major. */
  readonly watched: Float32Array;
  /** Log-prob at the temperature that was asked for (ScoreRequest.temperature), NaN where not known; absent if not asked. */
  readonly tempered?: Float32Array;
  /** count × top, row-major, most probable first. */
  readonly topIds: Int32Array;
  readonly topLogprobs: Float32Array;
}

/** The tokens of an episode for this model. */
export interface AlignedEpisode {
  readonly count: number;
  /** Parallel: id, turn (−1 = between turns: template), 1 where the policy wrote it (scored). */
  readonly ids: Int32Array;
  readonly turn: Int32Array;
  readonly scored: Uint8Array;
  /** Text of each token, special tokens spelled out. */
  readonly texts: readonly string[];
  /** Logged log-prob of each token, NaN where not logged; null where none is. */
  readonly logged: Float32Array | null;
  /** Where the ids come from. */
  readonly source: 'logged ids' | 'exact text' | 'chat template';
  /** Share of policy tokens whose boundaries or ids are not sure, 0 to 1. */
  readonly misaligned: number;
  /** Tokens that did not fit into the context, counted from the end. */
  readonly left: number;
  /** Text that opens a call and that opens an answer in this format, null where not known; null where neither is. */
  readonly opener: { readonly call: string | null; readonly answer: string | null } | null;
  readonly notes: readonly string[];
}

/** Logged against scored log-probs at one temperature. */
export interface LogprobAgreement {
  readonly temperature: number;
  readonly tokens: number;
  readonly meanAbsolute: number;
  readonly p99Absolute: number;
  readonly maximumAbsolute: number;
  /** k3 estimator of KL(logged ‖ model), nats a token. */
  readonly k3: number;
}

/** What the comparison says. */
export interface LogprobVerdict {
  readonly verdict: 'same' | 'near' | 'different' | 'not logged';
  readonly agreements: readonly LogprobAgreement[];
  /** Index into `agreements` of the temperature that fits; −1 for none. */
  readonly fits: number;
  /** Share of logged tokens outside top-p or top-k; null where not known. */
  readonly outsideTopP: number | null;
  readonly sentence: string;
}

/** Thresholds of the verdict (settings). */
export interface LogprobThresholds {
  readonly sameMaximum: number;
  readonly sameMean16: number;
  readonly sameP99of16: number;
  readonly nearMean: number;
}

/** The defaults of the settings: 32-bit numbers repeat, 16-bit ones scatter. */
export const usualLogprobThresholds: LogprobThresholds = {
  sameMaximum: 1e-3,
  sameMean16: 0.02,
  sameP99of16: 0.3,
  nearMean: 0.1,
};

/** P(call) at the start of one policy turn. */
export interface DecisionPoint {
  readonly turn: number;
  readonly estimator: 'siblings' | 'Monte Carlo' | 'hazard' | 'first token';
  readonly callProbability: number;
  readonly low: number | null;
  readonly high: number | null;
  /** Samples or siblings; 0 for analytic ones. */
  readonly n: number;
  readonly temperature: number;
  /** What it is conditional on: "", "on the recorded prefix", "given this reasoning". */
  readonly given: string;
  /** What the policy did. */
  readonly called: boolean;
  readonly provenanceId: string | null;
}

/** What is done differently. */
export type Intervention =
  | { readonly kind: 'no call' }
  | { readonly kind: 'no tools' }
  | { readonly kind: 'other result'; readonly text: string };

/** A counterfactual at a decision point. */
export interface BranchRequest {
  /** Chosen by the host; events name it. */
  readonly id: string;
  readonly turn: number;
  readonly intervention: Intervention;
  readonly samples: number;
  readonly seed: number;
  readonly temperature: number;
  readonly topP: number;
  readonly maximumTokens: number;
  /** Left out: both arms. `intervention`: without a control, where only the samples themselves are wanted. */
  readonly arms?: 'intervention';
}

/** One continuation. */
export interface BranchSample {
  readonly arm: 'intervention' | 'control';
  readonly sample: number;
  readonly text: string;
  readonly answer: string | null;
  /** Null: not judged (it called a tool, was cut, or there is no ground truth). */
  readonly correct: boolean | null;
  readonly ended: 'answered' | 'called' | 'cut';
  readonly logprob: number;
}

/** Share right in one arm. */
export interface ArmShare {
  readonly right: number;
  readonly judged: number;
  readonly samples: number;
  readonly share: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** A finished counterfactual. */
export interface BranchResult {
  readonly id: string;
  readonly request: BranchRequest;
  /** "intervention: the opener is banned" or "conditional: samples with a call were rejected". */
  readonly label: string;
  readonly samples: readonly BranchSample[];
  readonly intervention: ArmShare;
  readonly control: ArmShare;
  /** Newcombe's interval of intervention − control. */
  readonly difference: { readonly value: number; readonly low: number; readonly high: number } | null;
  /** How the answer check did on the run's own answers. */
  readonly calibration: { readonly agree: number; readonly of: number };
  readonly warnings: readonly string[];
  readonly provenanceId: string;
}

/** Information gain of one call (hdpo.md section 3, `replay`). */
export interface CallGain {
  readonly call: number;
  /** log p(answer | history up to and with call and observation) and … just before the turn of the call; nats. */
  readonly withCall: number;
  readonly withoutCall: number;
  readonly gain: number;
  /** True where p(a without) ≥ 0.5 and gain ≤ 0.1. */
  readonly flagged: boolean;
  readonly provenanceId: string;
}

/** Questions of the host to a replayer. `load` once, then `open` an episode, then the rest about it. */
export interface ReplayerApi {
  load(params: { readonly choice: ModelChoice }): BackendFacts;
  /** Tokens of an episode from `first` on (as many as fit into a message); the first page makes it the current one. */
  open(params: { readonly episode: ReplayEpisode | null; readonly first: number }): AlignedEpisode & {
    readonly first: number;
    readonly total: number;
  };
  /** Scores all policy tokens; values come as events while it runs. */
  score(params: { readonly thresholds: LogprobThresholds; readonly top: number }): LogprobVerdict;
  /** What needs no samples: siblings, hazard, first token. After `score`. */
  decisions(params: Record<string, never>): readonly DecisionPoint[];
  /** Monte Carlo from the start of a turn through the reasoning. */
  estimate(params: {
    readonly turn: number;
    readonly samples: number;
    readonly seed: number;
    readonly temperature: number;
    readonly topP: number;
  }): DecisionPoint;
  branch(params: { readonly request: BranchRequest }): BranchResult;
  /** Of all calls of the episode; UserError where the rollout is not right or has no answer. */
  gains(params: Record<string, never>): readonly CallGain[];
}

/** What a replayer tells while it works. */
export interface ReplayerEvents {
  /**
   * Token indexes (into AlignedEpisode) of a slice of `ScoredTokens`, values in the same order; `texts` are those of
   * `values.topIds`, parallel to it: the page has no tokenizer to name an alternative.
   */
  scored(params: {
    readonly tokens: Int32Array;
    readonly values: ScoredTokens;
    readonly texts?: readonly string[];
  }): void;
  /** Text of a sample as it grows. */
  branchText(params: {
    readonly id: string;
    readonly arm: 'intervention' | 'control';
    readonly sample: number;
    readonly added: string;
  }): void;
  progress(params: { readonly what: string; readonly done: number; readonly of: number }): void;
  log(params: { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly message: string }): void;
}

/** Longest part of a body that crosses in one message, in bytes: log-probs of a long prompt are some tens of MB. */
export const mostPartBytes = 512 * 1024;

/**
 * Requests of a replayer to the host: the network is the host's, with its proxy, certificates and key. Bodies are UTF-8 and
 * cross in parts of at most `mostPartBytes`; `id` is the replayer's own for a request and all its parts.
 */
export interface NetworkApi {
  /** A part of the body of a request that is to come; the last one goes with the request. */
  send(params: { readonly id: string; readonly part: Uint8Array }): null;
  /** Asks, and gives the first part of the answer. */
  request(params: {
    readonly id: string;
    readonly url: string;
    readonly method: 'GET' | 'POST';
    /** Null: no body at all. */
    readonly body: Uint8Array | null;
  }): AnswerPart & {
    readonly status: number;
    /** Seconds of a Retry-After header; null where none. */
    readonly retryAfter: number | null;
  };
  /** The next part of an answer. */
  receive(params: { readonly id: string }): AnswerPart;
  /** Nothing more is wanted of a request. */
  drop(params: { readonly id: string }): null;
}

/** A part of an answer's body. */
export interface AnswerPart {
  readonly part: Uint8Array;
  /** True where `receive` has more. */
  readonly more: boolean;
}
