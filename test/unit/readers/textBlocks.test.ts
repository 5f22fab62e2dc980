// A log of text blocks is read the same whatever the chunks; what is torn, foreign or too long leaves one note each.
import { describe, expect, test } from 'vitest';
import type { Note } from '../../../src/model/note.ts';
import type { RecordPlace } from '../../../src/model/rollout.ts';
import type { ReadSummary } from '../../../src/readers/reader.ts';
import { bytesSource } from '../../../src/readers/source.ts';
import { readTextBlocks, type TextBlocksOptions } from '../../../src/readers/textBlocks.ts';

interface Blocks {
  readonly blocks: readonly { readonly text: string; readonly place: RecordPlace }[];
  readonly notes: readonly Note[];
  readonly summary: ReadSummary;
}

async function blocksOf(text: string, options: Partial<TextBlocksOptions> = {}): Promise<Blocks> {
  const blocks: { text: string; place: RecordPlace }[] = [];
  const notes: Note[] = [];
  const summary = await readTextBlocks(bytesSource('generations.log', Buffer.from(text)), {
    from: null,
    signal: new AbortController().signal,
    note: (note) => notes.push(note),
    opening: '[a]',
    marks: ['[b]'],
    closing: '[c]',
    block: (block, place) => {
      blocks.push({ text: block, place });
      return null;
    },
    ...options,
  });
  expect(summary.read + summary.skipped + summary.noted).toBe(summary.lines);
  expect(summary.read).toBe(blocks.length);
  return { blocks, notes, summary };
}

const block = (name: string): string => `[a] ${name}\nmore of it\n[b] é\n[c] 1\n`;

describe('blocks', () => {
  const text = `${block('one')}\nforeign\nlines\n\n${block('two')}\n[a] torn\n[b] x\n${block('three')}\n[a] open\n[b]`;

  test.each([16, 17, 23, 64, 1 << 20])('with chunks of %i bytes', async (chunkBytes) => {
    const { blocks, notes, summary } = await blocksOf(text, { chunkBytes });
    expect(blocks.map((found) => found.text)).toEqual(['one', 'two', 'three'].map((name) => block(name).trimEnd()));
    expect(blocks.map(({ place }) => [place.row, place.line])).toEqual([
      [0, 0],
      [1, 8],
      [3, 15],
    ]);
    for (const { text: found, place } of blocks) {
      const { first, count } = place.bytes;
      expect(Buffer.from(text).toString('utf8', first, first + count)).toBe(found);
    }
    expect(notes.map(({ code, line }) => [code, line])).toEqual([
      ['bad-json', 5],
      ['not-a-record', 13],
      ['partial-last-line', 20],
    ]);
    expect(summary).toMatchObject({ lines: 6, read: 3, skipped: 0, noted: 3 });
  });

  test('marks count in their order only', async () => {
    const { blocks } = await blocksOf('[a] x\n[c] not yet\n[b] y\n[c] now\n[c] behind\n');
    expect(blocks.map((found) => found.text)).toEqual(['[a] x\n[c] not yet\n[b] y\n[c] now']);
  });

  test.each([16, 64, 1 << 20])(
    'a block or a line that is too long is passed over, chunks of %i bytes',
    async (chunkBytes) => {
      const long = `[a] ${'x'.repeat(400)}\n[b] y\n[c] 1\n\n`;
      const lines = `[a] many\n${'x\n'.repeat(200)}`;
      const foreign = `${'y'.repeat(300)}\n`;
      const { blocks, notes, summary } = await blocksOf(
        `${block('one')}${long}${block('two')}${lines}${block('three')}${foreign}`,
        {
          maximumBytes: 100,
          chunkBytes,
        },
      );
      expect(blocks.map((found) => found.text)).toEqual(['one', 'two', 'three'].map((name) => block(name).trimEnd()));
      expect(notes.length).toBe(summary.noted);
      expect(notes.filter((note) => note.code === 'line-too-long').length).toBeGreaterThan(0);
      expect(notes.length).toBeLessThanOrEqual(5);
    },
  );

  test('an empty file and one of blanks hold nothing', async () => {
    for (const empty of ['', '\n', ' \r\n\n']) {
      expect(await blocksOf(empty)).toMatchObject({ blocks: [], notes: [], summary: { lines: 0 } });
    }
  });
});
