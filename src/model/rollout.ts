/**
 * What a rollout is: plain, readonly, structured-cloneable data that every log format maps to (formats.md 10.3).
 * Made by builder.ts only. Leaves out advantages that are derived from a group (analysis/hdpo.ts) and where the
 * file lies (a record knows its bytes, not its path).
 */
import type { Json } from '../base/json.ts';

/** Bytes of a file, end exclusive: `first`, `first + count`. */
export interface ByteRange {
  readonly first: number;
  readonly count: number;
}

/** Where in its file a rollout was logged. */
export interface RecordPlace {
  /** 0-based index of the record within its file. */
  readonly row: number;
  /** 0-based physical line (count of 0x0A before it); for a JSON array the line where the item starts. */
  readonly line: number;
  /** The record's bytes: of a line, of an item of an array, of the member of an archive, of the whole document. */
  readonly bytes: ByteRange;
  /** Which of the rollouts that one record holds (columnar logs, groups in one line), 0-based; absent where it holds one. */
  readonly item?: number;
}

/** Who speaks. `policy` is the model under training; `tool` is an observation whatever role the chat template gave it. */
export type Role = 'system' | 'user' | 'policy' | 'tool' | 'other';

/** One piece of a turn, in the order it was written. */
export type TurnPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'reasoning'; readonly text: string }
  /** A call the policy wrote here; index into `Rollout.calls`. */
  | { readonly kind: 'call'; readonly call: number }
  /** The committed answer (`<answer>`, \boxed in future formats). */
  | { readonly kind: 'answer'; readonly text: string }
  /** A picture; index into `Rollout.images`. */
  | { readonly kind: 'image'; readonly image: number };

/** One message. An observation (role `tool`) names the calls it answers. */
export interface Turn {
  readonly role: Role;
  /** The role as logged ("user" for a Metis observation), for people who look for it. */
  readonly loggedRole: string;
  readonly parts: readonly TurnPart[];
  /** Calls (indexes) whose observation this turn is; empty for every other role. */
  readonly observes: readonly number[];
  /** True for what the log gives as the prompt, false for what was generated after it. */
  readonly prompt: boolean;
  /** Characters of the turn as logged, markup and pads included. */
  readonly characters: number;
  /** Tokens, null where the log does not say. */
  readonly tokens: number | null;
  readonly latencyMs: number | null;
  /** What the log says of each token of this turn; null where it logs no token arrays. */
  readonly tokenValues: TokenValues | null;
  /** The sub-agent or branch that speaks here; null for the main agent. */
  readonly agent: SubAgent | null;
}

/**
 * Per-token arrays of one turn as logged; those that are given have one length. Natural logarithms.
 * Absent arrays are null, absent items (a trainer that scores only some tokens) NaN.
 */
export interface TokenValues {
  readonly ids: readonly number[] | null;
  /** Text of each token, null where the log has only ids. */
  readonly texts: readonly string[] | null;
  /** log p of each token under the policy that wrote it. */
  readonly logprobs: readonly number[] | null;
  /** log p under the reference policy. */
  readonly referenceLogprobs: readonly number[] | null;
  /** Further logged values by name ("advantages", "token_rewards", "loss mask" as 0 and 1, "entropy"). */
  readonly others: readonly NamedNumbers[];
}

/** A name and one number a token. */
export interface NamedNumbers {
  readonly name: string;
  readonly values: readonly number[];
}

/** A sub-agent, a branch or a delegate inside a rollout. */
export interface SubAgent {
  readonly name: string;
  /** 1 for what the main agent started, 2 for what that one started. */
  readonly depth: number;
}

/** How a call went: `unknown` where the log does not say. */
export type CallOutcome = 'ok' | 'failed' | 'malformed' | 'timeout' | 'refused' | 'unknown';

