/** What hovers and CodeLens say, from marks and explanations only. */
import { describe, expect, test } from 'vitest';
import type { ShownTranscript } from '../../../../src/host/openTranscripts.ts';
import type { TranscriptDocument } from '../../../../src/protocol/transcript.ts';
import { renderRest, renderTranscript } from '../../../../src/transcript/renderTranscript.ts';
import { logLineHover, markAt, transcriptHover } from '../../../../src/views/annotations/hoverText.ts';
import { logLensTitle, transcriptLenses } from '../../../../src/views/annotations/lensText.ts';
import { buildRollout, buildTurn, textPart } from '../../../../src/model/builder.ts';
import {
  context,
  editorLines,
  explanation,
  ref,
  repeatReport,
  row,
  sampleRollout,
} from '../../transcript/sampleRollouts.ts';
import { l10n } from '../translator.ts';

function shown(
  { text, ...document }: TranscriptDocument,
  rest: ShownTranscript['address']['rest'] = null,
): ShownTranscript {
  return { ...document, address: { ref, path: '/logs/hdpo', rest }, lineCount: editorLines(text).length };
}

const sample = shown(renderTranscript(sampleRollout(), context({ flags: repeatReport() })));
const textAt = (line: number, transcript = sample) => transcriptHover(transcript, line, l10n).map(({ text }) => text);

describe('hovers on a transcript', () => {
  test.each([
    [0, 'title'],
    [1, 'title'],
    [2, 'turn'],
    [5, 'image'],
    [8, 'turn'],
    [10, 'call'],
    [12, 'observation'],
    [21, 'answer'],
    [23, 'arithmetic'],
  ])('line %i is about the %s', (line, kind) => {
    expect(markAt(sample.marks, line)?.kind).toBe(kind);
  });

  test('title: the sums and the place', () => {
    const [sums = '', without, place] = textAt(0);
    expect(sums.split('\n')).toContain('A_tool = (0.333 − 0.51) / (0.26 + 1e-6) = −0.70');
    expect(without).toMatch(/^without call 2 /);
    expect(place).toBe('/logs/hdpo/17.jsonl, line 5');
  });

  test('turn: role, characters, tokens', () => {
    expect(textAt(7)).toEqual(['policy 1', 'role policy · 18 characters · 31 tokens']);
  });

  test('call: tool, success, latency, what came back, facts', () => {
    expect(textAt(9)).toEqual([
      'call 1 · python · succeeded · latency 0.61 s',
      'What came back (4 characters):',
      '336\n',
      'code_lines: 2',
    ]);
    expect(textAt(14)).toEqual([
      'call 2 · search · failed · latency 0.6 s',
      'no such tool',
      '⚠ Redundant: repeats call 1: same code, same result (certain, repeat)',
      '', // the link to call 1
      'It cost 0.6 s and 12 characters.',
      '', // the links of the verdict
      expect.stringMatching(/^without call 2 .*A_tool −0.70 → \+0.05\n/),
      'Nothing came back.',
    ]);
  });

  test('observation: how much of it the policy read', () => {
    expect(textAt(12)).toEqual([
      'Result of call 1: the policy read 4 characters.',
      'call 1 · python · succeeded · latency 0.61 s',
    ]);
  });

  test('answer: ground truth, reward, both advantages, the group', () => {
    const blocks = textAt(21);
    expect(blocks.slice(0, 3)).toEqual(['Right.', 'Ground truth:', '336']);
    expect(blocks[3]).toContain('r_acc = 1.0 = 0.9·answer 1 + 0.1·format 1');
    expect(blocks[3]).toContain('Q = 9 right of 16: mean 0.51, std 0.26');
    expect(blocks[4]).toBe('Group of 16, |Q| 9:');
    expect(blocks[5]?.split('\n')).toHaveLength(16);
  });

  test('before the group is indexed they say so', () => {
    const early = shown(renderTranscript(sampleRollout(), context({ explanation: null })));
    expect(textAt(0, early)[0]).toBe('The advantages follow when the group of this rollout is indexed.');
    expect(textAt(21, early).at(-1)).toBe('The advantages follow when the group of this rollout is indexed.');
  });

  test('a picture', () => {
    expect(textAt(5)).toEqual(['Picture 1 · its data is in the log · 1,024 pads']);
  });

  test('log text is never in a block of our own words', () => {
    const hostile = buildRollout({
      ...sampleRollout(),
      turns: [buildTurn({ role: 'other', loggedRole: '[x](command:evil)', parts: [textPart('a')] })],
      answer: '[y](command:evil)',
      groundTruth: '[z](command:evil)',
      calls: [],
    });
    const document = shown(renderTranscript(hostile, context()));
    for (let line = 0; line < document.lineCount; line += 1) {
      for (const block of transcriptHover(document, line, l10n)) {
        if (block.kind === 'own' || block.kind === 'link') expect(block.text).not.toContain('command:');
      }
    }
  });
});

