/** The transcript of a well-behaved rollout: what stands where, and that marks name the lines they speak of. */
import { describe, expect, test } from 'vitest';
import {
  buildCall,
  buildImage,
  buildRollout,
  buildTurn,
  callPart,
  imagePart,
  textPart,
} from '../../../src/model/builder.ts';
import type { Rollout } from '../../../src/model/rollout.ts';
import type { Mark } from '../../../src/protocol/transcript.ts';
import { renderTranscript } from '../../../src/transcript/renderTranscript.ts';
import { context, editorLines, explanation, repeatFlag, repeatReport, row, sampleRollout } from './sampleRollouts.ts';

const textOf = (lines: readonly string[], mark: Mark | undefined) =>
  mark === undefined ? [] : lines.slice(mark.line, mark.line + mark.count);

function rendered(rollout: Rollout, change: Parameters<typeof context>[0] = {}) {
  const document = renderTranscript(rollout, context(change));
  const lines = editorLines(document.text);
  const find = <Kind extends Mark['kind']>(kind: Kind) =>
    document.marks.filter((mark): mark is Extract<Mark, { kind: Kind }> => mark.kind === kind);
  return { document, lines, find };
}

describe('the wireframe', () => {
  const { document, lines, find } = rendered(sampleRollout(), { flags: repeatReport() });

  test('is laid out as in ui.md', () => {
    expect(document.title).toBe('step 17 · 48 × 7 = ? · 5 of 16');
    expect(lines.slice(0, 22)).toEqual([
      'step 17 · "48 × 7 = ?" · rollout 5 of 16 · hdpo',
      'A_acc +0.86   A_tool −0.70   T 2   reward 1.0 = 0.9·answer 1 + 0.1·format 1   ⚠ 1 redundant call (saves 0.6 s; r_tool 0.333 → 0.5, A_tool −0.70 → +0.05)',
      `─── system ${'─'.repeat(37)}`,
      '  You may call python …',
      `─── user ${'─'.repeat(39)}`,
      '  [image 1: inline png, 1,024 pads]',
      '  48 × 7 = ?',
      `─── policy 1 · 31 tokens ${'─'.repeat(23)}`,
      '  I will compute it.',
      '  ▶ call 1  python  0.61 s ✓',
      '      x = 48',
      '      print(x * 7)',
      '  ◀ 336',
      `─── policy 2 · 29 tokens ${'─'.repeat(23)}`,
      `${'  ▶ call 2  search  0.6 s ✗ failed'.padEnd(66)}⚠ repeats call 1: same code, same result`,
      '      {"query": "48 times 7"}',
      '    ✗ no such tool',
      '  ◀ 336',
      '    no more',
      `─── policy 3 ${'─'.repeat(35)}`,
      `─── answer ✓ ${'─'.repeat(35)}`,
      `${'  336'.padEnd(66)}ground truth 336`,
    ]);
    expect(lines.at(-1)).toBe('');
  });

  test('closes with the sums and what is also logged', () => {
    const [arithmetic] = find('arithmetic');
    const text = textOf(lines, arithmetic);
    expect(text[0]).toMatch(/^─── reward and advantages ─/);
    expect(text).toContain('  A_acc = (1.0 − 0.613) / (0.452 + 1e-6) = +0.86');
    expect(text).toContain('  Q = 9 right of 16: mean 0.51, std 0.26');
    expect(text.filter((line) => line.includes('← this rollout'))).toHaveLength(1);
    expect(text).toContain(
      '  without call 2 (its answer assumed to stay right): T 2 → 1, saves 0.6 s, 12 characters, r_tool 0.333 → 0.5, A_tool −0.70 → +0.05',
    );
    expect(text).toContain('  whole group cleaned: equal T, A_tool 0 for all (the signal was the waste)');
    expect(lines).toContain('  stop reason: finished');
    expect(lines).toContain('  verl_tool_metrics.num_turns: 3');
    expect(textOf(lines, find('facts')[0])[0]).toMatch(/^─── also logged ─/);
  });

  test('marks name their lines', () => {
    expect(find('title')).toEqual([{ kind: 'title', line: 0, count: 2 }]);
    expect(find('turn').map(({ label }) => label)).toEqual([
      'system',
      'user',
      'policy 1',
      'result of call 1',
      'policy 2',
      'result of call 2',
      'policy 3',
    ]);
    expect(textOf(lines, find('call')[0])).toEqual(lines.slice(9, 12));
    expect(textOf(lines, find('observation')[1])).toEqual(['  ◀ 336', '    no more']);
    expect(textOf(lines, find('reasoning')[0])).toEqual(['  I will compute it.']);
    expect(textOf(lines, find('image')[0])).toEqual(['  [image 1: inline png, 1,024 pads]']);
    expect(textOf(lines, find('answer')[0])[0]).toMatch(/^─── answer ✓ ─/);
    expect(find('call')[1]).toMatchObject({ redundant: ['repeat'], failure: 'no such tool', outcome: 'failed' });
    expect(find('call')[0]).toMatchObject({ observationStart: '336\n', facts: [{ name: 'code_lines', value: 2 }] });
    expect(find('answer')[0]).toMatchObject({ correct: true, groundTruth: '336' });
  });

  test('turns cover the document between title and sums without overlap', () => {
    let end = 2;
    for (const turn of find('turn')) {
      expect(turn.line).toBe(end);
      end = turn.line + turn.count;
    }
    expect(end).toBe(find('arithmetic')[0]?.line);
  });
});

