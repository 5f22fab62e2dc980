// Lines: where they end, what is skipped, noted and read, at every border between two chunks.
import { describe, expect, test } from 'vitest';
import { readJsonLines } from '../../../src/readers/jsonLines.ts';
import { readJsonAt } from '../../../src/readers/parseJson.ts';
import { bytesSource, type Source } from '../../../src/readers/source.ts';
import { bytesOf, readRecords } from './readAll.ts';

const rows = (text: string, options = {}) => readRecords(readJsonLines, bytesOf(text), options);

interface Case {
  readonly name: string;
  readonly text: string;
  readonly values?: readonly unknown[];
  /** [line, first byte] of each record. */
  readonly places?: readonly (readonly [number, number])[];
  /** "code line" of each note. */
  readonly notes?: readonly string[];
  readonly sums: string;
  readonly next: readonly [row: number, line: number, first: number];
}

const cases: readonly Case[] = [
  {
    name: 'two lines',
    text: '{"a":1}\n{"a":2}\n',
    values: [{ a: 1 }, { a: 2 }],
    places: [
      [0, 0],
      [1, 8],
    ],
    sums: '2 2 0 0',
    next: [2, 2, 16],
  },
  {
    name: 'no line end at the end',
    text: '{"a":1}\n{"a":2}',
    values: [{ a: 1 }, { a: 2 }],
    sums: '2 2 0 0',
    next: [2, 1, 15],
  },
  {
    name: 'carriage returns',
    text: '{"a":1}\r\n\r\n{"a":2}\r\n',
    values: [{ a: 1 }, { a: 2 }],
    places: [
      [0, 0],
      [2, 11],
    ],
    sums: '3 2 1 0',
    next: [2, 3, 20],
  },
  {
    name: 'byte order mark',
    text: '\ufeff{"a":1}\n',
    values: [{ a: 1 }],
    places: [[0, 3]],
    sums: '1 1 0 0',
    next: [1, 1, 11],
  },
  {
    name: 'byte order mark in the middle',
    text: '{"a":1}\n\ufeff{"a":2}\n',
    values: [{ a: 1 }, { a: 2 }],
    sums: '2 2 0 0',
    next: [2, 2, 19],
  },
  {
    name: 'blank lines',
    text: '\n \t\n{"a":1}\n\n',
    values: [{ a: 1 }],
    places: [[2, 4]],
    sums: '4 1 3 0',
    next: [1, 4, 13],
  },
  { name: 'empty file', text: '', values: [], sums: '0 0 0 0', next: [0, 0, 0] },
  { name: 'only blanks', text: '  ', values: [], sums: '1 0 1 0', next: [0, 0, 0] },
  {
    name: 'a bad line keeps its row',
    text: '{"a":1}\n{oops}\n{"a":3}\n',
    values: [{ a: 1 }, { a: 3 }],
    notes: ['bad-json 1'],
    sums: '3 2 0 1',
    next: [3, 3, 23],
  },
  {
    name: 'two records in a line',
    text: '{"a":1}{"a":2}\n{"a":3}\n',
    values: [{ a: 3 }],
    notes: ['bad-json 0'],
    sums: '2 1 0 1',
    next: [2, 2, 23],
  },
  {
    name: 'not a record',
    text: '1\n{"a":3}\n',
    values: [{ a: 3 }],
    notes: ['not-a-record 0'],
    sums: '2 1 0 1',
    next: [2, 2, 10],
  },
  {
    name: 'partial last line',
    text: '{"a":1}\n{"a":',
    values: [{ a: 1 }],
    notes: ['partial-last-line 1'],
    sums: '2 1 0 1',
    next: [1, 1, 8],
  },
  {
    name: 'partial number',
    text: '{"a":1}\n12',
    values: [{ a: 1 }],
    notes: ['partial-last-line 1'],
    sums: '2 1 0 1',
    next: [1, 1, 8],
  },
  {
    name: 'only a partial line',
    text: '{"a"',
    values: [],
    notes: ['partial-last-line 0'],
    sums: '1 0 0 1',
    next: [0, 0, 0],
  },
  {
    name: 'line separators are text',
    text: '{"a":"x\u2028y\u2029z"}\n',
    values: [{ a: 'x\u2028y\u2029z' }],
    sums: '1 1 0 0',
    next: [1, 1, 18],
  },
  { name: 'lone surrogate', text: '{"a":"\\ud83d"}\n', values: [{ a: '\ud83d' }], sums: '1 1 0 0', next: [1, 1, 15] },
  {
    name: 'non-finite numbers, told once',
    text: '{"a":NaN,"b":"NaN"}\n{"a":[-Infinity, Infinity],"b":"\\"NaN"}\n',
    values: [
      { a: null, b: 'NaN' },
      { a: [null, null], b: '"NaN' },
    ],
    notes: ['non-finite-number 0'],
    sums: '2 2 0 0',
    next: [2, 2, 60],
  },
  { name: 'NaN in a word', text: '{"a":NaNo}\n', values: [], notes: ['bad-json 0'], sums: '1 0 0 1', next: [1, 1, 11] },
  {
    name: 'zero bytes',
    text: '{"a":1}\n\0\0\0\n',
    values: [{ a: 1 }],
    notes: ['bad-json 1'],
    sums: '2 1 0 1',
    next: [2, 2, 12],
  },
];

