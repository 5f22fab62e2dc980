/**
 * What crosses between the host and the page of the Curate view. JSON-safe: numbers that may be missing are null.
 * Questions about rows go to the engine as they are (curation.ts); dialogs, keys, models and files are the host's.
 * Leaves out the words of the page (curateTexts.ts).
 */
import type { CurationApi, CurationConfig, CurationExport, CurationStage } from './curation.ts';
import type { RolloutRef, RunId } from './engine.ts';

/** A run as the page names it. */
export interface CurateRun {
  readonly id: RunId;
  readonly name: string;
  readonly rollouts: number;
  /** Its logs are still being read: counts will grow. */
  readonly indexing: boolean;
}

/** What takes long: reading what the index lacks, asking the judge, writing the export, generating tool-free samples. */
export type CurateWork = 'reading' | 'judging' | 'exporting' | 'generating';

/** How far a long work is. `of` 0: not known yet. */
export interface CurateProgress {
  readonly what: CurateWork;
  readonly done: number;
  readonly of: number;
}

/** The open runs, and what the page should know when it is born. */
export interface CurateRuns {
  readonly runs: readonly CurateRun[];
  /** True while the workspace is being searched, so that more may come. */
  readonly searching: boolean;
  /** Runs that the command was run for since the page last asked; null for none. */
  readonly asked: readonly RunId[] | null;
  /** Work that goes on in the host although the page was torn down; null for none. */
  readonly working: CurateProgress | null;
}

/** A judge that can be asked. */
export interface JudgeChoice {
  /** Names it for ever: answers are kept by it. */
  readonly id: string;
  /** "small-model at http://127.0.0.1:8000/v1" */
  readonly label: string;
  readonly kind: 'endpoint' | 'editor';
}

/** The judges there are. */
export interface JudgeChoices {
  readonly judges: readonly JudgeChoice[];
  /** What is missing and what to do about it, a sentence each. */
  readonly notes: readonly string[];
  /** Whether a key is kept for the endpoint; false without an endpoint. */
  readonly hasKey: boolean;
}

/** A judge's prompt. */
export interface JudgePrompt {
  readonly text: string;
  /** True where it is the one we wrote. */
  readonly standard: boolean;
}

/** What became of a round of judging. */
export interface JudgeOutcome {
  readonly judged: number;
  readonly failed: number;
  readonly firstFailure: string | null;
  /** True where it was cancelled: what was answered is kept, and judging goes on from there. */
  readonly cancelled: boolean;
}

/** What became of generating tool-free samples: counts are prompts. */
export interface GenerateOutcome {
  readonly generated: number;
  /** Of these, sampled without a call, since the log does not show which tools were offered and could be taken out. */
  readonly withoutCall: number;
  readonly failed: number;
  readonly firstFailure: string | null;
  /** True where it was cancelled: what was generated is kept. */
  readonly cancelled: boolean;
}

/** What is curated, and how. */
export interface CurateQuestion {
  readonly runs: readonly RunId[];
  readonly config: CurationConfig;
}

/** Requests of the page to the host. */
export interface CurateHostApi extends Pick<
  CurationApi,
  'prepareCuration' | 'funnel' | 'curationRows' | 'overrule' | 'judgeAgreement'
> {
  runs(params: Record<string, never>): CurateRuns;
  /** Asks which of the open runs to curate; null where nothing was chosen. */
  chooseRuns(params: { readonly chosen: readonly RunId[] }): readonly RunId[] | null;
  /** Opens a log of the base model, chosen in a dialog; null where none was. */
  openBase(params: Record<string, never>): CurateRun | null;
  openRollout(params: { readonly ref: RolloutRef }): null;
  judges(params: Record<string, never>): JudgeChoices;
  judgePrompt(params: { readonly stage: CurationStage }): JudgePrompt;
  /** Keeps the user's prompt; null goes back to ours. */
  setJudgePrompt(params: { readonly stage: CurationStage; readonly text: string | null }): JudgePrompt;
  /** Says what it takes, asks, and judges; null where the user did not agree or nothing is left to ask. */
  judge(params: CurateQuestion & { readonly judge: string }): JudgeOutcome | null;
  /** Asks for a model, says what it takes, and generates the tool-free samples that are lacking; null where not agreed. */
  generate(params: CurateQuestion): GenerateOutcome | null;
  /** Asks for a file and writes it; false where none was chosen or it was cancelled. */
  exportRows(params: CurateQuestion & { readonly target: Omit<CurationExport, 'path'> }): boolean;
  /** Stops a long work of the host; nothing where it does not run. */
  cancel(params: { readonly what: CurateWork }): null;
  /** Writes the settings to a file the user chooses (that of `curate --config`); false where none was chosen. */
  exportConfig(params: { readonly config: CurationConfig }): boolean;
  /** Reads settings from a file the user chooses; null where none was chosen. */
  importConfig(params: Record<string, never>): CurationConfig | null;
  /** Runs one of the commands that the page's sentences name. */
  run(params: { readonly command: 'open a run' | 'set the key' | 'remove the key' | 'judge settings' }): null;
}

/** What the host tells the page. */
export interface CurateEvents {
  runsChanged(params: Omit<CurateRuns, 'asked'>): void;
  /** The command was run for these runs while the page was shown. */
  runsAsked(params: { readonly runs: readonly RunId[] }): void;
  progress(params: CurateProgress): void;
  /** A long work of the host ended, however it did. */
  ended(params: { readonly what: CurateWork }): void;
  /** Rollouts of a run changed: what was counted is old. */
  rowsChanged(params: { readonly run: RunId }): void;
  /** Judges, or the key, changed. */
  judgesChanged(params: Record<string, never>): void;
}
