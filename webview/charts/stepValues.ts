/**
 * How the value of one training step is made of its rollouts: a share, a mean, or a share of groups, with the sum in numbers
 * and the rollouts or groups it counts. One for every measure over steps; charts name theirs. Pure.
 * Leaves out the value that is drawn, which is the engine's (src/analysis/steps.ts), and the card (whyCard.ts).
 */
import { DEFAULT_TOOL_WEIGHT } from '../../src/analysis/contributions.ts';
import { siblingCalls } from '../../src/analysis/redundancy/sibling.ts';
import { RIGHT, UNKNOWN } from '../../src/analysis/rewards.ts';
import { countText, numberText, percentText, pluralText } from '../../src/base/numberText.ts';
import type { SampleColumn, SampleColumns } from '../../src/protocol/samples.ts';
import type { PanelInput, PanelRun } from './panelChart.ts';
import { groupsOfStep, groupWords, memberIndex, type GroupOfStep } from './stepGroups.ts';

/** The rollouts of one step of a run whose columns are read. */
export interface RowsOfStep {
  readonly input: Pick<PanelInput, 'mode' | 'weights'>;
  readonly run: PanelRun;
  readonly columns: Partial<SampleColumns>;
  /** First row and end. */
  readonly begin: number;
  readonly end: number;
}

/** What a value of a step is made of. */
export interface StepSum {
  readonly value: number;
  /** "206 right / 256 rollouts of known correctness": what stands before the last equals sign. */
  readonly numbers: string;
  /** Rows that are named as members, one each; of groups, one rollout of each. */
  readonly rows: Uint32Array;
  /** The largest first. */
  readonly size: (row: number) => number;
  /** What is said of a member besides its verdict, step, T and advantages; `instead` leaves those out. */
  readonly note?: (row: number) => string;
  readonly instead?: boolean;
  /** "Rollouts with calls first" */
  readonly order: string;
}

/** A value over steps, as it is explained. */
export interface StepValue {
  /** What stands before the first equals sign: "accuracy". */
  readonly name: string;
  /** In words, for where the rollouts are not read: "right / rollouts of known correctness". */
  readonly formula: string;
  /** Besides key and step. */
  readonly columns: readonly SampleColumn[];
  readonly format: (value: number) => string;
  /** Null where the columns do not tell it. */
  readonly sum: (rows: RowsOfStep) => StepSum | null;
}

/** A share of the rollouts of a step. */
export interface ShareOfRollouts extends Pick<StepValue, 'name' | 'columns'> {
  /** What is counted: "right". */
  readonly what: string;
  /** Of which rollouts: "of known correctness"; '' for all. */
  readonly of: string;
  /** 1 = counted, 0 = not, NaN = not among them. */
  readonly test: (rows: RowsOfStep, row: number) => number;
  /** What is said of a member. */
  readonly note?: (rows: RowsOfStep, row: number) => string;
}

/** The counted rollouts are named first, then the others. */
export function shareOfRollouts({ name, columns, what, of, test, note }: ShareOfRollouts): StepValue {
  const rollouts = (count: number | null): string =>
    `${count === null ? 'rollouts' : pluralText(count, 'rollout')}${of === '' ? '' : ` ${of}`}`;
  return {
    name,
    columns,
    format: percentText,
    formula: `${what} / ${rollouts(null)}`,
    sum: (rows) => {
      const among = rowsWhere(rows, (row) => !Number.isNaN(test(rows, row)));
      const counted = among.filter((row) => test(rows, row) === 1).length;
      return {
        value: counted / among.length,
        numbers: `${countText(counted)} ${what} / ${rollouts(among.length)}`,
        rows: among,
        size: (row) => test(rows, row) * 1e4 + (rows.columns.calls?.[row] ?? 0),
        ...(note === undefined ? {} : { note: (row) => note(rows, row) }),
        order: `Rollouts, those that count (${what}) first`,
      };
    },
  };
}

/** A mean over the rollouts of a step. */
export interface MeanOfRollouts extends Pick<StepValue, 'name' | 'columns'> {
  /** What is summed up: "calls". */
  readonly what: string;
  readonly of?: string;
  /** NaN = not among them. */
  readonly value: (rows: RowsOfStep, row: number) => number;
  readonly note?: (rows: RowsOfStep, row: number) => string;
}

/** The largest values are named first. */
export function meanOfRollouts({ name, columns, what, of = '', value, note }: MeanOfRollouts): StepValue {
  return {
    name,
    columns,
    format: numberText,
    formula: `sum of ${what} / rollouts${of}`,
    sum: (rows) => {
      const among = rowsWhere(rows, (row) => !Number.isNaN(value(rows, row)));
      const sum = among.reduce((all, row) => all + value(rows, row), 0);
      return {
        value: sum / among.length,
        numbers: `${numberText(sum)} ${what} / ${pluralText(among.length, 'rollout')}${of}`,
        rows: among,
        size: (row) => value(rows, row),
        ...(note === undefined ? {} : { note: (row) => note(rows, row) }),
        order: `Rollouts, the largest (${what}) first`,
      };
    },
  };
}

