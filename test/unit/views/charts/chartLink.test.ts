/** A link names what it was made of, and nothing that is not of its form. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { linkQuery, readLinkQuery } from '../../../../src/views/charts/chartLink.ts';

it('comes back as it was made, whatever the paths hold', () => {
  const paths = fc.uniqueArray(fc.stringMatching(/^\/[^\0]{1,40}$/u), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(paths, fc.string({ maxLength: 200 }), (named, view) => {
      fc.pre(![...named, view].some((text) => /\p{Surrogate}/u.test(text)));
      const query = linkQuery({ paths: named, view });
      // VS Code hands the query over decoded: nothing in it may change by that.
      expect(decodeURIComponent(query)).toBe(query);
      expect(readLinkQuery(query)).toEqual({ paths: named, view });
    }),
  );
});

const made = (what: unknown): string => `view=${Buffer.from(JSON.stringify(what)).toString('base64url')}`;

it.each([
  ['nothing', ''],
  ['no word', 'view='],
  ['another query', 'path=/etc/passwd'],
  ['something behind it', `${made({ paths: ['/a'], view: '' })}&x=1`],
  ['no JSON', 'view=abcd'],
  ['a relative path', made({ paths: ['a/b'], view: '' })],
  ['a path that is no text', made({ paths: ['/a', 7], view: '' })],
  ['no path', made({ paths: [], view: '' })],
  ['seven paths', made({ paths: ['/1', '/2', '/3', '/4', '/5', '/6', '/7'], view: '' })],
  ['a NUL in a path', made({ paths: ['/a\0b'], view: '' })],
  ['no view', made({ paths: ['/a'] })],
  ['too much', made({ paths: ['/a'], view: 'x'.repeat(40_000) })],
])('%s is no link', (_, query) => {
  expect(readLinkQuery(query)).toBeNull();
});
