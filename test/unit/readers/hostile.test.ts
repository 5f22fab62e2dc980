// Hostile values at every top-level key of every format, and hostile files through every reader: a note or a rollout that
// keeps the rules, never an exception (what random damage finds, `npm run fuzz` looks for).
import { describe, expect, test } from 'vitest';
import { isObject } from '../../../src/base/json.ts';
import { readJsonArray } from '../../../src/readers/jsonArray.ts';
import { readJsonDocuments } from '../../../src/readers/jsonDocument.ts';
import { readJsonLines } from '../../../src/readers/jsonLines.ts';
import type { Source } from '../../../src/readers/source.ts';
import type { Note } from '../../../src/model/note.ts';
import type { RecordsOptions } from '../../../src/readers/records.ts';
import { checkCase, type Claim } from '../../fuzz/checkCase.ts';
import { claimOf, type Fixture, fixtures } from './fixtureFolders.ts';
import { bytesOf } from './readAll.ts';

const all = fixtures();

/** JSON texts that must not break a reader wherever they stand. */
const values: Readonly<Record<string, string>> = {
  null: 'null',
  true: 'true',
  'an empty text': '""',
  'an empty list': '[]',
  'an empty object': '{}',
  NaN: 'NaN',
  '-Infinity': '-Infinity',
  'a number above every double': '1e999',
  'a number of 40 digits': '1234567890123456789012345678901234567890',
  'minus zero': '-0',
  'a fraction': '-1.5',
  'a lone surrogate': '"\\ud83d"',
  'NUL bytes': '"\\u0000a\\u0000"',
  'line ends': '"a\\r\\nb\\rc\\u2028d"',
  'an own __proto__': '{"__proto__":{"polluted":1},"constructor":{"prototype":null},"length":-1}',
  'an own toString': '{"toString":1,"valueOf":null,"toJSON":2}',
  'a list with an own toString': '[{"toString":1,"valueOf":null}]',
  'a key twice': '{"role":"assistant","role":5,"content":"a","content":[]}',
  'a list of everything': '[null,true,1,"a",[],{},[[[]]],{"role":"assistant","content":null,"tool_calls":[null,{}]}]',
  'a picture that is none': '{"type":"image_url","image_url":{"url":"data:image/png;base64,bm90IGEgcGljdHVyZQ=="}}',
  'a picture that is a page':
    '[{"type":"image","image":"data:text/html;base64,PHNjcmlwdD4="},"data:image/svg+xml,<svg onload=1>"]',
  'a picture without data': '{"type":"image","source":{"type":"base64","media_type":"image/png","data":""}}',
  'a cut data URL': '"data:image/png;base64"',
  '300 levels': '['.repeat(300) + ']'.repeat(300),
  '100,000 levels': '['.repeat(100_000) + ']'.repeat(100_000),
  'a wide object': `{${Array.from({ length: 3000 }, (_, index) => `"k${index}":${index}`).join(',')}}`,
};

const mark = '@@HOSTILE@@';

/** The log with the value of one top-level key of its first record as `mark`, a copy a key. */
function marked({ bytes, kind }: Fixture): { readonly key: string; readonly text: string }[] {
  const source = bytes.toString('utf8');
  const out: { key: string; text: string }[] = [];
  if (kind === 'array') {
    const root = JSON.parse(source) as unknown;
    const record = (Array.isArray(root) ? root : [root]).find(isObject) as { [key: string]: unknown } | undefined;
    for (const key of Object.keys(record ?? {})) {
      const before = record?.[key];
      if (record !== undefined) record[key] = mark;
      out.push({ key, text: JSON.stringify(root, null, 1) });
      if (record !== undefined) record[key] = before;
    }
  } else if (kind === 'lines') {
    const lines = source.split('\n');
    const at = lines.findIndex((line) => line.startsWith('{'));
    const record = JSON.parse(lines[at] ?? '{}') as { [key: string]: unknown };
    for (const key of Object.keys(record)) {
      const line = JSON.stringify({ ...record, [key]: mark });
      out.push({ key, text: [...lines.slice(0, at), line, ...lines.slice(at + 1)].join('\n') });
    }
  }
  return out;
}