describe('flags', () => {
  test('by siblings stand behind each call and, where only a number is proven, among the sums', () => {
    const sibling = { rule: 'sibling', sentence: '3 of 3 siblings were right with no call', refersTo: null };
    const each = rendered(sampleRollout(), {
      flags: repeatReport({ flags: [0, 1].map((call) => repeatFlag({ ...sibling, call, confidence: 'likely' })) }),
    });
    expect(each.find('call').map(({ redundant }) => redundant)).toEqual([['sibling'], ['sibling']]);
    expect(each.lines[9]).toMatch(/ {3}⚠ siblings were right with fewer calls$/u);
    const number = repeatFlag({ ...sibling, call: null, count: 1, confidence: 'likely' });
    const some = rendered(sampleRollout(), { flags: repeatReport({ flags: [number] }) });
    expect(some.find('call').map(({ redundant }) => redundant)).toEqual([[], []]);
    expect(some.lines).toContain('  ⚠ 3 of 3 siblings were right with no call');
  });

  test('that are only hints stand in the hover alone', () => {
    const { lines, find, document } = rendered(sampleRollout(), {
      flags: { flags: [repeatFlag({ confidence: 'hint' })], counterfactual: null, crops: [] },
    });
    expect(lines.join('\n')).not.toContain('⚠');
    expect(find('call')[1]?.redundant).toEqual([]);
    expect(document.flags.flags).toHaveLength(1);
  });
});

