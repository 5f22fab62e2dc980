/**
 * Whether records that no reader knows may be rollouts under names of someone's own, so that a field mapping is worth
 * offering: they hold texts, as metrics and indexes do not. Pure. Owned by detection. Leaves out the guess (fieldMapping.ts).
 */
import { isObject } from '../base/json.ts';
import type { Head } from './reader.ts';

const deepest = 3;
/** A prompt and a response. */
const textsNeeded = 2;
/** A date, a name of a metric and a level are words too. */
const shortestText = 3;

/** True for lines and tables whose first record holds at least two texts, or messages. */
export function mayBeMapped({ container, first, keys, wrapper }: Head): boolean {
  if (container !== 'jsonl' && wrapper !== 'parquet') return false;
  if (first === null) return keys.size >= textsNeeded;
  return isObject(first) && textsIn(first, 0) >= textsNeeded;
}

function textsIn(value: unknown, depth: number): number {
  if (typeof value === 'string') return value.trim().length >= shortestText && !isStamp(value) ? 1 : 0;
  if (typeof value !== 'object' || value === null || depth >= deepest) return 0;
  return Object.values(value).reduce((sum: number, one: unknown) => sum + textsIn(one, depth + 1), 0);
}

/** A time, a hash or a UUID. */
function isStamp(text: string): boolean {
  return /^(?:\d{4}-\d\d-\d\d[T ][\d:.Z+-]*|[0-9a-f-]{16,64})$/iu.test(text);
}
