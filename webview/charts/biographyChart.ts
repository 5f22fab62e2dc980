/**
 * The chart "Biography of a prompt": every step in which the prompt of the selected group was sampled, with its share of
 * right rollouts, T and the sizes of both advantages; below, the moments as a list, of which two open in the diff.
 * Leaves out the list (biographyList.ts) and where the moments come from (groupLoader.ts).
 */
import { countText, numberText, percentText, pluralText } from '../../src/base/numberText.ts';
import type { BiographyMoment } from '../../src/protocol/groupView.ts';
import { accColour, foreground, toolColour, toolDash } from './axes.ts';
import { makeBiographyList, type BiographyList } from './biographyList.ts';
import { momentWhy, type MomentMeasure } from './biographyWhy.ts';
import { shortQuestion } from './groupOrder.ts';
import { selectMoment } from './moments.ts';
import type { Drawing, NothingDrawn, PanelChart, PanelContext, PanelInput } from './panelChart.ts';
import { xyDrawing } from './xyDrawing.ts';
import type { XyPlot, XyPoint } from './xyPlot.ts';
import { stepAxis } from './xySteps.ts';

/** Every step in which a prompt was sampled. */
export const biographyChart: PanelChart = {
  id: 'biography',
  title: 'Biography of a prompt',
  unit: 'over the steps in which it was sampled',
  about:
    'The prompt of the selected group in every step in which it was sampled: right / rollouts, mean T with its least and most, and the mean of |A_acc| and of |A_tool| over its rollouts. A prompt is told from others by a logged group id that comes back, else by its text. In the list, Enter selects the group of a step, and two moments that are marked (c) open in the diff, each as its most typical rollout: of the verdict that most have, the one whose T is nearest the mean.',
  columns: ['key', 'group', 'prompt'],
  wide: true,
  weightless: true,
  make: (context) => {
    let list: BiographyList | null = null;
    return {
      details: () => {
        list = makeBiographyList(context);
        return list.node;
      },
      draw: (input, width) => {
        list?.update(input);
        return drawBiography(input, width, context);
      },
    };
  },
};

function drawBiography(input: PanelInput, width: number, context: PanelContext): Drawing | NothingDrawn {
  if (!input.focus) return { missing: 'Choose a run above.' };
  if (input.selection.group === null) {
    return { missing: 'No group is selected: press g on a rollout, or ▸ in the list, to see the life of its prompt.' };
  }
  const { question = null, moments = null, total = 0 } = input.group ?? {};
  if (question === null || !moments) return { missing: 'Reading the steps in which the prompt was sampled…' };
  const { id, curves } = input.focus;
  const x = stepAxis([curves.step[0] ?? 0, curves.step.at(-1) ?? 0]);
  const points = (measure: MomentMeasure, value: (moment: BiographyMoment) => Omit<XyPoint, 'x'>): readonly XyPoint[] =>
    moments.map((moment) => {
      const pick = (): void => {
        selectMoment(input, moment, context);
      };
      return { x: moment.step, ...value(moment), pick, why: () => momentWhy(id, moment, { measure, select: pick }) };
    });
  const plots: readonly XyPlot[] = [
    {
      title: 'solved',
      x,
      y: { title: 'right', limits: [0, 1], format: percentText },
      lines: [
        {
          id: 'right',
          name: 'right',
          colour: accColour,
          style: 0,
          dash: null,
          points: points('correct', ({ correct, size }) => ({
            y: size === 0 ? NaN : correct / size,
            note: `${countText(correct)} of ${pluralText(size, 'rollout')}`,
          })),
        },
      ],
    },
    {
      title: 'calls',
      x,
      y: { title: 'T', limits: null, format: numberText },
      lines: [
        {
          id: 'calls',
          name: 'mean T, least and most',
          colour: foreground,
          style: 2,
          dash: '8 3 2 3',
          interval: 'bars',
          points: points('calls', ({ callsMean, rollouts }) => ({
            y: callsMean,
            low: Math.min(...rollouts.map(({ calls }) => calls)),
            high: Math.max(...rollouts.map(({ calls }) => calls)),
          })),
        },
      ],
    },
    {
      title: 'advantages',
      x,
      y: { title: 'mean |A|', limits: null, format: numberText },
      lines: [
        {
          id: 'acc',
          name: '|A_acc|',
          colour: accColour,
          style: 0,
          dash: null,
          points: points('accAdvantage', ({ rollouts }) => ({
            y: meanSize(rollouts.map(({ accAdvantage }) => accAdvantage)),
          })),
        },
        {
          id: 'tool',
          name: '|A_tool|',
          colour: toolColour,
          style: 1,
          dash: toolDash,
          points: points('toolAdvantage', ({ rollouts }) => ({
            y: meanSize(rollouts.map(({ toolAdvantage }) => toolAdvantage)),
          })),
        },
      ],
    },
  ];
  return xyDrawing(plots, {
    width,
    y: 'own',
    summary: sentence(question, moments, total),
    caption: 'The prompt by training step',
  });
}

/** Mean of |·| over what is known; NaN for none. */
function meanSize(values: readonly (number | null)[]): number {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? NaN : known.reduce((sum, value) => sum + Math.abs(value), 0) / known.length;
}

function sentence(question: string, moments: readonly BiographyMoment[], total: number): string {
  const [first, last] = [moments[0], moments.at(-1)];
  const solved = moments.filter(({ correct }) => correct > 0);
  const signal = moments.filter(({ rollouts }) =>
    rollouts.some(({ toolAdvantage }) => toolAdvantage !== null && toolAdvantage !== 0),
  );
  if (!first || !last) return `“${shortQuestion(question)}” was sampled in no step that is read.`;
  const cut = total > moments.length ? ` The first ${countText(moments.length)} are shown.` : '';
  const change =
    first === last
      ? ''
      : ` From step ${first.step} to ${last.step}: ${countText(first.correct)} of ${countText(first.size)} right with ${numberText(first.callsMean)} calls → ${countText(last.correct)} of ${countText(last.size)} with ${numberText(last.callsMean)}.`;
  const spoke =
    signal.length === 0
      ? 'the efficiency channel never spoke'
      : `the efficiency channel spoke in ${countText(signal.length)}`;
  const solvedText =
    total === 1
      ? `once, at step ${first.step}, and ${solved.length === 1 ? 'solved' : 'not solved'}`
      : `${countText(total)} times${solved[0] ? `, solved in ${countText(solved.length)}, first at step ${solved[0].step}` : ', never solved'}`;
  return `“${shortQuestion(question)}” was sampled ${solvedText}; ${spoke}.${change}${cut}`;
}
