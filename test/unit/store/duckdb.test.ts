import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/store/duckdb.ts';
import { databaseOfTests, temporaryFolder } from './storeOfTests.ts';

const endless = 'SELECT count(*) AS n FROM range(1000000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 3';

describe('openDatabase', () => {
  it('has a memory limit, no extension download and a locked configuration', async () => {
    const database = await databaseOfTests();
    const settings = await database.rows({ sql: 'SELECT name, value FROM duckdb_settings()' });
    const value = (name: string) => settings.find((row) => row['name'] === name)?.['value'];
    expect(value('memory_limit')).toBe('286.1 MiB');
    expect(value('autoload_known_extensions')).toBe('false');
    expect(value('autoinstall_known_extensions')).toBe('false');
    await expect(database.rows({ sql: "SET memory_limit = '1GB'" })).rejects.toThrow(/locked/);
  });

  it('fails for a remote file without asking for it', async () => {
    const database = await databaseOfTests();
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const sql = `SELECT * FROM read_parquet('http://127.0.0.1:${port}/x.parquet')`;
    await expect(database.rows({ sql })).rejects.toThrow(/requires the extension httpfs/);
    expect(asked).toBe(0);
    server.close();
  });

  it('binds values and gives plain ones back', async () => {
    const database = await databaseOfTests();
    const parameters = { t: `it's "x" %_\\ ; --`, n: 2.5, i: 5e9, b: true, z: null, l: ['a', 'b'], m: [1, 2] };
    const sql = 'SELECT $t AS t, $n AS n, $i AS i, $b AS b, $z AS z, len($l) AS l, list_sum($m) AS m, 7::UBIGINT AS u';
    expect(await database.rows({ sql, parameters })).toEqual([{ ...parameters, l: 2, m: 3, u: 7 }]);
    const sums = await database.rows({
      sql: 'SELECT list_sum($a) AS a, list_sum($b) AS b, len($c) AS c',
      parameters: { a: [1, 2.5], b: [1, 5e9], c: [] },
    });
    expect(sums).toEqual([{ a: 3.5, b: 5_000_000_001, c: 0 }]);
  });

  it('rolls a write back as a whole and lets the next one in', async () => {
    const database = await databaseOfTests();
    const broken = database.write(async (writer) => {
      await writer.run({ sql: 'CREATE TABLE t (a INTEGER)' });
      throw new Error('half way');
    });
    await expect(broken).rejects.toThrow('half way');
    await database.write((writer) => writer.run({ sql: 'CREATE TABLE t (a INTEGER)' }));
    expect(await database.rows({ sql: 'SELECT count(*) AS n FROM t' })).toEqual([{ n: 0 }]);
  });

  it('stops on abort, before, while waiting and while running', async () => {
    const database = await databaseOfTests();
    const gone = AbortSignal.abort();
    await expect(database.rows({ sql: 'SELECT 1', signal: gone })).rejects.toMatchObject({ name: 'AbortError' });
    const controller = new AbortController();
    const started = performance.now();
    const queries = [1, 2, 3, 4].map(() => database.rows({ sql: endless, signal: controller.signal }));
    setTimeout(() => {
      controller.abort();
    }, 50);
    for (const outcome of await Promise.allSettled(queries)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } });
    }
    expect(performance.now() - started).toBeLessThan(5000);
    expect(await database.rows({ sql: 'SELECT 1 AS one' })).toEqual([{ one: 1 }]);
  });

  it('settles everything when it is closed, and removes its temporary folder', async () => {
    const folder = await temporaryFolder();
    const database = await openDatabase({ temporaryFolder: folder });
    expect(await readdir(folder)).toHaveLength(1);
    const outcomes = [1, 2, 3].map(() => database.rows({ sql: endless }).then(String, String));
    await database.close();
    for (const outcome of await Promise.all(outcomes)) expect(outcome).toMatch(/Interrupted|closed/);
    await expect(database.rows({ sql: 'SELECT 1' })).rejects.toThrow('the database is closed');
    expect(await readdir(folder)).toEqual([]);
  });

  it('removes what a process that is gone left, and nothing of one that lives', async () => {
    const folder = await temporaryFolder();
    const first = await openDatabase({ temporaryFolder: folder });
    const [own = ''] = await readdir(folder);
    const gone = spawnSync(process.execPath, ['--version']).pid;
    const named = (pid: number): string => own.replace(`-${process.pid}-`, `-${pid}-`);
    await mkdir(join(folder, named(gone)));
    await mkdir(join(folder, named(process.ppid)));
    const second = await openDatabase({ temporaryFolder: folder });
    const left = await readdir(folder);
    expect(left).toHaveLength(3);
    expect(left).not.toContain(named(gone));
    await Promise.all([first.close(), second.close()]);
  });

  it('works where nothing can be spilled', async () => {
    const database = await openDatabase({ temporaryFolder: join('/dev/null', 'below') });
    expect(await database.rows({ sql: 'SELECT 1 AS one' })).toEqual([{ one: 1 }]);
    await database.close();
  });
});
