// Runs of one name: what is put behind it.
import { expect, test } from 'vitest';
import { distinctNames } from '../../../src/host/distinctNames.ts';

const named = (...paths: readonly string[]): readonly string[] =>
  distinctNames(paths.map((path) => ({ path, name: path.slice(path.lastIndexOf('/') + 1) }))).map(({ name }) => name);

test.each<[string, readonly string[], readonly string[]]>([
  ['one run keeps its name', ['/w/x/a.jsonl'], ['a.jsonl']],
  ['different names are left alone', ['/w/x/a.jsonl', '/w/x/b.jsonl'], ['a.jsonl', 'b.jsonl']],
  ['the folder right above', ['/w/x/a.jsonl', '/w/b.jsonl', '/w/y/a.jsonl'], ['a.jsonl (x)', 'b.jsonl', 'a.jsonl (y)']],
  ['the lowest folder that differs', ['/w/x/logs/a.jsonl', '/w/y/logs/a.jsonl'], ['a.jsonl (x)', 'a.jsonl (y)']],
  [
    'two folders where one does not tell them all apart',
    ['/w/x/1/a.jsonl', '/w/x/2/a.jsonl', '/w/y/1/a.jsonl'],
    ['a.jsonl (x/1)', 'a.jsonl (x/2)', 'a.jsonl (y/1)'],
  ],
  ['of different depth', ['/w/a.jsonl', '/w/x/a.jsonl'], ['a.jsonl (w)', 'a.jsonl (x)']],
  ['folders as runs', ['/w/x/run', '/w/y/run'], ['run (x)', 'run (y)']],
  ['the same path twice has nothing to tell', ['/w/run', '/w/run'], ['run', 'run']],
])('%s', (_, paths, names) => {
  expect(named(...paths)).toEqual(names);
});

test('five of one name have five names', () => {
  const paths = ['mon', 'tue', 'wed', 'thu', 'fri'].map((day) => `/w/${day}/out/a.jsonl`);
  expect(new Set(named(...paths)).size).toBe(5);
});
