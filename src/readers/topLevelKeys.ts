/**
 * The keys of a JSON object as far as its bytes go: what detection has where a first record is longer than the head
 * (a verl line with inline images). Owned by head.ts. Never parses a value.
 */

const quote = 0x22;
const backslash = 0x5c;

/** Keys at depth 1 of the object that opens at `first`, and whether it closes before `end`. */
export function topLevelKeys(
  bytes: Buffer,
  first: number,
): { readonly keys: ReadonlySet<string>; readonly end: number } {
  const keys = new Set<string>();
  let depth = 0;
  let expectsKey = false;
  let position = first;
  while (position < bytes.length) {
    const byte = bytes[position];
    if (byte === quote) {
      const end = endOfString(bytes, position);
      if (end < 0) break;
      if (depth === 1 && expectsKey && isFollowedByColon(bytes, end)) {
        keys.add(keyText(bytes, position, end));
        expectsKey = false;
      }
      position = end;
      continue;
    }
    if (byte === 0x7b || byte === 0x5b) {
      depth++;
      expectsKey = depth === 1;
    } else if (byte === 0x7d || byte === 0x5d) {
      if (--depth === 0) return { keys, end: position + 1 };
    } else if (byte === 0x2c && depth === 1) expectsKey = true;
    position++;
  }
  return { keys, end: -1 };
}

/** Index behind the closing quote, -1 where the bytes end before it. */
function endOfString(bytes: Buffer, opening: number): number {
  let from = opening + 1;
  for (;;) {
    const closing = bytes.indexOf(quote, from);
    if (closing < 0) return -1;
    let slashes = 0;
    while (bytes[closing - 1 - slashes] === backslash) slashes++;
    if (slashes % 2 === 0) return closing + 1;
    from = closing + 1;
  }
}

function isFollowedByColon(bytes: Buffer, first: number): boolean {
  let position = first;
  while (position < bytes.length && (bytes[position] ?? 0) <= 0x20) position++;
  return bytes[position] === 0x3a;
}

function keyText(bytes: Buffer, first: number, end: number): string {
  const text = bytes.toString('utf8', first, end);
  try {
    return String(JSON.parse(text));
  } catch {
    return text.slice(1, -1);
  }
}
