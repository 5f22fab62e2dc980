// One JSON text: what Python writes that JSON does not have, and why a text is refused.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maximumDepth, parseJsonText } from '../../../src/readers/parseJson.ts';

const nonFinite: readonly (readonly [text: string, value: unknown])[] = [
  ['{"a": NaN}', { a: null }],
  ['[Infinity,-Infinity , NaN]', [null, null, null]],
  ['NaN', null],
  ['{"NaN": NaN, "b": "NaN \\" Infinity"}', { NaN: null, b: 'NaN " Infinity' }],
  ['{"b": "\\\\", "a": NaN}', { b: '\\', a: null }],
  ['{"b": "\\\\\\"NaN", "a": -Infinity}', { b: '\\"NaN', a: null }],
];

const refused: readonly (readonly [text: string, reason: RegExp])[] = [
  ['', /^Unexpected end/],
  ['{', /./],
  ['{"a": -NaN}', /./],
  ['{"a": NaNNaN}', /./],
  ['{"a": "NaN', /./],
  ['{"a": NaN', /./],
  ['{"a":1}{"a":2}', /at position 7$/],
  ['undefined', /^not valid JSON$/],
  [`{"secret ${'x'.repeat(5000)}`, /^.{1,150}$/],
  ['['.repeat(maximumDepth + 1) + ']'.repeat(maximumDepth + 1), /^nested deeper than 512 levels$/],
];

describe('parseJsonText', () => {
  test.each(nonFinite)('%s', (text, value) => {
    expect(parseJsonText(text)).toEqual({ ok: true, value, nonFinite: true, invalidUtf8: false });
  });

  test.each(refused)('%.20s is refused', (text, reason) => {
    const parsed = parseJsonText(text);
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) expect(parsed.reason).toMatch(reason);
  });

  test('the deepest nesting that is allowed', () => {
    expect(parseJsonText('['.repeat(maximumDepth) + ']'.repeat(maximumDepth)).ok).toBe(true);
  });

  test('any value comes back, also with NaN put where a number was', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.string(), (value, key) => {
        const text = JSON.stringify({ [key]: value, zz: 'marker' });
        const plain = parseJsonText(text);
        expect(plain).toMatchObject({ ok: true, nonFinite: false });
        expect(plain.ok && JSON.stringify(plain.value)).toBe(text);
        if (key === 'zz') return;
        const end = text.length - '"marker"}'.length;
        const got = parseJsonText(`${text.slice(0, end)}NaN}`);
        expect(got.ok && JSON.stringify(got.value)).toBe(`${text.slice(0, end)}null}`);
      }),
    );
  });
});
