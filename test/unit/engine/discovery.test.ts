/** Which files become which runs, what is left out, and what is said about it. */
import { chmod, copyFile, mkdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { scanFolder, scanTree, usualLimits, type ScanLimits, type TreeScan } from '../../../src/engine/discovery.ts';
import { createFileHeads } from '../../../src/engine/fileHeads.ts';
import { createParquetTables } from '../../../src/store/parquetRows.ts';
import { dump, line, temporaryFolder, write } from './logs.ts';

const tables = createParquetTables(join(tmpdir(), 'rollout-lens-test-parquet'));

afterAll(() => tables.close());

async function scan(files: Readonly<Record<string, string>>, limits: Partial<ScanLimits> = {}): Promise<TreeScan> {
  const root = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) await write(join(root, name), text);
  const found = await scanTree([root], { heads: createFileHeads(tables), limits: { ...usualLimits, ...limits } });
  const short = (path: string): string => path.slice(root.length + 1);
  return {
    ...found,
    runs: found.runs.map((run) => ({ ...run, path: short(run.path) })),
    notes: found.notes.map((note) => ({ ...note, file: short(note.file) })),
  };
}

const tau = JSON.stringify(
  [{ task_id: 1, reward: 1, trial: 0, info: {}, traj: [{ role: 'user', content: 'hi' }] }],
  null,
  2,
);
const array = JSON.stringify([{ data_source: 'd', prompt: 'p', response: 'r', tool_interact_info: [] }], null, 2);
const step = (n: number): string => dump({ step: n });

/** Files → path, pattern and file names of the runs they form. */
const cases: readonly {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly runs: readonly (readonly [path: string, pattern: string | null, files: string])[];
}[] = [
  {
    name: 'step files of a folder, in numeric order',
    files: { 'run/10.jsonl': step(10), 'run/9.jsonl': step(9), 'run/1.jsonl': step(1) },
    runs: [['run', '#.jsonl', '1.jsonl 9.jsonl 10.jsonl']],
  },
  {
    name: 'one step file: a training that has just started',
    files: { 'run/1.jsonl': step(1) },
    runs: [['run', '#.jsonl', '1.jsonl']],
  },
  {
    name: 'runs in several folders, however deep',
    files: { 'a/b/c/1.jsonl': step(1), 'a/1.jsonl': step(1), '2.jsonl': step(2) },
    runs: [
      ['', '#.jsonl', '2.jsonl'],
      ['a', '#.jsonl', '1.jsonl'],
      ['a/b/c', '#.jsonl', '1.jsonl'],
    ],
  },
  {
    name: 'a log without a step in its name is a run of its own',
    files: { 'logs/alpha.jsonl': step(1), 'logs/beta.jsonl': step(2) },
    runs: [
      ['logs/alpha.jsonl', null, 'alpha.jsonl'],
      ['logs/beta.jsonl', null, 'beta.jsonl'],
    ],
  },
  {
    name: 'two series of steps in one folder',
    files: { 'x/train-step-1.json': array, 'x/train-step-2.json': array, 'x/7.jsonl': step(7) },
    runs: [
      ['x', '#.jsonl', '7.jsonl'],
      ['x', 'train-step-#.json', 'train-step-1.json train-step-2.json'],
    ],
  },
  {
    name: 'logs among everything else that a workspace holds',
    files: {
      'package.json': '{"name": "x"}',
      'tsconfig.json': '{}',
      'data.jsonl': '{"text": "hello"}\n',
      'empty.jsonl': '',
      'binary.json': '\u0000\u0001\u0002',
      'README.md': line(),
      '.hidden/1.jsonl': step(1),
      'node_modules/x/1.jsonl': step(1),
      'results/airline.json': tau,
    },
    runs: [['results/airline.json', null, 'airline.json']],
  },
  { name: 'a workspace without logs', files: { 'src/a.json': '{"a": 1}', 'b.txt': 'b' }, runs: [] },
];

describe('runs', () => {
  it.each(cases)('$name', async ({ files, runs }) => {
    const found = await scan(files);
    const formed = found.runs.map(
      (run) => [run.path, run.pattern, run.files.map((file) => file.name).join(' ')] as const,
    );
    expect(formed).toEqual(runs);
    expect(found.notes.filter(({ severity }) => severity !== 'information')).toEqual([]);
    expect(new Set(found.runs.map(({ id }) => id)).size).toBe(runs.length);
    for (const { id } of found.runs) expect(id).toMatch(/^[0-9a-f]{16}$/);
  });

  it('are named after the folder, with the pattern where a folder holds several', async () => {
    const found = await scan({
      'x/train-step-1.json': array,
      'x/7.jsonl': step(7),
      'y/1.jsonl': step(1),
      'y/b.jsonl': step(1),
    });
    expect(found.runs.map((run) => run.name)).toEqual(['x (#.jsonl)', 'x (train-step-#.json)', 'y', 'b.jsonl']);
  });

  it('keep their ids when more steps come, and whichever link leads to them', async () => {
    const root = await temporaryFolder();
    await write(join(root, 'run', '1.jsonl'), step(1));
    const heads = createFileHeads(tables);
    const before = await scanFolder(join(root, 'run'), { heads });
    await write(join(root, 'run', '2.jsonl'), step(2));
    await symlink(join(root, 'run'), join(root, 'link'));
    const after = await scanFolder(join(root, 'run'), { heads });
    const linked = await scanFolder(join(root, 'link'), { heads });
    expect(after.runs[0]?.files).toHaveLength(2);
    expect(after.runs[0]?.id).toBe(before.runs[0]?.id);
    expect(linked.runs[0]?.id).toBe(before.runs[0]?.id);
  });
});