describe('hover on a raw line', () => {
  test('five lines and a link', () => {
    const [lines, link] = logLineHover(row(), explanation(), { l10n, hasSteps: true });
    expect(lines?.text.split('\n')).toEqual([
      '✓ 48 × 7 = ?',
      'step 17 · rollout 5 of 16 · |Q| 9',
      'T 2 · reward 1.0 = 0.9·answer 1 + 0.1·format 1',
      'A_acc = (1.0 − 0.613) / (0.452 + 1e-6) = +0.86',
      'A_tool = (0.333 − 0.51) / (0.26 + 1e-6) = −0.70',
    ]);
    expect(link).toEqual({
      kind: 'link',
      text: 'Open trajectory',
      command: 'rolloutLens.openTrajectory',
      argument: ref,
    });
  });

  test('without the explanation, and with a logged advantage', () => {
    const [lines] = logLineHover(row({ loggedAdvantage: 0.9 }), null, { l10n, hasSteps: false });
    expect(lines?.text.split('\n')).toEqual([
      '✓ 48 × 7 = ?',
      'rollout 5 of 16',
      'T 2 · reward 1 · logged +0.90',
      'A_acc +0.86',
      'A_tool −0.70',
    ]);
  });
});

describe('CodeLens', () => {
  test('of a raw line', () => {
    expect(logLensTitle(row(), l10n)).toBe('✓ T 2 · reward 1.0 · A_acc +0.86 · A_tool −0.70 · Open trajectory');
  });

  test('of a transcript: title, picture, redundant call', () => {
    expect(transcriptLenses(sample, l10n).map(({ line, title, command }) => [line, title, command])).toEqual([
      [0, 'Replay', 'rolloutLens.replayEpisode'],
      [0, 'Compare with…', 'rolloutLens.compareWith'],
      [0, 'Show group', 'rolloutLens.showGroup'],
      [0, 'Open in log', 'rolloutLens.openInLog'],
      [5, 'Open image', 'rolloutLens.openImage'],
      [14, '⚠ Redundant: repeats call 1', 'rolloutLens.revealCall'],
      [14, 'Confirm', 'rolloutLens.confirmFlag'],
      [14, 'Dismiss', 'rolloutLens.dismissFlag'],
    ]);
  });

  test('of a cut turn, and of the parts of its rest', () => {
    const turns = [buildTurn({ role: 'user', parts: [textPart('x'.repeat(2_500_000))] })];
    const rollout = buildRollout({ ...sampleRollout(), turns, calls: [] });
    const [rest] = transcriptLenses(shown(renderTranscript(rollout, context())), l10n).filter(({ line }) => line > 0);
    expect(rest).toMatchObject({
      line: 2,
      title: 'Open the rest (2.25 MB)',
      command: 'rolloutLens.openRest',
      argument: { ...ref, turn: 0, part: 0 },
    });
    const part = (index: number) =>
      transcriptLenses(shown(renderRest(rollout, 0, index), { turn: 0, part: index }), l10n).map(({ title }) => title);
    expect(part(0)).toEqual(['Open the transcript', 'Next part']);
    expect(part(1)).toEqual(['Open the transcript', 'Previous part', 'Next part']);
    expect(part(2)).toEqual(['Open the transcript', 'Previous part']);
  });
});
