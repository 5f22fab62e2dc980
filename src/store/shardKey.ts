/**
 * The name of a shard: which reader made it and which bytes it covers (size and hashes of the first and last 64 KB), so
 * that a shard built on another machine fits, and the longest indexed beginning of a grown file is found by name alone.
 * Leaves out the folder of shards (shardStore.ts).
 */
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { callColumns, rolloutColumns } from './columns.ts';

/** Name of a shard, also the base of its file names: letters, digits, '.', '_' and '-' only. */
export type ShardKey = string & { readonly brand?: 'ShardKey' };

/** Who made a shard: another reader, version, variant or other rules give another one. */
export interface ShardReader {
  /** FormatId of the reader. */
  readonly reader: string;
  readonly readerVersion: number;
  readonly variant: string;
  /** Version of the redundancy rules: other rules flag other calls. */
  readonly rulesVersion: number;
}

/** What a shard covers: bytes [firstByte, sizeBytes) of a file whose first `sizeBytes` bytes have this fingerprint. */
export interface ShardIdentity extends ShardReader {
  /** End of the covered bytes: the file's size for a whole file. */
  readonly sizeBytes: number;
  /** As headTailHash gave it for that size. */
  readonly headTailHash: string;
  /** 0 (default) for the beginning of a file; else where a tail shard starts. */
  readonly firstByte?: number;
}

/** What a key says: where its bytes lie and what they hash to. */
export interface KeyParts {
  /** Reader, its version and that of the rules, variant, list of columns and the hash of the first 64 KB: what all shards of one file share. */
  readonly prefix: string;
  readonly sizeBytes: number;
  readonly headTailHash: string;
  readonly firstByte: number;
}

const hashedBytes = 64 * 1024;
const hashDigits = 24;
const keyPattern =
  /^(?<prefix>[\w.]+-\d+r\d+-[\w.]*-[0-9a-f]{6}-(?<head>[0-9a-f]{24}))-(?<size>[0-9a-z]+)-(?<tail>[0-9a-f]{24})-(?<first>[0-9a-z]+)$/;

/** Other columns make another index: a shard that an older version wrote does not fit and is built again. */
const layout = digest(
  JSON.stringify([rolloutColumns, callColumns].map((list) => list.map(({ name, type }) => [name, type]))),
).slice(0, 6);

/** The key of a shard. */
export function shardKey({ sizeBytes, headTailHash: hash, firstByte = 0, ...reader }: ShardIdentity): ShardKey {
  const tail = hash.slice(hashDigits);
  return `${keyPrefix(reader, hash)}-${sizeBytes.toString(36)}-${tail}-${firstByte.toString(36)}`;
}

/**
 * The fingerprint of a part of a wrapped file (its plain bytes up to `end`) of which more is to come: no file has it, so
 * such a part is found through the last one only, which names the ones before.
 */
export function unfinishedFingerprint(hash: string, end: number): string {
  return hash.slice(0, hashDigits) + digest(`${hash} up to ${end}`);
}

/** What the keys of all shards of a file start with, by its reader and headTailHash. */
export function keyPrefix({ reader, readerVersion, variant, rulesVersion }: ShardReader, hash: string): string {
  return [
    plain(reader),
    `${readerVersion}r${rulesVersion}`,
    short(plain(variant)),
    layout,
    hash.slice(0, hashDigits),
  ].join('-');
}

/** Takes a key apart; null for a name that is no key. */
export function parseShardKey(key: string): KeyParts | null {
  const { prefix, head, size, tail, first } = keyPattern.exec(key)?.groups ?? {};
  if (prefix === undefined || size === undefined || first === undefined) return null;
  return {
    prefix,
    sizeBytes: Number.parseInt(size, 36),
    headTailHash: `${head}${tail}`,
    firstByte: Number.parseInt(first, 36),
  };
}

/**
 * Hash of the first and the last 64 KB of the first `sizeBytes` bytes of a file: two times 24 hex digits of sha256.
 * Rejects with the file system's error, or with a RangeError where the file is shorter than that.
 */
export async function headTailHash(path: string, sizeBytes: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const head = await hashOf(file, 0, Math.min(hashedBytes, sizeBytes));
    return sizeBytes <= hashedBytes ? head + head : head + (await hashOf(file, sizeBytes - hashedBytes, hashedBytes));
  } finally {
    await file.close();
  }
}

async function hashOf(file: FileHandle, first: number, count: number): Promise<string> {
  const bytes = Buffer.alloc(count);
  let filled = 0;
  while (filled < count) {
    const { bytesRead } = await file.read(bytes, filled, count - filled, first + filled);
    if (bytesRead === 0) throw new RangeError(`the file ends before byte ${first + count}`);
    filled += bytesRead;
  }
  return digest(bytes);
}

function digest(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex').slice(0, hashDigits);
}

/** A long variant (a mapping of fields) as its hash: file systems end names at 255 bytes. */
function short(variant: string): string {
  return variant.length <= 48 ? variant : digest(variant);
}

/** A name as part of a file name, '-' excluded since it separates; distinct names stay distinct. */
function plain(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, (character) => `.${character.codePointAt(0)?.toString(16) ?? ''}.`);
}
