/**
 * The chart "Selectivity": is a policy right with and without tools, and does it drop them where it can do without?
 * Two plots a run. Leaves out the sums (src/analysis/selectivity.ts).
 */
import { RIGHT, UNKNOWN } from '../../src/analysis/rewards.ts';
import { PROMPT_CLASS, selectivityOf, type Selectivity } from '../../src/analysis/selectivity.ts';
import type { StepBands } from '../../src/analysis/stepBands.ts';
import { percentText, pluralText } from '../../src/base/numberText.ts';
import { accColour, foreground, toolColour, toolDash } from './axes.ts';
import { makeMemo } from './memo.ts';
import type { PanelChart, PanelContext, PanelInput, PanelRun } from './panelChart.ts';
import { hasColumns } from './samples.ts';
import { shareOfRollouts, type StepValue } from './stepValues.ts';
import { xyDrawing } from './xyDrawing.ts';
import type { XyLine, XyPlot } from './xyPlot.ts';
import { bandPoints, bandsOver, changeText, plotTitle, readingRollouts, stepAxis } from './xySteps.ts';

const columnNames = ['step', 'group', 'prompt', 'correct', 'calls'] as const;

/** Accuracy with and without tools, and tool rate where tools are needed and where not. */
export const selectivityChart: PanelChart = {
  id: 'selectivity',
  title: 'Selectivity',
  unit: 'shares of rollouts, over steps',
  about:
    'P(right | tool): right / rollouts with T ≥ 1; P(right | no tool): right / rollouts with T = 0; rollouts of unknown correctness left out. Tool rate, split by prompt: solvable without tools, in hindsight, if in some step at least 4 of its rollouts made no call and at least 75 % of these are right; not solvable if it was tried so often and never solved so; else not known. A policy that becomes selective drops tools on the first kind and keeps them on the second; a mere decline falls on both. Bands: 95 % bootstrap over the groups of the step.',
  columns: columnNames,
  columnsOf: 'shown',
  wide: true,
  weightless: true,
  make: (context) => {
    const memo = makeMemo<Selectivity>();
    return {
      draw: (input, width) => {
        const known = input.runs.flatMap((run) => {
          const { samples } = run;
          if (!samples || !hasColumns(samples.columns, columnNames)) return [];
          const { columns } = samples;
          return [{ run, of: memo(columns.group, '', () => selectivityOf(columns, bandsOver(columns.group))) }];
        });
        if (known.length === 0) return readingRollouts;
        const plots = known.flatMap(({ run, of }) => plotsOf(run, of, { input, context }));
        return xyDrawing(plots, {
          width,
          mostColumns: 2,
          summary: known.map(({ run, of }) => sentence(run, of)).join('\n'),
          caption: 'Accuracy with and without tools, and tool rate by kind of prompt, by training step',
        });
      },
    };
  },
};

interface Surroundings {
  readonly input: PanelInput;
  readonly context: PanelContext;
}

function plotsOf(run: PanelRun, found: Selectivity, { input, context }: Surroundings): readonly XyPlot[] {
  const line = (look: Omit<XyLine, 'points' | 'id'>, bands: StepBands, made: StepValue): XyLine => ({
    ...look,
    id: look.name,
    points: bandPoints({ context, run, made }, bands, 'rollouts'),
  });
  const toolRateOf = (kind: keyof typeof PROMPT_CLASS, words: string): StepValue =>
    shareOfRollouts({
      name: 'tool rate',
      columns: columnNames,
      what: 'with T ≥ 1',
      of: `of prompts ${words}`,
      test: ({ columns: { prompt, calls } }, row) =>
        found.promptClass[prompt?.[row] ?? -1] === PROMPT_CLASS[kind] ? Number((calls?.[row] ?? 0) > 0) : NaN,
    });
  const shared = {
    x: stepAxis(input.steps),
    y: { title: 'share', limits: [0, 1], format: percentText },
  } as const;
  const { rightWithTool, rightWithoutTool, toolRate } = found;
  return [
    {
      ...shared,
      title: plotTitle(input.runs, run, 'accuracy'),
      lines: [
        line({ name: 'P(right | tool)', colour: accColour, style: 0, dash: null }, rightWithTool, rightGiven.tool),
        line(
          { name: 'P(right | no tool)', colour: foreground, style: 2, dash: '2 2' },
          rightWithoutTool,
          rightGiven.noTool,
        ),
      ],
    },
    {
      ...shared,
      title: plotTitle(input.runs, run, 'tool rate'),
      lines: [
        line(
          { name: 'solvable without tools', colour: toolColour, style: 1, dash: toolDash },
          toolRate.solvable,
          toolRateOf('solvable', 'solvable without tools'),
        ),
        line(
          { name: 'not solvable', colour: foreground, style: 3, dash: '8 3 2 3' },
          toolRate.unsolved,
          toolRateOf('unsolved', 'not solvable without tools'),
        ),
        line(
          { name: 'not known', colour: foreground, style: 4, dash: '1 4' },
          toolRate.undecided,
          toolRateOf('undecided', 'never tried often enough without tools'),
        ),
      ],
    },
  ];
}

/** P(right | tool) and P(right | no tool). */
const rightGiven = {
  tool: rightWhere('tool', (calls) => calls > 0),
  noTool: rightWhere('no tool', (calls) => calls === 0),
};

function rightWhere(given: string, holds: (calls: number) => boolean): StepValue {
  return shareOfRollouts({
    name: `P(right | ${given})`,
    columns: columnNames,
    what: 'right',
    of: `with T ${given === 'tool' ? '≥ 1' : '= 0'} and of known correctness`,
    test: ({ columns: { correct, calls } }, row) => {
      const code = correct?.[row] ?? UNKNOWN;
      return holds(calls?.[row] ?? 0) && code !== UNKNOWN ? Number(code === RIGHT) : NaN;
    },
  });
}

function sentence({ name }: PanelRun, { prompts, toolRate, rightWithTool, rightWithoutTool }: Selectivity): string {
  const change = (bands: StepBands): string => changeText(bands, percentText);
  const kinds = (['solvable', 'unsolved', 'undecided'] as const).filter((kind) => prompts[kind] > 0);
  const rates = kinds.map(
    (kind) => `${change(toolRate[kind])} on ${pluralText(prompts[kind], 'prompt')} ${kindWords[kind]}`,
  );
  const rate = rates.length === 0 ? '' : `the tool rate went ${rates.join(', ')}; `;
  return `${name}: ${rate}P(right | tool) ${change(rightWithTool)}, P(right | no tool) ${change(rightWithoutTool)}.`;
}

const kindWords: Readonly<Record<keyof typeof PROMPT_CLASS, string>> = {
  solvable: 'solvable without tools',
  unsolved: 'not solvable without',
  undecided: 'never tried often enough without',
};
