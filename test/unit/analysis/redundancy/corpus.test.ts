/**
 * The labelled corpus: every case of test/fixtures/redundancy through the rule its file is named after. Prints precision and
 * recall by rule; a case that is judged wrongly fails by name. A rule without a file fails too, and one with fewer than
 * twenty cases or with near misses in fewer than half of them. The same cases behind the readers: caseLogs.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { flagRollout, rules } from '../../../../src/analysis/redundancy/all.ts';
import { callFacts } from '../../../../src/analysis/redundancy/callFacts.ts';
import { countByCalls, siblingVerdict } from '../../../../src/analysis/redundancy/sibling.ts';
import { defaultThresholds } from '../../../../src/model/ruleThresholds.ts';
import { corpus, neverFlagged, rolloutOf, siblingCases, type Case, type SiblingCase } from './corpusCases.ts';

type Found = Readonly<Record<string, string>>;

interface Judged {
  readonly name: string;
  readonly wanted: Found;
  readonly found: Found;
}

const judged = new Map<string, readonly Judged[]>([
  ...corpus.map(({ rule, cases }) => [rule, cases.map((one) => judgeCalls(rule, one))] as const),
  ['sibling', siblingCases.map(judgeGroup)],
]);

it('covers every rule', () => {
  expect([...judged.keys()].sort()).toEqual([...rules.map(({ id }) => id), 'sibling'].sort());
});

describe.each([...judged])('%s', (_, cases) => {
  it('has twenty cases or more, half of them near misses, each with a name of its own', () => {
    expect(cases.length).toBeGreaterThanOrEqual(20);
    expect(nearMissesOf(cases) * 2).toBeGreaterThanOrEqual(cases.length);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  it.each(cases.map((one) => [one.name, one] as const))('%s', (_name, { found, wanted }) => {
    expect(found).toEqual(wanted);
  });
});

it('prints precision and recall by rule: all of them right', () => {
  for (const [rule, cases] of judged) {
    const count = (pick: (one: Judged) => Found): number =>
      cases.reduce((sum, one) => sum + Object.keys(pick(one)).length, 0);
    const right = cases.reduce(
      (sum, { found, wanted }) => sum + Object.keys(found).filter((at) => found[at] === wanted[at]).length,
      0,
    );
    const [flagged, wanted] = [count((one) => one.found), count((one) => one.wanted)];
    const sizes = `cases ${cases.length} (${nearMissesOf(cases)} near misses)`;
    console.log(`${rule.padEnd(20)} ${sizes}  precision ${right}/${flagged}  recall ${right}/${wanted}`);
    expect([flagged, wanted], rule).toEqual([right, right]);
  }
});

/** hdpo.md section 3, "Never flagged", and the list of what must not be flagged. */
const neverFlaggedNames = [
  'polling: a later equal call returns something else',
  'a retry after a timeout',
  'a retry after a connection error',
  'a retry after 429',
  'a retry after 5xx',
  'a retry after a kernel restart',
  'the same call after something changed state',
  'the first call that failed',
  'a narrower crop',
  'a query that adds a term that matters',
  'another page',
  'another offset',
  'another range',
  'another site',
  'another date',
  'another language',
  'stateful code',
  'a re-read after the harness elided the earlier observation',
  'a second source for the same fact',
  "a check of the policy's own guess",
  'submit, finish, think and hand-over are no calls',
  'submit twice',
  'failed, malformed and timed-out calls are counted apart',
];

describe('never flagged', () => {
  it('has a case for each', () => {
    expect(neverFlagged.map(({ name }) => name)).toEqual(neverFlaggedNames);
    expect(siblingCases.find(({ name }) => name === "a wrong sibling's economy")?.flagged).toEqual({});
  });

  it.each(neverFlagged.map((one) => [one.name, one] as const))('%s', (_, one) => {
    expect(flagRollout(rolloutOf(one)).filter(({ confidence }) => confidence !== 'hint')).toEqual([]);
  });
});

function nearMissesOf(cases: readonly Judged[]): number {
  return cases.filter(({ wanted }) => Object.keys(wanted).length === 0).length;
}

function judgeCalls(id: string, one: Case): Judged {
  const rule = rules.find((candidate) => candidate.id === id);
  const flags = rule?.flag(callFacts(rolloutOf(one)), defaultThresholds) ?? [];
  for (const { refersTo, call } of flags) if (refersTo !== null) expect(refersTo).toBeLessThan(call);
  const found = Object.fromEntries(flags.map(({ call, confidence }) => [String(call), confidence]));
  return { name: one.name, wanted: one.flagged, found };
}

function judgeGroup({ name, flagged, group }: SiblingCase): Judged {
  const members = group.split(' ').map((one) => ({ isRight: one.startsWith('✓'), own: Number(one.slice(1)) }));
  const counts = countByCalls(members.keys(), {
    correct: members.map(({ isRight }) => (isRight ? 1 : 0)),
    calls: members.map(({ own }) => own),
  });
  const found = members.flatMap(({ isRight, own }, member) => {
    const verdict = isRight ? siblingVerdict(own, counts) : null;
    if (verdict === null) return [];
    const { confidence, callsEnough, right, of, calls } = verdict;
    return [[String(member), `${confidence} t=${callsEnough} ${right}/${of} saves ${calls}`]];
  });
  return { name, wanted: flagged, found: Object.fromEntries(found) as Found };
}
