/**
 * What a log may be wrapped in as a whole file: gzip, zstd, or a Parquet table (which is read as one JSON object a row).
 * Told by magic bytes, never by the name. Pure. Leaves out taking the wrapper off (readers/decompress.ts, store/parquetRows.ts).
 */
import type { Head } from '../readers/reader.ts';

/** What can be taken off. */
export type Wrapper = NonNullable<Head['wrapper']>;

const skippableMagic = [0x2a, 0x4d, 0x18] as const;

/** The wrapper of a file that begins with these bytes; null for a file that is what it is. */
export function wrapperOf(bytes: Uint8Array): Wrapper | null {
  const [first, second, third, fourth] = bytes;
  if (first === 0x1f && second === 0x8b) return 'gzip';
  if (first === 0x28 && second === 0xb5 && third === 0x2f && fourth === 0xfd) return 'zstd';
  // A zstd file may open with a frame that is to be skipped (pzstd writes such).
  const skippable = first !== undefined && first >> 4 === 5 && skippableMagic.every((byte, i) => bytes[i + 1] === byte);
  if (skippable) return 'zstd';
  const text = String.fromCharCode(...bytes.subarray(0, 4));
  return text === 'PAR1' ? 'parquet' : null;
}

/** The name of what is inside: without `.gz`, `.zst` or `.zstd`; a Parquet table keeps its name. */
export function innerName(name: string, wrapper: Wrapper | null): string {
  return wrapper === 'gzip' || wrapper === 'zstd' ? name.replace(/\.(gz|gzip|zst|zstd)$/iu, '') : name;
}

/** A name as its log has it, compressed or not. */
export function plainName(name: string): string {
  return innerName(name, 'gzip');
}

/** For people: "a gzip file". */
export function wrapperName(wrapper: Wrapper): string {
  return wrapper === 'parquet' ? 'a Parquet table' : `a ${wrapper} file`;
}
