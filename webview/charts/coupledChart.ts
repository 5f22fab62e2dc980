/**
 * The chart "What if the reward were coupled": for one form and α, the shares of rollouts that would be pushed the other
 * way, lose or gain a signal, the correlation that a coupled std mixes, and the pairs that the reward cannot tell apart.
 * Leaves out the arithmetic (src/analysis/coupled.ts) and the list of pairs (ambiguityList.ts).
 */
import {
  prepareCoupled,
  type CoupledForm,
  type CoupledOptions,
  type CoupledResult,
  type PreparedCoupled,
} from '../../src/analysis/coupled.ts';
import { countText, numberText, percentText, pluralText, signedText } from '../../src/base/numberText.ts';
import { select } from '../ui/select.ts';
import { slider } from '../ui/slider.ts';
import { makeAmbiguityList, type AmbiguityList } from './ambiguityList.ts';
import { accColour, foreground, toolColour } from './axes.ts';
import { bandedFates, makeRestedBands, type BandedRun, type CoupledBands, type RestedBands } from './coupledBands.ts';
import { correlationValue, fateValue } from './coupledValues.ts';
import { makeMemo, type Memo } from './memo.ts';
import type { Drawing, NothingDrawn, PanelChart, PanelContext, PanelInput, PanelRun } from './panelChart.ts';
import { hasColumns } from './samples.ts';
import { xyDrawing } from './xyDrawing.ts';
import type { XyLine, XyPlot } from './xyPlot.ts';
import { plotTitle, readingRollouts, stepAxis, stepPoint } from './xySteps.ts';

const columnNames = [
  'key',
  'step',
  'group',
  'accReward',
  'correct',
  'calls',
  'accAdvantage',
  'toolAdvantage',
  'masked',
] as const;

/** The forms as they are called and written. */
const forms: Readonly<Record<CoupledForm, string>> = {
  unconditional: 'unconditional: r_acc + α/(T+1)',
  linear: 'linear: r_acc − α·T',
  gated: 'gated: r_acc + α·r_tool',
};

/** α where nobody set one: the middle of what coupled rewards are published with. */
const startAlpha = 0.3;

/** Where calls weigh twice as much as being right. */
const mostAlpha = 2;

/** Form and α of the chart, kept in the page's state. */
interface Coupled {
  form: CoupledForm;
  alpha: number;
}

/** What HDPO replaces. */
export const coupledChart: PanelChart = {
  id: 'coupled',
  title: 'What if the reward were coupled',
  unit: 'shares of rollouts, over steps',
  about:
    'One reward, normalised over the group, instead of two channels: unconditional r_acc + α/(T+1), for right and wrong alike (this is where ambiguity comes from); linear r_acc − α·T; gated r_acc + α·r_tool (never ambiguous: the strong baseline). Pushed the other way: |A_coupled| and |w_acc·A_acc + w_tool·A_tool| both above 1e-6 with opposite signs. Signal lost: pushed by HDPO and not by the coupled reward; gained: the reverse. Ambiguity pair: in one group a wrong rollout with T = 0 and a right one with T ≥ 1 whose r differ by less than 0.05. In a group where all are right, α cancels: whatever it is, the advantages are the same. Correlation: of r_acc with the ungated 1/(T+1) within groups, what a coupled std mixes; that of A_acc and A_tool is zero by construction while right rollouts share one r_acc. Pushes are plain: lengths and clipping are not in them. Bands: 95 % bootstrap over the groups of the step, made when the slider rests.',
  columns: columnNames,
  columnsOf: 'shown',
  wide: true,
  make: (context) => {
    const own = savedCoupled(context.saved);
    const memo = makeMemo<PreparedCoupled>();
    const bands = makeRestedBands(context.redraw);
    const scale = { top: 0 };
    let list: AmbiguityList | null = null;
    return {
      controls: () => controlsOf(context, own),
      details: () => {
        list = makeAmbiguityList(context);
        return list.node;
      },
      draw: (input, width) => {
        const drawn = draw(input, { width, own, memo, bands, scale, context });
        const focus = input.focus;
        const prepared = focus === null ? null : preparedOf(focus, memo);
        const keys = focus?.samples?.columns.key;
        list?.update(
          focus && prepared && keys && !('missing' in drawn)
            ? { run: focus.id, name: focus.name, keys, prepared, options: { ...own } }
            : null,
        );
        return drawn;
      },
    };
  },
};

