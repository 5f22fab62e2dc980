/**
 * What filters look at: facts of all rollouts of the chosen runs and of their prompts, as parallel arrays, since a run may
 * have 400,000 rollouts. Data only; made by the engine (engine/curation/factsOfRun.ts), which reads the logs.
 * Leaves out texts: evidence is read again out of the log for the rows that are shown.
 */

/** Bits of `RolloutFacts.faults`, one a kind of impossible feedback that one rollout alone proves. */
export const faultBits = { 'does not parse': 1, contradiction: 2, 'no call': 4 } as const;

/** What became of the pictures of a prompt. */
export const imageStates = { none: 0, decoded: 1, broken: 2, 'not logged': 3 } as const;

/** Rollouts run after run, each by step, then file and row. */
export interface RolloutFacts {
  readonly count: number;
  /** Index into the chosen runs. */
  readonly run: Uint16Array;
  readonly step: Int32Array;
  /** Dense ordinal of the group over all runs. */
  readonly group: Uint32Array;
  /** Index into PromptFacts. */
  readonly prompt: Uint32Array;
  /** 0 wrong, 1 right, 2 not known. */
  readonly correct: Uint8Array;
  /** T: calls sent. */
  readonly calls: Uint16Array;
  /** Calls that failed, were malformed, timed out or were refused; those that no later call made good. */
  readonly failed: Uint16Array;
  readonly unrecovered: Uint16Array;
  /** 1 = the log does not say how some call went. */
  readonly unknownOutcome: Uint8Array;
  /** Characters of all its turns and observations. */
  readonly characters: Uint32Array;
  /** Four numbers a rollout: hash of everything it says. */
  readonly content: Uint32Array;
  /** Equal for rollouts that may be near duplicates at all: the same numbers and pictures are asked about, the answer is the same. */
  readonly sameAsk: Uint32Array;
  /** 128 bytes a rollout (minHash.ts). */
  readonly signature: Uint8Array;
  /** `faultBits`. */
  readonly faults: Uint8Array;
  readonly pythonCalls: Uint16Array;
  readonly otherCalls: Uint16Array;
  /** Indexes into `nameSets`: names read without being bound, and modules imported, by calls with a correct output. */
  readonly undefinedNames: Uint32Array;
  readonly imports: Uint32Array;
}

/** Prompts in the order in which they first appear. */
export interface PromptFacts {
  readonly count: number;
  /** Index of its first rollout. */
  readonly first: Uint32Array;
  /** Four numbers a prompt: hash of its text and pictures. */
  readonly hash: Uint32Array;
  /** Hash of what is asked alone (53 bits), to find it again in the log of another policy. */
  readonly ask: Float64Array;
  /** `imageStates`. */
  readonly images: Uint8Array;
  /** Tokens of the prompt, or characters / 4. */
  readonly tokens: Float64Array;
  /** 1 = tokens are logged. */
  readonly tokensLogged: Uint8Array;
  /** Chance of guessing right where options are listed; NaN elsewhere. */
  readonly chance: Float32Array;
  /** 1 = the log has a ground truth, or a right answer: something that can disagree. */
  readonly hasTruth: Uint8Array;
  /** Why a picture does not decode, by prompt. */
  readonly broken: ReadonlyMap<number, string>;
  /** Where ground truths, or answers of right rollouts, differ in meaning: one of each, by prompt. */
  readonly truths: ReadonlyMap<number, readonly string[]>;
  readonly answers: ReadonlyMap<number, readonly string[]>;
}

/** What the rollouts of one run say of names (feedback.ts), over all of them. */
export interface RunNames {
  /** Rollouts with a Python call. */
  readonly pythonRollouts: number;
  /** Rollouts in which an unbound name was read by a call that worked; in which a module was imported so. */
  readonly unbound: ReadonlyMap<string, number>;
  readonly imported: ReadonlyMap<string, number>;
  /** How often Python said that a name is not defined, or refused a module. */
  readonly refusedNames: ReadonlyMap<string, number>;
  readonly refusedModules: ReadonlyMap<string, number>;
}

/** Tool-free samples of each prompt and where they are from; null where no source was chosen. */
export interface ToolFreeFacts {
  /** Judged samples, and right ones. */
  readonly samples: Uint32Array;
  readonly right: Uint32Array;
  /** "8 samples of base-run", "self-selected": what the samples are, for sentences. */
  readonly source: string;
  /** Sentences that go with the source. */
  readonly notes: readonly string[];
}

/** Everything a filter is given. */
export interface CurationData {
  readonly rollouts: RolloutFacts;
  readonly prompts: PromptFacts;
  readonly nameSets: readonly (readonly string[])[];
  /** By run. */
  readonly names: readonly RunNames[];
  readonly toolFree: ToolFreeFacts | null;
  /** The judge's score a row, NaN where none was given. Rows are rollouts (sft) or prompts (rl). */
  readonly scores: Float32Array;
  /** Whether a judge was asked at all, with or without an answer. */
  readonly judgeAsked?: boolean;
  /** First step of each run, by run. */
  readonly firstSteps: readonly number[];
}
