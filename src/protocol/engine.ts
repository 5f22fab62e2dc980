/**
 * What crosses the boundary between the extension host and the engine child process: ids, numbers and the visible page.
 * Every result is at most 1 MB (invariant 5): lists come in pages, pictures in slices, text already cut.
 * All paths are absolute. A cancelled or failed call rejects; it always settles (invariant 7).
 */
import type { FieldMapping } from '../model/fieldMapping.ts';
import type { Note } from '../model/note.ts';
import type { StepRow } from '../model/stepRow.ts';
import type { CurationApi } from './curation.ts';
import type { DoctorApi } from './doctor.ts';
import type { MappingForm, MappingPreview } from './fieldMapping.ts';
import type { FlagsApi } from './flags.ts';
import type { GroupViewApi } from './groupView.ts';
import type { ReplayQuestions } from './replay.ts';
import type { SamplesApi } from './samples.ts';
import type { TokenPage } from './tokens.ts';
import type { TranscriptMessage } from './transcript.ts';

/** Opaque id of a run: stable for its path, so tree state and restored tabs survive a restart. */
export type RunId = string & { readonly brand?: 'RunId' };

/** Names one rollout for ever: file relative to the run's folder ('/' separated), 0-based record index in it. */
export interface RolloutRef {
  readonly run: RunId;
  readonly file: string;
  readonly row: number;
}

/** A slice of a list: `first` inclusive, `count` items wanted (at most 500). */
export interface PageRequest {
  readonly first: number;
  readonly count: number;
}

/** Rows of a list and how many there are in all. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly total: number;
}

/** Where a run's index stands. `partial`: cancelled or some file unreadable; what was read is usable. */
export type RunState = 'found' | 'indexing' | 'ready' | 'partial';

/** A run as the sidebar shows it. */
export interface RunSummary {
  readonly id: RunId;
  /** Short name: the folder's or file's base name (with the file pattern where one folder holds several runs). */
  readonly name: string;
  /** Folder or file. */
  readonly path: string;
  /** "Metis / verl-tool", "tau-bench". */
  readonly producer: string;
  readonly format: string;
  readonly state: RunState;
  readonly files: number;
  readonly filesRead: number;
  readonly bytes: number;
  readonly bytesRead: number;
  readonly steps: number;
  readonly firstStep: number | null;
  readonly lastStep: number | null;
  readonly rollouts: number;
  readonly groups: number;
  /** Tool rate of the first and last step, null while nothing is read. */
  readonly firstToolRate: number | null;
  readonly lastToolRate: number | null;
  readonly notes: number;
  /** True when a file of it was seen to change within the last two minutes: a training is writing. */
  readonly live: boolean;
  /** False for logs without a training step: views that need steps say so. */
  readonly hasSteps: boolean;
  /** False once rollouts are read and none has a reward or a verdict: views that need them say so. */
  readonly hasRewards: boolean;
  /** Reward above which a rollout counts as right where the log does not say; null if the log says for all. */
  readonly rewardThreshold: number | null;
}

/** All rollouts of one prompt in one step. */
export interface GroupRow {
  readonly step: number;
  readonly key: string;
  readonly question: string;
  readonly size: number;
  readonly correct: number;
  readonly qualifying: number;
  /** True when the group was inferred from equal prompts and its size differs from the step's usual one. */
  readonly oddSize: boolean;
}

/** One rollout as a list shows it. NaN-able numbers are null here. */
export interface RolloutRow {
  readonly ref: RolloutRef;
  readonly step: number;
  readonly group: string;
  /** 1-based place of the rollout within its group, in file order, and the group's size. */
  readonly member: number;
  readonly groupSize: number;
  readonly id: string | null;
  readonly line: number;
  readonly question: string;
  readonly reward: number | null;
  readonly correct: boolean | null;
  readonly calls: number;
  readonly redundantCalls: number;
  /** Sum of the logged latencies of its redundant calls; null where none is logged. */
  readonly wastedMs: number | null;
  readonly accReward: number | null;
  readonly toolReward: number | null;
  readonly accAdvantage: number | null;
  readonly toolAdvantage: number | null;
  readonly loggedAdvantage: number | null;
  readonly qualifies: boolean;
  readonly stopReason: string | null;
}

/** Keys a list of rollouts can be sorted by; ties are always broken by file and row (invariant 6). */
export type SortKey = 'step' | 'reward' | 'calls' | 'accAdvantage' | 'toolAdvantage' | 'redundant' | 'wasted';

