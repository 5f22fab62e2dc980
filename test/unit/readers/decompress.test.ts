/** gzip and zstd streams, sound and damaged, in chunks of any size; by Node's zstd where it is and by the fallback. */
import { describe, expect, it } from 'vitest';
import { DamagedError, decompress, usualZstd, type ZstdCode } from '../../../src/readers/decompress.ts';
import { createFrameCutter } from '../../../src/readers/zstdFrames.ts';
import { gzipOf, zstdBomb, zstdFrame, zstdSkipped } from '../engine/wrappedLogs.ts';

interface Decoded {
  readonly text: string;
  readonly damage: string | null;
}

async function decoded(
  bytes: Buffer,
  wrapper: 'gzip' | 'zstd',
  { chunk = 1_000, code = usualZstd }: { readonly chunk?: number; readonly code?: ZstdCode } = {},
): Promise<Decoded> {
  const pieces: Uint8Array[] = [];
  let damage: string | null = null;
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for (let first = 0; first < bytes.length; first += chunk) {
      yield await Promise.resolve(bytes.subarray(first, first + chunk));
    }
  };
  try {
    for await (const piece of decompress(chunks(), wrapper, { zstd: code })) pieces.push(piece);
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    damage = error.message;
  }
  return { text: Buffer.concat(pieces).toString('latin1'), damage };
}

const text = Array.from({ length: 30_000 }, (_, i) => `line ${i} ${(i * 7919) % 10007}\n`).join('');
const codes: readonly ZstdCode[] = usualZstd === 'node' ? ['node', 'fzstd'] : ['fzstd'];

describe('gzip', () => {
  it.each([1, 17, 1_000, 1_000_000])('all members, in chunks of %d bytes', async (chunk) => {
    const some = text.slice(0, chunk === 1 ? 5_000 : undefined);
    expect(await decoded(gzipOf(some, '', 'more\n'), 'gzip', { chunk })).toEqual({
      text: `${some}more\n`,
      damage: null,
    });
  });

  it('zeros behind the end change nothing', async () => {
    const padded = Buffer.concat([gzipOf(text), Buffer.alloc(3_000)]);
    expect(await decoded(padded, 'gzip')).toEqual({ text, damage: null });
  });

  it('cut anywhere it gives a beginning and says so', async () => {
    const whole = gzipOf(text.slice(0, 20_000));
    for (let cut = 1; cut < whole.length; cut += 97) {
      const found = await decoded(whole.subarray(0, cut), 'gzip');
      expect(text.startsWith(found.text)).toBe(true);
      expect(found.damage).toBe('it ends in the middle');
    }
  });

  it('gives what comes before a damage', async () => {
    const damaged = gzipOf(text);
    const middle = Math.floor(damaged.length / 2);
    damaged.fill(0xff, middle, middle + 50);
    const found = await decoded(damaged, 'gzip');
    expect(found.damage).not.toBeNull();
    expect(found.text.length).toBeGreaterThan(text.length / 4);
    expect(await decoded(Buffer.from('\x1f\x8bno gzip at all', 'latin1'), 'gzip')).toMatchObject({ text: '' });
  });
});

