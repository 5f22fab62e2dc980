/**
 * The bands of the coupled chart: 95 % bootstrap over groups of each share by step. They take tens of milliseconds a curve
 * at 400,000 rollouts, so they come when the slider rests, one curve at a time, and are kept until something changes.
 * Leaves out the shares (src/analysis/coupled.ts) and the draws (src/analysis/stepBands.ts).
 */
import { FATE, type CoupledOptions, type PreparedCoupled } from '../../src/analysis/coupled.ts';
import { bandsByStep, type StepBands } from '../../src/analysis/stepBands.ts';
import type { SampleColumns } from '../../src/protocol/samples.ts';
import { bandsOver } from './xySteps.ts';

/** The shares that have a band. */
export const bandedFates = ['opposite', 'lost', 'gained'] as const;

/** Bands of one run. */
export type CoupledBands = Readonly<Record<(typeof bandedFates)[number], StepBands>>;

/** Of what bands are wanted. */
export interface BandedRun {
  readonly columns: Pick<SampleColumns, 'step' | 'group' | 'accAdvantage'>;
  readonly prepared: PreparedCoupled;
}

/** Bands as far as they are there. */
export interface RestedBands {
  /** Null until they are made for these options. */
  of(run: BandedRun, options: CoupledOptions): CoupledBands | null;
  /** Makes what is missing once nothing else was wanted for a moment. */
  want(runs: readonly BandedRun[], options: CoupledOptions): void;
}

const restMs = 350;

/** Makes an empty one; `onReady` whenever all that was wanted is there. */
export function makeRestedBands(onReady: () => void): RestedBands {
  const kept = new WeakMap<object, { readonly key: string; readonly bands: CoupledBands }>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let wanted = '';
  const keyOf = (options: CoupledOptions): string => JSON.stringify(options);
  const of = ({ columns }: BandedRun, options: CoupledOptions): CoupledBands | null => {
    const found = kept.get(columns.accAdvantage);
    return found?.key === keyOf(options) ? found.bands : null;
  };

  const make = async (runs: readonly BandedRun[], options: CoupledOptions): Promise<void> => {
    const key = keyOf(options);
    for (const run of runs) {
      const { columns, prepared } = run;
      const made: Partial<Record<(typeof bandedFates)[number], StepBands>> = {};
      for (const fate of bandedFates) {
        // Whoever moves the slider again goes first.
        await new Promise((resolve) => setTimeout(resolve));
        if (wanted !== key) return;
        const { fate: codes } = prepared.evaluate(options);
        const numerator = (i: number): number => (codes[i] === FATE.none ? NaN : codes[i] === FATE[fate] ? 1 : 0);
        made[fate] = bandsByStep(columns, { numerator }, bandsOver(columns.group));
      }
      const { opposite, lost, gained } = made;
      if (opposite && lost && gained) kept.set(columns.accAdvantage, { key, bands: { opposite, lost, gained } });
    }
    onReady();
  };

  return {
    of,
    want: (runs, options) => {
      const missing = runs.filter((run) => of(run, options) === null);
      const key = keyOf(options);
      if (missing.length === 0 || wanted === key) {
        wanted = key;
        return;
      }
      wanted = key;
      if (timer) clearTimeout(timer);
      timer = setTimeout(() => {
        timer = null;
        void make(missing, options);
      }, restMs);
    },
  };
}
