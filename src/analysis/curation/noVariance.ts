/**
 * Filter `no-variance`: a prompt whose rollouts by the starting policy are all right or all wrong, so that it gives no
 * accuracy signal. Only rollouts of the starting step count, never those of a policy that has learnt; fewer judged ones
 * than needed decide nothing. By choice, all-right prompts whose T differs stay: they carry an efficiency signal.
 * Source: hdpo.md section 4.
 */
import { countText, pluralText } from '../../base/numberText.ts';
import type { CurationData } from './facts.ts';
import { countOf, decideEach, drop, keep, undecided, type Filter, type FilterSettings } from './filter.ts';

/** Drops prompts that are all right or all wrong. */
export const noVariance: Filter<'no-variance'> = {
  id: 'no-variance',
  comparesRows: false,
  decide: (data, settings) => {
    const { judged, right, callsDiffer } = startOf(data, settings);
    return decideEach(data.prompts.count, (row) => {
      const [n, c] = [judged[row] ?? 0, right[row] ?? 0];
      if (n === 0 || n < settings.leastRollouts) return undecided;
      if (c === 0) return drop;
      if (c < n) return keep;
      return settings.keepEfficiencySignal && callsDiffer[row] === 1 ? keep : drop;
    });
  },
  coverage: (data, settings, decision) => {
    const left = countOf(decision, undecided);
    const few =
      left === 0
        ? ''
        : `; ${pluralText(left, 'prompt')} have fewer than ${countText(settings.leastRollouts)} such rollouts and are not decided`;
    return `judged rollouts of the starting policy only (${startText(data, settings)})${few}`;
  },
  reason: (data, settings, { row }) => {
    const { judged, right } = startOf(data, settings);
    const [n, c] = [judged[row] ?? 0, right[row] ?? 0];
    return {
      reason: `All ${n} rollouts of the starting policy (${startText(data, settings)}) are ${c === 0 ? 'wrong' : 'right'}.`,
      evidence: [
        { name: 'rollouts', value: n },
        { name: 'right', value: c },
      ],
    };
  },
};

function startText({ firstSteps }: CurationData, { startStep }: FilterSettings): string {
  if (startStep !== null) return `step ${startStep}`;
  const steps = [...new Set(firstSteps)];
  return steps.length === 1 ? `step ${steps[0] ?? 0}` : `the first step of each run`;
}

interface StartTally {
  /** Rollouts of the starting policy by prompt: judged ones, right ones, and whether T differs among right ones. */
  readonly judged: Uint32Array;
  readonly right: Uint32Array;
  readonly callsDiffer: Uint8Array;
}

/** Counted once for the reasons of a page. */
const tallies = new WeakMap<CurationData, { readonly startStep: number | null; readonly tally: StartTally }>();

function startOf(data: CurationData, { startStep }: FilterSettings): StartTally {
  const known = tallies.get(data);
  if (known?.startStep === startStep) return known.tally;
  const tally = tallyOf(data, startStep);
  tallies.set(data, { startStep, tally });
  return tally;
}

function tallyOf({ rollouts, prompts, firstSteps }: CurationData, startStep: number | null): StartTally {
  const judged = new Uint32Array(prompts.count);
  const right = new Uint32Array(prompts.count);
  const callsDiffer = new Uint8Array(prompts.count);
  const calls = new Int32Array(prompts.count).fill(-1);
  for (let row = 0; row < rollouts.count; row += 1) {
    const correct = rollouts.correct[row];
    if (correct === 2 || rollouts.step[row] !== (startStep ?? firstSteps[rollouts.run[row] ?? 0])) continue;
    const prompt = rollouts.prompt[row] ?? 0;
    judged[prompt] = (judged[prompt] ?? 0) + 1;
    if (correct !== 1) continue;
    right[prompt] = (right[prompt] ?? 0) + 1;
    const sent = rollouts.calls[row] ?? 0;
    if (calls[prompt] === -1) calls[prompt] = sent;
    else if (calls[prompt] !== sent) callsDiffer[prompt] = 1;
  }
  return { judged, right, callsDiffer };
}
