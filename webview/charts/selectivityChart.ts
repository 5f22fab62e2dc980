/**
 * The chart "Selectivity": is a policy right with and without tools, and does it drop them where it can do without?
 * Two plots a run. Leaves out the sums (src/analysis/selectivity.ts).
 */
import { selectivityOf, type Selectivity } from '../../src/analysis/selectivity.ts';
import type { StepBands } from '../../src/analysis/stepBands.ts';
import { countText, percentText, pluralText } from '../../src/base/numberText.ts';
import { accColour, foreground, toolColour, toolDash } from './axes.ts';
import { makeMemo } from './memo.ts';
import type { PanelChart, PanelContext, PanelInput, PanelRun } from './panelChart.ts';
import { hasColumns } from './samples.ts';
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
          summary: known.map(({ run, of }) => sentence(run, of)).join(' '),
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
  const line = (look: Omit<XyLine, 'points' | 'id'>, bands: StepBands): XyLine => ({
    ...look,
    id: look.name,
    points: bandPoints({ context, run }, bands, 'rollouts'),
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
        line({ name: 'P(right | tool)', colour: accColour, style: 0, dash: null }, rightWithTool),
        line({ name: 'P(right | no tool)', colour: foreground, style: 2, dash: '2 2' }, rightWithoutTool),
      ],
    },
    {
      ...shared,
      title: plotTitle(input.runs, run, 'tool rate'),
      lines: [
        line({ name: 'solvable without tools', colour: toolColour, style: 1, dash: toolDash }, toolRate.solvable),
        line({ name: 'not solvable', colour: foreground, style: 3, dash: '8 3 2 3' }, toolRate.unsolved),
        line({ name: 'not known', colour: foreground, style: 4, dash: '1 4' }, toolRate.undecided),
      ],
    },
  ];
}

function sentence({ name }: PanelRun, { prompts, toolRate, rightWithTool, rightWithoutTool }: Selectivity): string {
  const change = (bands: StepBands): string => changeText(bands, percentText);
  return `${name}: the tool rate went ${change(toolRate.solvable)} on ${pluralText(prompts.solvable, 'prompt')} solvable without tools, ${change(toolRate.unsolved)} on ${countText(prompts.unsolved)} that are not, ${change(toolRate.undecided)} on ${countText(prompts.undecided)} never tried often enough without; P(right | tool) ${change(rightWithTool)}, P(right | no tool) ${change(rightWithoutTool)}.`;
}
