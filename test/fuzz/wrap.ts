// Fixtures in gzip, zstd or a Parquet table, the wrapped bytes damaged, and what the engine's own code takes off them.
// Same seeds, same damage, as long as Node's zlib and DuckDB write the same bytes.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { UserError } from '../../src/base/errors.ts';
import { unwrapFile } from '../../src/engine/unwrapFile.ts';
import { readWrappedHead } from '../../src/engine/wrappedHead.ts';
import { wrapperOf } from '../../src/engine/wrapper.ts';
import { openDatabase } from '../../src/store/duckdb.ts';
import { createParquetTables, ParquetError, type ParquetTables } from '../../src/store/parquetRows.ts';
import { mutateBytes, type Random } from '../unit/readers/mutate.ts';
import { zstdOf } from '../unit/readers/zipOf.ts';

/** What a fixture is wrapped in. */
export type Wrapping = 'gzip' | 'zstd' | 'parquet';

const below = (random: Random, count: number): number => Math.floor(random() * count);

/** The fixture of AReaL as `zstd -3 --check` packs it: Node 20 has no encoder, and blocks that are stored test no decoder. */
const packedByZstd = Buffer.from(
  [
    'KLUv/WRfA20NAMbTPiIwa/VBaVY5uWVwDIU87CbFicKCUCzbZYX6cZmq0oiMkoEwMwA1ADMA7HE2XpZE6CovQxAJ6XSF9pw3eNnS6iTJOSXL8H',
    'tMcMQyXD3YPE6So7xMWYYfbA7qKlsBDxu14SohXsbf9V2lkFL37Tzeu0ECkHxPp5TzqNNV2iT4aHgZFkCmW/DJy56HgLHsUTAYywTvEhVNx72M',
    'G4oO4l6G2yX33Na3E6ODWpQS0aJ7GMEpAxIlOVx8KdbzSh50DzTf77lvxxGHi6uXWB7VC7coUFQxUr8knosXlgbES4gBeY+WXVzVyqucbEVOJy',
    'URlG/H6cuJ+myuK6m4LVoDR6hBQWHOyAQlKWmpMVAiUU6RHRJgsyBFMUVIDRROMNFMZmHL9QxvEag/w6/013SGLjQF+0LGQNg6xOXL7j9wQ1+C',
    'wBCURXhoh2U22i+YpFDIktdtfelY3DjeFbeZHS6VfgrMIyhtbD0LM0RXYJoZ4B6zNPtJC2kdWWWkM4ZSXrjNM/5H/JxoEpCcClFvzb0XhERDpj',
    'KptHcT/F3PXhwKVxkxG91fiizuK9oIvPQJagLPoQ0=',
  ].join(''),
  'base64',
);
const skippableFrame = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2]);

/** A log wrapped and then damaged; `table` is the log as a Parquet table, null where it is none. */
export function damagedWrapping(
  log: Buffer,
  table: Buffer | null,
  random: Random,
): { readonly bytes: Buffer; readonly wrapping: Wrapping } {
  const kind = random();
  const wrapping = kind < 0.2 && table !== null ? 'parquet' : kind < 0.6 ? 'gzip' : 'zstd';
  const whole = wrapping === 'parquet' && table !== null ? table : wrapped(log, wrapping, random);
  const how = random();
  if (how < 0.05) return { bytes: whole, wrapping };
  if (how < 0.15) return { bytes: whole.subarray(0, below(random, whole.length)), wrapping };
  if (how < 0.2) return { bytes: Buffer.concat([whole, log.subarray(0, below(random, 64))]), wrapping };
  const damaged = mutateBytes(whole, random);
  // Without its first bytes it would be no wrapped file, and tell little.
  whole.copy(damaged, 0, 0, Math.min(4, damaged.length));
  return { bytes: damaged, wrapping };
}

function wrapped(log: Buffer, wrapping: Wrapping, random: Random): Buffer {
  if (wrapping === 'gzip') {
    const at = below(random, log.length + 1);
    const members = random() < 0.7 ? [log] : [log.subarray(0, at), log.subarray(at)];
    return Buffer.concat(members.map((member) => gzipSync(member, { level: below(random, 10) })));
  }
  if (random() < 0.5) return Buffer.concat([packedByZstd, ...(random() < 0.2 ? [skippableFrame, packedByZstd] : [])]);
  return zstdOf(log, 1 + below(random, 4));
}

/** Bytes that may come out: a case must stay small. */
const limits = { mostBytes: 64e6, mostRatio: 1_000, ratioFromBytes: 16e6, reserveBytes: 0 };

/** Takes wrappers off in a folder of its own, with a database of its own. */
export interface Unwrapper {
  /** What is inside, null where the engine says in a sentence that it is not read. Anything else is thrown. */
  unwrap(name: string, bytes: Buffer): Promise<Buffer | null>;
  /** A log of JSON lines as a Parquet table; null where DuckDB makes none of it. */
  tableOf(log: Buffer): Promise<Buffer | null>;
}

export function createUnwrapper(folder: string): Unwrapper {
  const tables = createParquetTables(join(folder, 'tables'));
  const path = join(folder, 'case');
  const target = join(folder, 'inside');
  return {
    unwrap: async (name, bytes) => {
      const wrapper = wrapperOf(bytes);
      if (wrapper === null) return bytes;
      const file = `${path}-${name}`;
      try {
        await writeFile(file, bytes);
        const { head, reason } = await readWrappedHead(file, wrapper, tables);
        if (head === null) {
          if (reason.length > 2_000) throw new Error(`a reason of ${reason.length} characters`);
          return null;
        }
        if (wrapper === 'parquet') return await rowsOf(tables, file, target);
        const request = { path: file, target, wrapper, sizeBytes: bytes.length, limits };
        await unwrapFile(request, { signal: new AbortController().signal, progress: () => undefined });
        return await readFile(target);
      } catch (error) {
        if (error instanceof UserError) return null;
        throw error;
      } finally {
        await rm(file, { force: true });
        await rm(target, { force: true });
      }
    },
    tableOf: async (log) => {
      const database = await openDatabase({ temporaryFolder: join(folder, 'making'), threads: 1 });
      try {
        await writeFile(path, log);
        const from = `read_json('${path}', format = 'newline_delimited', ignore_errors = true)`;
        await database.rows({ sql: `COPY (SELECT * FROM ${from}) TO '${target}' (FORMAT parquet)` });
        return await readFile(target);
      } catch {
        return null;
      } finally {
        await rm(path, { force: true });
        await rm(target, { force: true });
        await database.close();
      }
    },
  };
}

async function rowsOf(tables: ParquetTables, file: string, target: string): Promise<Buffer | null> {
  try {
    await tables.copyRows(file, target, new AbortController().signal);
    return await readFile(target);
  } catch (error) {
    if (error instanceof ParquetError) return null;
    throw error;
  }
}
