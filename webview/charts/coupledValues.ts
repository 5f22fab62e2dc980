/**
 * Where a point of "What if the reward were coupled" comes from: the rollouts with a fate of all that are compared, with
 * both advantages of each; and the correlation as its sums over groups. Pure. Leaves out the arithmetic of the shares
 * (src/analysis/coupled.ts).
 */
import { FATE, type CoupledOptions, type PreparedCoupled } from '../../src/analysis/coupled.ts';
import { numberText, signedText } from '../../src/base/numberText.ts';
import type { SampleColumn } from '../../src/protocol/samples.ts';
import { groupsOfStep, groupWords } from './stepGroups.ts';
import { shareOfRollouts, type RowsOfStep, type StepValue } from './stepValues.ts';

/** The fates that are drawn, as their sums name them. */
const fateWords = {
  opposite: 'pushed the other way',
  lost: 'that lose their signal',
  gained: 'that gain one',
} as const;

/** A share of fates, for the form and α that it was drawn with. */
export function fateValue(
  fate: keyof typeof fateWords,
  { prepared, options }: { readonly prepared: PreparedCoupled; readonly options: CoupledOptions },
): StepValue {
  // One evaluation serves all rows of a card; the next one writes over it.
  let evaluated: ReturnType<PreparedCoupled['evaluate']> | null = null;
  const result = (): ReturnType<PreparedCoupled['evaluate']> => {
    if (evaluated === null) {
      const { advantage, fate: fates, ...rest } = prepared.evaluate(options);
      evaluated = { ...rest, advantage: advantage.slice(), fate: fates.slice() };
    }
    return evaluated;
  };
  return shareOfRollouts({
    name: fateWords[fate],
    columns: ['correct', 'calls', 'accAdvantage', 'toolAdvantage'],
    what: fateWords[fate],
    of: 'whose push and coupled advantage are known',
    test: (_rows, row) => {
      const code = result().fate[row] ?? FATE.none;
      return code === FATE.none ? NaN : Number(code === FATE[fate]);
    },
    note: ({ columns: { accAdvantage, toolAdvantage } }, row) => {
      const { accWeight = 1, toolWeight = 0 } = options;
      const push = accWeight * (accAdvantage?.[row] ?? NaN) + toolWeight * (toolAdvantage?.[row] ?? NaN);
      return `push ${signedText(push)}  A_coupled ${signedText(result().advantage[row] ?? NaN)}`;
    },
  });
}

const correlated: readonly SampleColumn[] = ['group', 'accReward', 'correct', 'calls'];

/** r_acc with x = 1/(T+1), within groups: deviations are those from the means of the own group. */
export const correlationValue: StepValue = {
  name: 'correlation',
  formula: 'Σ(r_acc − mean)·(x − mean) / √(Σ(r_acc − mean)² · Σ(x − mean)²) within groups, x = 1/(T+1)',
  columns: correlated,
  format: signedText,
  sum: (of) => {
    const groups = groupsOfStep(of).flatMap((group) => {
      const found = deviations(of, group.rows);
      return found === null ? [] : [{ ...group, ...found }];
    });
    const total = (name: 'products' | 'rewards' | 'extras'): number =>
      groups.reduce((sum, group) => sum + group[name], 0);
    const [products, rewards, extras] = [total('products'), total('rewards'), total('extras')];
    const byRow = new Map(groups.map((group) => [group.rows[0] ?? -1, group]));
    return {
      value: products / Math.sqrt(rewards * extras),
      numbers: `Σ(r_acc − mean)·(x − mean) / √(Σ(r_acc − mean)² · Σ(x − mean)²) = ${signedText(products)} / √(${numberText(rewards)} · ${numberText(extras)})`,
      rows: Uint32Array.from(byRow.keys()),
      size: (row) => Math.abs(byRow.get(row)?.products ?? 0),
      note: (row) => {
        const group = byRow.get(row);
        return group ? `${signedText(group.products)}: ${groupWords(group)}` : '';
      },
      instead: true,
      order: 'Groups by the size of their products, x = 1/(T+1); each opens a rollout of it',
    };
  },
};

function deviations({ columns: { accReward, calls } }: RowsOfStep, rows: Uint32Array) {
  const known = rows.filter((row) => !Number.isNaN(accReward?.[row] ?? NaN));
  if (known.length < 2) return null;
  const [rewards, extras] = [
    Array.from(known, (row) => accReward?.[row] ?? NaN),
    Array.from(known, (row) => 1 / ((calls?.[row] ?? 0) + 1)),
  ];
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [r, x] = [mean(rewards), mean(extras)];
  const sumOf = (value: (index: number) => number): number =>
    rewards.reduce((sum, _reward, index) => sum + value(index), 0);
  const dr = (index: number): number => (rewards[index] ?? NaN) - r;
  const dx = (index: number): number => (extras[index] ?? NaN) - x;
  return {
    products: sumOf((index) => dr(index) * dx(index)),
    rewards: sumOf((index) => dr(index) ** 2),
    extras: sumOf((index) => dx(index) ** 2),
  };
}
