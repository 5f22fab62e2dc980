/**
 * JSON as a type, and narrow look-ups into foreign JSON. Owned by everyone who reads data that we did not write.
 * Leaves out validation of whole shapes: readers use these look-ups key by key, since logs differ from row to row.
 */

/** Any JSON value as `JSON.parse` returns it. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object; an absent key reads as undefined. */
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** True for a JSON object (not an array, not null). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as a string, or null where it is anything else. */
export function asString(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

/** The value as a finite number, or null where it is anything else. */
export function asNumber(value: Json | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** The value as an array, or an empty one where it is anything else. */
export function asArray(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
