/** URIs of transcripts and pictures: whatever names and paths hold, the identity comes back. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAddress, rolloutScheme, type RolloutAddress } from '../../../../src/host/rolloutAddress.ts';
import { imageOf, imageUri, runNameOf, transcriptUri } from '../../../../src/views/transcript/rolloutUri.ts';

const address = (change: Partial<RolloutAddress> = {}): RolloutAddress => ({
  ref: { run: 'r1', file: 'rollout_data/17.jsonl', row: 4 },
  path: '/logs/hdpo',
  rest: null,
  ...change,
});

/** As VS Code writes and reads a URI: each part percent-encoded once. */
function throughText({ scheme, path, query }: { scheme: string; path: string; query: string }) {
  const text = `${scheme}:${path.split('/').map(encodeURIComponent).join('/')}?${encodeURIComponent(query)}`;
  const [rest = '', encoded = ''] = text.split('?');
  const [read = '', ...segments] = rest.split(':');
  return { scheme: read, path: decodeURIComponent(segments.join(':')), query: decodeURIComponent(encoded) };
}

describe('transcript URIs', () => {
  test.each([
    [address(), 'hdpo', '/hdpo/rollout_data/17.jsonl/17 row 4.trajectory'],
    [address({ rest: { turn: 2, part: 0 } }), 'hdpo', '/hdpo/rollout_data/17.jsonl/4/turn-3.part-1.trajectory'],
    [address({ ref: { run: 'r', file: 'a\\b.json', row: 0 } }), 'C:\\logs', '/C: logs/a/b.json/b row 0.trajectory'],
    [address({ ref: { run: 'r', file: '../x.jsonl', row: 1 } }), '..', '/_/_/x.jsonl/x row 1.trajectory'],
    [address(), '', '/_/rollout_data/17.jsonl/17 row 4.trajectory'],
    [address(), '50 % of #1 ?', '/50 % of #1 ?/rollout_data/17.jsonl/17 row 4.trajectory'],
  ])('%j of %j', (given, runName, path) => {
    const uri = transcriptUri(given, runName);
    expect(uri.path).toBe(path);
    expect(uri.scheme).toBe(rolloutScheme);
  });

  test('round trip of any name and path', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('C:\\Users\\a b\\run', 'a%20b', 'x?y#z&q=1', 'é漢😀', '\\\\server\\share', 'a\nb', '"'),
    );
    const rest = fc.option(fc.record({ turn: fc.nat(), part: fc.nat() }));
    fc.assert(
      fc.property(name, name, name, fc.nat(), rest, name, (run, file, path, row, cut, runName) => {
        const given: RolloutAddress = { ref: { run, file, row }, path, rest: cut };
        const uri = throughText(transcriptUri(given, runName));
        expect(parseAddress(uri)).toEqual(given);
        expect(uri.path).toMatch(/^\/[^\n\r]*\.trajectory$/);
        expect(uri.path.split('/')).not.toContain('..');
        expect(imageOf(uri.query)).toBeNull();
      }),
    );
  });
});

describe('picture URIs', () => {
  test('name the picture and its rollout, and end as pictures do', () => {
    const uri = throughText(imageUri({ ...address(), image: 1 }, 'hdpo', 'png'));
    expect(uri.path).toBe('/hdpo/rollout_data/17.jsonl/4/image-2.png');
    expect(imageOf(uri.query)).toBe(1);
    expect(parseAddress(uri)).toEqual(address());
    expect(runNameOf(uri.path)).toBe('hdpo');
  });

  test.each(['', 'no json', '[]', '{"image":-1}', '{"image":"1"}', '{"image":1.5}', 'null'])(
    '%j names none',
    (query) => {
      expect(imageOf(query)).toBeNull();
    },
  );
});