function savedCoupled(saved: unknown): Coupled {
  const kept = typeof saved === 'object' && saved !== null ? saved : {};
  const form = 'form' in kept && (kept.form === 'linear' || kept.form === 'gated') ? kept.form : 'unconditional';
  const alpha = 'alpha' in kept && typeof kept.alpha === 'number' ? kept.alpha : startAlpha;
  return { form, alpha: alpha >= 0 && alpha <= mostAlpha ? alpha : startAlpha };
}

function controlsOf(context: PanelContext, own: Coupled): readonly HTMLElement[] {
  const set = (change: Partial<Coupled>): void => {
    Object.assign(own, change);
    context.save({ ...own });
  };
  return [
    select({
      label: 'Form',
      choices: forms,
      chosen: own.form,
      onChange: (form) => {
        set({ form });
      },
    }),
    slider({
      label: 'α',
      min: 0,
      max: mostAlpha,
      step: 0.02,
      value: own.alpha,
      onInput: (alpha) => {
        set({ alpha });
      },
    }).node,
  ];
}

function preparedOf({ samples }: PanelRun, memo: Memo<PreparedCoupled>): PreparedCoupled | null {
  if (!samples || !hasColumns(samples.columns, columnNames)) return null;
  const { columns } = samples;
  return memo(columns.accAdvantage, '', () => prepareCoupled(columns));
}

interface DrawOptions {
  readonly width: number;
  readonly own: Coupled;
  readonly memo: Memo<PreparedCoupled>;
  readonly bands: RestedBands;
  /** The top of the axis, kept while the slider moves. */
  readonly scale: { top: number };
  readonly context: PanelContext;
}

function draw(input: PanelInput, { width, own, memo, bands, scale, context }: DrawOptions): Drawing | NothingDrawn {
  const { acc: accWeight, tool: toolWeight } = input.weights;
  const options: CoupledOptions = { ...own, accWeight, toolWeight };
  const known = input.runs.flatMap((run) => {
    const prepared = preparedOf(run, memo);
    return prepared === null ? [] : [{ run, prepared, result: prepared.evaluate(options) }];
  });
  if (known.length === 0) return readingRollouts;
  if (known.every(({ result }) => result.total.samples === 0)) {
    return { missing: 'These logs have no rewards and verdicts, so there are no advantages to compare.' };
  }
  const banded = known.map(({ run, prepared }) => ({ run, banded: bandedRun(run, prepared) }));
  bands.want(
    banded.flatMap((one) => one.banded ?? []),
    options,
  );
  const found = banded.map(({ banded: one }) => one && bands.of(one, options));
  // While the slider moves there are no bands: the axis stays as tall as they were, and shrinks when it rests.
  const least = scaleOf(
    known.map(({ result }) => result.steps),
    found,
  );
  scale.top = found.every((one) => one !== null) ? least : Math.max(scale.top, least);
  const limits = [0, scale.top] as const;
  const shares = known.map(({ run, prepared, result }, index) =>
    sharesPlot(run, result, { input, context, limits, bands: found[index] ?? null, prepared, options }),
  );
  const correlation: XyPlot = {
    title: 'correlation of r_acc with 1/(T+1)',
    x: stepAxis(input.steps),
    y: { title: 'correlation', limits: [-1, 1], format: signedText },
    lines: known.map(({ run, prepared, result }): XyLine => ({
      id: `correlation ${run.id}`,
      name: known.length > 1 ? run.name : 'correlation within groups',
      colour: known.length > 1 ? run.colour : foreground,
      style: known.length > 1 ? run.style : 4,
      points: Array.from(result.steps.step, (step, s) =>
        stepPoint({ context, run, made: correlationValue }, step, { value: prepared.correlation[s] ?? NaN }),
      ),
    })),
  };
  return xyDrawing([...shares, correlation], {
    width,
    y: 'own',
    summary: known.map(({ run, prepared, result }) => sentence(run, prepared, { result, own })).join('\n'),
    caption: `Coupled reward, ${forms[own.form]}, α ${numberText(own.alpha)}, by training step`,
  });
}

