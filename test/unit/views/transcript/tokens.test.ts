/**
 * The token view without VS Code: what a turn's arrays come to in words, how values become strengths, where tokens stand
 * in the lines of a transcript, what crosses from the engine, and what a hover lists.
 */
import { describe, expect, test } from 'vitest';
import { tokenPage } from '../../../../src/engine/tokenPage.ts';
import { buildRollout, buildTurn, textPart } from '../../../../src/model/builder.ts';
import type { Rollout, TokenValues } from '../../../../src/model/rollout.ts';
import { k1, k3, tokenHeat, tokenSummary, tokenViews, type TokenPage } from '../../../../src/protocol/tokens.ts';
import { renderTranscript } from '../../../../src/transcript/renderTranscript.ts';
import { alignTokens, type TokenLine } from '../../../../src/views/transcript/alignTokens.ts';
import { tokenHover } from '../../../../src/views/transcript/tokenTexts.ts';
import { context, editorLines } from '../../transcript/sampleRollouts.ts';
import { l10n } from '../translator.ts';

const none: TokenValues = { ids: null, texts: null, logprobs: null, referenceLogprobs: null, others: [] };

function rolloutOf(values: TokenValues, text = 'The answer is 42.'): Rollout {
  return buildRollout({
    place: { row: 0, line: 0, bytes: { first: 0, count: 1 } },
    producer: 'p',
    group: { key: 'g', source: 'logged' },
    turns: [
      buildTurn({ role: 'user', parts: [textPart('?')], prompt: true }),
      buildTurn({ role: 'policy', parts: [textPart(text)], tokenValues: values }),
    ],
  });
}

describe('what the values come to', () => {
  test.each<[string, Parameters<typeof tokenSummary>[0], readonly string[]]>([
    ['nothing logged', none, []],
    ['log-probs, one of them not known', { ...none, logprobs: [-0.5, NaN, -1] }, ['mean log-prob −0.75']],
    [
      'the reference',
      { ...none, logprobs: [-1, -2], referenceLogprobs: [-1.5, -2.1] },
      ['mean log-prob −1.5', 'mean KL to the reference 0.3 (k1 = log p − log p_ref)'],
    ],
    [
      'a mask, whose outside counts in no mean',
      { ...none, logprobs: [0, 0, -1], others: [{ name: 'loss mask', values: [0, 0, 1] }] },
      ['mean log-prob −1', '2 of 3 tokens outside loss mask'],
    ],
    [
      'a mask without an inside',
      { ...none, logprobs: [-1, -3], others: [{ name: 'mask', values: [0, 0] }] },
      ['mean log-prob −2', '2 of 2 tokens outside mask'],
    ],
    [
      'advantages that are all equal, and others',
      {
        ...none,
        others: [
          { name: 'advantages', values: [0.5, 0.5] },
          { name: 'entropy', values: [1, 3] },
          { name: 'mask of 2', values: [2, 0] },
        ],
      },
      ['advantages +0.50 on every token', 'mean entropy 2', 'mean mask of 2 1'],
    ],
  ])('%s', (_, values, expected) => {
    expect(tokenSummary(values)).toEqual(expected);
  });

  test('the transcript says it under the heading, and ids without texts stand below the turn', () => {
    const ids = Array.from({ length: 20 }, (_, index) => 1000 + index);
    const { text, marks } = renderTranscript(rolloutOf({ ...none, ids, logprobs: ids.map(() => -0.5) }), context());
    const lines = editorLines(text);
    const heading = lines.findIndex((line) => line.startsWith('─── policy 1'));
    expect(lines.slice(heading + 1, heading + 6)).toEqual([
      '· tokens: mean log-prob −0.5',
      '  The answer is 42.',
      '· 20 token ids (the log has no text of tokens)',
      `    ${ids.slice(0, 16).join(' ')}`,
      `    ${ids.slice(16).join(' ')}`,
    ]);
    expect(marks.find(({ kind }) => kind === 'ids')).toEqual({ kind: 'ids', line: heading + 3, count: 3, turn: 1 });
    expect(marks.filter((mark) => mark.kind === 'turn').map(({ tokenValues }) => tokenValues)).toEqual([0, 20]);
  });

  test('of very many ids the first are shown', () => {
    const ids = Array.from({ length: 100_000 }, () => 7);
    const { text } = renderTranscript(rolloutOf({ ...none, ids }), context());
    expect(text).toContain('· the first 2,000 of 100,000 token ids\n');
    expect(text.length).toBeLessThan(8_000);
  });
});

