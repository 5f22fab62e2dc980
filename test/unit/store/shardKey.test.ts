import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { headTailHash, keyPrefix, parseShardKey, shardKey } from '../../../src/store/shardKey.ts';
import { hashOf, temporaryFolder } from './storeOfTests.ts';

const identity = {
  reader: 'verl',
  readerVersion: 2,
  rulesVersion: 1,
  variant: 'metis',
  sizeBytes: 12345,
  headTailHash: hashOf('x'),
};

describe('shardKey', () => {
  it('can be taken apart again', () => {
    expect(parseShardKey(shardKey({ ...identity, firstByte: 77 }))).toEqual({
      prefix: keyPrefix(identity, identity.headTailHash),
      sizeBytes: 12345,
      headTailHash: identity.headTailHash,
      firstByte: 77,
    });
  });

  it.each([
    { reader: 'other' },
    { readerVersion: 3 },
    { rulesVersion: 2 },
    { variant: 'v1' },
    { variant: '' },
    { sizeBytes: 12346 },
    { headTailHash: hashOf('y') },
    { firstByte: 1 },
  ])('differs for %o', (change) => {
    expect(shardKey({ ...identity, ...change })).not.toBe(shardKey(identity));
  });

  it('is a file name whatever a reader is called', () => {
    const names = ['a-b', 'a_b', 'a/../b', 'ü', 'con*', 'a.2d.b'].map((reader) => shardKey({ ...identity, reader }));
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) {
      expect(name).toMatch(/^[\w.-]+$/);
      expect(parseShardKey(name)).not.toBeNull();
    }
  });

  it.each(['', 'x', 'a-1-b', '../../etc/passwd', `${shardKey(identity)}.tmp`])('%o is no key', (name) => {
    expect(parseShardKey(name)).toBeNull();
  });
});

describe('headTailHash', () => {
  it('sees the first and last 64 KB and the end, and only those', async () => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    const bytes = Buffer.alloc(200_000, 'a');
    await writeFile(path, bytes);
    const before = await headTailHash(path, bytes.length);
    const changed = async (index: number): Promise<string> => {
      const copy = Buffer.from(bytes);
      copy[index] = 98;
      await writeFile(path, copy);
      return headTailHash(path, copy.length);
    };
    expect(await changed(0)).not.toBe(before);
    expect(await changed(65_535)).not.toBe(before);
    expect(await changed(100_000)).toBe(before);
    expect(await changed(199_999)).not.toBe(before);
  });

  it('is the same for a beginning after the file has grown', async () => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    for (const sizeBytes of [0, 10, 65_536, 65_537, 150_000]) {
      await writeFile(path, Buffer.alloc(sizeBytes, 'a'));
      const before = await headTailHash(path, sizeBytes);
      expect(before).toHaveLength(48);
      await appendFile(path, 'more');
      expect(await headTailHash(path, sizeBytes)).toBe(before);
    }
  });

  it('rejects for a file that is shorter or missing', async () => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    await writeFile(path, 'short');
    await expect(headTailHash(path, 10)).rejects.toThrow(RangeError);
    await expect(headTailHash(`${path}.gone`, 10)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
