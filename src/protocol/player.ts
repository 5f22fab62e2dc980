/**
 * What crosses between the host and the page that plays an episode. The webview boundary is JSON plus typed arrays: no
 * NaN outside typed arrays. The model's answers are those of replay.ts, each with the side it is for: `main` is the model
 * that speaks, `other` the one it is compared with. Leaves out the words of the page (playerTexts.ts).
 */
import type { Role } from '../model/rollout.ts';
import type { CroppedPicture } from './crops.ts';
import type { RolloutRef } from './engine.ts';
import type {
  AlignedEpisode,
  BackendFacts,
  BranchResult,
  CallGain,
  DecisionPoint,
  Intervention,
  LogprobVerdict,
  ReplayCall,
  ReplayEpisode,
  ReplayerEvents,
} from './replay.ts';

/** Which of the two models. */
export type PlayerSide = 'main' | 'other';

/** What a page keeps to find its episode again. */
export interface PlayerKept {
  readonly ref: RolloutRef;
  /** Absolute path of the run. */
  readonly path: string;
}

/** One turn as the page shows it. */
export interface PlayerTurn {
  readonly turn: number;
  readonly role: Role;
  readonly loggedRole: string;
  readonly prompt: boolean;
  /** Log text: never page source. */
  readonly text: string;
  /** Characters left out of `text`. */
  readonly cut: number;
  /** Tokens as logged; estimated from the characters where `estimated`. */
  readonly tokens: number;
  readonly estimated: boolean;
  readonly calls: readonly number[];
  readonly observes: readonly number[];
  readonly images: readonly number[];
  readonly latencyMs: number | null;
}

/** An episode as the page shows it. */
export interface PlayerEpisode extends Pick<
  ReplayEpisode,
  'title' | 'step' | 'answer' | 'groundTruth' | 'correct' | 'temperature' | 'topP' | 'siblings' | 'notes'
> {
  readonly kept: PlayerKept;
  readonly turns: readonly PlayerTurn[];
  readonly calls: readonly ReplayCall[];
  /** Pictures with the regions that calls looked at. */
  readonly pictures: readonly CroppedPicture[];
  /** Samples an arm and a Monte Carlo estimate take (setting). */
  readonly samples: number;
}

/** How a model of the page stands. */
export type PlayerModel =
  | { readonly state: 'none'; /** Null, or why there can be none (Restricted Mode). */ readonly reason: string | null }
  | { readonly state: 'loading'; readonly name: string }
  | { readonly state: 'ready'; readonly name: string; readonly facts: BackendFacts }
  | {
      /** It did not load, or its process ended. */
      readonly state: 'failed' | 'died';
      readonly name: string;
      readonly message: string;
      readonly action: string | null;
      /** True where the CPU is worth a try. */
      readonly offerCpu: boolean;
    };

/** Both models. */
export interface PlayerModels {
  readonly main: PlayerModel;
  readonly other: PlayerModel;
}

/** A counterfactual that is kept, under a name. */
export interface KeptBranch {
  readonly name: string;
  /** Name of the model that made it, with its precision and provider. */
  readonly model: string;
  readonly result: BranchResult;
}

/** One page of an episode's tokens. */
export type TokenSlice = AlignedEpisode & { readonly first: number; readonly total: number };

interface Sided {
  readonly side: PlayerSide;
}

/** Requests of the page to the host. */
export interface PlayerHostApi {
  /** The episode that was asked for; `kept` is what the page kept, or null. */
  episode(params: { readonly kept: PlayerKept | null }): PlayerEpisode;
  /** Raw bytes of one picture from `first` on, at most 900,000. */
  bytes(params: { readonly image: number; readonly first: number }): {
    readonly mime: string;
    readonly sizeBytes: number;
    readonly bytes: Uint8Array;
  };
  models(params: Record<string, never>): PlayerModels;
  /** Asks the user for a model; `bundled` takes the one that comes with the extension, without asking. */
  chooseModel(params: Sided & { readonly which: 'ask' | 'bundled' | 'none' }): null;
  /** Starts a model again that failed or died; `cpu` on the CPU. */
  restart(params: Sided & { readonly on: 'same' | 'cpu' }): null;
  /** Opens VS Code's editor of workspace trust. */
  manageTrust(params: Record<string, never>): null;
  /** Loads the model where it is not loaded, and gives tokens of the episode from `first` on. */
  tokens(params: Sided & { readonly first: number }): TokenSlice;
  /** Scores all policy tokens; values come as events. Values that are there already come again. */
  score(params: Sided): LogprobVerdict;
  /** Those that need no samples, and the Monte Carlo estimates that are kept of this provenance. */
  decisions(params: Sided): readonly DecisionPoint[];
  estimate(params: Sided & { readonly turn: number }): DecisionPoint;
  branch(params: Sided & { readonly turn: number; readonly intervention: Intervention }): KeptBranch;
  gains(params: Sided): readonly CallGain[];
  /** Gains that are kept of this provenance, by the player or by a step that was replayed; null for none. */
  knownGains(params: Sided): readonly CallGain[] | null;
  branches(params: Record<string, never>): readonly KeptBranch[];
  /** Asks for a new name; null where it was left as it is. */
  renameBranch(params: { readonly id: string }): string | null;
  removeBranch(params: { readonly id: string }): null;
  /** Shows a sample beside what was recorded from its turn on, in the editor's diff. */
  diffBranch(params: { readonly id: string; readonly arm: 'intervention' | 'control'; readonly sample: number }): null;
  /** The page stands on this turn: a transcript that is visible shows it, without taking the focus. */
  follow(params: { readonly turn: number; readonly call: number | null }): null;
  /** Opens the transcript at a turn. */
  back(params: { readonly turn: number; readonly call: number | null }): null;
}

/** What the host tells the page. */
export interface PlayerEvents {
  /** Another episode was asked for, or its log changed. */
  episodeChanged(params: Record<string, never>): void;
  modelChanged(params: Sided & { readonly model: PlayerModel }): void;
  /** The cursor in the transcript stands in this turn. */
  turnAsked(params: { readonly turn: number }): void;
  scored(params: Sided & Parameters<ReplayerEvents['scored']>[0]): void;
  branchText(params: Sided & Parameters<ReplayerEvents['branchText']>[0]): void;
  progress(params: Sided & Parameters<ReplayerEvents['progress']>[0]): void;
  /** A command of the player, by the key that does the same. */
  key(params: { readonly key: PlayerKey }): void;
}

/** Keys of the player that exist as commands, too. */
export type PlayerKey = ' ' | 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown' | '.' | 'r' | 'm' | 'Escape' | '?';
