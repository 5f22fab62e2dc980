/**
 * zstd bytes → what was compressed. Inspect writes a member as several frames behind each other; node:zlib (22.15 and
 * later) stops after the first one and says nothing, so the frames are cut apart here and each is decompressed alone.
 * fzstd does the work on an older Node. Leaves out dictionaries and streaming (the engine has its own for whole files).
 */
import zlib from 'node:zlib';
import { decompress, Decompress } from 'fzstd';
import { messageOf } from '../base/errors.ts';

/** Decompressed bytes, or why there are none. */
export type Unpacked = { readonly ok: true; readonly bytes: Buffer } | { readonly ok: false; readonly reason: string };

const frameMagic = 0xfd2fb528;
/** The low four bits are free. */
const skippableMagic = 0x184d2a50;
const pieceBytes = 64 * 1024;
/** What zstd itself allows unless told otherwise. */
const largestWindowBytes = 128 * 1024 * 1024;
/** fzstd moves its whole window for each block; this many bytes take a few seconds. */
const mostMovedBytes = 2 ** 35;

/** Decompresses all frames; stops as soon as more than `maximumBytes` come out. Never throws. */
export async function unpackZstd(bytes: Uint8Array, maximumBytes: number): Promise<Unpacked> {
  // Absent before Node 22.15, which the types do not say.
  const { zstdDecompress } = zlib as { readonly zstdDecompress?: typeof zlib.zstdDecompress };
  return unpackFrames(bytes, { maximumBytes, unpack: zstdDecompress === undefined ? inJavaScript : natively });
}

/** As unpackZstd, without native code even where there is some; for its test. */
export async function unpackZstdInJavaScript(bytes: Uint8Array, maximumBytes: number): Promise<Unpacked> {
  return unpackFrames(bytes, { maximumBytes, unpack: inJavaScript });
}

interface Unpacking {
  readonly maximumBytes: number;
  /** One frame; null where more than `most` bytes come out, an Error thrown where it is damaged. */
  readonly unpack: (frame: Frame, most: number) => Promise<Buffer | null>;
}

async function unpackFrames(bytes: Uint8Array, { maximumBytes, unpack }: Unpacking): Promise<Unpacked> {
  const packed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: Buffer[] = [];
  let left = maximumBytes;
  for (let first = 0; first < packed.length;) {
    const frame = frameAt(packed, first);
    if (frame === null) return { ok: false, reason: 'its zstd data is damaged' };
    first = frame.end;
    if (frame.skippable) continue;
    // The header's word alone would have memory taken for what never comes.
    if ((frame.contentBytes ?? 0) > left) return { ok: false, reason: tooLarge(maximumBytes) };
    if (frame.windowBytes > Math.max(largestWindowBytes, frame.contentBytes ?? 0)) {
      return { ok: false, reason: `its zstd window is larger than ${largestWindowBytes} bytes` };
    }
    try {
      const piece = await unpack(frame, left);
      if (piece === null) return { ok: false, reason: tooLarge(maximumBytes) };
      pieces.push(piece);
      left -= piece.length;
    } catch (error) {
      return { ok: false, reason: `its zstd data is damaged (${messageOf(error)})` };
    }
  }
  return { ok: true, bytes: pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces) };
}

/** Why bytes that inflate without end are given up. */
export function tooLarge(maximumBytes: number): string {
  return `it inflates to more than ${maximumBytes} bytes`;
}

async function natively({ bytes }: Frame, most: number): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    // A limit of 0 means no limit.
    zlib.zstdDecompress(bytes, { maxOutputLength: Math.max(1, most) }, (error, out) => {
      if (error === null) resolve(out.length > most ? null : out);
      else if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') resolve(null);
      else reject(error);
    });
  });
}

async function inJavaScript(frame: Frame, most: number): Promise<Buffer | null> {
  await Promise.resolve();
  if (frame.contentBytes !== null && frame.contentBytes > 0) return Buffer.from(decompress(frame.bytes));
  if (frame.blocks * frame.windowBytes > mostMovedBytes) throw new Error('its window is too large for this Node');
  const pieces: Uint8Array[] = [];
  let count = 0;
  // Thrown, since one push may bring gigabytes: a block of 128 KB takes four bytes.
  const overflow = new Error('more bytes than allowed');
  const stream = new Decompress((piece) => {
    count += piece.length;
    if (count > most) throw overflow;
    pieces.push(piece);
  });
  try {
    for (let first = 0; first < frame.bytes.length; first += pieceBytes) {
      stream.push(frame.bytes.subarray(first, first + pieceBytes), first + pieceBytes >= frame.bytes.length);
    }
  } catch (error) {
    if (error === overflow) return null;
    throw error;
  }
  return Buffer.concat(pieces);
}

interface Frame {
  readonly bytes: Buffer;
  readonly end: number;
  readonly skippable: boolean;
  /** What comes out by its header; null where that does not say. */
  readonly contentBytes: number | null;
  readonly windowBytes: number;
  readonly blocks: number;
}

/** The frame that starts at `first`, by its header and the lengths of its blocks (RFC 8878 3.1); null if it is cut. */
function frameAt(bytes: Buffer, first: number): Frame | null {
  if (first + 8 > bytes.length) return null;
  const magic = bytes.readUInt32LE(first);
  if ((magic & 0xfffffff0) >>> 0 === skippableMagic) {
    const end = first + 8 + bytes.readUInt32LE(first + 4);
    if (end > bytes.length) return null;
    const none = { contentBytes: null, windowBytes: 0, blocks: 0 };
    return { bytes: bytes.subarray(first, end), end, skippable: true, ...none };
  }
  if (magic !== frameMagic) return null;
  const descriptor = bytes[first + 4] ?? 0;
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeCode = descriptor >> 6;
  const sizeBytes = sizeCode === 0 ? (singleSegment ? 1 : 0) : 1 << sizeCode;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeAt = first + 5 + (singleSegment ? 0 : 1) + dictionaryBytes;
  if (sizeAt + sizeBytes > bytes.length) return null;
  const contentBytes = sizeBytes === 0 ? null : contentSize(bytes, sizeAt, sizeBytes);
  const windowCode = bytes[first + 5] ?? 0;
  const base = 2 ** (10 + (windowCode >> 3));
  const windowBytes = singleSegment ? (contentBytes ?? 0) : base + (base / 8) * (windowCode & 7);
  let at = sizeAt + sizeBytes;
  let blocks = 0;
  for (let last = false; !last; blocks++) {
    if (at + 3 > bytes.length) return null;
    const header = bytes.readUIntLE(at, 3);
    last = (header & 1) === 1;
    const kind = (header >> 1) & 3;
    if (kind === 3) return null;
    // A run-length block has one byte whatever its size says.
    at += 3 + (kind === 1 ? 1 : header >> 3);
  }
  const end = at + ((descriptor & 4) === 0 ? 0 : 4);
  if (end > bytes.length) return null;
  return { bytes: bytes.subarray(first, end), end, skippable: false, contentBytes, windowBytes, blocks };
}

function contentSize(bytes: Buffer, at: number, count: number): number {
  if (count === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, count) + (count === 2 ? 256 : 0);
}