interface ShareOfCalls extends Pick<StepValue, 'name' | 'columns'> {
  readonly what: string;
  readonly counted: (rows: RowsOfStep) => (row: number) => number;
}

function shareOfCalls({ name, columns, what, counted }: ShareOfCalls): StepValue {
  return {
    name,
    columns,
    format: percentText,
    formula: `${what} calls / calls`,
    sum: (rows) => {
      const among = rowsWhere(rows, () => true);
      const countOf = counted(rows);
      const callsOf = (row: number): number => rows.columns.calls?.[row] ?? 0;
      const found = among.reduce((sum, row) => sum + countOf(row), 0);
      const calls = among.reduce((sum, row) => sum + callsOf(row), 0);
      return {
        value: found / calls,
        numbers: `${countText(found)} ${what} / ${pluralText(calls, 'call')}`,
        rows: among.filter((row) => callsOf(row) > 0),
        size: (row) => countOf(row) * 1e4 + callsOf(row),
        note: (row) => `${countText(countOf(row))} of ${pluralText(callsOf(row), 'call')} ${what}`,
        order: `Rollouts with calls, the most ${what} ones first`,
      };
    },
  };
}

interface ShareOfGroups extends Pick<StepValue, 'name' | 'columns'> {
  readonly what: string;
  /** Of which groups: "with verdicts". */
  readonly of: string;
  readonly among: (group: GroupOfStep) => boolean;
  readonly counted: (group: GroupOfStep) => boolean;
}

function shareOfGroups({ name, columns, what, of, among, counted }: ShareOfGroups): StepValue {
  return {
    name,
    columns: ['group', ...columns],
    format: percentText,
    formula: `groups ${what} / groups ${of}`,
    sum: (rows) => {
      const groups = groupsOfStep(rows).filter(among);
      const found = groups.filter(counted);
      const byRow = new Map(groups.map((group) => [group.rows[0] ?? -1, group]));
      return {
        value: found.length / groups.length,
        numbers: `${pluralText(found.length, 'group')} ${what} / ${pluralText(groups.length, 'group')} ${of}`,
        rows: Uint32Array.from(byRow.keys()),
        size: (row) => {
          const group = byRow.get(row);
          return group && counted(group) ? 1 : 0;
        },
        note: (row) => {
          const group = byRow.get(row);
          return group ? `${counted(group) ? 'counts' : 'does not'}: ${groupWords(group)}` : '';
        },
        instead: true,
        order: 'Groups, those that count first; each opens a rollout of it',
      };
    },
  };
}

function rowsWhere({ begin, end }: RowsOfStep, holds: (row: number) => boolean): Uint32Array {
  return Uint32Array.from({ length: end - begin }, (_, place) => begin + place).filter(holds);
}

const rightOf = ({ columns }: RowsOfStep, row: number): number => {
  const code = columns.correct?.[row] ?? UNKNOWN;
  return code === UNKNOWN ? NaN : Number(code === RIGHT);
};
const callsOf = ({ columns }: RowsOfStep, row: number): number => columns.calls?.[row] ?? NaN;
const hasRight = ({ right }: GroupOfStep): boolean => right >= 2;
const differs = ({ leastCalls, mostCalls }: GroupOfStep): boolean => leastCalls < mostCalls;
const judged = ({ judged: count }: GroupOfStep): boolean => count > 0;
const rewarded = ({ rewarded: count }: GroupOfStep): boolean => count > 0;

/** The rollouts with A_tool ≠ 0 of those where it is known, and the w_tool that makes them. */
function effectiveWeight(weightOf: (input: RowsOfStep['input']) => number): StepValue {
  return {
    name: 'effective w_tool',
    columns: ['toolAdvantage'],
    format: numberText,
    formula: 'w_tool·N/N_sig',
    sum: (rows) => {
      const of = (row: number): number => rows.columns.toolAdvantage?.[row] ?? NaN;
      const known = rowsWhere(rows, (row) => !Number.isNaN(of(row)));
      const signal = known.filter((row) => of(row) !== 0);
      const weight = weightOf(rows.input);
      return {
        value: (weight * known.length) / signal.length,
        numbers: `w_tool·N/N_sig = ${numberText(weight)} × ${countText(known.length)} / ${countText(signal.length)}`,
        rows: signal,
        size: (row) => Math.abs(of(row)),
        order: 'Rollouts with A_tool ≠ 0, the largest first',
      };
    },
  };
}

const accuracy = shareOfRollouts({
  name: 'accuracy',
  columns: ['correct', 'calls'],
  what: 'right',
  of: 'of known correctness',
  test: rightOf,
});

