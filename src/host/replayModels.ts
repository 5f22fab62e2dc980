/**
 * The models that can speak for a policy, as one view offers them to the others: choosing one, and starting its process.
 * An interface alone; the replay view makes it (views/replay/offeredModels.ts), extension.ts hands it out.
 */
import type { ReplayerKeeper } from './replayerKeeper.ts';

/** A chosen model: its name for people and where it runs. */
export interface OfferedModel {
  readonly name: string;
  /** Address of the server that would be sent prompts; null where it runs on this machine. */
  readonly server: string | null;
  /** Its process, started by the first question; the caller disposes of it. */
  start(): ReplayerKeeper;
}

/** Models to choose from. */
export interface ReplayModels {
  /** Asks the user; null where the question was closed. */
  choose(title: string): Promise<OfferedModel | null>;
}