describe.each(codes)('zstd by %s', (code) => {
  it.each([1, 3, 1_000, 1_000_000])('all frames, skipped ones left out, in chunks of %d bytes', async (chunk) => {
    const some = text.slice(0, chunk < 10 ? 5_000 : undefined);
    const frames = [zstdSkipped('a'), zstdFrame(some), zstdFrame(''), zstdSkipped('b'.repeat(5_000)), zstdFrame('x\n')];
    const found = await decoded(Buffer.concat(frames), 'zstd', { chunk, code });
    expect(found).toEqual({ text: `${some}x\n`, damage: null });
  });

  it('cut anywhere it gives a beginning and says so', async () => {
    const whole = Buffer.concat([zstdFrame(text), zstdFrame('end')]);
    for (let cut = 7; cut < whole.length; cut += 40_009) {
      const found = await decoded(whole.subarray(0, cut), 'zstd', { code });
      expect(`${text}end`.startsWith(found.text)).toBe(true);
      expect(found.damage).toMatch(found.text === '' ? /first block/u : /in the middle/u);
    }
    const behindFirst = await decoded(Buffer.concat([zstdFrame(text), Buffer.from('garbage')]), 'zstd', { code });
    expect(behindFirst).toEqual({ text, damage: 'what follows is not zstd data' });
  });

  it('whose compressed blocks are cut off gives the whole ones, and says where there is none', async () => {
    // `zstd -3` of the lines below: two blocks, at bytes 6 and 133, and a checksum.
    const whole = Buffer.from(
      'KLUv/QRY5AMAsgYREbAlOQfWYQrsXRGRsuVVKCgBVVVVRUREREQ0MzMzM/P////btm3bbdu2LUmSJLlt27aJiIiISNHc5USMIRAAATGGQAhiqCC+/gbAk8o1EpCxd////z8D8vwBUwO6CkAAAQL8tCRGAvERhxrBMCyCFP2yOJYCoXVLAUUAAAhsAQDm6A6EoQItBA==',
      'base64',
    );
    const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i % 97}\n`).join('');
    expect(await decoded(whole, 'zstd', { code })).toEqual({ text: lines, damage: null });
    for (const cut of [133, 140, whole.length - 5]) {
      const found = await decoded(whole.subarray(0, cut), 'zstd', { code });
      expect(found).toEqual({ text: lines.slice(0, 131_072), damage: 'it ends in the middle' });
    }
    for (const cut of [8, 70, 132]) {
      const found = await decoded(whole.subarray(0, cut), 'zstd', { code });
      expect(found).toEqual({ text: '', damage: 'it ends in its first block, which can only be decoded whole' });
    }
  });

  it('a bomb comes out in small pieces', async () => {
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(zstdBomb(1_000));
    };
    let total = 0;
    let largest = 0;
    for await (const piece of decompress(chunks(), 'zstd', { zstd: code })) {
      total += piece.length;
      largest = Math.max(largest, piece.length);
    }
    expect(total).toBe(131_072_000);
    expect(largest).toBeLessThanOrEqual(4 * 1024 * 1024);
  });
});

describe('frames', () => {
  it.each([
    ['a window of terabytes', [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8], /window of \d+ MB/u],
    ['a dictionary', [0x28, 0xb5, 0x2f, 0xfd, 0x01, 0x50, 7], /dictionary/u],
    ['a reserved bit', [0x28, 0xb5, 0x2f, 0xfd, 0x08, 0x50], /damaged/u],
    ['a reserved block type', [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50, 0x07, 0, 0], /block .* damaged/u],
    ['a block above 128 KB', [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50, 0xf9, 0xff, 0xff], /block .* damaged/u],
  ])('%s is refused before anything is decoded', (_, bytes, message) => {
    const cutter = createFrameCutter();
    const pieces = cutter.push(Uint8Array.from([...bytes, ...zstdFrame('x')]));
    expect(cutter.problem).toMatch(message);
    expect(pieces.length).toBeLessThan(2);
    expect(cutter.push(zstdFrame('y'))).toEqual([]);
  });

  it('pieces are the stream again, whatever the chunks', () => {
    const whole = Buffer.concat([zstdFrame(text), zstdBomb(50), zstdFrame('')]);
    for (const chunk of [1, 2, 5, 4_096, 1_000_000]) {
      const cutter = createFrameCutter();
      const pieces: Uint8Array[] = [];
      let frames = 0;
      for (let first = 0; first < whole.length; first += chunk) {
        for (const piece of cutter.push(whole.subarray(first, first + chunk))) {
          pieces.push(Uint8Array.from(piece.bytes));
          frames += Number(piece.last);
        }
      }
      expect(Buffer.concat(pieces).equals(whole)).toBe(true);
      expect(frames).toBe(3);
      expect(cutter.atEnd).toBe(true);
    }
  });
});
