/** Small pieces the filters stand on, as tables: answers by meaning, names in Python, output that is fixed, similarity. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meaningOf, sameMeaning, sameTruth, truthsOf } from '../../../../src/analysis/curation/answerMeaning.ts';
import { feedbackOf } from '../../../../src/analysis/curation/feedback.ts';
import { fixedOutput } from '../../../../src/analysis/curation/fixedOutput.ts';
import {
  bandHash,
  bandRows,
  shinglesOf,
  signatureBytes,
  signatureOf,
  similarity,
} from '../../../../src/analysis/curation/minHash.ts';
import { pythonNames } from '../../../../src/analysis/curation/pythonNames.ts';
import { buildCall, buildRollout } from '../../../../src/model/builder.ts';
import { parsePython, type PythonCode } from '../../../../src/analysis/redundancy/pythonCode.ts';

describe('answers', () => {
  const pairs: readonly (readonly [one: string, other: string, same: boolean])[] = [
    ['42', '42.0', true],
    ['1,000', '1000', true],
    ['\\frac{1}{2}', '0.5', true],
    ['1/2', '50%', true],
    ['$12$', '12 cranes', true],
    ['3.14', '3.14159', true],
    ['3.14', '3.15', false],
    ['42', '43', false],
    ['−5', '-5', true],
    ['-5', '5', false],
    ['7 of 12', '7', true],
    ['Paris', 'paris.', true],
    ['Paris', 'Paris, France', true],
    ['the Eiffel Tower', 'Eiffel tower', true],
    ['Paris', 'Lyon', false],
    ['USA', 'United States America', true],
    ['A', 'B', false],
    ['(B)', 'b.', true],
    ['B', 'B. seven cranes', true],
    ['yes', 'no', false],
    ['Yes, it is', 'true', true],
    ['seven', '7', true],
    ['∅', '∅', true],
    ['\\text{north}', 'North', true],
  ];
  it.each(pairs)('%j and %j: the same %s', (one, other, same) => {
    const [first, second] = [meaningOf(one), meaningOf(other)];
    if (!first || !second) throw new Error('no meaning');
    expect(sameMeaning(first, second)).toBe(same);
    expect(sameMeaning(second, first)).toBe(same);
  });

  it('in prose are not compared', () => {
    expect(meaningOf('You can take a total of 4 free checked bags with you.')).toBeNull();
    expect(meaningOf('7 '.repeat(150))).toBeNull();
    expect(meaningOf(' ')).toBeNull();
  });

  it('of truths are spellings where one record lists them', () => {
    expect(sameTruth(truthsOf(['USA', 'America']), truthsOf('America'))).toBe(true);
    expect(sameTruth(truthsOf(['4']), truthsOf(5))).toBe(false);
    expect(truthsOf({ target: ['4', 'four'] })).toEqual(['4', 'four']);
    expect(sameTruth(truthsOf(null), truthsOf('4'))).toBe(true);
  });

  it('mean the same as themselves, whatever they are', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const meaning = meaningOf(text);
        expect(meaning === null || sameMeaning(meaning, meaning)).toBe(true);
      }),
    );
  });
});

function code(text: string): PythonCode {
  const parsed = parsePython(text);
  if (!parsed) throw new Error('too long');
  return parsed;
}

describe('names in Python', () => {
  const codes: readonly (readonly [text: string, unbound: readonly string[]])[] = [
    ['print(x)', ['x', 'print']],
    ['x = 1\nprint(x)', ['print']],
    ['a, (b, *c) = d', ['d']],
    ['x[i] = y', ['x', 'i', 'y']],
    ['o.a = b', ['o', 'b']],
    ['f(key=v)', ['f', 'v']],
    ['import a.b as c, d\nc(d)', []],
    ['from m import (n as o, p)\no(p)', []],
    ['with open("f") as h:\n  h.read()', ['open']],
    ['if (n := 1) > 0: pass\nn', []],
    ['x: int = 3', ['int']],
    ['print(f"{v:>{w}}")', ['print', 'v', 'w']],
    ['sum(i * k for i in r)', ['sum']],
    ['def f(a, *b, c=1, **d):\n  return e\nf(1)', []],
    ['[z for z in q]', []],
    ['x = y if c else z', []],
    ['a and b', []],
    ['for i in r: s', []],
    ['try:\n  t\nexcept E as e:\n  e', []],
    ['class A(B):\n  c = d', []],
    ['match v:\n  case [a, *b]: a', []],
  ];
  it.each(codes)('%j surely reads %j', (text, unbound) => {
    const { read, bound } = pythonNames(code(text));
    expect([...read].filter((name) => !bound.has(name)).sort()).toEqual([...unbound].sort());
  });

  const open = [
    'from m import *',
    'exec("x = 1")',
    'globals()["x"]',
    '!pip install x',
    '%matplotlib inline',
    'print("',
  ];
  it.each(open)('%j may bind anything', (text) => {
    expect(pythonNames(code(text)).open).toBe(true);
  });

  it('names the modules that are imported', () => {
    const text =
      'import numpy.linalg as la, os\nfrom urllib.parse import quote\nfrom . import near\nfrom PIL import Image';
    expect([...pythonNames(code(text)).imported]).toEqual(['numpy', 'os', 'urllib', 'PIL']);
  });
});

describe('what code must print', () => {
  const codes: readonly (readonly [text: string, printed: readonly string[] | null])[] = [
    ['print(48 * 7)', ['336']],
    ['a = 2\nb = a ** 10\nprint("is", b)', ['is 1024']],
    ['print(7 // 2, -7 // 2, 7 % 3, -7 % 3)', ['3 -4 1 2']],
    ['print(1 / 4)', ['0.25']],
    ['print(4 / 2)', ['2.0']],
    ['print(0.1 + 0.2)', ['0.30000000000000004']],
    ['print((1 + 2) * -3)  # sum', ['-9']],
    ['print("a" + "b")', ['ab']],
    ['print(1)\nprint(2)', ['1', '2']],
    ['print(1); print(2)', null],
    ['print(len("abc"))', null],
    ['print(x)', null],
    ['print(1, sep="")', null],
    ['print(f"{1}")', null],
    ['for i in range(3): print(i)', null],
    ['print(9 ** 9 ** 9)', null],
    ['print(1 / 0)', null],
    ['x = 1', null],
  ];
  it.each(codes)('%j prints %j', (text, printed) => {
    expect(fixedOutput(code(text))).toEqual(printed);
  });
});

describe('similarity', () => {
  const words = (count: number, first = 0): string[] => Array.from({ length: count }, (_, i) => `w${first + i}`);
  const signatures = (...texts: readonly string[]): Uint8Array => {
    const all = new Uint8Array(signatureBytes * texts.length);
    texts.forEach((text, i) => {
      all.set(signatureOf(shinglesOf([text])), i * signatureBytes);
    });
    return all;
  };

  it('is near the share of 5-word shingles that two texts have in common', () => {
    for (const [shared, own] of [
      [400, 10],
      [300, 30],
      [200, 100],
      [100, 100],
      [0, 100],
    ] as const) {
      const one = [...words(shared), ...words(own, 10_000)].join(' ');
      const other = [...words(shared), ...words(own, 20_000)].join(' ');
      const [a, b] = [shinglesOf([one]), shinglesOf([other])];
      const both = [...a].filter((shingle) => b.has(shingle)).length;
      const exact = both / (a.size + b.size - both);
      expect(Math.abs(similarity(signatures(one, other), 0, 1) - exact)).toBeLessThan(0.12);
    }
  });

  it('is 1 for equal texts, and bands find what is as similar as the threshold', () => {
    const text = words(120).join(' ');
    expect(similarity(signatures(text, `  ${text.toUpperCase()}!`), 0, 1)).toBe(1);
    for (const threshold of [0.95, 0.85, 0.7, 0.5, 0.3]) {
      const rows = bandRows(threshold);
      const missed = (1 - threshold ** rows) ** Math.floor(signatureBytes / rows);
      expect(missed).toBeLessThan(0.02);
    }
    const pair = signatures(text, text);
    expect(bandHash(pair, 0, { first: 8, rows: 8 })).toBe(bandHash(pair, 1, { first: 8, rows: 8 }));
  });
});

describe('hostile code', () => {
  const hostile: readonly (readonly [name: string, text: string])[] = [
    ['deeply nested', `${'('.repeat(8_000)}x${')'.repeat(8_000)}`],
    ['deeply nested targets', `${'('.repeat(8_000)}x${')'.repeat(8_000)} = 1`],
    ['numbers that double', `a = 9 ** 1000\n${'a = a * a\n'.repeat(150)}print(a)`],
    ['many blank lines', `${'\n'.repeat(90_000)}x`],
    ['one long line of spaces', `x${' '.repeat(90_000)}= 1`],
  ];
  it.each(hostile)('%s is looked at in no time', (_, text) => {
    const startedAtMs = performance.now();
    const call = buildCall({
      turn: 0,
      tool: 'python',
      raw: '',
      arguments: { code: text },
      outcome: 'ok',
      observation: text.slice(0, 50_000),
    });
    const place = { row: 0, line: 0, bytes: { first: 0, count: 0 } };
    feedbackOf(buildRollout({ place, producer: 'test', group: { key: '', source: 'inferred' }, calls: [call] }));
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });

  it('never throws, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.string({ maxLength: 100 }), (text, observation) => {
        const call = buildCall({
          turn: 0,
          tool: 'python',
          raw: text,
          arguments: { code: text },
          outcome: 'ok',
          observation,
        });
        const place = { row: 0, line: 0, bytes: { first: 0, count: 0 } };
        feedbackOf(buildRollout({ place, producer: 'test', group: { key: '', source: 'inferred' }, calls: [call] }));
      }),
    );
  });
});
