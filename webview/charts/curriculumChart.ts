/**
 * The chart "Implicit curriculum": when the efficiency channel of a run opens, wakes and falls asleep again, and why
 * groups are dead. A row a run: shares with accuracy and tool rate, dead groups by cause, effective w_tool.
 * Leaves out the phases themselves (src/analysis/curriculum.ts) and the numbers (src/analysis/steps.ts).
 */
import { awakeAbove, curriculumOf, openAbove, type Curriculum } from '../../src/analysis/curriculum.ts';
import { DEFAULT_TOOL_WEIGHT } from '../../src/analysis/contributions.ts';
import { numberText, percentText } from '../../src/base/numberText.ts';
import type { RunCurves } from '../../src/protocol/engine.ts';
import { accColour, foreground, stepText, toolColour, toolDash } from './axes.ts';
import { slider } from '../ui/slider.ts';
import type { PanelChart, PanelContext, PanelInput, PanelRun } from './panelChart.ts';
import { stepValues, type StepValue } from './stepValues.ts';
import { xyDrawing } from './xyDrawing.ts';
import type { XyAxis, XyLine, XyPlot, XyRule } from './xyPlot.ts';
import { plotTitle, stepAxis, stepPoint } from './xySteps.ts';

/** The phases of the efficiency channel, and dead groups by cause. */
export const curriculumChart: PanelChart = {
  id: 'curriculum',
  title: 'Implicit curriculum',
  unit: 'shares of groups, over steps',
  about:
    'A group carries an efficiency signal when at least two of its rollouts are right (|Q| ≥ 2) and their numbers of calls T differ. Open: the 5-step median of the share of groups with |Q| ≥ 2 is above 0.5. Awake: that of the share with a signal is above a threshold (0.25, adjustable); what the first five steps show holds from the first. Asleep again: below it for good, as all are lean (mean T below 0.5) or as nothing is explored. Dead groups: equal r_acc in a group of two or more, all right or all wrong, so no accuracy signal; |Q| < 2, or equal T within Q, so no efficiency signal. Effective w_tool = w_tool·N/N_sig.',
  columns: [],
  wide: true,
  make: (context) => {
    const own = savedThreshold(context.saved);
    return {
      controls: () => thresholdControls(context, own),
      draw: (input, width) => {
        const runs = input.runs.filter(({ curves }) => curves.signalShare.some((share) => !Number.isNaN(share)));
        if (runs.length === 0) {
          return {
            missing: 'These logs do not say which rollouts are right, so the efficiency channel has no phases.',
          };
        }
        const plots = runs.flatMap((run) => plotsOf(run, { input, context, threshold: own.threshold }));
        const summary = runs.map((run) => sentence(run, own.threshold)).join('\n');
        return xyDrawing(plots, { width, summary, caption: 'Shares of groups by training step', y: 'own' });
      },
    };
  },
};

interface Threshold {
  threshold: number;
}

function savedThreshold(saved: unknown): Threshold {
  const found = typeof saved === 'object' && saved !== null && 'threshold' in saved ? saved.threshold : null;
  return { threshold: typeof found === 'number' && found > 0 && found < 1 ? found : awakeAbove };
}

function thresholdControls(context: PanelContext, own: Threshold): readonly HTMLElement[] {
  const made = slider({
    label: 'Awake above',
    min: 0.05,
    max: 0.95,
    step: 0.05,
    value: own.threshold,
    onInput: (threshold) => {
      own.threshold = threshold;
      context.save({ threshold });
    },
  });
  return [made.node];
}

interface Surroundings {
  readonly input: PanelInput;
  readonly context: PanelContext;
  readonly threshold: number;
}

