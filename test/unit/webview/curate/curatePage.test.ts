/** What the Curate page computes without a DOM: bars and sentence, saved state, latest question, row pages, verdicts. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  agreementText,
  curateTexts,
  factName,
  factText,
  generatedText,
  outcomeText,
  verdictText,
} from '../../../../src/protocol/curateTexts.ts';
import { curationFrom, misread } from '../../../../src/protocol/curateConfig.ts';
import {
  curationFilters,
  defaultCuration,
  type CurationConfig,
  type CurationRow,
  type Funnel,
} from '../../../../src/protocol/curation.ts';
import { barsOf, funnelSentence } from '../../../../webview/curate/funnelBars.ts';
import { makeLatest } from '../../../../webview/curate/latest.ts';
import { formsOf, freshPage, savedPage, withConfig, type PageState } from '../../../../webview/curate/pageState.ts';
import { makeRowPages } from '../../../../webview/curate/rowPages.ts';
import { makeVerdictStack } from '../../../../webview/curate/verdictStack.ts';
import { typedNumber, unfitText } from '../../../../webview/ui/typedNumber.ts';

const own: CurationConfig = {
  stage: 'rl',
  off: ['exact-duplicate', 'too-long'],
  onlyUnrecovered: true,
  toolFreeSamples: 4,
  toolFreeShare: 0.25,
  toolFreeFrom: { kind: 'run', run: 'base' },
  judgeThreshold: 0.3,
  nearDuplicate: 0.8,
  leastRollouts: 4,
  keepEfficiencySignal: true,
  startStep: 0,
  contextTokens: 4096,
  forbiddenImports: ['os'],
};

describe('settings', () => {
  it('come back through JSON', () => {
    expect(curationFrom(JSON.parse(JSON.stringify(own)))).toEqual(own);
    expect(curationFrom(JSON.parse(JSON.stringify(defaultCuration)))).toEqual(defaultCuration);
  });
  it.each([null, 7, 'x', [], {}, { other: 1 }])('%j are none', (value) => {
    expect(curationFrom(value)).toBeNull();
  });
  it('that are wrong read as the defaults', () => {
    const wrong = {
      stage: 'dpo',
      off: ['too-long', 'nonsense', 7],
      onlyUnrecovered: 'yes',
      toolFreeSamples: 0,
      toolFreeShare: 2,
      toolFreeFrom: { kind: 'run' },
      judgeThreshold: -1,
      nearDuplicate: null,
      leastRollouts: 1.5,
      contextTokens: -5,
      startStep: 'first',
    };
    const config = curationFrom(wrong);
    expect(config).toEqual({ ...defaultCuration, off: ['too-long'] });
    expect(misread(wrong, config ?? defaultCuration)).toEqual(Object.keys(wrong));
    expect(misread({ ...own, off: [...own.off].reverse() }, own)).toEqual([]);
    expect(misread({ ...own, typo: 1 }, own)).toEqual(['typo']);
  });
  it('never throw, whatever was saved', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const page = savedPage(value);
        expect(Object.keys(page.config)).toEqual(expect.arrayContaining(Object.keys(defaultCuration)));
      }),
      { numRuns: 200 },
    );
  });
});

describe('the page', () => {
  const state: PageState = {
    runs: ['a', 'b'],
    config: own,
    list: 'too-long',
    at: 12,
    view: { table: true, about: false },
    judge: 'small at http://127.0.0.1/v1',
    target: { format: 'parquet', form: 'verl', images: 'data URIs' },
  };
  it('comes back as it was left', () => {
    expect(savedPage(JSON.parse(JSON.stringify(state)))).toEqual(state);
    expect(savedPage(undefined)).toEqual(freshPage);
  });
  it('gives up a list and a form that the other stage lacks', () => {
    const other = withConfig(state, { ...own, stage: 'sft' });
    expect([other.list, other.at, other.target.form]).toEqual([null, 0, 'messages']);
    expect(withConfig(state, { ...own, leastRollouts: 9 }).list).toBe('too-long');
  });
});

const funnel: Funnel = {
  stage: 'sft',
  rows: 1000,
  kept: 690,
  overruled: 3,
  byHand: 2,
  stages: curationFilters.sft.map((filter, index) => ({
    filter,
    entered: [998, 748, 700, 700, 700, 700][index] ?? 0,
    dropped: [250, 48, 0, 0, 0, 10][index] ?? 0,
    matches: [250, 60, 0, 0, 5, 12][index] ?? 0,
    undecided: [0, 0, 700, 0, 0, 0][index] ?? 0,
    coverage: '',
  })),
  notes: [],
};

describe('the funnel', () => {
  it('has a bar for what was dropped by hand, each filter, and what is kept; they add up', () => {
    const bars = barsOf(funnel, { off: ['exact-duplicate'] });
    expect(bars.map(({ list }) => list)).toEqual(['by hand', ...curationFilters.sft, 'kept']);
    expect(bars.reduce((sum, bar) => sum + bar.dropped, 0) + funnel.kept).toBe(funnel.rows);
    for (const [index, bar] of bars.slice(0, -1).entries())
      expect(bars[index + 1]?.entered, bar.name).toBe(bar.entered - bar.dropped);
    expect(bars.map(({ short }) => short)).toEqual([
      '−2 (0.2 %)',
      '−250 (25 %)',
      '−48 (6 %)',
      '0',
      '0',
      'off',
      '−10 (1 %)',
      '690 (69 %)',
    ]);
    expect(bars[2]?.spoken).toBe('Inconsistent feedback: 48 of 748 trajectories dropped, 6 %; it would drop 60 alone');
    expect(bars[3]?.spoken).toBe('Solvable without tools: 0 of 700 trajectories dropped, 0 %; 700 undecided and kept');
  });
  it('is one sentence or a few', () => {
    expect(funnelSentence(funnel)).toBe(
      '690 of 1,000 trajectories are kept (69 %). Dropped: failed execution 250, inconsistent feedback 48, near duplicate 10. Not everything could be decided (solvable without tools); such rows are kept. 3 rows follow your own word.',
    );
    const all = { ...funnel, kept: 1000, overruled: 0, byHand: 0, stages: [] };
    expect(funnelSentence(all)).toBe('All 1,000 trajectories are kept.');
    expect(funnelSentence({ ...all, stage: 'rl', rows: 0, kept: 0 })).toBe('These runs hold no prompts.');
  });
  it.each([
    ['sft', 1, 0, '0 of 1 trajectory is kept (0 %).'],
    ['sft', 1, 1, 'The only trajectory is kept.'],
    ['rl', 2, 1, '1 of 2 prompts is kept (50 %).'],
    ['rl', 2, 0, '0 of 2 prompts are kept (0 %).'],
    ['sft', 1327, 1, '1 of 1,327 trajectories is kept (0.0754 %).'],
  ] as const)('%s: of %i rows %i: %s', (stage, rows, kept, sentence) => {
    expect(funnelSentence({ ...funnel, stage, rows, kept, overruled: 0, byHand: 0, stages: [] })).toBe(sentence);
  });
  it('needs no rows to be drawn', () => {
    const none = { ...funnel, rows: 0, kept: 0, byHand: 0, overruled: 0, stages: [] };
    expect(barsOf(none, { off: [] }).every(({ short }) => !short.includes('NaN'))).toBe(true);
  });
});

it.each([
  [
    { judged: 0, failed: 0, firstFailure: null, cancelled: false },
    'Every row that reaches the filter is answered already; nothing was sent.',
  ],
  [{ judged: 12, failed: 0, firstFailure: null, cancelled: false }, '12 rows were judged.'],
  [{ judged: 1, failed: 2, firstFailure: '429', cancelled: false }, '1 row was judged; 2 failed (429).'],
  [
    { judged: 3, failed: 0, firstFailure: null, cancelled: true },
    '3 rows were judged. It was cancelled; "Ask…" goes on from there.',
  ],
])('a round of judging: %j', (outcome, sentence) => {
  expect(outcomeText(outcome)).toBe(sentence);
});

it.each([
  [
    { generated: 12, withoutCall: 0, failed: 1, firstFailure: 'too long', cancelled: false },
    'Samples for 12 prompts were generated; 1 failed (too long).',
  ],
  [
    { generated: 1, withoutCall: 1, failed: 0, firstFailure: null, cancelled: true },
    'Samples for 1 prompt were generated. For 1 prompt the policy was kept from calling, since the log does not show which tools could be taken out of the prompt. It was cancelled; what was generated is kept.',
  ],
  [
    { generated: 0, withoutCall: 0, failed: 0, firstFailure: null, cancelled: false },
    'Every prompt has its tool-free samples.',
  ],
])('generating: %j', (outcome, sentence) => {
  expect(generatedText(outcome)).toBe(sentence);
});

describe('a number box', () => {
  const k = { min: 1, max: 64, whole: true };
  it.each([
    ['8', false, { kind: 'number', value: 8 }],
    ['64', false, { kind: 'number', value: 64 }],
    ['1e9', false, { kind: 'unfit' }],
    ['0', false, { kind: 'unfit' }],
    ['1.5', false, { kind: 'unfit' }],
    ['', true, { kind: 'unfit' }],
    ['abc', false, { kind: 'unfit' }],
    [' ', false, { kind: 'empty' }],
  ])('%j (bad: %s)', (text, bad, typed) => {
    expect(typedNumber(text, bad, k)).toEqual(typed);
  });
  it('takes parts of one, and numbers without a limit from above', () => {
    expect(typedNumber('0.25', false, { min: 0, max: 1, whole: false })).toEqual({ kind: 'number', value: 0.25 });
    const open = { min: 1, max: Infinity, whole: true };
    expect(typedNumber('131072', false, open)).toEqual({ kind: 'number', value: 131072 });
    expect(unfitText(open, '"no limit"')).toBe('Takes a whole number from 1 on; "no limit" still holds.');
    expect(unfitText(k, '8')).toBe('Takes a whole number from 1 to 64; 8 still holds.');
    expect(curateTexts.limited('k of pass@k', 1, 64)).toBe('k of pass@k (1 to 64)');
  });
});

it.each([
  ['failed_calls', 'failed calls'],
  ['pass_at_8', 'pass@8'],
  ['not_yet_known', 'not yet known'],
  ['constructor', 'constructor'],
])('the fact %s is called "%s"', (name, words) => {
  expect(factName(name)).toBe(words);
});

it.each([
  ['as it is', 'as it is'],
  [1327, '1,327'],
  [0.33333, '0.333'],
  [null, '?'],
  [['a', 'b'], 'a; b'],
  [{ a: 1 }, '{"a":1}'],
])('the value of a fact, %j: %s', (value, text) => {
  expect(factText(value)).toBe(text);
});

it('a verdict says where its row went', () => {
  expect(verdictText('keep', '48 × 7 = ?')).toBe('"48 × 7 = ?" is kept by you: it is now among the rows of "Kept".');
  expect(verdictText('drop', ' ')).toBe('The row is dropped by you: it is now among the rows of "Dropped by hand".');
  expect(verdictText(null, 'x '.repeat(100))).toMatch(/^Your verdict on "(x ){30}…" was taken back/);
});

it('every form of a stage says what it writes, and both stages offer those of the command line', () => {
  for (const stage of ['sft', 'rl'] as const) {
    expect([...formsOf[stage]].sort()).toEqual(['messages', 'pairs', 'verl']);
    for (const form of formsOf[stage]) expect(curateTexts.formWrites[stage][form]).toMatch(/^One record a /);
  }
});

it('agreement has its interval, and is nothing without verdicts', () => {
  expect(agreementText({ agree: 7, of: 10, low: 0.397, high: 0.892 })).toBe(
    'The judge agrees with 7 of your 10 verdicts: 70 % (95 % interval 40 % to 89 %).',
  );
  expect(agreementText({ agree: 0, of: 0, low: null, high: null })).toBeNull();
});

describe('makeLatest', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const settled = async () => {
    await vi.advanceTimersByTimeAsync(0);
  };
  it('asks once it rests, and tells the last answer only', async () => {
    const asked: { readonly signal: AbortSignal; readonly answer: (value: number) => void }[] = [];
    const told: unknown[] = [];
    const latest = makeLatest<number>({
      delayMs: 100,
      ask: (signal) => new Promise((answer) => asked.push({ signal, answer })),
      onAnswer: (value) => told.push(value),
      onError: (error) => told.push(error),
      onBusy: (busy) => told.push(busy),
    });
    for (let moves = 0; moves < 5; moves += 1) {
      latest.soon();
      await vi.advanceTimersByTimeAsync(50);
    }
    expect(asked).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(100);
    expect(asked).toHaveLength(1);
    latest.now();
    expect(asked[0]?.signal.aborted).toBe(true);
    asked[0]?.answer(1);
    asked[1]?.answer(2);
    await settled();
    expect(told).toEqual([true, true, false, 2]);
    latest.now();
    latest.stop();
    asked[2]?.answer(3);
    await settled();
    expect(told).toEqual([true, true, false, 2, true, false]);
  });
});

const row = (index: number, change: Partial<CurationRow> = {}): CurationRow => ({
  key: `row ${index}`,
  ref: { run: 'a', file: 'a.jsonl', row: index },
  step: 1,
  question: `question ${index}`,
  rollouts: 1,
  correct: 1,
  calls: 0,
  filter: null,
  reason: '',
  evidence: [],
  overruled: null,
  judgement: null,
  ...change,
});

describe('makeRowPages', () => {
  const made = (total: () => number) => {
    const asked: number[] = [];
    const totals: number[] = [];
    const pages = makeRowPages({
      ask: (first, count) => {
        asked.push(first);
        const end = Math.min(total(), first + count);
        const rows = Array.from({ length: Math.max(0, end - first) }, (_, index) => row(first + index));
        return Promise.resolve({ rows, total: total() });
      },
      onRows: (count) => totals.push(count),
      onError: (error) => {
        throw error;
      },
    });
    return { pages, asked, totals };
  };
  const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

  it('asks for the pages in sight, each once', async () => {
    const { pages, asked } = made(() => 1000);
    pages.want(0, 20);
    await settled();
    pages.want(90, 130);
    pages.want(95, 140);
    await settled();
    expect(asked).toEqual([0, 100]);
    expect([pages.row(130)?.key, pages.row(250), pages.total]).toEqual(['row 130', null, 1000]);
  });
  it('keeps what was there until the first new answer', async () => {
    let total = 150;
    const { pages, totals } = made(() => total);
    pages.want(100, 140);
    await settled();
    total = 40;
    pages.renew();
    expect(pages.row(120)?.key).toBe('row 120');
    await settled();
    expect([pages.row(120), pages.total]).toEqual([null, 40]);
    pages.want(0, 40);
    await settled();
    expect(pages.row(39)?.key).toBe('row 39');
    expect(totals).toEqual([150, 40, 40]);
  });
});

describe('makeVerdictStack', () => {
  const made = () => {
    const kept: (readonly [string, string | null])[] = [];
    const stack = makeVerdictStack({
      overrule: (key, verdict) => Promise.resolve(void kept.push([key, verdict])),
      onDone: () => undefined,
    });
    return { stack, kept };
  };
  it('takes back one after the other, to what stood before', async () => {
    const { stack, kept } = made();
    await stack.set(row(1), 'keep');
    await stack.set(row(2, { overruled: 'keep' }), 'drop');
    // What stands already is no verdict.
    await stack.set(row(3, { overruled: 'drop' }), 'drop');
    expect(stack.count()).toBe(2);
    await Promise.all([stack.undo(), stack.undo(), stack.undo()]);
    expect(kept).toEqual([
      ['row 1', 'keep'],
      ['row 2', 'drop'],
      ['row 2', 'keep'],
      ['row 1', null],
    ]);
    expect(stack.count()).toBe(0);
  });
  it('tells whose row it was, also when it is taken back', async () => {
    const told: unknown[] = [];
    const stack = makeVerdictStack({
      overrule: () => Promise.resolve(),
      onDone: (verdict, question) => told.push([verdict, question]),
    });
    await stack.set(row(1), 'drop');
    await stack.undo();
    expect(told).toEqual([
      ['drop', 'question 1'],
      [null, 'question 1'],
    ]);
  });
  it('forgets nothing where keeping failed', async () => {
    const stack = makeVerdictStack({ overrule: () => Promise.reject(new Error('disk full')), onDone: () => undefined });
    await expect(stack.set(row(1), 'keep')).rejects.toThrow('disk full');
    expect(stack.count()).toBe(0);
  });
});
