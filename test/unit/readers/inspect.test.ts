// Inspect archives: the fixtures are what inspectLogs.ts says, and archives that lie, overlap, are cut or inflate without end
// cost one note each.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { usualZstd } from '../../../src/readers/decompress.ts';
import { inspectReader } from '../../../src/readers/inspect.ts';
import { bytesSource } from '../../../src/readers/source.ts';
import { listZip, openMember } from '../../../src/readers/zipMembers.ts';
import { unpackZstd } from '../../../src/readers/zstd.ts';
import { chunked, compressed, deflated, documentText } from './inspectLogs.ts';
import { bytesOf, readAll, type Reading } from './readAll.ts';
import { type MemberDraft, zipOf, zstdOf } from './zipOf.ts';

const folder = join(import.meta.dirname, '../../fixtures/inspect');
const archives: readonly (readonly [path: string, members: readonly MemberDraft[]])[] = [
  ['inspect-0.3.60-deflate/log.eval', deflated],
  ['inspect-0.3.150-zstd/log.eval', compressed],
  ['inspect-chunked-v3/log.eval', chunked],
];
const documentPath = join(folder, 'inspect-0.3.60-json/log.json');

const claim = {
  reader: inspectReader,
  recognition: { format: 'inspect', producer: 'Inspect', variant: 'eval' },
};
const read = (bytes: Buffer): Promise<Reading> => readAll(claim, bytes, { name: 'log.eval' });
const messagesOf = (reading: Reading): readonly string[] => reading.notes.map((note) => note.message);

const sampleText = (id: string, more: object = {}): string =>
  JSON.stringify({ id, epoch: 1, messages: [{ role: 'user', content: 'x' }], ...more });
const header: MemberDraft = { name: 'header.json', content: '{}' };
const one = (draft: Partial<MemberDraft> = {}): MemberDraft => ({
  name: 'samples/a_epoch_1.json',
  content: sampleText('a'),
  ...draft,
});

describe('the fixtures', () => {
  test.each(archives)('%s holds what is written down', async (path, members) => {
    const file = join(folder, path);
    if (process.env['UPDATE_FIXTURES'] === '1' || !existsSync(file)) writeFileSync(file, zipOf(members));
    const bytes = readFileSync(file);
    const source = bytesSource('log.eval', bytes);
    const listed = await listZip(source);
    expect(listed.broken).toBeNull();
    expect(listed.members.map((member) => member.name)).toEqual(members.map((member) => member.name));
    for (const [index, member] of listed.members.entries()) {
      const opened = await openMember(source, member, 1e6);
      const draft = members[index];
      if (draft?.lies === undefined) expect(opened.ok && opened.bytes.toString()).toBe(draft?.content);
    }
  });
  test('the document holds what is written down', () => {
    if (process.env['UPDATE_FIXTURES'] === '1' || !existsSync(documentPath)) writeFileSync(documentPath, documentText);
    expect(readFileSync(documentPath, 'utf8')).toBe(documentText);
  });
});

