/** No document above 1 MB whatever the record: turns are cut, the longest first, and their rest can be had in parts. */
import { describe, expect, test } from 'vitest';
import { buildCall, buildRollout, buildTurn, callPart, textPart } from '../../../src/model/builder.ts';
import type { Rollout, Turn } from '../../../src/model/rollout.ts';
import type { Mark, TranscriptDocument } from '../../../src/protocol/transcript.ts';
import { utf8Length } from '../../../src/transcript/fit.ts';
import { renderRest, renderTranscript } from '../../../src/transcript/renderTranscript.ts';
import { context, editorLines, sampleRollout } from './sampleRollouts.ts';

const long = (unit: string, characters: number) => unit.repeat(Math.ceil(characters / unit.length));
const policy = (text: string): Turn => buildTurn({ role: 'policy', parts: [textPart(text)] });
const of = (turns: readonly Turn[]): Rollout => buildRollout({ ...sampleRollout(), turns, calls: [], images: [] });
const times = <Item>(count: number, make: (index: number) => Item) =>
  Array.from({ length: count }, (_, index) => make(index));

/** Rollouts of 6 to 12 MB in every awkward shape. */
const large: readonly (readonly [name: string, rollout: () => Rollout])[] = [
  ['12 MB in 40 turns', () => of(times(40, () => policy(long('The quick brown fox\n', 300_000))))],
  ['two lines of 6 MB', () => of(times(2, () => policy(long('abc', 6_000_000))))],
  ['10 MB of three-byte characters', () => of(times(4, () => policy(long('漢字', 900_000))))],
  ['four-byte characters', () => of(times(8, () => policy(long('😀', 400_000))))],
  ['control characters', () => of(times(3, () => policy(long('\u001b[31m\r\n', 2_000_000))))],
  ['100,000 turns', () => of(times(100_000, (index) => policy(`turn ${index}`)))],
  ['blank lines', () => of([policy(long('\n', 3_000_000)), policy(`${long(' \n', 2_000_000)}end`)])],
  [
    'one observation of 12 MB',
    () =>
      buildRollout({
        ...sampleRollout(),
        turns: [
          buildTurn({ role: 'policy', parts: [callPart(0)] }),
          buildTurn({ role: 'tool', parts: [textPart(long('row 1\n', 12_000_000))], observes: [0] }),
        ],
      }),
  ],
  [
    '20,000 calls in one turn',
    () =>
      buildRollout({
        ...sampleRollout(),
        turns: [buildTurn({ role: 'policy', parts: times(20_000, callPart) })],
        calls: times(20_000, () =>
          buildCall({
            turn: 0,
            tool: 'python',
            raw: 'x',
            arguments: { code: 'print(1)' },
            observation: 'é'.repeat(400),
          }),
        ),
      }),
  ],
  [
    'a call with 8 MB of code',
    () =>
      buildRollout({
        ...sampleRollout(),
        turns: [buildTurn({ role: 'policy', parts: [callPart(0)] })],
        calls: [buildCall({ turn: 0, tool: 'python', raw: 'x', arguments: { code: long('print(1)\n', 8_000_000) } })],
      }),
  ],
];

const turnMarks = ({ marks }: TranscriptDocument) =>
  marks.filter((mark): mark is Extract<Mark, { kind: 'turn' }> => mark.kind === 'turn');

describe.each(large)('%s', (_, make) => {
  const rollout = make();
  const document = renderTranscript(rollout, context());

  test('fits, marks included', () => {
    expect(document.text.length).toBeLessThanOrEqual(1_000_000);
    expect(utf8Length(document.text)).toBe(new TextEncoder().encode(document.text).length);
    expect(utf8Length(document.text) + utf8Length(JSON.stringify(document.marks))).toBeLessThanOrEqual(1_000_000);
  });

  test('says what is cut where it is cut', () => {
    const lines = editorLines(document.text);
    for (const mark of turnMarks(document).filter(({ cut }) => cut > 0)) {
      const last = lines[mark.line + mark.count - 1];
      expect(last).toBe(`  … ${mark.cut.toLocaleString('en-US')} character${mark.cut === 1 ? '' : 's'} more`);
    }
    expect(document.marks.filter((mark) => mark.line + mark.count >= lines.length)).toEqual([]);
  });

  test('the rest of a cut turn comes in parts of at most 900,000 bytes', () => {
    const cut = turnMarks(document).find((mark) => mark.cut > 0);
    if (cut === undefined) return;
    const first = renderRest(rollout, cut.turn, 0);
    const count = first.part?.count ?? 0;
    expect(count).toBeGreaterThan(0);
    let characters = 0;
    for (const part of new Set([0, 1, count - 1].filter((index) => index < count))) {
      const rest = renderRest(rollout, cut.turn, part);
      expect(rest.part).toEqual({ index: part, count });
      expect(utf8Length(rest.text)).toBeLessThanOrEqual(901_000);
      const lines = editorLines(rest.text);
      expect(rest.marks.filter((mark) => mark.line + mark.count > lines.length)).toEqual([]);
      characters += rest.text.length;
    }
    expect(characters).toBeGreaterThan(0);
  });
});

test('document and rest together hold the whole turn, once', () => {
  const numbers = times(60_000, (index) => `line ${index} of it`);
  const rollout = of([policy('short'), policy(numbers.join('\n')), policy('end')]);
  const document = renderTranscript(rollout, context());
  const [, cut] = turnMarks(document);
  expect(cut?.cut).toBeGreaterThan(0);
  const lines = editorLines(document.text).slice((cut?.line ?? 0) + 1, (cut?.line ?? 0) + (cut?.count ?? 0) - 1);
  const rest: string[] = [];
  const count = renderRest(rollout, 1, 0).part?.count ?? 0;
  for (let part = 0; part < count; part += 1) rest.push(...editorLines(renderRest(rollout, 1, part).text).slice(1, -1));
  // A line that is cut in two stands indented twice.
  expect((lines.join('\n') + rest.join('\n')).replace(/\s/g, '')).toBe(numbers.join('').replace(/\s/g, ''));
  expect(cut?.cut).toBeGreaterThan(rest.join('\n').length - 10 * rest.length);
});

test('the longest turns are cut first, short ones stay whole', () => {
  const turns = [policy('short one'), ...times(6, () => policy(long('x y ', 240_000))), policy('short two')];
  const marks = turnMarks(renderTranscript(of(turns), context()));
  expect(marks.map(({ cut }) => cut > 0)).toEqual([false, true, true, true, true, true, true, false]);
});

test('one turn is cut at 250,000 characters even where the document has room', () => {
  const document = renderTranscript(of([policy(long('x', 400_000))]), context());
  const [turn] = turnMarks(document);
  expect(turn?.cut).toBeGreaterThan(149_000);
  expect(turn?.cut).toBeLessThan(152_000);
  expect(document.text.length).toBeLessThan(256_000);
});

test('a record of 10 MB is rendered in well under 200 ms', () => {
  const rollout = of(times(40, () => policy(long('The quick brown fox\n', 250_000))));
  renderTranscript(rollout, context());
  const durations = times(5, () => {
    const start = performance.now();
    renderTranscript(rollout, context());
    return performance.now() - start;
  });
  expect(Math.min(...durations)).toBeLessThan(200);
});
