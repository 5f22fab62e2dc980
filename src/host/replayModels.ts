/**
 * The models that can speak for a policy, as one view offers them to the others: which there are and what was learnt of
 * them, choosing one, adding and removing, and starting its process.
 * An interface alone; the replay view makes it (views/replay/offeredModels.ts), extension.ts hands it out.
 */
import type { Event } from 'vscode';
import type { ProviderAttempt, SelfTest } from '../protocol/replay.ts';
import type { ReplayerKeeper } from './replayerKeeper.ts';

/** A chosen model: its name for people and where it runs. */
export interface OfferedModel {
  readonly name: string;
  /** Address of the server that would be sent prompts; null where it runs on this machine. */
  readonly server: string | null;
  /** Its process, started by the first question; the caller disposes of it. */
  start(): ReplayerKeeper;
}

/** What was learnt of a model when it was loaded on this machine. */
export interface ModelCheck {
  readonly provider: string;
  /** As its graph says it. */
  readonly precision: string;
  /** Of the provider it runs on; null where none was needed or possible. */
  readonly selfTest: SelfTest | null;
  readonly attempts: readonly ProviderAttempt[];
  /** SHA-256 of its files; null where not known. */
  readonly hash: string | null;
  /** Version of ONNX Runtime. */
  readonly runtime: string | null;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** A model that can be chosen. */
export interface KnownModel {
  /** What a run remembers: `bundled:hdpo`, `folder+_q4:/path`, `downloaded:/path`, `server`. */
  readonly id: string;
  readonly kind: 'bundled' | 'folder' | 'downloaded' | 'server';
  /** Who speaks, wherever it is said: "Policy after HDPO (bundled)". */
  readonly name: string;
  /** The same where its kind is seen: "Policy after HDPO". */
  readonly label: string;
  /** Where it comes from, for people: a path, an address, a repository. */
  readonly from: string;
  /** Whether it can be used: a folder may be gone, a download broken off. */
  readonly state: 'there' | 'gone' | 'partial';
  /** Its folder on this machine; null for a server. */
  readonly folder: string | null;
  /** Of the file with its graph; null where there is none. */
  readonly file: string | null;
  /** Null where not known. */
  readonly sizeBytes: number | null;
  /** As its graph says it where it was loaded once, else as the names of its files do; null where neither does. */
  readonly precision: string | null;
  /** Null where it was never loaded here, or its file has changed since. */
  readonly check: ModelCheck | null;
  /** Precisions that its folder has besides. */
  readonly others: number;
}

/** Models to choose from. */
export interface ReplayModels {
  /** Asks the user; null where the question was closed. */
  choose(title: string): Promise<OfferedModel | null>;
  /** All that are known, bundled ones first. */
  known(): Promise<readonly KnownModel[]>;
  readonly onDidChange: Event<undefined>;
  /** Asks for a folder, and for the precision where it holds several; the model's id, or undefined where the user left. */
  addFolder(): Promise<string | undefined>;
  /** Asks for another precision of a folder's model. */
  addPrecision(model: KnownModel): Promise<string | undefined>;
  /** Asks for a model of a Hub and downloads it. */
  download(): Promise<string | undefined>;
  /** Goes on with a download that broke off; asks for its precision again. */
  resume(model: KnownModel): Promise<string | undefined>;
  /** Forgets a folder, or removes the files of a download after it has asked. */
  remove(model: KnownModel): Promise<void>;
  /** Compares the GPU's numbers with the CPU's again, and says the outcome. */
  check(model: KnownModel): Promise<void>;
}
