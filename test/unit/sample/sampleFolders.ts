/** Where the shipped sample and what the trainer said of it lie, and the checks that make foreign JSON typed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, type JsonObject } from '../../../src/base/json.ts';
import { root } from '../sources.ts';

/** `media/sample`, as it is shipped. */
export const shipped = join(root, 'media', 'sample');

/** `test/fixtures/sample`: written by `python -m training.pack` and `python scripts/illustrated`. */
export const fixtures = join(root, 'test', 'fixtures', 'sample');

/** A JSON file that is an array of objects. */
export function objectsOf(file: string): readonly JsonObject[] {
  const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!Array.isArray(value) || !value.every(isObject)) throw new Error(`${file} is no array of objects`);
  return value;
}

/** A JSON file that is an object. */
export function objectOf(file: string): JsonObject {
  const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!isObject(value)) throw new Error(`${file} is no object`);
  return value;
}

/** A value that must be a list of numbers. */
export function numbersIn(value: unknown): readonly number[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'number')) throw new Error('not numbers');
  return value;
}
