/**
 * The address of a document of a branch: which rollout, which branch, and which of its samples (none: the record), so that
 * a diff that is restored after a reload is made again from what is kept. Pure; restored tabs are foreign data.
 * Leaves out the text behind it (branchTexts.ts).
 */
import { isIndex, rolloutInQuery } from '../../host/rolloutAddress.ts';
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
  const named = scheme === branchScheme ? rolloutInQuery(query) : null;
  if (named === null) return null;
  const { ref, path, others } = named;
  const { id, arm, sample } = others;
  if (typeof id !== 'string') return null;
  const known = (['intervention', 'control'] as const).find((one) => one === arm);
  const shown = known !== undefined && isIndex(sample) ? { arm: known, sample } : null;
  return { kept: { ref, path }, id, sample: shown };
}
