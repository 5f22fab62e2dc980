/**
 * The sentence at the top of the charts, which a screen reader hears first: what changed over the shown runs.
 * Computed from the curves alone; says nothing about causes.
 */
import { numberText, percentText } from '../../src/base/numberText.ts';
import { curriculumOf } from '../../src/analysis/curriculum.ts';
import type { RunCurves } from '../../src/protocol/engine.ts';

/** First and last value that are known, and their steps; null where fewer than one is. */
function ends(step: Int32Array, value: Float64Array): { first: number; last: number; steps: number } | null {
  const known = Array.from(value.keys()).filter((index) => !Number.isNaN(value[index] ?? NaN));
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined) return null;
  return { first: value[first] ?? NaN, last: value[last] ?? NaN, steps: known.length };
}

/** One sentence a run: "hdpo, steps 1 to 60: accuracy 0.61 → 0.93, tool rate 98 % → 21 %, calls per rollout 1.8 → 0.3." */
export function summarise(name: string, curves: RunCurves): string {
  const [from, to] = [curves.step[0], curves.step.at(-1)];
  if (from === undefined || to === undefined) return `${name}: nothing is indexed yet.`;
  const change = (what: string, value: Float64Array, format: (value: number) => string): string[] => {
    const found = ends(curves.step, value);
    if (!found) return [];
    return [`${what} ${format(found.first)}${found.steps > 1 ? ` → ${format(found.last)}` : ''}`];
  };
  const parts = [
    ...change('accuracy', curves.accuracy, numberText),
    ...change('reward', curves.reward, numberText),
    ...change('tool rate', curves.toolRate, percentText),
    ...change('calls per rollout', curves.calls, numberText),
    ...change('redundant calls', curves.redundant, percentText),
  ];
  return `${name}, ${from === to ? `step ${from}` : `steps ${from} to ${to}`}: ${parts.join(', ')}.${channel(curves)}`;
}

/** What the efficiency channel did: a sentence of its own where the run has steps enough to say so, else nothing. */
function channel(curves: RunCurves): string {
  const { awake, asleep, peak } = curriculumOf(curves);
  if (curves.step.length < 5 || peak === null) return '';
  const most = `up to ${percentText(peak.share)} of groups carried a signal, at step ${peak.step}`;
  if (awake === null) return ` The efficiency channel was never awake (${most}).`;
  const end = asleep === null ? '' : ` to ${asleep.step}, then asleep (${asleep.because})`;
  return ` The efficiency channel was awake from step ${awake}${end}; ${most}.`;
}