/** Order and filter of a list of rollouts; every filter that is set must hold. */
export interface RolloutFilter {
  readonly sort: SortKey | null;
  readonly descending: boolean;
  readonly wrong: boolean;
  readonly withCalls: boolean;
  readonly redundant: boolean;
  /** Only rollouts with a call of this tool that this rule flags (`sibling`: whatever the tool); null for all. */
  readonly pattern: { readonly tool: string | null; readonly rule: string } | null;
  /** Words that must all occur in step, id or question; '' for none. */
  readonly text: string;
}

/** No filter, log order. */
export const noFilter: RolloutFilter = {
  sort: null,
  descending: false,
  wrong: false,
  withCalls: false,
  redundant: false,
  pattern: null,
  text: '',
};

/** One member of a group in the arithmetic of an advantage. */
export interface GroupMember {
  readonly ref: RolloutRef;
  readonly member: number;
  readonly correct: boolean | null;
  readonly calls: number;
  readonly accReward: number | null;
  readonly toolReward: number | null;
  readonly qualifies: boolean;
}

/** The sums behind one rollout's advantages (hdpo.md section 2). */
export interface Explanation {
  readonly row: RolloutRow;
  /** Answer and format reward where the log has or implies them. */
  readonly answerReward: number | null;
  readonly formatReward: number | null;
  readonly correctSource: string;
  readonly accMean: number | null;
  readonly accStd: number | null;
  readonly toolMean: number | null;
  readonly toolStd: number | null;
  /** |Q| */
  readonly qualifying: number;
  /** True where equal rewards (or equal T in Q) make the advantage exactly 0. */
  readonly accEqual: boolean;
  readonly toolEqual: boolean;
  readonly masked: boolean;
  /** At most 64 members in file order. */
  readonly members: readonly GroupMember[];
}

/** Per-step curves of one run for the charts: parallel arrays, NaN = not known. Doubles, so that every view rounds the same number. */
export interface RunCurves {
  readonly run: RunId;
  readonly step: Int32Array;
  readonly rollouts: Uint32Array;
  readonly accuracy: Float64Array;
  readonly reward: Float64Array;
  readonly toolRate: Float64Array;
  readonly calls: Float64Array;
  /** Flagged calls / calls. */
  readonly redundant: Float64Array;
  /** Groups with |Q| ≥ 2 / groups. */
  readonly qualifyingShare: Float64Array;
  /** Groups with an efficiency signal / groups. */
  readonly signalShare: Float64Array;
  /** w_tool·N/N_sig. */
  readonly effectiveToolWeight: Float64Array;
  /** Mean of |A_acc|. */
  readonly accAdvantage: Float64Array;
  /** Mean of |A_tool|. */
  readonly toolAdvantage: Float64Array;
  /** Groups of two or more with equal r_acc, all right, and all wrong / groups. */
  readonly deadRightShare: Float64Array;
  readonly deadWrongShare: Float64Array;
  /** Failed calls / calls. */
  readonly failedCalls: Float64Array;
  /** Mean of the tokens inside the response mask, where logged, and of the characters the policy wrote. */
  readonly responseTokens: Float64Array;
  readonly responseCharacters: Float64Array;
  /** Rollouts ended by a length or turn limit / rollouts whose end is logged. */
  readonly truncatedShare: Float64Array;
}

/** Some consecutive steps of a run's curves, and how many the run has in all. */
export interface CurvesPage extends RunCurves {
  readonly total: number;
}

/** What a single file is, by its head alone (no indexing). */
export interface FileKind {
  /** Null if no reader claims it. */
  readonly format: string | null;
  /** "Metis / verl-tool" when read; else what it is recognised as ("a TRL parquet: not read yet"), or "unknown". */
  readonly description: string;
  /** True for a log that is text as it lies there, so that an editor can show a rollout's line; false if not read. */
  readonly text: boolean;
}

/** What discovery found below the given folders. */
export interface Discovery {
  readonly runs: readonly RunSummary[];
  /** Folders listed and files looked at, for the welcome view ("looked at 120 files in 14 folders"). */
  readonly folders: number;
  readonly files: number;
  readonly notes: readonly Note[];
}

