/**
 * The address of a document of a branch: which rollout, which branch, and which of its samples (none: the record), so that
 * a diff that is restored after a reload is made again from what is kept. Pure; restored tabs are foreign data.
 * Leaves out the text behind it (branchTexts.ts).
 */
import { isObject } from '../../base/json.ts';
import type { PlayerKept } from '../../protocol/player.ts';
import type { BranchSample } from '../../protocol/replay.ts';

/** Scheme of the documents. */
export const branchScheme = 'rollout-branch';

/** What a document shows. */
export interface BranchAddress {
  readonly kept: PlayerKept;
  readonly id: string;
  /** Null for the record beside it. */
  readonly sample: Pick<BranchSample, 'arm' | 'sample'> | null;
}

/** Scheme, path and query of a document that is called `name`. */
export function branchUri(name: string, { kept, id, sample }: BranchAddress) {
  const { ref, path } = kept;
  return {
    scheme: branchScheme,
    path: `/${name.replaceAll(/[^\p{L}\p{N} #,.-]+/gu, '_')}.txt`,
    query: JSON.stringify({ ...ref, path, id, ...sample }),
  };
}

/** What a URI names; null where it is no address of a branch. */
export function parseBranchUri({
  scheme,
  query,
}: {
  readonly scheme: string;
  readonly query: string;
}): BranchAddress | null {
  if (scheme !== branchScheme) return null;
  const value = parsed(query);
  if (!isObject(value)) return null;
  const { run, file, row, path, id, arm, sample } = value;
  if (typeof run !== 'string' || typeof file !== 'string' || typeof path !== 'string' || typeof id !== 'string')
    return null;
  if (!isIndex(row)) return null;
  const known = (['intervention', 'control'] as const).find((one) => one === arm);
  const shown = known !== undefined && isIndex(sample) ? { arm: known, sample } : null;
  return { kept: { ref: { run, file, row }, path }, id, sample: shown };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
