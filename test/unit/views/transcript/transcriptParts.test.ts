/** The parts of the transcript view that need no VS Code: labels, folds, outline, decorated lines, pictures. */
import { describe, expect, test } from 'vitest';
import { buildCall, buildRollout, buildTurn } from '../../../../src/model/builder.ts';
import { renderTranscript } from '../../../../src/transcript/renderTranscript.ts';
import { decoratedLines } from '../../../../src/views/transcript/decoratedLines.ts';
import { fetchImage } from '../../../../src/views/transcript/fetchImage.ts';
import { foldedAtFirst, foldingLines, outlineEntries } from '../../../../src/views/transcript/foldingRanges.ts';
import { imageExtension } from '../../../../src/views/transcript/imageKind.ts';
import {
  mayBeLog,
  memberLabel,
  orderedMembers,
  rolloutLabel,
  sameRollout,
} from '../../../../src/views/transcript/rolloutLabels.ts';
import {
  context,
  members,
  ref,
  repeatFlag,
  repeatReport,
  row,
  sampleRollout,
} from '../../transcript/sampleRollouts.ts';
import { l10n } from '../translator.ts';

describe('quick pick labels', () => {
  test('a rollout', () => {
    expect(rolloutLabel(row(), { l10n, hasSteps: true })).toEqual({
      label: '✓',
      description: 'step 17 · 48 × 7 = ? · 5 of 16 · T 2 · A_acc +0.86 · A_tool −0.70',
    });
  });

  test('a rollout without a step, not known right or wrong, with an id', () => {
    const given = row({ correct: null, id: 'trial 3', accAdvantage: null, question: 'two\nlines $(zap)' });
    expect(rolloutLabel(given, { l10n, hasSteps: false })).toEqual({
      label: '?',
      description: 'two lines \\$(zap) · 5 of 16 · T 2 · A_acc ? · A_tool −0.70 · trial 3',
    });
  });

  test('members, right ones with fewer calls first', () => {
    const given = [3, 0, 1].flatMap((calls, index) =>
      [false, true, null].map((correct, place) => ({
        ref: { ...ref, row: index * 3 + place },
        member: index * 3 + place + 1,
        correct,
        calls,
        accReward: null,
        toolReward: null,
        qualifies: correct === true,
      })),
    );
    expect(orderedMembers(given).map((member) => memberLabel(member, l10n))).toEqual([
      { label: '✓ rollout 5', description: 'T 0 · in Q' },
      { label: '✓ rollout 8', description: 'T 1 · in Q' },
      { label: '✓ rollout 2', description: 'T 3 · in Q' },
      { label: '✗ rollout 4', description: 'T 0' },
      { label: '✗ rollout 7', description: 'T 1' },
      { label: '✗ rollout 1', description: 'T 3' },
      { label: '· rollout 6', description: 'T 0' },
      { label: '· rollout 9', description: 'T 1' },
      { label: '· rollout 3', description: 'T 3' },
    ]);
  });

  test('names of one rollout', () => {
    expect(sameRollout(ref, { ...ref })).toBe(true);
    for (const other of [
      { ...ref, run: 'x' },
      { ...ref, file: 'x' },
      { ...ref, row: 9 },
    ]) {
      expect(sameRollout(ref, other)).toBe(false);
    }
    expect(orderedMembers(members(4, 2)).map(({ member }) => member)).toEqual([1, 2, 3, 4]);
  });

  test.each([
    ['/a/17.jsonl', true],
    ['/a/x.NDJSON', true],
    ['/a/results.json', true],
    ['/a/train.py', false],
    ['/a/jsonl', false],
  ])('%s may be a log: %s', (path, expected) => {
    expect(mayBeLog(path)).toBe(expected);
  });
});

describe('folding, outline and decorations of the wireframe', () => {
  const { marks } = renderTranscript(sampleRollout(), context({ flags: repeatReport() }));

  test('a fold a turn with its observation, one a reasoning, observation, the sums and the further values', () => {
    expect(foldingLines(marks).slice(0, 6)).toEqual([
      { first: 2, last: 3 },
      { first: 4, last: 6 },
      { first: 7, last: 12 },
      { first: 13, last: 18 },
      { first: 17, last: 18 },
      { first: 19, last: 21 },
    ]);
    expect(foldingLines(marks)).toHaveLength(9);
  });

  test('observations over 30 lines are folded at first', () => {
    expect(foldedAtFirst(marks)).toEqual([]);
    const long = { kind: 'observation', line: 9, call: 0, characters: 1 } as const;
    expect(foldedAtFirst([{ ...long, count: 30 }])).toEqual([]);
    expect(
      foldedAtFirst([
        { ...long, count: 31 },
        { ...long, count: 31, call: 1 },
      ]),
    ).toEqual([9]);
  });

  test('the outline has turns and, inside them, calls and the answer', () => {
    const outline = outlineEntries(marks).map(({ mark, children }) => [
      mark.kind === 'turn' ? mark.label : mark.kind,
      children.map((child) => child.mark.kind),
    ]);
    expect(outline).toEqual([
      ['system', []],
      ['user', []],
      ['policy 1', ['call']],
      ['policy 2', ['call']],
      ['policy 3', ['answer']],
    ]);
  });

  test('decorated lines', () => {
    const lines = decoratedLines(marks, [repeatFlag()]);
    expect(lines.title).toEqual([{ first: 0, last: 0 }]);
    expect(lines.heading.map(({ first }) => first)).toEqual([2, 4, 7, 13, 19, 22, 47]);
    expect(lines.reasoning).toEqual([{ first: 8, last: 8 }]);
    expect(lines.right).toEqual([{ first: 20, last: 20 }]);
    expect(lines.wrong).toEqual([]);
    expect(lines.redundant).toEqual([{ first: 14, last: 14 }]);
    const bare = renderTranscript(sampleRollout(), context()).marks;
    expect(decoratedLines(bare, []).failed).toEqual([{ first: 14, last: 14 }]);
    // What was dismissed, and what is only a hint, is drawn as any other call.
    for (const change of [{ verdict: 'dismissed' }, { confidence: 'hint' }] as const) {
      expect(decoratedLines(bare, [repeatFlag(change)])).toMatchObject({
        redundant: [],
        failed: [{ first: 14, last: 14 }],
      });
    }
  });
});

