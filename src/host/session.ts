/**
 * What the views share: the engine to ask, the runs that are open, and the step that is selected. Handed out by
 * extension.ts; views meet only through this and through commands whose arguments are ids.
 * Leaves out how it is made (openSession.ts), and anything that one view alone needs.
 */
import type * as vscode from 'vscode';
import type { Client, ParamsOf } from '../protocol/rpc.ts';
import type { CurationEvents } from '../protocol/curation.ts';
import type { EngineApi, RunId, RunSummary } from '../protocol/engine.ts';
import type { Judge } from './judge.ts';

/** `stopped`: not asked yet; `died`: ended by itself, and starts again with the next question. */
export type EngineState = 'stopped' | 'running' | 'died';

/** A run and, where one was chosen, one of its steps. */
export interface Selection {
  readonly run: RunId;
  readonly step: number | null;
}

/** Steps of one run whose rollouts changed; null = all. */
export interface StepsChange {
  readonly run: RunId;
  readonly steps: readonly number[] | null;
}

/** How the search for runs in the workspace stands. */
export interface SearchState {
  readonly state: 'not started' | 'searching' | 'done';
  /** Folders listed and files looked at by the last search that ended. */
  readonly folders: number;
  readonly files: number;
}

/** How far the engine is with reading, judging or exporting a curation. */
export type CurationProgress = ParamsOf<CurationEvents['curationProgress']>;

/** The open runs and the way to the engine. */
export interface Session extends vscode.Disposable {
  /**
   * Typed calls; the first one starts the engine, the first one after a death starts it again. A call that is pending
   * when the engine dies rejects with a UserError that says so.
   */
  readonly engine: Client<EngineApi>;
  readonly runs: readonly RunSummary[];
  readonly onDidChangeRuns: vscode.Event<readonly RunSummary[]>;
  readonly onDidChangeSteps: vscode.Event<StepsChange>;
  readonly engineState: EngineState;
  readonly onDidChangeEngine: vscode.Event<EngineState>;
  run(id: RunId): RunSummary | undefined;
  readonly selection: Selection | null;
  select(selection: Selection | null): void;
  readonly onDidSelect: vscode.Event<Selection | null>;
  /** Stable colour of a run: an index into `runColours` (protocol/runColours.ts). */
  colourOf(id: RunId): number;
  readonly log: vscode.LogOutputChannel;
  /** Who is asked about rows of a curation, once the user agreed. */
  readonly judge: Judge;
  readonly onDidProgressCuration: vscode.Event<CurationProgress>;

  /**
   * Opens remembered runs and looks for runs in the workspace's folders; settles when both have ended. Starts the
   * engine unless there is nothing to open and no folder. A call during a search joins it; a later one searches again.
   */
  search(): Promise<void>;
  readonly searchState: SearchState;
  readonly onDidChangeSearch: vscode.Event<SearchState>;
  /** Opens a folder or file and remembers it. Rejects with a UserError where nothing in it is a rollout log. */
  open(path: string): Promise<readonly RunSummary[]>;
  /** Forgets a run until it is opened by hand; its index stays. */
  close(id: RunId): Promise<void>;
  /** Sets and remembers the reward above which a rollout of this run counts as right. */
  setRewardThreshold(id: RunId, threshold: number): Promise<void>;
  /** Process id of the engine while it runs, for the log and for tests. */
  readonly enginePid: number | undefined;
}
