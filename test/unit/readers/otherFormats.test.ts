// What is recognised but not read: one small file each in test/fixtures/unread, and the sentence a user gets for it.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { recognise } from '../../../src/readers/all.ts';
import { readHead } from '../../../src/readers/head.ts';
import { otherFormats } from '../../../src/readers/otherFormats.ts';
import { bytesSource } from '../../../src/readers/source.ts';

const folder = join(import.meta.dirname, '../../fixtures/unread');
const pickle = 'refused, since reading a pickle can run code';
const oneEventAFile = 'one event of an episode, read with the first event of its folder';

/** A sentence that ends in an ellipsis goes on: only its beginning counts. */
const expected: { readonly [file: string]: string } = {
  'atif-part.json': 'a part of an ATIF trajectory: read with the trajectory that it continues or that started it',
  'blank.jsonl': 'unknown',
  'checkpoint.pt': `a torch save: ${pickle}; have the program that wrote it write JSON lines: …`,
  'empty.jsonl': 'an empty file',
  'empty.zip': 'an empty zip archive: not rollouts',
  'encrypted.parquet': 'an encrypted Parquet table: not read, since its key is not here',
  'events.out.tfevents.1767225600.host': 'a TensorBoard event file: not rollouts',
  'notes.zip': 'a zip archive: not read yet',
  'openhands-event-v0.json': `an OpenHands event: ${oneEventAFile}`,
  'openhands-event.json': `an OpenHands event: ${oneEventAFile}`,
  'global_step_3_training_input.pkl': `a SkyRL training batch: ${pickle}; convert the files that you trust, …`,
  'renamed-batch.pkl': `a SkyRL training batch: ${pickle}; convert the files that you trust, …`,
  'package.json': 'unknown',
  'pointer.jsonl': 'a Git LFS pointer: the file itself is not here yet (run "git lfs pull")',
  'prime-rl-metrics.jsonl': 'prime-rl metrics: not rollouts',
  'random.bin': 'unknown',
  'readme.txt': 'unknown',
  'slime-0.pt':
    'a slime rollout dump: refused, since reading a pickle can run code; convert the files that you trust …',
  'tau2-index.json': 'a tau2-bench index: its rollouts are in the folder "simulations" beside it',
  'utf16.jsonl': 'UTF-16 text: not read yet (save it as UTF-8)',
  'verl-metrics.jsonl': 'verl file logger metrics: not rollouts',
  'wandb.sqlite': 'a SQLite database: not rollouts',
  'weights.pkl': `a pickle: ${pickle}; have the program that wrote it write JSON lines: …`,
  'wandb.table.json': 'a wandb table: not read yet',
};

describe('files that are not read', () => {
  test.each(Object.entries(expected))('%s is %s', async (file, description) => {
    const bytes = readFileSync(join(folder, file));
    const found = recognise(await readHead(bytesSource(file, bytes)));
    expect(found.reader).toBeNull();
    if (found.kind === 'read') throw new Error('it is read');
    if (description.endsWith('…')) expect(found.description.startsWith(description.slice(0, -1))).toBe(true);
    else expect(found.description).toBe(description);
    const isUnknown = description === 'unknown' || description === 'an empty file';
    expect(found.kind).toBe(isUnknown ? 'unknown' : 'named');
  });

  test.each(['slime-0.pt', 'global_step_3_training_input.pkl'])(
    'the lines that convert %s are Python',
    async (file) => {
      const found = recognise(await readHead(bytesSource(file, readFileSync(join(folder, file)))));
      const code = found.kind === 'named' ? /python -c '([^']+)'/u.exec(found.description)?.[1] : undefined;
      if (code === undefined) throw new Error('no converter');
      const python = spawnSync('python3', ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], { input: code });
      if (python.error) console.warn('skipped: there is no python3 here');
      else expect(python.stderr.toString()).toBe('');
    },
  );

  test('every file here is in the table, and every row of the product table has a file', () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(expected).sort());
    const named = new Set(Object.values(expected).map((description) => description.split(':')[0]));
    expect(otherFormats.map((format) => format.name).filter((name) => !named.has(name))).toEqual([]);
  });
});
