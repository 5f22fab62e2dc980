/**
 * The address of a transcript: a URI of scheme `rollout` that names one rollout for ever, so that restored tabs and
 * diffs open without asking anything else. Owned by the host because the transcript's file system and the status bar
 * both read it. Leaves out how the path of such a URI is made for people, and the text behind it (views/transcript).
 */
import { isObject } from '../base/json.ts';
import type { RolloutRef } from '../protocol/engine.ts';

/** Scheme of the read-only file system of transcripts. */
export const rolloutScheme = 'rollout';

/** Ending of every transcript, by which VS Code knows the language. */
export const transcriptEnding = '.trajectory';

/** What an address names. */
export interface RolloutAddress {
  readonly ref: RolloutRef;
  /** Absolute path of the run, so that a restored tab opens before its run was found again. */
  readonly path: string;
  /** Null for the whole transcript; else a part of one cut turn. */
  readonly rest: { readonly turn: number; readonly part: number } | null;
}

/** Scheme, path and query of a URI. */
export interface AddressParts {
  readonly scheme: string;
  readonly path: string;
  readonly query: string;
}

/** What a URI names, or null where it is no address of a transcript (a tab may be restored from anything). */
export function parseAddress({ scheme, query }: Pick<AddressParts, 'scheme' | 'query'>): RolloutAddress | null {
  const named = scheme === rolloutScheme ? rolloutInQuery(query) : null;
  if (named === null) return null;
  const { ref, path, others } = named;
  const { turn, part } = others;
  return { ref, path, rest: isIndex(turn) && isIndex(part) ? { turn, part } : null };
}

/** The rollout that the query of an address names, and what else stands there; null where it names none. */
export function rolloutInQuery(
  query: string,
): { readonly ref: RolloutRef; readonly path: string; readonly others: Readonly<Record<string, unknown>> } | null {
  const value = parsed(query);
  if (!isObject(value)) return null;
  const { run, file, row, path, ...others } = value;
  if (typeof run !== 'string' || typeof file !== 'string' || typeof path !== 'string' || !isIndex(row)) return null;
  return { ref: { run, file, row }, path, others };
}

/** True for what can be the index of something: 0, 1, 2 … */
export function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
