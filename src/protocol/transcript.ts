/**
 * The transcript of one rollout as it crosses from the engine to the host: text of at most 1 MB plus marks that say
 * which lines are what, so that hovers, CodeLens, folding and outline never parse text that a log wrote.
 */
import type { CallOutcome, NamedValue, Role, SubAgent } from '../model/rollout.ts';
import type { Explanation } from './engine.ts';
import type { FlagReport } from './flags.ts';

/** Lines of the document, end exclusive: `line`, `line + count`. */
export interface LineRange {
  readonly line: number;
  readonly count: number;
}

/** What some lines of the document are. Ranges of turns do not overlap; calls and answers lie inside turns. */
export type Mark =
  | (LineRange & { readonly kind: 'title' })
  | (LineRange & {
      readonly kind: 'turn';
      readonly turn: number;
      readonly role: Role;
      readonly loggedRole: string;
      /** "policy 2", "user": what the heading says. */
      readonly label: string;
      readonly characters: number;
      readonly tokens: number | null;
      readonly latencyMs: number | null;
      /** Characters left out here; 0 where the turn is whole. */
      readonly cut: number;
      /** The sub-agent or branch that speaks; null for the main agent. */
      readonly agent: SubAgent | null;
      /** Tokens with logged values (EngineApi.tokens gives them); 0 where the log has none. */
      readonly tokenValues: number;
    })
  | (LineRange & {
      readonly kind: 'call';
      readonly call: number;
      readonly turn: number;
      readonly tool: string | null;
      readonly outcome: CallOutcome;
      readonly failure: string | null;
      readonly latencyMs: number | null;
      readonly sent: boolean;
      readonly observationCharacters: number;
      /** First characters of what came back (at most 300). */
      readonly observationStart: string;
      readonly facts: readonly NamedValue[];
      /** Ids of the redundancy rules that flag it as certain or likely, `sibling` among them. */
      readonly redundant: readonly string[];
    })
  | (LineRange & { readonly kind: 'observation'; readonly call: number; readonly characters: number })
  | (LineRange & { readonly kind: 'reasoning'; readonly turn: number })
  | (LineRange & {
      readonly kind: 'answer';
      readonly correct: boolean | null;
      /** As shown, at most 2,000 characters; '' where the log has none. */
      readonly groundTruth: string;
      /** Further logged rewards by name. */
      readonly rewardParts: readonly NamedValue[];
    })
  /** The token ids of a turn whose log has no texts of tokens: a line that says so, then lines of ids. */
  | (LineRange & { readonly kind: 'ids'; readonly turn: number })
  /** The closing sums: reward, advantages, members of the group. */
  | (LineRange & { readonly kind: 'arithmetic' })
  /** What else the record logs, below the sums. */
  | (LineRange & { readonly kind: 'facts' })
  | (LineRange & {
      readonly kind: 'image';
      readonly image: number;
      readonly state: 'inline' | 'cut' | 'absent';
      readonly pads: number | null;
    });

/** A document as it crosses to the host: UTF-8, since a string with one "▶" in it would cross as two bytes a character. */
export interface TranscriptMessage extends Omit<TranscriptDocument, 'text'> {
  /** The text in UTF-8, at most 1 MB. */
  readonly bytes: Uint8Array;
}

/** One document: the transcript of a rollout, or the rest of one cut turn. */
export interface TranscriptDocument {
  /** One line for tabs and quick picks: "step 17 · 48 × 7 = ? · 5 of 16". */
  readonly title: string;
  readonly text: string;
  readonly marks: readonly Mark[];
  /** Null while the run's group is not indexed yet; the document changes when it is. */
  readonly explanation: Explanation | null;
  /** All flags of the rollout, hints too; in the rest of a turn too. */
  readonly flags: FlagReport;
  /** For the rest of a turn: which part this is and how many there are; else null. */
  readonly part: { readonly index: number; readonly count: number } | null;
  /** Where the rollout was logged. */
  readonly file: string;
  readonly line: number;
}
