/** Foreign Parquet tables as JSON: every type that logs have, wide rows, and tables that cannot be read. */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isObject } from '../../../src/base/json.ts';
import { parseJsonBytes } from '../../../src/readers/parseJson.ts';
import { createParquetTables, ParquetError } from '../../../src/store/parquetRows.ts';
import { temporaryFolder } from '../engine/logs.ts';
import { writeParquet } from '../engine/wrappedLogs.ts';

const folder = await temporaryFolder();
const tables = createParquetTables(join(folder, 'database'));

afterAll(() => tables.close());

async function table(name: string, query: string, options?: string): Promise<string> {
  return writeParquet(join(await temporaryFolder(), name), query, options);
}

async function rowsOf(path: string): Promise<readonly string[]> {
  const target = join(await temporaryFolder(), 'rows.jsonl');
  await tables.copyRows(path, target, new AbortController().signal);
  return (await readFile(target, 'utf8')).split('\n').filter((line) => line !== '');
}

/** SQL value → JSON text of it. */
const values: readonly (readonly [name: string, sql: string, json: string])[] = [
  ['int64', '40::BIGINT', '40'],
  ['int64 beyond 2^53', '9007199254740993::BIGINT', '"9007199254740993"'],
  ['-int64 beyond 2^53', '-9007199254740993::BIGINT', '"-9007199254740993"'],
  ['uint64', '18446744073709551615::UBIGINT', '"18446744073709551615"'],
  ['the largest exact', '9007199254740991::BIGINT', '9007199254740991'],
  ['null', 'NULL::BIGINT', 'null'],
  ['a double', '0.25::DOUBLE', '0.25'],
  ['NaN', "'NaN'::DOUBLE", 'NaN'],
  ['Infinity', "'-Infinity'::DOUBLE", '-Infinity'],
  ['a decimal', '12.34::DECIMAL(10, 2)', '12.34'],
  ['a text', '\'a "b" \u2028 \\ é\'', '"a \\"b\\" \u2028 \\\\ é"'],
  ['bytes', "'\\x00\\xFF\\x10'::BLOB", '"AP8Q"'],
  ['a list of int64', '[1, NULL, 9007199254740993]::BIGINT[]', '[1,null,"9007199254740993"]'],
  ['an empty list', '[]::BIGINT[]', '[]'],
  ['nested lists', '[[0.5], NULL, []]::DOUBLE[][]', '[[0.5],null,[]]'],
  ['a picture', "{'bytes': '\\xAA'::BLOB, 'path': NULL::VARCHAR}", '{"bytes":"qg==","path":null}'],
  ['no picture', 'NULL::STRUCT(bytes BLOB, path VARCHAR)', 'null'],
  [
    'messages',
    "[{'role': 'user', 'content': 'hi', 'calls': [{'id': 5::BIGINT, 'raw': '\\xAA'::BLOB}]}]",
    '[{"role":"user","content":"hi","calls":[{"id":5,"raw":"qg=="}]}]',
  ],
  ['odd names of fields', "{'a \"b\", c(': 1::BIGINT, 'd[]': ['\\xAA'::BLOB]}", '{"a \\"b\\", c(":1,"d[]":["qg=="]}'],
  ['a map', "MAP {'k': 1}", '{"k":1}'],
  ['a time', "TIMESTAMP '2026-01-02 03:04:05'", '"2026-01-02 03:04:05"'],
  ['JSON', `'{"x": [1]}'::JSON`, '{"x": [1]}'],
  ['a truth', 'true', 'true'],
];