describe('estimators', () => {
  test.each([
    [-1, -1, 0, 0],
    [-1, -1.5, 0.5, Math.exp(-0.5) - 1 + 0.5],
    [-1.5, -1, -0.5, Math.exp(0.5) - 1 - 0.5],
  ])('of log p %f and log p_ref %f', (logprob, reference, first, third) => {
    expect(k1(logprob, reference)).toBeCloseTo(first, 12);
    expect(k3(logprob, reference)).toBeCloseTo(third, 12);
    expect(k3(logprob, reference)).toBeGreaterThanOrEqual(0);
  });
});

describe('strengths', () => {
  test.each([
    ['surprise', Math.log(0.95), 1, null],
    ['surprise', Math.log(0.7), 1, 'low1'],
    ['surprise', Math.log(0.3), 1, 'low2'],
    ['surprise', Math.log(0.01), 1, 'low3'],
    ['surprise', -Infinity, 1, 'low3'],
    ['surprise', NaN, 1, null],
    ['kl', 0.05, 1, null],
    ['kl', 0.3, 1, 'high1'],
    ['kl', -0.7, 1, 'low2'],
    ['kl', 2, 1, 'high3'],
    ['relative', 0, 2, null],
    ['relative', 0.1, 2, 'high1'],
    ['relative', -1, 2, 'low2'],
    ['relative', 2, 2, 'high3'],
    ['relative', 0, 0, null],
    ['mask', 0, 1, 'outside'],
    ['mask', 1, 1, null],
  ] as const)('%s of %f', (scale, value, largest, expected) => {
    expect(tokenHeat(scale, value, largest)).toBe(expected);
  });

  test('views that the arrays allow', () => {
    const others = [
      { name: 'advantages', values: [0.5] },
      { name: 'loss mask', values: [1] },
    ];
    const views = tokenViews({ logprobs: [-1], referenceLogprobs: [-1.2], others });
    expect(views.map(({ id, scale }) => [id, scale])).toEqual([
      ['logprob', 'surprise'],
      ['kl', 'kl'],
      ['other:advantages', 'relative'],
      ['other:loss mask', 'mask'],
    ]);
    expect(views[1]?.value(0)).toBeCloseTo(0.2, 12);
    expect(tokenViews({ logprobs: null, referenceLogprobs: [-1], others: [] }).map(({ id }) => id)).toEqual([
      'reference',
    ]);
  });
});

describe('where tokens stand', () => {
  /** "token: text in the document" for each place found. */
  function placed(texts: readonly string[], document: readonly string[], from = 0): readonly string[] {
    const lines: TokenLine[] = document.map((text, line) => ({ line, text, from }));
    return alignTokens(texts, lines).map(
      ({ token, line, start, end }) => `${token}@${line}: ${document[line]?.slice(start, end) ?? ''}`,
    );
  }

  test.each<[string, readonly string[], readonly string[], readonly string[]]>([
    [
      'in a line',
      ['The', ' answer', ' is', ' 42', '.'],
      ['  The answer is 42.'],
      ['0@0: The', '1@0: answer', '2@0: is', '3@0: 42', '4@0: .'],
    ],
    ['over lines', ['one\n\n', 'two', ' three'], ['  one', '', '  two three'], ['0@0: one', '1@2: two', '2@2: three']],
    ['a token in two lines', ['a\nb', 'c'], ['  a', '  bc'], ['0@0: a', '0@1: b', '1@1: c']],
    ['behind markup that is not shown', ['<think>', 'hm', '</think>', 'so'], ['  hm', '  so'], ['1@0: hm', '3@1: so']],
    [
      'words of a vocabulary',
      ['The', 'Ġcat', 'Ċ', '▁sat'],
      ['  The cat', '  sat'],
      ['0@0: The', '1@0: cat', '3@1: sat'],
    ],
    [
      'code in the arguments of a call',
      ['{"code": "', 'x = \\"48\\"', '\\n', 'print(x)', '"}'],
      ['      x = "48"', '      print(x)'],
      ['1@0: x = "48"', '3@1: print(x)'],
    ],
    ['before a remark of ours', ['336'], [`${'  336'.padEnd(66)}ground truth 336`], ['0@0: 336']],
    ['lines that no token wrote', ['yes'], ['  ✗ no such tool', '  yes'], ['0@1: yes']],
    ['nothing at all', [], ['  text'], []],
    ['tokens of other text', ['abc'], ['  xyz'], []],
  ])('%s', (_, texts, document, expected) => {
    expect(placed(texts, document)).toEqual(expected);
  });

  test('a short line far away is not taken for its own', () => {
    expect(placed(['start', 'x'.repeat(2_000), '}'], ['  start', '  }'])).toEqual(['0@0: start']);
  });

  test('in the rest of a turn, which starts anywhere', () => {
    const texts = ['a '.repeat(30_000), 'the rest of it', ' and more'];
    expect(placed(texts, ['  the rest of it', '  and more'])).toEqual(['1@0: the rest of it', '2@1: and more']);
  });

  test('is found in linear time for what fits nowhere', () => {
    const started = performance.now();
    const lines = Array.from({ length: 5_000 }, (_, index) => `  line ${index} of something else`);
    expect(
      placed(
        Array.from({ length: 50_000 }, () => 'token '),
        lines,
      ),
    ).toEqual([]);
    expect(performance.now() - started).toBeLessThan(4_000);
  });
});

