/**
 * zstd bytes in memory → what was compressed, within a limit (a member of an archive; Inspect writes several frames behind
 * each other). Leaves out the frames and their decoding (decompress.ts), and whole files, which the engine streams.
 */
import { DamagedError, decompress, usualZstd, type ZstdCode } from './decompress.ts';

/** Decompressed bytes, or why there are none. */
export type Unpacked = { readonly ok: true; readonly bytes: Buffer } | { readonly ok: false; readonly reason: string };

/** Moving so many bytes takes a few seconds, and the bytes of a member are not worth more. */
const mostMovedBytes = 2 ** 35;

/** Decompresses all frames; stops as soon as more than `maximumBytes` come out. Never throws. `zstd` is for its test. */
export async function unpackZstd(
  bytes: Uint8Array,
  maximumBytes: number,
  zstd: ZstdCode = usualZstd,
): Promise<Unpacked> {
  const pieces: Uint8Array[] = [];
  let left = maximumBytes;
  try {
    for await (const piece of decompress(whole(bytes), 'zstd', { zstd, mostMovedBytes })) {
      left -= piece.length;
      if (left < 0) return { ok: false, reason: tooLarge(maximumBytes) };
      pieces.push(piece);
    }
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    return { ok: false, reason: `its zstd data is damaged (${error.message})` };
  }
  return { ok: true, bytes: Buffer.concat(pieces) };
}

/** Why bytes that inflate without end are given up. */
export function tooLarge(maximumBytes: number): string {
  return `it inflates to more than ${maximumBytes} bytes`;
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield await Promise.resolve(bytes);
}
