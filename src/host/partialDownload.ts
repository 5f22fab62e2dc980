/**
 * A file that is downloaded in pieces over several tries: how much of it is there, what comes goes behind that, and the
 * hash of the whole. Owned by the downloads of models and of CUDA's libraries. Leaves out asking the network, and what a
 * wrong hash means.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** How a body is written behind what is there. */
export interface AppendOptions {
  /** Bytes that are there and stay; 0 writes the file anew. */
  readonly first: number;
  readonly signal: AbortSignal;
  /** Called with the bytes that the file then has, as they come. */
  readonly progress: (bytes: number) => void;
}

/** Writes a body behind the first bytes of a file; rejects on abort, and then what came is there. */
export async function appendBody(
  file: string,
  body: ReadableStream<Uint8Array>,
  { first, signal, progress }: AppendOptions,
): Promise<void> {
  let done = first;
  const counted = async function* (source: AsyncIterable<Uint8Array>) {
    for await (const bytes of source) {
      done += bytes.length;
      progress(done);
      yield bytes;
    }
  };
  const stream = Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
  await pipeline(stream, counted, createWriteStream(file, { flags: first === 0 ? 'w' : 'a' }), { signal });
}

/** Bytes of a file; null where it is not there. */
export async function sizeOf(file: string): Promise<number | null> {
  return stat(file).then(
    ({ size }) => size,
    () => null,
  );
}

/** Hash of a file, read as a stream; `start` goes before its bytes, as Git puts a head before them. */
export async function hashOf(file: string, algorithm: 'sha1' | 'sha256' | 'sha512', start = ''): Promise<Buffer> {
  const hash = createHash(algorithm).update(start);
  for await (const bytes of createReadStream(file)) hash.update(bytes as Buffer);
  return hash.digest();
}
