/**
 * Whether a picture decodes: its signature, its structure from the first to the last byte and, for PNG, its checksums and
 * the length of its pixels (inflated by zlib). A sentence says what is wrong; nothing is kept of the pixels.
 * Leaves out the entropy-coded data of JPEG, GIF, WebP and AVIF, which only a full decoder could check (funnel says so).
 */
import { inflateSync } from 'node:zlib';

/** Why bytes are no picture that decodes; null for one that does. */
export function brokenReason(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return 'it is empty';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (begins(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return brokenPng(bytes, view);
    if (begins(bytes, [0xff, 0xd8, 0xff])) return brokenJpeg(bytes);
    if (begins(bytes, [0x47, 0x49, 0x46, 0x38])) return brokenGif(bytes, view);
    if (begins(bytes, [0x52, 0x49, 0x46, 0x46]) && ascii(bytes, 8, 4) === 'WEBP') return brokenWebp(bytes, view);
    if (begins(bytes, [0x42, 0x4d])) return brokenBmp(bytes, view);
    if (ascii(bytes, 4, 4) === 'ftyp') return brokenBoxes(bytes, view);
  } catch (error) {
    if (error instanceof RangeError) return 'it ends too early';
    throw error;
  }
  return 'its first bytes are those of no picture';
}

function begins(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, index) => bytes[index] === byte);
}

function ascii(bytes: Uint8Array, first: number, count: number): string {
  return String.fromCharCode(...bytes.subarray(first, first + count));
}

const channelsOfColour: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** Larger pictures are not inflated: their structure and checksums are all that is looked at. */
const mostPixelBytes = 400_000_000;

function brokenPng(bytes: Uint8Array, view: DataView): string | null {
  const data: Uint8Array[] = [];
  let pixelBytes = 0;
  let ended = false;
  for (let at = 8; !ended;) {
    const size = view.getUint32(at);
    const kind = ascii(bytes, at + 4, 4);
    if (at + 12 + size > bytes.length) return 'it ends too early';
    const chunk = bytes.subarray(at + 8, at + 8 + size);
    if (crc32(bytes.subarray(at + 4, at + 8 + size)) !== view.getUint32(at + 8 + size)) {
      return `its ${kind} chunk is damaged (checksum)`;
    }
    if (at === 8) {
      if (kind !== 'IHDR' || size !== 13) return 'it has no header';
      const found = pngPixelBytes(view);
      if (found === null) return 'its header is damaged';
      pixelBytes = found;
    }
    if (kind === 'IDAT') data.push(chunk);
    ended = kind === 'IEND';
    at += 12 + size;
  }
  if (data.length === 0) return 'it has no pixels';
  if (pixelBytes > mostPixelBytes) return null;
  return brokenPixels(data, pixelBytes);
}

/** Bytes of the inflated pixels with a filter byte a line; null for a header that says nothing sensible. */
function pngPixelBytes(view: DataView): number | null {
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, colour, interlaced] = [view.getUint8(24), view.getUint8(25), view.getUint8(28) === 1];
  const channels = channelsOfColour[colour];
  if (channels === undefined || ![1, 2, 4, 8, 16].includes(depth) || width === 0 || height === 0) return null;
  const lines = (across: number, down: number): number =>
    across === 0 || down === 0 ? 0 : down * (1 + Math.ceil((across * depth * channels) / 8));
  if (!interlaced) return lines(width, height);
  const passes = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
  ] as const;
  return passes.reduce(
    (sum, [x, y, dx, dy]) => sum + lines(Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)),
    0,
  );
}

