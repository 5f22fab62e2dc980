// Items of one JSON array: where they start and end, at every border between two chunks and every cut.
import { describe, expect, test } from 'vitest';
import { readJsonArray } from '../../../src/readers/jsonArray.ts';
import { readJsonAt } from '../../../src/readers/parseJson.ts';
import { bytesSource, type Source } from '../../../src/readers/source.ts';
import { bytesOf, readRecords } from './readAll.ts';

interface Case {
  readonly name: string;
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly lines?: readonly number[];
  readonly notes?: readonly string[];
  /** lines read skipped noted. */
  readonly sums: string;
  readonly next?: readonly [row: number, line: number, first: number];
}

const cases: readonly Case[] = [
  { name: 'one line', text: '[{"a":1},{"a":2}]', values: [{ a: 1 }, { a: 2 }], sums: '2 2 0 0', next: [2, 0, 16] },
  {
    name: 'pretty',
    text: '[\n  {\n    "a": 1\n  },\n  {\n    "a": 2\n  }\n]\n',
    values: [{ a: 1 }, { a: 2 }],
    lines: [1, 4],
    sums: '2 2 0 0',
    next: [2, 6, 40],
  },
  { name: 'empty', text: ' [ ]\n', sums: '0 0 0 0', next: [0, 0, 0] },
  { name: 'byte order mark', text: '\ufeff[{"a":1}]', values: [{ a: 1 }], sums: '1 1 0 0' },
  {
    name: 'brackets and quotes in strings',
    text: '[{"a":"]}\\"[{\\\\"},["x]"]]',
    values: [{ a: ']}"[{\\' }, ['x]']],
    sums: '2 2 0 0',
  },
  {
    name: 'scalars',
    text: '[1, "a,]" ,null,{"a":1},true]',
    values: [{ a: 1 }],
    notes: ['not-a-record 0', 'not-a-record 0', 'not-a-record 0', 'not-a-record 0'],
    sums: '5 1 0 4',
  },
  {
    name: 'a bad item',
    text: '[\n{"a":1},\n{a:2},\n{"a":3}\n]',
    values: [{ a: 1 }, { a: 3 }],
    notes: ['bad-json 2'],
    sums: '3 2 0 1',
    next: [3, 3, 25],
  },
  {
    name: 'a word that is none',
    text: '[{"a":1}, nope, {"a":3}]',
    values: [{ a: 1 }, { a: 3 }],
    notes: ['bad-json 0'],
    sums: '3 2 0 1',
  },
  { name: 'NaN', text: '[{"a":NaN}]', values: [{ a: null }], notes: ['non-finite-number 0'], sums: '1 1 0 0' },
  {
    name: 'cut in an item',
    text: '[\n{"a":1},\n{"a":',
    values: [{ a: 1 }],
    notes: ['partial-last-line 2'],
    sums: '2 1 0 1',
    next: [1, 1, 9],
  },
  {
    name: 'cut between items',
    text: '[{"a":1},',
    values: [{ a: 1 }],
    notes: ['partial-last-line 0'],
    sums: '2 1 0 1',
    next: [1, 0, 8],
  },
  { name: 'cut in a string, behind a backslash', text: '["a\\', notes: ['partial-last-line 0'], sums: '1 0 0 1' },
  { name: 'nothing', text: '', notes: ['partial-last-line 0'], sums: '1 0 0 1', next: [0, 0, 0] },
  {
    name: 'text behind the end',
    text: '[{"a":1}]\n\nmore',
    values: [{ a: 1 }],
    notes: ['bad-json 2'],
    sums: '2 1 0 1',
    next: [1, 0, 8],
  },
  { name: 'no array', text: '{"a":1}', notes: ['bad-json 0'], sums: '1 0 0 1', next: [0, 0, 0] },
  {
    name: 'brackets that do not match',
    text: '[{"a":[1},{"a":2}]',
    notes: ['bad-json 0', 'partial-last-line 0'],
    sums: '2 0 0 2',
  },
];

