/**
 * Filter `execution-failure`: a trajectory in which a tool execution failed, as published; or, by choice, only one that no
 * later call made good. Cannot tell where the log does not say how calls went. Source: hdpo.md section 4.
 */
import { pluralText } from '../../base/numberText.ts';
import type { Call } from '../../model/rollout.ts';
import { saysItWorked } from './feedback.ts';
import { decideEach, drop, keep, total, undecided, type Filter } from './filter.ts';

/** Drops trajectories with failed, malformed, refused or timed-out calls. */
export const executionFailure: Filter<'execution-failure'> = {
  id: 'execution-failure',
  comparesRows: false,
  decide: ({ rollouts }, { onlyUnrecovered }) => {
    const failures = onlyUnrecovered ? rollouts.unrecovered : rollouts.failed;
    return decideEach(rollouts.count, (row) => {
      if ((failures[row] ?? 0) > 0) return drop;
      return (rollouts.failed[row] ?? 0) === 0 && rollouts.unknownOutcome[row] === 1 ? undecided : keep;
    });
  },
  coverage: ({ rollouts }, { onlyUnrecovered }) => {
    const unknown = total(rollouts.unknownOutcome);
    const which = onlyUnrecovered ? 'failures that no later call of the same tool made good' : 'any failed call';
    const not =
      unknown === 0
        ? ''
        : `; of ${pluralText(unknown, 'trajectory', 'trajectories')} the log does not say how every call went`;
    return `${pluralText(total(rollouts.calls), 'call')} as logged: ${which}${not}`;
  },
  reason: ({ rollouts }, { onlyUnrecovered }, { row }) => {
    const [failed, unrecovered] = [rollouts.failed[row] ?? 0, rollouts.unrecovered[row] ?? 0];
    const of = `${failed} of its ${pluralText(rollouts.calls[row] ?? 0, 'call')} failed`;
    return {
      reason: onlyUnrecovered ? `${of}, ${unrecovered} never made good.` : `${of}.`,
      evidence: [
        { name: 'failed_calls', value: failed },
        { name: 'not_made_good', value: unrecovered },
      ],
    };
  },
};

const failures: ReadonlySet<string> = new Set(['failed', 'malformed', 'timeout', 'refused']);

/** True for a call that was sent and did not work. */
export function isFailure({ sent, outcome }: Call): boolean {
  return sent && failures.has(outcome);
}

/** Failed calls that no later call made good: one that went well, of the same tool (of any, where none was named). */
export function unrecoveredCalls(calls: readonly Call[]): readonly number[] {
  const later = new Set<string | null>();
  let anyLater = false;
  const left: number[] = [];
  for (let index = calls.length - 1; index >= 0; index -= 1) {
    const call = calls[index];
    if (call === undefined || !call.sent) continue;
    if (isFailure(call)) {
      if (call.tool === null ? !anyLater : !later.has(call.tool)) left.push(index);
    } else if (saysItWorked(call)) {
      later.add(call.tool);
      anyLater = true;
    }
  }
  return left.reverse();
}