/** CRC-32 as PNG has it; zlib's own is not in every Node this runs on. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (crcTable[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function brokenPixels(data: readonly Uint8Array[], pixelBytes: number): string | null {
  try {
    const { length } = inflateSync(Buffer.concat(data), { maxOutputLength: pixelBytes + 65_536 });
    return length < pixelBytes ? 'its pixels end too early' : null;
  } catch {
    return 'its pixels do not inflate';
  }
}

/** Walks the segments to the end-of-image marker; a frame and a scan must have been there. */
function brokenJpeg(bytes: Uint8Array): string | null {
  let frame = false;
  let scan = false;
  for (let at = 2; at < bytes.length;) {
    if (bytes[at] !== 0xff) return 'its segments are damaged';
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === 0xd9) return frame && scan ? null : 'it has no pixels';
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      at += 2;
      continue;
    }
    const size = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    if (size < 2 || at + 2 + size > bytes.length) return 'it ends too early';
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      frame = true;
      const [height, width] = [
        ((bytes[at + 5] ?? 0) << 8) | (bytes[at + 6] ?? 0),
        ((bytes[at + 7] ?? 0) << 8) | (bytes[at + 8] ?? 0),
      ];
      if (width === 0 || (height === 0 && marker !== 0xc0)) return 'its header is damaged';
    }
    at += 2 + size;
    if (marker !== 0xda) continue;
    scan = true;
    at = endOfScan(bytes, at);
  }
  return 'it ends too early';
}

/** The next marker that is no stuffed 0xFF 0x00 and no restart marker. */
function endOfScan(bytes: Uint8Array, first: number): number {
  for (let at = bytes.indexOf(0xff, first); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1] ?? 0;
    if (next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  return bytes.length;
}

function brokenGif(bytes: Uint8Array, view: DataView): string | null {
  if (view.getUint16(6, true) === 0 || view.getUint16(8, true) === 0) return 'its header is damaged';
  const table = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1));
  let at = 13 + table(view.getUint8(10));
  let pictures = 0;
  for (;;) {
    const kind = view.getUint8(at);
    if (kind === 0x3b) return pictures > 0 ? null : 'it has no pixels';
    if (kind === 0x21) at += 2;
    else if (kind === 0x2c) {
      pictures += 1;
      at += 11 + table(view.getUint8(at + 9));
    } else return 'its blocks are damaged';
    for (let size = view.getUint8(at); size > 0; size = view.getUint8(at)) at += 1 + size;
    at += 1;
    if (at > bytes.length) return 'it ends too early';
  }
}

function brokenWebp(bytes: Uint8Array, view: DataView): string | null {
  const end = 8 + view.getUint32(4, true);
  if (end > bytes.length) return 'it ends too early';
  let pictures = 0;
  for (let at = 12; at + 8 <= end;) {
    const kind = ascii(bytes, at, 4);
    const size = view.getUint32(at + 4, true);
    if (at + 8 + size > end) return 'its chunks are damaged';
    if (kind === 'VP8L' && view.getUint8(at + 8) !== 0x2f) return 'its pixels are damaged';
    if (kind === 'VP8 ' && !begins(bytes.subarray(at + 11), [0x9d, 0x01, 0x2a])) return 'its pixels are damaged';
    if (kind === 'VP8 ' || kind === 'VP8L' || kind === 'ANMF') pictures += 1;
    at += 8 + size + (size % 2);
  }
  return pictures > 0 ? null : 'it has no pixels';
}

function brokenBmp(bytes: Uint8Array, view: DataView): string | null {
  const [pixelsAt, headerSize] = [view.getUint32(10, true), view.getUint32(14, true)];
  if (headerSize < 12 || pixelsAt < 14 + headerSize) return 'its header is damaged';
  if (headerSize === 12) return pixelsAt > bytes.length ? 'it ends too early' : null;
  const [width, height] = [view.getInt32(18, true), Math.abs(view.getInt32(22, true))];
  const [bits, compression] = [view.getUint16(28, true), view.getUint32(30, true)];
  if (width <= 0 || height === 0 || bits === 0) return 'its header is damaged';
  const needed = compression === 0 ? height * 4 * Math.ceil((width * bits) / 32) : 1;
  return pixelsAt + needed > bytes.length ? 'its pixels end too early' : null;
}

/** AVIF and HEIC: boxes from the first to the last byte, with a description and data among them. */
function brokenBoxes(bytes: Uint8Array, view: DataView): string | null {
  const kinds = new Set<string>();
  for (let at = 0; at < bytes.length;) {
    const size = view.getUint32(at);
    kinds.add(ascii(bytes, at + 4, 4));
    // 0: up to the end. 1: a 64-bit size follows, far beyond any logged picture.
    if (size === 0) break;
    if (size === 1 || size < 8 || at + size > bytes.length) return 'it ends too early';
    at += size;
  }
  return kinds.has('meta') && kinds.has('mdat') ? null : 'it has no pixels';
}
