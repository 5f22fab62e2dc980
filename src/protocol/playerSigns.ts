/**
 * How a sampled continuation ended, as a sign and words: the page and the documents of branches say it alike. Pure.
 * Leaves out the text of the sample.
 */
import type { BranchSample } from './replay.ts';
import { verdictSign } from './texts.ts';

/** "✓ 336", "✗ 7", "? no answer", "called a tool", "cut". */
export function outcomeSign({ ended, correct, answer }: Pick<BranchSample, 'ended' | 'correct' | 'answer'>): string {
  switch (ended) {
    case 'answered':
      return `${verdictSign(correct)} ${answer ?? 'no answer found'}`;
    case 'called':
      return 'called a tool';
    case 'cut':
      return 'cut by its length';
  }
}
