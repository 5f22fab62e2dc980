/**
 * A sliding window over the bytes of a Source: the unfinished record at its end stays, the next chunk is read behind it.
 * Owned by one reading at a time (jsonLines.ts, jsonArray.ts). Keeps one buffer that grows for a long record and shrinks
 * after it, so memory is one chunk plus the longest record. Leaves out what a record is.
 */
import type { Source } from './source.ts';

/** Bytes read at a time: 4 MB. */
export const chunkBytes = 4 * 1024 * 1024;

/** Longest record that is read at all: 256 MB (V8's longest string is about 512 MB). */
export const maximumRecordBytes = 256 * 1024 * 1024;

/** Doubling a buffer of 256 MB would cost more memory than the engine may take. */
const mostGrowthBytes = 64 * 1024 * 1024;

/** The window: `buffer[0, filled)` holds the file's bytes from `base` on. */
export interface ByteWindow {
  readonly source: Source;
  readonly chunkBytes: number;
  buffer: Buffer;
  filled: number;
  /** File offset of `buffer[0]`. */
  base: number;
  /** True once the source gave fewer bytes than were asked for. */
  ended: boolean;
}

/** An empty window whose first byte will be the file's byte `first`. */
export function byteWindow(source: Source, first: number, chunk = chunkBytes): ByteWindow {
  // A file smaller than a chunk gets a buffer of its size plus one byte, so that its end is seen in one read.
  const left = Math.max(0, source.sizeBytes - first) + 1;
  return {
    source,
    chunkBytes: chunk,
    buffer: Buffer.allocUnsafeSlow(Math.max(16, Math.min(chunk, left))),
    filled: 0,
    base: first,
    ended: false,
  };
}

/** Drops the bytes before `keepFrom` and reads one more chunk behind the rest. */
export async function fillWindow(window: ByteWindow, keepFrom: number): Promise<void> {
  const kept = window.filled - keepFrom;
  const wanted = wantedBytes(window, kept);
  if (wanted === window.buffer.length) {
    window.buffer.copyWithin(0, keepFrom, window.filled);
  } else {
    const next = Buffer.allocUnsafeSlow(wanted);
    window.buffer.copy(next, 0, keepFrom, window.filled);
    window.buffer = next;
  }
  window.base += keepFrom;
  window.filled = kept;
  const room = window.buffer.length - kept;
  const target = window.buffer.subarray(kept);
  const bytes = await window.source.read(window.base + kept, room, target);
  const inPlace = bytes.buffer === target.buffer && bytes.byteOffset === target.byteOffset;
  if (!inPlace) target.set(bytes);
  window.filled += bytes.length;
  window.ended = bytes.length < room;
}

/** Grows the buffer while a long record leaves little room behind it, and gives a huge one back afterwards. */
function wantedBytes(window: ByteWindow, kept: number): number {
  const length = window.buffer.length;
  if (length - kept < Math.min(kept, mostGrowthBytes / 2)) {
    return Math.max(Math.min(length * 2, length + mostGrowthBytes), window.chunkBytes);
  }
  if (length > window.chunkBytes * 4 && kept * 2 <= window.chunkBytes) return window.chunkBytes;
  return length;
}
