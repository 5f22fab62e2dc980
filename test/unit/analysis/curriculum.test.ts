/** Phases of the efficiency channel out of shares written as percents; step 1 is the first. */
import { describe, expect, it } from 'vitest';
import { curriculumOf } from '../../../src/analysis/curriculum.ts';

function phases(qualifying: readonly number[], signal: readonly number[], calls = 1): string {
  const { open, awake, asleep, peak } = curriculumOf({
    step: qualifying.map((_, i) => i + 1),
    qualifyingShare: qualifying.map((percent) => percent / 100),
    signalShare: signal.map((percent) => percent / 100),
    calls: qualifying.map(() => calls),
  });
  const end = asleep === null ? 'no' : `${asleep.step} ${asleep.because}`;
  return `open ${open ?? 'no'}, awake ${awake ?? 'no'}, asleep ${end}, peak ${peak === null ? 'no' : `${peak.step}: ${peak.share}`}`;
}

const times = (count: number, percent: number): readonly number[] => Array.from({ length: count }, () => percent);

describe('curriculumOf', () => {
  it.each([
    ['never', phases(times(8, 20), times(8, 0)), 'open no, awake no, asleep no, peak 1: 0'],
    [
      'open from the first step, as the first five show, never awake',
      phases(times(8, 80), times(8, 10)),
      'open 1, awake no, asleep no, peak 1: 0.1',
    ],
    [
      'one lucky step is no phase',
      phases(times(9, 20), [0, 0, 0, 0, 90, 0, 0, 0, 0]),
      'open no, awake no, asleep no, peak 5: 0.9',
    ],
    [
      'awake when three of five are',
      phases(times(9, 80), [0, 0, 0, 30, 0, 40, 50, 30, 30]),
      'open 1, awake 7, asleep no, peak 7: 0.5',
    ],
    [
      'asleep for good, all lean',
      phases(times(16, 80), [...times(7, 40), ...times(9, 5)], 0.1),
      'open 1, awake 1, asleep 10 all lean, peak 1: 0.4',
    ],
    [
      'asleep for want of exploration',
      phases(times(16, 80), [...times(7, 40), ...times(9, 5)], 2),
      'open 1, awake 1, asleep 10 no exploration, peak 1: 0.4',
    ],
    [
      'too soon to say that it sleeps',
      phases(times(12, 80), [...times(8, 40), ...times(4, 5)]),
      'open 1, awake 1, asleep no, peak 1: 0.4',
    ],
    ['fewer than five steps', phases(times(4, 80), times(4, 80)), 'open no, awake no, asleep no, peak 1: 0.8'],
    [
      'unknown steps are passed over',
      phases([NaN, 80, 80, NaN, 80, 80, 80], times(7, NaN)),
      'open 2, awake no, asleep no, peak no',
    ],
    [
      'a later window is judged at its end',
      phases([20, 20, 20, ...times(6, 80)], times(9, 0)),
      'open 6, awake no, asleep no, peak 1: 0',
    ],
    ['no steps', phases([], []), 'open no, awake no, asleep no, peak no'],
  ])('%s', (_, found, wanted) => {
    expect(found).toBe(wanted);
  });
});
