/**
 * Where the frames of a zstd stream begin and end (RFC 8878, section 3), without decoding them: Node's decompressor stops
 * after the first frame, and neither it nor the fallback can be told how much one call may put out. Pieces end at frames
 * and hold at most 16 blocks, so 2 MB of output. Pure. Leaves out decoding (decompress.ts).
 */

/** Consecutive bytes of one frame. */
export interface FramePiece {
  readonly bytes: Uint8Array;
  /** The frame begins with this piece. */
  readonly first: boolean;
  /** The frame ends with this piece. */
  readonly last: boolean;
  /** Blocks that end in this piece. */
  readonly blocks: number;
  /** How far back the frame's blocks refer. */
  readonly windowBytes: number;
}

/** Cuts a stream into pieces. */
export interface FrameCutter {
  /** Pieces that end in these bytes, up to where the stream is wrong (then `problem` says how). */
  push(bytes: Uint8Array): readonly FramePiece[];
  /** Half a sentence; null while the stream is sound. Nothing comes after it. */
  readonly problem: string | null;
  /** True between frames: the stream may end here. */
  readonly atEnd: boolean;
}

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
/** What decoders accept unless told otherwise, 2^27: a frame may ask for terabytes. */
const largestWindow = 128 * 1024 * 1024;
const largestBlock = 128 * 1024;
const blocksInPiece = 16;

/** Starts at the beginning of a stream. */
export function createFrameCutter(): FrameCutter {
  let state: 'frame' | 'block header' | 'block' | 'checksum' | 'skip' = 'frame';
  /** Bytes of a header that is not complete yet; they begin with the next piece. */
  let rest = new Uint8Array();
  /** Bytes left of the block, the checksum or the frame to skip. */
  let left = 0;
  let lastBlock = false;
  let hasChecksum = false;
  let inFrame = false;
  let begun = false;
  let windowBytes = 0;
  let problem: string | null = null;

  const push = (chunk: Uint8Array): readonly FramePiece[] => {
    if (problem !== null) return [];
    const data = joined(rest, chunk);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const pieces: FramePiece[] = [];
    let at = 0;
    let pieceFirst = 0;
    let blocks = 0;
    const cut = (last: boolean): void => {
      if (at > pieceFirst)
        pieces.push({ bytes: data.subarray(pieceFirst, at), first: !begun, last, blocks, windowBytes });
      begun = !last;
      pieceFirst = at;
      blocks = 0;
    };
    const endFrame = (): void => {
      cut(true);
      inFrame = false;
      state = 'frame';
    };
    for (;;) {
      const there = data.length - at;
      if (state === 'frame') {
        const header = headerAt(view, at);
        if (typeof header === 'string') problem = header;
        if (header === null || typeof header === 'string') break;
        if (header.kind === 'skip') {
          left = header.bytes;
          pieceFirst = at;
          state = 'skip';
        } else {
          at += header.bytes;
          ({ hasChecksum, windowBytes } = header);
          inFrame = true;
          state = 'block header';
        }
      } else if (state === 'block header') {
        if (there < 3) break;
        const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
        const type = (header >> 1) & 3;
        const size = header >> 3;
        if (type === 3 || size > largestBlock) {
          problem = 'a block of the zstd data is damaged';
          break;
        }
        at += 3;
        lastBlock = (header & 1) === 1;
        left = type === 1 ? 1 : size;
        state = 'block';
      } else {
        const taken = Math.min(left, there);
        at += taken;
        left -= taken;
        if (left > 0) break;
        if (state === 'skip') {
          pieceFirst = at;
          state = 'frame';
        } else if (state === 'checksum') endFrame();
        else {
          blocks += 1;
          if (!lastBlock) {
            if (blocks >= blocksInPiece) cut(false);
            state = 'block header';
          } else if (hasChecksum) {
            left = 4;
            state = 'checksum';
          } else endFrame();
        }
      }
    }
    if (state === 'skip') pieceFirst = at;
    else if (inFrame) cut(false);
    rest = data.slice(pieceFirst === at ? at : pieceFirst);
    return pieces;
  };

  return {
    push,
    get problem() {
      return problem;
    },
    get atEnd() {
      return state === 'frame' && rest.length === 0;
    },
  };
}

interface Header {
  readonly kind: 'frame' | 'skip';
  /** Of the header, or of the whole frame that is to be skipped. */
  readonly bytes: number;
  readonly hasChecksum: boolean;
  readonly windowBytes: number;
}

/** The frame header at a place; null where it is not complete, a text where it is none. */
function headerAt(view: DataView, at: number): Header | string | null {
  const there = view.byteLength - at;
  if (there < 5) return null;
  const magic = view.getUint32(at, true);
  if ((magic & 0xfffffff0) === skippableMagic) {
    return there < 8
      ? null
      : { kind: 'skip', bytes: 8 + view.getUint32(at + 4, true), hasChecksum: false, windowBytes: 0 };
  }
  if (magic !== frameMagic) return 'what follows is not zstd data';
  const flags = view.getUint8(at + 4);
  const single = (flags & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][flags & 3] ?? 0;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0;
  const sizeAt = at + 5 + (single ? 0 : 1) + dictionaryBytes;
  const bytes = sizeAt + sizeBytes - at;
  if (there < bytes) return null;
  if ((flags & 8) !== 0) return 'a frame of the zstd data is damaged';
  if (dictionaryBytes > 0) return 'the zstd data needs a dictionary that is not in it';
  const window = single ? contentSize(view, sizeAt, sizeBytes) : windowOf(view.getUint8(at + 5));
  if (window > largestWindow) return `the zstd data needs a window of ${Math.round(window / 2 ** 20)} MB`;
  return { kind: 'frame', bytes, hasChecksum: (flags & 4) !== 0, windowBytes: window };
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentSize(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  return bytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}

function joined(before: Uint8Array, after: Uint8Array): Uint8Array {
  if (before.length === 0) return after;
  const both = new Uint8Array(before.length + after.length);
  both.set(before);
  both.set(after, before.length);
  return both;
}
