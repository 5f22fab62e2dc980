/**
 * What a record logs besides what has a place in the model: small values only, so that an index of a million rollouts
 * stays small and a hover readable. Shared by the readers. Leaves out which keys are placed (each reader knows its own).
 */
import { asArray, isObject, type Json, type JsonObject } from '../base/json.ts';
import type { NamedValue } from '../model/rollout.ts';

const mostCharacters = 1000;
const mostItems = 32;
const mostKeys = 256;

/** True for a value that is kept: texts up to 1,000 characters, lists up to 32 items, objects up to 256 keys, all the way down. */
export function isSmall(value: Json): boolean {
  if (typeof value === 'string') return value.length <= mostCharacters;
  if (Array.isArray(value)) return value.length <= mostItems && asArray(value).every(isSmall);
  if (!isObject(value)) return true;
  let keys = 0;
  for (const key in value) {
    const item = value[key];
    if (++keys > mostKeys || (item !== undefined && !isSmall(item))) return false;
  }
  return true;
}

/** The small values of a record whose keys are not `placed`, in log order; null is left out: it says nothing. */
export function extrasOf(record: JsonObject, placed: ReadonlySet<string>): NamedValue[] {
  const extras: NamedValue[] = [];
  for (const name in record) {
    const value = record[name];
    if (value === undefined || value === null || placed.has(name) || !isSmall(value)) continue;
    extras.push({ name, value });
  }
  return extras;
}
