import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { rolloutColumns, runColumns } from '../../../src/store/columns.ts';
import { exportableColumns, exportTable, type ExportFormat } from '../../../src/store/exportTable.ts';
import { openRunTable } from '../../../src/store/runTable.ts';
import { columnsOf, databaseOfTests, derivedOf, rolloutAtRow, temporaryFolder } from './storeOfTests.ts';

const database = await databaseOfTests();
const folder = await temporaryFolder();
const run = await openRunTable(database, 'export');
const logged = (key: string, row: number, total: number | null) =>
  rolloutAtRow(row, { group: { key, source: 'logged' }, id: `"${row}", ü`, reward: { total } });
const part = (id: string, keys: readonly string[]) => ({
  kind: 'columns' as const,
  id,
  columns: columnsOf(keys.map((key, row) => logged(key, row, row === 0 ? 0.8999999761581421 : null))),
});
await run.setFiles([
  { file: 'b.jsonl', stepFromName: 1, parts: [part('b', ['x', 'y', 'x'])] },
  { file: 'a.jsonl', stepFromName: 2, parts: [part('a', ['x', 'z'])] },
]);
const batch = await run.columnsForAdvantages(null);
await run.setDerived(
  batch,
  derivedOf(batch, (index) => (index === 4 ? Number.NaN : 1 / (index + 1))),
);

async function exported(columns: readonly string[], format: ExportFormat): Promise<Buffer> {
  const output = new PassThrough();
  const bytes = buffer(output);
  expect(await exportTable(run, output, { columns, format, temporaryFolder: folder })).toBe(5);
  output.end();
  return bytes;
}

describe('exportTable', () => {
  it('writes JSON lines in run order, numbers whole, unknown as null', async () => {
    const columns = ['step', 'file', 'row', 'group', 'rollout', 'id', 'reward', 'acc_advantage', 'correct'];
    const lines = (await exported(columns, 'jsonl')).toString().trimEnd().split('\n');
    const rows: unknown[] = lines.map((line) => JSON.parse(line));
    const row = (step: number, file: string, place: number, more: object) => ({ step, file, row: place, ...more });
    expect(rows).toEqual([
      row(1, 'b.jsonl', 0, {
        group: 0,
        rollout: 0,
        id: '"0", ü',
        reward: 0.8999999761581421,
        acc_advantage: 1,
        correct: true,
      }),
      row(1, 'b.jsonl', 1, { group: 1, rollout: 0, id: '"1", ü', reward: null, acc_advantage: 0.5, correct: true }),
      row(1, 'b.jsonl', 2, { group: 0, rollout: 1, id: '"2", ü', reward: null, acc_advantage: 1 / 3, correct: true }),
      row(2, 'a.jsonl', 0, {
        group: 2,
        rollout: 0,
        id: '"0", ü',
        reward: 0.8999999761581421,
        acc_advantage: 0.25,
        correct: true,
      }),
      row(2, 'a.jsonl', 1, { group: 3, rollout: 0, id: '"1", ü', reward: null, acc_advantage: null, correct: true }),
    ]);
  });

  it('writes CSV with a header, in the order asked', async () => {
    const text = (await exported(['row', 'id', 'reward'], 'csv')).toString();
    expect(text.split('\n').slice(0, 3)).toEqual(['row,id,reward', '0,"""0"", ü",0.8999999761581421', '1,"""1"", ü",']);
  });

  it('writes Parquet with every column and its type', async () => {
    const path = join(folder, 'all.parquet');
    await writeFile(path, await exported(exportableColumns(), 'parquet'));
    const columns = await database.rows({
      sql: 'SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet([$path]))',
      parameters: { path },
    });
    expect(columns).toEqual(
      [...runColumns, ...rolloutColumns].map(({ name, type }) => ({ column_name: name, column_type: type })),
    );
  });

  it.each([[['row', 'nonsense; DROP TABLE x', 'key']], [[]]])('names the columns there are for %o', async (columns) => {
    const options = { columns, format: 'csv', temporaryFolder: folder } as const;
    await expect(exportTable(run, new PassThrough(), options)).rejects.toMatchObject({
      name: 'UserError',
      action: expect.stringContaining('acc_advantage'),
    });
  });

  it('leaves no file behind, also when the reader goes away or it is cancelled', async () => {
    const output = new PassThrough();
    output.destroy();
    const options = { columns: ['row'], format: 'csv', temporaryFolder: folder } as const;
    await expect(exportTable(run, output, options)).rejects.toThrow();
    const signal = AbortSignal.abort();
    await expect(exportTable(run, new PassThrough(), { ...options, signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect((await readdir(folder)).filter((name) => name.startsWith('export-'))).toEqual([]);
  });
});
