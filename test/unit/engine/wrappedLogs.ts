/** Wrapped logs that tests make: gzip members, zstd frames (of blocks that are not compressed), Parquet tables. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openDatabase } from '../../../src/store/duckdb.ts';
import { temporaryFolder, write } from './logs.ts';

/** A gzip file of several members. */
export function gzipOf(...members: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(members.map((member) => gzipSync(member)));
}

const blockBytes = 100_000;

/** One zstd frame whose blocks are stored. */
export function zstdFrame(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const blocks: Buffer[] = [];
  for (let first = 0; first === 0 || first < bytes.length; first += blockBytes) {
    const block = bytes.subarray(first, first + blockBytes);
    blocks.push(blockHeader({ type: 0, size: block.length, last: first + blockBytes >= bytes.length }), block);
  }
  return Buffer.concat([frameHeader(), ...blocks]);
}

/** One zstd frame of `count` blocks that repeat a byte 128 KB long: four bytes each. */
export function zstdBomb(count: number): Buffer {
  const block = (last: boolean): Buffer =>
    Buffer.concat([blockHeader({ type: 1, size: 131_072, last }), Buffer.from('x')]);
  return Buffer.concat([frameHeader(), ...Array.from({ length: count }, (_, i) => block(i === count - 1))]);
}

/** A frame that decoders skip. */
export function zstdSkipped(content: string): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x184d2a53, 0);
  header.writeUInt32LE(Buffer.byteLength(content), 4);
  return Buffer.concat([header, Buffer.from(content)]);
}

/** Window of 1 MB, no checksum, no size. */
function frameHeader(): Buffer {
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50]);
}

function blockHeader({
  type,
  size,
  last,
}: {
  readonly type: number;
  readonly size: number;
  readonly last: boolean;
}): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((size << 3) | (type << 1) | Number(last), 0, 3);
  return header;
}

/** Writes what a query gives as a Parquet table. */
export async function writeParquet(path: string, query: string, options = ''): Promise<string> {
  const database = await openDatabase({ temporaryFolder: join(await temporaryFolder(), 'database') });
  try {
    await database.rows({ sql: `COPY (${query}) TO '${path}' (FORMAT parquet${options})` });
    return path;
  } finally {
    await database.close();
  }
}

/** Writes JSON lines as a Parquet table. */
export async function writeParquetOf(path: string, lines: string): Promise<string> {
  const source = await write(join(await temporaryFolder(), 'lines.jsonl'), lines);
  await writeParquet(path, `SELECT * FROM read_json('${source}', format = 'newline_delimited')`);
  await rm(source);
  return path;
}
