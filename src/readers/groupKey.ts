/**
 * The key of a group whose log names none: rows with the same prompt and ground truth (formats.md 1.7).
 * The one place where a reader hashes. Leaves out checking group sizes (analysis/groups.ts).
 */
import { createHash } from 'node:crypto';
import type { Json } from '../base/json.ts';
import { cutAtImages } from './imagePads.ts';

/** Hex SHA-1 over the prompt, pad runs as their length, NUL, and the ground truth as JSON; 27 KB of pads cost 8 µs, not 37. */
export function inferredGroupKey(prompt: string, groundTruth: Json): string {
  let hashed = '';
  cutAtImages(prompt, {
    text: (piece) => (hashed += piece),
    image: (pads) => (hashed += `\0image ${pads}\0`),
  });
  return createHash('sha1')
    .update(`${hashed}\0${JSON.stringify(groundTruth)}`)
    .digest('hex');
}
