/**
 * Rule `sibling` over whole batches; a rollout is written "✓3" (right, three calls) or "✗0" (wrong, none). What it says of
 * one group is in the corpus (sibling.json).
 */
import { describe, expect, it } from 'vitest';
import { indexGroups } from '../../../../src/analysis/groups.ts';
import { wilsonInterval } from '../../../../src/analysis/intervals.ts';
import { siblingCalls } from '../../../../src/analysis/redundancy/sibling.ts';

function group(text: string): { readonly correct: readonly number[]; readonly calls: readonly number[] } {
  const members = text.split(' ');
  return {
    correct: members.map((one) => (one.startsWith('✓') ? 1 : 0)),
    calls: members.map((one) => Number(one.slice(1))),
  };
}

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
