/**
 * Where the change of a prompt between two runs comes from: what is counted in either run, the difference, and rollouts of
 * both. Pure. Leaves out the interval (src/analysis/compareRuns.ts) and the chart (changedPromptsChart.ts).
 */
import type { ComparedMeasure, PromptChange, SharedMoments } from '../../src/analysis/compareRuns.ts';
import { RIGHT, UNKNOWN } from '../../src/analysis/rewards.ts';
import { countText, pluralText } from '../../src/base/numberText.ts';
import { changeOfMeasureText, measureText, rangeText, type ComparedSide } from './changedTexts.ts';
import type { Why } from './panelChart.ts';
import { mostNamed, namedRollouts, rowsWhere } from './whyMembers.ts';

/** Where the prompts are compared, and what of them. */
export interface ComparedWhere {
  readonly sides: readonly [ComparedSide, ComparedSide];
  readonly steps: readonly [number, number] | null;
  /** Null: all steps. */
  readonly moments: SharedMoments | null;
  readonly measure: ComparedMeasure;
}

const counted: Readonly<Record<ComparedMeasure, string>> = {
  accuracy: 'right',
  toolRate: 'with calls',
  calls: 'calls',
};

/** The sums of both runs and rollouts of both, those of the last steps first. */
export function changedWhy(where: ComparedWhere, change: PromptChange): Why {
  const { sides, measure } = where;
  const found = sides.map(({ run, columns }, side) => {
    const { step, prompt, correct, calls } = columns;
    const rows = rowsWhere(
      prompt.length,
      (row) =>
        prompt[row] === change.prompts[side] &&
        isCompared(where, { key: change.key, step: step[row] ?? NaN }) &&
        (measure !== 'accuracy' || correct[row] !== UNKNOWN),
    );
    const valueOf = (row: number): number =>
      measure === 'accuracy'
        ? Number(correct[row] === RIGHT)
        : measure === 'calls'
          ? (calls[row] ?? 0)
          : Number((calls[row] ?? 0) > 0);
    const sum = rows.reduce((all, row) => all + valueOf(row), 0);
    return {
      count: rows.length,
      line: `${run.name}: ${countText(sum)} ${counted[measure]} / ${pluralText(rows.length, 'rollout')} = ${measureText(measure, sum / rows.length)}`,
      members: namedRollouts({ run, rows, size: (row) => step[row] ?? NaN, most: mostNamed / 2 }).map((member) => ({
        ...member,
        run: run.id,
        text: `${run.name}  ${member.text}`,
      })),
    };
  });
  const text = (value: number): string => changeOfMeasureText(measure, value);
  const [before, after] = change.values.map((value) => measureText(measure, value));
  return {
    kind: 'members',
    run: sides[0].run.id,
    sums: [
      ...found.map(({ line }) => line),
      `change = ${after ?? ''} − ${before ?? ''} = ${text(change.change)}, 95 % interval ${rangeText(measure, change)}`,
      change.least > 0
        ? `ranked by its bound nearer to no change: ${text(Math.sign(change.change) * change.least)}`
        : 'no sure change: the interval holds 0, so that it ranks after those that have one',
    ],
    members: found.flatMap(({ members }) => members),
    count: found.reduce((all, { count }) => all + count, 0),
    order: 'Rollouts of either run, the last steps first',
    select: null,
  };
}

/** Whether a prompt counts at a step. */
export function isCompared(
  { steps, moments }: Pick<ComparedWhere, 'steps' | 'moments'>,
  { key, step }: { readonly key: number; readonly step: number },
): boolean {
  return (
    (steps === null || (step >= steps[0] && step <= steps[1])) &&
    (moments === null || moments.get(key)?.has(step) === true)
  );
}