describe('values', () => {
  it.each(values)('%s', async (_, sql, json) => {
    const path = await table('values.parquet', `SELECT ${sql} AS value, 1 AS "o'dd ""name"""`);
    const line = `{"value":${json},"o'dd \\"name\\"":1}`;
    expect((await rowsOf(path)).map(withoutBlanks)).toEqual([withoutBlanks(line)]);
    expect(withoutBlanks((await tables.firstRow(path)) ?? '')).toBe(withoutBlanks(line));
    const parsed = parseJsonBytes(Buffer.from(line), 0, Buffer.byteLength(line));
    expect(parsed.ok && isObject(parsed.value)).toBe(true);
  });

  it('keep their order over many rows and row groups', async () => {
    const query = "SELECT range::BIGINT AS id, repeat('x', 50) AS text FROM range(100000)";
    const rows = await rowsOf(await table('many.parquet', query, ', ROW_GROUP_SIZE 2048'));
    expect(rows).toHaveLength(100_000);
    expect(rows.every((row, i) => row.startsWith(`{"id":${i},`))).toBe(true);
  });

  it('come in batches where rows are wide', async () => {
    const query = 'SELECT range::BIGINT AS id, repeat(md5(range::VARCHAR), 1000) AS text FROM range(3000)';
    const rows = await rowsOf(
      await table('wide.parquet', query, ', ROW_GROUP_SIZE 2048, COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 1'),
    );
    expect(rows).toHaveLength(3_000);
    expect(rows.every((row, i) => row.startsWith(`{"id":${i},`) && row.length > 32_000)).toBe(true);
  });
});

function withoutBlanks(text: string): string {
  return text.replaceAll(/(?<=[:,{[]) | (?=[}\]])/gu, '');
}

describe('tables', () => {
  it('of odd names are found, and no others', async () => {
    const place = await temporaryFolder();
    const path = await writeParquet(join(place, 'a.parquet'), 'SELECT 1 AS one');
    for (const name of ['[a].parquet', 'x*y?.parquet', "it's.parquet", 'step=3.parquet']) {
      await copyFile(path, join(place, name));
      expect(await tables.firstRow(join(place, name))).toBe('{"one":1}');
    }
    await expect(tables.firstRow(join(place, '?.parquet'))).rejects.toBeInstanceOf(ParquetError);
  });

  it('without rows have no first row', async () => {
    expect(await tables.firstRow(await table('empty.parquet', 'SELECT 1 AS one WHERE false'))).toBeNull();
  });

  it.each([
    ['text', Buffer.from('PAR1 prompt completion PAR1')],
    ['nothing', Buffer.from('PAR1')],
    [
      'a footer of nonsense',
      Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(60, 0x55), Buffer.from([40, 0, 0, 0]), Buffer.from('PAR1')]),
    ],
    [
      'an encrypted footer',
      Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(60), Buffer.from([40, 0, 0, 0]), Buffer.from('PARE')]),
    ],
  ])('of %s are refused with a reason', async (_, bytes) => {
    const path = join(await temporaryFolder(), 'bad.parquet');
    await writeFile(path, bytes);
    await expect(tables.firstRow(path)).rejects.toBeInstanceOf(ParquetError);
    await expect(tables.copyRows(path, `${path}.jsonl`, new AbortController().signal)).rejects.toBeInstanceOf(
      ParquetError,
    );
  });

  it('cut or damaged anywhere give a reason or rows, never a bug', async () => {
    const path = await table(
      'damaged.parquet',
      'SELECT range AS id, md5(range::VARCHAR) AS text, [range] AS list FROM range(500)',
    );
    const whole = await readFile(path);
    for (let i = 0; i < 40; i += 1) {
      const bytes = Buffer.from(whole);
      const at = (i * 7_919) % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (i % 8));
      await writeFile(path, i % 4 === 0 ? bytes.subarray(0, at) : bytes);
      const found = await tables.firstRow(path).catch((error: unknown) => error);
      if (found instanceof Error) expect(found).toBeInstanceOf(ParquetError);
    }
  });

  it('stop when told to', async () => {
    const path = await table('long.parquet', "SELECT 'x' AS a FROM range(20000000)");
    const stop = new AbortController();
    const copying = tables.copyRows(path, join(await temporaryFolder(), 'rows.jsonl'), stop.signal);
    setTimeout(() => {
      stop.abort();
    }, 100);
    await expect(copying).rejects.toHaveProperty('name', 'AbortError');
  });
});