describe('readJsonArray', () => {
  test.each(cases)('$name, whatever the chunk size', async ({ text, values, lines, notes, sums, next }) => {
    for (const chunkBytes of [1, 2, 3, 5, 8, 1 << 20]) {
      const got = await readRecords(readJsonArray, bytesOf(text), { chunkBytes });
      const { lines: count, read, skipped, noted } = got.summary;
      expect(got.records.map((record) => record.value)).toEqual(values ?? []);
      if (lines) expect(got.records.map((record) => record.place.line)).toEqual(lines);
      expect(got.notes.map((note) => `${note.code} ${note.line}`)).toEqual(notes ?? []);
      expect(`${count} ${read} ${skipped} ${noted}`).toBe(sums);
      if (next) expect(got.summary.next).toEqual({ row: next[0], line: next[1], bytes: { first: next[2], count: 0 } });
      for (const { value, place } of got.records) {
        expect(await readJsonAt(bytesSource('x', bytesOf(text)), place)).toEqual(value);
      }
    }
  });

  test('reading on from `next` after the array grew gives each item once', async () => {
    const text = '[\n  {"a": [1, "é]"]},\n  {"a": 2},\n  {"a": "\\"}"}\n]\n';
    const bytes = bytesOf(text);
    const whole = await readRecords(readJsonArray, bytes);
    expect(whole.records.length).toBe(3);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const before = await readRecords(readJsonArray, bytes.subarray(0, cut), { chunkBytes: 8 });
      const after = await readRecords(readJsonArray, bytes, { from: before.summary.next, chunkBytes: 8 });
      expect([...before.records, ...after.records]).toEqual(whole.records);
      expect(after.summary.next).toEqual(whole.summary.next);
    }
    // A writer that closes the array after each task: the bracket becomes a comma.
    const grown = bytesOf(text.replace(/\n\]\n$/, ',\n  {"a": 4}\n]\n'));
    const more = await readRecords(readJsonArray, grown, { from: whole.summary.next });
    expect(more.records.map(({ value, place }) => [value, place.row, place.line])).toEqual([[{ a: 4 }, 3, 4]]);
  });

  test.each([64, 1 << 20])('an item over the limit is noted and never decoded (chunks of %d)', async (chunkBytes) => {
    const text = `[{"a":1},\n{"a":"${'x'.repeat(5000)}"},\n{"a":3}]`;
    const got = await readRecords(readJsonArray, bytesOf(text), { chunkBytes, maximumBytes: 1000 });
    expect(got.records.map(({ value, place }) => [value, place.row, place.line])).toEqual([
      [{ a: 1 }, 0, 0],
      [{ a: 3 }, 2, 2],
    ]);
    expect(got.notes).toMatchObject([
      { code: 'line-too-long', line: 1, message: expect.stringContaining('5008 bytes') },
    ]);
  });

  test('an item of 20 MB and a deeply nested one', async () => {
    const long = 'x'.repeat(20_000_000);
    const deep = '['.repeat(1_000_000) + ']'.repeat(1_000_000);
    const got = await readRecords(readJsonArray, bytesOf(`[{"a":1},{"a":"${long}"},{"a":${deep}},{"a":4}]`));
    expect(got.records.map((record) => record.place.row)).toEqual([0, 1, 3]);
    expect(got.notes).toMatchObject([{ code: 'bad-json', message: 'nested deeper than 512 levels' }]);
  });

  test('80 MB are streamed in pieces of 4 MB', async () => {
    const item = bytesOf(`,\n${JSON.stringify({ a: 'x'.repeat(16_000) })}`);
    const sizeBytes = 80_000_000 - (80_000_000 % item.length);
    let most = 0;
    const source: Source = {
      name: 'large.json',
      sizeBytes,
      read: (first, count) => {
        most = Math.max(most, count);
        const piece = Buffer.alloc(Math.max(0, Math.min(count, sizeBytes - first)));
        for (let at = 0; at < piece.length;) {
          const from = (first + at) % item.length;
          at += item.copy(piece, at, from);
        }
        // The comma of the first item stands where the array opens.
        if (first === 0) piece[0] = '['.charCodeAt(0);
        return Promise.resolve(piece);
      },
    };
    let read = 0;
    const { signal } = new AbortController();
    const summary = await readJsonArray(source, { from: null, signal, record: () => (read++, null), note: () => {} });
    expect(most).toBe(4 * 1024 * 1024);
    expect(read).toBe(sizeBytes / item.length);
    expect(summary.next.bytes.first).toBe(sizeBytes);
  });

  test('an abort stops it', async () => {
    const reading = readRecords(readJsonArray, bytesOf('[{"a":1}]'), { signal: AbortSignal.abort() });
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  });
});