/** One tool invocation with its observation. */
export interface Call {
  /** Turn (index) in which the policy wrote it. */
  readonly turn: number;
  /** Tool name; null where the call is malformed and names none. */
  readonly tool: string | null;
  /** Parsed arguments; null where they are not JSON. */
  readonly arguments: Json;
  /** The call's text as the policy wrote it. */
  readonly raw: string;
  /** False for a call that was written but cut before it was sent (turn limit): not counted in T. */
  readonly sent: boolean;
  /** True for submit, finish, think, hand-over: counted in T as logged, never judged redundant (hdpo.md 3). */
  readonly control: boolean;
  readonly outcome: CallOutcome;
  /** Why it failed, as logged; null where it did not or the log does not say. */
  readonly failure: string | null;
  /** Text of the observation as logged for the call (before truncation to the context), '' where there is none. */
  readonly observation: string;
  /** Pictures the observation brought; indexes into `Rollout.images`. */
  readonly images: readonly number[];
  /** Wall time in milliseconds, null where the log does not say. */
  readonly latencyMs: number | null;
  /** Further logged facts (metrics, timings), shown in the hover. */
  readonly facts: readonly NamedValue[];
}

/** A name and a JSON value, in log order. */
export interface NamedValue {
  readonly name: string;
  readonly value: Json;
}

/** A picture: its data where the log has it, else why not. */
export interface LoggedImage {
  readonly origin: 'prompt' | 'observation';
  /** `inline`: data is a base64 payload; `cut`: the logger cut it; `absent`: only pads were logged. */
  readonly state: 'inline' | 'cut' | 'absent';
  readonly mime: string | null;
  readonly base64: string | null;
  /** Number of image pads in the text, null where there are none. */
  readonly pads: number | null;
}

/** Reward of one rollout as logged or decoded; null = the log does not say. */
export interface Reward {
  /** The logged total: r_acc of HDPO. */
  readonly total: number | null;
  /** r_ans (0 or 1). */
  readonly answer: 0 | 1 | null;
  /** r_fmt (0 or 1). */
  readonly format: 0 | 1 | null;
  /** Right or wrong as logged or decoded; null = to be decided by the run's reward threshold. */
  readonly correct: boolean | null;
  /** Where `correct` comes from, named in the view. */
  readonly correctSource: 'logged' | 'decoded from score' | 'reward threshold';
  /** Further logged rewards and scores by name. */
  readonly parts: readonly NamedValue[];
}

/** One attempt at one prompt. */
export interface Rollout {
  readonly place: RecordPlace;
  /** Producer as recognised for this record's file, e.g. "Metis / verl-tool". */
  readonly producer: string;
  /** Training step; null where neither the record nor the file name says. */
  readonly step: number | null;
  /** Key of the group within its step: a logged id or a hash of prompt and ground truth. */
  readonly group: { readonly key: string; readonly source: 'logged' | 'inferred' };
  /** Id of this rollout as logged (trajectory id, session, trial); null where there is none. */
  readonly id: string | null;
  /**
   * Index of this output where one rollout logs several records (verl V1 multi-output agent loops); null otherwise.
   * The last output's score is repeated on every one, so only the last counts in means (formats.md 2.1).
   */
  readonly output: number | null;
  /** First text of the last user turn of the prompt, white space folded, at most 160 characters. */
  readonly question: string;
  readonly groundTruth: Json;
  readonly turns: readonly Turn[];
  readonly calls: readonly Call[];
  readonly images: readonly LoggedImage[];
  /** The committed answer's text, null where the policy gave none. */
  readonly answer: string | null;
  readonly reward: Reward;
  /** Advantage as logged by the trainer; null where the log has none (never replaced by a recomputed one). */
  readonly loggedAdvantage: number | null;
  /** `no_loss_on_traj`: counts in group mean and std, contributes 0. */
  readonly masked: boolean;
  /** Tokens the policy wrote (inside the response mask); null where the log does not say. */
  readonly modelTokens: number | null;
  readonly stopReason: string | null;
  /** Everything else the record logs, small values only, in log order. */
  readonly extras: readonly NamedValue[];
  /**
   * The text of prompt and response that the turns were cut from, exactly as logged; absent where the log holds messages.
   * A reference to the record's own strings: nothing is copied.
   */
  readonly exactText?: { readonly prompt: string; readonly response: string };
}
