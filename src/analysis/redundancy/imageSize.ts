/**
 * Width and height of a picture from the first bytes of its base64 text (PNG, JPEG, GIF, WebP is left out). Nothing is
 * decoded: a size is all that the rules about crops need. Null for anything that is not what it says it is.
 */
import type { Size } from './cropBox.ts';

/** Enough for a JPEG's frame header behind its metadata. */
const headCharacters = 64 * 1024;

/** Size in pixels, null where it cannot be told. */
export function imageSize(base64: string): Size | null {
  const bytes = decodeHead(base64);
  if (bytes === null || bytes.length < 24) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0) === 0x89504e47) return sized(view.getUint32(16), view.getUint32(20));
  if (view.getUint32(0) >>> 8 === 0x474946) return sized(view.getUint16(6, true), view.getUint16(8, true));
  return view.getUint16(0) === 0xffd8 ? jpegSize(view) : null;
}

function sized(width: number, height: number): Size | null {
  return width > 0 && height > 0 ? { width, height } : null;
}

/** Walks the segments to the frame header (SOF0 to SOF15 without DHT, JPG and DAC). */
function jpegSize(view: DataView): Size | null {
  let at = 2;
  while (at + 9 < view.byteLength && view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return sized(view.getUint16(at + 7), view.getUint16(at + 5));
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}

function decodeHead(base64: string): Uint8Array | null {
  try {
    const text = atob(
      base64
        .slice(0, headCharacters)
        .replaceAll(/[^A-Za-z0-9+/]/gu, '')
        .replace(/^((?:.{4})*).*$/su, '$1'),
    );
    return Uint8Array.from(text, (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