describe('pages', () => {
  const values: TokenValues = {
    ids: Array.from({ length: 120_000 }, (_, index) => index),
    texts: Array.from({ length: 120_000 }, (_, index) => `é${index}`),
    logprobs: Array.from({ length: 120_000 }, (_, index) => -index),
    referenceLogprobs: null,
    others: [{ name: 'short', values: [1] }],
  };

  test('hold every token once and stay below 1 MB', () => {
    const rollout = rolloutOf(values);
    const pages: TokenPage[] = [];
    for (let first = 0; first < 120_000; first += pages.at(-1)?.count ?? Infinity) {
      pages.push(tokenPage(rollout, 1, first));
    }
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flatMap(({ ids }) => [...(ids ?? [])])).toEqual(values.ids);
    const decoder = new TextDecoder();
    const texts = pages.flatMap(({ text, textEnds }) =>
      [...(textEnds ?? [])].map((end, index) => decoder.decode(text?.subarray(textEnds?.[index - 1] ?? 0, end))),
    );
    expect(texts).toEqual(values.texts);
    for (const page of pages) {
      const columns = [page.ids, page.logprobs, ...page.others.map((one) => one.values), page.text, page.textEnds];
      expect(columns.reduce((sum, column) => sum + (column?.byteLength ?? 0), 0)).toBeLessThan(1_000_000);
    }
    expect(pages[0]?.others[0]?.values.slice(0, 2)).toEqual(Float64Array.of(1, NaN));
  });

  test('of a turn without values are refused with a sentence', () => {
    expect(() => tokenPage(rolloutOf(values), 0, 0)).toThrow('Turn 1 of this rollout has no token values.');
    expect(() => tokenPage(rolloutOf(values), 99, 0)).toThrow('no token values');
  });

  test('hostile places give an empty page', () => {
    for (const first of [-5, NaN, Infinity, 1e9, 0.5]) {
      const { count, total } = tokenPage(rolloutOf({ ...none, logprobs: [-1] }), 1, first);
      expect(count).toBeLessThanOrEqual(total);
    }
  });
});

test('a hover lists everything that is logged of a token', () => {
  const rollout = rolloutOf({
    ids: [11, 12],
    texts: ['The', ' cat'],
    logprobs: [-0.1, -0.7],
    referenceLogprobs: [-0.1, -1],
    others: [{ name: 'advantages', values: [0.86, 0.86] }],
  });
  const hover = tokenHover(tokenPage(rollout, 1, 0), 1, { l10n, text: ' cat' });
  expect(hover).toEqual({
    heading: 'token 2 of 2 · id 12',
    text: ' cat',
    values: [
      'log-prob −0.7 (p 0.497)',
      'reference log-prob −1 (p 0.368)',
      'KL to the reference: k1 +0.30, k3 0.0408',
      'advantages +0.86',
    ],
  });
});
