// Detection: the container and the first record of a head, how far it reads, and that nothing makes it throw.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { recognise } from '../../../src/readers/all.ts';
import { readHead } from '../../../src/readers/head.ts';
import { bytesSource, type Source } from '../../../src/readers/source.ts';
import { fixtures } from './fixtureFolders.ts';
import { mutateBytes, randomFrom } from './mutate.ts';
import { bytesOf } from './readAll.ts';

const kilobytes = (count: number): string => 'x'.repeat(count * 1024);

interface Case {
  readonly name: string;
  readonly text: string;
  readonly container: string;
  readonly keys?: string;
  readonly first?: unknown;
}

const cases: readonly Case[] = [
  {
    name: 'lines',
    text: '{"a":1,"b":{"c":2}}\n{"a":2}\n',
    container: 'jsonl',
    keys: 'a b',
    first: { a: 1, b: { c: 2 } },
  },
  { name: 'one line', text: '{"a":1}', container: 'jsonl', keys: 'a', first: { a: 1 } },
  { name: 'one line being written', text: '{"a":1,"b":{"x":1,"y', container: 'jsonl', keys: 'a b', first: null },
  { name: 'lines with NaN', text: '{"a":NaN}\n', container: 'jsonl', keys: 'a', first: { a: null } },
  {
    name: 'a torn first line',
    text: '{"a":1,"b\n{"a":2,"b":3}\n',
    container: 'jsonl',
    keys: 'a b',
    first: { a: 2, b: 3 },
  },
  { name: 'blank lines first', text: '\ufeff\r\n\n {"a":1}\n', container: 'jsonl', keys: 'a', first: { a: 1 } },
  {
    name: 'arrays in lines',
    text: '[{"role":"user"}]\n[{"role":"user"}]\n',
    container: 'jsonl',
    keys: '',
    first: [{ role: 'user' }],
  },
  {
    name: 'a document',
    text: '{\n "a": 1,\n "b": [\n{"c": 1}\n]\n}\n',
    container: 'json-object',
    keys: 'a b',
    first: { a: 1, b: [{ c: 1 }] },
  },
  {
    name: 'a document being written',
    text: '{\n "a": 1,\n "b": [',
    container: 'json-object',
    keys: 'a b',
    first: null,
  },
  {
    name: 'escaped keys',
    text: '{\n "a\\"\\u0062": 1, "\\\\": 2, "c" : ":"',
    container: 'json-object',
    keys: 'a"b \\ c',
    first: null,
  },
  { name: 'an array', text: '[\n {"a": 1},\n {"b": 1}\n]', container: 'json-array', keys: 'a', first: { a: 1 } },
  { name: 'an array in one line', text: '[{"a": 1}, {"b": 1}]', container: 'json-array', keys: 'a', first: { a: 1 } },
  { name: 'an array being written', text: '[\n {"a": 1, "b": "', container: 'json-array', keys: 'a b', first: null },
  {
    name: 'an array whose first item is bad',
    text: '[{a}, {"b": 1}]',
    container: 'json-array',
    keys: 'b',
    first: { b: 1 },
  },
  { name: 'an empty array', text: '[]', container: 'json-array', keys: '', first: null },
  { name: 'a section', text: '[section]\nkey=1\n', container: 'other', keys: '', first: null },
  { name: 'a number', text: '12\n', container: 'other', keys: '', first: null },
  { name: 'nothing', text: '', container: 'other', keys: '', first: null },
];

/** A source that counts what is asked of it. */
function counting(text: string): { readonly source: Source; readonly read: () => number } {
  const bytes = bytesOf(text);
  let most = 0;
  const inner = bytesSource('17.jsonl', bytes);
  return {
    source: { ...inner, read: (first, count) => ((most = Math.max(most, first + count)), inner.read(first, count)) },
    read: () => most,
  };
}

describe('readHead', () => {
  test.each(cases)('$name', async ({ text, container, keys, first }) => {
    const head = await readHead(bytesSource('x', bytesOf(text)));
    expect(head.container).toBe(container);
    if (keys !== undefined) expect([...head.keys].join(' ')).toBe(keys);
    if (first !== undefined) expect(head.first).toEqual(first);
  });

  test('a first line longer than 64 KB is known by its keys, with as few bytes as that takes', async () => {
    const record = (output: string, images: string): string =>
      `{"input":"a","output":"${output}","gts":"b","score":1.0,"step":17,"tool_interact_info":["${images}"]}\n`;
    const sizes = [
      [record('x', kilobytes(4)), 64],
      [record('x', kilobytes(9000)), 64],
      [record(kilobytes(100), kilobytes(9000)), 512],
      [record(kilobytes(600), kilobytes(9000)), 8192],
      [record(kilobytes(9000), 'x'), 8192],
    ] as const;
    for (const [text, expected] of sizes) {
      const { source, read } = counting(text + text);
      const head = await readHead(source);
      expect(head.container).toBe('jsonl');
      expect(read()).toBe(expected * 1024);
      const isShort = expected < 8192 || text.indexOf('gts') < 8192 * 1024;
      if (isShort) expect(recognise(head)).toMatchObject({ kind: 'read', recognition: { format: 'verl' } });
      else expect([...head.keys]).toEqual(['input', 'output']);
    }
  });

  test('a long document or item is read until its keys are known', async () => {
    const long = `{\n "environment": "main",\n "trajectory": ["${kilobytes(300)}"],\n "history": [], "info": {}\n}`;
    expect(recognise(await readHead(bytesSource('a.traj', bytesOf(long))))).toMatchObject({
      kind: 'read',
      recognition: { format: 'swe-agent' },
    });
    const item = `[\n {"task_id": 0, "reward": 1.0, "info": "${kilobytes(300)}", "traj": [], "trial": 0}\n]`;
    expect(recognise(await readHead(bytesSource('a.json', bytesOf(item))))).toMatchObject({ kind: 'read' });
  });

  test('a pickle, a picture, a program: nothing makes detection throw', { timeout: 120_000 }, async () => {
    const unread = join(import.meta.dirname, '../../fixtures/unread');
    const logs = [
      ...readdirSync(unread).map((name) => ({ name, bytes: readFileSync(join(unread, name)) })),
      ...fixtures().map(({ name, bytes }) => ({ name, bytes })),
    ];
    for (let seed = 0; seed < 10_000; seed++) {
      const random = randomFrom(seed);
      const log = logs[seed % logs.length];
      if (log === undefined) throw new Error('no files');
      const bytes =
        seed % 5 === 0
          ? Buffer.from(Array.from({ length: Math.floor(random() * 300) }, () => Math.floor(random() * 256)))
          : mutateBytes(log.bytes, random);
      const found = recognise(await readHead(bytesSource(log.name, bytes)));
      expect(['read', 'named', 'unknown']).toContain(found.kind);
    }
  });

  test('deep nesting does not overflow the stack', async () => {
    for (const deep of ['['.repeat(500_000), '{"a":'.repeat(500_000), `{"a":1,"b":${'['.repeat(200_000)}`]) {
      expect(recognise(await readHead(bytesSource('x', bytesOf(deep)))).kind).toBe('unknown');
    }
  });
});