/** The measures over training steps that more than one chart draws, or that curves have. */
export const stepValues = {
  accuracy: { ...accuracy, format: numberText },
  accuracyShare: accuracy,
  reward: meanOfRollouts({
    name: 'mean reward',
    columns: ['accReward'],
    what: 'of reward',
    of: ' with a reward',
    value: ({ columns }, row) => columns.accReward?.[row] ?? NaN,
    note: ({ columns }, row) => `reward ${numberText(columns.accReward?.[row] ?? NaN)}`,
  }),
  toolRate: shareOfRollouts({
    name: 'tool rate',
    columns: ['calls'],
    what: 'with T ≥ 1',
    of: '',
    test: (rows, row) => Number(callsOf(rows, row) > 0),
  }),
  calls: meanOfRollouts({ name: 'mean T', columns: ['calls'], what: 'calls', value: callsOf }),
  redundant: shareOfCalls({
    name: 'redundant calls',
    columns: ['group', 'correct', 'calls', 'redundantCalls'],
    what: 'flagged',
    counted: (rows) => {
      const { correct, calls, redundantCalls } = rows.columns;
      const bySiblings = siblingCalls(memberIndex(rows), {
        correct: correct?.subarray(rows.begin, rows.end) ?? [],
        calls: calls?.subarray(rows.begin, rows.end) ?? [],
      });
      // Siblings without tools prove all calls, others only a number: the larger part counts, as in steps.ts.
      return (row) => Math.max(redundantCalls?.[row] ?? 0, bySiblings[row - rows.begin] ?? 0);
    },
  }),
  failedCalls: shareOfCalls({
    name: 'failed calls',
    columns: ['calls', 'failedCalls'],
    what: 'failed',
    counted:
      ({ columns }) =>
      (row) =>
        columns.failedCalls?.[row] ?? 0,
  }),
  effectiveWeight: effectiveWeight(() => DEFAULT_TOOL_WEIGHT),
  effectiveWeightOfPage: effectiveWeight(({ weights }) => weights.tool),
  accAdvantage: meanOfRollouts({
    name: 'mean |A_acc|',
    columns: ['accAdvantage'],
    what: '|A_acc|',
    value: ({ columns }, row) => Math.abs(columns.accAdvantage?.[row] ?? NaN),
  }),
  toolAdvantage: meanOfRollouts({
    name: 'mean |A_tool|',
    columns: ['toolAdvantage'],
    what: '|A_tool|',
    value: ({ columns }, row) => Math.abs(columns.toolAdvantage?.[row] ?? NaN),
  }),
  responseTokens: lengthValue('response length', 'tokens'),
  responseCharacters: lengthValue('length of model text', 'characters'),
  truncated: shareOfRollouts({
    name: 'truncated rollouts',
    columns: ['truncated'],
    what: 'ended by a limit',
    of: 'whose end is logged',
    test: ({ columns }, row) => (columns.truncated?.[row] === 2 ? NaN : (columns.truncated?.[row] ?? NaN)),
    note: ({ columns }, row) => (columns.truncated?.[row] === 1 ? 'ended by a limit' : ''),
  }),
  qualifying: shareOfGroups({
    name: 'groups with |Q| ≥ 2',
    columns: ['correct', 'calls', 'accReward'],
    what: 'with |Q| ≥ 2',
    of: 'with verdicts',
    among: judged,
    counted: hasRight,
  }),
  signal: shareOfGroups({
    name: 'efficiency signal',
    columns: ['correct', 'calls', 'accReward'],
    what: 'with |Q| ≥ 2 and T that differs within Q',
    of: 'with verdicts',
    among: judged,
    counted: (group) => hasRight(group) && differs(group),
  }),
  fewRight: shareOfGroups({
    name: 'groups with |Q| < 2',
    columns: ['correct', 'calls', 'accReward'],
    what: 'with |Q| < 2',
    of: 'with verdicts',
    among: judged,
    counted: (group) => !hasRight(group),
  }),
  equalCalls: shareOfGroups({
    name: 'groups with equal T',
    columns: ['correct', 'calls', 'accReward'],
    what: 'with |Q| ≥ 2 and equal T within Q',
    of: 'with verdicts',
    among: judged,
    counted: (group) => hasRight(group) && !differs(group),
  }),
  deadRight: shareOfGroups({
    name: 'dead, all right',
    columns: ['correct', 'calls', 'accReward'],
    what: 'of equal r_acc, all right',
    of: 'with rewards',
    among: rewarded,
    counted: ({ equalReward, right, rewarded: count }) => equalReward && right === count,
  }),
  deadWrong: shareOfGroups({
    name: 'dead, all wrong',
    columns: ['correct', 'calls', 'accReward'],
    what: 'of equal r_acc, all wrong',
    of: 'with rewards',
    among: rewarded,
    counted: (group) => group.equalReward && group.right === 0 && group.judged === group.rewarded,
  }),
} as const satisfies Readonly<Record<string, StepValue>>;

/** L is one column: tokens where the log has them, else characters. */
function lengthValue(name: string, what: 'tokens' | 'characters'): StepValue {
  const value = ({ run, columns }: RowsOfStep, row: number): number =>
    run.samples?.lengthIsEstimate === (what === 'characters') ? (columns.length?.[row] ?? NaN) : NaN;
  return meanOfRollouts({
    name: `mean ${name}`,
    columns: ['length'],
    what,
    value,
    note: (rows, row) => `${countText(value(rows, row))} ${what}`,
  });
}
