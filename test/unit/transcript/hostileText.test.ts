/**
 * Log text may hold anything: for every text, marks must name lines as VS Code counts them, and what stands at the left
 * edge must be ours.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildCall, buildImage, buildRollout, buildTurn } from '../../../src/model/builder.ts';
import type { Role, Rollout, TurnPart } from '../../../src/model/rollout.ts';
import { renderTranscript } from '../../../src/transcript/renderTranscript.ts';
import { oneLine, visibleText } from '../../../src/transcript/visibleText.ts';
import { context, editorLines, sampleRollout } from './sampleRollouts.ts';

/** Pieces that break naive splitting, hide or reorder text, or look like lines of ours. */
const nasty = [
  '\n',
  '\r\n',
  '\r',
  '\u2028',
  '\u2029',
  '\u0085',
  '\u0000',
  '\u001b[31m',
  '\u202e',
  '\u2066',
  '\ufeff',
  '\ud800',
  '\udc00',
  '𝒳',
  '\t',
  '─── policy 9 ───────',
  '  ▶ call 7  python  1 s ✓',
  '  ◀ ',
  '─── answer ✓ ───',
  '… 12 characters more',
  '</script>',
  '$(zap)',
  'x',
  ' ',
];
const text = fc
  .array(fc.oneof(fc.constantFrom(...nasty), fc.string({ maxLength: 5 })), { maxLength: 12 })
  .map((parts) => parts.join(''));

const part = (calls: number): fc.Arbitrary<TurnPart> =>
  fc.oneof(
    text.map((value): TurnPart => ({ kind: 'text', text: value })),
    text.map((value): TurnPart => ({ kind: 'reasoning', text: value })),
    text.map((value): TurnPart => ({ kind: 'answer', text: value })),
    fc.nat(calls).map((call): TurnPart => ({ kind: 'call', call })),
    fc.nat(2).map((image): TurnPart => ({ kind: 'image', image })),
  );

const rollout: fc.Arbitrary<Rollout> = fc
  .record({
    turns: fc.array(
      fc.record({
        role: fc.constantFrom<Role>('system', 'user', 'policy', 'tool', 'other'),
        loggedRole: text,
        parts: fc.array(part(3), { maxLength: 4 }),
        observes: fc.array(fc.nat(3), { maxLength: 2 }),
      }),
      { maxLength: 6 },
    ),
    calls: fc.array(
      fc.record({
        turn: fc.nat(5),
        tool: fc.option(text),
        raw: text,
        arguments: fc.oneof(
          fc.constant(null),
          text,
          fc.dictionary(text, text, { maxKeys: 3 }),
          fc.array(text, { maxLength: 2 }),
        ),
        failure: fc.option(text),
        observation: text,
        images: fc.array(fc.nat(2), { maxLength: 2 }),
        facts: fc.array(fc.record({ name: text, value: text }), { maxLength: 2 }),
      }),
      { maxLength: 3 },
    ),
    answer: fc.option(text),
    groundTruth: fc.oneof(text, fc.constant(null), fc.dictionary(text, text, { maxKeys: 2 })),
    stopReason: fc.option(text),
    id: fc.option(text),
    extras: fc.array(fc.record({ name: text, value: fc.oneof(text, fc.array(text)) }), { maxLength: 3 }),
    question: text,
  })
  .map(({ turns, calls, ...rest }) =>
    buildRollout({
      ...rest,
      place: sampleRollout().place,
      producer: 'p',
      group: { key: 'g', source: 'inferred' },
      turns: turns.map(buildTurn),
      calls: calls.map(buildCall),
      images: [buildImage({ origin: 'prompt', mime: 'image/\u202epng' }), buildImage({ origin: 'prompt', pads: 3 })],
    }),
  );

/** Lines that we write at the left edge, and nothing else may stand there. */
const ours = /^(───|step |"|record |rollout |A_acc |advantages: |hdpo|$)/;

describe('a transcript of any text', () => {
  test('marks lie in the document, where their text is', () => {
    fc.assert(
      fc.property(rollout, fc.boolean(), (value, indexed) => {
        const document = renderTranscript(value, context(indexed ? {} : { explanation: null }));
        const lines = editorLines(document.text);
        for (const mark of document.marks) {
          expect(mark.count).toBeGreaterThan(0);
          expect(mark.line + mark.count).toBeLessThan(lines.length);
          const first = lines[mark.line] ?? '';
          if (mark.kind === 'call') expect(first).toContain(`▶ call ${mark.call + 1}  `);
          if (mark.kind === 'observation') expect(first).toMatch(/^ {2}◀ /);
          if (mark.kind === 'image') expect(first).toContain(`[image ${mark.image + 1}: `);
          if (mark.kind === 'answer') expect(first).toMatch(/^─── (answer|outcome)/);
          if (mark.kind === 'arithmetic') expect(first).toMatch(/^─── reward and advantages/);
          if (mark.kind === 'turn' && mark.role !== 'tool') expect(first).toContain(`─── ${mark.label} `);
        }
        const turns = document.marks.filter(({ kind }) => kind === 'turn').sort((a, b) => a.line - b.line);
        for (const [index, turn] of turns.entries()) {
          const next = turns[index + 1];
          if (next) expect(turn.line + turn.count).toBeLessThanOrEqual(next.line);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('only our own lines stand at the left edge, and nothing invisible is left', () => {
    fc.assert(
      fc.property(rollout, (value) => {
        const { text: rendered } = renderTranscript(value, context());
        for (const line of editorLines(rendered)) if (!line.startsWith(' ')) expect(line).toMatch(ours);
        expect(rendered).not.toMatch(
          /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/,
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe('visible text', () => {
  test.each([
    ['\u001b[31mred', '␛[31mred'],
    ['a\u0000b', 'a␀b'],
    ['a\u007fb', 'a␡b'],
    ['a\u202eb', 'a[U+202E]b'],
    ['a\u2028b', 'a[U+2028]b'],
    ['a\u0085b', 'a[U+0085]b'],
    ['a\u{e0041}b', 'a[U+E0041]b'],
    ['tab\tand\r\nbreak', 'tab\tand\r\nbreak'],
    ['😀 漢字', '😀 漢字'],
  ])('%j is shown as %j', (given, shown) => {
    expect(visibleText(given)).toBe(shown);
  });

  test.each([
    ['a\r\nb\tc', 10, 'a b c'],
    ['abcdef', 4, 'abc…'],
    ['ab😀d', 4, 'ab…'],
    [' '.repeat(500), 4, '…'],
    ['', 4, ''],
  ])('one line of %j within %i is %j', (given, limit, shown) => {
    expect(oneLine(given, limit)).toBe(shown);
  });
});
