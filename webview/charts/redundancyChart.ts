/**
 * The chart "Redundant calls by rule and tool": per run the share of calls that each rule flags, and of each tool, over
 * training steps. Its sentence says what rose or fell most over the run. Asks for its own curves, since only it draws
 * them. Leaves out the total (redundantChart.ts), the rules (src/analysis/redundancy) and the drawing (xyPlot.ts).
 */
import { percentText } from '../../src/base/numberText.ts';
import type { RunCurves, RunId } from '../../src/protocol/engine.ts';
import type { RedundancyCurves } from '../../src/protocol/flags.ts';
import { runColours } from '../../src/protocol/runColours.ts';
import { themeColour } from '../ui/theme.ts';
import { stepText } from './axes.ts';
import type { PanelChart, PanelContext, PanelInput, PanelRun } from './panelChart.ts';
import { byRule, byTool, dropSentence, largest, type NamedShare } from './redundancyLines.ts';
import { redundancyWhy } from './redundancyWhy.ts';
import { xyDrawing } from './xyDrawing.ts';
import type { XyAxis, XyLine, XyPlot } from './xyPlot.ts';

/** Redundant calls by rule, and by tool. */
export const redundancyChart: PanelChart = {
  id: 'redundancy',
  title: 'Redundant calls by rule and tool',
  unit: 'share of calls',
  about:
    'By rule: calls that the rule flags as certain or likely / all calls of the step. By tool: calls of the tool that a rule on their own rollout flags / calls of the tool. A call that several rules flag counts in each of their lines, so that lines by rule may add up to more than the total. “sibling” depends on what siblings tried: it rises as a policy starts to answer directly, even if it wastes less. Only lines that are ever above zero are drawn, the largest eight.',
  columns: ['step', 'calls', 'redundantCalls'],
  columnsOf: 'shown',
  wide: true,
  weightless: true,
  make: (context) => {
    const kept = keepCurves(context);
    return {
      draw: (input, width) => {
        const runs = input.runs.map((run) => ({ run, curves: kept.of(run) }));
        const known = runs.flatMap(({ run, curves }) => (curves === null ? [] : [{ run, curves }]));
        if (known.length === 0) return { missing: 'Redundant calls are being counted by rule and tool.' };
        const look = looks();
        const plots = known.flatMap(({ run, curves }) => plotsOf(run, { curves, input, context, look }));
        if (plots.length === 0) return { missing: 'No call of these runs is flagged as redundant.' };
        const summary = known.map(({ run, curves }) => dropSentence(run.name, curves)).join('\n');
        return xyDrawing(plots, { width, summary, caption: 'Redundant calls by training step', mostColumns: 2 });
      },
    };
  },
};

/** The curves of each run as they were asked for; asked again where the run's own curves changed. */
function keepCurves(context: PanelContext): { of(run: PanelRun): RedundancyCurves | null } {
  const asked = new Map<RunId, RunCurves>();
  const known = new Map<RunId, RedundancyCurves>();
  return {
    of: ({ id, curves }) => {
      if (asked.get(id) !== curves) {
        asked.set(id, curves);
        context.api.redundancyCurves({ run: id }).then((answer) => {
          if (asked.get(id) !== curves) return;
          known.set(id, answer);
          context.redraw();
        }, context.showError);
      }
      return known.get(id) ?? null;
    },
  };
}

interface Surroundings {
  readonly curves: RedundancyCurves;
  readonly input: PanelInput;
  readonly context: PanelContext;
  /** Index of the colour and mark of a rule or tool. */
  readonly look: (name: string) => number;
}

/** One look a name over all plots, since they share a legend. */
function looks(): (name: string) => number {
  const known = new Map<string, number>();
  return (name) => {
    const look = known.get(name) ?? known.size;
    known.set(name, look);
    return look;
  };
}

function plotsOf(run: PanelRun, { curves, input, context, look }: Surroundings): readonly XyPlot[] {
  const named = (what: string): string => (input.runs.length > 1 ? `${run.name}: ${what}` : what);
  const [first, last] = input.steps;
  const limits: readonly [number, number] = first === last ? [first - 0.5, last + 0.5] : [first, last];
  const x: XyAxis = { title: 'step', limits, whole: true, format: stepText };
  const y: XyAxis = { title: 'share of calls', limits: null, format: percentText };
  const lines = (of: 'rule' | 'tool', all: readonly NamedShare[]): XyLine[] =>
    largest(all).map(({ name, share }) => ({
      id: name,
      name,
      colour: themeColour(runColours[look(name) % runColours.length] ?? 'foreground'),
      style: look(name),
      points: Array.from(curves.step, (step, at) => ({
        x: step,
        y: share[at] ?? NaN,
        pick: () => {
          context.revealStep(run.id, step);
        },
        why: () => {
          const end = curves.step[at + 1] ?? Infinity;
          return redundancyWhy(run, { of, name, share: share[at] ?? NaN, first: step, end });
        },
      })),
    }));
  return [
    { title: named('by rule'), x, y, lines: lines('rule', byRule(curves)) },
    { title: named('by tool'), x, y, lines: lines('tool', byTool(curves)) },
  ].filter((plot) => plot.lines.length > 0);
}
