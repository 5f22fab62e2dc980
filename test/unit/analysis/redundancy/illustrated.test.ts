/**
 * The rules against the run written by hand, whose marks were set without them: every marked call is flagged by its rule,
 * every near miss is left alone by it. Leaves out `sibling`, which looks at groups.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { flagRollout, rules } from '../../../../src/analysis/redundancy/all.ts';
import { claimOf } from '../../readers/fixtureFolders.ts';
import { readAll } from '../../readers/readAll.ts';
import { fixtures, objectsOf, shipped } from '../../sample/sampleFolders.ts';

const marks = objectsOf(join(fixtures, 'illustrated.json'));
const known = new Set(rules.map(({ id }) => id));

test.each([...new Set(marks.map(({ file }) => String(file)))])('%s', async (file) => {
  const bytes = await readFile(join(shipped, 'illustrated', file));
  const claim = await claimOf('1.jsonl', bytes);
  if (claim === null) throw new Error(`${file} is not recognised`);
  const { rollouts } = await readAll(claim, bytes);
  const flagged = new Set(
    rollouts.flatMap((rollout, row) => flagRollout(rollout).map(({ call, rule }) => `${row} ${call} ${rule}`)),
  );
  const marked = marks.filter((mark) => mark.file === file && known.has(String(mark.rule)));
  const judged = marked.map(({ row, call, rule, kind }) => {
    const place = `${String(row)} ${String(call)} ${String(rule)}`;
    return [place, kind === 'flagged', flagged.has(place)] as const;
  });
  expect(judged.length).toBeGreaterThan(3);
  expect(judged.filter(([, wanted, found]) => wanted !== found)).toEqual([]);
});