function plotsOf(run: PanelRun, { input, context, threshold }: Surroundings): readonly XyPlot[] {
  const { curves } = run;
  const rules = rulesOf(curriculumOf(curves, threshold));
  const named = (what: string): string => plotTitle(input.runs, run, what);
  const x = stepAxis(input.steps);
  const shares: XyAxis = { title: 'share', limits: [0, 1], format: percentText };
  const lineOf = (
    { made, ...look }: Omit<XyLine, 'points' | 'id'> & { readonly made: StepValue },
    value: (index: number) => number,
  ): XyLine => ({
    ...look,
    id: look.name,
    points: Array.from(curves.step, (step, index) => stepPoint({ context, run, made }, step, { value: value(index) })),
  });
  const at = (values: ArrayLike<number>) => (index: number) => values[index] ?? NaN;
  return [
    {
      title: named('signal'),
      x,
      y: shares,
      rules,
      lines: [
        lineOf(
          { made: stepValues.qualifying, name: 'groups with |Q| ≥ 2', colour: toolColour, style: 4, dash: '1 4' },
          at(curves.qualifyingShare),
        ),
        lineOf(
          { made: stepValues.signal, name: 'with efficiency signal', colour: toolColour, style: 1, dash: toolDash },
          at(curves.signalShare),
        ),
        lineOf(
          { made: stepValues.accuracyShare, name: 'accuracy', colour: accColour, style: 0, dash: null },
          at(curves.accuracy),
        ),
        lineOf(
          { made: stepValues.toolRate, name: 'tool rate', colour: foreground, style: 2, dash: '8 3 2 3' },
          at(curves.toolRate),
        ),
      ],
    },
    {
      title: named('dead groups by cause'),
      x,
      y: shares,
      rules,
      lines: [
        lineOf(
          { made: stepValues.deadRight, name: 'all right', colour: accColour, style: 3, dash: null },
          at(curves.deadRightShare),
        ),
        lineOf(
          { made: stepValues.deadWrong, name: 'all wrong', colour: accColour, style: 5, dash: null },
          at(curves.deadWrongShare),
        ),
        lineOf(
          { made: stepValues.fewRight, name: '|Q| < 2', colour: toolColour, style: 6, dash: toolDash },
          fewRight(curves),
        ),
        lineOf(
          { made: stepValues.equalCalls, name: 'equal T', colour: toolColour, style: 2, dash: '2 2' },
          equalCalls(curves),
        ),
      ],
    },
    {
      title: named('effective w_tool'),
      x,
      y: { title: 'w_tool·N/N_sig', limits: null, format: numberText },
      rules,
      lines: [
        lineOf(
          {
            made: stepValues.effectiveWeightOfPage,
            name: 'effective w_tool',
            colour: toolColour,
            style: 0,
            dash: toolDash,
          },
          // The engine computes it with the published weight; the page's control scales it.
          (index) => (curves.effectiveToolWeight[index] ?? NaN) * (input.weights.tool / DEFAULT_TOOL_WEIGHT),
        ),
      ],
    },
  ];
}

const fewRight =
  (curves: RunCurves) =>
  (index: number): number =>
    1 - (curves.qualifyingShare[index] ?? NaN);
const equalCalls =
  (curves: RunCurves) =>
  (index: number): number =>
    (curves.qualifyingShare[index] ?? NaN) - (curves.signalShare[index] ?? NaN);

function rulesOf({ open, awake, asleep }: Curriculum): readonly XyRule[] {
  return [
    ...(open === null ? [] : [{ x: open, label: 'open' }]),
    ...(awake === null ? [] : [{ x: awake, label: 'awake' }]),
    ...(asleep === null ? [] : [{ x: asleep.step, label: `asleep: ${asleep.because}` }]),
  ];
}

function sentence({ name, curves }: PanelRun, threshold: number): string {
  const { open, awake, asleep, peak } = curriculumOf(curves, threshold);
  const opened =
    open === null
      ? `never open (|Q| ≥ 2 in more than ${percentText(openAbove)} of groups)`
      : `open from step ${stepText(open)}`;
  const woken =
    awake === null
      ? 'never awake'
      : `awake from step ${stepText(awake)}${asleep === null ? '' : ` to ${stepText(asleep.step)}, then asleep again (${asleep.because})`}`;
  const most =
    peak === null
      ? ''
      : peak.share === 0
        ? '; no group carried a signal'
        : `; at most ${percentText(peak.share)} of groups carried a signal, at step ${stepText(peak.step)}`;
  const dead = deadWords(curves);
  const short = curves.step.length < 5 ? ' Fewer than 5 steps: phases need a 5-step median.' : '';
  return `${name}: the efficiency channel was ${opened}, ${woken}${most}.${short}${dead}`;
}

function deadWords({ deadRightShare, deadWrongShare }: RunCurves): string {
  const [right, wrong] = [deadRightShare.at(-1) ?? NaN, deadWrongShare.at(-1) ?? NaN];
  if (Number.isNaN(right) || Number.isNaN(wrong)) return '';
  if (right + wrong === 0) return ' In the last step no group was all right or all wrong.';
  return ` In the last step ${percentText(right)} of groups were all right and ${percentText(wrong)} all wrong: no accuracy signal in them.`;
}
