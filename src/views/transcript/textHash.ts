/**
 * A quick hash of a text, to see whether a transcript that was rendered again differs from the one that is shown.
 * Not for identity of data: shards and groups have their own hashes.
 */

/** Two mixed 32-bit FNV-1a sums over the UTF-16 units, as hexadecimal. */
export function textHash(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ (code + at), 0x85ebca6b);
  }
  return (low >>> 0).toString(16).padStart(8, '0') + (high >>> 0).toString(16).padStart(8, '0');
}
