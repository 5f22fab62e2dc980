/**
 * Rule `blind-retry`: the same call again although the first one failed for a reason that repeating cannot change.
 * Proves: a syntax error, invalid arguments or a missing tool were met twice with equal text.
 * Does not prove: anything about timeouts, connection errors, 429, 5xx or a restarted kernel (never flagged), nor about
 * the first call that failed. Source: hdpo.md section 3.
 */
import type { Call, CallOutcome } from '../../model/rollout.ts';
import { isLastingFailure } from './observationText.ts';
import { buildFlag, type Rule } from './rule.ts';

const failures: ReadonlySet<CallOutcome> = new Set<CallOutcome>(['failed', 'malformed']);

/** Flags, as certain, every equal call after one that failed for good, if it failed again. */
export const blindRetry: Rule = {
  id: 'blind-retry',
  hintsOnly: false,
  flag: (facts) => {
    const { calls } = facts.rollout;
    if (facts.judged.length < 2 || !calls.some(({ outcome }) => failures.has(outcome))) return [];
    return facts.series().flatMap((series) =>
      series.flatMap((call, at) => {
        const earlier = series[at - 1];
        const [first, second] = [calls[earlier ?? -1], calls[call]];
        if (earlier === undefined || !first || !second || !failedForGood(first)) return [];
        // What happened in between may have made the call good; a second failure of the same kind says it did not.
        if (!failedForGood(second)) return [];
        const evidence = [{ name: 'failure', value: reasonOf(first).slice(0, 200) }];
        return [buildFlag({ call, rule: 'blind-retry', confidence: 'certain', refersTo: earlier, evidence })];
      }),
    );
  },
};

function failedForGood(call: Call): boolean {
  if (!failures.has(call.outcome)) return false;
  return call.outcome === 'malformed' || isLastingFailure(`${call.failure ?? ''}\n${call.observation}`);
}

function reasonOf(call: Call): string {
  return call.failure ?? call.observation.trim().split('\n').at(-1) ?? '';
}