describe('readJsonLines', () => {
  test.each(cases)('$name, whatever the chunk size', async ({ text, values, places, notes, sums, next }) => {
    for (const chunkBytes of [1, 2, 3, 5, 7, 16, 1 << 20]) {
      const got = await rows(text, { chunkBytes });
      const { lines, read, skipped, noted } = got.summary;
      expect(got.records.map((record) => record.value)).toEqual(values);
      if (places) expect(got.records.map(({ place }) => [place.line, place.bytes.first])).toEqual(places);
      expect(got.notes.map((note) => `${note.code} ${note.line}`)).toEqual(notes ?? []);
      expect(`${lines} ${read} ${skipped} ${noted}`).toBe(sums);
      expect(got.summary.next).toEqual({ row: next[0], line: next[1], bytes: { first: next[2], count: 0 } });
      for (const { value, place } of got.records) {
        expect(await readJsonAt(bytesSource('x', bytesOf(text)), place)).toEqual(value);
      }
    }
  });

  test('reading on from `next` gives each record once, wherever the file was cut', async () => {
    const text = '{"a":1}\n\n{"a":"é\u2028"}\r\n{oops}\n{"a":3}\n{"a":4}';
    const bytes = bytesOf(text);
    const whole = await rows(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const before = await readRecords(readJsonLines, bytes.subarray(0, cut), { chunkBytes: 8 });
      const after = await readRecords(readJsonLines, bytes, { from: before.summary.next, chunkBytes: 8 });
      expect([...before.records, ...after.records]).toEqual(whole.records);
      expect(after.summary.next).toEqual(whole.summary.next);
      const none = await readRecords(readJsonLines, bytes, { from: after.summary.next });
      expect(none.summary.lines).toBe(0);
    }
  });

  test('a file that shrank below the place is read as nothing', async () => {
    const from = { row: 2, line: 2, bytes: { first: 100, count: 0 } };
    const got = await rows('{"a":1}\n', { from });
    expect(got.summary).toEqual({ lines: 0, read: 0, skipped: 0, noted: 0, next: from });
  });

  test('text behind a record that was read without its line end is noted', async () => {
    const first = await rows('{"a":1}');
    const second = await rows('{"a":1}x\n{"a":2}\n', { from: first.summary.next });
    expect(second.notes.map((note) => `${note.code} ${note.line}`)).toEqual(['bad-json 0']);
    expect(second.records.map((record) => record.place.line)).toEqual([1]);
  });

  test.each([64, 1 << 20])('a line over the limit is noted and never decoded (chunks of %d)', async (chunkBytes) => {
    const text = `{"a":1}\n{"a":"${'x'.repeat(5000)}"}\n{"a":3}\n`;
    const got = await rows(text, { chunkBytes, maximumBytes: 1000 });
    expect(got.records.map(({ value, place }) => [value, place.row, place.line])).toEqual([
      [{ a: 1 }, 0, 0],
      [{ a: 3 }, 2, 2],
    ]);
    expect(got.notes).toMatchObject([
      { code: 'line-too-long', line: 1, message: expect.stringContaining('5008 bytes') },
    ]);
    const open = await rows(text.slice(0, -20), { chunkBytes, maximumBytes: 1000 });
    expect(open.notes).toMatchObject([{ code: 'partial-last-line', line: 1 }]);
    expect(open.summary.next.bytes.first).toBe(8);
  });

  test('a line of 20 MB is read', async () => {
    const long = 'é'.repeat(10_000_000);
    const got = await rows(`{"a":1}\n{"a":"${long}"}\n{"a":3}\n`);
    expect(got.records.map(({ value }) => Object.values(value ?? {})[0] === long)).toEqual([false, true, false]);
    expect(got.summary).toMatchObject({ lines: 3, read: 3 });
  });

  test('a deeply nested line is a note, not a crash', async () => {
    const depth = 1_000_000;
    const text = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}\n{"a":${'{"b":'.repeat(depth)}1${'}'.repeat(depth)}}\n{"a":3}\n`;
    const got = await rows(text);
    expect(got.records.map((record) => record.value)).toEqual([{ a: 3 }]);
    expect(got.notes.map((note) => note.message)).toEqual(Array(2).fill('nested deeper than 512 levels'));
  });

  test('invalid UTF-8 is read with replacements and told once; a written U+FFFD is not', async () => {
    const bytes = Buffer.concat([bytesOf('{"a":"\ufffd"}\n{"a":"'), Buffer.from([0xff, 0xc3]), bytesOf('"}\n')]);
    const got = await readRecords(readJsonLines, bytes);
    expect(got.records.map((record) => record.value)).toEqual([{ a: '\ufffd' }, { a: '\ufffd\ufffd' }]);
    expect(got.notes.map((note) => `${note.severity} ${note.code} ${note.line}`)).toEqual([
      'information invalid-utf8 1',
    ]);
  });

  test('an abort stops it between lines, and other work gets its turn', async () => {
    const controller = new AbortController();
    const bytes = bytesOf('{"a":1}\n'.repeat(2_000_000));
    let turns = 0;
    const timer = setInterval(() => {
      if (++turns === 3) controller.abort();
    }, 1);
    let read = 0;
    const reading = readRecords(readJsonLines, bytes, { signal: controller.signal, record: () => (read++, null) });
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    clearInterval(timer);
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThan(2_000_000);
  });

  test('a source that fills the given buffer gives the same records as one that brings its own', async () => {
    const text = `{"a":"${'x'.repeat(300)}"}\n`.repeat(50);
    const bytes = bytesOf(text);
    const records: unknown[] = [];
    const filling: Source = {
      name: 'log.jsonl',
      sizeBytes: bytes.length,
      read: (first, count, target = Buffer.alloc(count)) => {
        const part = bytes.subarray(first, first + count);
        target.set(part);
        return Promise.resolve(target.subarray(0, part.length));
      },
    };
    await readJsonLines(filling, {
      from: null,
      signal: new AbortController().signal,
      record: (value, place) => (records.push({ value, place }), null),
      note: (note) => expect(note).toBeNull(),
      chunkBytes: 100,
    });
    expect(records).toEqual((await rows(text)).records);
  });
});
