/**
 * The head of what is inside a wrapped file, of which only as much is decoded as the head needs (of a Parquet table its
 * first row). Owned by fileHeads.ts. Leaves out copies of whole files (unwrappedFiles.ts).
 */
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { DamagedError, decompress } from '../readers/decompress.ts';
import { readHead } from '../readers/head.ts';
import type { Head } from '../readers/reader.ts';
import { bytesSource, type Source } from '../readers/source.ts';
import { ParquetError, type ParquetTables } from '../store/parquetRows.ts';
import { fileError } from './fileSource.ts';
import { innerName, wrapperName, type Wrapper } from './wrapper.ts';

/** The head, or why there is none (half a sentence: "a gzip file that is damaged (…)"). */
export type WrappedHead =
  { readonly head: Head; readonly reason: null } | { readonly head: null; readonly reason: string };

const chunkBytes = 32 * 1024;

/** Looks inside a wrapped file. Rejects only if it cannot be read or on abort. */
export async function readWrappedHead(path: string, wrapper: Wrapper, tables: ParquetTables): Promise<WrappedHead> {
  const found = wrapper === 'parquet' ? await tableHead(path, tables) : await streamHead(path, wrapper);
  if (typeof found === 'string') return { head: null, reason: `${wrapperName(wrapper)} ${found}` };
  return { head: { ...found, wrapper }, reason: null };
}

async function tableHead(path: string, tables: ParquetTables): Promise<Head | string> {
  try {
    const row = await tables.firstRow(path);
    if (row === null) return 'without rows';
    return await readHead(bytesSource(basename(path), new TextEncoder().encode(`${row}\n`)));
  } catch (error) {
    if (error instanceof ParquetError) return `that cannot be read (${error.message.replace(path, basename(path))})`;
    throw error;
  }
}

async function streamHead(path: string, wrapper: 'gzip' | 'zstd'): Promise<Head | string> {
  const beginning = new Beginning(decompress(chunksOf(path), wrapper));
  try {
    const source: Source = {
      name: innerName(basename(path), wrapper),
      get sizeBytes() {
        return beginning.sizeBytes;
      },
      read: (first, count) => beginning.read(first, count),
    };
    const head = await readHead(source);
    if (head.bytes.length > 0) return head;
    return beginning.damage === null ? 'with nothing in it' : `that is damaged (${beginning.damage})`;
  } finally {
    await beginning.close();
  }
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) {
      if (chunk instanceof Uint8Array) yield chunk;
    }
  } catch (error) {
    throw fileError(path, error);
  }
}

/** The beginning of a stream, decoded as far as it was asked for. */
class Beginning {
  /** Why nothing more comes; null where the stream is sound so far. */
  damage: string | null = null;
  private readonly stream: AsyncGenerator<Uint8Array, void>;
  private readonly pieces: Uint8Array[] = [];
  private decodedBytes = 0;
  private ended = false;

  constructor(stream: AsyncGenerator<Uint8Array, void>) {
    this.stream = stream;
  }

  /** What is known of the size. */
  get sizeBytes(): number {
    return this.decodedBytes;
  }

  async read(first: number, count: number): Promise<Uint8Array> {
    while (!this.ended && this.decodedBytes < first + count) await this.decodeMore();
    const all = this.pieces.length === 1 ? (this.pieces[0] ?? new Uint8Array()) : Buffer.concat(this.pieces);
    this.pieces.splice(0, this.pieces.length, all);
    return all.subarray(first, first + count);
  }

  async close(): Promise<void> {
    await this.stream.return();
  }

  private async decodeMore(): Promise<void> {
    try {
      const next = await this.stream.next();
      if (next.done) {
        this.ended = true;
        return;
      }
      this.pieces.push(next.value);
      this.decodedBytes += next.value.length;
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      this.ended = true;
      this.damage = error.message;
    }
  }
}
