/**
 * What a picture's bytes are, by their first bytes: a log's MIME type is a claim, and only real pictures are handed to
 * VS Code's preview. Pure. Leaves out decoding.
 */

/** Endings of the pictures that VS Code previews. */
export type ImageExtension = 'png' | 'jpg' | 'gif' | 'webp' | 'bmp' | 'avif';

const signatures: readonly (readonly [extension: ImageExtension, at: number, bytes: readonly number[]])[] = [
  ['png', 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['jpg', 0, [0xff, 0xd8, 0xff]],
  ['gif', 0, [0x47, 0x49, 0x46, 0x38]],
  ['webp', 8, [0x57, 0x45, 0x42, 0x50]],
  ['avif', 4, [0x66, 0x74, 0x79, 0x70, 0x61, 0x76, 0x69]],
  ['bmp', 0, [0x42, 0x4d]],
];

/** The ending of a picture that begins with these bytes, or null where it is none that VS Code shows. */
export function imageExtension(head: Uint8Array): ImageExtension | null {
  const hit = signatures.find(([, at, bytes]) => bytes.every((byte, index) => head[at + index] === byte));
  return hit === undefined ? null : hit[0];
}