describe('what is in the way', () => {
  it('formats that are only named are told', async () => {
    const found = await scan({ 'a/table.parquet': 'PARE, which is not a table that can be read' });
    expect(found.notes).toEqual([
      expect.objectContaining({ code: 'format-not-read-yet', file: 'a/table.parquet', severity: 'information' }),
    ]);
    expect(found.notes[0]?.message).toContain('encrypted Parquet table');
  });

  it('pickles are told with the reason and what to do, once for all steps of a folder', async () => {
    const root = await temporaryFolder();
    const unread = join(import.meta.dirname, '../../fixtures/unread');
    for (const step of Array.from({ length: 12 }, (_, i) => i)) {
      await mkdir(join(root, 'rollout_data'), { recursive: true });
      await copyFile(join(unread, 'slime-0.pt'), join(root, 'rollout_data', `${step}.pt`));
    }
    await copyFile(join(unread, 'global_step_3_training_input.pkl'), join(root, 'global_step_3_training_input.pkl'));
    await write(join(root, '1.jsonl'), step(1));
    const found = await scanTree([root], { heads: createFileHeads(tables) });
    expect(found.runs).toHaveLength(1);
    const told = found.notes.map(({ code, severity, message }) => [code, severity, message]);
    expect(told).toEqual([
      ['format-not-read-yet', 'information', expect.stringMatching(/^a SkyRL training batch: refused, since .*pickle/)],
      [
        'format-not-read-yet',
        'information',
        expect.stringMatching(/^a slime rollout dump: refused.*torch\.load.* \(and 11 more files of this folder\)$/),
      ],
    ]);
  });

  it('a link that leads back up is not followed, one that leads to itself is told', async () => {
    const root = await temporaryFolder();
    await write(join(root, 'run', '1.jsonl'), step(1));
    await symlink(root, join(root, 'run', 'up'));
    await symlink('self.jsonl', join(root, 'self.jsonl'));
    await symlink('nowhere.jsonl', join(root, 'gone.jsonl'));
    await symlink('1.jsonl', join(root, 'run', '9.jsonl'));
    const found = await scanTree([root], { heads: createFileHeads(tables) });
    expect(found.runs.map((run) => run.files.map(({ name }) => name))).toEqual([['1.jsonl']]);
    expect(found.notes.map(({ code, file }) => [code, file])).toEqual([
      ['symlink-loop', join(root, 'self.jsonl')],
      ['symlink-loop', join(root, 'run', 'up')],
    ]);
  });

  it('a folder called like a log is a folder', async () => {
    const root = await temporaryFolder();
    await mkdir(join(root, '1.jsonl'));
    await write(join(root, '1.jsonl', '2.jsonl'), step(2));
    const found = await scanTree([root], { heads: createFileHeads(tables) });
    expect(found.runs.map((run) => run.path)).toEqual([join(root, '1.jsonl')]);
    expect(found.notes).toEqual([]);
  });

  it('a folder that cannot be listed is a note', async () => {
    const root = await temporaryFolder();
    const found = await scanTree([join(root, 'missing')], { heads: createFileHeads(tables) });
    expect(found.notes).toEqual([expect.objectContaining({ code: 'unreadable-file', file: join(root, 'missing') })]);
    // Root may read everything; others may not.
    if (process.getuid?.() === 0) return;
    await mkdir(join(root, 'secret'));
    await chmod(join(root, 'secret'), 0o000);
    const secret = await scanTree([root], { heads: createFileHeads(tables) });
    await chmod(join(root, 'secret'), 0o700);
    expect(secret.notes).toEqual([expect.objectContaining({ code: 'unreadable-file', file: join(root, 'secret') })]);
  });
});

describe('a large workspace', () => {
  it('is not opened file by file: unrelated json of one kind is tried three times', async () => {
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`cache/item-${i}.json`, `{"i": ${i}}`]));
    const found = await scan({ ...files, 'cache/item-99.jsonl': step(99) });
    expect(found.runs).toHaveLength(1);
    // Heads are looked at eight at a time, so a few more than three.
    expect(found.files).toBeLessThan(12);
    expect(found.notes).toEqual([
      expect.objectContaining({ code: 'folder-limit', message: expect.stringContaining('skipped') }),
    ]);
  });

  it('is left at the limits, and the notes say where', async () => {
    const deep = await scan({ 'a/b/c/1.jsonl': step(1) }, { depth: 2 });
    expect(deep.runs).toEqual([]);
    expect(deep.notes).toEqual([expect.objectContaining({ code: 'folder-limit', file: 'a/b' })]);
    const wide = await scan({ 'a/1.jsonl': step(1), 'b/1.jsonl': step(1), 'c/1.jsonl': step(1) }, { folders: 3 });
    expect(wide.runs).toHaveLength(2);
    expect(wide.notes).toEqual([expect.objectContaining({ code: 'folder-limit' })]);
  });

  it('stops when it is told to', async () => {
    const root = await temporaryFolder();
    await write(join(root, '1.jsonl'), step(1));
    const signal = AbortSignal.abort();
    await expect(scanTree([root], { heads: createFileHeads(tables), signal })).rejects.toThrow(/abort/i);
  });
});