describe('an archive', () => {
  test('that is honest is read in the order of its members', async () => {
    const members = ['b', 'a', 'c'].map((id) => one({ name: `samples/${id}_epoch_1.json`, content: sampleText(id) }));
    const { rollouts, notes, summary } = await read(zipOf([...members, header]));
    expect(rollouts.map((rollout) => [rollout.place.row, rollout.group.key])).toEqual([
      [0, 'b'],
      [1, 'a'],
      [2, 'c'],
    ]);
    expect(notes).toEqual([]);
    expect(summary).toMatchObject({ lines: 3, read: 3 });
  });

  test('that grew is read on from where it ended', async () => {
    const first = [one(), one({ name: 'samples/b_epoch_1.json', content: sampleText('b') })];
    const before = await read(zipOf(first));
    const grown = zipOf([...first, one({ name: 'samples/c_epoch_1.json', content: sampleText('c') })]);
    const after = await readAll(claim, grown, { name: 'log.eval', from: before.summary.next });
    const whole = await read(grown);
    expect([...before.rollouts, ...after.rollouts]).toEqual(whole.rollouts);
    expect(after.summary.next).toEqual(whole.summary.next);
  });

  const odd: readonly { called: string; members: readonly MemberDraft[]; says: RegExp; reads: number }[] = [
    { called: 'a name with ..', members: [one({ name: '../../etc/cron.d/x' }), one()], says: /leads out/, reads: 1 },
    { called: 'an absolute name', members: [one({ name: '/etc/passwd' }), one()], says: /leads out/, reads: 1 },
    { called: 'a drive letter', members: [one({ name: 'C:\\x.json' }), one()], says: /leads out/, reads: 1 },
    {
      called: 'a NUL in a name',
      members: [one({ name: 'samples/\0_epoch_1.json' }), one()],
      says: /leads out/,
      reads: 1,
    },
    { called: '.. in a sample id', members: [one({ name: 'samples/../x_epoch_1.json' })], says: /leads out/, reads: 0 },
    { called: 'encryption', members: [one({ lies: { encrypted: true } })], says: /encrypted/, reads: 0 },
    { called: 'an unknown method', members: [one({ lies: { method: 14 } })], says: /method 14/, reads: 0 },
    { called: 'too small a size', members: [one({ lies: { unpackedBytes: 3 } })], says: /more than 3 bytes/, reads: 0 },
    { called: 'too large a size', members: [one({ lies: { unpackedBytes: 3000 } })], says: /says 3000/, reads: 0 },
    { called: 'a wrong checksum', members: [one({ lies: { checksum: 1 } })], says: /checksum/, reads: 0 },
    {
      called: 'a size behind the end',
      members: [one({ lies: { packedBytes: 1e9 } })],
      says: /overlaps another/,
      reads: 0,
    },
    {
      called: 'an offset behind the end',
      members: [one({ lies: { offset: 1e9 } })],
      says: /header is damaged/,
      reads: 0,
    },
    { called: 'damaged deflate', members: [one({ packed: Buffer.alloc(50, 0xff) })], says: /deflate/, reads: 0 },
    { called: 'damaged zstd', members: [one({ method: 93, packed: Buffer.alloc(50, 7) })], says: /zstd/, reads: 0 },
    { called: 'a size above the limit', members: [one({ lies: { unpackedBytes: 4e9 } })], says: /inflates/, reads: 0 },
    { called: 'no JSON', members: [one({ content: 'no JSON' })], says: /samples\/a_epoch_1\.json: /, reads: 0 },
    {
      called: 'a text as JSON',
      members: [one({ content: '"it is a text"' })],
      says: /not an Inspect sample/,
      reads: 0,
    },
    { called: 'no content', members: [one({ content: '' })], says: /JSON/, reads: 0 },
    {
      called: 'one level too deep',
      members: [one({ content: '['.repeat(600) + ']'.repeat(600) })],
      says: /deeper/,
      reads: 0,
    },
  ];
  test.each(odd)('with $called has one note', async ({ members, says, reads }) => {
    const { rollouts, notes, summary } = await read(zipOf([...members, header]));
    expect(notes.map((note) => note.message)).toEqual([expect.stringMatching(says)]);
    expect(notes[0]?.line).toBeNull();
    expect(rollouts.length).toBe(reads);
    expect(summary.noted).toBe(1);
  });

  test('with 100,000 levels of nesting has one note', async () => {
    const deep = `{"id":"a","messages":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(messagesOf(await read(zipOf([one({ content: deep }), header])))).toEqual([
      expect.stringMatching(/deeper|stack/i),
    ]);
  });

  test('whose last member says that it goes on behind the end has one note', async () => {
    const listed = { name: 'x', offset: 0, packedBytes: 1_000_000, unpackedBytes: 5 };
    const opened = await openMember(bytesSource('x', zipOf([one()])), listed, 1e9);
    expect(opened).toMatchObject({ ok: false, reason: 'it ends behind the end of the archive' });
  });

  test('with a member twice reads the later one and skips the other', async () => {
    const twice = [one({ content: sampleText('old') }), one({ content: sampleText('new') }), header];
    const { rollouts, summary, notes } = await read(zipOf(twice));
    expect(rollouts.map((rollout) => [rollout.place.row, rollout.group.key])).toEqual([[1, 'new']]);
    expect(summary).toMatchObject({ lines: 2, read: 1, skipped: 1, noted: 0 });
    expect(notes).toEqual([]);
  });

  test('whose members share their bytes is not inflated a thousand times', async () => {
    const many = Array.from({ length: 1000 }, (_, index) =>
      one({ name: `samples/${index}_epoch_1.json`, content: '', method: 0, lies: { offset: 0 } }),
    );
    const { rollouts, summary } = await read(
      zipOf([one({ content: sampleText('a'.repeat(5000)), method: 0 }), ...many, header]),
    );
    expect(rollouts).toEqual([]);
    expect(summary.noted).toBe(1001);
  });

  test.each([8, 93])(
    'that inflates to gigabytes (method %i) is given up at what its directory says',
    async (method) => {
      const packed =
        method === 8 ? zlib.deflateRawSync(Buffer.alloc(64 * 1024 * 1024), { level: 9 }) : runLengthBomb(30_000);
      const before = process.memoryUsage().rss;
      const lies = { unpackedBytes: 1000 };
      const reading = await read(zipOf([one({ method, packed, lies }), header]));
      expect(messagesOf(reading)).toEqual([expect.stringMatching(/inflates to more than 1000 bytes/)]);
      const opened = await openMember(
        bytesSource('x', zipOf([one({ method, packed, lies: { unpackedBytes: 4_000_000_000 } })])),
        { name: '', offset: 0, packedBytes: packed.length, unpackedBytes: 10_000_000 },
        20_000_000,
      );
      expect(opened.ok).toBe(false);
      expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024);
    },
  );

  test('that is cut, empty or no archive at all has one note about its directory', async () => {
    const whole = zipOf([one(), header]);
    for (const bytes of [
      whole.subarray(0, 60),
      whole.subarray(0, whole.length - 1),
      Buffer.alloc(0),
      bytesOf('PK\x03\x04'),
    ]) {
      const { notes, summary } = await read(bytes);
      expect(notes.map((note) => note.code)).toEqual(['partial-last-line']);
      expect(summary).toMatchObject({ lines: 1, noted: 1, next: { row: 0, bytes: { first: 0 } } });
    }
  });

  test('whose directory breaks off gives what is listed, and a note', async () => {
    const bytes = Buffer.from(zipOf([one(), one({ name: 'samples/b_epoch_1.json' }), header]));
    bytes.write('XX', bytes.lastIndexOf('PK\x01\x02'));
    const { rollouts, notes } = await read(bytes);
    expect(rollouts.length).toBe(2);
    expect(notes.map((note) => note.message).join()).toMatch(/breaks off after 2 members/);
  });

  test('with a comment, and one that looks like an end, is read or refused but never thrown at', async () => {
    expect((await read(zipOf([one(), header], 'a comment'))).rollouts.length).toBe(1);
    await read(zipOf([one(), header], `PK\x05\x06${'\0'.repeat(18)}`));
  });

  test('a source that cannot be read rejects', async () => {
    const source = { ...bytesSource('log.eval', zipOf([one()])), read: () => Promise.reject(new Error('gone')) };
    await expect(listZip(source)).rejects.toThrow('gone');
  });
});

describe('attachments', () => {
  test('are found by own keys only and resolve once', async () => {
    const messages = ['__proto__', 'constructor', 'missing', 'a'].map((key) => ({
      role: 'user',
      content: `attachment://${key}`,
    }));
    const content = sampleText('a', { messages, attachments: { a: 'attachment://b', b: 'B' } });
    const { rollouts } = await read(zipOf([one({ content }), header]));
    expect(rollouts[0]?.turns.map((turn) => turn.parts[0])).toEqual(
      ['attachment://__proto__', 'attachment://constructor', 'attachment://missing', 'attachment://b'].map((text) => ({
        kind: 'text',
        text,
      })),
    );
  });

  test('named a million times do not multiply without end', async () => {
    const content = sampleText('a', {
      messages: [{ role: 'user', content: Array.from({ length: 2000 }, () => 'attachment://a') }],
      attachments: { a: 'x'.repeat(1_000_000) },
    });
    const { rollouts } = await read(zipOf([one({ content }), header]));
    expect(rollouts[0]?.turns[0]?.characters).toBeLessThan(140_000_000);
  });
});

