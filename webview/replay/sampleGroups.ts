/**
 * Samples of a branch that say the same, put together: a sure policy writes one text many times. Pure. Leaves out how they
 * are shown (branchList.ts).
 */
import type { BranchSample } from '../../src/protocol/replay.ts';

/** Samples of an arm that say the same, word for word, as one. */
export function alike(samples: readonly BranchSample[]): readonly (readonly BranchSample[])[] {
  const groups = new Map<string, BranchSample[]>();
  for (const sample of samples) {
    const { arm, text, answer, ended, correct } = sample;
    // Texts that were cut for the page may differ behind the cut.
    const own = text.endsWith('…') ? sample.sample : null;
    const key = JSON.stringify([arm, text, answer, ended, correct, own]);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [sample]);
    else known.push(sample);
  }
  return [...groups.values()];
}
