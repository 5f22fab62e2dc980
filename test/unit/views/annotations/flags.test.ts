/** Flags in transcripts: where they stand, what lenses, hovers and Problems say of them, before and after a verdict. */
import { describe, expect, test } from 'vitest';
import type { ShownTranscript } from '../../../../src/host/openTranscripts.ts';
import { flagsAt, placedFlags } from '../../../../src/host/shownFlags.ts';
import type { ShownFlag } from '../../../../src/protocol/flags.ts';
import { renderTranscript } from '../../../../src/transcript/renderTranscript.ts';
import { shortSentence } from '../../../../src/views/annotations/flagText.ts';
import { transcriptHover } from '../../../../src/views/annotations/hoverText.ts';
import { transcriptLenses } from '../../../../src/views/annotations/lensText.ts';
import { problemsOf } from '../../../../src/views/annotations/problemText.ts';
import {
  context,
  editorLines,
  ref,
  repeatFlag as flag,
  repeatReport,
  sampleRollout,
} from '../../transcript/sampleRollouts.ts';
import { l10n } from '../translator.ts';

/** A likely flag on the rollout as a whole. */
function siblingFlag(): ShownFlag {
  const witnesses = [1, 2, 3].map((member) => ({
    ref: { ...ref, row: member - 1 },
    member,
    correct: true,
    calls: member - 1,
  }));
  const sentence = '2 calls too many: 3 of 3 siblings were right with at most 1 call: 100 % (44 % to 100 %)';
  const nothing = { refersTo: null, latencyMs: null, characters: null };
  return flag({
    id: 'sibling',
    call: null,
    count: 2,
    rule: 'sibling',
    confidence: 'likely',
    sentence,
    witnesses,
    ...nothing,
  });
}

function shown(...flags: readonly ShownFlag[]): ShownTranscript {
  const { text, ...document } = renderTranscript(sampleRollout(), context({ flags: repeatReport({ flags }) }));
  return { ...document, address: { ref, path: '/logs/hdpo', rest: null }, lineCount: editorLines(text).length };
}

/** Lines of the sample's calls. */
const [firstCall, secondCall] = [9, 14];

describe('where flags stand', () => {
  test('at their call, or at the title', () => {
    const places = placedFlags(shown(flag(), siblingFlag())).map(({ flag: { rule }, line }) => [rule, line]);
    expect(places).toEqual([
      ['repeat', secondCall],
      ['sibling', 0],
    ]);
  });

  test('the flags at a line are those of its call, of its result too', () => {
    const document = shown(flag(), siblingFlag());
    const at = (line: number) => flagsAt(document, line).map(({ rule }) => rule);
    const result = document.marks.find((mark) => mark.kind === 'observation' && mark.call === 1);
    expect(at(0)).toEqual(['sibling']);
    expect(at(firstCall)).toEqual([]);
    expect(at(secondCall)).toEqual(['repeat']);
    expect(at(result?.line ?? -1)).toEqual(['repeat']);
  });
});

describe('CodeLens', () => {
  const lenses = (...flags: readonly ShownFlag[]) =>
    transcriptLenses(shown(...flags), l10n)
      .filter(({ title }) => !/^(Replay|Compare|Show group|Open)/.test(title))
      .map(({ line, title, command, argument }) => ({ line, title, command, argument }));

  test.each([
    [null, ['⚠ Redundant: repeats call 1', 'Confirm', 'Dismiss']],
    ['confirmed', ['⚠ Confirmed: repeats call 1', 'Undo']],
    ['dismissed', ['Dismissed: repeats call 1', 'Undo']],
  ] as const)('after the verdict %s', (verdict, titles) => {
    expect(lenses(flag({ verdict })).map(({ title }) => title)).toEqual(titles);
  });

  test('each names its flag; the sentence leads to what it refers to', () => {
    const [said, confirm] = lenses(flag());
    expect(said).toMatchObject({ command: 'rolloutLens.revealCall', argument: { ...ref, call: 0 } });
    expect(confirm?.argument).toEqual({ ...ref, flag: flag().id });
    expect(lenses(flag({ refersTo: null, refersToTurn: 4 }))[0]?.argument).toEqual({ ...ref, turn: 4 });
    expect(lenses(siblingFlag())[0]).toMatchObject({ line: 0, command: 'rolloutLens.showGroup' });
    expect(lenses(flag({ refersTo: null }))[0]?.command).toBe('');
  });

  test('a hint has none until it is judged', () => {
    expect(lenses(flag({ confidence: 'hint' }))).toEqual([]);
    expect(lenses(flag({ confidence: 'hint', verdict: 'confirmed' }))).toHaveLength(2);
  });

  test('text of a log draws no icon', () => {
    expect(lenses(flag({ sentence: 'after the answer "$(zap) a: b" in policy 2' }))[0]?.title).toBe(
      '⚠ Redundant: after the answer "\\$(zap) a: b" in policy 2',
    );
  });

  test.each([
    ['repeats call 1: same code', 'repeats call 1'],
    ['prints only what it was given', 'prints only what it was given'],
    ['after the answer "a: b" in policy 2', 'after the answer "a: b" in policy 2'],
    [`after the answer "${'x'.repeat(100)}"`, `after the answer "${'x'.repeat(61)}…`],
  ])('%s is said as %s', (sentence, short) => {
    expect(shortSentence(sentence)).toBe(short);
  });
});

