/** Rule `sibling`: groups by hand; a rollout is written "✓3" (right, three calls) or "✗0" (wrong, none). */
import { describe, expect, it } from 'vitest';
import { indexGroups } from '../../../../src/analysis/groups.ts';
import { wilsonInterval } from '../../../../src/analysis/intervals.ts';
import { countByCalls, siblingCalls, siblingVerdict } from '../../../../src/analysis/redundancy/sibling.ts';

function group(text: string): { readonly correct: readonly number[]; readonly calls: readonly number[] } {
  const members = text.split(' ');
  return {
    correct: members.map((one) => (one.startsWith('✓') ? 1 : 0)),
    calls: members.map((one) => Number(one.slice(1))),
  };
}

function verdictOf(text: string, own: number): string {
  const columns = group(text);
  const found = siblingVerdict(own, countByCalls(columns.calls.keys(), columns));
  if (found === null) return 'none';
  return `${found.confidence} t=${found.callsEnough} ${found.right}/${found.of} saves ${found.calls}`;
}

describe('siblingVerdict', () => {
  it.each([
    ['✓2 ✓0 ✓0 ✓0', 2, 'likely t=0 3/3 saves 2'],
    ['✓2 ✓0 ✓0', 2, 'hint t=0 2/2 saves 2'],
    ['✓2 ✓0 ✗0', 2, 'none'],
    ['✓2 ✓0 ✓0 ✓0 ✓0 ✓0 ✗0', 2, 'likely t=0 5/6 saves 2'],
    ['✓3 ✗0 ✗0 ✓1 ✓1 ✓1 ✓1', 3, 'likely t=1 4/6 saves 2'.replace('likely', 'hint')],
    ['✓3 ✓1 ✓1 ✓1 ✓1', 3, 'likely t=1 4/4 saves 2'],
    ['✓1 ✓1 ✓1 ✓1', 1, 'none'],
    // Those with more calls are right more often: direct answers are no proof.
    ['✓2 ✓0 ✓0 ✓0 ✗0 ✗0 ✗0 ✓2 ✓2 ✓2', 2, 'none'],
    // Few enough differ: 5 of 6 is not 0.1 below 3 of 4.
    ['✓2 ✓0 ✓0 ✓0 ✓0 ✓0 ✗0 ✓2 ✗2 ✓2 ✓2', 2, 'likely t=0 5/6 saves 2'],
    // A hint at t = 0, likely at t = 1: the larger proof wins.
    ['✓4 ✓0 ✓0 ✓1 ✓1', 4, 'likely t=1 4/4 saves 3'],
    ['✓2', 2, 'none'],
  ])('%s, T %i: %s', (text, own, wanted) => {
    expect(verdictOf(text, own)).toBe(wanted);
  });
});

describe('siblingCalls', () => {
  it('counts T − t for right rollouts only, group by group', () => {
    const one = group('✓2 ✓0 ✓0 ✓0 ✗3');
    const other = group('✓2 ✗0 ✗0 ✗0 ✗3');
    const correct = [...one.correct, ...other.correct];
    const calls = [...one.calls, ...other.calls];
    const groups = indexGroups(Uint32Array.from([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]));
    expect([...siblingCalls(groups, { correct, calls })]).toEqual([2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('takes a group of a million without a million squared', () => {
    const count = 1_000_000;
    const calls = Uint32Array.from({ length: count }, (_, i) => i % 11);
    const correct = new Uint8Array(count).fill(1);
    const flagged = siblingCalls(indexGroups(new Uint32Array(count)), { correct, calls });
    expect([...flagged.subarray(0, 11)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });
});

describe('wilsonInterval', () => {
  // By the closed formula; the first two are the bounds that hdpo.md section 3 names for "likely".
  it.each([
    [3, 3, 0.4385, 1],
    [5, 6, 0.4365, 0.9699],
    [2, 2, 0.3424, 1],
    [0, 10, 0, 0.2775],
    [29, 32, 0.7578, 0.9676],
  ])('%i of %i', (hits, count, low, high) => {
    const found = wilsonInterval(hits, count);
    expect(found?.low).toBeCloseTo(low, 3);
    expect(found?.high).toBeCloseTo(high, 3);
  });

  it('of nothing is nothing', () => {
    expect(wilsonInterval(0, 0)).toBeNull();
  });
});