/** Requests of the host to the engine. One params object in, one result out. */
export interface EngineApi extends SamplesApi, GroupViewApi, DoctorApi, FlagsApi, ReplayQuestions, CurationApi {
  /** Looks below folders for runs; found runs are kept, indexed in the background and watched. */
  discover(params: { readonly roots: readonly string[] }): Discovery;
  /** Opens a folder or file as one or more runs and starts indexing. UserError if nothing in it is a rollout log. */
  open(params: { readonly path: string }): readonly RunSummary[];
  /** Forgets a run (its shards stay). */
  close(params: { readonly run: RunId }): null;
  /** Stops indexing; what is read stays usable. `resume` goes on. */
  cancelIndexing(params: { readonly run: RunId | null }): null;
  resumeIndexing(params: { readonly run: RunId | null }): null;
  runs(params: Record<string, never>): readonly RunSummary[];
  setRewardThreshold(params: { readonly run: RunId; readonly threshold: number }): null;
  steps(params: { readonly run: RunId } & PageRequest): Page<StepRow>;
  groups(params: { readonly run: RunId; readonly step: number } & PageRequest): Page<GroupRow>;
  rollouts(
    params: {
      readonly run: RunId;
      readonly step: number | null;
      readonly group: string | null;
      readonly filter: RolloutFilter;
    } & PageRequest,
  ): Page<RolloutRow>;
  /** For the quick pick: at most `limit` rollouts whose step, id or question holds every word. */
  search(params: { readonly run: RunId | null; readonly text: string; readonly limit: number }): readonly RolloutRow[];
  /** The rollout logged at a 0-based physical line of a file, or the first one; null if that line is none. */
  locate(params: { readonly path: string; readonly line: number }): RolloutRow | null;
  /** All rollouts of one log file in line order, for CodeLens. */
  linesOf(params: { readonly path: string } & PageRequest): Page<RolloutRow>;
  explain(params: { readonly ref: RolloutRef }): Explanation;
  transcript(params: {
    readonly ref: RolloutRef;
    /** Absolute path of the run, so that a restored tab opens before its run was found again. */
    readonly path: string;
    /** Null for the whole document; else one turn that was cut, in parts of at most 900,000 characters. */
    readonly rest: { readonly turn: number; readonly part: number } | null;
  }): TranscriptMessage;
  /** Raw bytes of one picture, a slice of at most 900,000 bytes from `first`. */
  image(params: {
    readonly ref: RolloutRef;
    /** Absolute path of the run, as for `transcript`. */
    readonly path: string;
    readonly image: number;
    readonly first: number;
  }): {
    readonly mime: string;
    readonly sizeBytes: number;
    readonly bytes: Uint8Array;
  };
  /** Token values of one turn from token `first` on, as many as fit. UserError where the turn has none. */
  tokens(params: {
    readonly ref: RolloutRef;
    /** Absolute path of the run, as for `transcript`. */
    readonly path: string;
    readonly turn: number;
    readonly first: number;
  }): TokenPage;
  /** Curves from the step at index `first` on, at most 7,000 steps. */
  curves(params: { readonly run: RunId; readonly first: number }): CurvesPage;
  /** What the field mapping form shows of a log (or of the first log of a folder). UserError where it has no records. */
  mappingForm(params: { readonly path: string }): MappingForm;
  /** The first rollout of a log as a mapping reads it. */
  previewMapping(params: { readonly path: string; readonly mapping: FieldMapping }): MappingPreview;
  /** Keeps a mapping for the folder of a log (null: removes it) and closes the runs it changes: `reopen` names them. */
  saveMapping(params: { readonly path: string; readonly mapping: FieldMapping | null }): {
    readonly folder: string;
    readonly reopen: readonly string[];
  };
  notes(params: { readonly run: RunId } & PageRequest): Page<Note>;
  /** Folders in which `.json` logs of a run lie, at most 2,000: only there do menus show on such files. */
  jsonFolders(params: { readonly run: RunId }): readonly string[];
  fileKind(params: { readonly path: string }): FileKind;
}

/** What the engine tells the host without being asked; coalesced to two a second. */
export interface EngineEvents {
  /** The runs as they are now, all of them. */
  runsChanged(params: { readonly runs: readonly RunSummary[] }): void;
  /** Steps of one run whose rollouts changed (new, rewritten or gone); null = all. */
  stepsChanged(params: { readonly run: RunId; readonly steps: readonly number[] | null }): void;
  log(params: { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly message: string }): void;
}