describe('hovers', () => {
  const links = (line: number, ...flags: readonly ShownFlag[]) =>
    transcriptHover(shown(...flags), line, l10n).flatMap((block) => (block.kind === 'links' ? block.links : []));
  const texts = (line: number, ...flags: readonly ShownFlag[]) =>
    transcriptHover(shown(...flags), line, l10n).map(({ text }) => text);

  test('a call: evidence, the call it refers to, what it cost, the verdict', () => {
    const evidence = [{ name: 'iou', value: 0.94 }];
    const near = flag({ rule: 'near-repeat', confidence: 'likely', sentence: 'nearly repeats call 1', evidence });
    expect(texts(secondCall, near)).toEqual(
      expect.arrayContaining([
        '⚠ Redundant: nearly repeats call 1 (likely, near-repeat)',
        'iou: 0.94',
        'It cost 0.6 s and 12 characters.',
      ]),
    );
    expect(links(secondCall, near)).toEqual([
      { text: 'Show call 1', command: 'rolloutLens.revealCall', argument: { ...ref, call: 0 } },
      { text: 'Confirm', command: 'rolloutLens.confirmFlag', argument: { ...ref, flag: near.id } },
      { text: 'Dismiss', command: 'rolloutLens.dismissFlag', argument: { ...ref, flag: near.id } },
    ]);
  });

  test('the counterfactual, with the group cleaned', () => {
    expect(texts(secondCall, flag()).join('\n')).toMatch(
      /r_tool 0\.333 → 0\.5, A_tool −0\.70 → \+0\.05\nwhole group cleaned: .*signal was the waste/,
    );
    // A dismissed flag takes nothing away here.
    expect(texts(secondCall, flag({ verdict: 'dismissed' })).join('\n')).not.toContain('without call 2');
  });

  test('the title: siblings with links, right or wrong and T', () => {
    const { text } = transcriptHover(shown(siblingFlag()), 0, l10n).find((block) => block.kind === 'links') ?? {};
    expect(text).toBe('Siblings in a group of 16:');
    expect(links(0, siblingFlag()).slice(0, 3)).toEqual(
      [1, 2, 3].map((member) => ({
        text: `✓ ${member} T ${member - 1}`,
        command: 'rolloutLens.openTrajectory',
        argument: { ...ref, row: member - 1 },
      })),
    );
  });

  test('a verdict can be taken back', () => {
    expect(links(secondCall, flag({ verdict: 'dismissed' })).map(({ text }) => text)).toEqual(['Show call 1', 'Undo']);
  });

  test('a hint says that it is not counted', () => {
    expect(texts(secondCall, flag({ confidence: 'hint' }))[2]).toMatch(/\(hint, not counted, repeat\)$/);
  });

  test('crops are offered where the log says which picture', () => {
    const boxes = [{ call: 1, image: 0, box: [0, 0, 1, 1] as const }];
    expect(links(secondCall, flag({ boxes })).map(({ command }) => command)).toContain('rolloutLens.showCrops');
    const unknown = [{ call: 1, image: null, box: [0, 0, 1, 1] as const }];
    expect(links(secondCall, flag({ boxes: unknown })).map(({ command }) => command)).not.toContain(
      'rolloutLens.showCrops',
    );
  });
});

describe('Problems', () => {
  test('one for each flag that counts', () => {
    const problems = problemsOf(
      shown(flag(), flag({ id: 'x', verdict: 'dismissed' }), flag({ id: 'y', confidence: 'hint' }), siblingFlag()),
      l10n,
    );
    expect(problems.map(({ flag: { id }, line, message }) => [id, line, message])).toEqual([
      [
        flag().id,
        secondCall,
        'Call 2 is redundant (certain): repeats call 1: same code, same result. It cost 0.6 s and 12 characters.',
      ],
      ['sibling', 0, expect.stringMatching(/^Redundant \(likely\): 2 calls too many: .*\.$/)],
    ]);
  });

  test('with the places it rests on', () => {
    const [repeat, sibling, answered] = problemsOf(
      shown(flag(), siblingFlag(), flag({ refersTo: null, refersToTurn: 6 })),
      l10n,
    );
    expect(repeat?.related).toEqual([{ kind: 'line', line: firstCall, text: 'call 1' }]);
    expect(sibling?.related.map(({ text }) => text)).toEqual(
      [1, 2, 3].map((member) => `sibling ${member}: ✓ with ${member - 1} calls`),
    );
    expect(answered?.related).toEqual([expect.objectContaining({ kind: 'line', text: 'policy 3' })]);
  });
});
