// The implicit curriculum: when the efficiency channel opens, wakes and falls asleep again over a run's steps.
// Source: hdpo.md section 2, "Implicit curriculum".
// Left out: drawing, and the shares themselves (steps.ts).
import { at, type NumberColumn } from './groups.ts';

/** Steps over which a share is judged: one lucky step is no phase. */
const windowSteps = 5;

/** From which share of groups with |Q| ≥ 2 the channel counts as open. */
export const openAbove = 0.5;

/** Default share of groups with an efficiency signal from which the channel counts as awake; a user may set another. */
export const awakeAbove = 0.25;

/** Mean T below which a channel that fell asleep did so because all are lean, and not for want of exploration. */
export const leanBelow = 0.5;

/** One entry a step, ascending; NaN = not known. */
export interface CurriculumInput {
  readonly step: NumberColumn;
  /** Share of groups with |Q| ≥ 2. */
  readonly qualifyingShare: NumberColumn;
  /** Share of groups with |Q| ≥ 2 and T differing within Q. */
  readonly signalShare: NumberColumn;
  /** Mean of T. */
  readonly calls: NumberColumn;
}

/** Steps at which the phases begin, by `curriculumOf`; null where a phase was not reached. */
export interface Curriculum {
  readonly open: number | null;
  readonly awake: number | null;
  /** After the last awake step, if the run goes on for at least five more. */
  readonly asleep: { readonly step: number; readonly because: 'all lean' | 'no exploration' } | null;
  /** Largest share of groups with a signal in any step, and where; null where none is known. */
  readonly peak: { readonly step: number; readonly share: number } | null;
}

/**
 * Finds the phases by 5-step medians (a step and the four known ones before it); a run of fewer steps has none. A phase that
 * the first five steps show together begins with the first of them: a run that logs every third step was not awake later.
 */
export function curriculumOf(input: CurriculumInput, threshold: number = awakeAbove): Curriculum {
  const qualifying = medians(input.qualifyingShare);
  const signal = medians(input.signalShare);
  const open = beginning(qualifying, openAbove, input.qualifyingShare);
  const awake = beginning(signal, threshold, input.signalShare);
  const lastAwake = signal.findLastIndex((share) => share > threshold);
  const asleep = lastAwake < 0 || lastAwake + windowSteps >= signal.length ? -1 : lastAwake + 1;
  const stepAt = (index: number): number | null => (index < 0 ? null : at(input.step, index));
  const asleepStep = stepAt(asleep);
  return {
    open: stepAt(open),
    awake: stepAt(awake),
    asleep:
      asleepStep === null
        ? null
        : { step: asleepStep, because: at(input.calls, asleep) < leanBelow ? 'all lean' : 'no exploration' },
    peak: peakOf(input),
  };
}

/** Index of the first step of a phase; −1 for none. */
function beginning(found: readonly number[], threshold: number, shares: NumberColumn): number {
  const above = found.findIndex((median) => median > threshold);
  const isFirst = above === found.findIndex((median) => !Number.isNaN(median));
  return above >= 0 && isFirst ? Array.from(shares).findIndex((share) => !Number.isNaN(share)) : above;
}

/** Median of each step's share and the four known ones before it; NaN until five are known. */
function medians(shares: NumberColumn): readonly number[] {
  const recent: number[] = [];
  return Array.from({ length: shares.length }, (_, i) => {
    const share = at(shares, i);
    if (Number.isNaN(share)) return Number.NaN;
    recent.push(share);
    if (recent.length > windowSteps) recent.shift();
    return recent.length < windowSteps
      ? Number.NaN
      : at(
          recent.toSorted((a, b) => a - b),
          (windowSteps - 1) / 2,
        );
  });
}

function peakOf({ step, signalShare }: CurriculumInput): Curriculum['peak'] {
  let best = -1;
  for (let i = 0; i < signalShare.length; i += 1) {
    const share = at(signalShare, i);
    if (!Number.isNaN(share) && (best < 0 || share > at(signalShare, best))) best = i;
  }
  return best < 0 ? null : { step: at(step, best), share: at(signalShare, best) };
}
