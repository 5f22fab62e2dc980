/**
 * The interface of a log format. A new format is one file in this folder and one line in all.ts.
 * A reader maps foreign records to model/rollout.ts; it knows nothing of paths, runs, indexes or groups' statistics.
 */
import type { Note } from '../model/note.ts';
import type { RecordPlace, Rollout } from '../model/rollout.ts';
import type { Source } from './source.ts';

/** Stable name of a reader; part of the shard key, so renaming one rebuilds its shards. */
export type FormatId = string;

/** What detection looked at: magic bytes and, where the head is JSON, its first record or its top-level keys. */
export interface Head {
  /** Base name; only breaks ties. */
  readonly name: string;
  /**
   * What the records were wrapped in, already taken off: `first` and `keys` tell of what is inside (a Parquet table is
   * read as one JSON object a row). Absent for a file that is what it is.
   */
  readonly wrapper?: 'gzip' | 'zstd' | 'parquet';
  /** The first bytes of the file (up to 64 KB, up to 8 MB where the first line is longer). */
  readonly bytes: Uint8Array;
  /**
   * - `jsonl`: first line parses alone, or is longer than the head (then only `keys` is known);
   * - `json-array`: one JSON array over several lines; `first` is its first item where it is inside the head;
   * - `json-object`: one JSON document;
   * - `other`: not JSON.
   */
  readonly container: 'jsonl' | 'json-array' | 'json-object' | 'other';
  /** The first record, null where it does not end inside the head. */
  readonly first: unknown;
  /** The last bytes of a zip file (up to 64 KB), where its directory stands; absent for all others. */
  readonly tail?: Uint8Array;
  /** Keys of the first record at depth 1 (all that stand inside the head), empty where it is not an object. */
  readonly keys: ReadonlySet<string>;
}

/** A reader's claim on a file. */
export interface Recognition {
  readonly format: FormatId;
  /** For people: "Metis / verl-tool", "tau-bench". */
  readonly producer: string;
  /** Sub-kind the reader wants back when it reads (e.g. 'metis', 'v1'); part of the shard key. */
  readonly variant: string;
  /**
   * `episode` where a file of this format holds one episode, so that the files of a folder tree are one run
   * (discovery.ts says which); absent where a file holds many rollouts.
   */
  readonly holds?: 'episode';
}

/** What a reader is given besides the bytes. */
export interface ReadOptions {
  readonly recognition: Recognition;
  /** Continue from here (a growing file); both 0 for a whole file. The place must be the start of a record. */
  readonly from: RecordPlace | null;
  readonly signal: AbortSignal;
  /** Called once a rollout in file order; must not keep `images[].base64` alive. */
  readonly rollout: (rollout: Rollout) => void;
  /** Called once for each line or item that is not read. `file` is the source's name; the engine makes it a path. */
  readonly note: (note: Note) => void;
  /** Bytes consumed so far, for progress. */
  readonly progress?: (bytes: number) => void;
}

/** Sums of one reading: read + skipped + noted = lines (blank lines are `skipped`). */
export interface ReadSummary {
  readonly lines: number;
  readonly read: number;
  readonly skipped: number;
  readonly noted: number;
  /** Where the next record will start when the file grows: after the last complete record. */
  readonly next: RecordPlace;
}

/** One log format. */
export interface Reader {
  readonly format: FormatId;
  /** Raise when the same bytes give other rollouts; part of the shard key. */
  readonly version: number;
  /** Claims a file by its head; null if it is not of this format. Never throws. */
  recognise(head: Head): Recognition | null;
  /**
   * Step that a file name of this format means ("17.jsonl" → 17), or a name with folders before it where the format
   * keeps the step there ("step_4/train/all/traces.jsonl" → 4); null if none.
   */
  stepOfName(name: string): number | null;
  /** Reads all rollouts in file order. Rejects only if the source cannot be read or on abort. */
  read(source: Source, options: ReadOptions): Promise<ReadSummary>;
  /** Reads one rollout again by the place the index kept; null if those bytes are no record any more. */
  readOne(source: Source, place: RecordPlace, recognition: Recognition): Promise<Rollout | null>;
}