describe('what a log may lack or bring', () => {
  test('no explanation yet: the numbers of the log, and that the rest follows', () => {
    const { lines, document } = rendered(sampleRollout(), { explanation: null });
    expect(lines[0]).toContain('step 17 · "48 × 7 = ?" · record 5 · hdpo');
    expect(lines[1]).toMatch(
      /^advantages: the group is not indexed yet {3}T 2 {3}reward 1\.0 = 0\.9·answer 1 \+ 0\.1·format 1$/,
    );
    expect(document.explanation).toBeNull();
  });

  test('a logged advantage stands beside the recomputed one, both named', () => {
    const logged = { ...sampleRollout(), loggedAdvantage: 0.9 };
    const { lines } = rendered(logged, { explanation: explanation({ row: row({ loggedAdvantage: 0.9 }) }) });
    expect(lines[1]).toContain('A_acc +0.86 recomputed, +0.90 logged');
    expect(lines).toContain('  logged advantage +0.90, recomputed A_acc +0.86, difference 0.043');
  });

  test('no reward: no verdict, no sums, and a sentence instead', () => {
    const chat = buildRollout({
      place: sampleRollout().place,
      producer: 'p',
      group: { key: 'g', source: 'inferred' },
      turns: [buildTurn({ role: 'policy', parts: [textPart('hello')] })],
    });
    const unscored = row({ reward: null, correct: null, accReward: null, accAdvantage: null, toolAdvantage: null });
    for (const change of [{ explanation: explanation({ row: unscored }) }, { explanation: null }]) {
      const { lines, find } = rendered(chat, change);
      expect(lines[1]).toBe('T 0   no reward in this log');
      expect(lines.join('\n')).not.toMatch(/[✓✗]|A_acc|A_tool|not indexed/);
      expect(find('answer')).toEqual([]);
      expect(textOf(lines, find('arithmetic')[0])[1]).toMatch(/^ {2}This log has no reward here, /);
    }
    const logged = rendered({ ...chat, loggedAdvantage: 0.5 }, { explanation: explanation({ row: unscored }) });
    expect(logged.lines[1]).toBe('advantage +0.50 logged   T 0   no reward in this log');
  });

  test('no committed answer, ground truth of several lines', () => {
    const rollout = {
      ...sampleRollout(),
      answer: null,
      groundTruth: { actions: ['book', 'cancel'], note: 'x'.repeat(60) },
    };
    const bare = { ...rollout, turns: rollout.turns.slice(0, 6) };
    const { lines, find } = rendered(bare, { explanation: explanation({ row: row({ correct: false }) }) });
    const text = textOf(lines, find('answer')[0]);
    expect(text[0]).toMatch(/^─── outcome ✗ ─/);
    expect(text.slice(1, 5)).toEqual(['  (no committed answer)', '  ground truth', '    {', '      "actions": [']);
  });

  test('of several answers the graded one carries the verdict', () => {
    const answers = ['first', '336', 'third'].map((text) => ({ kind: 'answer' as const, text }));
    const rollout = buildRollout({
      ...sampleRollout(),
      turns: [buildTurn({ role: 'policy', parts: answers })],
      calls: [],
    });
    const { lines, find } = rendered(rollout);
    expect(find('answer')).toHaveLength(1);
    expect(textOf(lines, find('answer')[0])[1]).toMatch(/^ {2}336 +ground truth 336$/);
    expect(lines.filter((line) => line.includes('not the one that was graded'))).toHaveLength(2);
  });

  test('several calls in one turn: the arrows name their call', () => {
    const rollout = buildRollout({
      ...sampleRollout(),
      turns: [
        buildTurn({ role: 'policy', parts: [callPart(0), callPart(1)] }),
        buildTurn({ role: 'tool', parts: [textPart('b')], observes: [1] }),
        buildTurn({ role: 'tool', parts: [textPart('')], observes: [0] }),
      ],
      calls: [0, 1].map(() => buildCall({ turn: 0, tool: 't', raw: '', arguments: {} })),
    });
    const { lines } = rendered(rollout);
    expect(lines).toContain('  ◀ call 2  b');
    expect(lines).toContain('  ◀ call 1  (empty)');
    expect(lines).toContain('      (no arguments)');
  });

  test('an observation that no turn brings, with its picture', () => {
    const rollout = buildRollout({
      ...sampleRollout(),
      turns: [buildTurn({ role: 'policy', parts: [] })],
      images: [buildImage({ origin: 'observation', state: 'cut', pads: 1 })],
      calls: [buildCall({ turn: 0, tool: null, raw: '{broken', sent: false, observation: 'late\nword', images: [0] })],
    });
    const { lines, find } = rendered(rollout);
    expect(lines.slice(3, 9)).toEqual([
      '  ▶ call 1  (no tool named)  not sent',
      '      {broken',
      '  ◀ (logged, but not part of the conversation)',
      '    late',
      '    word',
      '    [image 1: cut by the logger, 1 pad]',
    ]);
    expect(find('image')[0]).toMatchObject({ line: 8, state: 'cut' });
  });

  test('a picture in an observation is marked where it stands', () => {
    const rollout = buildRollout({
      ...sampleRollout(),
      turns: [
        buildTurn({ role: 'policy', parts: [callPart(0)] }),
        buildTurn({ role: 'tool', parts: [textPart('Images:'), imagePart(0)], observes: [0] }),
      ],
    });
    const { lines, find } = rendered(rollout);
    expect(textOf(lines, find('image')[0])).toEqual(['    [image 1: inline png, 1,024 pads]']);
  });

  test('an empty rollout', () => {
    const { lines, find } = rendered(
      buildRollout({ place: sampleRollout().place, producer: 'p', group: { key: '', source: 'inferred' } }),
    );
    expect(lines[0]).toContain('rollout 5 of 16 · hdpo');
    expect(find('turn')).toEqual([]);
    expect(find('arithmetic')).toHaveLength(1);
  });
});
