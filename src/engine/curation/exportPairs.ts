/**
 * Which rollouts make preference pairs: in each group, the leanest right rollout is preferred to right siblings with more
 * calls. Only kept rows are paired, and only differences in T: both are right, so nothing else is preferred. Pure.
 * Leaves out reading and writing them (exportCuration.ts).
 */
import { droppers } from '../../analysis/curation/funnel.ts';
import type { CuratedRows } from './curation.ts';

/** Two rollouts of one group, by index. */
export interface Pair {
  readonly chosen: number;
  readonly rejected: number;
}

/** Pairs of one group: more would repeat the same preference. */
const mostOfGroup = 4;

/** All pairs, in the order of their groups; of several lean ones the first, of wasteful ones those with most calls. */
export function preferencePairs({ config, funnel, joined: { rollouts } }: CuratedRows): readonly Pair[] {
  const groups = new Map<number, number[]>();
  for (let index = 0; index < rollouts.count; index += 1) {
    const row = config.stage === 'sft' ? index : (rollouts.prompt[index] ?? 0);
    if (funnel.dropper[row] !== droppers.kept || rollouts.correct[index] !== 1) continue;
    const group = rollouts.group[index] ?? 0;
    const members = groups.get(group);
    if (members) members.push(index);
    else groups.set(group, [index]);
  }
  const callsOf = (index: number): number => rollouts.calls[index] ?? 0;
  return [...groups.values()].flatMap((members) => {
    const least = members.reduce((fewest, index) => Math.min(fewest, callsOf(index)), Number.MAX_SAFE_INTEGER);
    const chosen = members.find((index) => callsOf(index) === least);
    if (chosen === undefined) return [];
    return members
      .filter((index) => callsOf(index) > least && rollouts.prompt[index] === rollouts.prompt[chosen])
      .sort((a, b) => callsOf(b) - callsOf(a) || a - b)
      .slice(0, mostOfGroup)
      .map((rejected) => ({ chosen, rejected }));
  });
}