/** The top of the axis, one of a few: an axis that follows the slider would hide what the slider does. */
function scaleOf(all: readonly CoupledResult['steps'][], bands: readonly (CoupledBands | null)[]): number {
  let most = 0;
  for (const one of bands) {
    for (const fate of bandedFates) for (const high of one?.[fate].high ?? []) if (high > most) most = high;
  }
  for (const { samples, opposite, lost, gained } of all) {
    for (let s = 0; s < samples.length; s += 1) {
      const largest = Math.max(opposite[s] ?? 0, lost[s] ?? 0, gained[s] ?? 0);
      if (largest > 0) most = Math.max(most, largest / (samples[s] ?? 1));
    }
  }
  return [0.1, 0.25, 0.5].find((top) => most <= top) ?? 1;
}

interface SharesOptions {
  readonly input: PanelInput;
  readonly context: PanelContext;
  readonly limits: readonly [number, number];
  /** Null while they are not made: they come when the slider rests. */
  readonly bands: CoupledBands | null;
  readonly prepared: PreparedCoupled;
  readonly options: CoupledOptions;
}

function bandedRun({ samples }: PanelRun, prepared: PreparedCoupled): BandedRun | null {
  return samples && hasColumns(samples.columns, columnNames) ? { columns: samples.columns, prepared } : null;
}

function sharesPlot(run: PanelRun, { steps }: CoupledResult, options: SharesOptions): XyPlot {
  const { input, context, limits, bands } = options;
  const line = (look: Omit<XyLine, 'points' | 'id'>, fate: (typeof bandedFates)[number]): XyLine => {
    const of = { context, run, made: fateValue(fate, options) };
    const points = Array.from(steps.step, (step, s) => {
      const [count, samples] = [steps[fate][s] ?? 0, steps.samples[s] ?? 0];
      const band = bands === null ? {} : { low: bands[fate].low[s] ?? NaN, high: bands[fate].high[s] ?? NaN };
      return {
        ...stepPoint(of, step, { value: samples === 0 ? NaN : count / samples, ...band }),
        note: `${countText(count)} of ${pluralText(samples, 'rollout')}`,
      };
    });
    return { ...look, id: look.name, points };
  };
  return {
    title: plotTitle(input.runs, run, ''),
    x: stepAxis(input.steps),
    y: { title: 'share', limits, format: percentText },
    lines: [
      line({ name: 'pushed the other way', colour: foreground, style: 0, dash: null }, 'opposite'),
      line({ name: 'signal lost', colour: accColour, style: 1, dash: '8 3 2 3' }, 'lost'),
      line({ name: 'signal gained', colour: toolColour, style: 2, dash: '2 2' }, 'gained'),
    ],
  };
}

interface Sentence {
  readonly result: CoupledResult;
  readonly own: Coupled;
}

function sentence({ name }: PanelRun, prepared: PreparedCoupled, { result, own }: Sentence): string {
  const { samples, opposite, lost, gained, pairs } = result.total;
  const share = (count: number): string => percentText(samples === 0 ? NaN : count / samples);
  const mixed = Number.isNaN(prepared.totalCorrelation)
    ? ''
    : ` r_acc and 1/(T+1) correlate by ${signedText(prepared.totalCorrelation)} within groups.`;
  const cancels =
    prepared.alphaCancels === 0
      ? ''
      : ` In ${pluralText(prepared.alphaCancels, 'group')} all are right: there any α gives the same advantages.`;
  return `${name}, ${forms[own.form].split(':')[0] ?? ''} with α ${numberText(own.alpha)}: ${share(opposite)} of rollouts would be pushed the other way, ${share(lost)} would lose their signal, ${share(gained)} would gain one; ${pluralText(pairs, 'ambiguity pair')}.${mixed}${cancels}`;
}
