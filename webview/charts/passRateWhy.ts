/**
 * Where a point of "Where each channel lives" comes from: the rollouts of the groups with so many right ones, and the mean
 * size of what they push. Pure. Leaves out the chart (passRateChart.ts) and its bands (src/analysis/passRate.ts).
 */
import { denseOrdinals, indexGroups, membersOf } from '../../src/analysis/groups.ts';
import { RIGHT, UNKNOWN } from '../../src/analysis/rewards.ts';
import { countText, numberText, pluralText } from '../../src/base/numberText.ts';
import { contributionsOfSamples } from './contributionColumns.ts';
import type { PanelInput, PanelRun, Why } from './panelChart.ts';
import { rowsOfSteps } from './selection.ts';
import { rolloutsWhy } from './whyMembers.ts';

/** A point: k of G right, of one channel. */
export interface PassRatePoint {
  readonly channel: 'acc' | 'tool';
  /** k */
  readonly right: number;
  /** G */
  readonly size: number;
}

/** The sum and the rollouts of a point; null while their columns are read. */
export function passRateWhy(input: PanelInput, run: PanelRun, { channel, right, size }: PassRatePoint): Why | null {
  const contributions = contributionsOfSamples(run.samples, input.mode);
  const { group, correct } = run.samples?.columns ?? {};
  if (!contributions || !group || !correct) return null;
  const [begin, end] = rowsOfSteps(contributions, input.selection.steps);
  const index = indexGroups(denseOrdinals(group.subarray(begin, end)).ordinal);
  const weight = Math.abs(input.weights[channel]);
  const pushed = (row: number): number => Math.abs(contributions[channel][row] ?? NaN) * weight;
  const rows: number[] = [];
  let groups = 0;
  for (let ordinal = 0; ordinal + 1 < index.first.length; ordinal += 1) {
    const members = membersOf(index, ordinal);
    if (members.length !== size) continue;
    const codes = Array.from(members, (member) => correct[begin + member]);
    if (codes.includes(UNKNOWN) || codes.filter((code) => code === RIGHT).length !== right) continue;
    groups += 1;
    for (const member of members) if (!Number.isNaN(pushed(begin + member))) rows.push(begin + member);
  }
  const sum = rows.reduce((all, row) => all + pushed(row), 0);
  const name = channel === 'acc' ? '|w_acc·A_acc|' : '|w_tool·A_tool|';
  return rolloutsWhy({
    run,
    rows: Uint32Array.from(rows),
    size: pushed,
    note: (row) => `pushes ${numberText(pushed(row))}`,
    sums: [
      `mean ${name} = ${numberText(sum)} / ${pluralText(rows.length, 'rollout')} = ${numberText(sum / rows.length)}`,
      `They are those of ${pluralText(groups, 'group')} with ${countText(right)} of ${countText(size)} right.`,
    ],
    order: 'Rollouts, the largest push of this channel first',
  });
}
