/**
 * Filter `tool-free-solvable`: a trajectory whose prompt the base model solves without tools: pass@k over tool-free samples
 * of the same prompt reaches the threshold (by default: at least one of k is right). Unbiased where n > k, undecided
 * where n < k. A choice of options is guessed right by chance: that is said, not corrected. Source: hdpo.md section 4.
 */
import { countText, numberText, percentText, pluralText } from '../../base/numberText.ts';
import type { CurationData, ToolFreeFacts } from './facts.ts';
import { decideEach, drop, keep, undecided, type Filter, type FilterSettings } from './filter.ts';
import { guessingPass, passAtK } from './passAtK.ts';

/** Drops trajectories of prompts that are solved without tools. */
export const toolFreeSolvable: Filter<'tool-free-solvable'> = {
  id: 'tool-free-solvable',
  comparesRows: false,
  decide: ({ rollouts, prompts, toolFree }, settings) => {
    if (toolFree === null) return decideEach(rollouts.count, () => undecided);
    const byPrompt = Uint8Array.from({ length: prompts.count }, (_, prompt) => verdictOf(toolFree, prompt, settings));
    return decideEach(rollouts.count, (row) => byPrompt[rollouts.prompt[row] ?? 0] ?? undecided);
  },
  coverage: (data, { toolFreeSamples: k }) => {
    const { toolFree, prompts } = data;
    if (toolFree === null) return 'no tool-free samples: choose a log of the base model, or have them generated';
    let enough = 0;
    for (const samples of toolFree.samples) if (samples >= k) enough += 1;
    const rest = prompts.count - enough;
    return (
      `pass@${k} over ${toolFree.source}; ${k} samples or more: ${countText(enough)} of ${pluralText(prompts.count, 'prompt')}` +
      (rest === 0 ? '' : `; fewer, so not decided: ${countText(rest)}`) +
      guessing(data, k)
    );
  },
  reason: ({ rollouts, prompts, toolFree }, { toolFreeSamples: k }, { row }) => {
    const prompt = rollouts.prompt[row] ?? 0;
    const [n, right] = [toolFree?.samples[prompt] ?? 0, toolFree?.right[prompt] ?? 0];
    const pass = passAtK(n, right, k);
    const chance = prompts.chance[prompt] ?? Number.NaN;
    const guessed = Number.isNaN(chance)
      ? ''
      : ` Guessing among its options passes ${percentText(guessingPass(chance, k))} of the time.`;
    return {
      reason: `${right} of ${n} tool-free samples (${toolFree?.source ?? 'none'}) are right: pass@${k} = ${numberText(pass)}.${guessed}`,
      evidence: [
        { name: 'tool_free_right', value: right },
        { name: 'tool_free_samples', value: n },
        { name: `pass_at_${k}`, value: pass },
        ...(Number.isNaN(chance) ? [] : [{ name: 'chance', value: chance }]),
      ],
    };
  },
};

function verdictOf({ samples, right }: ToolFreeFacts, prompt: number, settings: FilterSettings): number {
  const pass = passAtK(samples[prompt] ?? 0, right[prompt] ?? 0, settings.toolFreeSamples);
  if (pass === null) return undecided;
  return pass > 0 && pass >= settings.toolFreeShare ? drop : keep;
}

/** Prompts with listed options pass by guessing. */
function guessing({ prompts }: CurationData, k: number): string {
  let listed = 0;
  let least = 1;
  for (const chance of prompts.chance) {
    if (Number.isNaN(chance)) continue;
    listed += 1;
    least = Math.min(least, chance);
  }
  if (listed === 0) return '';
  return `; warning: ${pluralText(listed, 'prompt')} list options, and guessing one of ${Math.round(1 / least)} passes pass@${k} ${percentText(guessingPass(least, k))} of the time`;
}
