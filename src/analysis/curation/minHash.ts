/**
 * Near duplicates by MinHash: 128 hashes of 8 bits for the 5-word shingles of a text, candidates by bands, similarity by
 * the share of equal hashes. Pure and seedless: equal texts have equal signatures on every machine.
 * Sources: Broder 1997; Li & König 2010 (b-bit hashes). Leaves out which texts are compared (duplicates.ts).
 */

/** Hashes of one signature, a byte each. The standard error of a similarity of 0.9 is 0.027. */
export const signatureBytes = 128;

/** Words in one shingle. */
const shingleWords = 5;
/** Longer texts are compared by their first shingles: a trajectory rarely has more. */
const mostShingles = 8_192;
const word = /[\p{L}\p{N}]+/gu;

const multipliers = new Uint32Array(signatureBytes);
const offsets = new Uint32Array(signatureBytes);
for (let i = 0, state = 0x9e3779b9; i < signatureBytes; i += 1) {
  state = mixed(state + 0x6d2b79f5);
  multipliers[i] = state | 1;
  state = mixed(state + 0x6d2b79f5);
  offsets[i] = state;
}

/** Hashes of the distinct shingles of texts, in any order; a text of fewer words is one shingle. */
export function shinglesOf(texts: readonly string[]): ReadonlySet<number> {
  const shingles = new Set<number>();
  const recent: number[] = [];
  let whole = 0x811c9dc5;
  for (const text of texts) {
    for (const [found] of text.toLowerCase().matchAll(word)) {
      const hash = textHash(found);
      whole = mixed(whole ^ hash);
      recent.push(hash);
      if (recent.length < shingleWords) continue;
      shingles.add(recent.reduce((sum, one) => mixed(Math.imul(sum, 31) ^ one), 0));
      recent.shift();
      if (shingles.size >= mostShingles) return shingles;
    }
  }
  if (shingles.size === 0 && recent.length > 0) shingles.add(whole);
  return shingles;
}

/** The signature of shingles, 128 bytes; all zero for none. */
export function signatureOf(shingles: ReadonlySet<number>): Uint8Array {
  const signature = new Uint8Array(signatureBytes);
  if (shingles.size === 0) return signature;
  const least = new Uint32Array(signatureBytes).fill(0xffffffff);
  for (const shingle of shingles) {
    for (let i = 0; i < signatureBytes; i += 1) {
      const hash = (Math.imul(shingle, multipliers[i] ?? 1) + (offsets[i] ?? 0)) >>> 0;
      if (hash < (least[i] ?? 0)) least[i] = hash;
    }
  }
  for (let i = 0; i < signatureBytes; i += 1) signature[i] = mixed(least[i] ?? 0) >>> 24;
  return signature;
}

/** The estimated Jaccard similarity of two signatures inside one array, 0 to 1; one hash in 256 is equal by chance. */
export function similarity(signatures: Uint8Array, one: number, other: number): number {
  const [first, second] = [one * signatureBytes, other * signatureBytes];
  let equal = 0;
  for (let i = 0; i < signatureBytes; i += 1) if (signatures[first + i] === signatures[second + i]) equal += 1;
  const chance = 1 / 256;
  return Math.max(0, (equal / signatureBytes - chance) / (1 - chance));
}

/** Hashes in one band, so that rows as similar as the threshold share a band with a probability of at least 0.98. */
export function bandRows(threshold: number): number {
  if (threshold >= 0.85) return 8;
  if (threshold >= 0.7) return 4;
  return threshold >= 0.5 ? 3 : 2;
}

/** A hash of one band of a signature inside an array, 32 bits. */
export function bandHash(
  signatures: Uint8Array,
  row: number,
  band: { readonly first: number; readonly rows: number },
): number {
  const at = row * signatureBytes + band.first;
  let hash = band.first;
  for (let i = 0; i < band.rows; i += 1) hash = mixed(Math.imul(hash, 257) + (signatures[at + i] ?? 0));
  return hash;
}

function textHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mixed(hash);
}

/** Spreads 32 bits (the finaliser of MurmurHash3). */
function mixed(value: number): number {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