describe.each(all.filter(({ kind }) => kind === 'lines' || kind === 'array'))('$id', (fixture) => {
  test('survives every hostile value at every top-level key', { timeout: 120_000 }, async () => {
    const claim = await claimOf(fixture.name, fixture.bytes);
    const others: readonly Claim[] = claim === null ? [] : [claim];
    let seed = 1;
    for (const { key, text } of safely(() => marked(fixture))) {
      for (const [called, value] of Object.entries(values)) {
        const bytes = bytesOf(text.replaceAll(`"${mark}"`, () => value));
        try {
          await checkCase(bytes, { name: fixture.name, others, seed: seed++ });
        } catch (error) {
          throw new Error(`${key} is ${called}`, { cause: error });
        }
      }
    }
  });
});

/** A fixture whose first line is broken on purpose has its own tests. */
function safely<T>(make: () => readonly T[]): readonly T[] {
  try {
    return make();
  } catch {
    return [];
  }
}

const files: Readonly<Record<string, string | Buffer>> = {
  nothing: '',
  'one byte': '{',
  'a byte order mark alone': Buffer.from([0xef, 0xbb, 0xbf]),
  'a thousand blank lines': '\n'.repeat(1000),
  'carriage returns alone': '{"a":1}\r{"a":2}\r',
  'a megabyte of NUL': Buffer.alloc(1_000_000),
  '200,000 quotes': '"'.repeat(200_000),
  'a megabyte of backslashes': `"${'\\'.repeat(1_000_000)}`,
  '100,000 open brackets': '['.repeat(100_000),
  '100,000 open objects': '{"a":'.repeat(100_000),
  'a list 100,000 deep': `${'['.repeat(100_000)}${']'.repeat(100_000)}\n`,
  'an object 100,000 deep': `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}\n`,
  '20,000 empty objects': '{}\n'.repeat(20_000),
  '20,000 objects in one line': '{}'.repeat(20_000),
  'a list of 20,000 nulls': `[${'null,'.repeat(20_000)}null]`,
  'invalid UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x22, 0xc3, 0x22, 0x7d, 0x0a]),
  numbers: '1\n2\n3\n',
};

describe('every reader', () => {
  test.each(Object.entries(files))('survives %s', { timeout: 120_000 }, async (_, content) => {
    const claims: Claim[] = [];
    for (const fixture of all) {
      const claim = await claimOf(fixture.name, fixture.bytes);
      if (claim !== null) claims.push(claim);
    }
    const formats = new Map(claims.map((claim) => [`${claim.reader.format} ${claim.recognition.variant}`, claim]));
    await checkCase(Buffer.from(content), { name: 'log', others: [...formats.values()], seed: 3 });
  });
});

/** A source of `sizeBytes` bytes that are made when they are asked for: `head`, then `x`, then `tail`. */
function longLine(head: string, sizeBytes: number, tail: string): Source {
  return {
    name: 'log',
    sizeBytes,
    read: (first, count, target) => {
      const end = Math.min(sizeBytes, first + count);
      const bytes = (target ?? Buffer.alloc(Math.max(0, end - first))).subarray(0, Math.max(0, end - first));
      bytes.fill(0x78);
      for (const [text, at] of [[head, 0] as const, [tail, sizeBytes - tail.length] as const]) {
        for (let index = 0; index < text.length; index++) {
          const position = at + index - first;
          if (position >= 0 && position < bytes.length) bytes[position] = text.charCodeAt(index);
        }
      }
      return Promise.resolve(bytes);
    },
  };
}

describe('a line without an end', () => {
  const streams = [
    { called: 'lines', read: readJsonLines, head: '{"a":"', tail: '"}\n{"b":1}\n' },
    { called: 'an array', read: readJsonArray, head: '[{"a":"', tail: '"},\n{"b":1}]' },
    { called: 'documents', read: readJsonDocuments, head: '{"a":"', tail: '"}\n{"b":1}\n' },
  ];
  test.each(streams)('of 100 MB in $called costs a note and its limit in memory', async ({ read, head, tail }) => {
    const notes: Note[] = [];
    const seen: unknown[] = [];
    const options: RecordsOptions = {
      from: null,
      signal: new AbortController().signal,
      record: (value) => {
        seen.push(value);
        return null;
      },
      note: (note) => notes.push(note),
      maximumBytes: 8 * 1024 * 1024,
    };
    const before = process.memoryUsage().rss;
    const summary = await read(longLine(head, 100 * 1024 * 1024, tail), options);
    expect(seen).toEqual([{ b: 1 }]);
    expect(summary).toMatchObject({ lines: 2, read: 1, noted: 1 });
    expect(notes.map((note) => note.code)).toEqual(['line-too-long']);
    expect(process.memoryUsage().rss - before).toBeLessThan(120 * 1024 * 1024);
  });
});
