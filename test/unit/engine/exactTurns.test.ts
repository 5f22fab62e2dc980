/** The exact text of turns: over every fixture that keeps one, gaps and texts put together are the text as logged. */
import { describe, expect, it } from 'vitest';
import { exactTurns } from '../../../src/engine/exactTurns.ts';
import { buildEpisode } from '../../../src/readers/chatEpisode.ts';
import { buildRollout } from '../../../src/model/builder.ts';
import { claimOf, fixtures } from '../readers/fixtureFolders.ts';
import { readAll } from '../readers/readAll.ts';

/** A rollout of a text. */
function rolloutOf(prompt: string, response: string) {
  return buildRollout({
    ...buildEpisode({ input: prompt, output: response, entries: null }),
    place: { row: 0, line: 0, bytes: { first: 0, count: 1 } },
    producer: 'test',
    group: { key: 'g', source: 'inferred' },
    exactText: { prompt, response },
  });
}

/** Gaps and texts in their order. */
function joined({ texts, gaps }: { readonly texts: readonly string[]; readonly gaps: readonly string[] }): string {
  return gaps.map((gap, at) => gap + (texts[at] ?? '')).join('');
}

describe('fixtures that keep their text', () => {
  const logs = fixtures().filter(({ id }) => /^(?:verl|verl-array|easy-r1)\//.test(id));
  it('are there', () => {
    expect(logs.length).toBeGreaterThan(5);
  });
  it.each(logs.map((log) => [log.id, log] as const))('%s', async (_, { name, bytes }) => {
    const claim = await claimOf(name, bytes);
    if (claim === null) throw new Error('nobody claims it');
    const { rollouts } = await readAll(claim, bytes);
    for (const rollout of rollouts) {
      const { exactText } = rollout;
      if (exactText === undefined) throw new Error('no exact text');
      const exact = exactTurns(rollout);
      const marked = /<\|im_start\|>|<\|start_header_id\|>/.test(exactText.prompt);
      if (exact === null) continue;
      expect(exact.texts).toHaveLength(rollout.turns.length);
      for (const [at, turn] of rollout.turns.entries()) {
        expect([turn.characters, 0]).toContain(exact.texts[at]?.length);
      }
      expect(exact.gaps !== null).toBe(marked);
      if (exact.gaps === null) continue;
      expect(joined({ ...exact, gaps: exact.gaps })).toBe(exactText.prompt + exactText.response);
    }
  });
});

describe('marked text', () => {
  const chatml = '<|im_start|>system\nsystem<|im_end|>\n<|im_start|>user\nuser<|im_end|>\n<|im_start|>assistant\n';
  it.each([
    ['ChatML', chatml, 'A<|im_end|>', ['system', 'user', 'A']],
    ['a prefill', `${chatml}<think>\n`, 'A</think>B<|im_end|>', ['system', 'user', 'A</think>B']],
    [
      'observations in turns of their own',
      chatml,
      '<tool_call>{"name": "f", "arguments": {}}</tool_call><|im_end|>\n<|im_start|>user\nuser<|im_end|>\n<|im_start|>assistant\nassistant<|im_end|>',
      ['system', 'user', '<tool_call>{"name": "f", "arguments": {}}</tool_call>', 'user', 'assistant'],
    ],
    [
      'observations inside a turn',
      chatml,
      '<search>a</search><information>b</information><answer>c</answer><|im_end|>',
      ['system', 'user', '<search>a</search>', '<information>b</information>', '<answer>c</answer>'],
    ],
    [
      'Llama 3',
      '<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nuser<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
      'A<|eot_id|>',
      ['<|begin_of_text|>', 'user', 'A'],
    ],
    ['a response that was cut', chatml, 'A and', ['system', 'user', 'A and']],
  ])('with %s', (_, prompt, response, texts) => {
    const exact = exactTurns(rolloutOf(prompt, response));
    if (exact?.gaps === null || exact === null) throw new Error('no exact turns');
    expect(exact.texts).toEqual(texts);
    expect(joined({ ...exact, gaps: exact.gaps })).toBe(prompt + response);
  });

  it('has texts and no markers where these were dropped', () => {
    const exact = exactTurns(
      rolloutOf('user\nWhat?\nassistant\n', 'A\nuser\n<tool_response>\nB\n</tool_response>\nassistant\nC'),
    );
    expect(exact).toEqual({ texts: ['What?', 'A', '<tool_response>\nB\n</tool_response>', 'C'], gaps: null });
  });
});
