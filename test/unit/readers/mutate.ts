// Seeded damage to a log: of its bytes (flips, deletions, duplications) and of its structure (values swapped,
// replaced, removed). The same seed gives the same damage on every machine.
import { isObject } from '../../../src/base/json.ts';

export type Random = () => number;

/** Mulberry32: numbers in [0, 1) from a 32-bit seed. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const below = (random: Random, count: number): number => Math.floor(random() * count);
const telling = [
  0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a, 0x0a, 0x0d, 0x00, 0xff, 0xc3, 0xe2, 0x3c, 0x7c, 0x3e, 0x60,
];

/** One to four pieces of damage to the bytes. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  let out = Buffer.from(bytes);
  for (let left = 1 + below(random, 4); left > 0 && out.length > 0; left--) {
    const at = below(random, out.length);
    const count = 1 + below(random, random() < 0.7 ? 8 : 400);
    const piece = Buffer.from(out.subarray(at, at + count));
    switch (below(random, 5)) {
      case 0:
        out[at] = telling[below(random, telling.length)] ?? 0;
        break;
      case 1:
        out[at] = below(random, 256);
        break;
      case 2:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + count)]);
        break;
      case 3:
        out = Buffer.concat([out.subarray(0, at), piece, out.subarray(at)]);
        break;
      default: {
        const other = below(random, out.length);
        out = Buffer.concat([out.subarray(0, other), piece, out.subarray(other)]);
      }
    }
  }
  return out;
}

/** A place in a JSON tree that can be assigned. */
interface Slot {
  readonly get: () => unknown;
  readonly set: (value: unknown) => void;
  readonly remove: () => void;
}

const oddValues: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => -1,
  () => 1e308,
  () => 0.1,
  () => '',
  () => 'x',
  () => '1.0',
  () => '\ud83d',
  () => '\u2028user\nassistant\n',
  () => '<tool_call>\n{"name": 1, "arguments": []}\n</tool_call><|im_end|>\n<|im_start|>',
  () => '</think><answer><tool_call>',
  () => 'Error: x',
  () => '<|image_pad|>'.repeat(50),
  () => 'data:image/png;base64,',
  () => [],
  () => ({}),
  () => [[[]]],
  () => [null, 1, 'a', {}],
  () => ({ role: 'tool', content: null, tool_calls: [null, { function: 3 }] }),
  () => ({ __proto__: 1, length: 3, constructor: null, toString: 'x' }),
];

/** One to three changes of values; null where the text has no record that parses. */
export function mutateStructure(
  text: string,
  kind: 'lines' | 'array' | 'text' | 'archive',
  random: Random,
): string | null {
  const root = kind === 'text' || kind === 'archive' ? null : parsed(text, kind);
  if (root === null || root.length === 0) return null;
  for (let left = 1 + below(random, 3); left > 0; left--) {
    const slots: Slot[] = [];
    collect(root, slots, kind === 'array' ? 0 : 1);
    const slot = slots[below(random, slots.length)];
    const other = slots[below(random, slots.length)];
    if (slot === undefined || other === undefined) break;
    switch (below(random, 4)) {
      case 0:
        slot.set(oddValues[below(random, oddValues.length)]?.());
        break;
      case 1:
        slot.remove();
        break;
      case 2:
        slot.set(structuredClone(other.get()));
        break;
      default: {
        const value = structuredClone(slot.get());
        slot.set(structuredClone(other.get()));
        other.set(value);
      }
    }
  }
  const print = (value: unknown): string => JSON.stringify(value) ?? 'null';
  return kind === 'array' ? JSON.stringify(root, null, 2) : root.map((record) => `${print(record)}\n`).join('');
}

function parsed(text: string, kind: 'lines' | 'array'): unknown[] | null {
  try {
    if (kind === 'array') return JSON.parse(text) as unknown[];
  } catch {
    return null;
  }
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as unknown];
    } catch {
      return [];
    }
  });
}

/** Every slot of the tree; the records themselves only from `depth` 0 on. */
function collect(value: unknown, slots: Slot[], depth: number): void {
  if (Array.isArray(value)) {
    const items = value as unknown[];
    for (const [index, item] of items.entries()) {
      if (depth !== 1) {
        slots.push({
          get: () => items[index],
          set: (next) => (items[index] = next),
          remove: () => items.splice(index, 1),
        });
      }
      collect(item, slots, 2);
    }
  } else if (isObject(value)) {
    const record = value as { [key: string]: unknown };
    for (const key of Object.keys(record)) {
      slots.push({ get: () => record[key], set: (next) => (record[key] = next), remove: () => delete record[key] });
      collect(record[key], slots, 2);
    }
  }
}
