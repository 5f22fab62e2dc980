/** Arguments of calls: code as code, everything else as JSON. */
import { expect, test } from 'vitest';
import type { Json } from '../../../src/base/json.ts';
import { argumentLines } from '../../../src/transcript/callArguments.ts';

const cases: readonly (readonly [name: string, value: Json, raw: string, lines: readonly string[]])[] = [
  ['code alone', { code: 'a = 1\n\nif a:\n    b()\n' }, '', ['a = 1', '', 'if a:', '    b()']],
  ['one line of code', { code: 'print(1)' }, '', ['print(1)']],
  ['code with carriage returns', { code: 'a\r\nb\rc' }, '', ['a', 'b', 'c']],
  ['code and more', { timeout: 5, code: 'a\nb' }, '', ['timeout: 5', 'code:', '  a', '  b']],
  ['a text of several lines', { path: 'x', text: 'a\nb' }, '', ['path: "x"', 'text:', '  a', '  b']],
  ['short JSON', { query: 'a', top: 3 }, '', ['{"query": "a", "top": 3}']],
  ['none', {}, '', ['(no arguments)']],
  ['null with text', null, '<code>1</code>', ['<code>1</code>']],
  ['null without text', null, '', ['(no arguments)']],
  ['an array', [1, [2]], '', ['[1,[2]]']],
  ['a text', 'ls -l\npwd', '', ['ls -l', 'pwd']],
];

test.each(cases)('%s', (_, value, raw, lines) => {
  expect(argumentLines({ arguments: value, raw })).toEqual(lines);
});

test('long JSON is indented', () => {
  const lines = argumentLines({ arguments: { query: 'x'.repeat(120), top: 3 }, raw: '' });
  expect(lines).toEqual(['{', `  "query": "${'x'.repeat(120)}",`, '  "top": 3', '}']);
});

test('JSON deeper than the stack falls back to what was written', () => {
  let deep: Json = 1;
  for (let level = 0; level < 200_000; level += 1) deep = [deep];
  expect(argumentLines({ arguments: deep, raw: '[[…]]' })).toEqual(['[[…]]']);
});
