/**
 * The sentence at the top of the charts, which a screen reader hears first: what changed over the shown runs.
 * Computed from the curves alone; says nothing about causes.
 */
import { numberText, percentText } from '../../src/base/numberText.ts';
import { curriculumOf } from '../../src/analysis/curriculum.ts';
import type { RunCurves } from '../../src/protocol/engine.ts';
import type { Series, StepChart } from './chart.ts';
import { endsOf, pointsText } from './redundancyDrop.ts';

/** One sentence a run: "hdpo, steps 1 to 60: accuracy 0.61 → 0.93, tool rate 98 % → 21 %, calls per rollout 1.8 → 0.3." */
export function summarise(name: string, curves: RunCurves): string {
  const [from, to] = [curves.step[0], curves.step.at(-1)];
  if (from === undefined || to === undefined) return `${name}: nothing is indexed yet.`;
  const change = (what: string, value: Float64Array, format: (value: number) => string): string[] => {
    const found = endsOf(value);
    if (!found) return [];
    return [`${what} ${format(found.first)}${found.known > 1 ? ` → ${format(found.last)}` : ''}`];
  };
  const drop = endsOf(curves.redundant);
  const parts = [
    ...change('accuracy', curves.accuracy, numberText),
    ...change('reward', curves.reward, numberText),
    ...change('tool rate', curves.toolRate, percentText),
    ...change('calls per rollout', curves.calls, numberText),
    ...change('redundant calls', curves.redundant, percentText).map((text) => `${text}${drop ? pointsText(drop) : ''}`),
  ];
  return `${name}, ${from === to ? `step ${from}` : `steps ${from} to ${to}`}: ${parts.join(', ')}.${channel(curves)}`;
}

/** What the efficiency channel did: a sentence of its own where the run has steps enough to say so, else nothing. */
function channel(curves: RunCurves): string {
  const { awake, asleep, peak } = curriculumOf(curves);
  if (curves.step.length < 5 || peak === null) return '';
  const most =
    peak.share === 0
      ? 'no group carried a signal'
      : `up to ${percentText(peak.share)} of groups carried a signal, at step ${peak.step}`;
  if (awake === null) return ` The efficiency channel was never awake (${most}).`;
  const end = asleep === null ? '' : ` to ${asleep.step}, then asleep (${asleep.because})`;
  return ` The efficiency channel was awake from step ${awake}${end}; ${most}.`;
}

/** One sentence about a measure: "hdpo 0.61 → 0.93, grpo 0.61 → 0.94." */
export function summariseSeries(chart: StepChart, series: readonly Series[]): string {
  const parts = series.flatMap(({ name, value }) => {
    const found = endsOf(value);
    if (!found) return [];
    return [`${name} ${chart.format(found.first)}${found.known > 1 ? ` → ${chart.format(found.last)}` : ''}`];
  });
  return parts.length === 0 ? chart.missing : `${parts.join(', ')}.`;
}
