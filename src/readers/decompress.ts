/**
 * Decodes a gzip or zstd stream piece by piece, all members and frames to the end. zlib does the work; where Node has no
 * zstd (before 22.15) fzstd does. Whatever could be decoded before the data ends or is damaged comes out first, then a
 * DamagedError says why there is no more. Shared with the engine. Leaves out files and how much may come out.
 */
import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { messageOf } from '../base/errors.ts';
import { createFrameCutter } from './zstdFrames.ts';

/** The compressed data ends too early or is damaged; the message is half a sentence. */
export class DamagedError extends Error {
  override readonly name = 'DamagedError';
}

/** One decoder of one stream or frame. */
interface Decoder {
  /** Decodes these bytes; gives what came out of them. Throws where they cannot be decoded. */
  write(bytes: Uint8Array): Promise<readonly Uint8Array[]>;
  /** The stream ends here; throws where it must not. */
  end(): Promise<readonly Uint8Array[]>;
  close(): void;
}

/** Deflate gives at most 1,032 bytes a byte: 32 MB out of these. */
const gzipPieceBytes = 32 * 1024;

type ZlibStream = ReturnType<typeof zlib.createGunzip> | ReturnType<typeof zlib.createZstdDecompress>;

/** What a decoder puts out at a time. */
const outputBytes = 128 * 1024;

const cutOff = 'it ends in the middle';
/** Up to 128 KB of text: half a small log gives nothing, where half a gzip file gives half of it. */
const cutInFirstBlock = 'it ends in its first block, which can only be decoded whole';

/** Which zstd is used: Node's own or fzstd; tests ask for either. */
export type ZstdCode = 'node' | 'fzstd';

/** Node's own where it has one. */
export const usualZstd: ZstdCode = 'createZstdDecompress' in zlib ? 'node' : 'fzstd';

/** How a stream is decoded. */
export interface DecompressOptions {
  readonly zstd?: ZstdCode;
  /** fzstd moves its whole window for each block, 128 MB for four bytes: how much it may in all; no limit by default. */
  readonly mostMovedBytes?: number;
}

/** What the chunks decode to. Throws a DamagedError behind what could be decoded. */
export async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  wrapper: 'gzip' | 'zstd',
  options: DecompressOptions = {},
): AsyncGenerator<Uint8Array, void> {
  yield* wrapper === 'gzip' ? gunzip(chunks) : unzstd(chunks, options);
}

async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const decoder = nativeDecoder(zlib.createGunzip({ chunkSize: outputBytes }));
  try {
    for await (const chunk of chunks) {
      for (let first = 0; first < chunk.length; first += gzipPieceBytes) {
        yield* await decoded(decoder.write(chunk.subarray(first, first + gzipPieceBytes)));
      }
    }
    yield* finish(decoder);
  } finally {
    decoder.close();
  }
}

/** What the end brings out; a failure shows once that is taken. */
async function* finish(decoder: Decoder): AsyncGenerator<Uint8Array, void> {
  let output = await decoded(decoder.end());
  while (output.length > 0) {
    yield* output;
    output = await decoded(decoder.end());
  }
}

async function* unzstd(
  chunks: AsyncIterable<Uint8Array>,
  { zstd = usualZstd, mostMovedBytes = Infinity }: DecompressOptions,
): AsyncGenerator<Uint8Array, void> {
  const cutter = createFrameCutter();
  let movedBytes = 0;
  let hasOutput = false;
  let decoder: Decoder | null = null;
  try {
    for await (const chunk of chunks) {
      for (const piece of cutter.push(chunk)) {
        movedBytes += zstd === 'fzstd' ? piece.windowBytes * piece.blocks : 0;
        if (movedBytes > mostMovedBytes) throw new DamagedError('its window is too large for this Node');
        decoder ??=
          zstd === 'node' ? nativeDecoder(zlib.createZstdDecompress({ chunkSize: outputBytes })) : portableDecoder();
        const output = await decoded(decoder.write(piece.bytes));
        hasOutput ||= output.length > 0;
        yield* output;
        if (!piece.last) continue;
        yield* finish(decoder);
        decoder.close();
        decoder = null;
      }
      if (cutter.problem !== null) throw new DamagedError(cutter.problem);
    }
    if (!cutter.atEnd) throw new DamagedError(hasOutput ? cutOff : cutInFirstBlock);
  } finally {
    decoder?.close();
  }
}

async function decoded(output: Promise<readonly Uint8Array[]>): Promise<readonly Uint8Array[]> {
  try {
    return await output;
  } catch (error) {
    const message = messageOf(error);
    throw new DamagedError(/unexpected end/iu.test(message) ? cutOff : message);
  }
}

function nativeDecoder(stream: ZlibStream): Decoder {
  let output: Uint8Array[] = [];
  let ended = false;
  let failed: Error | null = null;
  let wake: (() => void) | null = null;
  stream.on('data', (bytes: Uint8Array) => output.push(bytes));
  stream.on('end', () => {
    ended = true;
    wake?.();
  });
  stream.on('error', (error) => {
    failed = error;
    wake?.();
  });
  const step = async (start: (done: () => void) => void): Promise<readonly Uint8Array[]> => {
    // Behind the end of the last gzip member: padding, which zlib leaves alone and calls nobody back for.
    if (!ended && !failed) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        start(resolve);
      });
      // What was put out last may still be on its way.
      if (!ended && !failed) await new Promise((resolve) => setImmediate(resolve));
    }
    const taken = output;
    output = [];
    if (failed && taken.length === 0) throw failed;
    return taken;
  };
  return {
    write: (bytes) =>
      step((done) => {
        stream.write(bytes, () => {
          done();
        });
      }),
    end: () =>
      step(() => {
        stream.end();
      }),
    close: () => stream.destroy(),
  };
}

function portableDecoder(): Decoder {
  let ended = false;
  let output: Uint8Array[] = [];
  const decoder = new Decompress((bytes) => {
    if (bytes.length > 0) output.push(bytes);
  });
  const take = (): readonly Uint8Array[] => {
    const taken = output;
    output = [];
    return taken;
  };
  const push = (bytes: Uint8Array, final: boolean): Promise<readonly Uint8Array[]> => {
    try {
      decoder.push(bytes, final);
      return Promise.resolve(take());
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  };
  return {
    write: (bytes) => push(bytes, false),
    // A frame of a few bytes waits for its end.
    end: () => {
      if (ended) return Promise.resolve([]);
      ended = true;
      return push(new Uint8Array(), true);
    },
    close: () => undefined,
  };
}
