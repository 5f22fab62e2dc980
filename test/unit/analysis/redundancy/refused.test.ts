/** Rule `refused`: flags what the tool itself refused, and nothing that merely failed. */
import { describe, expect, it } from 'vitest';
import { flagCalls } from '../../../../src/analysis/redundancy/all.ts';
import { callFacts } from '../../../../src/analysis/redundancy/callFacts.ts';
import { refused } from '../../../../src/analysis/redundancy/refused.ts';
import { defaultThresholds } from '../../../../src/model/ruleThresholds.ts';
import { buildRollout } from '../../../../src/model/builder.ts';
import type { Call, CallOutcome } from '../../../../src/model/rollout.ts';

const call = (tool: string | null, outcome: CallOutcome, more: Partial<Call> = {}): Call => ({
  turn: 0,
  tool,
  arguments: {},
  raw: '',
  sent: true,
  control: false,
  outcome,
  failure: null,
  observation: outcome === 'refused' ? 'already searched' : '',
  images: [],
  latencyMs: null,
  facts: [],
  ...more,
});

const rolloutWith = (calls: readonly Call[]) =>
  buildRollout({
    place: { row: 0, line: 0, bytes: { first: 0, count: 0 } },
    producer: 'test',
    group: { key: 'g', source: 'logged' },
    turns: [],
    calls,
  });

const cases: readonly (readonly [name: string, calls: readonly Call[], flagged: readonly (number | null)[]])[] = [
  ['no calls', [], []],
  ['a second image_search the server blocked', [call('image_search', 'ok'), call('image_search', 'refused')], [0]],
  ['refers to the nearest earlier call of that tool', [call('a', 'ok'), call('b', 'ok'), call('a', 'refused')], [0]],
  ['the first call of all', [call('image_search', 'refused')], [null]],
  [
    'failed, malformed, timed out: not this rule',
    [call('a', 'failed'), call(null, 'malformed'), call('a', 'timeout')],
    [],
  ],
  ['never sent', [call('a', 'refused', { sent: false })], []],
  ['hand-over is no call', [call('submit', 'refused', { control: true })], []],
];

describe('refused', () => {
  it.each(cases)('%s', (_, calls, flagged) => {
    const flags = refused.flag(callFacts(rolloutWith(calls)), defaultThresholds);
    expect(flags.map((flag) => flag.refersTo)).toEqual(flagged);
    for (const flag of flags) expect(calls[flag.call]?.outcome).toBe('refused');
  });

  it('is listed per call', () => {
    expect(flagCalls(rolloutWith([call('x', 'ok'), call('x', 'refused')]))).toEqual([[], ['refused']]);
  });
});
