/**
 * Where a point of "Same prompts, next time" comes from: each prompt's value of one sampling and of the next, and the mean
 * of the differences. Pure. Leaves out the chart (pairedEpochsChart.ts) and its bands (src/analysis/pairedEpochs.ts).
 */
import type { EpochPair } from '../../src/analysis/pairedEpochs.ts';
import { RIGHT, UNKNOWN } from '../../src/analysis/rewards.ts';
import { countText, pluralText, signedText } from '../../src/base/numberText.ts';
import type { PanelRun, Why } from './panelChart.ts';
import { hasColumns } from './samples.ts';
import { mostNamed } from './whyMembers.ts';

/** What of a prompt is compared with itself. */
export type PairedMeasure = keyof Pick<EpochPair, 'accuracy' | 'calls' | 'toolRate'>;

/** A point: the sampling `epoch` (1-based) against the next one. */
export interface PairedPoint {
  readonly measure: PairedMeasure;
  readonly epoch: number;
}

const names: Readonly<Record<PairedMeasure, string>> = {
  accuracy: 'accuracy',
  calls: 'mean T',
  toolRate: 'tool rate',
};
const counted: Readonly<Record<PairedMeasure, string>> = {
  accuracy: ' right',
  calls: ' calls',
  toolRate: ' with calls',
};

/** One prompt in one step: what is counted, and of how many. */
interface Sampled {
  readonly step: number;
  sum: number;
  count: number;
  /** A rollout that counts. */
  row: number;
}

/** The sum and the prompts of a point; null while their columns are read. */
export function pairedWhy(run: PanelRun, { measure, epoch }: PairedPoint): Why | null {
  const columns = run.samples?.columns;
  if (!columns || !hasColumns(columns, ['key', 'step', 'prompt', 'correct', 'calls'])) return null;
  const { key, step, prompt, correct, calls } = columns;
  const valueOf = (row: number): number => {
    if (measure === 'calls') return calls[row] ?? 0;
    if (measure === 'toolRate') return Number((calls[row] ?? 0) > 0);
    return correct[row] === UNKNOWN ? NaN : Number(correct[row] === RIGHT);
  };
  const prompts = new Map<number, Map<number, Sampled>>();
  prompt.forEach((ordinal, row) => {
    const when = step[row] ?? 0;
    const samplings = prompts.get(ordinal) ?? new Map<number, Sampled>();
    const one = samplings.get(when) ?? { step: when, sum: 0, count: 0, row };
    const value = valueOf(row);
    if (!Number.isNaN(value)) {
      if (one.count === 0) one.row = row;
      one.sum += value;
      one.count += 1;
    }
    samplings.set(when, one);
    prompts.set(ordinal, samplings);
  });
  const pairs = [...prompts.values()].flatMap((samplings) => {
    const [before, after] = [...samplings.values()].sort((a, b) => a.step - b.step).slice(epoch - 1, epoch + 1);
    if (!before || !after || before.count === 0 || after.count === 0) return [];
    return [{ before, after, change: after.sum / after.count - before.sum / before.count }];
  });
  if (pairs.length === 0) return null;
  const sum = pairs.reduce((all, { change }) => all + change, 0);
  const text = ({ step: when, sum: of, count }: Sampled): string =>
    `step ${when}: ${countText(of)}${counted[measure]} / ${countText(count)}`;
  const members = pairs
    .toSorted((a, b) => Math.abs(b.change) - Math.abs(a.change) || a.after.row - b.after.row)
    .slice(0, mostNamed)
    .map(({ before, after, change }) => ({
      key: key[after.row] ?? NaN,
      text: `${text(before)}  →  ${text(after)}  ${signedText(change)}`,
    }));
  return {
    kind: 'members',
    run: run.id,
    sums: [
      `mean change of ${names[measure]} = ${signedText(sum)} / ${pluralText(pairs.length, 'prompt')} = ${signedText(sum / pairs.length)}`,
      'Each prompt with its value of the one time, of the next, and the difference; it opens a rollout of the later time:',
    ],
    members,
    count: pairs.length,
    order: 'Prompts, the largest change first',
    select: null,
  };
}