describe('pictures', () => {
  test.each([
    ['png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0]],
    ['jpg', [0xff, 0xd8, 0xff, 0xe0]],
    ['gif', [...'GIF89a'].map((letter) => letter.charCodeAt(0))],
    ['webp', [...'RIFF1234WEBP'].map((letter) => letter.charCodeAt(0))],
    [null, [...'<svg onload=…>'].map((letter) => letter.charCodeAt(0) & 0xff)],
    [null, [0x89, 0x50]],
    [null, []],
  ])('%s', (extension, bytes) => {
    expect(imageExtension(Uint8Array.from(bytes))).toBe(extension);
  });

  const slices = (sizeBytes: number, step: number) => ({
    image: ({ first }: { readonly first: number }) =>
      Promise.resolve({
        mime: 'image/png',
        sizeBytes,
        bytes: Uint8Array.from(
          { length: Math.max(0, Math.min(step, sizeBytes - first)) },
          (_, index) => (first + index) % 251,
        ),
      }),
  });

  test.each([
    [10, 10],
    [10, 3],
    [0, 3],
    [5, 100],
  ])('%i bytes come together from slices of %i', async (size, step) => {
    const bytes = await fetchImage(slices(size, step), { address: { ref, path: '/runs/hdpo' }, image: 0, l10n });
    expect([...bytes]).toEqual(Array.from({ length: size }, (_, index) => index % 251));
  });

  test('a picture that ends early or claims too much is an error with a sentence', async () => {
    const short = { image: () => Promise.resolve({ mime: '', sizeBytes: 10, bytes: new Uint8Array() }) };
    await expect(fetchImage(short, { address: { ref, path: '/runs/hdpo' }, image: 0, l10n })).rejects.toThrow(
      'The log changed',
    );
    await expect(
      fetchImage(slices(65_000_000, 1), { address: { ref, path: '/runs/hdpo' }, image: 0, l10n }),
    ).rejects.toThrow('65 MB');
  });
});

describe('sub-agents', () => {
  const agent = (name: string, depth: number) => ({ name, depth });
  const says = (text: string, who: { name: string; depth: number } | null) =>
    buildTurn({ role: 'policy', parts: [{ kind: 'text', text }], agent: who });
  const rollout = buildRollout({
    ...sampleRollout(),
    calls: [buildCall({ turn: 1, tool: 'delegate', raw: '{}', arguments: {} })],
    turns: [
      buildTurn({ role: 'user', parts: [{ kind: 'text', text: 'go' }], prompt: true }),
      buildTurn({ role: 'policy', parts: [{ kind: 'call', call: 0 }] }),
      says('a', agent('coder', 1)),
      says('b', agent('tester', 2)),
      says('c', agent('coder', 1)),
      says('d', agent('reviewer', 1)),
      buildTurn({ role: 'tool', parts: [{ kind: 'text', text: 'done' }], observes: [0] }),
      buildTurn({ role: 'policy', parts: [{ kind: 'answer', text: '336' }] }),
    ],
  });
  const { text, marks } = renderTranscript(rollout, context());
  const lines = text.split('\n');

  test('are named in headings, each counted apart', () => {
    const headings = lines.filter((line) => line.startsWith('─── ')).map((line) => line.replaceAll('─', '').trim());
    expect(headings.slice(0, 8)).toEqual([
      'user',
      'policy 1',
      '↳ coder: policy 1',
      '↳↳ tester: policy 1',
      '↳ coder: policy 2',
      '↳ reviewer: policy 1',
      'policy 2',
      'answer ✓',
    ]);
  });

  test('nest in the outline and in folds', () => {
    interface Tree {
      readonly [name: string]: Tree;
    }
    const names = (entries: ReturnType<typeof outlineEntries>): Tree =>
      Object.fromEntries(
        entries.map(({ mark, children }) => {
          const name = mark.kind === 'turn' ? mark.label : mark.kind === 'agent' ? mark.name : mark.kind;
          return [name, names(children)];
        }),
      );
    const coder = { 'policy 1': { tester: { 'policy 1': {} } }, 'policy 2': {} };
    expect(names(outlineEntries(marks))).toEqual({
      user: {},
      'policy 1': { call: {}, coder, reviewer: { 'policy 1': {} } },
      'policy 2': { answer: {} },
    });
    const folds = new Map(
      foldingLines(marks).map(({ first, last }) => [lines[first]?.replaceAll('─', '').trim(), last]),
    );
    expect(lines[folds.get('policy 1') ?? 0]).toBe('  ◀ done');
    expect(lines[folds.get('↳ coder: policy 1') ?? 0]).toBe('  c');
    expect(lines[folds.get('↳↳ tester: policy 1') ?? 0]).toBe('  b');
  });

  test('every entry lies inside its parent', () => {
    const check = (entries: ReturnType<typeof outlineEntries>): void => {
      for (const { line, count, children } of entries) {
        for (const child of children) {
          expect(child.line).toBeGreaterThanOrEqual(line);
          expect(child.line + child.count).toBeLessThanOrEqual(line + count);
        }
        check(children);
      }
    };
    check(outlineEntries(marks));
  });
});
