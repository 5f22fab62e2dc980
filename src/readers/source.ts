/**
 * Where a reader's bytes come from. A reader never sees a path (DESIGN.md's layer table): the engine opens the file,
 * tests hand in byte arrays. Leaves out decompression, which wraps one Source in another.
 */

/** Random and sequential access to the bytes of one log file. */
export interface Source {
  /** Base name of the file; only ever breaks ties (step number in the name). */
  readonly name: string;
  /** Size when it was opened; a growing file may be longer by now. */
  readonly sizeBytes: number;
  /**
   * Bytes from `first`; shorter than `count` only at the end of the file. Rejects with a UserError if unreadable.
   * A source may write into `target` (at least `count` long) and return a view of it, which spares an allocation.
   */
  read(first: number, count: number, target?: Uint8Array): Promise<Uint8Array>;
  /**
   * A file near this one ("result.json", "../result.json": at most one folder up), whole and at most 8 MB; null where it
   * is not there or cannot be read. Absent for bytes that have no neighbours. A name with one `*`
   * ("event-*.json", this folder only) stands for all files that fit, in order of their names (numbers in them by value),
   * each followed by a NUL byte, at most 64 MB in all; null where there is more.
   */
  beside?(relativeName: string): Promise<Uint8Array | null>;
}

/** A Source over bytes in memory, for tests and for decompressed members. */
export function bytesSource(name: string, bytes: Uint8Array): Source {
  return {
    name,
    sizeBytes: bytes.length,
    read: (first, count) => Promise.resolve(bytes.subarray(first, first + count)),
  };
}