describe('zstd', () => {
  const text = Buffer.from('rain '.repeat(50_000));
  test.each([1, 2, 7])('%i frames are one content, natively and in JavaScript', async (frames) => {
    const packed = zstdOf(text, frames);
    const unpacked = await unpackZstd(packed, text.length);
    expect(unpacked.ok && unpacked.bytes.equals(text)).toBe(true);
    const inJavaScript = await unpackZstd(packed, text.length, 'fzstd');
    expect(inJavaScript.ok && inJavaScript.bytes.equals(text)).toBe(true);
    expect(await unpackZstd(packed, text.length - 1)).toMatchObject({ ok: false });
    expect(await unpackZstd(packed, text.length - 1, 'fzstd')).toMatchObject({ ok: false });
    expect(await unpackZstd(packed.subarray(0, packed.length - 1), text.length)).toMatchObject({ ok: false });
  });
  test('a frame whose header says more than comes is refused before memory is taken', async () => {
    const packed = Buffer.from(zstdOf(bytesOf('rain'), 1));
    packed.writeUInt32LE(0xfffffff0, 5);
    const huge = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0x03, 0, 0, 0x20]);
    for (const code of [usualZstd, 'fzstd'] as const) {
      expect(await unpackZstd(packed, 1e8, code)).toMatchObject({
        ok: false,
        reason: expect.stringMatching(/window of 4096 MB/) as string,
      });
      expect(await unpackZstd(huge, 1e8, code)).toMatchObject({
        ok: false,
        reason: expect.stringMatching(/window/) as string,
      });
    }
  });
  test('a skippable frame is skipped, an unknown one is not', async () => {
    const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2]);
    const unpacked = await unpackZstd(Buffer.concat([skippable, zstdOf(text, 1), skippable]), text.length);
    expect(unpacked.ok && unpacked.bytes.equals(text)).toBe(true);
    expect(await unpackZstd(bytesOf('no zstd at all'), 10)).toMatchObject({ ok: false });
    expect(await unpackZstd(new Uint8Array(0), 10)).toMatchObject({ ok: true });
  });
});

/** A zstd frame of run-length blocks of 128 KB: four bytes each. */
function runLengthBomb(blocks: number): Buffer {
  // A window of 1 MB, no size.
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50]);
  const body = Buffer.alloc(blocks * 4);
  for (let block = 0; block < blocks; block++) {
    body.writeUIntLE((131_072 << 3) | 2 | (block === blocks - 1 ? 1 : 0), block * 4, 3);
    body[block * 4 + 3] = 0x20;
  }
  return Buffer.concat([header, body]);
}
