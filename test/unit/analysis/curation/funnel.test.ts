/** The funnel's sums for any verdicts, words of the user and filters that are off; the two lists of filters are one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filters, judgedFilters } from '../../../../src/analysis/curation/all.ts';
import type { CurationData } from '../../../../src/analysis/curation/facts.ts';
import { decideEach, drop, type Filter } from '../../../../src/analysis/curation/filter.ts';
import { droppers, handWords, runFunnel } from '../../../../src/analysis/curation/funnel.ts';
import { unrecoveredCalls } from '../../../../src/analysis/curation/executionFailure.ts';
import { buildCall } from '../../../../src/model/builder.ts';
import type { CallOutcome } from '../../../../src/model/rollout.ts';
import { curationFilters, defaultCuration } from '../../../../src/protocol/curation.ts';

const none: CurationData = {
  rollouts: {} as CurationData['rollouts'],
  prompts: {} as CurationData['prompts'],
  nameSets: [],
  names: [],
  toolFree: null,
  scores: new Float32Array(),
  firstSteps: [],
};

/** A filter that says what it is told; one that compares keeps only the first present row. */
function told(id: string, verdicts: readonly number[]): Filter {
  return {
    id,
    comparesRows: false,
    decide: () => decideEach(verdicts.length, (row) => verdicts[row] ?? 0),
    coverage: () => '',
    reason: () => ({ reason: '', evidence: [] }),
  };
}

const onlyFirst = (count: number): Filter => ({
  ...told('only the first', []),
  comparesRows: true,
  decide: (_, __, present) => {
    let seen = false;
    return decideEach(count, (row) => {
      if (present !== null && present[row] === 0) return 0;
      const verdict = seen ? drop : 0;
      seen = true;
      return verdict;
    });
  },
});

describe('the funnel', () => {
  it('adds up, and gives each dropped row one first reason', () => {
    const rows = fc.integer({ min: 0, max: 30 });
    const cases = rows.chain((count) =>
      fc.record({
        verdicts: fc.array(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: count, maxLength: count }), {
          maxLength: 5,
        }),
        byHand: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: count, maxLength: count }),
        off: fc.subarray(['0', '1', '2', '3', '4', 'only the first']),
      }),
    );
    fc.assert(
      fc.property(cases, ({ verdicts, byHand, off }) => {
        const count = byHand.length;
        const list = [...verdicts.map((one, index) => told(String(index), one)), onlyFirst(count)];
        const funnel = runFunnel({
          data: none,
          settings: defaultCuration,
          filters: list,
          off: new Set(off),
          byHand: Uint8Array.from(byHand),
        });
        const dropped = funnel.parts.reduce((sum, part) => sum + part.dropped, 0);
        expect(funnel.kept + funnel.byHand + dropped).toBe(count);
        expect(funnel.overruled).toBe(byHand.filter((word) => word !== handWords.nothing).length);
        let left = count - funnel.byHand;
        for (const [index, part] of funnel.parts.entries()) {
          expect(part.entered).toBe(left);
          left -= part.dropped;
          expect([...funnel.dropper].filter((one) => one === index)).toHaveLength(part.dropped);
          if (off.includes(part.filter.id)) expect(part.dropped).toBe(0);
        }
        expect([...funnel.dropper].filter((one) => one === droppers.kept)).toHaveLength(funnel.kept);
        byHand.forEach((word, row) => {
          if (word === handWords.keep) expect(funnel.dropper[row]).toBe(droppers.kept);
          if (word === handWords.drop) expect(funnel.dropper[row]).toBe(droppers.byHand);
        });
        // The first filter that is on and says so is the one that counts.
        for (let row = 0; row < count; row += 1) {
          if (byHand[row] !== handWords.nothing) continue;
          const first = verdicts.findIndex((one, index) => one[row] === drop && !off.includes(String(index)));
          if (first >= 0) expect(funnel.dropper[row]).toBe(first);
        }
      }),
    );
  });

  it('has the filters that the protocol lists, in its order', () => {
    expect(filters.sft.map(({ id }) => id)).toEqual(curationFilters.sft);
    expect(filters.rl.map(({ id }) => id)).toEqual(curationFilters.rl);
    expect(curationFilters.sft).toContain(judgedFilters.sft);
    expect(curationFilters.rl).toContain(judgedFilters.rl);
  });
});

describe('a failed call', () => {
  const calls = (...list: readonly (readonly [tool: string | null, outcome: CallOutcome])[]) =>
    list.map(([tool, outcome]) => buildCall({ turn: 0, tool, raw: '', outcome, observation: 'seen' }));
  it('is made good by a later one of the same tool', () => {
    expect(unrecoveredCalls(calls(['a', 'failed'], ['a', 'ok']))).toEqual([]);
    expect(unrecoveredCalls(calls(['a', 'ok'], ['a', 'failed']))).toEqual([1]);
    expect(unrecoveredCalls(calls(['a', 'failed'], ['b', 'ok']))).toEqual([0]);
    expect(unrecoveredCalls(calls([null, 'malformed'], ['b', 'ok']))).toEqual([]);
    expect(unrecoveredCalls(calls(['a', 'timeout'], ['a', 'refused']))).toEqual([0, 1]);
  });
});
